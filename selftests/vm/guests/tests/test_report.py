# SPDX-License-Identifier: MIT
"""The results in JUnit's format."""
from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from unittest import mock

from .. import report
from ..judge import Judge
from .local import GuestTest


class JUnit(GuestTest):
    """junit() and write()."""

    def results(self) -> list[Judge]:
        """Two guests."""
        return [
            self.judged("# begin fence", "TAP version 13", "1..3", "ok 1 fence.a",
                        "# fence.c:12: expected <0> & \x1b[1m", "not ok 2 fence.b",
                        "ok 3 fence.c # SKIP no edu", "# end fence 1",
                        "# begin vkms", "TAP version 13", "1..0 # SKIP no vkms", "# end vkms 4"),
            self.judged("# begin uapi", "TAP version 13", "1..2", "ok 1 uapi.a", "# end uapi 139",
                        label="6.1/iommu")]

    def parsed(self) -> ET.Element:
        """Their file."""
        return ET.fromstring(report.junit(self.results()).partition("\n")[2])

    def test_each_guest_is_a_suite_with_its_sums(self) -> None:
        suites = self.parsed()
        wanted = ("name", "tests", "failures", "errors", "skipped")
        self.assertEqual([[suite.get(key) for key in wanted] for suite in [suites, *suites]],
                         [["sluice", "6", "2", "0", "2"], ["newest", "4", "1", "0", "2"],
                          ["6.1/iommu", "2", "1", "0", "0"]])

    def test_each_result_is_a_case_with_its_program_as_class(self) -> None:
        cases = self.parsed().findall("testsuite/testcase")
        self.assertEqual([(case.get("classname"), case.get("name"), [child.tag for child in case])
                          for case in cases],
                         [("newest.fence", "fence.a", []), ("newest.fence", "fence.b", ["failure"]),
                          ("newest.fence", "fence.c", ["skipped"]), ("newest.vkms", "vkms", ["skipped"]),
                          ("6_1/iommu.uapi", "uapi.a", []),
                          ("6_1/iommu.uapi", "uapi: 2 tests planned, 1 reported", ["failure"])])

    def test_failure_has_what_was_said_and_skip_its_reason(self) -> None:
        suites = self.parsed()
        failure = suites.find(".//failure")
        assert failure is not None
        # a control character is nothing that XML can have
        self.assertEqual(failure.text, "fence.c:12: expected <0> & ?[1m")
        self.assertEqual([skipped.get("message") for skipped in suites.iter("skipped")],
                         ["no edu", "no vkms"])

    def test_times_are_seconds_and_add_up(self) -> None:
        judge = self.results()[0]
        judge.cases = [case._replace(seconds=1.25) for case in judge.cases]
        suites = ET.fromstring(report.junit([judge]).partition("\n")[2])
        self.assertEqual([suites.get("time"), suites[0].get("time"), suites[0][0].get("time")],
                         ["5.000", "5.000", "1.250"])

    def test_sums_are_those_of_the_run(self) -> None:
        judges = self.results()
        suites = self.parsed()
        passed, failed, skipped = report.total(judges)
        self.assertEqual([int(suites.get(key, "")) for key in ("tests", "failures", "skipped")],
                         [passed + failed + skipped, failed, skipped])

    def test_file_is_written_as_a_whole_or_not_at_all(self) -> None:
        path = self.at("junit.xml")
        report.write(path, "one")
        with mock.patch("os.replace", side_effect=OSError(28, "No space left on device")), \
             self.assertRaises(SystemExit) as raised:
            report.write(path, "two")
        self.assertEqual(str(raised.exception),
                         f"sluice: cannot write JUNIT={path}: No space left on device")
        self.assertEqual(os.listdir(self.folder), ["junit.xml"])
        with open(path, encoding="utf-8") as text:
            self.assertEqual(text.read(), "one")

    def test_what_is_no_file_is_written_and_stays(self) -> None:
        path = self.at("pipe")
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        report.writable(path)
        report.write(path, "one")
        self.assertEqual(os.read(reader, 100), b"one")
        self.assertEqual(os.listdir(self.folder), ["pipe"])
        self.assertTrue(report.is_special("/dev/null"))

    def test_link_stays_and_its_file_keeps_its_permissions(self) -> None:
        path = self.write("old", "below", "junit.xml")
        os.chmod(path, 0o640)
        os.symlink(path, self.at("link"))
        report.write(self.at("link"), "one")
        self.assertTrue(os.path.islink(self.at("link")))
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o640)
        with open(path, encoding="utf-8") as text:
            self.assertEqual(text.read(), "one")
        self.assertEqual(os.listdir(self.at("below")), ["junit.xml"])

    def test_folder_that_cannot_be_written_is_refused_even_with_an_old_file(self) -> None:
        path = self.write("old", "below", "junit.xml")
        with mock.patch("os.access", side_effect=lambda at, _: at == path), \
             self.assertRaises(SystemExit) as raised:
            report.writable(path)
        self.assertIn("read-only", str(raised.exception))
