"""What every test shares."""

from __future__ import annotations

import os

# Threads of compiled loops that wait for each other by spinning take the processor from those that work; small test cases
# on a busy machine then run ten times slower. The setting has to stand before the first compiled loop runs.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
