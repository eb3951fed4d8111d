# SPDX-License-Identifier: MIT
"""The profile of a case: counters, their symbols, and the command's messages."""
from __future__ import annotations

import os
import subprocess
import unittest
from dataclasses import replace
from typing import Any
from unittest import mock

from .. import check_profile, counts, machine, plugin, profile, scale
from ..counts import Symbols
from ..machine import Kind
from .local import GuestTest
from .test_machine import FILES, PC, qemu, words

SYMBOLS = """\
ffffffff81000000 T do_it
ffffffff81000000 T __pfx_do_it
ffffffff81000100 t helper
ffffffff82000000 D variable
ffffffffc0000000 t ours_begin\t[sluice]
ffffffffc0000040 t ours_end\t[sluice]
"""

# names of cases, and whether they have steps
NAMES = {"a job": True, "a job, 64 queues": True, "memory beyond the pages": False}

# two steps that count, each with two jobs
COUNTS = """\
side
steps 4 2 100 200
off 12 ffffffff81000104 ffffffffc0000044
worst 50 ffffffff81000000 0
place 0 10000 20 0
place ffffffff81000008 0 40 0
place ffffffff81000104 1 4 0
place ffffffffc0000000 40080 100 44
place ffffffffc0000044 40001 36 0
line 4000 4 3 2 1
use ffffffffc0000044 0 ffffffff82000004 2 0
use ffffffff81000104 ffffffffc0000000 ffffffff82000008 4 3
line 8000 1 1 2 1
use ffffffff81000008 ffffffffc0000000 ffff888000008000 1 1
line c000 4 0 2 1
use ffffffff81000008 ffffffffc0000000 ffffffff8200c000 4 0
end
"""


def sides(text: str = COUNTS) -> list[counts.Side]:
    """The sides of an output."""
    return counts.read(text.splitlines())


def symbols() -> Symbols:
    """The symbols of the kernel."""
    return Symbols(SYMBOLS.splitlines())


def measured(*values: float, batch: int = 2) -> dict[str, Any]:
    """A line of the benchmarks, with a side for each value."""
    names = ("sluice", "worse", "better")
    return {"kernel": "7.3", "area": "queues", "case": "a job", "unit": "instructions",
            "sides": [{"name": name, "value": value, "batch": batch}
                      for name, value in zip(names, values)]}


class Counters(unittest.TestCase):
    """counts."""

    def test_place_belongs_to_the_symbol_before_it(self) -> None:
        found = symbols()
        self.assertEqual(str(found.at(0xffffffff810000ff)), "do_it")
        self.assertEqual(str(found.at(0xffffffffc0000040)), "ours_end [sluice]")
        self.assertEqual(str(found.at(0x1000)), "(unknown)")

    def test_address_far_behind_a_symbol_is_not_its_own(self) -> None:
        self.assertEqual(symbols().offset(0xffffffff82000010), "variable+0x10")
        self.assertEqual(symbols().offset(0xffffffff90000000), "")

    def test_executions_are_by_function_and_module_in_a_step(self) -> None:
        found = counts.by_symbol(sides()[0], symbols())
        self.assertEqual({str(symbol): count for symbol, count in found.items()}, {
            "ours_begin [sluice]": 50, "do_it": 20, "ours_end [sluice]": 18, "(the program)": 10,
            "helper": 2})
        self.assertEqual(counts.by_module(found), {"sluice": 68, "kernel": 22, "program": 10})

    def test_lock_operations_are_those_of_the_plugin(self) -> None:
        found = counts.by_symbol(sides()[0], symbols(), counts.LOCK)
        self.assertEqual({str(symbol): count for symbol, count in found.items()},
                         {"ours_end [sluice]": 18, "helper": 2})

    def test_side_without_its_end_is_left_out(self) -> None:
        self.assertEqual(len(sides(COUNTS + COUNTS)), 2)
        self.assertEqual(len(sides(COUNTS + COUNTS.replace("end\n", ""))), 1)

    def test_line_has_the_name_of_its_variable_and_its_users(self) -> None:
        first, second = sides()[0].lines[:2]
        self.assertEqual(counts.name_of(first, symbols()), "variable+0x4")
        self.assertEqual(counts.users_of(first, symbols()),
                         [("helper < ours_begin [sluice]", 4, 3), ("ours_end [sluice]", 2, 0)])
        self.assertEqual(counts.name_of(second, symbols()), "memory")


class Profile(GuestTest):
    """profile."""

    def said(self, wanted: str) -> str:
        """What the choice of a case says."""
        with self.assertRaises(SystemExit) as end:
            profile.choose(wanted, NAMES)
        return str(end.exception.code)

    def test_case_is_chosen_by_its_name_or_by_words_of_it(self) -> None:
        self.assertEqual(profile.choose("a job", NAMES), "a job")
        self.assertEqual(profile.choose("64", NAMES), "a job, 64 queues")

    def test_case_without_steps_has_no_profile(self) -> None:
        self.assertEqual(self.said("memory"), "sluice: 'memory beyond the pages' has no profile, "
                         "because its value is no sum of instructions of steps")

    def test_unknown_and_ambiguous_cases_are_listed(self) -> None:
        self.assertIn("no case has 'nothing' in its name", self.said("nothing"))
        self.assertIn("\n    a job\n    a job, 64 queues\n    memory", self.said("nothing"))
        self.assertTrue(self.said("job").endswith(":\n    a job\n    a job, 64 queues"))

    def test_numbers_are_of_one_job_of_a_step(self) -> None:
        side = profile.record_of(measured(50), sides(), symbols())["sides"][0]
        self.assertEqual(side["counted"], 50)
        self.assertEqual(side["modules"], {"sluice": 34, "kernel": 11, "program": 5})
        self.assertEqual(side["lock"]["count"], 10)
        self.assertEqual(side["interrupts_off"], {
            "instructions": 12, "from": "helper", "called_by": "ours_end [sluice]"})

    def test_best_peer_is_beside_sluice(self) -> None:
        record = profile.record_of(measured(50, 60, 40), sides(COUNTS * 3), symbols())
        text = profile.text_of(record)
        self.assertRegex(text, r"\n +sluice +better\n")
        self.assertNotIn("worse", text)
        self.assertRegex(text, r"measured by the bench +50 +40\n")
        self.assertRegex(text, r"ours_begin \[sluice\] +25 +25\n")

    def test_functions_of_modules_have_what_they_call_in_the_kernel(self) -> None:
        text = profile.text_of(profile.record_of(measured(50), sides(), symbols()))
        self.assertRegex(text, r"sluice: functions of modules +own +kernel below\n"
                               r"ours_begin \[sluice\] +25 +11\n\n")

    def test_sum_that_differs_gets_a_remark(self) -> None:
        remark = "counted and measured differ"
        for value, told in ((50, False), (49.5, False), (40, True), (0, True)):
            record = profile.record_of(measured(value), sides(), symbols())
            self.assertIs(remark in profile.text_of(record), told)

    def test_case_of_which_nothing_was_counted_has_no_profile(self) -> None:
        with self.assertRaises(SystemExit) as end:
            profile.record_of(measured(50), sides("side\nsteps 0 0 0 0\nend\n"), symbols())
        self.assertIn("no step of 'a job'", str(end.exception.code))

    def test_check_fails_if_a_sum_or_a_known_number_differs(self) -> None:
        record = profile.record_of(measured(50), sides(), symbols())
        found = check_profile.results([record, record])
        self.assertEqual([good for _, good in found], [True, True, False, False, False, False])
        record["sides"][0]["measured"] = 40
        self.assertFalse(check_profile.results([record])[0][1])


class Scale(unittest.TestCase):
    """scale."""

    def test_line_that_few_steps_touch_or_write_is_shared_by_chance(self) -> None:
        run = {"path": "a job", "threads": 8}
        record = scale.record_of(run, sides()[0], symbols())
        self.assertEqual((record["shared"], record["shared_by_chance"]), (1, 1.25))
        self.assertEqual([line["name"] for line in record["lines"]], ["variable+0x4"])
        self.assertIn("  variable+0x4: touched by 100% of the steps, written by 75%\n"
                      "      helper < ours_begin [sluice]: 1 loads, 0.8 stores",
                      scale.text_of([record]))


class Machines(unittest.TestCase):
    """The guests."""

    def test_guest_of_a_profile_has_the_plugin_and_keeps_its_lock_prefixes(self) -> None:
        kind = Kind("bench", part="profile")
        files = replace(FILES, plugin="/p,1.so")
        text = " ".join(machine.command(kind, PC, files, False))
        self.assertIn("-plugin /p,,1.so,out=/o,,ut/counts,symbols=/o,,ut/symbols ", text)
        self.assertIn("-smp 1 -icount shift=0,sleep=off", text)
        self.assertIn("noreplace-smp", words(kind))

    def test_guest_with_many_threads_has_a_device_for_each_processor(self) -> None:
        text = qemu(Kind("bench", part="scale"))
        self.assertIn("-smp 8 -icount shift=0,sleep=off", text)
        self.assertEqual(text.count("-device edu "), 8)
        self.assertNotIn("-plugin", text)


class Plugin(GuestTest):
    """plugin()."""

    def chosen(self, *works: bool) -> str:
        """The plugin that is chosen if QEMU loads these versions, or what is said."""
        for version in plugin.VERSIONS:
            self.write("", "build", "user", "bench", f"plugin-{version}.so")

        def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
            version = int(command[-1].split(".so")[0][-1])
            good = works[version - 1]
            return subprocess.CompletedProcess(command, not good, "", "" if good else "qemu: no\n")

        with mock.patch.object(plugin.subprocess, "run", run):
            try:
                return os.path.basename(plugin.plugin())
            except SystemExit as end:
                return str(end.code)

    def test_version_that_qemu_loads_is_chosen(self) -> None:
        self.assertEqual(self.chosen(True, True), "plugin-1.so")
        self.assertEqual(self.chosen(False, True), "plugin-2.so")

    def test_qemu_without_plugins_gets_a_sentence(self) -> None:
        said = self.chosen(False, False)
        self.assertIn("the installed QEMU does not load the plugin", said)
        self.assertTrue(said.endswith("QEMU says: qemu: no"))
