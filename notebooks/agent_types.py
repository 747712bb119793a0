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
# # Agents of different types, shown and hidden
#
# **What you will learn.** The paper lets agents differ by making the *type* a component of the local state that never changes (section 2,
# Remark 4.9). You will see what that costs and what it does to the gap: nothing in the theory breaks, tables grow, and the gap *can* get
# worse with the number of types (claim S4b). Then agents that differ in a way the state does not show: there the mean-field assumption
# itself breaks, and seeing all agents no longer helps.

# %%
from fractions import Fraction

import matplotlib.pyplot as plt

import mfverify as mfv
from mfverify import counts
from mfverify.extensions.heterogeneous import hidden_kinds, shown_kinds
from mfverify.extensions.outside import executed, optimum
from mfverify.models.preferences import preferences
from mfverify.subsample_mfq.learning import mean_field_table_size

# %% [markdown]
# ## Types in the state: crews
#
# All agents have to meet the global agent at one of two places. Crew $e$ is slow, its moves succeed with probability $1/(e+1)$, and heavy, a
# try costs $(e+1)\,\eta$: kernel *and* reward depend on the type. With one crew this is the coordination model.

# %%
model = mfv.models.crews(2)
print("local states (type, place):", [(e, s) for e in range(2) for s in range(2)])
for e in range(2):
    print(f"type {e} at place 0 plays 1: law of the next state {[str(p) for p in model.local_kernel[2 * e, 0, 1]]}, reward beside", end=" ")
    print(f"the global agent {model.local_reward[2 * e, 0, 1]}")

# %% [markdown]
# Exact gaps for eight agents. *Mixed*: the worst start in which every type is present in equal numbers (or nearly); *alone*: the worst start
# with all agents of one type.

# %%
n, ks = 8, (1, 2, 3, 4, 5, 6, 7, 8)


def composition(types, vector):
    """How many agents of each type a count vector has."""
    return tuple(sum(vector[2 * e : 2 * e + 2]) for e in range(types))


curves, sizes = {}, {}
for types in (1, 2, 3):
    model = mfv.models.crews(types)
    best = mfv.optimal_value(model, n)
    vectors = [composition(types, c) for c in counts.count_vectors(n, 2 * types).tolist()]
    equal = [i for i, c in enumerate(vectors) if max(c) - min(c) <= 1]
    for k in ks[: 8 if types < 3 else 4]:
        gap = best - mfv.execution_value(model, n, mfv.learn(model, k))
        curves.setdefault(f"{types} types, mixed" if types > 1 else "1 type", []).append(
            max(gap[g, i].upper for g in range(2) for i in equal)
        )
    sizes[types] = [mean_field_table_size(model, k) for k in ks]

# %%
fig, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained")
for label, values in curves.items():
    axes[0].plot(ks[: len(values)], [max(float(v), 1e-12) for v in values], "o-", label=label)
axes[0].set(
    xlabel="k, agents sampled", ylabel="gap from the worst start (upper end)", title=f"Crews, n = {n}, independent draws", ylim=(0, None)
)
for types, entries in sizes.items():
    axes[1].plot(ks, entries, "o-", label=f"{types} type{'s' * (types > 1)}")
axes[1].set(xlabel="k, agents sampled", ylabel="entries of the mean-field table", yscale="log", title="What types cost")
for ax in axes:
    ax.legend(fontsize=8)
plt.show()
for label, values in curves.items():
    print(f"{label:14}", " ".join(f"{float(v):.3f}" for v in values))

# %% [markdown]
# ## Can more types make the gap worse?
#
# Yes, certainly. Agents that only *want* something: the global agent picks its next state, type $e$ earns 1 while the global state is $e$.
# Agents of one type agree, so with one type any sample is as good as all; with two, the global agent has to find the majority.

# %%
wants, n = preferences(2), 6
best = mfv.optimal_value(wants, n)
vectors = counts.count_vectors(n, 2).tolist()
for k in (1, 3):
    gap = best - mfv.execution_value(wants, n, mfv.learn(wants, k))
    alone = max(gap[g, i].upper for g in range(2) for i, c in enumerate(vectors) if min(c) == 0)
    mixed = max(gap[g, i].lower for g in range(2) for i, c in enumerate(vectors) if min(c) > 0)
    print(f"k = {k}: gap with one type at most {float(alone):.1e}, with two at least {float(mixed):.4f}")
    assert mixed > alone
print("claim S4b is", mfv.verify(["S4b"], workers=1).claim("S4b")["status"])

# %% [markdown]
# ## Kinds that no agent sees
#
# Now half of the agents are of a second kind that earns $(1-2h)$ times what the first kind earns: $h = 0$ no difference, $h = 1/2$ indifferent,
# $h = 1$ opposed. If the kind is in the state (*shown*), the paper's model applies. If it is not (*hidden*), agents are not exchangeable. A
# learner who assumes that they are learns from the first k agents and lets every agent act as the agent in the same place of the sample.
# Everything is solved by brute force in exact arithmetic, four agents.

# %%
n = 4
dial = [Fraction(i, 4) for i in range(5)]
hidden, shown = {k: [] for k in (1, 2, 3, 4)}, {k: [] for k in (1, 2, 3, 4)}
for h in dial:
    system = hidden_kinds(h)
    best = optimum(system, n)[0]
    model = shown_kinds(h)
    best_shown = mfv.optimal_value(model, n)
    halves = [i for i, c in enumerate(counts.count_vectors(n, 4).tolist()) if c[0] + c[1] == n // 2]
    for k in range(1, n + 1):
        played = executed(system, n, k)
        hidden[k].append(max(best[state] - played[state] for state in best))
        gap = best_shown - mfv.execution_value(model, n, mfv.learn(model, k))
        shown[k].append(max(gap[g, i].upper for g in range(2) for i in halves))
for name, gaps in (("hidden", hidden), ("shown", shown)):
    for k, values in gaps.items():
        print(f"{name:6} k = {k}: " + "  ".join(f"h = {h!s:3} {float(v):.4f}" for h, v in zip(dial, values, strict=True)))

# %%
fig, axes = plt.subplots(1, 2, figsize=(11, 4.2), layout="constrained", sharey=True)
for ax, gaps, title in ((axes[0], shown, "the kind is in the state"), (axes[1], hidden, "no agent sees the kind")):
    for k, values in gaps.items():
        ax.plot([float(h) for h in dial], [float(v) for v in values], "o-", label=f"k = {k}" + (" = n" if k == n else ""))
    ax.set(xlabel="h, difference of the two kinds", title=f"Four agents, {title}")
    ax.legend(fontsize=8)
axes[0].set_ylabel("gap from the worst start")
plt.show()

# %% [markdown]
# Where the kind is shown the gap at k = n is zero for any difference. Where it is hidden, the curve for k = n leaves zero: what is lost
# there is lost to the assumption and not to the sample, and no k buys it back.

# %%
assert all(v < 10**-9 for v in shown[n])
assert hidden[n][0] == 0
breaks = next(h for h, v in zip(dial, hidden[n], strict=True) if v > 0)
print("with all agents sampled the gap is positive from h =", breaks, "on")
