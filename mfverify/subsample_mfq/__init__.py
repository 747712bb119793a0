"""SUBSAMPLE-MFQ: learning (Algorithm 1) and execution (Algorithm 2)."""
