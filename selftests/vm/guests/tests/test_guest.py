# SPDX-License-Identifier: MIT
"""A guest's monitor."""
from __future__ import annotations

import dataclasses
import socket
import threading
from unittest import mock

from .. import initramfs
from ..guest import Guest
from .local import NEWEST, GuestTest


class Monitor(GuestTest):
    """Guest.monitor()."""

    def answer(self, *answers: bytes) -> Guest:
        """A guest whose monitor says this after a command, and ends."""
        self.kernel("newest", NEWEST)
        with mock.patch.object(initramfs, "make"):
            guest = Guest("newest", "check")
        guest.files = dataclasses.replace(guest.files, monitor=self.at("monitor"))
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(guest.files.monitor)
        listener.listen()
        self.addCleanup(listener.close)

        def serve() -> None:
            peer = listener.accept()[0]
            with peer:
                peer.recv(1000)
                for text in answers:
                    peer.sendall(text)

        thread = threading.Thread(target=serve)
        thread.start()
        self.addCleanup(thread.join)
        return guest

    def test_command_ends_with_the_status(self) -> None:
        self.answer(b"(qemu) screendump\r\n", b"VM status: running\r\n").monitor("screendump x")

    def test_end_of_qemu_is_an_error(self) -> None:
        guest = self.answer(b"(qemu) screendump\r\n")
        with self.assertRaisesRegex(ConnectionError, "QEMU ended before .* 'screendump x'"):
            guest.monitor("screendump x")
