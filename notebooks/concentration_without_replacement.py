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
# # Concentration without replacement
#
# **What you will learn.** How far the empirical distribution of a uniform $k$-subset is from that of the population, exactly; that the
# tail bound holds for the largest deviation of a single class (claim C1); and what goes wrong when the same bound is used for the total
# variation distance (claim C2), which adds the deviations of all classes up.

# %%
from fractions import Fraction

import matplotlib.pyplot as plt

import mfverify as mfv
from mfverify import counts
from mfverify.papers.mean_field_sampling.dkw_without_replacement import SUP_NORM_TAIL, largest_deviation
from mfverify.papers.mean_field_sampling.tails import tail
from mfverify.papers.mean_field_sampling.total_variation_tail import TV_TAIL
from mfverify.papers.ours import symbols
from mfverify.papers.ours.total_variation_by_sets import TV_MEAN, TV_TAIL_BY_SETS

# %% [markdown]
# ## The law of a sample
#
# A population of $n$ agents is a count vector; the counts of a uniform $k$-subset have a multivariate hypergeometric law. Nothing is
# simulated: every probability is a fraction.

# %%
population, k = (2, 1, 1), 2
law = counts.subsample_law(population, k)
for sample, p in law:
    print(sample, p, "TV =", counts.total_variation(sample, population))
assert sum(p for _, p in law) == 1

# %% [markdown]
# ## Two tails
#
# Left: the largest deviation of one class against C1. Right: total variation against the same bound. Eight agents in eight different
# classes, four of them sampled: in every draw, four classes have 1/4 in place of 1/8 and four have 0, so TV = 1/2 *surely*.


# %%
def bound(b, n, k, classes, deviation):
    """The lower and the upper bound of a tail bound, certified."""
    return b.enclose({symbols.n: n, symbols.k: k, symbols.Z: classes, symbols.epsilon: deviation})


population, k = (1,) * 8, 4
n, classes = sum(population), len(population)
total_variation = tail(population, k, counts.total_variation)
print("TV takes the values", [(str(d), str(p)) for d, p in total_variation])
right = bound(TV_TAIL, n, k, classes, Fraction(1, 2))
print("claimed bound on Pr[TV >= 1/2]:", right)
assert total_variation == [(Fraction(1, 2), Fraction(1))]
assert right.upper < 1

# %%
shown = (30, 20, 10), 15
fig, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained", sharey=True)
for ax, deviation, b, title in (
    (axes[0], largest_deviation, SUP_NORM_TAIL, "largest deviation of one class, C1"),
    (axes[1], counts.total_variation, TV_TAIL_BY_SETS, "total variation, repaired bound R3"),
):
    points = tail(*shown, deviation)
    ax.plot([float(d) for d, _ in points], [float(p) for _, p in points], ".-", label="exact tail")
    ax.plot(
        [float(d) for d, _ in points],
        [min(1.0, float(bound(b, sum(shown[0]), shown[1], len(shown[0]), d).upper)) for d, _ in points],
        "--",
        label="bound (cut at 1)",
    )
    ax.set(xlabel="deviation", title=title, yscale="log", ylim=(1e-9, 2))
    ax.legend()
axes[0].set_ylabel("probability")
plt.show()

# %% [markdown]
# The repaired bound takes the union over all $2^{|\mathcal Z_l|}$ sets of classes, because the total variation distance is the largest
# deviation of a *set*.
#
# ## The mean is what the argument needs
#
# $\mathbb E\,\mathrm{TV}$ is of order $1/\sqrt k$ and falls to 0 at $k = n$ (claim C4), with an explicit constant from the hypergeometric
# variance.

# %%
population = (20, 20, 20)
n, classes = sum(population), len(population)
sizes = [*range(1, n + 1, 3), n]
means = [sum(p * counts.total_variation(s, population) for s, p in counts.subsample_law(population, k)) for k in sizes]
bounds = [TV_MEAN.evaluate_float({symbols.n: n, symbols.k: k, symbols.Z: classes}) for k in sizes]
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(sizes, [float(m) for m in means], "o-", label="E TV, exact")
ax.plot(sizes, bounds, "--", label="bound C4")
ax.set(xlabel="k, agents sampled", ylabel="E TV", title=f"n = {n} in {classes} classes")
ax.legend()
plt.show()
assert means[-1] == 0 and all(m <= b for m, b in zip(map(float, means[:-1]), bounds[:-1], strict=True))

# %%
report = mfv.verify(["C1", "C2", "R3"], workers=1)
print({c: report.claim(c)["status"] for c in ("C1", "C2", "R3")})
assert report.claim("C2")["status"] == "refuted"
assert report.claim("R3")["status"] == "corroborated"
