"""What every test shares: settings that keep a busy machine from failing or stalling the suite."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path

# Where the environment forbids bytecode beside the sources, as in many containers, every run would compile all tests and sources anew,
# and so would every process that a test starts.
if sys.dont_write_bytecode and sys.pycache_prefix is None:
    sys.pycache_prefix = str(Path(__file__).parents[1] / ".pytest_cache" / "bytecode")
    sys.dont_write_bytecode = False
    os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

try:
    from hypothesis import HealthCheck, Phase, settings
except ImportError:
    sys.stderr.write("ERROR: the tests need the package hypothesis; run 'make test' once, which sets up .venv, then '. .venv/bin/activate'\n")
    raise SystemExit(4) from None

from tests.skipped import pytest_terminal_summary  # noqa: F401  # the last lines of a run

# With the usual threshold a sixth of the time is spent in the garbage collector, which finds little among fractions and arrays.
gc.set_threshold(200_000, 50)


def pytest_collection_finish() -> None:
    """Called by pytest when the files of tests are imported. They last as long as the run: the garbage collector need not visit them."""
    gc.freeze()


# Threads of compiled loops that wait for each other by spinning take the processor from those that work; small test cases
# on a busy machine then run ten times slower. The setting has to stand before the first compiled loop runs.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# A property is true or false, however long an example takes.
settings.register_profile("mfverify", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mfverify")

# For mutation testing (make mutants): the same few examples every time, and a failure is not made simpler.
settings.register_profile(
    "mutants",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
