# %%
import io
import pandas as pd
import matplotlib.pyplot as plt
CSV = """day,region,product,units,price
2026-01-01,north,tea,10,2.5
2026-01-01,south,tea,4,2.5
2026-01-02,north,coffee,7,4.0
2026-01-03,south,coffee,,4.2
2026-01-05,north,tea,12,2.6
2026-01-06,south,tea,9,2.6
"""
# %%
sales = pd.read_csv(io.StringIO(CSV), parse_dates=["day"])
sales.head(3)
# %%
sales["units"] = sales["units"].fillna(0).astype(int)
sales["revenue"] = sales.units * sales.price
sales.dtypes
# %%
by_region = sales.groupby(["region", "product"], as_index=False)["revenue"].sum()
by_region
# %%
wide = sales.pivot_table(index="day", columns="product", values="revenue", aggfunc="sum", fill_value=0)
wide.columns.name = None
best = wide.sum().idxmax()
print("best seller:", best)
# %%
figure, axes = plt.subplots(figsize=(3, 2))
wide.plot(ax=axes)
axes.set_title(f"{len(wide)} days");
# %%
sales.query("units > 5").sort_values("revenue", ascending=False)
# %%
for region, part in sales.groupby("region"):
    print(f"{region:>6}: {part.revenue.sum():8.2f}")
del part
