# %%
import re
from collections import Counter, defaultdict
from itertools import groupby
TEXT = """The kernel stopped. The run went on, and the run was replayed;
nobody paid twice. Nobody lost an afternoon."""
# %%
words = re.findall(r"[a-z]+", TEXT.lower())
counts = Counter(words)
counts.most_common(3)
# %%
by_letter = defaultdict(set)
for word in words:
    by_letter[word[0]].add(word)
sorted(by_letter["r"])
# %%
STOP = {"the", "and", "an", "on", "was"}
def content(words, stop=STOP):
    return [word for word in words if word not in stop]

lengths = {n: [*same] for n, same in groupby(sorted(content(words), key=len), key=len)}
lengths
# %%
STOP.add("nobody")
rest = content(words)
len(rest), "nobody" in rest
# %%
pattern = re.compile(r"(?P<who>\w+) (?P<did>paid|lost)", re.IGNORECASE)
found = [match.groupdict() for match in pattern.finditer(TEXT)]
print(*found, sep="\n")
# %%
pairs = list(zip(words, words[1:]))
counts.update(f"{a} {b}" for a, b in pairs)
counts["the run"]
