# SPDX-License-Identifier: MIT
"""The first root file system of a guest."""
from __future__ import annotations

import gzip
import lzma
import os
import subprocess
import unittest

from .. import initramfs, places
from .local import ARM64, NEWEST, GuestTest

DEP = """\
kernel/fs/9p/9p.ko.xz: kernel/net/9p/9pnet.ko.xz kernel/fs/netfs/netfs.ko.xz
kernel/net/9p/9pnet.ko.xz:
kernel/fs/netfs/netfs.ko.xz:
kernel/net/9p/9pnet_virtio.ko.xz: kernel/drivers/virtio/virtio-ring.ko.xz kernel/net/9p/9pnet.ko.xz
kernel/drivers/virtio/virtio-ring.ko.xz:
kernel/sound/other.ko.xz:
"""


class Order(unittest.TestCase):
    """in_order_of_loading()."""

    def test_module_comes_after_what_it_depends_on_and_comes_once(self) -> None:
        order = initramfs.in_order_of_loading(DEP.splitlines(), ["9pnet_virtio", "9p"])
        self.assertEqual([initramfs.module_name(path) for path in order],
                         ["9pnet", "virtio_ring", "9pnet_virtio", "netfs", "9p"])

    def test_module_that_is_built_in_is_left_out(self) -> None:
        self.assertEqual(initramfs.in_order_of_loading(DEP.splitlines(), ["overlay"]), [])

    def test_name_of_a_module_has_no_dashes(self) -> None:
        self.assertEqual([path for path in initramfs.in_order_of_loading(DEP.splitlines(), ["virtio_ring"])],
                         ["kernel/drivers/virtio/virtio-ring.ko.xz"])


class Archive(GuestTest):
    """make()."""

    def made(self, release: str) -> dict[str, bytes]:
        """Names and contents of the initramfs of a kernel."""
        target, folder = self.at("initramfs"), self.at("unpacked")
        initramfs.make(places.kernel_of(release), target)
        os.mkdir(folder)
        with gzip.open(target) as data:
            subprocess.run(["cpio", "-id", "--quiet"], input=data.read(), cwd=folder, check=True)
        found = {}
        for path, _, names in os.walk(folder):
            for name in names:
                with open(os.path.join(path, name), "rb") as file:
                    found[os.path.relpath(file.name, folder)] = file.read()
        return found

    def test_pc_has_init_busybox_and_modules_without_their_compression(self) -> None:
        self.write("busybox", "root", "usr", "bin", "busybox")
        self.kernel(NEWEST, NEWEST, "kernel/9p.ko.xz: kernel/net-9p.ko\nkernel/net-9p.ko:\n")
        folder = places.kernel_of(NEWEST).modules
        os.mkdir(os.path.join(folder, "kernel"))
        for name, data in (("9p.ko.xz", lzma.compress(b"nine")), ("net-9p.ko", b"net")):
            with open(os.path.join(folder, "kernel", name), "wb") as out:
                out.write(data)
        found = self.made(NEWEST)
        self.assertEqual({name: data for name, data in found.items() if name != "init"}, {
            "bin/busybox": b"busybox", "modules/9p.ko": b"nine", "modules/net-9p.ko": b"net",
            "modules/list": b"net-9p.ko\n9p.ko\n"})
        self.assertTrue(found["init"].startswith(b"#!/bin/busybox sh\n"))
        self.assertTrue(os.access(self.at("unpacked", "init"), os.X_OK))
        for name in initramfs.FOLDERS:
            self.assertTrue(os.path.isdir(self.at("unpacked", name)), name)

    def test_guest_for_arm64_has_all_that_it_needs(self) -> None:
        self.kernel(ARM64, ARM64)
        for path in ("arm64/usr/bin/busybox", "arm64/usr/bin/bash-static", "build/guest/main",
                     "build/user-arm64/tools/sluicectl", "build/user-arm64/tests/fence",
                     "build/user-arm64/bench/bench", f"build/{ARM64}/sluice.o"):
            self.write(path, *path.split("/"))
        self.assertEqual(set(self.made(ARM64)), {
            "bin/bash", "bin/busybox", "init", "modules/list", f"sluice/{ARM64}/sluice.ko",
            "sluice/guest/main", "sluice/user/bench/bench", "sluice/user/tests/fence",
            "sluice/user/tools/sluicectl"})
