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
# # Theorem 4.2 reconstructed from Theorem D.2
#
# **What you will learn.** Where each term of the printed bound comes from, that the steps give *twice* its first term, and at which step the argument
# breaks on an instance. Each number below is a certified enclosure.
#
# The appendix was not at hand. This is a reconstruction: which steps give exactly the printed terms?

# %%
import matplotlib.pyplot as plt
import sympy as sp
from IPython.display import Markdown, Math

import mfverify as mfv
from mfverify.papers import CATALOGUE
from mfverify.papers.mean_field_sampling.symbols import A_g, A_l, S_l, Z, delta, eps_km, gamma, k, n, rt, symbol_values
from mfverify.papers.mean_field_sampling.theorem_4_2 import LOG_UNDER_ROOT, THEOREM_4_2, THEOREM_4_2_DOUBLED
from mfverify.papers.mean_field_sampling.total_variation_tail import TV_QUANTILE
from mfverify.theory.argument import Walk
from mfverify.theory.evaluate import enclose

# %% [markdown]
# ## The two ingredients
#
# Theorem D.2 (claim C3): with probability at least $1 - \delta$ the total variation between the state-action pairs of the sample and those of all agents
# is at most $t_\delta$. Theorem E.3: values have the slope $L = 2 \tilde r/(1-\gamma)$ in it.

# %%
Math(r"t_\delta = " + TV_QUANTILE.latex)

# %% [markdown]
# ## The probability of failure
#
# The joint action of the $k$ agents is one of at most $|\mathcal A_g| k^{|\mathcal A_l|}$. Choose $\delta$ so that a union bound over them, times the largest loss
# $2 \tilde r/(1-\gamma)^2$, is exactly the printed $1/(10 \sqrt k)$:

# %%
d = (1 - gamma) ** 2 / (20 * rt * A_g * k ** (A_l + sp.Rational(1, 2)))
union = 2 * rt / (1 - gamma) ** 2 * A_g * k**A_l * d
assert sp.simplify(union - 1 / (10 * sp.sqrt(k))) == 0

# %% [markdown]
# With this $\delta$ the argument $2|\mathcal Z_l|/\delta$ of the logarithm in $t_\delta$ is the printed one, so the logarithm stands under the root:

# %%
printed_logarithm = 40 * rt * S_l * A_l * A_g * k ** (A_l + sp.Rational(1, 2)) / (1 - gamma) ** 2
assert sp.simplify((2 * S_l * A_l / d) / printed_logarithm) == 1

# %% [markdown]
# ## The factor 2
#
# One step loses at most two brackets, $V^*_n - \mathbb E V^*_k$ and $\mathbb E V^*_k - \mathbb E Q^*_n$, each at most $L\, t_\delta$. The performance difference lemma divides by
# $1 - \gamma$. So the steps give $(2L/(1-\gamma))\, t_\delta$:

# %%
from_the_steps = 2 * (2 * rt / (1 - gamma)) / (1 - gamma) * TV_QUANTILE.expression.subs({Z: S_l * A_l, delta: d})
at = {S_l: 2, A_l: 2, A_g: 2, rt: sp.Rational(101, 100), gamma: sp.Rational(1, 2), n: 100, k: 99}
ratio = sp.simplify((from_the_steps / LOG_UNDER_ROOT).subs(at))
print("the steps give", ratio, "times the first term of Theorem 4.2")
assert ratio == 2

# %% [markdown]
# That is reading T1c. A sibling paper (arXiv 2603.03759, Theorem B.11) is described to carry $2 \tilde r/(1-\gamma)^2$; its constants were not read in the original.
#
# ## On an instance
#
# The coordination model with n = 200 agents, of which k = 199 are sampled:

# %%
model, agents, size = mfv.models.coordination(), 200, 199
values = symbol_values(model, agents, size)
numbers = {
    "probability of failure, delta": enclose(d, values),
    "Theorem D.2, t_delta": enclose(TV_QUANTILE.expression.subs({Z: S_l * A_l, delta: d}), values),
    "printed first term": enclose(LOG_UNDER_ROOT, values),
    "1/(10 sqrt(k))": enclose(union, values),
    "T1, as printed": THEOREM_4_2.enclose(dict(values) | {eps_km: 0}),
    "T1c, what the steps give": THEOREM_4_2_DOUBLED.enclose(dict(values) | {eps_km: 0}),
}
table = ["| quantity | certified |", "|---|---|", *(f"| {name} | {x} |" for name, x in numbers.items())]
Markdown("\n".join(table))

# %% [markdown]
# ## Line by line
#
# `mfverify explain` evaluates both sides of each step. On this instance the argument breaks where agents that draw their own samples are treated as if all
# had seen one; the lines after it hold.


# %%
def lines(claim_id, label):
    """The argument for a claim on one of its instances, as a table."""
    claim = CATALOGUE[claim_id]
    instance = next(one for one in claim.instances(mfv.Profile.QUICK, None) if one.label == label)
    walk = Walk(claim, instance, claim.argument(instance))
    shown = [f"| {i} | {x.step} | {x.left} | {x.right} | {x.verdict.value} |" for i, x in enumerate(walk.lines, start=1)]
    return walk, Markdown("\n".join(["| line | step | left | right | verdict |", "|---|---|---|---|---|", *shown, "", walk.conclusion]))


broken, shown = lines("T1", "coordination n=200 k=199")
assert broken.breaks == 2
shown

# %% [markdown]
# With the doubled first term, on the patrol model, every line holds:

# %%
whole, shown = lines("T1c", "patrol n=6 k=2")
assert whole.breaks is None and {line.verdict for line in whole.lines} == {mfv.Verdict.HOLDS}
shown

# %% [markdown]
# ## Neither reading holds
#
# Close to k = n the gap of independent draws stays large, while both bounds fall.

# %%
ks = (101, 126, 151, 176, 191, 199)
best = mfv.optimal_value(model, agents)
gaps = [(best - mfv.execution_value(model, agents, mfv.learn(model, size))).max() for size in ks]
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(ks, [float(gap.lower) for gap in gaps], "o-", label="gap, independent draws")
for bound, name in ((THEOREM_4_2, "T1, as printed"), (THEOREM_4_2_DOUBLED, "T1c, what the steps give")):
    ax.plot(ks, [float(bound.enclose(dict(symbol_values(model, agents, size)) | {eps_km: 0}).upper) for size in ks], "--", label=name)
ax.set(xlabel="k, agents sampled", title="Coordination, n = 200")
ax.legend()
plt.show()
assert gaps[-1].lower > numbers["T1c, what the steps give"].upper

# %% [markdown]
# What holds in place of these bounds is claim R4, for a shared draw: see `docs/mathematics/gap.md`.
