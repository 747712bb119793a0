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
# # The authors' configuration format, certified
#
# **What you will learn.** How a JSON configuration in the format of the paper's code becomes an exact model without running a line of
# it, what is refused and how, and how to enclose what subsampling costs on it.

# %%
import json
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt

import mfverify as mfv

# %% [markdown]
# ## From source lines to an exact kernel
#
# The format gives rewards and transitions as source lines of Python functions. They are parsed and tabulated; each `random.random() < p`
# and each `random.choice([...])` forks the computation, and the branches are added up as fractions.

# %%
config = {
    "environment": {
        "global_agent": {"state_space": [0, 1], "action_space": [0, 1]},
        "local_agent": {"state_space": [0, 1], "action_space": [0, 1]},
        "functions": {
            "global_agent_reward": ["def global_agent_reward(global_state, global_action):", "    return 0"],
            "local_agent_reward": [
                "def local_agent_reward(local_state, global_state, local_action):",
                "    return (1 if local_state == global_state else -1) - 0.05 * local_action",
            ],
            "global_agent_transition": ["def global_agent_transition(global_state, global_action):", "    return global_action"],
            "local_agent_transition": [
                "def local_agent_transition(local_state, global_state, local_action):",
                "    import random",
                "    if local_action == 1 and random.random() < 0.95:",
                "        return 1 - local_state",
                "    return local_state",
            ],
        },
    },
    "simulation": {"discount_factor": 0.5},
}
folder = Path(tempfile.mkdtemp())
path = folder / "config.json"
path.write_text(json.dumps(config))
model = mfv.load_model(path)
print("law of the next state of an agent in 0 that plays 1:", [str(p) for p in model.local_kernel[0, 0, 1]])

# %% [markdown]
# ## What is refused
#
# Anything outside a small language of arithmetic, comparisons, conditionals and draws, with the line that is at fault. A configuration
# is untrusted input.

# %%
config["environment"]["functions"]["global_agent_transition"] = [
    "def global_agent_transition(global_state, global_action):",
    "    return open('/etc/passwd').read()",
]
(folder / "hostile.json").write_text(json.dumps(config))
try:
    mfv.load_model(folder / "hostile.json")
except mfv.ModelError as error:
    print(str(error).replace(str(folder), "."))
else:
    raise AssertionError("a configuration that opens files was accepted")

# %% [markdown]
# ## What subsampling costs there

# %%
n = 20
best = mfv.optimal_value(model, n)
ks = [1, 2, 3, 5, 8, 11, 15, 19, 20]
gaps = [(best - mfv.execution_value(model, n, mfv.learn(model, k))).max() for k in ks]
for k, gap in zip(ks, gaps, strict=True):
    print(f"k = {k:2}: {gap}")
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(ks, [max(float(g.upper), 1e-12) for g in gaps], "o-", label="largest gap (upper end)")
ax.set(xlabel="k, agents sampled", ylabel="V* - V", xticks=ks, title=f"Our configuration, n = {n}: more is not always better")
ax.legend()
plt.show()
