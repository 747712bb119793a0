"""What rests on what: the statements as a directed graph, an arrow from a claim to each claim that its argument uses.

A refuted claim takes the support from everything that rests on it, directly or through others. It does not refute it: a
theorem can stay true when its proof breaks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from mfverify.claims.claim import Claim, Status


def arrows(claims: Iterable[Claim]) -> list[tuple[str, str]]:
    """Pairs ``(a, b)`` of the given claims' ids: the source's argument for ``a`` uses ``b``."""
    chosen = list(claims)
    ids = {claim.id for claim in chosen}
    return [(claim.id, used) for claim in chosen for used in claim.rests_on if used in ids]


def graph(claims: Iterable[Claim]) -> Any:
    """The claims' ids as a ``networkx.DiGraph`` with these arrows as its edges."""
    import networkx as nx

    chosen = list(claims)
    out = nx.DiGraph()
    out.add_nodes_from(claim.id for claim in chosen)
    out.add_edges_from(arrows(chosen))
    return out


def unsupported(claims: Iterable[Claim], statuses: Mapping[str, Status]) -> dict[str, list[str]]:
    """For every claim that is not refuted itself but rests on refuted ones: those, sorted."""
    chosen = list(claims)
    refuted = {claim_id for claim_id, s in statuses.items() if s is Status.REFUTED}
    if not refuted:
        return {}
    import networkx as nx

    everything = graph(chosen)
    lost = {claim.id: sorted(nx.descendants(everything, claim.id) & refuted) for claim in chosen if claim.id not in refuted}
    return {claim_id: causes for claim_id, causes in lost.items() if causes}


def as_text(claims: Iterable[Claim], statuses: Mapping[str, Status]) -> str:
    """The graph in words, one claim a line: what it rests on, and what of that is refuted."""
    lost = unsupported(list(claims), statuses)
    lines = []
    for claim in claims:
        used = ", ".join(f"{i}{' (refuted)' if statuses.get(i) is Status.REFUTED else ''}" for i in claim.rests_on) or "nothing here"
        status = statuses[claim.id].value
        lines.append(f"{claim.id:5} {status:13} rests on {used}")
        if claim.id in lost:
            lines.append(f"{'':20}loses its support, for {', '.join(lost[claim.id])} is refuted (it may still be true)")
    return "\n".join(lines)
