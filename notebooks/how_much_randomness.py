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
# (no bits at all), and that more bits can be *worse*. And you will see what zero bits can do: a system that goes round in a circle for ever.

# %%
import matplotlib.pyplot as plt

import mfverify as mfv
from mfverify.extensions.limited_randomness import (
    Order,
    all_subsets,
    blocks,
    cycle,
    fixed,
    independent_bits,
    pool_gap,
)

# %% [markdown]
# ## Eight agents that have to agree
#
# The coordination model. Ways of drawing, with the random bits that a step needs:
#
# - *independent*: Algorithm 2, every agent draws for itself;
# - *shared*: one uniform subset for everybody, agents outside copy a member in their state;
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
    gap = (best - mfv.execution_value(model, n, learned, "shared")).max()
    rows.append((k, "shared", all_subsets(n, k).bits_per_step, gap))
    for name, pool in (
        ("blocks at random", blocks(n, k, Order.RANDOM)),
        ("blocks in turn", blocks(n, k, Order.IN_TURN)),
        ("fixed", fixed(k)),
    ):
        rows.append((k, name, pool.bits_per_step, pool_gap(model, n, best, learned, pool).max()))
for k, name, bits, gap in rows:
    print(f"k = {k}  {name:17} {bits:6.2f} bits a step, gap from the worst start in {gap}")

# %%
fig, ax = plt.subplots(figsize=(7.5, 4.5), layout="constrained")
for k, marker in ((1, "o"), (3, "s"), (5, "^")):
    own = [(bits, float(gap.upper), name) for size, name, bits, gap in rows if size == k]
    ax.plot([b + 0.1 for b, _, _ in own], [g for _, g, _ in own], marker, label=f"k = {k}")
    for bits, gap, name in own:
        ax.annotate(name, (bits + 0.1, gap), fontsize=7, xytext=(4, 3), textcoords="offset points")
ax.set(
    xlabel="random bits per step (+ 0.1)", ylabel="gap, worst start (upper end)", xscale="log", yscale="log", title="Coordination, n = 8"
)
ax.legend()
plt.show()

# %% [markdown]
# The most random way of drawing is far from the best: what counts is that everybody acts on the *same* sample. For k of 3 and 5 a shared draw
# with 6 bits beats independent draws with 30 to 50. Fewer bits than that cost something from the worst start, because a known
# subset can be unrepresentative of it.

# %%
independent = {k: gap for k, name, _, gap in rows if name == "independent"}
shared = {k: gap for k, name, _, gap in rows if name == "shared"}
assert all(shared[k].upper < independent[k].lower for k in (1, 3, 5))

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

# %% [markdown]
# Nobody ever gets the equipment for more than a moment. Which share of the optimum is lost there:

# %%
optimum = mfv.optimal_value(task, agents)
lost = pool_gap(task, agents, optimum, learned, blocks(agents, 1, Order.IN_TURN)).max()
print("gap from the worst start:", lost, "of at most", float(optimum.max().upper))
