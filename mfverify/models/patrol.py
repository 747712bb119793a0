"""The patrol model: our own configuration in the authors' format (``patrol_config.json`` beside this file)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mfverify.model import Model
from mfverify.model_files import load_model


def patrol() -> Model:
    """Read the bundled configuration; its functions are parsed, never executed."""
    return replace(load_model(Path(__file__).with_name("patrol_config.json")), name="patrol")
