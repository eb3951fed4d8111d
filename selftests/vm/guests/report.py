# SPDX-License-Identifier: MIT
"""The output about several guests: sums and tables."""
from __future__ import annotations

import os
import re
import stat
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Sequence

from . import places
from .judge import Case, Counts, Judge

SLOWEST = int(os.environ.get("SLUICE_SLOWEST", "12"))


def total(judges: Iterable[Judge]) -> Counts:
    """The results of all guests."""
    return Counts(*(sum(column) for column in zip(*(judge.counts for judge in judges))))


def slowest(judges: Iterable[Judge], count: int = SLOWEST) -> str:
    """The tests that took longest."""
    times = sorted(((*took, judge.label) for judge in judges for took in judge.times),
                   reverse=True)
    return "What took longest:\n" + "".join(
        f"    {seconds:5.1f} s  {label} {name}\n" for seconds, name, label in times[:count])


def failures(judges: Iterable[Judge]) -> str:
    """All problems again, next to the sum, because later lines may have pushed them away."""
    return "What has failed:\n" + "".join(text for judge in judges for text in judge.problems)


def summary(judges: Sequence[Judge]) -> str:
    """Print the results of a run, with the sum in the last line."""
    passed, failed, skipped = total(judges)
    return (slowest(judges) + (failures(judges) if failed else "") +
            f"{passed} passed, {failed} failed, {skipped} skipped\n")


# characters that XML cannot have
UNPRINTABLE = re.compile("[^\t\n -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def clean(text: str) -> str:
    """A text without the characters that XML cannot have."""
    return UNPRINTABLE.sub("?", text)


def testcase(label: str, case: Case) -> ET.Element:
    """One test.  Its class is what readers group by: the guest and the program."""
    element = ET.Element("testcase", {
        # a dot begins a package there
        "classname": clean(f"{label.replace('.', '_')}.{case.program}"), "name": clean(case.name),
        "time": f"{case.seconds:.3f}"})
    if case.failed is not None:
        failure = ET.SubElement(element, "failure", message=clean(case.name), type="failure")
        failure.text = clean(case.failed)
    elif case.skipped is not None:
        ET.SubElement(element, "skipped", message=clean(case.skipped))
    return element


def junit(judges: Iterable[Judge]) -> str:
    """The results in JUnit's format: a suite for each guest."""
    suites = ET.Element("testsuites", name="sluice")
    sums = {"tests": 0, "failures": 0, "errors": 0, "skipped": 0}
    total_time = 0.0
    for judge in judges:
        counts = {"tests": len(judge.cases), "failures": judge.failed, "errors": 0,
                  "skipped": judge.skipped}
        seconds = sum(case.seconds for case in judge.cases)
        suite = ET.SubElement(suites, "testsuite", name=clean(judge.label), time=f"{seconds:.3f}",
                              **{name: str(count) for name, count in counts.items()})
        suite.extend(testcase(judge.label, case) for case in judge.cases)
        sums = {name: count + counts[name] for name, count in sums.items()}
        total_time += seconds
    suites.attrib.update({name: str(count) for name, count in sums.items()},
                         time=f"{total_time:.3f}")
    ET.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suites, "unicode") + "\n"


def is_special(path: str) -> bool:
    """Is there something that is no regular file, such as /dev/null or a pipe?"""
    return os.path.exists(path) and not os.path.isfile(path)


def mode_for(path: str) -> int:
    """The permissions of a file that exists, or those that a new one gets."""
    if os.path.exists(path):
        return stat.S_IMODE(os.stat(path).st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def writable(path: str) -> None:
    """End the command if a file cannot be written, before the work begins."""
    folder = os.path.dirname(os.path.realpath(path))
    if os.path.isdir(path):
        places.fail(f"{path} is a folder: JUNIT= names a file")
    if not os.path.isdir(folder):
        places.fail(f"there is no folder {folder} for JUNIT={path}: make it first")
    needed = [] if is_special(path) else [folder]
    if os.path.exists(path):
        needed.append(path)
    if not all(os.access(each, os.W_OK) for each in needed):
        places.fail(f"cannot write JUNIT={path}: its folder or the file is read-only")


def write(path: str, text: str) -> None:
    """Write a file.  It has its name only when it is complete; what is no file is written to."""
    part = ""
    try:
        if is_special(path):
            with open(path, "w", encoding="utf-8") as out:
                out.write(text)
            return
        # a symbolic link stays
        final = os.path.realpath(path)
        number, part = tempfile.mkstemp(prefix=".junit.", dir=os.path.dirname(final))
        with open(number, "w", encoding="utf-8") as out:
            out.write(text)
        os.chmod(part, mode_for(final))
        os.replace(part, final)
    except OSError as error:
        if part and os.path.exists(part):
            os.unlink(part)
        places.fail(f"cannot write JUNIT={path}: {error.strerror}")


def status(judges: Sequence[Judge]) -> int:
    """The exit status: a run in which no test has passed is no success."""
    passed, failed, _ = total(judges)
    return 1 if failed or not passed else 0
