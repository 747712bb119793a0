"""Worker processes give the same bytes as one process: what is sent to them must survive the journey exactly."""

import json

import pytest

import mfverify as mfv


@pytest.mark.slow
def test_attained_equalities_stay_exact_in_worker_processes() -> None:
    # C4 is attained on these populations: a bound whose square root lost its exactness would leave it undecided.
    documents = [dict(mfv.verify(claims=["C4", "R5"], workers=workers).document) for workers in (1, 2)]
    for document in documents:
        document.pop("provenance")
    assert json.dumps(documents[0]) == json.dumps(documents[1])
    assert documents[1]["summary"]["verdicts"]["undecided"] == 0
