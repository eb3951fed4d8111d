# SPDX-License-Identifier: MIT
"""One finding, and a failure of the command itself."""
from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """A place that breaks a rule, with a sentence about the remedy."""

    path: str	# from the top of the tree
    line: int
    kind: str	# the rule: plan, file, head, face, include, call, circle, name, version or document
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


class Problem(Exception):
    """A failure of the command itself; its text is one sentence for the user."""
