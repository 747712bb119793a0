"""The machinery of claims: what a claim is, how its verdict is derived, its grounds, and the right-hand side of a bound. It knows no paper.

A *statement* is a claim of a paper. The papers are packages under :mod:`mfverify.papers`, one file a statement with its readings.
"""
