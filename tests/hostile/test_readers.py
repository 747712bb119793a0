"""Untrusted input: for any content a reader gives a model, a verdict or a page, or says in one line what is wrong."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mfverify.cli import run
from tests.hostile.readers import CORPUS, READERS, documents, seeds

JSON_READERS = [name for name in READERS if name not in ("model_toml", "store")]
HOSTILE = [
    None, True, False, 0, -1, 1, 10**9, 10**400, -(10**5000), 0.5, 1e308, 5e-324, float("nan"), float("inf"), "", "1/0", "1/3", "1e99999", "-0",
    "<script>alert(1)</script>", "\x00", "\ud800", "../../etc/passwd", "$\\frac{", "x" * 5000, "9" * 5000, "\u0661/\u0663", [], {}, [[]], [0] * 50,
    {"lower": 1, "upper": 0}, {"a": {"b": {"c": {}}}}, [[[[[[[[1]]]]]]]],
]  # fmt: skip
"""Values that readers have been known to stumble over."""


def test_every_reader_has_sound_and_spoiled_files() -> None:
    assert {path.name for path in CORPUS.iterdir()} == set(READERS)
    assert {name: {READERS[name](seed) for seed in seeds(name)} for name in READERS} == {name: {"read", "refused"} for name in READERS}


@pytest.mark.parametrize("name", READERS)
def test_sound_files_are_read(name: str) -> None:
    sound = [path for path in (CORPUS / name).iterdir() if path.name.startswith("sound")]
    assert sound
    assert {READERS[name](path.read_bytes()) for path in sound} == {"read"}


def places(part: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    found = [path]
    if isinstance(part, dict):
        found += [place for key, value in part.items() for place in places(value, (*path, key))]
    if isinstance(part, list):
        found += [place for i, value in enumerate(part[:20]) for place in places(value, (*path, i))]
    return found


@st.composite
def spoiled(draw: st.DrawFn, name: str) -> bytes:
    """A sound document with one to three places replaced, deleted, repeated or wrapped."""
    document: Any = copy.deepcopy(draw(st.sampled_from(documents(name))))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(places(document)))
        if not path:
            continue
        parent = document
        for step in path[:-1]:
            parent = parent[step]
        match draw(st.sampled_from(["replace", "delete", "repeat", "wrap", "rename"])):
            case "delete":
                del parent[path[-1]]
            case "repeat" if isinstance(parent, list):
                parent.insert(path[-1], copy.deepcopy(parent[path[-1]]))
            case "wrap":
                parent[path[-1]] = [parent[path[-1]]]
            case "rename" if isinstance(parent, dict):
                parent[draw(st.sampled_from(["", "extra", "<b>", "\u202e"]))] = parent.pop(path[-1])
            case _:
                parent[path[-1]] = copy.deepcopy(draw(st.sampled_from(HOSTILE)))
    return _written(document)


def _written(document: Any) -> bytes:
    try:
        return json.dumps(document).encode()
    except ValueError:  # an integer longer than Python writes
        return json.dumps(document, default=str).encode() if _short(document) else b"{" + b'"a":' + b"9" * 6000 + b"}"


def _short(part: Any) -> bool:
    if isinstance(part, int):
        return part.bit_length() < 10_000
    return all(map(_short, part.values() if isinstance(part, dict) else part)) if isinstance(part, (dict, list)) else True


QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@pytest.mark.slow
@pytest.mark.parametrize("name", JSON_READERS)
@QUICK
@given(data=st.data())
def test_spoiled_documents_are_read_or_refused(name: str, data: st.DataObject) -> None:
    assert READERS[name](data.draw(spoiled(name))) in ("read", "refused")


@pytest.mark.slow
@pytest.mark.parametrize("name", READERS)
@QUICK
@given(data=st.data())
def test_spoiled_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(seeds(name))))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        cut = data.draw(st.integers(0, 8))
        content[at : at + cut] = data.draw(
            st.sampled_from([b"", b"\x00", b"\xff", b"{", b"]", b'"', b",", b"[[[[", b"1e9", b"9" * 40, b"\\u0000", b"\n\n"])
        )
    assert READERS[name](bytes(content)) in ("read", "refused")


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=300))
def test_arbitrary_bytes_are_read_or_refused(name: str, content: bytes) -> None:
    assert READERS[name](content) in ("read", "refused")


COMMANDS = {
    "model_json": ["solve {}.json --agents 1", "gap {}.json --agents 2 --subsample 1", "verify --models {}.json --claims B1"],
    "model_toml": ["solve {}.toml --agents 1 --json"],
    "config": ["solve {}.json --agents 1", "export {}.json --agents 1 --to drn --json"],
    "certificate": ["check {}.json", "check {}.json --json"],
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_no_file_of_the_corpus_brings_the_command_line_down(
    name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for number, content in enumerate(seeds(name)):
        for command in COMMANDS[name]:
            for suffix in (".json", ".toml"):
                (tmp_path / f"f{number}{suffix}").write_bytes(content)
            status = run(command.format(f"f{number}").split())
            out, err = capsys.readouterr()
            assert status in (0, 1, 2)
            assert "Traceback" not in out + err
            assert len(err.splitlines()) == (1 if status == 2 else 0), (command, err)
            assert out == "" or status != 2


@pytest.mark.parametrize(
    "name", ["../outside", "/tmp/outside", "a/b", "..", "\x00", "C:\\x", "con", "<script>alert(1)</script>", "\u202egpj"]
)
def test_a_name_is_no_path(name: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    document = documents("model_json")[0] | {"name": name}
    (tmp_path / "m.json").write_text(json.dumps(document))
    assert run(["verify", "--models", "m.json", "--claims", "B1", "--out", "run", "--workers", "1"]) in (0, 1)
    capsys.readouterr()
    written = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert (
        {"m.json", "run/report.html", "run/report.json"}
        <= written
        <= {"m.json", "run/report.html", "run/report.json"} | {path for path in written if path.startswith("run/results.sqlite")}
    )
    assert list(tmp_path.parent.glob("outside*")) == []
    assert "<script>alert" not in (tmp_path / "run" / "report.html").read_text(encoding="utf-8")
