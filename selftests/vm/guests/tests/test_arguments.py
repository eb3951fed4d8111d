# SPDX-License-Identifier: MIT
"""The command line, and make clean."""
from __future__ import annotations

import contextlib
import io
import os
import subprocess
from unittest import mock

from .. import __main__ as command
from .. import places
from .local import GuestTest


class Arguments(GuestTest):
    """arguments()."""

    def parse(self, *words: str) -> str:
        """The part, or what is said about it."""
        said = io.StringIO()
        with mock.patch("sys.argv", ["run", *words]), contextlib.redirect_stderr(said):
            try:
                return str(command.arguments().part)
            except SystemExit as end:
                self.assertEqual(end.code, 2)
        return said.getvalue().splitlines()[-1]

    def test_part_must_fit_the_mode(self) -> None:
        self.assertEqual(self.parse("check", "newest", "-p", "iommu"), "iommu")
        self.assertEqual(self.parse("doctor", "newest", "-p", "bare"), "bare")
        self.assertEqual(self.parse("shell", "newest"), "")
        self.assertIn("check has no part 'bare': use one of iommu", self.parse("check", "newest", "-p", "bare"))
        self.assertIn("doctor has no part 'iommu': use one of bare", self.parse("doctor", "newest", "-p", "iommu"))
        self.assertIn("demo has no part 'numa': leave out --part", self.parse("demo", "newest", "-p", "numa"))


class Clean(GuestTest):
    """make clean."""

    def clean(self) -> str:
        """Run it; returns what it says."""
        return subprocess.run(["make", "-s", "-C", self.folder, "-f",
                               os.path.join(places.TOP, "Makefile"), "clean"],
                              check=True, capture_output=True, text=True).stdout

    def test_saved_files_stay(self) -> None:
        self.write("mine", "build", "saved", "frame.ppm")
        self.write("", "build", "out", "file")
        self.assertIn("build/saved stays", self.clean())
        self.assertEqual(os.listdir(self.at("build")), ["saved"])
        self.assertEqual(os.listdir(self.at("build", "saved")), ["frame.ppm"])

    def test_everything_else_is_removed(self) -> None:
        os.makedirs(self.at("build", "saved"))
        self.write("", "build", "out", "file")
        self.assertNotIn("saved", self.clean())
        self.assertFalse(os.path.exists(self.at("build")))
