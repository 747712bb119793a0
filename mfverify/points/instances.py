"""The instance of a claim at a point: what its search space, or the instances that it lists, say about a model, n and k."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from mfverify.errors import ModelError
from mfverify.model import Model, derived_name
from mfverify.models.families import PREFIX, Family
from mfverify.rationals import parameter, quoted
from mfverify.theory.cases.case import Case
from mfverify.theory.cases.of_model import OfAgents, OfSample, Subsampled
from mfverify.theory.claim import Claim, NotApplicable, Profile
from mfverify.theory.search_space import Arrangement, Parameters, Populations, Transitions

_FEWEST_CLASSES = 2


def needs_model(claim: Claim) -> bool:
    """Whether a claim is about models. Raises :class:`ModelError` for one that is not about n and k at all."""
    if isinstance(claim.searched, (Transitions, Parameters)):
        raise ModelError(
            f"claim {claim.id}: has other parameters than a model, n and k; name an instance that it lists (--instance LABEL of verify or certify)"
        )
    return not isinstance(claim.searched, Populations) and (
        isinstance(claim.searched, Arrangement) or any(one.written.model is not None for one in claim.instances(Profile.QUICK, None))
    )


@dataclass(frozen=True)
class Where:
    """The models, n and k of a claim: ``model`` is a model, a bundled one with arguments, or None for claims about populations."""

    claim: Claim
    model: Model | Family | None

    def check(self, names: tuple[str, ...]) -> None:
        """Raise :class:`ModelError` for an axis that this claim or model does not have, and for one that is missing."""
        own = set()
        if needs_model(self.claim):
            if self.model is None:
                raise ModelError(f"model: claim {self.claim.id} is about models; give one, such as models:coordination")
            own = {"discount"} | (set(self.model.parameters) if isinstance(self.model, Family) else set())
        else:
            if self.model is not None:
                raise ModelError(f"model: claim {self.claim.id} is about populations of n agents in classes; leave the model out")
            own = {"classes"}
        for name in names:
            if name not in own | {"n", "k"}:
                raise ModelError(f"{name}: is not varied here; what can be varied is n, k, {', '.join(sorted(own))}")
        if "n" not in names:
            raise ModelError("n: is missing; give the number of agents (--agents)")
        if "k" not in names:
            raise ModelError("k: is missing; give the number of sampled agents (--subsample)")

    def model_at(self, changes: Mapping[str, Fraction]) -> Model | None:
        """The model with other parameters or another discount. Raises :class:`ModelError` where it does not exist."""
        if self.model is None:
            return None
        if isinstance(self.model, Family):
            own = {name: x for name, x in changes.items() if name in self.model.parameters}
            made = self.model.at(own).model()
            return _discounted(made, changes["discount"]) if "discount" in changes and "discount" not in own else made
        return _discounted(self.model, changes["discount"]) if "discount" in changes else self.model

    def text_at(self, changes: Mapping[str, Fraction]) -> tuple[str, tuple[str, ...]]:
        """How a command names the model at a point, as far as the model itself has a text, and the options beside it."""
        if isinstance(self.model, Family):
            family = self.model.at({name: x for name, x in changes.items() if name in self.model.parameters})
            rest = (
                ("--discount", parameter(changes["discount"])) if "discount" in changes and "discount" not in self.model.parameters else ()
            )
            return PREFIX + family.text, rest
        return "", ("--discount", parameter(changes["discount"])) if "discount" in changes else ()


def _discounted(model: Model, discount: Fraction) -> Model:
    """The model with another discount, named after it."""
    if discount == model.discount:
        return model
    arrays = (model.global_kernel, model.local_kernel, model.global_reward, model.local_reward)
    return Model(*arrays, discount, derived_name(model.name, after=f", discount={parameter(discount)}"), model.documentation)


def instance_at(claim: Claim, model: Model | None, n: int, k: int, classes: int = _FEWEST_CLASSES) -> Case | NotApplicable:
    """The instance of a claim at a model, n and k; populations are divided over ``classes`` classes as evenly as possible.

    Claims without a search space are taken as they list their instances for the model. Raises :class:`ModelError` where these have
    parameters of their own.
    """
    if k > n:
        return NotApplicable(f"k = {k} of n = {n} agents cannot be sampled")
    made: Case | None
    if isinstance(claim.searched, Populations):
        if not _FEWEST_CLASSES <= classes <= n:
            return NotApplicable(f"{n} agents cannot occupy {classes} classes, or one class only is no population to sample")
        made = claim.searched.make(tuple(n // classes + (i < n % classes) for i in range(classes)), k)
    elif isinstance(claim.searched, Arrangement):
        assert model is not None
        if not claim.searched.admits(model):
            return NotApplicable(f"the claim does not cover the model {model.name}")
        made = claim.searched.make(model, n, k)
    else:
        made = _as_listed(claim, model, n, k)
    return NotApplicable(f"the claim does not cover n = {n}, k = {k}") if made is None else made


def _as_listed(claim: Claim, model: Model | None, n: int, k: int) -> Case:
    """A case of the type of those that the claim lists for the model, where these have n and k alone."""
    types = {type(one) for one in claim.instances(Profile.QUICK, None if model is None else [model])}
    if model is None or len(types) != 1 or not types <= {Subsampled, OfSample, OfAgents}:
        raise ModelError(
            f"claim {claim.id}: lists no instance with n and k alone for this model; give the claim a search space (searched=Arrangement(...))"
        )
    if OfSample in types:
        return OfSample(model, k)
    return OfAgents(model, n) if OfAgents in types else Subsampled(model, n, k)


def instance_labelled(claim: Claim, label: str) -> Case:
    """The instance of a claim with a label, of either profile. Raises :class:`ModelError` where there is none."""
    for profile in Profile:
        cases: Sequence[Case] = claim.instances(profile, None)
        for one in cases:
            if one.label == label:
                return one
    raise ModelError(f"--instance: {quoted(label)} is no instance of {claim.id}; take a label from report.json")
