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
# # Maps of where a claim fails
#
# **What you will learn.** On which part of a plane of parameters a claim holds, is vacuous, or is violated, with a certified verdict at every
# point; and what a command for it looks like.

# %%
import mfverify as mfv

# %% [markdown]
# ## Theorem 4.2 over the discount and k
#
# The coordination model with 31 agents. Where the bound exceeds `2 rt/(1-gamma)` no value has to be computed: the claim holds vacuously. The same on the
# command line: `mfverify map T1 --model models:coordination --over discount=1/10..9/10:9 --over k=1..30 --agents 31 --out map.svg`.

# %%
plane = {"n": [31], "discount": "1/10..9/10:9", "k": "1:30"}
theorem = mfv.sweep("T1", "coordination", plane, verdicts=True, workers=1)
print(theorem)
theorem

# %% [markdown]
# The violations lie at k = n - 1 and in the middle of the discounts: a small discount makes all agents' later losses small, a large one makes
# the bound vacuous.
#
# ## The weaker reading, T1b
#
# With the logarithm outside the root the bound is larger, and with 31 agents no point is violated; that takes about 74 (its certificate).

# %%
weaker = mfv.sweep("T1b", "coordination", plane, verdicts=True, workers=1)
print(weaker)
weaker

# %% [markdown]
# ## A lemma about two sizes, L2
#
# The values of k and n agents are compared, exactly. On the absorbing lottery the lemma fails for most pairs of sizes.

# %%
sizes = mfv.sweep("L2", "absorbing", {"n": "2:5", "k": "1:4"}, verdicts=True, workers=1)
print(sizes)
sizes

# %% [markdown]
# ## A tail bound of a sample, C2
#
# No model: populations of n agents, divided evenly over as many classes as the second axis says, and samples of three. It fails where every agent has a
# class of its own.

# %%
tails = mfv.sweep("C2", None, {"n": "2:12", "classes": "2:8", "k": [3]}, verdicts=True, workers=1)
print(tails)
tails

# %% [markdown]
# ## The repaired bound, R4
#
# With one draw for all agents. The price of moving, eta, is the other axis.

# %%
repaired = mfv.sweep("R4", "coordination", {"n": [16], "eta": "0..1:5", "k": "1:15:2"}, verdicts=True, workers=1)
print(repaired)
assert repaired.verdicts["violated"] == 0
repaired
