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
# # mfverify in ten minutes
#
# **What you will learn.** How to go from a model to a certified answer: load a model, enclose its optimal value, learn on a subsample,
# enclose what executing the learned policy earns, and ask whether a statement of the paper (arXiv 2412.00661) is true there.
#
# Every number below is an *enclosure*: two ends between which the true value of the rational model certainly lies, rounding included.

# %%
import matplotlib.pyplot as plt

import mfverify as mfv

# %% [markdown]
# ## A model is data
#
# Four arrays of rationals and a discount. The patrol model comes with the package, as a configuration in the format of the paper's
# authors: its transition functions are source text that is parsed, never executed, and every random branch becomes an exact probability.

# %%
model = mfv.models.patrol()
print("sizes |S_g|, |A_g|, |S_l|, |A_l|:", model.sizes)
print("reward bounds rt_g, rt_l:", model.rt_g, model.rt_l)
print("a resting site without a patrol moves by", [str(p) for p in model.local_kernel[0, 0, 0]])

# %% [markdown]
# ## The optimal value, three ways
#
# `lumped` uses that agents are exchangeable, `flat` does not (and serves as the referee for a few agents), `rational` is exact.

# %%
lumped = mfv.optimal_value(model, 3)
flat = mfv.optimal_value(model, 3, method="flat")
exact = mfv.optimal_value(model, 2, method="rational")
print("three agents, lumped:", lumped[0, 0])
print("three agents, flat:  ", flat[0, 0])
print("two agents, exactly: ", exact[0, 0].lower)
assert lumped.intersects(flat)

# %% [markdown]
# ## Learn with k agents, execute with n
#
# SUBSAMPLE-MFQ learns the system of k agents and lets each of n agents act on a random sample of k.

# %%
n = 8
best = mfv.optimal_value(model, n)
sizes = range(1, n + 1)
gaps = [(best - mfv.execution_value(model, n, mfv.learn(model, k))).max() for k in sizes]
for k, gap in zip(sizes, gaps, strict=True):
    print(f"k = {k}: largest gap {gap}")

# %% [markdown]
# ## Beside the theorem
#
# Theorem 4.2 bounds that gap. At these sizes its bound is larger than the trivial bound: the verdict is
# *vacuous*, which is a finding about the bound, not about the algorithm.

# %%
report = mfv.verify(["T1"], models=[model], workers=1)
instances = [i for i in report.claim("T1")["instances"] if i["agents"] == n]
print({i["label"]: i["verdict"] for i in instances})
trivial = 2 * model.rt / (1 - model.discount)

fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(sizes, [max(float(g.upper), 1e-13) for g in gaps], "o-", label="largest gap (upper end)")
ax.plot([i["subsample"] for i in instances], [i["bound"]["lower"] for i in instances], "s--", label="bound of Theorem 4.2")
ax.axhline(float(trivial), color="0.6", linestyle=":", label="trivial bound")
ax.set(xlabel="k, agents sampled", ylabel="V* - V", yscale="log", ylim=(1e-3, 1e4), title=f"Patrol, n = {n} (no gap at k = n)")
ax.legend()
plt.show()

# %% [markdown]
# ## Is it ever false?
#
# On the bundled models, yes: the catalogue registers Theorem 4.2, read literally, as refuted, with a certified violation. The notebook
# `counterexample_to_theorem_4_2` explains it step by step.

# %%
refuted = mfv.verify(["T1"], instance="coordination n=100 k=99", workers=1)
(instance,) = refuted.claim("T1")["instances"]
print(instance["verdict"], "gap in", instance["actual"], "bound in", instance["bound"])
assert instance["verdict"] == "violated"

# %% [markdown]
# ## Where to go from here
#
# - `mfverify claims` lists every statement that is checked, with the reading that is checked.
# - `lipschitz_across_sizes`, `concentration_without_replacement` and `where_assumptions_fail` explain single steps of the argument.
# - `your_own_claim` shows how to put a bound of yours to the test, `authors_configuration` how to certify a configuration file.
