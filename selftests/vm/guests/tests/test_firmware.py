# SPDX-License-Identifier: MIT
"""The disk and the variables of a guest with Secure Boot, and the answers to MokManager."""
from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import unittest
from unittest import mock

from .. import firmware, machine, places, secureboot
from ..machine import Files, Kind
from ..secureboot import ANSWERS, Owner
from .local import LTS, NEWEST, GuestTest

MENU = b"\x1b[1;1HPerform MOK management\x1b[0m Continue boot Enroll MOK Enroll key from disk"
SCREENS = (MENU, MENU,
           b"[Enroll MOK] View key 0 Continue",
           b"Enroll the key(s)? No Yes", b"Password:       ", b"Perform MOK management Reboot")


class Commands(unittest.TestCase):
    """commands()."""

    def test_kernel_gets_its_words(self) -> None:
        self.assertEqual(firmware.commands("quiet sluice.mode=secureboot"),
                         "set timeout=0\nlinux /vmlinuz quiet sluice.mode=secureboot\n"
                         "initrd /initramfs\nboot\n")

    def test_special_characters_are_quoted(self) -> None:
        self.assertIn(" 'panic=-1' 'a=$b;c' 'd='\\''e' ", firmware.commands("panic=-1 a=$b;c d='e x=1"))


class Disk(GuestTest):
    """add() and make_disk()."""

    def setUp(self) -> None:
        super().setUp()
        patch = mock.patch.object(places, "WORKSHOP", self.at("workshop"))
        patch.start()
        self.addCleanup(patch.stop)
        self.kernel("newest", NEWEST)
        self.newest = places.kernel_of("newest")
        os.makedirs(os.path.dirname(self.newest.image))
        self.write("image", os.path.relpath(self.newest.image, self.folder))
        for name in (*firmware.LOADERS, "code.fd", "variables.fd", "enrol.fd"):
            self.write(name, "build", "secureboot", NEWEST, name)
        self.content: dict[str, str] = {}
        self.files = Files(initramfs=self.write("files", "initramfs"), kernel_log="/log",
                           monitor="/monitor", root="/root", build="/build", out="/out")

    def copy(self, command: list[str], **_: object) -> None:
        """Read the files that the command would copy to the disk."""
        self.assertEqual(command[1], "in-workshop")
        top = self.at("build", "secureboot", NEWEST, "disk")
        for path, _folders, names in os.walk(top):
            for name in names:
                with open(os.path.join(path, name), encoding="utf-8") as text:
                    self.content[os.path.relpath(text.name, top)] = text.read()

    def added(self, part: str = "") -> Files:
        """The files of a guest."""
        with mock.patch.object(subprocess, "run", self.copy):
            return firmware.add(Kind("secureboot", part=part), self.newest, self.files, self.at())

    def test_disk_has_loaders_kernel_and_initramfs(self) -> None:
        self.added()
        grub = self.content.pop("EFI/debian/grub.cfg")
        self.assertEqual(self.content, {
            "EFI/BOOT/BOOTX64.EFI": "shim.efi", "EFI/BOOT/grubx64.efi": "grub.efi",
            "EFI/BOOT/mmx64.efi": "mok-manager.efi", "vmlinuz": "image", "initramfs": "files"})
        self.assertIn(" sluice.mode=secureboot ", grub)
        self.assertFalse(os.path.exists(self.at("build", "secureboot", NEWEST, "disk")))

    def test_disk_is_large_enough_for_its_file_system(self) -> None:
        for size, disk in ((1, 64), (60, 76)):
            os.truncate(self.newest.image, size << 20)
            # the large kernel is not text
            with mock.patch.object(self, "copy"), mock.patch.object(subprocess, "run"):
                made = firmware.add(Kind("secureboot"), self.newest, self.files, self.at()).firmware
            assert made
            self.assertEqual(os.path.getsize(made.disk), disk << 20)

    def test_guest_writes_to_variables_of_its_own(self) -> None:
        for part, name in (("", "variables.fd"), ("enrol", "enrol.fd")):
            made = self.added(part).firmware
            assert made
            self.assertEqual(made.variables, self.at(name))
            with open(made.variables, encoding="utf-8") as text:
                self.assertEqual(text.read(), name)

    def test_root_is_the_workshop(self) -> None:
        self.assertEqual(self.added().root, self.at("workshop"))

    def test_firmware_and_no_kernel_is_on_the_command_line(self) -> None:
        command = " ".join(machine.command(Kind("secureboot"), self.newest, self.added(), False))
        for part in ("-machine q35,smm=on ", "property=secure,value=on", "unit=0,format=raw,readonly=on",
                     ",bootindex=0", " -no-reboot "):
            self.assertIn(part, command)
        self.assertNotIn(" -kernel ", command)

    def test_only_the_guest_that_enrols_a_key_starts_twice(self) -> None:
        kind = Kind("secureboot", part="enrol")
        self.assertNotIn("-no-reboot", machine.command(kind, self.newest, self.added("enrol"), False))
        self.assertIn("sluice.part=enrol", machine.kernel_arguments(kind, self.newest))


class Answers(unittest.TestCase):
    """Owner."""

    def setUp(self) -> None:
        self.guest = mock.Mock()
        self.owner = Owner(self.guest)

    @property
    def keys(self) -> list[str]:
        """The keys that were pressed."""
        return [call.args[0].partition(" ")[2] for call in self.guest.monitor.call_args_list]

    def test_each_screen_gets_its_answer_once(self) -> None:
        screen, seen = b"", 0
        expected: list[str] = []
        for text, (_, keys) in zip(SCREENS, ANSWERS, strict=True):
            screen += text
            seen = self.owner.look(screen, seen)
            # a second look at the same screen
            seen = self.owner.look(screen, seen)
            expected += keys
            self.assertEqual(self.keys, expected)
        self.assertEqual(self.owner.answered, len(ANSWERS))

    def test_key_that_was_lost_is_pressed_again_until_the_menu_comes_again(self) -> None:
        seen = self.owner.look(MENU, 0)
        self.assertEqual(self.keys, ["up"])
        with mock.patch.object(secureboot, "AGAIN_SECONDS", -1):
            seen = self.owner.look(MENU, seen)
            self.assertEqual(self.keys, ["up", "up"])
            self.owner.look(2 * MENU, seen)
            self.assertEqual(self.keys, ["up", "up", "down", "ret"])
            self.owner.look(2 * MENU, 2 * len(MENU))
        self.assertEqual(self.keys, ["up", "up", "down", "ret"])

    def test_nothing_is_pressed_before_its_screen(self) -> None:
        self.owner.look(b"Reboot Password: View key 0", 0)
        self.assertEqual(self.keys, [])

    def test_watch_ends_with_the_guest(self) -> None:
        self.guest.kernel_log = "/none"
        with self.owner:
            self.assertIn(self.owner.thread, threading.enumerate())
        self.assertFalse(self.owner.thread.is_alive())


class Watched(GuestTest):
    """Owner, with a file."""

    def test_screens_of_an_earlier_guest_are_not_answered(self) -> None:
        guest = mock.Mock(kernel_log=self.write(MENU.decode(), "log"))
        with Owner(guest):
            self.assertFalse(os.path.exists(guest.kernel_log))
        guest.monitor.assert_not_called()

    def test_watch_ends_when_the_monitor_has(self) -> None:
        guest = mock.Mock(kernel_log=self.at("log"))
        guest.monitor.side_effect = ConnectionRefusedError
        with Owner(guest) as owner:
            self.write(MENU.decode(), "log")
            owner.thread.join(60)
            self.assertFalse(owner.thread.is_alive())
        self.assertEqual(owner.answered, 0)


class Run(GuestTest):
    """secureboot()."""

    def run_with(self, lines: list[str], answered: int) -> tuple[int, list[str]]:
        """Run with guests that pass, and an owner who has answered this number of questions."""
        started: list[str] = []

        def guest(line: str, _mode: str, part: str = "") -> mock.Mock:
            started.append("/".join(filter(None, (line, part))))

            def run(on_line) -> int:	# type: ignore[no-untyped-def]
                for text in ("# begin secureboot", "TAP version 13", "1..1", "ok 1 one",
                             "# end secureboot 0"):
                    on_line(text)
                return 0
            return mock.Mock(release=line, run=run, trouble=lambda: [])

        owner = contextlib.nullcontext(mock.Mock(answered=answered))
        with mock.patch.object(secureboot, "Guest", guest), \
             mock.patch.object(secureboot, "Owner", lambda _: owner), \
             mock.patch.object(places, "stage_guest"), mock.patch.object(firmware, "prepare"):
            return secureboot.secureboot(lines), started

    def test_first_kernel_also_enrols_a_key(self) -> None:
        self.kernel("newest", NEWEST)
        self.kernel("lts", LTS)
        self.assertEqual(self.run_with(["newest", "lts"], len(ANSWERS)),
                         (0, ["newest", "lts", "newest/enrol"]))
        self.assertTrue(self.printed.endswith("3 passed, 0 failed, 0 skipped\n"))

    def test_question_that_was_not_asked_is_a_failure(self) -> None:
        self.kernel("newest", NEWEST)
        self.assertEqual(self.run_with(["newest"], 4)[0], 1)
        self.assertIn("newest/enrol: MokManager has not shown 'Password:'", self.printed)


if __name__ == "__main__":
    unittest.main()
