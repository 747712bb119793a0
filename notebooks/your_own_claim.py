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
# # Put a claim of your own to the test
#
# **What you will learn.** How to write a statement about subsampling as a claim: two certified sides, the instances on which it is
# checked, and a sabotaged twin that the same check has to catch. The claim then gets verdicts and a section in the report like ours.
#
# The statement: *where only the global agent acts* ($|\mathcal A_l| = 1$, the setting of arXiv 2403.00222), *one sampled agent is already
# enough.* It sounds too good, and the point of this notebook is to see the tool say so.

# %%
from fractions import Fraction

import matplotlib.pyplot as plt
import sympy as sp
from IPython.display import Math

import mfverify as mfv
from mfverify.papers.mean_field_sampling.gaps import gap_sides
from mfverify.theory.sabotage import by_factor
from mfverify.theory.symbols import gamma, k, rt_l

# %% [markdown]
# ## The right side, once
#
# A bound is a sympy expression in the paper's symbols. LaTeX, numbers and certified enclosures all come from it. First a modest claim,
# with a constant that we make up:

# %%
bound = mfv.Bound(
    name="Y1",
    expression=2 * rt_l / (1 - gamma) ** 2 / sp.sqrt(k),
    source="this notebook",
    reading="the constant is made up",
)
Math(bound.latex)

# %% [markdown]
# ## The left side, the instances, the control


# %%
def sides(case):
    """Certified gap of the executed policy, and the bound."""
    return gap_sides(bound, "independent", case)


def instances(profile, given):
    """Models in which local agents have one action."""
    chosen = given or [mfv.models.absorbing(), *(mfv.models.random_coupled(seed, 2, 1, 2, 2, "1/2") for seed in range(4))]
    return [mfv.Subsampled(m, 16, size) for m in chosen for size in (1, 2, 4, 8, 12, 15)]


claim = mfv.Claim(
    id="Y1",
    title="Only the global agent acts",
    statement=rf"If $|\mathcal A_l| = 1$: $V^*(s_0) - V^{{\pi_k}}(s_0) \le {bound.latex}$",
    source=bound.source,
    reading=bound.reading,
    assumptions=("|A_l| = 1", "exact operator"),
    registered=mfv.Status.CORROBORATED,
    sides=sides,
    instances=instances,
    control=mfv.Control("the bound is divided by 500", right=by_factor(Fraction(1, 500))),
)
report = mfv.verify(claims=[claim], workers=1)
found = report.claim("Y1")
print(found["status"], {v: sum(i["verdict"] == v for i in found["instances"]) for v in ("holds", "violated", "vacuous")})
assert found["status"] == "corroborated"

# %% [markdown]
# *Corroborated*: it holds on these instances, and on some of them it is not vacuous. It is not called proved.
#
# ## The control has to fail
#
# A check that cannot say *violated* is worth nothing.

# %%
from dataclasses import replace

sabotaged = replace(claim, id="Y1-sabotaged", sides=claim.sabotaged)
print(mfv.verify(claims=[sabotaged], workers=1).claim("Y1-sabotaged")["status"])
assert mfv.verify(claims=[sabotaged], workers=1).claim("Y1-sabotaged")["status"] == "refuted"

# %% [markdown]
# ## Too good to be true
#
# Now the bold statement: the gap is zero for every $k \ge 1$.


# %%
def bold_sides(case):
    outcome = sides(case)
    return mfv.Sides(outcome.left, mfv.Interval.exactly(Fraction(1, 10**9)), outcome.trivial, outcome.details)


bold = replace(claim, id="Y2", title="One sample is enough", statement="$V^{\\pi_k} \\ge V^* - 10^{-9}$ for all $k$", sides=bold_sides)
found_bold = mfv.verify(claims=[bold], workers=1).claim("Y2")
violations = [i for i in found_bold["instances"] if i["verdict"] == "violated"]
print(found_bold["status"], "for example", violations[0]["label"], violations[0]["actual"])
assert found_bold["status"] == "refuted"

# %%
of_lottery = [i for i in found["instances"] if i["model"] == "absorbing"]
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot([i["subsample"] for i in of_lottery], [i["actual"]["upper"] for i in of_lottery], "o-", label="largest gap (upper end)")
ax.plot([i["subsample"] for i in of_lottery], [i["bound"]["lower"] for i in of_lottery], "s--", label="claimed bound (lower end)")
ax.set(xlabel="k, agents sampled", ylabel="V* - V", yscale="log", title="Absorbing lottery, n = 16")
ax.legend()
plt.show()
