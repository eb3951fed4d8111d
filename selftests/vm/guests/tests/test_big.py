# SPDX-License-Identifier: MIT
"""The guests of make bench BIG=1, and which of them a machine has memory for."""
from __future__ import annotations

from unittest import mock

from .. import big
from ..machine import Kind, command
from .local import NEWEST, GuestTest
from .test_machine import FILES, PC, qemu


class Memory(GuestTest):
    """fitting(), and the memory of a guest."""

    def test_all_guests_run_where_there_is_memory(self) -> None:
        self.assertEqual(big.fitting(big.RUNS, 1 << 20), list(big.RUNS))
        self.assertEqual(self.printed, "")

    def test_guest_that_is_too_large_is_left_out_with_a_sentence(self) -> None:
        self.assertEqual([run.name for run in big.fitting(big.RUNS, 8000)], ["pieces", "1 GiB"])
        self.assertEqual(self.printed, "leaving out '16 GiB': its guest has 17920 MiB, and 1536 MiB "
                                       "stay for this machine, which has 8000 MiB free\n")

    def test_machine_without_memory_fails_with_a_sentence(self) -> None:
        self.kernel("newest", NEWEST)
        with mock.patch.object(big, "available_megabytes", return_value=1000), \
             mock.patch.object(big.places, "stage_guest"), \
             self.assertRaises(SystemExit) as raised:
            big.big("newest", small=True)
        self.assertIn("too little free memory", str(raised.exception))

    def test_each_buffer_fits_into_its_guest(self) -> None:
        for run in (*big.RUNS, *big.SMALL_RUNS):
            self.assertGreater(run.memory, max((*run.sizes, 512)) + 500)

    def test_guest_has_this_memory_and_clears_eight_bytes_at_a_time(self) -> None:
        kind = Kind("bench", part="big", megabytes=17920)
        self.assertIn(" -m 17920M ", qemu(kind))
        self.assertIn("-cpu max,la57=off,erms=off ", qemu(kind))
        self.assertIn("-icount", command(kind, PC, FILES, False))
