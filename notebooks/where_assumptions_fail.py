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
# # Where the assumptions fail, and how it looks
#
# **What you will learn.** Four ways in which subsampling disappoints, each with the signature by which you recognise it: a gap that
# stops falling in $k$; a bound that says nothing; learning that becomes too expensive; a Bellman error that does not shrink. And what
# happens on systems that are outside the paper's model altogether.

# %%
import matplotlib.pyplot as plt
import numpy as np

import mfverify as mfv
from mfverify.claims import vacuity
from mfverify.extensions.exchangeable import (
    ExchangeableSystem,
    average_squeeze,
    execution_value_exchangeable,
    learn_exchangeable,
)
from mfverify.subsample_mfq.learning import bellman_noise, mean_field_table_size, standard_table_size

# %% [markdown]
# ## 1. A plateau in k
#
# On the coordination model agents have to agree on a side. With independent draws they toss their coins one by one. The gap falls in $k$
# only where the population is so unbalanced that every sample sees the same majority; from the balanced start it stays.

# %%
model, n = mfv.models.coordination(), 200
best = mfv.optimal_value(model, n)
ks = [1, 3, 11, 25, 51, 101, 151, 199]
balanced, uneven = n // 2, 3 * n // 4
curves = {"100 : 100": [], "150 : 50": []}
for k in ks:
    gap = best - mfv.execution_value(model, n, mfv.learn(model, k))
    curves["100 : 100"].append(gap[0, balanced].upper)
    curves["150 : 50"].append(max(gap[0, uneven].upper, 10**-12))
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
for label, values in curves.items():
    ax.plot(ks, [float(v) for v in values], "o-", label=f"start {label}")
ax.set(xlabel="k, agents sampled", ylabel="gap (upper end)", xscale="log", yscale="log", title=f"Coordination, n = {n}")
ax.legend()
plt.show()
assert curves["100 : 100"][-1] > curves["100 : 100"][0] / 3

# %% [markdown]
# ## 2. A bound that says nothing
#
# A bound on the gap that is larger than $2\tilde r/(1-\gamma)$ is true of every policy. The first $k$ at which each bound beats that:

# %%
for bound in vacuity.GAP_BOUNDS:
    for discount in vacuity.DISCOUNTS:
        first = [vacuity.threshold(bound, agents, discount).first for agents in vacuity.AGENTS]
        print(f"{bound.name:4} gamma = {discount!s:6}", dict(zip(vacuity.AGENTS, first, strict=True)))

# %% [markdown]
# 8 and 50 are the numbers of agents in the paper's experiments. With $\gamma = 0.9$ Theorem 4.2 is silent for 8 agents whatever $k$
# is (`None`), and for 50 agents until nearly everybody is sampled.
#
# ## 3. Learning that becomes too expensive
#
# The number of entries of the two tables of Algorithm 1 (claim S1) for the patrol model:

# %%
model = mfv.models.patrol()
ks = list(range(1, 31))
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(ks, [standard_table_size(model, k) for k in ks], label="standard table")
ax.plot(ks, [mean_field_table_size(model, k) for k in ks], label="mean-field table")
ax.set(xlabel="k", ylabel="entries", yscale="log", title="Size of what has to be learned")
ax.legend()
plt.show()

# %% [markdown]
# ## 4. A Bellman error that does not shrink
#
# With $m$ samples per state and action the learned values are off by $\epsilon_{k,m}$ (claims B6, N1). It falls like $1/\sqrt m$: ten
# times the accuracy costs a hundred times the samples.

# %%
model, k = mfv.models.random_coupled(4), 3
ms = [1, 4, 16, 64, 256]
noise = [[float(bellman_noise(mfv.learn(model, k, samples=m, seed=seed)).midpoint) for seed in range(5)] for m in ms]
slope = np.polyfit(np.log(ms), np.log(np.mean(noise, axis=1)), 1)[0]
print(f"fitted exponent in m: {slope:.2f}")
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(ms, noise, "o", color="tab:blue", alpha=0.4)
ax.plot(ms, np.mean(noise, axis=1), "-", label="mean over 5 seeds")
ax.set(xlabel="m, samples per (state, action)", ylabel="Bellman noise", xscale="log", yscale="log", title=f"{model.name}, k = {k}")
ax.legend()
plt.show()

# %% [markdown]
# ## 5. Outside the model: the Gaussian squeeze as it is stated
#
# The reward $\bar x\, e^{-(\bar x - \mu)^2/\sigma^2}$ of the *average* action $\bar x$ is not a sum over agents. Agents without a state all see
# the same sample, so all play the same action, even at $k = n$; but the optimum needs some of them at one level and some at another.

# %%
stateless = mfv.Model([[[1]]], [[[[1]] * 3]], [[0]], [[[0] * 3]], discount="1/2", name="stateless")
reward, n = average_squeeze(levels=3, mu="3/4"), 12
best = ExchangeableSystem(stateless, n, reward).enclosed_optimum()
for k in (1, 2, 6, 12):
    learned = learn_exchangeable(stateless, k, reward)
    played = execution_value_exchangeable(stateless, n, learned, reward)
    ((_, joint),) = [min(m.actions) for m in learned.choices.values()]
    print(
        f"k = {k:2}: optimum of k agents plays counts {joint}; gap with n = {n}: {float((best - played).exact.max()):.4f} of {float(best.exact.max()):.4f}"
    )

# %% [markdown]
# The claims of the catalogue say *not-applicable* there: what fails is an assumption, not a theorem.
