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
# # How much randomness does subsampling need?
#
# **What you will learn.** The paper asks, as an open question, how much randomness the execution of SUBSAMPLE-MFQ needs. You will see exact
# gaps against random bits per step: from independent draws (hundreds of bits) over one shared draw to subsets that are fixed in advance
# (no bits at all), and that more bits can be *worse*. And you will see what can happen with zero bits: the states of a system repeat in a cycle forever.

# %%
from math import gcd, log2, perm

import matplotlib.pyplot as plt

import mfverify as mfv
from mfverify.extensions.limited_randomness import all_subsets, cycle, fixed, independent_bits, low_discrepancy, pool_gap, systematic
from mfverify.subsample_mfq.draws.pool import Order, blocks

# %% [markdown]
# ## Eight agents that have to agree
#
# The coordination model. Ways of drawing, with the random bits that a step needs:
#
# - *independent*: Algorithm 2, every agent draws for itself;
# - *shared list*: one uniform ordering for all agents, each takes the first k - 1 others from it;
# - *shared*: one uniform subset for all agents, agents outside copy a member in their state;
# - *stratified*: the same, evenly spaced among the agents sorted by state: every sample has its share of each state, rounded up or down;
# - *evenly spaced at random*: evenly spaced among the agents sorted by name, which need no further sorting;
# - *low-discrepancy*: the same subsets one after the other in the order of the van der Corput sequence, so that any few steps in a row are
#   spread out;
# - *blocks at random*, *blocks in turn*: the agents are cut into blocks in advance, and one of these few subsets is shared;
# - *fixed*: always the same subset.
#
# With blocks the names of agents matter, so the labelled system is solved: 512 states.

# %%
model, n = mfv.models.coordination(), 8
best = mfv.optimal_value(model, n)
rows = []
for k in (1, 3, 5):
    learned = mfv.learn(model, k)
    gap = (best - mfv.execution_value(model, n, learned)).max()
    rows.append((k, "independent", independent_bits(n, k), gap))
    for name, way, bits in (
        ("shared list", "shared-list", log2(perm(n, k))),
        ("shared", "shared", all_subsets(n, k).bits_per_step),
        ("stratified", "stratified", log2(n // gcd(n, k))),
    ):
        rows.append((k, name, bits, (best - mfv.execution_value(model, n, learned, way)).max()))
    for name, pool in (
        ("evenly spaced at random", systematic(n, k, Order.RANDOM)),
        ("blocks at random", blocks(n, k, Order.RANDOM)),
        ("low-discrepancy", low_discrepancy(n, k)),
        ("blocks in turn", blocks(n, k, Order.IN_TURN)),
        ("fixed", fixed(k)),
    ):
        rows.append((k, name, pool.bits_per_step, pool_gap(model, n, best, learned, pool).max()))
for k, name, bits, gap in rows:
    print(f"k = {k}  {name:23} {bits:6.2f} bits a step, gap from the worst start in {gap}")

# %%
markers = dict(zip(dict.fromkeys(name for _, name, _, _ in rows), "os^vDP<X*", strict=True))
fig, axes = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained", sharey=True)
for ax, k in zip(axes, (1, 3, 5), strict=True):
    for size, name, bits, gap in rows:
        if size == k:
            ax.plot(bits, float(gap.upper), markers[name], markersize=8, alpha=0.8, label=name)
    ax.set_xscale("symlog", linthresh=1)
    ax.set(xlabel="random bits per step", title=f"Coordination, n = {n}, k = {k}", ylim=(0, None), xlim=(-0.3, 100))
    ax.set_xticks([0, 1, 2, 5, 10, 20, 50], ["0", "1", "2", "5", "10", "20", "50"])
axes[0].set_ylabel("gap from the worst start (upper end)")
axes[-1].legend(fontsize=8, loc="upper right", bbox_to_anchor=(1.65, 1.0))
plt.show()

# %% [markdown]
# The most random way of drawing is far from the best: what counts is that all agents act on the *same* sample. For k of 3 and 5 a shared draw
# with 6 bits beats independent draws with 30 to 50, and stratifying by state does at least as well with 3. What goes by names alone, at random or
# in turn, costs something from the worst start, because a known subset can be unrepresentative of it.

# %%
independent = {k: gap for k, name, _, gap in rows if name == "independent"}
shared = {k: gap for k, name, _, gap in rows if name == "shared"}
stratified = {k: gap for k, name, _, gap in rows if name == "stratified"}
assert all(shared[k].upper < independent[k].lower for k in (1, 3, 5))
assert all(stratified[k].upper < shared[k].lower + 1e-9 for k in (1, 3, 5))

# %% [markdown]
# ## Zero bits: round and round
#
# Constrained exploration on a 2 x 2 grid: hazards in two corners, the equipment at the centre of the box. Two agents stand at either
# hazard, and one agent at a time is sampled, in turn. Each sample calls the equipment to its own hazard:

# %%
task, agents = mfv.models.exploration(), 4
learned = mfv.learn(task, 1)
before, turning = cycle(task, agents, learned, blocks(agents, 1, Order.IN_TURN), (0, (0, 0, 3, 3)))
for step, (centre, cells) in enumerate(turning):
    print(f"step {step}: centre at cell {centre}, agents at cells {cells}")
assert len(set(turning)) == 4

# %%
fig, axes = plt.subplots(1, len(turning), figsize=(11, 3), layout="constrained")
for step, (ax, (centre, cells)) in enumerate(zip(axes, turning, strict=True)):
    ax.plot(centre % 2, centre // 2, "s", markersize=46, markerfacecolor="none", markeredgecolor="tab:green", label="equipment")
    for cell in sorted(set(cells)):
        ax.text(cell % 2, cell // 2, f"{cells.count(cell)} agents", ha="center", va="center", fontsize=9)
    for hazard in (0, 3):
        ax.add_patch(plt.Rectangle((hazard % 2 - 0.5, hazard // 2 - 0.5), 1, 1, color="tab:red", alpha=0.15, zorder=0))
    ax.set(xlim=(-0.5, 1.5), ylim=(1.5, -0.5), xticks=[0.5], yticks=[0.5], title=f"step {step}, {step + 4}, {step + 8}, ..")
    ax.set(xticklabels=[], yticklabels=[], aspect="equal")
    ax.grid(True, color="0.6")
fig.suptitle("Round and round: red cells are hazardous, the green square is the equipment")
plt.show()

# %% [markdown]
# No agent ever has the equipment for more than a moment. Which share of the optimum is lost there:

# %%
optimum = mfv.optimal_value(task, agents)
lost = pool_gap(task, agents, optimum, learned, blocks(agents, 1, Order.IN_TURN)).max()
print("gap from the worst start:", lost, "of at most", float(optimum.max().upper))
