"""Every reader of files from strangers, as a function of bytes that raises nothing but what a user is told in one line."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from mfverify.checker import check_certificate
from mfverify.errors import MfverifyError
from mfverify.json_files import parse_json
from mfverify.model_files import load_model
from mfverify.report import render
from mfverify.report.compare import compare

Reader = Callable[[bytes], str]
"""Gives "read" or "refused"; whatever it raises is a finding."""


def _model(suffix: str) -> Reader:
    def reader(content: bytes) -> str:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"model{suffix}"
            path.write_bytes(content)
            load_model(path)
        return "read"

    return reader


def _certificate(content: bytes) -> str:
    answer = check_certificate.check(content)
    assert answer.reasons, "an answer gives its reasons"
    return "read" if answer.accepted else "refused"


def _report(content: bytes) -> str:
    document = parse_json(Path("report.json"), content.decode("utf-8", "replace"))
    page = render(document)
    assert page.count("<script>") == 1, "the page has a script that is not its own"
    compare(document, document)
    return "read"


def guarded(reader: Reader) -> Reader:
    """The reader with what a user is told turned into "refused"; the message is one short line that can be printed."""

    def read(content: bytes) -> str:
        try:
            return reader(content)
        except MfverifyError as error:
            message = str(error)
            assert message
            assert "\n" not in message
            assert len(message) < 2000
            message.encode("utf-8", "strict")
            return "refused"

    return read


READERS: dict[str, Reader] = {
    "model_json": guarded(_model(".json")),
    "model_toml": guarded(_model(".toml")),
    "config": guarded(_model(".json")),
    "certificate": guarded(_certificate),
    "report": guarded(_report),
}
"""By the name of the folder of its corpus."""

CORPUS = Path(__file__).parents[1] / "corpus"


def seeds(name: str) -> list[bytes]:
    """The files of a corpus."""
    return [path.read_bytes() for path in sorted((CORPUS / name).iterdir())]


def documents(name: str) -> list[dict[str, object]]:
    """The sound JSON documents of a corpus: those that are named so."""
    return [json.loads(path.read_bytes()) for path in sorted((CORPUS / name).glob("sound*"))]
