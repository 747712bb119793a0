"""The bundled models, one file each, with their sources and closed forms."""

from mfverify.models.absorbing import absorbing
from mfverify.models.coordination import coordination

__all__ = ["absorbing", "coordination"]
