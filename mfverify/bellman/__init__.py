"""The Bellman operators, each once: labelled agents, count vectors, sampled next states."""
