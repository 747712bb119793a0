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
# **What you will learn.** How fast the exact gap of SUBSAMPLE-MFQ falls in $k$ on classes of models, for independent and for shared draws:
# like a power of $k$, at once, or not at all. The rates are fitted to exact values, so that the uncertainty of a fitted exponent is about
# the fit and not about noise. (The paper's open question on lower bounds.)

# %%
import math

import matplotlib.pyplot as plt
import numpy as np

import mfverify as mfv

# %% [markdown]
# ## Model classes
#
# - *coordination*: the global agent and all others have to meet; the population stays where the coins fall;
# - *redrawn types*: the same, with everybody's side redrawn in every other step, so that no start is safe;
# - *smooth*: the patrol model, in which sites have to be watched and one decision more or less hardly matters;
# - *coupled*: a random model with near-deterministic moves;
# - *no global choice*: $|\mathcal A_g| = 1$, where the gap is zero for every $k$ (claim R5).

# %%
plan = {
    "coordination": (mfv.models.coordination(), 400, (1, 3, 7, 15, 31, 63, 127)),
    "redrawn types": (mfv.models.redrawn(), 400, (1, 3, 7, 15, 31, 63, 127)),
    "smooth (patrol)": (mfv.models.patrol(), 12, (1, 2, 3, 4, 6, 8)),
    "coupled": (mfv.models.random_coupled(16), 100, (1, 3, 7, 15, 31, 63)),
    "no global choice": (mfv.models.random_coupled(0, 2, 2, 2, 1), 100, (1, 3, 7, 15, 31)),
}
ways = ("independent", "shared")
gaps = {}
for name, (model, n, ks) in plan.items():
    best = mfv.optimal_value(model, n)
    for way in ways:
        gaps[name, way] = [(best - mfv.execution_value(model, n, mfv.learn(model, k), way)).max() for k in ks]

# %% [markdown]
# ## Fitted exponents
#
# Least squares of $\log$ gap on $\log k$, over the gaps that are certainly positive; the interval is two standard errors of the
# fit. It says how well a power law fits over this range of $k$, nothing beyond.


# %%
def fitted(ks, values):
    """Exponent and two standard errors; None where fewer than three gaps are certainly positive."""
    points = [(math.log(k), math.log(float(v.midpoint))) for k, v in zip(ks, values, strict=True) if v.lower > 10**-9]
    if len(points) < 3:
        return None
    x, y = np.array(points).T
    slope, intercept = np.polyfit(x, y, 1)
    left = y - slope * x - intercept
    return slope, 2 * math.sqrt(left @ left / (len(x) - 2) / ((x - x.mean()) @ (x - x.mean())))


for name, (_, n, ks) in plan.items():
    for way in ways:
        fit = fitted(ks, gaps[name, way])
        ends = f"from {float(gaps[name, way][0].midpoint):.3g} to {float(gaps[name, way][-1].midpoint):.3g}"
        print(f"{name:16} n = {n:3} {way:12} {ends:27}", "no positive gap" if fit is None else f"k^({fit[0]:.2f} +- {fit[1]:.2f})")

# %%
fig, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained", sharey=True)
for ax, way in zip(axes, ways, strict=True):
    for name, (_, _, ks) in plan.items():
        ax.plot(ks, [max(float(v.upper), 1e-12) for v in gaps[name, way]], "o-", label=name)
    ks = np.array([1, 127])
    ax.plot(ks, 0.5 / np.sqrt(ks), "k:", label="order 1/sqrt(k)")
    ax.set(xlabel="k, agents sampled", xscale="log", yscale="log", title=f"{way} draws")
axes[0].set_ylabel("largest gap (upper end)")
axes[0].legend(fontsize=8)
plt.show()

# %% [markdown]
# ## One page of it
#
# - **No decay.** Independent draws where agents have to agree. On redrawn types the gap stays above a constant from *every* start, and in the
#   limit of large $n$ the constant is known in closed form (`mfverify/models/redrawn.py`).
# - **About $1/k$.** The same models under one shared draw. A sample's majority is wrong only where the population's is narrow, and there it
#   costs little: the chance to be wrong and the price of it shrink together. Faster than the
#   $1/\sqrt k$ that claim R4 guarantees.
# - **In between.** On the coupled and the patrol model both ways of drawing fall, by fitted powers between $-0.7$ and $-1.3$.
# - **Zero, or not.** Without a global choice the agents' problems separate: with independent draws a sample of one is as good as all.
#   Copying somebody else's action is then a mistake, and the shared draw pays for it until k is large. Sharing is no free lunch.

# %%
constant = gaps["redrawn types", "independent"][-1].lower
print("redrawn types, independent draws, k = 127: gap at least", float(constant))
assert constant > gaps["redrawn types", "independent"][0].upper / 3
assert gaps["coordination", "shared"][-1].upper < gaps["coordination", "shared"][0].lower / 5
assert all(abs(v.midpoint) < 10**-6 for v in gaps["no global choice", "independent"])
