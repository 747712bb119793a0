"""What stands in the exported files: the system itself, whole or not at all."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scipy import sparse

import mfverify as mfv
from mfverify.cli import run
from mfverify.counts import count_vectors, number_of_count_vectors
from mfverify.errors import ModelError, TooLargeError
from mfverify.exact.optimal import optimal_value
from mfverify.export import drn, explicit
from mfverify.export.explicit import explicit_system, extent
from mfverify.export.formats import default_name, export_model
from mfverify.model import Model
from mfverify.models import coordination, random_coupled
from tests.agreement.checks import instance_of
from tests.export.systems import EACH, LOSSES, SYSTEMS, Read, read_drn
from tests.oracles import LabelledSystem


def exact_optimum(model: Model, n: int) -> list[Fraction]:
    """``V*`` in the order of the file's states, from labelled agents."""
    instance = instance_of(model)
    system = LabelledSystem(instance, n)
    value = system.by_counts(system.optimum)
    return [value[g, tuple(map(int, c))] for g in range(model.sizes[0]) for c in count_vectors(n, model.sizes[2])]


def worst_equation(read: Read, reward: int, value: list[Fraction]) -> Fraction:
    """How far values are from Bellman's equation of the file's process, exactly; ``end`` is worth 0."""
    full = [*value, Fraction(0)]
    images = [max(c.rewards[reward] + sum((p * full[t] for t, p in c.law.items()), Fraction(0)) for c in state) for state in read.choices]
    return max(abs(a - b) for a, b in zip(images, full, strict=True))


@pytest.mark.parametrize("name", EACH)
def test_the_drn_file_is_the_system_whose_labelled_optimum_is_known(name: str, tmp_path: Path) -> None:
    model, n = SYSTEMS[name]
    written = export_model(model, n, tmp_path / "system.drn", "drn")
    read = read_drn(tmp_path / "system.drn")
    assert read.rewards == ["reward", "nonnegative"]
    assert read.declared == (len(read.choices), sum(map(len, read.choices))) == (written.extent.states + 1, written.extent.choices + 1)
    rows = [choice for state in read.choices for choice in state]
    assert all(sum(choice.law.values()) == 1 and min(choice.law.values()) > 0 for choice in rows)
    assert sum(len(choice.law) for choice in rows) == written.extent.transitions + written.extent.choices + 1
    vectors = count_vectors(n, model.sizes[2]).tolist()
    assert read.labels == [
        *(["init", f"g{g}_c{'_'.join(map(str, c))}"] for g in range(model.sizes[0]) for c in vectors),
        ["end"],
    ]
    value = exact_optimum(model, n)
    assert worst_equation(read, 0, value) == 0
    assert worst_equation(read, 1, [v - written.value_offset for v in value]) == 0
    assert min(choice.rewards[1] for choice in rows) == 0
    # The check sees a wrong value, and a wrong probability.
    assert worst_equation(read, 0, [value[0] + Fraction(1, 10**9), *value[1:]]) > 0


@pytest.mark.parametrize("name", EACH)
def test_the_doubles_are_the_same_system(name: str, tmp_path: Path) -> None:
    model, n = SYSTEMS[name]
    export_model(model, n, tmp_path / "system.drn", "drn")
    written = export_model(model, n, tmp_path / "system.npz", "quantecon-npz")
    read = [choice for state in read_drn(tmp_path / "system.drn").choices[:-1] for choice in state]
    law = sparse.load_npz(tmp_path / "system.npz")
    arrays = np.load(tmp_path / "system.npz", allow_pickle=False)
    assert law.shape == (len(read), written.extent.states)
    assert law.nnz == written.extent.transitions
    assert arrays["beta"] == float(model.discount)
    error = (model.sizes[2] + 1) * n + 2
    for i, choice in enumerate(read):
        counts = "_".join(map(str, arrays["choice_counts"][i]))
        assert choice.label == f"b{arrays['choice_global'][i]}_d{counts}"
        exact = {t: p / model.discount for t, p in choice.law.items() if t < law.shape[1]}
        row = law[[i]]
        assert dict(zip(row.indices.tolist(), [0] * row.nnz, strict=True)).keys() == exact.keys()
        for t, p in zip(row.indices.tolist(), row.data.tolist(), strict=True):
            assert abs(Fraction(p) - exact[t]) <= exact[t] * error * Fraction(1, 2**52)
        assert abs(Fraction(float(arrays["R"][i])) - choice.rewards[0]) <= model.rt * error * Fraction(1, 2**52)
    # Choices are numbered from 0 within their state, and a state's choices have its counts.
    assert (np.diff(arrays["s_indices"]) >= 0).all()
    assert set(arrays["s_indices"]) == set(range(written.extent.states))
    first = np.searchsorted(arrays["s_indices"], arrays["s_indices"])
    assert (arrays["a_indices"] == np.arange(len(first)) - first).all()
    own = arrays["choice_counts"].reshape(len(read), model.sizes[2], -1).sum(axis=2)
    assert (own == arrays["state_counts"][arrays["s_indices"]]).all()


def test_larger_systems_agree_with_the_lumped_solver() -> None:
    model, n = random_coupled(4), 30
    system = explicit_system(model, n)
    assert len(system.state) == extent(model, n).choices == 4 * number_of_count_vectors(30, 4)
    best = optimal_value(model, n)
    image = system.reward + float(model.discount) * (system.law @ best.midpoint.ravel())
    greedy = np.maximum.reduceat(image, np.flatnonzero(system.action == 0)).reshape(best.shape)
    # One application of an operator that contracts by gamma, and (S + 1) n + 2 roundings of numbers of this size.
    error = best.width.max() + float(model.rt / (1 - model.discount)) * (3 * n + 4) * 2.0**-52
    assert np.abs(greedy - best.midpoint).max() <= error


def test_the_estimate_of_the_extent_is_a_bound_and_often_exact() -> None:
    exact = 0
    for model, n in SYSTEMS.values():
        estimated, built = extent(model, n), explicit_system(model, n)
        assert built.law.nnz <= estimated.transitions
        assert estimated.choices == len(built.reward)
        exact += built.law.nnz == estimated.transitions
    assert exact >= 5


def test_the_estimate_of_the_length_is_a_bound(tmp_path: Path) -> None:
    for model, n in SYSTEMS.values():
        export_model(model, n, tmp_path / "system.drn", "drn")
        length = (tmp_path / "system.drn").stat().st_size
        assert length <= drn.longest_file(model, n, extent(model, n)) <= 6 * length + 2000


@pytest.mark.parametrize("to", ["drn", "quantecon-npz"])
def test_what_is_too_large_is_refused_with_numbers_and_nothing_is_written(to: str, tmp_path: Path) -> None:
    with pytest.raises(TooLargeError, match=r"10000 agents has .*e\+.* choices .* use fewer agents"):
        export_model(random_coupled(0), 10_000, tmp_path / "system", to)
    assert list(tmp_path.iterdir()) == []


def test_long_files_and_many_transitions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TooLargeError, match=r"a .drn file of up to .* MiB .*use fewer agents"):
        export_model(random_coupled(0), 100, tmp_path / "system.drn", "drn")
    monkeypatch.setattr(explicit, "MOST_TRANSITIONS", 100)
    with pytest.raises(TooLargeError, match=r"up to .* transitions .*use fewer agents"):
        export_model(random_coupled(0), 5, tmp_path / "system.npz", "quantecon-npz")
    assert list(tmp_path.iterdir()) == []


def test_bad_arguments_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    for arguments, message in [
        ((LOSSES, 0, tmp_path / "x", "drn"), "agents: found 0"),
        ((LOSSES, 2, tmp_path / "x", "prism"), "to: found 'prism', expected one of 'drn', 'quantecon-npz'"),
        ((LOSSES, 2, tmp_path, "drn"), "is a folder"),
    ]:
        with pytest.raises(ModelError, match=message):
            export_model(*arguments)
    assert list(tmp_path.iterdir()) == []


def test_what_stood_there_still_stands_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "system.drn"
    target.write_text("earlier")

    def interrupted(*_: object) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr(drn, "action_label", interrupted)
    with pytest.raises(KeyboardInterrupt):
        export_model(LOSSES, 2, target, "drn")
    assert target.read_text() == "earlier"
    assert list(tmp_path.iterdir()) == [target]


def test_a_name_never_leads_out_of_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hostile = Model([[[1]]], [[[[1]]]], [[1]], [[[1]]], "1/2", name="../../\n@type: DTMC\u2028//<script>")
    assert default_name(hostile, 3) == "type-DTMC-script-n3"
    written = mfv.export_model(hostile, 3, to="drn")
    assert written.path.resolve().parent == tmp_path
    assert read_drn(written.path).declared == (2, 2)
    assert default_name(Model([[[1]]], [[[[1]]]], [[1]], [[[1]]], "1/2", name="!"), 1) == "model-n1"


def test_two_exports_give_the_same_bytes(tmp_path: Path) -> None:
    for to in ("drn", "quantecon-npz"):
        paths = [export_model(coordination(), 4, tmp_path / f"{i}.{to}", to).path for i in range(2)]
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["export", "models:coordination", "--agents", "4", "--to", "drn"]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[:2] == ["wrote coordination-n4.drn", "coordination with n = 4: 10 states, 140 choices, 140 transitions"]
    assert run(["export", "models:coordination", "--agents", "4", "--to", "quantecon-npz", "--out", "deep/er/x.npz"]) == 0
    assert "scipy.sparse.load_npz" in capsys.readouterr().out
    assert (tmp_path / "deep/er/x.npz").exists()
    assert run(["export", "models:coordination", "--agents", "4", "--to", "drn", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "model": "coordination",
        "agents": 4,
        "format": "drn",
        "file": "coordination-n4.drn",
        "states": 10,
        "choices": 140,
        "transitions": 140,
        "property": 'R{"nonnegative"}max=? [F "end"]',
        "value_offset": "-101/50",
    }
    for arguments in (
        ["--agents", "0", "--to", "drn"],
        ["--agents", "4"],
        ["--agents", "4", "--to", "dot"],
        ["--agents", "10000", "--to", "drn"],
    ):
        assert run(["export", "models:coordination", *arguments]) == 2
        shown = capsys.readouterr()
        assert shown.out == ""
        assert shown.err.count("\n") == 1
