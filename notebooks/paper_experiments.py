# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The paper's two experiments, with exact values
#
# **What you will learn.** The paper shows Gaussian squeeze and constrained exploration with 8 and 50 agents, rewards from sampled
# episodes. Here are both tasks, written inside the paper's model (`mfverify/models/squeeze.py`, `exploration.py`), with the *exact* gap and
# reward against k, simulated rewards with confidence intervals beside them, and the computing time of learning against k. Sizes of
# boxes and rewards are ours, so compare shapes with the paper's figures, not numbers.

# %%
import time

import matplotlib.pyplot as plt
import numpy as np

import mfverify as mfv
from mfverify import counts
from mfverify.models.squeeze import distance_from_squeeze

# %% [markdown]
# ## Gap and reward against k
#
# The last k is n: mean-field value iteration on everybody, where nothing is sampled away. The start is the one from which learning on one
# agent loses most. Simulated: 1000 episodes (300 for n = 50), empirical Bernstein intervals at 99 %, which contain the exact value.

# %%
tasks = {
    "squeeze, n = 8": (mfv.models.squeeze(), 8, (1, 2, 3, 4, 5, 6, 7, 8)),
    "exploration 2x2, n = 8": (mfv.models.exploration(), 8, (1, 2, 3, 4, 5, 6, 7, 8)),
    "squeeze, n = 50": (mfv.models.squeeze(), 50, (1, 2, 5, 10, 20, 35, 50)),
    "exploration 3x3, n = 4": (mfv.models.exploration(3), 4, (1, 2, 3, 4)),
}
results = {}
missed = 0
for name, (model, n, ks) in tasks.items():
    best = mfv.optimal_value(model, n)
    mfv.learn(model, 1)  # compiles what has to be compiled
    rows = []
    start = None
    for k in ks:
        began = time.perf_counter()
        learned = mfv.learn(model, k)
        seconds = time.perf_counter() - began
        value = mfv.execution_value(model, n, learned)
        gap = best - value
        if start is None:
            g, c = np.unravel_index(int(gap.lower.argmax()), gap.shape)
            start = int(g), tuple(int(x) for x in counts.count_vectors(n, model.sizes[2])[c])
        found = mfv.simulate(model, n, learned, start, episodes=1000 if n < 10 else 300, seed=k)
        exact = value[g, c]
        missed += not found.lower <= exact.lower <= exact.upper <= found.upper
        rows.append((k, gap.max(), exact, found, seconds))
    results[name] = rows
    print(f"{name}: optimum {float(best[g, c].midpoint):.4f} from s_g = {start[0]}, counts {start[1]}")
    for k, worst, exact, found, seconds in rows:
        print(
            f"  k = {k:2}: largest gap {float(worst.upper):7.4f}   reward {float(exact.midpoint):8.4f}"
            f"   simulated {found.mean:8.4f} in [{found.lower:8.4f}, {found.upper:8.4f}]   learned in {seconds:.3f} s"
        )
print("intervals that miss the exact value:", missed, "of", sum(len(rows) for rows in results.values()))

# %%
fig, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
for ax, (name, rows) in zip(axes.flat, results.items(), strict=True):
    ks = [row[0] for row in rows]
    ax.plot(ks, [float(row[2].midpoint) for row in rows], "o-", label="exact reward")
    centres = [row[3].mean for row in rows]
    ax.errorbar(
        ks,
        centres,
        yerr=[[row[3].mean - row[3].lower for row in rows], [row[3].upper - row[3].mean for row in rows]],
        fmt="s",
        markersize=3,
        capsize=3,
        alpha=0.7,
        label="simulated, 99 %",
    )
    ax.set(xlabel="k, agents sampled", ylabel="discounted reward", title=name)
    ax.legend(fontsize=8)
plt.show()

# %% [markdown]
# The error bars of sampled episodes hide what the exact values show: that the reward need not rise with every k.
#
# ## Computing time against k
#
# Learning is polynomial in k (Remark 4.8). The fitted exponents are over the range shown, where fixed costs still count:

# %%
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for name, rows in results.items():
    ks, seconds = [row[0] for row in rows], [row[4] for row in rows]
    upper = len(ks) // 2
    slope = np.polyfit(np.log(ks[upper:]), np.log(seconds[upper:]), 1)[0]
    print(f"{name}: time grows like k^{slope:.1f} over k = {ks[upper]} .. {ks[-1]}")
    ax.plot(ks, seconds, "o-", label=name)
ax.set(xlabel="k", ylabel="seconds to learn", xscale="log", yscale="log")
ax.legend(fontsize=8)
plt.show()

# %% [markdown]
# ## More agents, more cells
#
# Moves are deterministic, so the best joint action is found by a max-plus recursion over one agent after another
# (`mfverify/bellman/transport.py`) in place of listing the joint actions. Nine cells and eight agents are 115 830 states with up to
# 10^8 joint actions each:

# %%
began = time.perf_counter()
large = mfv.optimal_value(mfv.models.exploration(3), 8)
print(
    f"exploration 3x3, n = 8: {large.shape[0] * large.shape[1]} states, width {large.width.max():.1e}, {time.perf_counter() - began:.1f} s"
)

# %% [markdown]
# Executing there is out of reach of the exact solver, so it is simulated, and so are 50 agents on four cells:

# %%
for model, n, k, start in (
    (mfv.models.exploration(3), 8, 3, (0, (4, 0, 0, 0, 0, 0, 0, 0, 4))),
    (mfv.models.exploration(), 50, 5, (0, (25, 0, 0, 25))),
):
    found = mfv.simulate(model, n, mfv.learn(model, k), start, episodes=60, seed=0)
    print(f"{model.name}, n = {n}, k = {k}: reward in [{found.lower:.3f}, {found.upper:.3f}] at 99 %")

# %% [markdown]
# ## How faithful is the additive squeeze?
#
# As it is stated, the squeeze rewards the true average; inside the paper's model an agent is rewarded by the *announced* level. Where
# everybody plays what is announced the two agree; the largest difference over all populations and announcements:

# %%
for n in (8, 50):
    print(f"n = {n}: {float(distance_from_squeeze(3, n)):.4f}")
