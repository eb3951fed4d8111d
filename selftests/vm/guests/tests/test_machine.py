# SPDX-License-Identifier: MIT
"""The command lines of QEMU and of the kernel, for each kind of guest."""
from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import unittest
from dataclasses import replace

from .. import machine
from ..machine import Files, Kind
from ..places import Kernel

PC = Kernel("7.3.4+deb13-amd64", "/vmlinuz", "/modules")
PI = Kernel("7.3.4+deb13-arm64", "/vmlinuz", "/modules")
FILES = Files(initramfs="/initramfs", kernel_log="/log", monitor="/monitor", root="/root",
              build="/build", out="/o,ut")


def qemu(kind: Kind, kernel: Kernel = PC, hears: bool = False) -> str:
    """The command line as one text, with spaces between its words."""
    return " ".join(machine.command(kind, kernel, FILES, hears))


def words(kind: Kind, kernel: Kernel = PC) -> list[str]:
    """The command line of the kernel."""
    return machine.kernel_arguments(kind, kernel).split()


class Machines(unittest.TestCase):
    """command() and its parts."""

    def test_guest_of_the_tests_has_two_processors_cards_and_a_switch(self) -> None:
        command = qemu(Kind("check"))
        for part in ("qemu-system-x86_64 -machine q35 -cpu max,la57=off,erms=off ",
                     "-smp 2 -device VGA -device edu,id=edu -device virtio-gpu-pci -m 3G ",
                     "-device x3130-upstream,id=switch,bus=root-port",
                     "-device AC97,audiodev=a -device ivshmem-plain,memdev=bar,bus=down0",
                     "-netdev hubport,id=n2,hubid=1 -device e1000,netdev=n2 -monitor unix:/monitor,"):
            self.assertIn(part, command)

    def test_plain_guest_has_no_device_of_the_lab(self) -> None:
        command = qemu(Kind("kselftest"))
        self.assertIn("-smp 2 -device VGA -m 3G", command)
        for device in ("edu", "AC97", "e1000", "ivshmem", "x3130", "virtio-gpu"):
            self.assertNotIn(device, command)

    def test_two_serial_ports_come_in_their_order(self) -> None:
        for kernel in (PC, PI):
            self.assertTrue(qemu(Kind("check"), kernel).endswith(
                " -serial file:/log -serial stdio"))

    def test_shell_has_the_monitor_on_its_terminal_and_knows_its_size(self) -> None:
        kind = Kind("shell", terminal=os.terminal_size((132, 43)))
        self.assertTrue(qemu(kind).endswith(" -serial mon:stdio"))
        self.assertEqual(words(kind)[-2:], ["sluice.columns=132", "sluice.rows=43"])

    def test_guest_writes_to_one_folder_alone(self) -> None:
        command = qemu(Kind("check")).split()
        shared = [word for word in command if word.startswith("local,")]
        self.assertEqual([word.split(",")[1] for word in shared if "readonly=on" not in word], ["id=out"])
        self.assertEqual(len(shared), 4)

    def test_shell_has_the_memory_of_the_bar_elsewhere(self) -> None:
        files = replace(FILES, bar="/temp,orary/bar")
        shell = " ".join(machine.command(Kind("shell"), PC, files, False))
        self.assertIn("mem-path=/temp,,orary/bar ", shell)
        self.assertNotIn("ut/bar", shell)
        self.assertIn("path=/o,,ut,security_model", shell)

    def test_commas_of_paths_are_doubled(self) -> None:
        command = qemu(Kind("check"))
        for part in ("path=/o,,ut/out.wav,", "mem-path=/o,,ut/bar ", "path=/o,,ut,security_model"):
            self.assertIn(part, command)

    def test_guest_of_a_large_test_has_more_memory(self) -> None:
        self.assertIn(" -m 7G ", qemu(Kind("check", "large")))

    def test_iommu_stands_in_front_of_the_devices_and_no_switch_is_behind_it(self) -> None:
        command = qemu(Kind("check", part="iommu"))
        self.assertLess(command.index("intel-iommu"), command.index("VGA"))
        self.assertNotIn("x3130-upstream", command)
        self.assertIn("-cpu max,la57=off,erms=off,vendor=AuthenticAMD,family=25 ", command)
        self.assertEqual(words(Kind("check", part="iommu"))[-3:],
                         ["intel_iommu=on", "iommu.passthrough=0", "mitigations=off"])

    def test_bounced_guest_has_cma(self) -> None:
        self.assertEqual(words(Kind("check", part="bounced"))[-2:], ["swiotlb=force", "cma=96M"])

    def test_clocks_that_count_instructions_have_one_processor(self) -> None:
        for kind, shift in ((Kind("bench"), 0), (Kind("check", "ac97", "gapless"), 2)):
            command = qemu(kind)
            self.assertIn(f"-smp 1 -icount shift={shift},sleep=off -rtc clock=vm -m", command)
            self.assertIn("-cpu max,la57=off -accel", command)
            self.assertNotIn("VGA", command)

    def test_numa_guest_has_peers_on_the_second_node_and_no_cards(self) -> None:
        command = qemu(Kind("check", "numa", "numa"))
        self.assertIn("-smp 2,sockets=2 ", command)
        self.assertIn("-numa node,nodeid=1,cpus=1,memdev=node1", command)
        self.assertIn("pxb-pcie,id=far,bus=pcie.0,bus_nr=128,numa_node=1", command)
        for card in ("AC97", "e1000"):
            self.assertNotIn(card, command)

    def test_only_guests_of_tests_have_cards(self) -> None:
        for mode in ("demo", "bench", "shell", "mutants"):
            self.assertNotIn("AC97", qemu(Kind(mode)))

    def test_card_that_hears_comes_last(self) -> None:
        """The addresses of the other devices stay the same."""
        command = qemu(Kind("check"), hears=True)
        self.assertGreater(command.index("audiodev=b"), command.index("netdev=n2"))

    def test_peers_have_the_same_ports_in_each_guest(self) -> None:
        for part in ("", *machine.PARTS):
            command = qemu(Kind("check", part=part))
            for port in ("down0", "down1"):
                self.assertIn(f",id={port},", command, part)

    def test_raspberry_pi_has_its_device_tree_and_no_more(self) -> None:
        command = qemu(Kind("check", part="iommu"), PI, True)
        self.assertTrue(command.startswith("qemu-system-aarch64 -machine raspi3b -smp 4 -m 1G "))
        self.assertIn(" -dtb /build/user-arm64/raspi3b-7.3.4+deb13-arm64.dtb ", command)
        self.assertNotIn("-device", command)
        self.assertNotIn("-icount", command)
        self.assertIn(" -smp 4 -icount shift=0,sleep=off ", qemu(Kind("bench"), PI))
        self.assertIn("console=ttyAMA0", words(Kind("check"), PI))
        self.assertIn("mem=896M", words(Kind("check"), PI))

    def test_guest_knows_what_it_is_for(self) -> None:
        self.assertIn("sluice.mode=demo", words(Kind("demo", settings=("verbose=1",))))
        self.assertEqual(words(Kind("check", "races", "rest", ("seconds=40", "loop=unbind")))[-4:],
                         ["sluice.test=races", "sluice.part=rest", "sluice.seconds=40",
                          "sluice.loop=unbind"])

    def test_kunit_runs_in_the_guest_of_all_tests_and_when_it_is_asked_for(self) -> None:
        for test, part, on in (("", "", 1), ("kunit", "", 1), ("", "rest", 1), ("fence", "", 0),
                               ("", "faults", 0), ("kunit", "faults", 0)):
            self.assertIn(f"kunit.enable={on}", words(Kind("check", test, part)))


class Started(unittest.TestCase):
    """QEMU itself, with a stopped CPU."""

    def test_qemu_of_this_machine_has_all_devices_of_each_guest(self) -> None:
        if not shutil.which("qemu-system-x86_64"):
            self.skipTest("this machine has no QEMU")
        for kind in (Kind("check"), Kind("bench"), *(Kind("check", part=part)
                                                     for part in machine.PARTS)):
            with self.subTest(kind), tempfile.TemporaryDirectory(prefix="sluice-guests-") as folder:
                files = Files(initramfs="", kernel_log="/dev/null", monitor=f"{folder}/monitor",
                              root=folder, build=folder, out=folder)
                command = machine.command(kind, PC._replace(modules=folder), files, False)
                # three options of two words each
                boot = command.index("-kernel")
                command[boot:boot + 6] = ["-S", "-monitor", "stdio"]
                command[-1] = "null"
                done = subprocess.run(command, input="info status\nquit\n", check=False,
                                      capture_output=True, text=True, timeout=60)
                # without a device that it was asked for, QEMU does not begin
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertIn("VM status: paused", done.stdout)
