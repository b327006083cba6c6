# %%
import sqlite3
import duckdb
import pandas as pd
orders = pd.DataFrame({"id": [1, 2, 3], "who": ["ann", "bob", "ann"], "total": [10.0, 20.0, 5.5]})
# %%
top = duckdb.sql("SELECT who, sum(total) AS spent FROM orders GROUP BY who ORDER BY who").df()
top
# %%
limit = 8
big = orders.query("total > @limit")
len(big)
# %%
database = sqlite3.connect(":memory:")
orders.to_sql("orders", database, index=False)
rows = database.execute("SELECT who, count(*) FROM orders GROUP BY who").fetchall()
rows
# %%
orders.loc[len(orders)] = [4, "cid", 1.0]
again = duckdb.sql("SELECT count(*) FROM orders").fetchall()
again
# %%
totals = dict(duckdb.sql("SELECT who, sum(total) FROM orders GROUP BY who ORDER BY who").fetchall())
sorted(totals.items())
