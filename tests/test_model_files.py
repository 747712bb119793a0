"""Model files: what is written is read back exactly, and what is no model file is refused in one line, never executed."""

from __future__ import annotations

import json
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mfverify.errors import ModelError
from mfverify.model import Model
from mfverify.model_files import load_model, save_model
from mfverify.models import absorbing, coordination

ARRAYS = ("global_kernel", "local_kernel", "global_reward", "local_reward")
SUFFIXES = [".toml", ".json"]

DOCUMENT: dict[str, Any] = {
    "name": "two rooms",
    "discount": "9/10",
    "global_kernel": [[["1/3", "2/3"]], [[1, 0]]],
    "local_kernel": [[[["0.5", "0.5"]], [[0, 1]]], [[[1, 0]], [["1/7", "6/7"]]]],
    "global_reward": [[0], ["-1/9"]],
    "local_reward": [[[1], [0]], [["1e-3"], [2]]],
}


@st.composite
def distributions(draw: st.DrawFn, size: int) -> list[Fraction]:
    """A row of a kernel with denominators that no float holds."""
    weights = draw(st.lists(st.integers(0, 10**12), min_size=size, max_size=size).filter(any))
    return [Fraction(w, sum(weights)) for w in weights]


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Any small model with long rationals, any name and any documentation."""
    global_states, global_actions, local_states, local_actions = (draw(st.integers(1, 3)) for _ in range(4))
    number = st.fractions(min_value=-(10**6), max_value=10**6, max_denominator=10**40)
    return Model(
        [[draw(distributions(global_states)) for _ in range(global_actions)] for _ in range(global_states)],
        [[[draw(distributions(local_states)) for _ in range(local_actions)] for _ in range(global_states)] for _ in range(local_states)],
        [[draw(number) for _ in range(global_actions)] for _ in range(global_states)],
        [[[draw(number) for _ in range(local_actions)] for _ in range(global_states)] for _ in range(local_states)],
        draw(st.fractions(min_value=0, max_value=1, max_denominator=10**30).filter(lambda x: 0 < x < 1)),
        draw(st.text(min_size=1, max_size=20)),
        draw(st.text(max_size=60)),
    )


def written(folder: Path, text: str | bytes, suffix: str = ".json") -> Path:
    """A file with this content."""
    path = folder / f"model{suffix}"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refusal(path: str | Path) -> str:
    """The message that the file is refused with: one line that begins with the path."""
    with pytest.raises(ModelError) as caught:
        load_model(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    return message.removeprefix(f"{path}: ")


# ----------------------------------------------------------------------------------------------------------------- round trips


@settings(max_examples=60)
@given(model=models())
def test_what_is_written_is_read_back_exactly(model: Model, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("models")
    for suffix in SUFFIXES:
        path = folder / f"file{suffix}"
        save_model(model, path)
        back = load_model(path)
        assert back == model, suffix
        assert all((getattr(back, name) == getattr(model, name)).all() for name in ARRAYS), suffix
        assert (back.discount, back.name, back.documentation) == (model.discount, model.name, model.documentation), suffix


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("model", [coordination(), absorbing()], ids=lambda m: m.name)
def test_bundled_models_survive_a_file_and_a_second_writing_changes_nothing(model: Model, suffix: str, tmp_path: Path) -> None:
    first, second = tmp_path / f"first{suffix}", tmp_path / "folder" / f"second{suffix}"
    save_model(model, first)
    save_model(load_model(first), second)
    assert load_model(second) == model
    assert first.read_bytes() == second.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"first{suffix}", "folder"]


def test_both_formats_hold_the_same_model(tmp_path: Path) -> None:
    model = load_model(written(tmp_path, json.dumps(DOCUMENT)))
    save_model(model, tmp_path / "same.toml")
    again = load_model(tmp_path / "same.toml")
    assert again.fingerprint == model.fingerprint
    assert again.local_kernel[1, 1, 0].tolist() == [Fraction(1, 7), Fraction(6, 7)]
    assert again.local_reward[1, 0, 0] == Fraction(1, 1000)


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        (
            ".json",
            '{"discount": 0.9, "global_kernel": [[[1.0]]], "local_kernel": [[[[0.1, 0.9]]], [[[3e-1, 7E-1]]]],'
            ' "global_reward": [[-0.1]], "local_reward": [[[1e2]], [[1.5]]]}',
        ),
        (
            ".toml",
            "discount = 0.9\nglobal_kernel = [[[1.0]]]\nlocal_kernel = [[[[0.1, 0.9]]], [[[3e-1, 7E-1]]]]\n"
            "global_reward = [[-0.1]]\nlocal_reward = [[[1_0_0.0]], [[+1.5]]]\n",
        ),
    ],
)
def test_decimals_are_the_rationals_they_spell_and_the_name_is_that_of_the_file(suffix: str, text: str, tmp_path: Path) -> None:
    model = load_model(written(tmp_path, text, suffix))
    assert model.discount == Fraction(9, 10)
    assert model.local_kernel[:, 0, 0].tolist() == [[Fraction(1, 10), Fraction(9, 10)], [Fraction(3, 10), Fraction(7, 10)]]
    assert model.global_reward[0, 0] == Fraction(-1, 10)
    assert model.local_reward.ravel().tolist() == [100, Fraction(3, 2)]
    assert model.name == "model"


# --------------------------------------------------------------------------------------------------------------------- content


@pytest.mark.parametrize("key", ["discount", *ARRAYS])
def test_missing_keys_are_named(key: str, tmp_path: Path) -> None:
    document = {k: v for k, v in DOCUMENT.items() if k != key}
    assert refusal(written(tmp_path, json.dumps(document))) == f"{key}: missing key"


def test_unknown_keys_are_named_and_all_problems_counted(tmp_path: Path) -> None:
    message = refusal(written(tmp_path, json.dumps(DOCUMENT | {"discont": "1/2"})))
    assert message.startswith("discont: unknown key; the keys are name, discount, global_kernel")
    assert refusal(written(tmp_path, "{}")).endswith("discount: missing key (and 4 more)")


@pytest.mark.parametrize(
    ("change", "start"),
    [
        ({"name": 5}, "name: found int, expected text"),
        ({"name": None}, "name: found NoneType, expected text"),
        ({"documentation": ["a"]}, "documentation: found list, expected text"),
        ({"discount": 1}, "discount: found 1, expected a number strictly between 0 and 1"),
        ({"discount": True}, "discount: found True, expected a finite number"),
        ({"global_reward": [[0], ["1/0"]]}, "global_reward[1, 0]: found '1/0', expected a finite number"),
        ({"global_reward": [[0], [None]]}, "global_reward[1, 0]: found None"),
        ({"global_reward": [[0], [float("nan")]]}, "global_reward[1, 0]: found 'NaN'"),
        ({"global_reward": [[0], [float("-inf")]]}, "global_reward[1, 0]: found '-Infinity'"),
        ({"global_reward": {"a": 1}}, "global_reward: found dict, expected a list"),
        ({"global_kernel": [[["1/3", "1/3"]], [[1, 0]]]}, "global_kernel[0, 0, :]: the row sums to 2/3, expected 1"),
    ],
)
def test_content_that_is_no_model_is_refused_with_file_and_place(change: dict[str, Any], start: str, tmp_path: Path) -> None:
    assert refusal(written(tmp_path, json.dumps(DOCUMENT | change))).startswith(start)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e99999", "1979-05-27", "true", '"abc"', "{a = 1}"])
def test_toml_values_that_are_no_numbers_are_refused(value: str, tmp_path: Path) -> None:
    text = f"discount = 0.5\nglobal_kernel = [[[1]]]\nlocal_kernel = [[[[1]]]]\nglobal_reward = [[{value}]]\nlocal_reward = [[[0]]]\n"
    assert refusal(written(tmp_path, text, ".toml")).startswith("global_reward[0, 0]: found ")


# ------------------------------------------------------------------------------------------------------------------------ files


@pytest.mark.parametrize(
    ("suffix", "text"), [(".json", '{"name": '), (".json", ""), (".toml", "name = "), (".toml", "a = [1\nb = 2"), (".json", "{'a': 1}")]
)
def test_broken_syntax_is_refused_with_its_line(suffix: str, text: str, tmp_path: Path) -> None:
    assert "line" in refusal(written(tmp_path, text, suffix)) or "end of document" in refusal(written(tmp_path, text, suffix))


@pytest.mark.parametrize("text", ["[]", "3", '"text"', "null"])
def test_a_document_that_is_no_table_is_refused(text: str, tmp_path: Path) -> None:
    assert "expected a table of keys" in refusal(written(tmp_path, text))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("depth", [500, 900, 970, 985, 995, 2000, 100_000])
def test_deep_nesting_is_refused_whatever_its_depth(suffix: str, depth: int, tmp_path: Path) -> None:
    nested = "[" * depth + "]" * depth
    text = f'{{"global_reward": {nested}}}' if suffix == ".json" else f"global_reward = {nested}\n"
    assert refusal(written(tmp_path, text, suffix))


@pytest.mark.parametrize("depth", [500, 700, 900])
def test_deep_nesting_inside_an_otherwise_valid_document_is_refused(depth: int, tmp_path: Path) -> None:
    text = json.dumps(DOCUMENT | {"global_reward": [["DEEP"], [0]]}).replace('"DEEP"', "[" * depth + "]" * depth)
    message = refusal(written(tmp_path, text))
    assert "nested too deeply" in message or message.startswith("global_reward[0, 0]: found a list")


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_integers_of_many_digits_are_refused(suffix: str, tmp_path: Path) -> None:
    number = "9" * 5000
    text = f'{{"discount": {number}}}' if suffix == ".json" else f"discount = {number}\n"
    assert "number that is too long" in refusal(written(tmp_path, text, suffix))


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    assert "UTF-8" in refusal(written(tmp_path, b"\xff\xfe\x00{"))


def test_an_unknown_file_type_is_refused(tmp_path: Path) -> None:
    assert "expected .toml or .json" in refusal(written(tmp_path, "{}", ".yaml"))
    with pytest.raises(ModelError, match=r"expected \.toml or \.json"):
        save_model(coordination(), tmp_path / "model.pickle")
    assert not (tmp_path / "model.pickle").exists()


def test_a_missing_file_a_folder_and_what_is_no_file_are_refused(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(tmp_path / "missing.json")
    folder = tmp_path / "folder.json"
    folder.mkdir()
    assert "is not a file" in refusal(folder)
    os.mkfifo(tmp_path / "pipe.json")
    assert "is not a file" in refusal(tmp_path / "pipe.json")


def test_a_file_that_is_too_large_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as stream:
        stream.truncate(16 * 2**20 + 1)
    assert "larger than 16 MiB" in refusal(path)


def test_a_model_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    blocked = written(tmp_path, "a file where a folder should be", ".txt")
    with pytest.raises(ModelError, match="cannot be written"):
        save_model(coordination(), blocked / "model.json")
    assert [p.name for p in tmp_path.iterdir()] == ["model.txt"]


def test_a_file_is_data_and_never_executed(tmp_path: Path) -> None:
    flag = tmp_path / "executed"
    attack = f"__import__('pathlib').Path({str(flag)!r}).touch()"
    assert refusal(written(tmp_path, json.dumps(DOCUMENT | {"global_reward": [[attack], [0]]}))).startswith("global_reward[0, 0]: found ")
    assert not flag.exists()


# ------------------------------------------------------------------------------------------ what two readers could read differently


def test_a_key_that_stands_twice_is_refused(tmp_path: Path) -> None:
    twice = json.dumps(DOCUMENT).replace('"discount": "9/10"', '"discount": "9/10", "discount": "1/2"')
    assert refusal(written(tmp_path, twice)) == "the key 'discount' occurs twice in one table; give each key once"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path, suffix: str) -> None:
    model = coordination()
    save_model(model, tmp_path / f"plain{suffix}")
    marked = written(tmp_path, b"\xef\xbb\xbf" + (tmp_path / f"plain{suffix}").read_bytes(), suffix)
    assert load_model(marked) == model


@pytest.mark.parametrize("key", ["name", "documentation"])
def test_half_a_surrogate_pair_is_refused(tmp_path: Path, key: str) -> None:
    assert refusal(written(tmp_path, json.dumps(DOCUMENT | {key: "a\ud800"}))).startswith(f"{key}: found half of a surrogate pair")
