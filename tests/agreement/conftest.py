"""What tests of the solvers share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.agreement.checks import as_large


@pytest.fixture
def solved_as_large() -> Iterator[None]:
    """For tests of what small systems never reach: the sweeps, iterations and chains of large ones, on examples that are quick."""
    with as_large():
        yield
