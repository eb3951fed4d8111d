# SPDX-License-Identifier: MIT
"""What scripts/into-kernel writes to a kernel's source, and above all what it leaves alone.

The source has only the files that the command reads: make check-ktree uses a real one.
"""
from __future__ import annotations

import os
import subprocess

from .local import GuestTest

COMMAND = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", "..", "..", "scripts",
                                        "into-kernel"))
HOME = ("drivers", "misc", "sluice")
TESTS = ("tools", "testing", "selftests", "sluice")
MAINTAINERS = "Maintainers List\n----------------\n\nAAA\nM:\tA\nF:\ta/\n\nTHE REST\nM:\tR\nF:\t*\n"


class IntoKernel(GuestTest):
    """A small source of a kernel."""

    def setUp(self) -> None:
        super().setUp()
        for path, text in (("Kbuild", ""), ("MAINTAINERS", MAINTAINERS),
                           ("drivers/misc/Kconfig", "menu\nendmenu\n"), ("drivers/misc/Makefile", "obj-y += x.o\n"),
                           ("include/uapi/linux/types.h", ""),
                           ("include/linux/module.h", "#define MODULE_IMPORT_NS(ns)\tMODULE_INFO(import_ns, ns)\n")):
            self.write(text, "kernel", path)

    def run_it(self, *words: str) -> str:
        """Run the command; returns what it says, without the name of the folder."""
        done = subprocess.run([COMMAND, self.at("kernel"), *words], check=False, capture_output=True, text=True)
        self.assertEqual(bool(done.returncode), bool(done.stderr), done.stderr)
        return (done.stdout + done.stderr).replace(self.at("kernel"), "KERNEL").strip()

    def read(self, *names: str) -> str:
        """A file of the kernel."""
        with open(self.at("kernel", *names), encoding="utf-8") as file:
            return file.read()

    def test_only_files_that_a_run_has_written_are_deleted(self) -> None:
        victim = self.write("", "victim.c")
        mine = [self.write("int x;\n", "kernel", *folder, name) for folder in (HOME, TESTS)
                for name in ("mine.c", "mine.h")]
        self.assertIn("changed", self.run_it())
        self.assertEqual(self.run_it(), "KERNEL has this version already")
        old = [self.write("", "kernel", *folder, "old.c") for folder in (HOME, TESTS)]
        self.write(self.read(*HOME, ".files") + "drivers/misc/sluice/old.c\n../victim.c\n"
                   "drivers/misc/sluice/../../../../victim.c\ndrivers/misc/Kconfig\n"
                   "tools/testing/selftests/sluice/old.c\n", "kernel", *HOME, ".files")
        self.assertEqual(self.run_it(), "3 files of KERNEL changed")
        self.assertEqual([path for path in old if os.path.exists(path)], [])
        self.assertEqual([path for path in (victim, *mine) if not os.path.exists(path)], [])
        self.assertIn("sluice/Kconfig", self.read("drivers", "misc", "Kconfig"))
        self.assertEqual(self.run_it(), "KERNEL has this version already")

    def test_folder_that_is_a_link_is_refused(self) -> None:
        for folder in (HOME, TESTS, (*HOME, "core")):
            os.makedirs(self.at("elsewhere"), exist_ok=True)
            os.makedirs(os.path.dirname(self.at("kernel", *folder)), exist_ok=True)
            os.symlink(self.at("elsewhere"), self.at("kernel", *folder))
            self.assertEqual(self.run_it(), f"into-kernel: KERNEL/{'/'.join(folder)} is a symbolic link: "
                             "remove it, and run this again")
            self.assertEqual(os.listdir(self.at("elsewhere")), [])
            self.assertEqual(self.read("MAINTAINERS"), MAINTAINERS)
            os.unlink(self.at("kernel", *folder))

    def test_entry_of_maintainers_keeps_what_was_added(self) -> None:
        self.run_it("--maintainer", "One <one@example.org>")
        text = self.read("MAINTAINERS")
        self.assertIn("M:\tOne <one@example.org>\nS:\tMaintained\nF:\t", text)
        added = text.replace("S:\tMaintained\n", "M:\tTwo\nL:\tlist\nS:\tSupported\nT:\tgit x\n")
        self.write(added.replace("F:\tinclude/linux/sluice.h\n", "F:\tgone/\n"), "kernel", "MAINTAINERS")
        self.run_it()
        self.assertEqual(self.read("MAINTAINERS"), added)
        self.run_it("--maintainer", "Three")
        self.assertEqual(self.read("MAINTAINERS"),
                         added.replace("One <one@example.org>\nM:\tTwo", "Three"))
