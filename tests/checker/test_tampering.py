"""Tampered certificates are refused: quickly, with a reason, and without a crash.

Every kind of tampering is applied with the digest left as it is and, where it has to break the proof alone, with the digest
computed anew: a forger can do that too.
"""

from __future__ import annotations

import copy
import hashlib
import json
import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mfverify.checker import check_certificate as checker
from tests.architecture.sources import PROJECT

FOLDER = PROJECT / "reports" / "certificates"
BUNDLED = sorted(FOLDER.glob("*.json"))
MOST_STEPS_HERE = 5 * 10**5
QUICK = [path for path in BUNDLED if json.loads(path.read_text())["cost"]["steps"] <= MOST_STEPS_HERE]
"""Certificates that take well under a second to check."""

Document = dict[str, Any]


def sealed(document: Document) -> bytes:
    """The document with a digest that fits."""
    content = {key: part for key, part in document.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return json.dumps(content | {"digest": hashlib.sha256(text.encode()).hexdigest()}).encode()


def leaves(part: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every string and integer of a document, with the way to it."""
    if isinstance(part, dict):
        for key, inner in part.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(part, list):
        for i, inner in enumerate(part):
            yield from leaves(inner, (*path, i))
    else:
        yield path, part


def put(document: Document, path: tuple[Any, ...], value: Any) -> Document:
    """A copy with one entry replaced."""
    out = copy.deepcopy(document)
    inner = out
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return out


def numbers_that_matter(document: Document) -> list[tuple[tuple[Any, ...], str]]:
    """Values that the proof rests on: witness vectors, rewards, discount. Laws are apart: they have to add up."""
    out = []
    for path, leaf in leaves(document):
        in_proof = path[0] == "proof" and path[-1] not in ("radius", "deviation") and "kernel" not in path
        in_model = len(path) > 1 and path[0] == "model" and path[1] in ("global_reward", "local_reward")
        if isinstance(leaf, str) and (in_proof or in_model):
            out.append((path, leaf))
    return out


# ------------------------------------------------------------------------------------------- tampering that breaks the proof


def a_value_moved(document: Document, rng: random.Random) -> Iterator[Document]:
    """A witness value or a reward is off by far more than the margin."""
    found = numbers_that_matter(document)
    for path, leaf in rng.sample(found, min(6, len(found))):
        if path[0] == "proof":
            whole, sign, rest = leaf.partition("/" if "/" in leaf else ".")
            yield put(document, path, f"{int(whole) + 7}{sign}{rest}")


def a_sign_flipped(document: Document, rng: random.Random) -> Iterator[Document]:
    """A value of more than one in absolute value changes its sign."""
    found = [
        (path, leaf)
        for path, leaf in numbers_that_matter(document)
        if path[0] == "proof" and re.match(r"-?[1-9]", leaf) and "/" not in leaf
    ]
    for path, leaf in rng.sample(found, min(3, len(found))):
        yield put(document, path, leaf[1:] if leaf.startswith("-") else f"-{leaf}")


def an_action_swapped(document: Document, rng: random.Random) -> Iterator[Document]:
    """One entry of the policy: another global action, or another local one."""
    found = [(path, leaf) for path, leaf in leaves(document["proof"]) if "policy" in path and isinstance(leaf, int)]
    for path, leaf in rng.sample(found, min(6, len(found))):
        yield put(document, ("proof", *path), 1 - leaf if leaf < 2 else 0)


def a_state_dropped(document: Document, rng: random.Random) -> Iterator[Document]:
    """One entry of a list of states: values, policy, witness, populations."""
    for path in sorted(
        {
            path[: path.index(key) + 2]
            for path, _ in leaves(document["proof"])
            for key in ("values", "executed", "policy", "optimum")
            if key in path
        }
    ):
        out = copy.deepcopy(document)
        inner = out["proof"]
        for step in path:
            inner = inner[step]
        inner.pop(rng.randrange(len(inner)))
        yield out
    if "witness" in (document["proof"] or {}):
        start = document["state"]
        kept = [entry for entry in document["proof"]["witness"] if (entry["global"], entry["counts"]) != (start["global"], start["counts"])]
        yield put(document, ("proof", "witness"), kept)
        yield put(document, ("proof", "witness"), document["proof"]["witness"][:1] * 2)


def another_claim(document: Document, rng: random.Random) -> Iterator[Document]:
    """Claims of another kind, and stronger bounds than were beaten."""
    stronger = {"T1": ["T1b", "T1c", "T2", "T2b", "T2c"], "T1c": ["T2c"], "T2": ["T2b", "T2c"], "C3": ["C2"], "C2": []} | {
        "P4": ["P3"],
        "X3": ["P3", "S4b"],
        "X3b": ["P4", "S4b"],
    }
    other_kind = ["L2", "C7", "B1", "T1 ", ""] if document["claim"] != "L2" else ["C7", "T1", "P3", "S4b"]
    for claim in [*stronger.get(document["claim"], []), *other_kind]:
        if claim != document["claim"] and (claim, document["claim"]) != ("C7", "C7b"):
            yield put(document, ("claim",), claim)


def sides_overstated(document: Document, _: random.Random) -> Iterator[Document]:
    """More is stated than can be shown."""
    yield put(document, ("actual", "lower"), "1000")
    yield put(document, ("bound", "upper"), "-1")
    yield put(document, ("margin",), "1000")
    yield put(document, ("margin",), "0")
    yield put(document, ("margin",), "-1/100")


def another_model(document: Document, rng: random.Random) -> Iterator[Document]:
    """A row that is no law, a discount out of range, a missing state, a model that the values do not belong to."""
    if document["model"] is None:
        kernel = (document["proof"] or {}).get("kernel")
        if kernel:
            yield put(document, ("proof", "kernel", 0, 0), "9/10")
            yield put(document, ("proof", "kernel", 0), ["-1", *["2"] * (len(kernel) - 1)])
            yield put(document, ("proof", "kernel"), kernel[:-1])
        return
    yield put(document, ("model", "local_kernel", 0, 0, 0, 0), "1/7")
    yield put(document, ("model", "global_kernel", 0, 0), ["-1", "2", "0"][: len(document["model"]["global_kernel"])])
    yield put(document, ("model", "discount"), "1")
    yield put(document, ("model", "discount"), "99/100")
    yield put(document, ("model", "global_reward"), document["model"]["global_reward"][:-1])
    if document["claim"] != "A2":  # it compares what is not the agent's own reward
        yield put(document, ("model", "local_reward", 0, 0, 0), "50")
    yield put(document, ("model", "local_kernel"), {"0": 1})
    yield put(document, ("model",), None)


def other_sizes(document: Document, _: random.Random) -> Iterator[Document]:
    """Another number of agents or another sample size than the witnesses were made for."""
    for key in ("agents", "subsample"):
        if document[key] is not None:
            # More samples than X1s allows for k are too few for k + 1 as well: that is another true statement.
            larger = [] if (document["claim"], key) == ("X1s", "subsample") else [document[key] + 1]
            for value in (*larger, 0, -1, 10**9, str(document[key]), True, None):
                yield put(document, (key,), value)
    if isinstance(document["state"], dict) and "counts" in document["state"]:
        counts = document["state"]["counts"]
        yield put(document, ("state", "counts"), [*counts[:-1], counts[-1] + 1])
        yield put(document, ("state", "counts"), counts[:-1])
        yield put(document, ("state", "counts"), [-1, *counts[1:]])
        yield put(document, ("state", "global"), 99)


def a_radius_that_is_wrong(document: Document, _: random.Random) -> Iterator[Document]:
    """Smaller than the values allow, or negative. The values of P4 are exact decimals: a radius of 0 is true there."""
    for path, leaf in leaves(document["proof"]):
        if path and path[-1] == "radius":
            yield put(document, ("proof", *path), "-1")
            if leaf != "0" and document["claim"] != "P4":
                yield put(document, ("proof", *path), "0")


def hostile_numbers(document: Document, rng: random.Random) -> Iterator[Document]:
    """What a parser may choke on."""
    found = [
        path for path, leaf in leaves(document) if isinstance(leaf, str) and path[0] in ("proof", "model", "actual") and path[-1] != "name"
    ]
    for text in ("9" * 1999, "1/" + "7" * 1998, "1/0", "0x10", "1e9", "nan", "١/٢", " 1", "", "9" * 5000):
        yield put(document, rng.choice(found), text)
    for value in (10**4000, [[[[]]]], {"a": {}}, None, True):
        yield put(document, rng.choice(found), value)


BREAKING: list[Callable[[Document, random.Random], Iterator[Document]]] = [
    a_value_moved,
    a_sign_flipped,
    an_action_swapped,
    a_state_dropped,
    another_claim,
    sides_overstated,
    another_model,
    other_sizes,
    a_radius_that_is_wrong,
    hostile_numbers,
]


def refused(text: bytes) -> checker.Answer:
    answer = checker.check(text)
    assert not answer.accepted, answer
    assert len(answer.reasons) == 1
    assert 0 < len(answer.reasons[0]) < 400
    assert "\n" not in answer.reasons[0]
    return answer


SMALLEST = sorted(QUICK, key=lambda path: path.stat().st_size)[: len(QUICK) // 2]


@pytest.mark.parametrize(
    "paths", [SMALLEST, pytest.param([x for x in QUICK if x not in SMALLEST], marks=pytest.mark.slow)], ids=["small", "large"]
)
@pytest.mark.parametrize("kind", BREAKING, ids=lambda kind: kind.__name__)
def test_tampering_with_a_digest_made_to_fit_is_refused(
    kind: Callable[[Document, random.Random], Iterator[Document]], paths: list[Path]
) -> None:
    for path in paths:
        rng = random.Random(f"{kind.__name__} of {path.stem}")  # so that another certificate changes nothing for this one
        document = json.loads(path.read_text())
        for tampered in kind(document, rng):
            answer = refused(sealed(tampered))
            assert "digest" not in answer.reasons[0]


def test_there_are_more_than_200_of_them() -> None:
    number = sum(len(list(kind(json.loads(path.read_text()), random.Random(0)))) for kind in BREAKING for path in QUICK)
    assert len(QUICK) >= 8
    assert number >= 200


def test_any_changed_digit_is_noticed_by_the_digest() -> None:
    rng = random.Random(7)
    for path in QUICK:
        text = path.read_text()
        places = [i for i, x in enumerate(text) if x.isdigit()]
        for i in rng.sample(places, 12):
            changed = text[:i] + str((int(text[i]) + 1 + rng.randrange(9)) % 10) + text[i + 1 :]
            if changed != text:
                refused(changed.encode())


@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.stem)
def test_truncated_files_are_refused(path: Path) -> None:
    text = path.read_bytes()
    for share in range(1, 10):
        refused(text[: len(text) * share // 10])
    refused(text.rstrip()[:-1])
    refused(text + b"{}")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"{}",
        b'{"version": 1}',
        b"[" * 200_000,
        b'{"a":' * 100_000,
        b"1" * 100_000,
        b'{"version": NaN}',
        b'{"version": 1.5}',
        b'{"version": 1, "version": 1}',
        b" " * (checker.LARGEST_FILE + 1),
    ],
    ids=lambda text: repr(text[:12]),
)
def test_what_is_no_certificate_is_refused(text: bytes) -> None:
    refused(text)


def test_deep_nesting_inside_a_certificate_is_refused() -> None:
    text = QUICK[0].read_text()
    for depth in (10, 1000, 100_000):
        refused(text.replace('"proof":', '"proof": ' + "[" * depth + "]" * depth + ', "x":', 1).encode())


@pytest.mark.parametrize(("agents", "subsample"), [(10_000, 10_000), (10_000, 5000), (9999, 1)])
def test_what_would_take_unreasonably_long_is_refused_before_it_is_done(agents: int, subsample: int) -> None:
    """A model with many states and values for none of them is refused for either reason, at once."""
    states = 6
    row = ["1/6"] * states
    model = {
        "discount": "1/2",
        "global_kernel": [[["1"]]],
        "local_kernel": [[[row] * 3]] * states,
        "global_reward": [["0"]],
        "local_reward": [[["0"] * 3]] * states,
    }
    document = json.loads((FOLDER / "T1.json").read_text()) | {"model": model, "agents": agents, "subsample": subsample}
    document["state"] = {"global": 0, "counts": [agents] + [0] * (states - 1)}
    assert refused(sealed(document)).steps <= checker.MOST_STEPS
    population = json.loads((FOLDER / "C7b.json").read_text())
    population["parameters"]["population"] = "+".join(["60"] * 30)
    population |= {"agents": 1800, "subsample": 900}
    population["proof"]["kernel"] = [["1", *["0"] * 29]] * 30
    assert "steps" in refused(sealed(population)).reasons[0]
