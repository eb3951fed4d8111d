# SPDX-License-Identifier: MIT
"""A guest with a shell, and what it saves."""
from __future__ import annotations

import os
from collections.abc import Sequence
from unittest import mock

from .. import initramfs, machine
from ..guest import Guest
from ..machine import Files, Kind
from ..places import Kernel
from .local import NEWEST, GuestTest


class Shells(GuestTest):
    """Guest.interact()."""

    def setUp(self) -> None:
        super().setUp()
        self.kernel("newest", NEWEST)
        for patch in (mock.patch.object(initramfs, "make"),
                      mock.patch.object(machine, "command", self.command)):
            patch.start()
            self.addCleanup(patch.stop)

    def command(self, kind: Kind, kernel: Kernel, files: Files, hears: bool) -> Sequence[str]:
        """A guest that saves a file, and notes what it has been told."""
        del kind, kernel, hears
        return ["sh", "-c", 'echo "$3" >>"$1/history"; cp "$2/guest/saved" "$1/told"', "sh",
                files.out, files.build, files.bar]

    def read(self, *names: str) -> str:
        """The content of a file."""
        with open(self.at(*names), encoding="utf-8") as text:
            return text.read()

    def test_files_are_kept_and_the_guest_knows_where(self) -> None:
        for _ in range(2):
            self.assertEqual(Guest("newest", "shell", interactive=True).interact(), 0)
        history = self.read("build", "saved", "history").splitlines()
        self.assertEqual(len(history), 2)
        self.assertEqual(self.read("build", "saved", "told"), self.at("build", "saved") + "\n")

    def test_memory_of_the_bar_is_not_among_them(self) -> None:
        Guest("newest", "shell", interactive=True).interact()
        bar = self.read("build", "saved", "history").strip()
        self.assertEqual(os.path.basename(bar), "bar")
        self.assertNotEqual(os.path.dirname(bar), self.at("build", "saved"))

    def test_folder_of_a_test_is_emptied(self) -> None:
        for _ in range(2):
            guest = Guest("newest", "check")
            self.assertEqual(os.listdir(guest.out), [])
            self.write("old", "build", "out", guest.name, "file")
