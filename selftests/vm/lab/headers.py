# SPDX-License-Identifier: MIT
"""Headers without a kernel, for the gates: they compile for more kernels than guests run.

    headers/RELEASE/    usr/src/, usr/lib/linux-kbuild-*, compiler and version, as in
                        kernels/RELEASE

A name is a role and a variant: oldest-first is the oldest point release of the role's line,
newest-cloud is another flavour, newest-clang another compiler.
"""
import os
import re

from .kernels import Kernel, Kernels, age, line_of, released
from .tell import Problem, say

FLAVOURS = {"first": "amd64", "cloud": "cloud-amd64", "rt": "rt-amd64", "686-pae": "686-pae"}
HEADERS = re.compile(r"linux-headers-(\d+\.\d+\.\d+(?:[-+.~](?!cloud-|rt-)[0-9a-z+.~]+)?-"
                     r"(amd64|cloud-amd64|rt-amd64|686-pae))$")


def split(name):
    """("oldest", "686-pae") for oldest-686-pae."""
    role, _, kind = name.partition("-")
    if kind != "clang" and kind not in FLAVOURS:
        raise Problem(f"no headers '{name}': give a role and one of clang, {', '.join(FLAVOURS)}, "
                      "as in newest-cloud")
    return role, kind


class Headers(Kernels):
    """The headers for one name."""

    KIND, WHAT = "headers", "the headers of"
    PARTS, NEEDS = ("headers",), re.compile(r"linux-(headers|kbuild)-\d")

    def __init__(self, cache, archive, table, name):
        self.role, self.kind = split(name)
        super().__init__(cache, archive, table, "i386" if self.kind.startswith("686") else "amd64")
        self.name, self.suites = name, table.suites(self.role)

    def _suites_of(self, kernel):
        return self.suites

    def _own(self, wanted):
        return f"{wanted}:headers"

    def choose(self, wanted, anew=False):
        """The archive's kernel for this name, or None."""
        self.archive.update(self.suites, self._arches, anew)
        role = Kernels(self.cache, self.archive, self.table).find(self.role)
        releases = [match.group(1) for name in self.archive.names(self.suites, self._arches, "linux-headers-")
                    if (match := HEADERS.match(name)) and match.group(2) == FLAVOURS[self.kind]]
        kernels = [kernel for kernel in self._packages_of("headers", releases, self.suites)
                   if released(kernel) and line_of(kernel.version) == line_of(role.version)]
        same = [kernel for kernel in kernels if kernel.version == role.version]
        if self.kind == "first":
            return min(kernels, key=lambda kernel: age(kernel.version), default=None)
        return max(same or kernels, key=lambda kernel: age(kernel.version), default=None)

    def have(self, wanted, refresh=False):
        """Get them into the cache; returns a Kernel, or None with a message if there is none."""
        known = self.known(wanted)
        if known and not refresh and os.path.isdir(self.path(known["release"])):
            self.cache.used(self.path(known["release"]))
            return Kernel(known["release"], known["version"], known["suite"])

        def look(anew):
            kernel = self.choose(wanted, anew or refresh)
            if kernel and not self._has(kernel):
                self._unpack(kernel)
            return kernel

        kernel = self.archive.settled(look)
        if kernel:
            self._note(wanted, kernel)
        else:
            say(f"the archive has no {self.kind} headers of '{self.role}' today: going on without")
        return kernel

    def _complete(self, kernel, folder):
        headers = os.path.join(folder, "usr", "src", "linux-headers-" + kernel.release)
        if not os.path.exists(headers):
            raise Problem(f"the packages of {kernel.release} have no headers where the lab looks "
                          f"({os.path.relpath(headers, folder)}): please report this")
        self._note_compiler(kernel, folder, headers)
