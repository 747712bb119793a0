"""The bundled models, one file each, with their sources and closed forms."""

from collections.abc import Callable

from mfverify.model import Model
from mfverify.models.absorbing import absorbing
from mfverify.models.agent_types import crews, typed
from mfverify.models.coordination import coordination
from mfverify.models.exploration import exploration
from mfverify.models.patrol import patrol
from mfverify.models.random_coupled import random_coupled
from mfverify.models.redrawn import redrawn
from mfverify.models.splitting import splitting
from mfverify.models.squeeze import squeeze

BUNDLED: dict[str, Callable[..., Model]] = {
    "coordination": coordination,
    "absorbing": absorbing,
    "patrol": patrol,
    "splitting": splitting,
    "squeeze": squeeze,
    "exploration": exploration,
    "redrawn": redrawn,
    "crews": crews,
    "random_coupled": random_coupled,
}
"""What ``models:NAME`` on the command line refers to; all arguments have defaults."""

__all__ = [
    "BUNDLED",
    "absorbing",
    "coordination",
    "crews",
    "exploration",
    "patrol",
    "random_coupled",
    "redrawn",
    "splitting",
    "squeeze",
    "typed",
]
