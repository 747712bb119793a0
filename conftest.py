"""Before any test is collected: whether this Python has what the package imports; if not, one line says what to do."""

from importlib.util import find_spec
from sys import stderr

NEEDED = ("click", "flint", "loky", "numba", "numpy", "scipy", "sympy")
"""What every test imports sooner or later."""

missing = [name for name in NEEDED if find_spec(name) is None]
if missing:
    stderr.write(
        f"ERROR: mfverify cannot be tested here: this Python has no {', '.join(missing)}; "
        "run 'make test' once, which sets up .venv, then '. .venv/bin/activate' and pytest again\n"
    )
    raise SystemExit(4)
