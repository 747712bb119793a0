"""The report of a run, as one HTML page rendered from the stored document alone.

The schema of the document stands in :mod:`mfverify.report.document`.
"""

from mfverify.report.page import render

__all__ = ["render"]
