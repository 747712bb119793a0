"""mfverify: is the inequality true, on which models, how loose is it, and what is the smallest counterexample?

Executable checks of the statements of "Mean-Field Sampling for Cooperative Multi-Agent Reinforcement Learning"
(arXiv 2412.00661) with exact solvers: every number in a verdict is an enclosure of the true value of a rational model.

>>> import mfverify as mfv
>>> model = mfv.models.coordination()
>>> gap = mfv.optimal_value(model, 20) - mfv.execution_value(model, 20, mfv.learn(model, 5))
>>> 0.80 < gap.max().lower < gap.max().upper < 0.81
True
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOME = {
    "Enclosure": "enclosure",
    "Interval": "enclosure",
    "UNDECIDED": "enclosure",
    "Model": "model",
    "ModelError": "errors",
    "TooLargeError": "errors",
    "UndecidedError": "errors",
    "UndecidedTieError": "errors",
    "load_model": "model_files",
    "save_model": "model_files",
    "count_vectors": "counts",
    "optimal_value": "exact.optimal",
    "optimal_value_at": "exact.optimal",
    "mean_field_value": "mean_field.limit",
    "export_model": "export.formats",
    "learn": "subsample_mfq.learning",
    "execution_value": "subsample_mfq.execution",
    "simulate": "simulation",
    "batch": "batch",
    "optimal_values": "batch",
    "greedy_policies": "batch",
    "execution_values": "batch",
    "verify": "verification",
    "sweep": "points.sweep",
    "choose_k": "points.choice",
    "Claim": "theory.claim",
    "Control": "theory.claim",
    "Case": "theory.cases.case",
    "OfAgents": "theory.cases.of_model",
    "OfSample": "theory.cases.of_model",
    "Subsampled": "theory.cases.of_model",
    "OfPopulation": "theory.cases.populations",
    "SampledPopulation": "theory.cases.populations",
    "NotApplicable": "theory.claim",
    "Profile": "theory.claim",
    "Sides": "theory.claim",
    "Status": "theory.claim",
    "Unresolved": "theory.claim",
    "Verdict": "theory.claim",
    "Bound": "theory.bound",
    "GapProof": "theory.witness",
    "PaperSymbol": "theory.symbols",
    "Certificate": "certificate",
    "certify": "certificate",
    "load_certificate": "certificate",
    "check_certificate": "certificate",
    "falsify": "falsifier.attack",
    "attack": "falsifier.attack",
    "models": "models",
    "__version__": "version",
}
"""Public name -> the module that defines it. Names are loaded on first use, so that importing the package costs next to nothing."""

__all__ = sorted(name for name in _HOME if not name.startswith("_"))  # noqa: PLE0605  # computed from the one table of public names


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mfverify' has no attribute {name!r}")
    module = import_module(f"mfverify.{_HOME[name]}")
    found = module if name == _HOME[name] else getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return __all__
