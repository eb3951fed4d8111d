# SPDX-License-Identifier: MIT
"""The boots of doctor's test, and its count of findings."""
from __future__ import annotations

import unittest

from .. import doctor, machine
from ..machine import Kind
from .test_machine import qemu, words

PAGE = """.SH JSON
.TP
.B no-finding
.SH FINDINGS
.SS module: The kernel modules
.TP
.BR module\\-loaded " (ok)"
The module is loaded.
.TP
.BR drm " (ok)"
.SH EXIT STATUS
.TP
.B 0
"""


class Boots(unittest.TestCase):
    """The machines."""

    def test_each_boot_has_its_parameters(self) -> None:
        for part, parameters in machine.BOOTS.items():
            line = words(Kind("doctor", "doctor", part))
            for parameter in (*parameters, f"sluice.part={part}", "sluice.mode=doctor"):
                self.assertIn(parameter, line)

    def test_iommu_is_there_whether_it_translates_or_not(self) -> None:
        for part in machine.BOOTS:
            self.assertEqual("intel-iommu" in qemu(Kind("doctor", "doctor", part)),
                             part in ("translated", "passthrough"))


class Findings(unittest.TestCase):
    """findings_of_page() and gaps()."""

    def test_page_names_the_findings_of_its_section(self) -> None:
        self.assertEqual(doctor.findings_of_page(PAGE), {"module-loaded", "drm"})
        self.assertEqual(doctor.findings_of_page(".SH NAME\n"), set())

    def test_page_of_the_tool_has_findings(self) -> None:
        with open(doctor.PAGE, encoding="utf-8") as page:
            explained = doctor.findings_of_page(page.read())
        self.assertLessEqual({"module-unsigned", "drm", *doctor.UNSEEN}, explained)

    def test_finding_that_comes_and_stays_away_is_no_gap(self) -> None:
        self.assertEqual(doctor.gaps({"a", "b"}, [{"a"}, {"b"}], True), [])

    def test_finding_of_each_machine_is_a_gap(self) -> None:
        self.assertEqual(doctor.gaps({"a", "b"}, [{"a"}, {"a", "b"}], True),
                         ["each machine has the finding 'a'"])

    def test_finding_of_no_machine_is_a_gap_on_all_kernels(self) -> None:
        for all_kernels, problems in ((True, ["no machine has the finding 'c'"]), (False, [])):
            self.assertEqual(doctor.gaps({"a", "b", "c"}, [{"a"}, {"b"}], all_kernels), problems)

    def test_finding_without_an_explanation_is_a_gap(self) -> None:
        self.assertEqual(doctor.gaps({"a"}, [{"a"}, {"b"}], True),
                         ["the manual page does not explain the finding 'b'"])

    def test_unseen_finding_may_not_be_seen(self) -> None:
        name = next(iter(doctor.UNSEEN))
        self.assertEqual(doctor.gaps({"a", name}, [{"a"}, {name}], True),
                         [f"a machine has the finding '{name}', which the list UNSEEN has, too"])

    def test_no_run_is_no_success(self) -> None:
        self.assertEqual(doctor.gaps({"a"}, [], True), ["no machine has the finding 'a'"])


if __name__ == "__main__":
    unittest.main()
