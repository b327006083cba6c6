# %%
import csv
import json
from pathlib import Path
folder = Path("written")
folder.mkdir(exist_ok=True)
# %%
rows = [{"name": "ann", "n": 1}, {"name": "bob", "n": 2}]
with (folder / "rows.csv").open("w", newline="") as out:
    writer = csv.DictWriter(out, ["name", "n"])
    writer.writeheader()
    writer.writerows(rows)
# %%
(folder / "settings.json").write_text(json.dumps({"limit": 1, "tags": ["x"]}))
# %%
settings = json.loads((folder / "settings.json").read_text())
with open(folder / "rows.csv") as lines:
    read = [row for row in csv.DictReader(lines) if int(row["n"]) > settings["limit"]]
read
# %%
names = sorted(path.name for path in folder.iterdir())
print(names)
# %%
settings["tags"].append("y")
settings
