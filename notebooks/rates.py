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
# # Which structure gives which rate?
#
# **What you will learn.** How fast the exact gap of SUBSAMPLE-MFQ falls in $k$ on classes of models, for six ways of drawing: exponentially, like
# $1/k$, like $1/\sqrt k$, at once, or not at all (the paper's open question on lower bounds). The rates are fitted to exact values: the
# interval of a fitted exponent is about the fit and not about noise.

# %%
import math
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import Markdown

import mfverify as mfv

# %% [markdown]
# ## Model classes
#
# - *coordination*: the global agent and all others have to meet; from the worst start (as many on either side) and, *clear majority*, from a
#   start with three quarters on one side;
# - *redrawn types*: the same, with the side of every agent redrawn by a fair coin in every other step, so that no start is safe;
# - *anti-coordination*: agents in the same state should act differently (the splitting lottery: two gamblers cancel each other half of the time);
# - *smooth*: the patrol model, in which sites have to be watched and a single decision matters little;
# - *coupled*: a random model with near-deterministic moves;
# - *count-independent*: the same with a bonus on one global action, so that what is best for the global agent does not depend on the counts.

# %%
coupled = mfv.models.random_coupled(16)
bonus = replace(coupled, global_reward=coupled.global_reward * 0 + [[0, 8], [0, 8]])
many, some = (1, 3, 7, 15, 31, 63), (1, 2, 3, 4, 5, 7)
plan = {
    "coordination": (mfv.models.coordination(), 200, many, None),
    "clear majority": (mfv.models.coordination(), 200, many, (0, 50)),
    "redrawn types": (mfv.models.redrawn(), 200, many, None),
    "anti-coordination": (mfv.models.splitting(), 14, (1, 2, 3, 4, 5, 7, 14), None),
    "smooth": (mfv.models.patrol(), 14, some, None),
    "coupled": (coupled, 100, many, None),
    "count-independent": (bonus, 100, many, None),
}
ways = ("independent", "with-replacement", "shared-list", "shared", "stratified", "fixed")
gaps = {}
for name, (model, n, ks, start) in plan.items():
    best = mfv.optimal_value(model, n)
    policies = [mfv.learn(model, k) for k in ks]
    for way in ways:
        found = [best - mfv.execution_value(model, n, learned, way) for learned in policies]
        gaps[name, way] = [gap.max() if start is None else gap[start] for gap in found]

# %% [markdown]
# Standing *apart* from the global agent is not a separate class: with the global agent's places renamed it is coordination, gap for gap.

# %%
meet = mfv.models.coordination()
apart = replace(meet, local_reward=meet.local_reward[:, ::-1], name="apart")
n, k = 50, 7
pair = [(mfv.optimal_value(m, n) - mfv.execution_value(m, n, mfv.learn(m, k))).max() for m in (meet, apart)]
print("meet:", pair[0])
print("apart:", pair[1])
assert pair[0].lower <= pair[1].upper and pair[1].lower <= pair[0].upper

# %% [markdown]
# ## Fitted rates
#
# Least squares of $\log$ gap on $\log k$ (a power) and on $k$ (an exponential), over the gaps that are certainly positive and $k \le n/2$ (close
# to n every sample is nearly the population); the fit with the smaller residual is shown, with two standard errors. It says what describes
# this range of $k$, nothing beyond. *No decay* means a power above $-0.1$; *zero* that no gap is certainly above $10^{-9}$; *few* that fewer
# than four are.


# %%
def line(x, y):
    """Slope of a least-squares line, two standard errors, and the sum of squared residuals."""
    slope, intercept = np.polyfit(x, y, 1)
    left = y - slope * x - intercept
    return slope, 2 * math.sqrt(left @ left / (len(x) - 2) / ((x - x.mean()) @ (x - x.mean()))), left @ left


def rate(n, ks, values):
    """The better of two fits, in words."""
    points = [(k, math.log(float(v.midpoint))) for k, v in zip(ks, values, strict=True) if v.lower > 10**-9 and 2 * k <= n]
    if not points:
        return "zero"
    if len(points) < 4:
        return f"few: {float(values[0].midpoint):.2g}, then 0 from k = {ks[len(points)]}"
    k, y = np.array(points, dtype=float).T
    power, exponential = line(np.log(k), y), line(k, y)
    if power[0] > -0.1:
        return f"no decay ({math.exp(y[0]):.2f} to {math.exp(y[-1]):.2f})"
    if power[2] <= exponential[2]:
        return f"$k^{{{power[0]:.2f} \\pm {power[1]:.2f}}}$"
    return f"$e^{{({exponential[0]:.2f} \\pm {exponential[1]:.2f}) k}}$"


table = ["| class | " + " | ".join(ways) + " |", "|---" * (len(ways) + 1) + "|"]
for name, (_, n, ks, _) in plan.items():
    table.append(f"| {name}, n = {n} | " + " | ".join(rate(n, ks, gaps[name, way]) for way in ways) + " |")
Markdown("\n".join(table))

# %%
fig, axes = plt.subplots(2, 3, figsize=(13, 8), layout="constrained", sharey=True)
for ax, way in zip(axes.flat, ways, strict=True):
    for name, (_, _, ks, _) in plan.items():
        ax.plot(
            ks,
            [max(float(v.upper), 1e-12) for v in gaps[name, way]],
            "o-",
            markersize=4,
            label=name + " (zero: below)" * (name == "count-independent"),
        )
    reference = np.array([1, 63])
    ax.plot(reference, 0.5 / np.sqrt(reference), "k:", label="order 1/sqrt(k)")
    ax.plot(reference, 0.5 / reference, "k--", linewidth=1, label="order 1/k")
    ax.set(xscale="log", yscale="log", ylim=(1e-6, 5), title=f"{way} draws")
for ax in axes[:, 0]:
    ax.set_ylabel("largest gap (upper end)")
for ax in axes[1]:
    ax.set_xlabel("k, agents sampled")
axes[0, 0].legend(fontsize=7, loc="lower left")
plt.show()

# %% [markdown]
# ## One page of it
#
# - **No decay**: *agents have to agree, and each draws alone* (coordination from balanced starts, redrawn types). The majority of a balanced
#   population's sample is a coin, and each agent tosses its own. On redrawn types no start is safe, and the limit of the gap for large n is known
#   in closed form (`mfverify/models/redrawn.py`).
# - **Not to zero**: *agents in one state should act differently* (anti-coordination), under the paper's rule that all agents in a state play the
#   smallest action the joint plan has for it. Even k = n leaves a gap with independent draws; dealing the plan out to the members of one
#   shared sample removes it.
# - **About $1/\sqrt k$**: *agreement, one shared list, each agent substitutes itself.* All see nearly the same sample; those whose own entry tips the
#   balance disagree, and a sample is that close to balance with probability of order $1/\sqrt k$.
# - **About $1/k$**: *agreement, one shared subset, the others copy.* A wrong majority is rare *and* cheap: the chance to be wrong and the price of
#   it shrink together. Faster than the $1/\sqrt k$ that claim R4 guarantees.
# - **Exponential**: *the optimum changes only at a threshold, and the population is away from it* (clear majority). The chance that a sample is on
#   the wrong side falls exponentially in k; stratified draws make it zero at once.
# - **Zero**: *what is best for the global agent does not depend on the counts*, or it has no choice (claim R5). The agents' problems separate: a
#   sample of one is as good as all.
#
# In between, the smooth and the coupled model fall by powers around $-1$ with most ways of drawing, because their optimum changes little by
# little. Sharing has a price: on the smooth model copying the action of another agent is a mistake, and a shared draw starts much worse.

# %%
redrawn = gaps["redrawn types", "independent"]
print("redrawn types, independent draws, k = 63: gap at least", float(redrawn[-1].lower))
assert redrawn[-1].lower > redrawn[0].upper * 9 / 10
print("anti-coordination, all agents sampled, independent draws: gap at least", float(gaps["anti-coordination", "independent"][-1].lower))
assert gaps["anti-coordination", "independent"][-1].lower > 0.02 > gaps["anti-coordination", "shared"][-1].upper
assert gaps["coordination", "shared"][-1].upper < gaps["coordination", "shared"][0].lower / 40
assert gaps["clear majority", "independent"][-1].upper < 10**-6
assert all(abs(v.midpoint) < 10**-9 for way in ways for v in gaps["count-independent", way])
assert gaps["smooth", "shared"][0].lower > 5 * gaps["smooth", "independent"][0].upper
