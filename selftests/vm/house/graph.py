# SPDX-License-Identifier: MIT
"""Circles."""
from __future__ import annotations

from collections.abc import Iterable

Edge = tuple[str, str]


def way(edges: set[Edge], begin: str, end: str) -> list[str] | None:
    """The shortest way from one node to another, with both; at least one edge."""
    ways = [[begin]]
    seen: set[str] = set()
    for path in ways:
        for target in sorted(to for source, to in edges if source == path[-1]):
            if target == end:
                return [*path, target]
            if target not in seen:
                seen.add(target)
                ways.append([*path, target])
    return None


def circles(edges: Iterable[Edge]) -> list[list[str]]:
    """A circle through each node of a circle; each node is in one list only.

    The first node of a list is its last one, too.
    """
    every = set(edges)
    found: list[list[str]] = []
    done: set[str] = set()
    for node in sorted({source for source, _ in every}):
        if node not in done:
            circle = way(every, node, node)
            if circle:
                found.append(circle)
                done.update(circle)
    return found
