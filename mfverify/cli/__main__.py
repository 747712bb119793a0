"""``python -m mfverify.cli``: the same as ``python -m mfverify``."""

import sys

from mfverify.cli import run

if __name__ == "__main__":
    sys.exit(run())
