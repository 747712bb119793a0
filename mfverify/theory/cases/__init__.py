"""Typed cases: what an instance of a claim consists of, one subject a file.

A case is a frozen dataclass that owns the arguments of a claim's two sides. What several statements share is here; a statement with arguments
of its own defines its case in its file.
"""
