# SPDX-License-Identifier: MIT
"""Put a root file system, kernels, and the kernel's test harness into the cache.

    setup [KERNEL...]           KERNEL is a role (oldest, lts, newest, canary), a line
                                (X.Y), or a release; without any, the first three roles
    setup --arm64 [KERNEL...]   kernels for arm64, and the programs for their guest
    setup --headers             other kernels' headers for the gates: row "headers" in roles
    setup --workshop            a root file system to make and try packages and documents in
    setup --source KERNEL       the source of a kernel; prints the tarball's path
    setup --no-tests [KERNEL...]  without the kernel's test harness
    setup --refresh             ask the archive again for the kernel of each role

A second run finds everything and returns at once, without a network.  build/lab/ has links to
the parts that a checkout uses: root, harness, arm64, workshop, and kernels/KERNEL.
"""
import argparse
import errno
import os
import shutil
import signal
import subprocess
import sys

from .archive import Archive
from .cache import Cache
from .headers import Headers, split
from .kernels import FOUND, ROLES, Kernels, Table
from .root import CLANG, COMPILERS, WORKSHOP, have_arm64, have_root
from .sources import have_harness, have_source, tarball
from .tell import Problem, say

TOP = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))


BUILD = os.environ.get("SLUICE_BUILD") or os.path.join(TOP, "build")


def link(path, *names):
    """Make a link in build/lab/ to a part of the cache."""
    target = os.path.join(BUILD, "lab", *names)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(target) and os.readlink(target) == path:
        return
    new = f"{target}.{os.getpid()}"
    os.symlink(path, new)
    os.rename(new, target)


def unlink(*names):
    """Remove a link of an earlier run."""
    path = os.path.join(BUILD, "lab", *names)
    if os.path.islink(path):
        os.unlink(path)


class Setup:
    """The data of one run of the command."""

    def __init__(self, cache, archive, table):
        self.cache, self.archive, self.table = cache, archive, table

    def everything(self, wanted, arch="amd64", refresh=False, tests=True):
        """Get kernels, and the tools to compile for them and to run on them.  Without TESTS, omit
        the parts that only tests need.
        """
        self.cache.lock()
        root = have_root(self.cache, self.archive, self.table.home)
        link(root, "root")
        if arch != "amd64":
            link(have_arm64(self.cache, self.archive, self.table.home), "arm64")
        kernels = Kernels(self.cache, self.archive, self.table, arch)
        used = [root]
        for each in wanted:
            before = kernels.known(each)
            kernel = kernels.have(each, refresh)
            path = kernels.path(kernel.release)
            name = each if arch == "amd64" else f"{each}-{arch}"
            link(path, "kernels", name)
            self.compilers(name, kernel, path)
            used.append(path)
            if refresh or not before or before["release"] != kernel.release:
                say(f"'{each}' is {kernel.release}, from {kernel.suite}")
        if tests:
            harness = self.harness(refresh)
            checker = os.path.join(harness, "scripts", "checker-valid.sh")
            for each in wanted:
                kernels.add_checker(kernels.find(each), checker)
            used.append(os.path.dirname(harness))
        self.cache.remove_unused(used)

    def headers(self, refresh=False):
        """Get the other headers for the gates, except those that the archive does not have."""
        self.cache.lock()
        used = []
        for name in self.table.suites("headers"):
            role, kind = split(name)
            if kind == "clang":
                kernels = Kernels(self.cache, self.archive, self.table)
                kernel = kernels.have(role, refresh)
                compilers = have_root(self.cache, self.archive, self.table.home, CLANG, 1500)
                link(compilers, "compilers", name)
                used.append(compilers)
            else:
                kernels = Headers(self.cache, self.archive, self.table, name)
                kernel = kernels.have(name, refresh)
            if kernel:
                link(kernels.path(kernel.release), "kernels", name)
                used.append(kernels.path(kernel.release))
            else:
                unlink("kernels", name)
        self.cache.remove_unused(used)

    def workshop(self):
        """Get the root file system for packages and documents."""
        self.cache.lock()
        root = have_root(self.cache, self.archive, self.table.home, WORKSHOP)
        link(root, "workshop")
        self.cache.remove_unused([root])

    def harness(self, refresh):
        """Get the harness for the tests: the newest kernel's, whichever kernel is tested."""
        known = self.cache.read(FOUND).get("harness", "none")
        source = self.cache.at("sources", known)
        if refresh or not os.path.isdir(source):
            kernels = Kernels(self.cache, self.archive, self.table)
            source = have_source(self.cache, self.archive, self.table, kernels.find("newest"))
            self.cache.write(FOUND, {**self.cache.read(FOUND), "harness": os.path.basename(source)})
        self.cache.used(source)
        harness = have_harness(self.cache, source)
        link(harness, "harness")
        return harness

    def compilers(self, name, kernel, path):
        """Get a root of a newer Debian, to compile for the kernels of that Debian."""
        suite = kernel.suite.partition("-")[0]
        with open(os.path.join(path, "compiler"), encoding="utf-8") as file:
            compiler = file.read().strip()
        if suite in self.table.rows["younger"][1]:
            suite = "sid" if suite == "experimental" else suite
            cross = ["gcc-aarch64-linux-gnu"] if kernel.release.endswith("-arm64") else []
            link(have_root(self.cache, self.archive, suite, (*COMPILERS, compiler, *cross)),
                 "compilers", name)
        else:
            unlink("compilers", name)

    def source(self, wanted):
        """Get a kernel's source; returns the tarball's path."""
        self.cache.lock()
        kernel = Kernels(self.cache, self.archive, self.table).find(wanted)
        return tarball(have_source(self.cache, self.archive, self.table, kernel))


def failure(cache, error):
    """The Problem of a program that has failed."""
    if shutil.disk_usage(cache.path).free < 1 << 20:
        return cache.full()
    return Problem(f"'{' '.join(map(str, error.cmd))[:120]}' has failed (status {error.returncode}): "
                   "run it again, and report it if that does not help")


def main():
    """The command."""
    parser = argparse.ArgumentParser(prog="setup", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kernels", nargs="*", metavar="KERNEL")
    parser.add_argument("--arm64", action="store_true")
    parser.add_argument("--refresh", action="store_true")
    parser.add_argument("--headers", action="store_true")
    parser.add_argument("--workshop", action="store_true")
    parser.add_argument("--no-tests", action="store_true")
    parser.add_argument("--source", action="store_true")
    args = parser.parse_args()
    if args.source and len(args.kernels) != 1:
        parser.error("--source needs one KERNEL")

    def stop(_number, _frame):
        raise KeyboardInterrupt

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    cache = Cache.of_user()
    try:
        setup = Setup(cache, Archive(cache), Table(
            os.environ.get("SLUICE_ROLES") or os.path.join(TOP, "selftests", "vm", "roles")))
        if args.source:
            print(setup.source(args.kernels[0]))
        elif args.workshop:
            setup.workshop()
        elif args.headers:
            setup.headers(args.refresh)
        else:
            setup.everything(args.kernels or list(ROLES[:3]), "arm64" if args.arm64 else "amd64",
                             args.refresh, not args.no_tests)
    except Problem as problem:
        print(f"sluice: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nsluice: interrupted; what was fetched is kept: the same command goes on from there",
              file=sys.stderr)
        return 130
    except subprocess.CalledProcessError as error:
        print(f"sluice: {failure(cache, error)}", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno == errno.ENOSPC:
            print(f"sluice: {cache.full()}", file=sys.stderr)
        else:
            print(f"sluice: {error.filename}: {error.strerror}: see whether it belongs to this user; "
                  "SLUICE_BUILD and SLUICE_CACHE name other folders", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
