# SPDX-License-Identifier: MIT
"""A checkout with empty kernels."""
from __future__ import annotations

import contextlib
import io
import os
import tempfile
import unittest
from unittest import mock

from .. import places
from ..judge import Judge

NEWEST = "7.3.4+deb13-amd64"
LTS = "6.12.48+deb13-amd64"
ARM64 = "7.3.4+deb13-arm64"
DEBUG = "7.3.4-sluice-debug"


class GuestTest(unittest.TestCase):
    """A test with a checkout of its own, which collects the output."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="sluice-guests-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self._printed = io.StringIO()
        for patch in (mock.patch.object(places, "BUILD", self.at("build")),
                      mock.patch.object(places, "LOG", self.at("build", "log")),
                      mock.patch.object(places, "LAB", self.at("build", "lab")),
                      mock.patch.object(places, "ROOT", self.at("root")),
                      mock.patch.object(places, "ARM64", self.at("arm64"))):
            patch.start()
            self.addCleanup(patch.stop)
        heard = contextlib.redirect_stdout(self._printed)
        heard.__enter__()
        self.addCleanup(heard.__exit__, None, None, None)

    @property
    def printed(self) -> str:
        """The output so far."""
        return self._printed.getvalue()

    def at(self, *names: str) -> str:
        """A path in the folder of this test."""
        return os.path.join(self.folder, *names)

    def write(self, text: str, *names: str) -> str:
        """Write a file, and make its folder if necessary; returns its path."""
        path = self.at(*names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)
        return path

    def kernel(self, name: str, release: str, dep: str = "") -> None:
        """Add a kernel to the lab, with Sluice's modules for it."""
        self.write(dep, "cache", release, "usr", "lib", "modules", release, "modules.dep")
        self.write("module", "build", release, "sluice.ko")
        os.makedirs(self.at("build", "lab", "kernels"), exist_ok=True)
        os.symlink(self.at("cache", release), self.at("build", "lab", "kernels", name))

    def debug_kernel(self, release: str) -> None:
        """Add a kernel to build/ that was built to catch bugs."""
        self.write("", "build", release, "root", "lib", "modules", release, "modules.dep")
        self.write("/image\n", "build", release, "image")
        self.write("", "build", release, "sluice.ko")
        self.write("", "build", release, "sluice-importer.ko")

    def judged(self, *lines: str, label: str = "newest") -> Judge:
        """The judge of a guest with these lines."""
        judge = Judge(label)
        for text in lines:
            judge.line(text)
        return judge
