"""``python -m mfverify``: the command line."""

import sys

from mfverify.cli import run

if __name__ == "__main__":
    sys.exit(run())
