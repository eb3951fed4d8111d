# SPDX-License-Identifier: MIT
"""The guest that has the Debian packages installed."""
from __future__ import annotations

import sys
from unittest import mock

from .. import __main__, guest
from ..guest import Guest
from .local import NEWEST, GuestTest


class Packages(GuestTest):
    """Its folders, and the command line."""

    def test_guest_has_the_root_and_the_modules_that_were_named(self) -> None:
        self.kernel("newest", NEWEST)
        with mock.patch.object(guest.initramfs, "make"), \
             mock.patch.object(guest, "audio_drivers", return_value=[]):
            command = Guest("newest", "packages", root="/machine", modules_at="/machine").command
        text = " ".join(command)
        self.assertIn("id=root,path=/machine,", text)
        self.assertIn("id=modules,path=/machine/lib/modules/7.3.4+deb13-amd64,", text)
        self.assertIn("sluice.mode=packages", text)

    def test_command_without_its_folders_says_which_script_has_them(self) -> None:
        with mock.patch.object(sys, "argv", ["run", "packages", "newest"]):
            with self.assertRaises(SystemExit) as end:
                __main__.main()
        self.assertIn("run selftests/vm/packages", str(end.exception))
