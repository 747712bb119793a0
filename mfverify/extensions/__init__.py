"""The settings to which the paper extends its theorems: stochastic rewards, off-policy learning, linear decision processes.

Each file builds a setting in a form that the exact solvers accept; the claims are statements of :mod:`mfverify.papers`.
"""
