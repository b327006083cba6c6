"""Journals written by hand: what a run's entries look like, without a store."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from nbdurable.engine.calls.requests import ARGUMENTS_FIELD_BYTES_MAX
from nbdurable.engine.past.history import History
from nbdurable_store.protocol import Store
from nbdurable_store.records import BlobRef, Entry, Kind, Plain, Record

MONDAY_0914_US = 1_789_982_040_000_000
"""Mon 21 Sep 2026 09:14 UTC, microseconds since 1970."""


ENDING = ("tokens_in", "tokens_out", "model", "usd")
"""Fields of a call that stand in the record of its end."""


def digest(text: str) -> bytes:
    """A stand-in for a digest: 32 bytes that depend on the text only."""
    return blake2b(text.encode(), digest_size=32).digest()


@dataclass
class Story:
    """Appends records as a kernel would; its clock moves only when it is told to."""

    run: str = "run-1"
    us: int = MONDAY_0914_US
    owner: str = "kernel-1"
    entries: list[Entry] = field(default_factory=list)
    used: dict[str, list[str]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    starts: dict[str, int] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    alive: set[str] = field(default_factory=lambda: {"kernel-1"})

    def history(self) -> History:
        """The fold of everything that was appended."""
        history = History(self.run)
        history.apply(self.entries)
        return history

    def get(self, ref: BlobRef) -> bytes:
        """The bytes of a value, as a store hands them out."""
        assert ref.inline is not None
        return ref.inline

    def value(self, value: object, codec: str = "json") -> BlobRef:
        """A value, stored."""
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        name = digest(data.decode("latin-1"))
        return BlobRef(codec=codec, id=name, size=len(data), mac=name, inline=data)

    def relabel(self) -> None:
        """Give every record the run's present id."""
        self.entries = [
            e._replace(record=e.record._replace(run=self.run)) for e in self.entries
        ]

    def into(self, store: Store) -> None:
        """Append everything to a real store, as one owner; values are put first."""
        for entry in self.entries:
            blobs = tuple(
                store.put(ref.codec, self.get(ref)) for ref in entry.record.blobs
            )
            store.append((entry.record._replace(blobs=blobs),), sync=True)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.us += int(seconds * 1_000_000)

    def dies(self) -> None:
        """The kernel is killed; a new one starts."""
        self.alive.discard(self.owner)
        self.owner = f"kernel-{int(self.owner.rpartition('-')[2]) + 1}"
        self.alive.add(self.owner)

    def append(
        self,
        kind: str,
        fields: Mapping[str, Plain],
        *,
        step: str = "",
        subject: str = "",
        key: bytes = b"",
        blobs: tuple[BlobRef, ...] = (),
    ) -> None:
        """Append one record, now."""
        record = Record(
            kind=kind,
            run=self.run,
            step=step,
            subject=subject,
            key=key,
            at_us=self.us,
            fields=fields,
            blobs=blobs,
        )
        nth = len(self.entries)
        entry = Entry(owner=self.owner, seq=nth, tick=nth, record=record)
        self.entries.append(entry)

    def opens(self, number: int = 3, notebook: str = "research.ipynb") -> None:
        """The run begins."""
        self.append(
            Kind.RUN_OPENED,
            {"notebook": notebook, "number": number, "headless": False, "reason": ""},
            subject=self.run,
        )

    def step(
        self,
        name: str,
        *,
        source: str = "source",
        reads: Mapping[str, str | None] | None = None,
        title: str = "",
        **fields: Plain,
    ) -> str:
        """A step attempt starts."""
        self.counts[name] = attempt = self.counts.get(name, 0) + 1
        step = f"{name}-{attempt}"
        self.used[step], self.names[step], self.starts[step] = [], name, self.us
        self.append(
            Kind.STEP_STARTED,
            {
                "name": name,
                "slot": f"cell-{name}",
                "attempt": attempt,
                "source": digest(source).hex(),
                "cell_id": f"cell-{name}",
                "count": attempt,
                "title": title,
                "reads": reads or {},
                **fields,
            },
            step=step,
            subject=step,
            key=digest(f"{source}{sorted((reads or {}).items())}"),
            blobs=(self.value(f"%%durable {name}\n{title}"),),
        )
        return step

    def begins(
        self,
        step: str,
        text: str,
        *,
        effect: str = "read",
        arguments: Plain = None,
        parent: str = "",
        again: str = "",
        **fields: Plain,
    ) -> str:
        """A call starts; ``again`` is the id of the call it is an attempt of."""
        within = parent or step
        number = self.counts[within] = self.counts.get(within, 0) + 1
        call = again or f"{within}#{number}"
        self.starts[call] = self.us
        attempt = 1 + sum(
            e.record.kind == Kind.CALL_STARTED and e.record.subject == call
            for e in self.entries
        )
        text_kept = "" if arguments is None else json.dumps(arguments)
        small = len(text_kept) <= ARGUMENTS_FIELD_BYTES_MAX
        if text_kept and small:
            fields = {**fields, "arguments": text_kept}
        kept = () if small else (self.value(arguments),)
        self.append(
            Kind.CALL_STARTED,
            {
                "n": number,
                "attempt": attempt,
                "name": text.partition("(")[0],
                "effect": effect,
                "kind": "tool",
                "code": "c0de",
                "scope": parent,
                "after": "",
                "parent": parent,
                "text": text,
                "declared": True,
                **fields,
            },
            step=step,
            subject=call,
            key=digest(text),
            blobs=kept,
        )
        return call

    def ends(
        self, step: str, call: str, result: object = "ok", **fields: Plain
    ) -> None:
        """A call completes, now."""
        self.used[step].append(call)
        self.append(
            Kind.CALL_COMPLETED,
            {"attempt": 1, "ms": self._ms(call), **fields},
            step=step,
            subject=call,
            key=b"",
            blobs=(self.value(result),),
        )

    def raises(
        self, step: str, call: str, kind: str, message: str, **fields: Plain
    ) -> None:
        """A call raises, now."""
        self.used[step].append(call)
        self.append(
            Kind.CALL_RAISED,
            {"ms": self._ms(call), "type": kind, "message": message, **fields},
            step=step,
            subject=call,
            blobs=(self.value({"type": kind, "message": message}),),
        )

    def calls(self, step: str, text: str, seconds: float, **fields: Plain) -> str:
        """A call starts, takes its time and completes."""
        ending = {k: fields.pop(k) for k in ENDING if k in fields}
        result = fields.pop("result", "ok")
        call = self.begins(step, text, **fields)  # type: ignore[arg-type]  # checked by use
        self.wait(seconds)
        self.ends(step, call, result, **ending)
        return call

    def serves(self, step: str, *calls: str) -> None:
        """The attempt is served these calls from the journal."""
        self.used[step] += calls

    def completes(
        self, step: str, names: Sequence[Sequence[str]] = (), **fields: Plain
    ) -> None:
        """The attempt completes, now."""
        groups = [list(group) for group in names]
        outputs = self.value(
            [{"type": "stream", "name": "stdout", "text": f"{step} printed this\n"}]
        )
        self._end(
            Kind.STEP_COMPLETED,
            step,
            {"names": groups, **fields},
            (outputs, *(self.value(group) for group in groups)),
        )

    def fails(self, step: str, how: str, *blamed: str, **fields: Plain) -> None:
        """The attempt ends without completing."""
        outputs = (self.value([]),)
        told = {"how": how, "blamed": list(blamed), **fields}
        self._end(Kind.STEP_FAILED, step, told, outputs)

    def replays(self, step: str) -> None:
        """The attempt is replayed as a whole."""
        fields = {"name": self.names[step], "slot": f"cell-{self.names[step]}"}
        self.append(Kind.STEP_REPLAYED, fields, step=step, subject=step)

    def _end(
        self,
        kind: str,
        step: str,
        fields: Mapping[str, Plain],
        blobs: tuple[BlobRef, ...],
    ) -> None:
        used = list(dict.fromkeys(self.used[step]))
        ran = {e.record.subject for e in self.entries if e.record.step == step} - {step}
        told: dict[str, Plain] = {
            "ms": self._ms(step),
            "used": used,
            "ran": len(ran),
            "replayed": len([c for c in used if c not in ran]),
        }
        self.append(kind, {**told, **fields}, step=step, subject=step, blobs=blobs)

    def _ms(self, subject: str) -> float:
        return (self.us - self.starts[subject]) / 1_000


def research() -> Story:
    """The main job: 30 calls, the kernel dies during call 17, they are not paid again."""
    story = Story()
    story.opens()
    queries = ["solid-state batteries, 2026", "sulfide electrolytes", "dry electrode"]
    first = story.step("findings", title="hits = search(QUESTION)")
    done = [
        story.calls(
            first,
            f"summarise({queries[n % 3] + f' #{n}'!r})"
            if n
            else f"search({queries[0]!r})",
            0.92 + (n * 7 % 11) / 2,
            arguments={"page": n, "question": queries[n % 3]},
            result=f"Paper {n}: {queries[n % 3]} improve cycle life.",
            tokens_in=640,
            tokens_out=135,
        )
        for n in range(16)
    ]
    cut = story.begins(first, "summarise('page 16')", arguments={"page": 16})
    story.wait(3.1)
    story.dies()
    story.wait(95)
    again = story.step("findings", title="hits = search(QUESTION)")
    story.serves(again, *done)
    story.counts[again] = 16
    story.begins(again, "summarise('page 16')", arguments={"page": 16}, again=cut)
    story.wait(2.9)
    story.ends(again, cut, "Paper 16", tokens_in=640, tokens_out=120)
    for n in range(17, 30):
        story.calls(
            again,
            f"summarise('page {n}')",
            1.4 + (n * 5 % 7) / 2,
            arguments={"page": n},
            result=f"Paper {n}",
            tokens_in=600,
            tokens_out=120,
        )
    story.completes(again, [["hits"], ["notes"]])
    return story


def doubtful() -> Story:
    """A `write` that may have happened: the kernel died 3.1 s into it."""
    story = Story()
    story.opens()
    step = story.step("review", title="report = draft(client, notes)")
    story.calls(step, "draft('notes')", 6.0, tokens_in=900, tokens_out=400)
    story.begins(
        step,
        "send_invoice('anna', 1200)",
        effect="write",
        arguments={"customer": "anna", "amount": 1200},
    )
    story.wait(3.1)
    story.dies()
    return story


def gallery() -> Story:
    """Everything a run can show: lanes, nesting, kills, replays, errors, questions."""
    story = Story()
    story.opens()
    plan = story.step(
        "plan", title="questions = plan(client, TOPIC)", reads={"TOPIC": "aa"}
    )
    story.calls(plan, MODEL, 4.2, tokens_in=310, tokens_out=420)
    story.wait(0.4)
    story.completes(plan, [["questions"]])
    story.wait(7)
    done, under_way = _side_by_side(story)
    story.dies()
    story.wait(95)
    story.replays(plan)
    story.wait(3)
    _goes_on(story, done, under_way)
    story.wait(5)
    _fails_once(story)
    story.wait(3_600 * 8)
    _may_have_paid(story)
    return story


MODEL = "POST api.openai.com/v1/responses"
PAGES = "notes = nd.map(summarise, hits, limit=4)"


def _side_by_side(story: Story) -> tuple[list[str], list[str]]:
    """Calls in four lanes, each with a model call inside; three don't end."""
    step = story.step("findings", title=PAGES)
    done = [story.calls(step, "search('solid-state batteries, 2026')", 1.8)]
    under_way: list[tuple[str, str]] = []
    for n in range(18):
        call = story.begins(step, f"summarise('page {n}')", arguments={"page": n})
        under_way.append((call, story.begins(step, MODEL, parent=call)))
        story.wait(0.15)
        if len(under_way) == 4:
            call, inner = under_way.pop(0)
            story.wait((2.0 + n * 7 % 5) / 4)
            story.ends(step, inner, tokens_in=640, tokens_out=135, model="gpt-5-mini")
            story.ends(step, call)
            done.append(call)
    return done, [call for call, _ in under_way]


def _goes_on(story: Story, done: list[str], under_way: list[str]) -> None:
    step = story.step("findings", title=PAGES)
    story.serves(step, *done)
    story.counts[step] = len(done)
    for nth, call in enumerate(under_way):
        story.begins(step, f"summarise('page {15 + nth}')", again=call)
        story.wait(0.4)
    for call in under_way:
        story.wait(0.9)
        story.ends(step, call, tokens_in=640, tokens_out=130)
    story.completes(step, [["hits"], ["notes", "index"]])


def _fails_once(story: Story) -> None:
    reads = {"notes": "bb"}
    step = story.step("chart", title="plot(notes)", reads=reads)
    call = story.begins(step, "render('bar', theme='dark')")
    story.wait(1.2)
    told = {"type": "builtins.ValueError", "message": "unknown theme 'dark'"}
    story.raises(step, call, told["type"], told["message"])
    story.fails(step, "raised", call, **told)
    story.wait(12)
    step = story.step("chart", source="edited", title="plot(notes)", reads=reads)
    story.calls(step, "render('bar')", 2.2)
    story.completes(step, [["figure"]], unsaved=["stream (a generator)"])


def _may_have_paid(story: Story) -> None:
    step = story.step("review", title="report = draft(client, notes)")
    story.calls(step, "draft('notes')", 6.0, tokens_in=900, tokens_out=400)
    invoice = {"customer": "anna", "amount": 1200}
    story.begins(step, "send_invoice('anna', 1200)", effect="write", arguments=invoice)
    story.wait(3.1)
    story.dies()


HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "</style><script>alert(1)</script>",
    "</pre></details></main><iframe src='https://evil.example'>",
    "javascript:alert(1)",
    "]]><svg/onload=alert(1)>",
    "&lt;b&gt;",
    "\x1b[31mred\x1b[0m\x1b]8;;https://evil.example\x07link",
    "\u202egnp.exe\u202c \u200b\u2066",
]
"""Texts that try to become more than text: markup, terminal sequences, directions."""


def hostile(text: str) -> Story:
    """A run in which everything that a user or a tool can name is hostile."""
    name = text[:1_000]  # ids are made of it, and ids are ours
    story = Story()
    story.opens(notebook=text)
    step = story.step(name, title=text, reads={text: "aa"})
    call = story.begins(step, text, arguments={text: text})
    story.ends(step, call, {"html": text}, model=text)
    call = story.begins(step, f"write({text})", effect="write")
    story.raises(step, call, text, text)
    story.completes(step, [[text]], unsaved=[text])
    step = story.step(name, source="edited")
    story.begins(step, f"pay({text})", effect="write")
    story.dies()
    return story
