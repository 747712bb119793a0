"""The right-hand sides of the claims, each one sympy expression in the paper's symbols.

From that one expression come the LaTeX shown, the numbers plotted and the certified enclosure, so the three cannot
disagree. One file per theme of the paper; :mod:`~mfverify.bounds.symbols` holds the symbols and how they are printed,
:mod:`~mfverify.bounds.evaluate` the certified evaluation, :mod:`~mfverify.bounds.bound` the record.
"""
