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
# # Choosing k for a budget
#
# **What you will learn.** How to read off, for a model of yours, how much a larger sample buys and what it costs, with exact gaps in
# place of a rule of thumb; and that more is not always better.

# %%
import time
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np

import mfverify as mfv
from mfverify.subsample_mfq.learning import mean_field_table_size

# %% [markdown]
# ## Two tasks
#
# Exploration (hazards in two corners of a 2 x 2 grid, on which the box delays no agent, and the equipment at its centre) and the announced
# form of the Gaussian squeeze: the paper's two experiments as models inside its assumptions, with eight agents.

# %%
n = 8
tasks = {"exploration": mfv.models.exploration(), "squeeze": mfv.models.squeeze()}
results = {}
for name, model in tasks.items():
    best = mfv.optimal_value(model, n)
    mfv.learn(model, 1)  # compiles what has to be compiled
    rows = []
    for k in range(1, n + 1):
        start = time.perf_counter()
        learned = mfv.learn(model, k)
        seconds = time.perf_counter() - start
        gap = best - mfv.execution_value(model, n, learned)
        rows.append((k, gap.max(), float(np.mean(gap.midpoint)), mean_field_table_size(model, k), seconds))
    results[name] = rows
    print(name)
    for k, worst, mean, entries, seconds in rows:
        print(f"  k = {k}: largest gap in {worst}, mean over starts {mean:.4f}, table {entries:>9} entries, learned in {seconds:.2f} s")

# %%
fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
for name, rows in results.items():
    axes[0].plot([r[0] for r in rows], [max(float(r[1].upper), 1e-12) for r in rows], "o-", label=f"{name}, worst start")
    axes[1].plot([r[3] for r in rows], [max(r[2], 1e-12) for r in rows], "o-", label=f"{name}, mean over starts")
axes[0].set(xlabel="k, agents sampled", ylabel="gap", title="What a sample buys (no gap at k = n)", yscale="log", ylim=(1e-3, 20))
axes[1].set(xlabel="entries of the table", ylabel="gap", title="What it costs", xscale="log", yscale="log", ylim=(1e-3, 20))
for ax in axes:
    ax.legend()
plt.show()

# %% [markdown]
# ## The smallest k for a gap that you accept
#
# With exact gaps this is a look-up. It need not be a threshold: where the gap is not monotone in k (claim P4), a larger sample can
# be worse.


# %%
def smallest(rows, accepted):
    """First k whose certified largest gap is at most ``accepted``; None where no k below n is."""
    return next((k for k, worst, *_ in rows if worst.upper <= accepted and k < n), None)


for name, rows in results.items():
    rt = tasks[name].rt / (1 - tasks[name].discount)
    for share in (0.5, 0.1, 0.05):
        print(f"{name}: gap at most {share:.0%} of rt/(1-gamma): k =", smallest(rows, share * float(rt)))
    worse = [k for (k, a, *_), (_, b, *_) in pairwise(rows) if b.lower > a.upper]
    print(f"{name}: certified to be worse with one more sample at k =", worse)
