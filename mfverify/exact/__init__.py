"""Exact and certified solvers: the n-agent optimum three ways, and the value of a given policy."""
