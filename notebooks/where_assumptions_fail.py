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
# stops falling in $k$; a vacuous bound; learning that becomes too expensive; a Bellman error that does not shrink. And what
# happens on systems that are outside the paper's model altogether.

# %%
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np

import mfverify as mfv
from mfverify.bellman.sampled import SampledOperator
from mfverify.extensions.exchangeable import (
    ExchangeableSystem,
    average_squeeze,
    execution_value_exchangeable,
    learn_exchangeable,
)
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.lemma_4_3 import SAMPLES
from mfverify.papers.mean_field_sampling.symbols import symbol_values
from mfverify.subsample_mfq.learning import bellman_noise, mean_field_table_size, standard_table_size
from mfverify.theory import vacuity

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
ax.set(xlabel="k, agents sampled", ylabel="gap (upper end)", xscale="log", yscale="log", title=f"A plateau in k: coordination, n = {n}")
ax.legend()
plt.show()
assert curves["100 : 100"][-1] > curves["100 : 100"][0] / 3

# %% [markdown]
# ## 2. A vacuous bound
#
# A bound on the gap that is larger than $2\tilde r/(1-\gamma)$ is true of every policy. The first $k$ at which each bound beats that:

# %%
agents, discount = (8, 50, 1000), Fraction(9, 10)
gap_bounds = [claim.gap_bound for claim in CATALOGUE if claim.gap_bound is not None]
fig, axes = plt.subplots(1, 3, figsize=(12, 4), layout="constrained", sharey=True)
for ax, n in zip(axes, agents, strict=True):
    ks = sorted({int(k) for k in np.geomspace(1, n - 1, 25)})
    for i, bound in enumerate(gap_bounds):
        shares = [(k, vacuity.share_of_trivial(bound, n, k, discount)) for k in ks]
        known = [(k, float(share[0])) for k, share in shares if share is not None]
        ax.plot(*zip(*known, strict=True), "-" if i < 2 else "--", linewidth=4 if i < 2 else 2, label=bound.name)
    ax.axhspan(1, 1e3, color="tab:red", alpha=0.1)
    ax.set(xlabel="k, agents sampled", xscale="log", yscale="log", ylim=(0.1, 1e3), title=f"n = {n}, discount {discount}")
    ax.set_xticks([1, n // 8, n - 1], ["1", str(n // 8), str(n - 1)] if n > 8 else ["", "1", "7"])
    ax.minorticks_off()
axes[0].set_ylabel("bound / trivial bound (above 1 it is vacuous)")
axes[0].legend(fontsize=8, title="claim")
plt.show()

# %%
for bound in gap_bounds:
    for discount in vacuity.DISCOUNTS:
        first = [vacuity.threshold(bound, agents, discount).first for agents in vacuity.AGENTS]
        print(f"{bound.name:4} gamma = {discount!s:6}", dict(zip(vacuity.AGENTS, first, strict=True)))

# %% [markdown]
# 8 and 50 are the numbers of agents in the paper's experiments. With $\gamma = 0.9$ Theorem 4.2 is vacuous for 8 agents for every $k$
# (`None`), and for 50 agents until nearly all agents are sampled.
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
# Entries are one thing, samples another: for its guarantee Lemma 4.3 asks for this many samples of every entry (claim N1).

# %%
for k in (1, 3, 10):
    print(f"k = {k:2}: m* about {float(SAMPLES.enclose(symbol_values(model, 50, k)).midpoint):.1e} samples of each entry")

# %% [markdown]
# ## 4. A Bellman error that does not shrink
#
# Learning from m samples per state and action iterates the *empirical* operator. Its own residual shrinks by the factor $\gamma$ in every sweep, as
# a learner that watches its loss will see. The distance to the true values does not: it stops at the Bellman noise $\epsilon_{k,m}$ (claims B6,
# N1), and only more samples help, ten times the accuracy for a hundred times the samples.

# %%
model, k, sweeps = mfv.models.random_coupled(4), 3, 120
truth = mfv.learn(model, k).value.midpoint
fig, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
for m, colour in ((1, "tab:red"), (16, "tab:orange"), (256, "tab:blue")):
    operator = SampledOperator(model, k, m, np.random.default_rng(0))
    value = np.zeros(operator.shape)
    residual, distance = [], []
    for _sweep in range(sweeps):
        image = operator.apply(value)
        residual.append(np.abs(image - value).max())
        distance.append(np.abs(image - truth).max())
        value = image
    axes[0].plot(residual, "--", color=colour, linewidth=1)
    axes[0].plot(distance, "-", color=colour, label=f"m = {m}: distance to the truth ends at {distance[-1]:.3f}")
axes[0].plot([], [], "k--", linewidth=1, label="what the learner sees: its own residual")
axes[0].set(xlabel="sweeps", ylabel="largest error of the values", yscale="log", title=f"Learning by sampling, k = {k}")
ms = [1, 4, 16, 64, 256]
noise = [[float(bellman_noise(mfv.learn(model, k, samples=m, seed=seed)).midpoint) for seed in range(5)] for m in ms]
slope = np.polyfit(np.log(ms), np.log(np.mean(noise, axis=1)), 1)[0]
axes[1].plot(ms, noise, "o", color="tab:blue", alpha=0.4)
axes[1].plot(ms, np.mean(noise, axis=1), "-", label=f"mean over 5 seeds, about m^{slope:.2f}")
axes[1].set(xlabel="m, samples per (state, action)", ylabel="Bellman noise, certified", xscale="log", yscale="log", title="Where it ends")
for ax in axes:
    ax.legend(fontsize=8)
plt.show()
assert residual[-1] < distance[-1] / 100

# %% [markdown]
# ## 5. Outside the model: the Gaussian squeeze as it is stated
#
# The reward $\bar x\, e^{-(\bar x - \mu)^2/\sigma^2}$ of the *average* action $\bar x$ is not a sum over agents. Agents without a state all see
# the same sample, so all play the same action, even at $k = n$; but the optimum needs some of them at one level and some at another. From
# k = 2 on one total can be reached in several ways; the rule takes the smallest action that any best plan contains, which is 0, and then
# no agent does anything at all.

# %%
stateless = mfv.Model([[[1]]], [[[[1]] * 3]], [[0]], [[[0] * 3]], discount="1/2", name="stateless")
reward, n = average_squeeze(levels=3, mu="3/4"), 12
best = ExchangeableSystem(stateless, n, reward).enclosed_optimum()
squeeze_sizes, lost = (1, 2, 3, 4, 6, 8, 12), []
for k in squeeze_sizes:
    learned = learn_exchangeable(stateless, k, reward)
    played = execution_value_exchangeable(stateless, n, learned, reward)
    plans = [joint for m in learned.choices.values() for _, joint in m.actions]
    lost.append(float((best - played).exact.max() / best.exact.max()))
    print(f"k = {k:2}: {len(plans)} best plans, such as {plans[-1]}; with n = {n} the share {lost[-1]:.2f} of the optimum is lost")
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(squeeze_sizes, lost, "o-")
ax.set(
    xlabel="k, agents sampled",
    ylabel="share of the optimum that is lost",
    ylim=(0, None),
    title=f"Gaussian squeeze as stated, n = {n}: k = n does not help",
)
plt.show()
assert lost[-1] > 0.01

# %% [markdown]
# The claims of the catalogue say *not-applicable* there: what fails is an assumption, not a theorem.
