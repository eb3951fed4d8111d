# SPDX-License-Identifier: MIT
"""Boot a kernel in QEMU with Sluice's modules and programs, and judge it.

    run check KERNEL...     the tests, on kernels of the lab (oldest, lts, newest, X.Y;
                            newest-arm64) or on a release in build/
    run demo KERNEL         the demo; its files are in build/demo/
    run doctor KERNEL...    the tests of sluicectl doctor, on machines that boot differently
    run bench KERNEL        the benchmarks; build/bench.json and build/bench.svg; with a kernel
                            for arm64, those of caches; build/bench-arm64.json and .svg
    run profile KERNEL -t CASE
                            a case of the benchmarks by function; build/profile.json
    run check-profile KERNEL
                            a check of these counters, with instructions that are known
    run scale KERNEL        one to 64 threads on eight CPUs; build/scale.json
    run big KERNEL [-t small]
                            large buffers, and fragmentation; build/big.json
    run secureboot KERNEL...  the tests with Secure Boot
    run shell KERNEL        a shell, on this terminal; what it saves in /out is in build/saved/
    run kselftest KERNEL    the installed tests, on a plain machine (see selftests/vm/kselftest)
    run packages KERNEL     the Debian packages, in the root that --root names: selftests/vm/packages
                            has installed them there

A guest's kernel is unmodified.  Its root is the cached root file system, read
over 9p below an overlay in memory, so that no change lasts.  The guest
writes to two serial ports: ttyS0 is the kernel's log, ttyS1 is TAP (or a
shell).  Both are kept in build/log/.

A line "# screendump NAME" makes the runner take a picture of the guest's screen,
as a PPM in the folder that the guest has as /out ("# screendump" alone: the
demo's picture), and answer with an empty line.

A guest passes if it reports its end, every test program reached its plan
and succeeded, and the kernel's log has no report of a bug.
"""
from __future__ import annotations

import argparse
import os
import sys

from . import places
from .bench import bench
from .big import SMALL, big
from .check import check
from .check_profile import check_profile
from .demo import demo
from .doctor import doctor
from .guest import Guest
from .kselftest import kselftest
from .machine import BOOTS, PARTS
from .packages import packages
from .profile import profile
from .scale import scale
from .secureboot import secureboot


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mode", choices=["check", "demo", "doctor", "bench", "profile",
                                         "check-profile", "scale", "big", "shell",
                                         "kselftest", "packages", "secureboot"])
    parser.add_argument("lines", nargs="+", metavar="KERNEL")
    parser.add_argument("-t", "--test", default="", help="run this test program, or this case, alone")
    parser.add_argument("-p", "--part", default="", choices=["", *PARTS, *BOOTS],
                        help="behind an IOMMU; all DMA bounced, and with CMA; with two NUMA "
                        "nodes; with little memory; a debug kernel's tests without and with "
                        "faults; or a boot of doctor")
    parser.add_argument("-s", "--set", action="append", default=[], metavar="NAME=VALUE",
                        dest="settings", help="put sluice.NAME=VALUE on the kernel command line")
    parser.add_argument("-j", "--junit", default="", metavar="FILE",
                        help="also write the results of check to this file, in JUnit's format")
    parser.add_argument("--root", default="", metavar="FOLDER", help="for packages: the root")
    args = parser.parse_args()
    fitting = {"check": PARTS, "doctor": tuple(BOOTS)}.get(args.mode, ())
    if args.part and args.part not in fitting:
        parser.error(f"{args.mode} has no part '{args.part}': " +
                     (f"use one of {', '.join(fitting)}" if fitting else "leave out --part"))
    return args


def main() -> int:
    """Run the command line."""
    args = arguments()
    if args.mode == "check":
        return check(args.lines, args.test, args.part, args.settings, args.junit)
    if args.mode == "doctor":
        return doctor(args.lines, args.part)
    if args.mode == "demo":
        return demo(args.lines[0])
    if args.mode == "bench":
        return bench(args.lines[0], args.test, args.settings)
    if args.mode == "profile":
        return profile(args.lines[0], args.test)
    if args.mode == "check-profile":
        return check_profile(args.lines[0])
    if args.mode == "scale":
        return scale(args.lines[0])
    if args.mode == "big":
        if args.test not in ("", SMALL):
            places.fail(f"big has no form '{args.test}': use '-t {SMALL}', or leave it out")
        return big(args.lines[0], small=args.test == SMALL)
    if args.mode == "secureboot":
        return secureboot(args.lines)
    if args.mode == "kselftest":
        return kselftest(args.lines[0], args.test)
    if args.mode == "packages":
        if not args.root:
            places.fail("packages needs --root: run selftests/vm/packages, which names one")
        return packages(args.lines[0], os.path.abspath(args.root))
    places.stage_guest()
    return Guest(args.lines[0], "shell", interactive=True).interact()


if __name__ == "__main__":
    sys.exit(main())
