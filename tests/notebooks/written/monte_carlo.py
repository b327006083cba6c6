# %%
import random
import numpy as np
rng = np.random.default_rng(1)
random.seed(3)
# %%
walk = np.zeros(50)
for step in range(1, 50):
    walk[step] = walk[step - 1] + rng.choice([-1, 1])
walk[-1]
# %%
view = walk[10:20]
view *= 2
walk.sum()
# %%
grid = rng.random((4, 4))
mask = grid > 0.5
grid[mask] = 0
grid.round(2)
# %%
samples = [rng.integers(0, 6, size=3).tolist() for _ in range(4)]
samples.append([random.randint(0, 5) for _ in range(3)])
samples
# %%
inside = sum(rng.random() ** 2 + rng.random() ** 2 < 1 for _ in range(500))
estimate = 4 * inside / 500
print(f"{estimate:.3f}")
# %%
state = rng.bit_generator.state["state"]["state"] % 1000
state
