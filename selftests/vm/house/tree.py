# SPDX-License-Identifier: MIT
"""The C files of a checkout."""
from __future__ import annotations

import os

from . import source
from .source import Source


class Tree:
    """The files below drivers/, by their paths from the top."""

    def __init__(self, top: str):
        self.top = top
        self.sources: dict[str, Source] = {}
        for folder, _, names in os.walk(os.path.join(top, "drivers")):
            for name in names:
                if name.endswith((".c", ".h")) and not name.endswith(".mod.c"):
                    path = os.path.relpath(os.path.join(folder, name), top)
                    self.sources[path] = source.read(self.text(path))
        self.sources = dict(sorted(self.sources.items()))

    def text(self, path: str) -> str:
        """The text of a file."""
        with open(os.path.join(self.top, path), encoding="utf-8") as file:
            return file.read()

    def has(self, path: str) -> bool:
        """Does this file exist?"""
        return os.path.exists(os.path.join(self.top, path))

    def included(self, path: str, name: str) -> str | None:
        """The file of an include, searched in the folders of Kbuild."""
        for folder in (os.path.dirname(path), "drivers/core", ""):
            found = os.path.normpath(os.path.join(folder, name))
            if self.has(found):
                return found
        return None
