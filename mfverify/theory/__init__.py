"""The machinery of claims: what a claim is, how it is judged, on what it rests, and the right-hand side of a bound. It knows no paper.

A *statement* is a claim of a paper. The papers are packages under :mod:`mfverify.papers`, one file a statement with its readings.
"""
