"""Numbers that no double is near, and texts that a terminal cannot show: the checker's answer is a line, not a traceback."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from mfverify.checker import check_certificate as independent
from tests.checker.test_checker_source import BUNDLED, CHECKER


def forged(**changes: Any) -> bytes:
    """The bundled certificate of C3 with other entries, sealed again."""
    (path,) = (p for p in BUNDLED if p.stem == "C3")
    document = json.loads(path.read_text(encoding="utf-8")) | changes
    del document["digest"]
    content = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return json.dumps(document | {"digest": hashlib.sha256(content.encode()).hexdigest()}).encode()


@pytest.mark.parametrize(
    ("stated", "said"),
    [("1" + "0" * 400, "1.000e+400"), ("0." + "0" * 399 + "1", "1.000e-400"), ("-1" + "0" * 1900, "-1.000e+1900"), ("0.25", "0.25"), ("0", "0")],
)
def test_numbers_for_the_reader(stated: str, said: str) -> None:
    assert independent.readable(Fraction(stated)) == said


def test_a_refusal_quotes_what_no_double_holds() -> None:
    assert independent.check(forged()).accepted
    answer = independent.check(forged(actual={"lower": "1" + "0" * 400}))
    assert not answer.accepted
    assert answer.reasons == ["actual: 1.000e+400 is stated, 1 is certain"]


def test_a_name_that_the_terminal_lacks(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(forged(claim="é"))
    (tmp_path / "p.json").write_bytes(forged(parameters={"é": 1}))
    for name in ("c", "p"):
        done = subprocess.run(
            [sys.executable, str(CHECKER), f"{name}.json"],
            env=os.environ | {"PYTHONIOENCODING": "ascii"},
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stderr, done.stdout.splitlines()[0]) == (1, "", "refused")
