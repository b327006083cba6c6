# %%
import numpy as np
import pandas as pd
# %%
index = pd.date_range("2026-01-01", periods=96, freq="h", tz="Europe/Berlin")
load = pd.Series(10 + np.sin(np.arange(96) / 24 * 2 * np.pi), index=index, name="load")
load.iloc[:2]
# %%
load[10:14] = np.nan
gaps = load.isna().sum()
filled = load.interpolate()
print("gaps", gaps)
# %%
daily = filled.resample("D").agg(["mean", "max"])
daily.round(3)
# %%
shifted = pd.DataFrame({"now": filled, "before": filled.shift(24)}).dropna()
slope, intercept = np.polyfit(shifted.before, shifted.now, 1)
round(float(slope), 6)
# %%
filled += 1
filled.attrs["unit"] = "MW"
# %%
weekly = filled.rolling("6h").mean().tz_convert("UTC")
weekly.index[0]
