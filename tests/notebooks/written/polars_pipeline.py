# %%
import polars as pl
frame = pl.DataFrame({"k": ["a", "b", "a"], "v": [1, 2, None], "t": ["2026-01-01", "2026-01-02", "2026-01-03"]})
# %%
typed = frame.with_columns(pl.col("t").str.to_date(), pl.col("k").cast(pl.Categorical))
typed.schema
# %%
plan = typed.lazy().group_by("k").agg(pl.col("v").sum()).sort("k")
summed = plan.collect()
summed.rows()
# %%
joined = typed.join(summed, on="k", suffix="_total")
joined.height
# %%
wide = frame.pivot(on="k", index="t", values="v")
wide.columns
# %%
from pathlib import Path
Path("frame.csv").write_text(frame.write_csv())
back = pl.read_csv("frame.csv")
back.equals(frame)
