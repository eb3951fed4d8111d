# SPDX-License-Identifier: MIT
"""Builds: the symbols that are read, and builds of another tree."""
from __future__ import annotations

import os
import shutil
from unittest import mock

from .. import objects
from ..finding import Problem
from ..tree import Tree
from .made import TreeTest


class Builds(TreeTest):
    """A build in a folder beside the tree, and a made-up nm."""

    def setUp(self) -> None:
        super().setUp()
        self.build = os.path.join(self.top, "build")
        shutil.copytree(os.path.join(self.top, "drivers"), os.path.join(self.build, "7.3", "drivers"))
        self.write({f"build/7.3/drivers/core/{name}.o": "" for name in ("slot", "job", "gone")})

    def symbols(self) -> objects.Symbols:
        """The symbols of the build, whose objects have one symbol each."""
        def nm(_root: str, paths: list[str]) -> str:
            return "".join(f"{path}:0000000000000000 T x\n" for path in paths)
        with mock.patch.object(objects, "nm", nm):
            return objects.of_build(self.build, "7.3", Tree(self.top))

    def test_objects_of_files_that_are_gone_are_left_out(self) -> None:
        self.assertEqual(self.symbols().defined, {"drivers/core/slot": {"x"}, "drivers/core/job": {"x"}})

    def test_a_build_of_other_files_is_refused(self) -> None:
        self.append("drivers/core/slot.h", "/* later */\n")
        with self.assertRaisesRegex(Problem, "drivers/core/slot.h as it is now: run 'selftests/vm/build"):
            self.symbols()

    def test_a_build_without_objects_is_refused(self) -> None:
        for name in ("slot", "job"):
            os.unlink(os.path.join(self.build, "7.3", "drivers", "core", f"{name}.o"))
        with self.assertRaisesRegex(Problem, "has no objects"):
            self.symbols()

    def test_a_release_that_was_not_built_is_refused(self) -> None:
        with self.assertRaisesRegex(Problem, "6.1 was not built"):
            objects.of_build(self.build, "6.1", Tree(self.top))
