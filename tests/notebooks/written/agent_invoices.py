# %%
from dataclasses import dataclass, field
import nbdurable as nd
from nbdurable.testing.effects import effect
@dataclass
class Ledger:
    sent: list = field(default_factory=list)
ledger = Ledger()
# %%
@nd.tool(effect="read")
def customers(prefix=""):
    effect("customers", prefix=prefix)
    return [name for name in ("anna", "bert", "carl") if name.startswith(prefix)]

@nd.tool(not_done=(ValueError,))
def send_invoice(who, amount, *, currency="EUR"):
    if amount <= 0:
        raise ValueError(f"no invoice over {amount}")
    return f"{who}-{amount}-{currency}-{len(effect('send_invoice', who=who, amount=amount)) > 0}"
# %%
due = {name: 100 * n for n, name in enumerate(customers())}
due
# %%
for name, amount in due.items():
    try:
        ledger.sent.append(send_invoice(name, amount))
    except ValueError as refused:
        print("refused:", refused)
ledger
# %%
total = sum(due.values())
by_letter = {name[0]: customers(name[0]) for name in due}
by_letter
# %%
class Mailer:
    def __init__(self, sender):
        self.sender, self.log = sender, []

    @nd.tool(effect="write")
    def send(self, to):
        self.log.append(to)
        effect("send", sender=self.sender, to=to)
        return f"{self.sender} → {to}"

mailer = Mailer("me")
mails = [mailer.send(name) for name in due]
mails, mailer.log
# %%
ledger.sent.reverse()
ledger.sent[0]
