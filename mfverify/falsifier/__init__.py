"""The falsifier: looks for an instance that violates a claim, and for the simplest one.

The package is called falsifier because ``mfverify.falsify`` is the verb, a function.
"""
