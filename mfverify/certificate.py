"""Certificates: a violated instance of a claim as a JSON document that a page of code can check.

:func:`certify` finds the numbers with the solvers of this package; what makes them certain is the independent checker
(``checker/``), which shares no code with them and recomputes every law, reward and bound. A certificate holds the
model and *witnesses*: value vectors in a few decimals, the greedy policy that they determine, and a policy whose value bounds the
optimum from below. None of them has to be trusted: one application of an operator certifies a vector.

The file of a statement says how a violation of it is certified (``certificate=``, see :mod:`mfverify.theory.witness`).

- The gap of a policy, ``V*(s_0) - V^{pi_k}(s_0)`` from below, against a formula; or against the largest gap at a smaller sample (or from
  other starts), bounded from above.
- What a function of the statement finds: two values of ``Q*``, a sample of a population, two joint actions, two policies.

A claim that is not in the catalogue is certified if it bounds the gap: the certificate is called ``own:ID`` and contains the bound as an expression
that the checker evaluates. Where the checker cannot read the bound, its number is taken on trust, and the checker says so.

A certificate is a function of model, claim and instance: the same bytes every time.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, comb, floor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import sympy as sp

from mfverify import counts
from mfverify.bellman.lumped import LumpedOperator
from mfverify.checker import check_certificate as independent
from mfverify.enclosure import Interval
from mfverify.errors import ModelError, NoCertificateError, TooLargeError
from mfverify.files import write_whole
from mfverify.json_files import parse_json, read_text
from mfverify.model_files import model_from_document
from mfverify.papers import CATALOGUE
from mfverify.papers.named import claim_named, is_registered
from mfverify.papers.quantities import exact_values, executed, learned, optimum
from mfverify.rationals import written
from mfverify.readable import table
from mfverify.theory.bound import Bound
from mfverify.theory.cases.case import Case, Written, read
from mfverify.theory.cases.of_model import Subsampled
from mfverify.theory.claim import Claim, Profile, Sides, Verdict, judge
from mfverify.theory.symbols import MODEL_CLASS
from mfverify.theory.witness import GapProof, Witness

if TYPE_CHECKING:
    from mfverify.enclosure import Enclosure
    from mfverify.model import Model

VERSION: Final = independent.VERSION
_DIGITS: Final = (6, 9, 12)
"""Decimals of the values of the k-agent system, tried in this order; then exact rationals, where ties need them."""
_ORIGIN: Final = "mixture"
"""The parameter that says which linear process a model is the reduction of. A certificate concerns the model, which it contains."""
_OWN: Final = "own:"
"""What stands before the id of a claim that is not in the catalogue."""
_GRID: Final = 30
"""Values are rounded to multiples of ``2**-30`` before a policy is read off them."""
_MOST_SAMPLES: Final = 60
"""Samples of a population of which all are looked at to find the states that a policy reaches."""
_FEW_STATES: Final = 100
"""Count vectors below which all are listed."""
_LONGEST_EXACT: Final = 60
"""An exact side with more characters than this is stated in decimals, rounded to the safe side."""

Document: TypeAlias = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Certificate:
    """A violated instance with all that is needed to check it.

    Parameters
    ----------
    document
        Its JSON.

    Examples
    --------
    >>> from mfverify import SampledPopulation
    >>> certify("C3", SampledPopulation((1, 1), 1))
    Certificate(claim C3, n 2, k 1, left side at least 1, right side at most 0.6)
    """

    document: Document

    @property
    def instance(self) -> Case:
        """The case that it certifies: ``certify(claim, instance)`` gives the same bytes again. Raises :class:`ModelError` where the
        document is not one of :func:`certify`."""
        claim, model, agents, subsample, parameters = (
            self.document.get(key) for key in ("claim", "model", "agents", "subsample", "parameters")
        )
        if str(claim).startswith(_OWN):
            raise ModelError(
                f"{claim}: is the certificate of a claim that is not in the catalogue; its instance is known to that claim only"
            )
        sizes = all(x is None or type(x) is int for x in (agents, subsample))
        if not (isinstance(claim, str) and isinstance(model, dict | None) and sizes and isinstance(parameters, dict)):
            raise ModelError("the document is not a certificate: it needs a claim, a model, agents, subsample and a table of parameters")
        form = Written(None if model is None else model_from_document(model), agents, subsample, parameters)
        return read(form, dict.fromkeys(type(one) for one in CATALOGUE[claim].instances(Profile.QUICK, None)))

    def __repr__(self) -> str:
        return f"Certificate({', '.join(f'{name} {value}' for name, value in self._told())})"

    def _repr_html_(self) -> str:
        """In a notebook: the claim, n, k and the two sides."""
        return table(("part", "certified"), self._told())

    def _told(self) -> list[tuple[str, str]]:
        """What a reader wants to know first, as far as the document has it."""
        model = self.document.get("model")
        told = [("claim", self.document.get("claim")), ("model", model.get("name") if isinstance(model, dict) else None)]
        told += [(name, self.document.get(key)) for name, key in (("n", "agents"), ("k", "subsample"))]
        for name, key, end in (("left side at least", "actual", "lower"), ("right side at most", "bound", "upper")):
            side = self.document.get(key)
            told.append((name, side.get(end) if isinstance(side, dict) else None))
        return [(name, str(value)[:60]) for name, value in told if value is not None]

    def to_json(self) -> str:
        """The text of the file: sorted keys, one line for each innermost list, the same for equal documents."""
        return _written(self.document, "") + "\n"

    def save(self, path: str | Path) -> None:
        """Write the file, whole or not at all; raises :class:`ModelError` where that is not possible."""
        write_whole(Path(path), self.to_json())


def _written(part: Any, indent: str) -> str:
    """JSON with short parts on one line."""
    line = json.dumps(part, sort_keys=True, ensure_ascii=False)
    if len(line) <= 120 or not isinstance(part, (dict, list)):
        return line
    deeper = indent + " "
    if isinstance(part, dict):
        body = [f"{json.dumps(key)}: {_written(part[key], deeper)}" for key in sorted(part)]
        return "{\n" + ",\n".join(deeper + x for x in body) + "\n" + indent + "}"
    if all(not isinstance(x, (dict, list)) for x in part):
        return line
    return "[\n" + ",\n".join(deeper + _written(x, deeper) for x in part) + "\n" + indent + "]"


def load_certificate(path: str | Path) -> Certificate:
    """Read the file of a certificate.

    Parameters
    ----------
    path
        A JSON file.

    Returns
    -------
    Certificate
        Its content, which is left to the checker.

    Raises
    ------
    ModelError
        A file that cannot be read or is not JSON text.

    Examples
    --------
    >>> from mfverify.bundled import certificate_path
    >>> load_certificate(certificate_path("certificates:T1")).document["agents"]
    16
    """
    document = parse_json(Path(path), read_text(Path(path), independent.LARGEST_FILE, "a certificate"))
    if any("\ud800" <= x <= "\udfff" for x in json.dumps(document, ensure_ascii=False)):
        raise ModelError(f"{path}: holds half of a character (a lone surrogate), which no text can; give a certificate")
    return Certificate(document)


def check_certificate(certificate: Certificate | str | Path) -> independent.Answer:
    """Have a certificate checked by the independent checker.

    Parameters
    ----------
    certificate
        A certificate, or the path of a file.

    Returns
    -------
    Answer
        ``accepted``, ``reasons``, and the work it took.

    Raises
    ------
    ModelError
        A file that cannot be read or is not JSON text; anything else that is wrong is a reason.

    Examples
    --------
    >>> answer = check_certificate(Certificate({"version": 1}))
    >>> answer.accepted, len(answer.reasons)
    (False, 1)
    """
    if isinstance(certificate, Certificate):
        return independent.check(certificate.to_json().encode())
    return independent.check_file(str(certificate))


def certify(claim: str | Claim, instance: Case) -> Certificate:
    """Build the certificate of a violated case of a claim; a file that is named is executed.

    Parameters
    ----------
    claim
        An id of the catalogue, ``FILE.py:NAME``, or a claim of your own, which has to bound the optimality gap with independent draws and says
        so with ``certificate=GapProof(bound)`` or with ``gap_bound``.
    instance
        The case: model, n, k or a population, as the claim takes them.

    Returns
    -------
    Certificate
        Accepted by the independent checker; equal arguments give the same bytes.

    Raises
    ------
    ModelError
        The instance is not violated, or certificates do not cover the claim.
    NoCertificateError
        The checker refuses what was found; with its reason.

    Notes
    -----
    Cost: that of the claim's sides and of the check.

    Examples
    --------
    >>> from mfverify import SampledPopulation
    >>> certificate = certify("C3", SampledPopulation((1, 1), 1))
    >>> check_certificate(certificate).accepted
    True
    """
    claim = claim if isinstance(claim, Claim) else claim_named(claim)
    claim_id, way = _named(claim)
    outcome = claim.sides(instance)
    verdict = judge(outcome)
    if not isinstance(outcome, Sides) or verdict is not Verdict.VIOLATED:
        raise ModelError(f"claim {claim_id}, {instance.label}: the verdict is {verdict.value}, and only a violation can be certified")
    tried = []
    for digits in (*_DIGITS, None):
        try:
            document = _built(claim_id, way, instance, _Precision(digits))
        except TooLargeError as error:
            tried.append(str(error))
            break
        answer = independent.check(Certificate(_sealed(document)).to_json().encode())
        if answer.accepted:
            document["cost"] = {"steps": answer.steps}
            return Certificate(_sealed(document))
        tried.append(answer.reasons[0])
        if not isinstance(way, GapProof) or "separate" not in tried[-1]:
            break
    raise NoCertificateError(f"claim {claim_id}, {instance.label}: the violation was computed, but the checker does not accept it: {tried[-1]}")


def _named(claim: Claim) -> tuple[str, GapProof | Callable[[Any], Witness]]:
    """What the certificate calls a claim, and how it is certified."""
    way = claim.certificate
    if is_registered(claim):
        if way is None:
            raise ModelError(
                f"claim {claim.id}: certificates cover {', '.join(one.id for one in CATALOGUE if one.certificate is not None)}"
            )
        return claim.id, way
    if way is None and claim.gap_bound is not None and claim.gap_sampling == "independent":
        way = GapProof(claim.gap_bound)
    if not isinstance(way, GapProof) or way != GapProof(way.right, way.values, every_start=way.every_start) or way.right is None:
        raise ModelError(
            f"claim {claim.id}: a certificate of a claim of your own covers a bound of the optimality gap with independent draws; "
            "give the claim certificate=mfverify.GapProof(bound)"
        )
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", claim.id) is None:
        raise ModelError(f"claim {claim.id}: a certificate needs an id of at most 40 letters, digits and . _ -; rename the claim")
    return _OWN + claim.id, way


def _own_parameters(way: GapProof, instance: Subsampled) -> Mapping[str, str | None]:
    """The bound of a claim of one's own in the notation of the checker with the values of its own symbols; without a text where the checker
    would not read it."""
    if not isinstance(way.right, Bound):
        return {"bound": None}
    bound, values = way.right, way.symbol_values(instance)
    text = sp.sstr(bound.expression)
    own = {str(symbol): values[symbol] for symbol in bound.needed if symbol not in MODEL_CLASS}
    if not all(isinstance(x, int | Fraction) for x in own.values()):
        return {"bound": None}
    stated = {"bound": text} | {name: written(Fraction(x)) for name, x in own.items() if isinstance(x, int | Fraction)}
    try:
        model = independent.Model({"model": _model_document(instance.model)})
        high, _ = independent.own_bound({"parameters": stated}, model, instance.agents, instance.subsample)
        low, _ = independent.expression(
            text, independent.sizes_of(model, instance.agents, instance.subsample) | {x: Fraction(stated[x]) for x in own}
        )
    except (independent.Refused, ValueError, RecursionError, MemoryError):
        return {"bound": None}
    computed = bound.enclose(values)
    # The two evaluations enclose one number. If the text were not that of the expression, the bound would not be the claim's.
    return stated if low <= computed.upper and computed.lower <= high else {"bound": None}


def _built(claim_id: str, way: GapProof | Callable[[Any], Witness], instance: Case, precision: _Precision) -> Document:
    if isinstance(way, GapProof):
        return _gap_document(claim_id, way, instance, precision)
    return _witness_document(claim_id, instance, way(instance))


@dataclass(frozen=True)
class _Precision:
    """The number of decimals with which values of the k-agent system are written; None: exactly."""

    digits: int | None


def _sealed(document: Document) -> Document:
    """Add the digest of all other entries."""
    content = {key: part for key, part in document.items() if key != "digest"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return content | {"digest": hashlib.sha256(text.encode()).hexdigest()}


def _document(claim_id: str, instance: Case, left: Interval, right: Interval, **parts: Any) -> Document:
    """The common frame: the two sides as certified numbers, separated by more than the roundings of the witnesses."""
    separation = left.lower - right.upper
    digits = _digits_for(separation / 16)
    model, agents, subsample, parameters = instance.written
    actual = left.lower if left.is_exact and len(written(left.lower)) <= _LONGEST_EXACT else _down(left.lower - separation / 8, digits)
    bound = right.upper if right.is_exact and len(written(right.upper)) <= _LONGEST_EXACT else _up(right.upper + separation / 8, digits)
    frame = {
        "version": VERSION,
        "claim": claim_id,
        "model": None if model is None else _model_document(model),
        "agents": agents,
        "subsample": subsample,
        "parameters": {name: value for name, value in parameters.items() if name != _ORIGIN},
        "state": None,
        "actual": {"lower": _text(actual)},
        "bound": {"upper": _text(bound)},
        "margin": _text(actual - bound),
        "proof": None,
        "cost": None,
    }
    return frame | parts


def _model_document(model: Model) -> Document:
    return {"name": model.name} | model.numbers_as_text()


def _digits_for(error: Fraction) -> int:
    """The number of decimals at which rounding stays below ``error`` > 0."""
    digits = 1
    while Fraction(1, 10**digits) > error:
        digits += 1
    return digits


def _down(value: Fraction, digits: int) -> Fraction:
    return Fraction(floor(value * 10**digits), 10**digits)


def _up(value: Fraction, digits: int) -> Fraction:
    return Fraction(ceil(value * 10**digits), 10**digits)


def _text(value: Fraction) -> str:
    """The number as a decimal where that is exact, otherwise as a fraction."""
    digits = 0
    while digits <= 24 and (value * 10**digits).denominator != 1:
        digits += 1
    if digits > 24:
        return written(value)
    whole = abs(value.numerator * 10**digits // value.denominator)
    text = written(whole).rjust(digits + 1, "0")
    return ("-" if value < 0 else "") + (f"{text[:-digits]}.{text[-digits:]}" if digits else text)


def _rounded(value: float, digits: int) -> Fraction:
    """In so many decimals, off by less than 2/3 of the last one. Values of small models are short fractions: the limit between rounding up
    and down lies where none of them is, so that the last bits of a double do not decide."""
    return Fraction(floor(Fraction(value) * 10**digits + Fraction(618, 1000)), 10**digits)


# ------------------------------------------------------------------------------------------------------------------------ gaps


States: TypeAlias = list[list[tuple[int, ...]]]
"""For each global state the count vectors whose values are listed."""


def _values(enclosure: Enclosure, digits: int, states: States | None = None) -> list[Any]:
    """Midpoints in so many decimals, for each global state in the order of ``count_vectors``, or of ``states`` by their counts."""
    return _listed([[_text(_rounded(x, digits)) for x in row] for row in enclosure.midpoint.tolist()], states)


def _listed(rows: list[list[str]], states: States | None) -> list[Any]:
    """What is written about each state: in the order of ``count_vectors``, or only about some states, by their counts."""
    if states is None:
        return rows
    return [{_name(c): row[counts.rank(c)] for c in some} for row, some in zip(rows, states, strict=True)]


def _name(c: tuple[int, ...]) -> str:
    return "+".join(map(str, c))


def _greedy(model: Model, k: int, precision: _Precision, states: States | None = None) -> Document:
    """Values of the k-agent system that determine its greedy policy, how certain they are, and the policy; those of ``states``, where given."""
    found = learned(model, k)
    actions = [
        [[int(b), [int(a) if a >= 0 else None for a in own]] for b, own in zip(found.global_action[g], found.local_action[g], strict=True)]
        for g in range(model.sizes[0])
    ]
    if states is not None:
        actions = [[row[counts.rank(c)] for c in some] for row, some in zip(actions, states, strict=True)]
    if precision.digits is None:
        return {"values": _listed(exact_values(model, k), states), "radius": "0", "policy": actions}
    # Values off by e have a residual of at most (1 + gamma) e, which is what the checker sees.
    error = Fraction(2, 3 * 10**precision.digits) + Fraction(float(found.value.width.max()))
    radius = _up((1 + model.discount) / (1 - model.discount) * error, precision.digits + 2)
    return {"values": _values(found.value, precision.digits, states), "radius": _text(radius), "policy": actions}


def _reached(model: Model, n: int, k: int, start: tuple[int, tuple[int, ...]]) -> tuple[States | None, States | None]:
    """The states of n agents that the executed policy reaches from a start, and those of k agents that any policy reaches from samples of
    them: their values are all that a certificate needs. None for a small system, and for one of which that is half of all states or more."""
    global_states, _, size, _ = model.sizes
    if comb(n - k + size - 1, size - 1) > _MOST_SAMPLES or comb(n + size - 1, size - 1) < _FEW_STATES:
        return None, None
    found = learned(model, k)
    rows = [[[_targets(row) for row in model.local_kernel[s, g]] for g in range(global_states)] for s in range(size)]
    following = [[set(_targets(row)) for row in model.global_kernel[g]] for g in range(global_states)]

    def left_out(c: tuple[int, ...]) -> list[tuple[int, ...]]:
        rests = (tuple(int(y) for y in rest) for rest in counts.count_vectors(n - k, size))
        return [tuple(x - y for x, y in zip(c, rest, strict=True)) for rest in rests if all(y <= x for x, y in zip(c, rest, strict=True))]

    def played(g: int, c: tuple[int, ...]) -> set[tuple[int, tuple[int, ...]]]:
        ranks = [int(counts.rank(x)) for x in left_out(c)]
        own = [{int(a) for r in ranks if (a := found.local_action[g][r][s]) >= 0} for s in range(size)]
        after = _spread([(x, sorted({t for a in own[s] for t in rows[s][g][a]})) for s, x in enumerate(c)], size)
        return {(h, d) for b in {int(found.global_action[g][r]) for r in ranks} for h in following[g][b] for d in after}

    def possible(g: int, c: tuple[int, ...]) -> set[tuple[int, tuple[int, ...]]]:
        after = _spread([(x, sorted({t for targets in rows[s][g] for t in targets})) for s, x in enumerate(c)], size)
        return {(h, d) for h in set().union(*following[g]) for d in after}

    executed_states = _closure([start], played, global_states * comb(n + size - 1, size - 1) // 2)
    if executed_states is None:
        return None, None
    samples = {(g, x) for g, c in executed_states for x in left_out(c)}
    sampled_states = _closure(sorted(samples), possible, global_states * comb(k + size - 1, size - 1) // 2)
    # By their names, as in the file.
    both = (executed_states, sampled_states)
    first, second = (
        None if found is None else [sorted((c for h, c in found if h == g), key=_name) for g in range(global_states)] for found in both
    )
    return first, second


def _closure(
    starts: Sequence[tuple[int, tuple[int, ...]]], ahead: Callable[[int, tuple[int, ...]], set[tuple[int, tuple[int, ...]]]], most: int
) -> set[tuple[int, tuple[int, ...]]] | None:
    """The states that are reached from these; None for more than ``most``."""
    reached, open_ = set(starts), list(starts)
    while open_ and len(reached) <= most:
        new = ahead(*open_.pop()) - reached
        reached |= new
        open_ += new
    return None if len(reached) > most else reached


def _optimal_policy(model: Model, n: int, starts: Sequence[tuple[int, tuple[int, ...]]], digits: int) -> list[Document]:
    """An optimal policy on the states that it can reach from ``starts``, with its values."""
    operator = LumpedOperator(model, n)
    best = optimum(model, n)
    # Values of small models are short fractions: on a grid they are exact, and the last bits of doubles do not decide between equal actions.
    _, policy = operator.sweep(np.ldexp(np.round(np.ldexp(best.midpoint, _GRID)), -_GRID))
    local_actions = model.sizes[3]
    reached, open_ = set(starts), list(starts)
    entries = []
    while open_:
        g, c = open_.pop()
        rank = int(counts.rank(c))
        global_actions, choice_counts = policy[g]
        choices = operator.choices[g]
        d = [0] * (model.sizes[2] * local_actions)
        for s in range(model.sizes[2]):
            for j in range(int(choices.starts[s]), int(choices.starts[s + 1])):
                d[s * local_actions + int(choices.action[j])] += int(choice_counts[rank, j])
        b = int(global_actions[rank])
        value = _text(max(_rounded(float(best.midpoint[g, rank]), digits), -model.rt / (1 - model.discount)))
        entries.append({"global": g, "counts": list(c), "global_action": b, "local_actions": d, "value": value})
        ahead = {(h, after) for h, p in enumerate(model.global_kernel[g, b]) if p for after in _support(model, g, tuple(d))} - reached
        reached |= ahead
        open_ += sorted(ahead)
    return sorted(entries, key=lambda entry: (entry["global"], entry["counts"]))


def _support(model: Model, g: int, d: tuple[int, ...]) -> set[tuple[int, ...]]:
    """The next count vectors that have positive probability."""
    actions = model.sizes[3]
    return _spread([(x, _targets(model.local_kernel[z // actions, g, z % actions])) for z, x in enumerate(d)], model.sizes[2])


def _targets(row: Any) -> list[int]:
    """The states to which a row of a kernel leads."""
    return [t for t, p in enumerate(row) if p]


def _spread(groups: Sequence[tuple[int, Sequence[int]]], size: int) -> set[tuple[int, ...]]:
    """The count vectors that are possible when each group of agents is spread over its targets in any way."""
    out = {(0,) * size}
    for x, targets in groups:
        if x:
            spread = [tuple(int(y) for y in split) for split in counts.count_vectors(x, len(targets))]
            ends = [tuple(dict(zip(targets, split, strict=True)).get(t, 0) for t in range(size)) for split in spread]
            out = {tuple(p + q for p, q in zip(one, other, strict=True)) for one in out for other in ends}
    return out


def _gap_document(claim_id: str, way: GapProof, instance: Case, precision: _Precision) -> Document:
    """The gap of one policy from below, against a number or against the gap of another policy."""
    if not isinstance(instance, Subsampled):
        raise ModelError(f"claim {claim_id}, {instance.label}: certificates cover instances of a model with the exact operator")
    model, n, k = instance.model, instance.agents, instance.subsample
    later = way.later(n, k)
    best, played = optimum(model, n), executed(model, n, later, "independent")
    gap = best - played
    vectors = [tuple(int(x) for x in row) for row in counts.count_vectors(n, model.sizes[2])]
    types = way.types(instance)
    present = np.array([np.count_nonzero(np.array(c).reshape(types, -1).sum(axis=1)) for c in vectors])
    allowed = np.broadcast_to(present == types, gap.shape)
    # Of states whose gaps the enclosures do not separate from the largest one the first: last bits of doubles do not decide.
    largest = np.where(allowed, gap.lower, -np.inf).max()
    g, rank = (int(x) for x in np.unravel_index(int((allowed & (gap.upper >= largest)).argmax()), gap.shape))
    left = gap[g, rank]
    number = way.number(instance)
    if number is not None:
        right = number
    else:
        second = best - executed(model, n, k, "independent")
        among = present == 1
        lower, upper = (max(Fraction(0), Fraction(float(end[:, among].max()))) for end in (second.lower, second.upper))
        right = Interval(lower, upper) * way.share
    if left.lower <= right.upper:
        raise ModelError(f"claim {claim_id}, {instance.label}: no start state shows the violation")
    # Rounding values by e moves a gap by at most (1 + gamma)/(1 - gamma) e for each of the vectors used.
    digits = _digits_for((left.lower - right.upper) * (1 - model.discount) / 64)
    starts = [(h, c) for h in range(model.sizes[0]) for c in vectors] if way.every_start else [(g, vectors[rank])]
    needs_all = way.every_start or way.right is None
    reached, sampled = (None, None) if needs_all else _reached(model, n, k, (g, vectors[rank]))
    proof: Document = {
        "subsampled": _greedy(model, later, precision, sampled),
        "executed": _values(played, digits, reached),
        "witness": _optimal_policy(model, n, starts, digits),
    }
    if number is None:
        proof["reference"] = {
            "subsampled": _greedy(model, k, precision),
            "executed": _values(executed(model, n, k, "independent"), digits),
            "optimum": _values(best, digits),
        }
    document = _document(claim_id, instance, left, right, state={"global": g, "counts": list(vectors[rank])}, proof=proof)
    return document | ({"parameters": dict(_own_parameters(way, instance))} if claim_id.startswith(_OWN) else {})


def _witness_document(claim_id: str, instance: Case, found: Witness) -> Document:
    """The certificate from what the function of the statement found."""
    parts: Document = {"state": None if found.state is None else dict(found.state), "proof": dict(found.proof)}
    if found.agents is not None:
        parts["agents"] = found.agents
    return _document(claim_id, instance, found.left, found.right, **parts)
