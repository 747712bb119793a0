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
# # Plans of the mean-field limit as policies
#
# **What you will learn.** Infinitely many agents have an optimal *plan* for every distribution of local states. You will see what n agents lose
# that follow the plan of a sample, drawn at each step or once, beside what SUBSAMPLE-MFQ loses with samples of the same size.

# %%
import matplotlib.pyplot as plt
from IPython.display import Markdown

import mfverify as mfv
from mfverify.subsample_mfq.limit_plans import limit_of

# %% [markdown]
# ## The plans
#
# A plan is worth a linear function of the distribution, and $V_\infty$ is the largest of these functions. A sample chooses the plan that is worth most to it.

# %%
model = mfv.models.random_coupled(16)
limit = limit_of(model)
for g, rows in enumerate(limit.vectors):
    for worth, b, a in zip(rows.tolist(), limit.global_action[g], limit.local_action[g], strict=True):
        print(f"global state {g}: play {b}, agents in states 0 and 1 play {a[0]} and {a[1]}: worth {worth[0]:.3f} and {worth[1]:.3f}")
shares = [i / 50 for i in range(51)]
for rows in limit.vectors[:1]:
    for worth in rows:
        plt.plot(shares, [f * worth[0] + (1 - f) * worth[1] for f in shares])
plt.xlabel("share of agents in local state 0")
plt.ylabel("worth of a plan, global state 0")
plt.show()

# %% [markdown]
# ## Gaps
#
# The largest gap over start states, an upper bound, with n = 50 agents. `plan` draws a new sample at each step, `plan-fixed` one sample for all time.

# %%
classes = {"coordination": mfv.models.coordination(), "redrawn types": mfv.models.redrawn(), "coupled": model}
ways = ("independent", "shared", "plan", "plan-fixed")
n, gaps = 50, {}
for name, one in classes.items():
    best = mfv.optimal_value(one, n)
    for k in (5, 11, 50):
        learned = mfv.learn(one, k)
        gaps[name, k] = [(best - mfv.execution_value(one, n, learned, way)).max() for way in ways]
table = ["| class | k | " + " | ".join(ways) + " |", "|---" * (len(ways) + 2) + "|"]
table += [f"| {name} | {k} | " + " | ".join(f"{float(gap.upper):.2g}" for gap in row) + " |" for (name, k), row in gaps.items()]
Markdown("\n".join(table))

# %% [markdown]
# Plans need no table of the k-agent system, and on coordination all agents move to one side. At k = n the shared draw is optimal, while a plan
# misses the value of fluctuations, which finitely many agents can use.

# %%
assert all(row[2].upper < row[0].lower for (name, k), row in gaps.items() if name != "coupled" and k < n)
assert gaps["redrawn types", n][3].lower > gaps["redrawn types", n][1].upper
