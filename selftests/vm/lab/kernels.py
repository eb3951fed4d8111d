# SPDX-License-Identifier: MIT
"""The kernel for each role, and its files.

A kernel is Debian's image, modules and headers.  Their packages, however many, are found by
name.  They are unpacked, not installed, into a folder of the cache:

    kernels/RELEASE/    boot/, usr/lib/modules/, usr/src/, usr/lib/linux-kbuild-*
                        and two files: compiler, with its compiler,
                        and version, with the version of its packages

So a new kernel needs no new root file system.
"""
import collections
import glob
import os
import re
import subprocess
import time

from .archive import Moved, spec_of
from .tell import Problem, say

# the cache's record of the kernel for each role
FOUND = "found.json"
ROLES = ("oldest", "lts", "newest", "canary")
STALE_DAYS = 14

# a package of a kernel, and the flavour that the lab uses: plain amd64 or arm64
IMAGE = re.compile(r"linux-image-(\d+\.\d+(?:\.\d+)*(?:[-+.~][0-9a-z+.~]+)?-(amd64|arm64))$")
PART = re.compile(r"linux-(image|modules|binary|base|headers|kbuild|compiler)-\d")

# release as in uname -r, version of the package, suite
Kernel = collections.namedtuple("Kernel", "release version suite")


def natural(text):
    """A key that sorts numbers in a text by their value."""
    return [(1, int(part), "") if part.isdigit() else (0, 0, part)
            for part in re.split(r"(\d+)", text) if part]


def age(version):
    """A key that sorts kernel packages: 7.3~rc7 is before 7.3 and 7.3.1."""
    match = re.match(r"(\d+(?:\.\d+)*)(?:~rc(\d+))?", version)
    numbers = tuple(int(part) for part in match.group(1).split("."))
    return ((numbers + (0, 0, 0))[:3], int(match.group(2) or 1 << 30), natural(version))


def line_of(version):
    """(6, 12) for 6.12.118-1."""
    return tuple(int(part) for part in re.match(r"(\d+)\.(\d+)", version).groups())


def released(kernel):
    """Is this a release, not a candidate for one?"""
    return "~rc" not in kernel.version


class Table:
    """The file selftests/vm/roles."""

    def __init__(self, path):
        self.rows = {}
        with open(path, encoding="utf-8") as file:
            for text in file:
                words = text.partition("#")[0].split()
                if words:
                    self.rows[words[0]] = (words[1], words[2:])

    def line(self, role):
        """The number of a role's line; "*" for the newest."""
        return self.rows[role][0]

    def suites(self, role):
        """The suites that may have a role's kernel, best first."""
        return self.rows[role][1]

    @property
    def everyday(self):
        """Suites of all roles that every checkout uses."""
        found = []
        for role in ROLES[:3]:
            found += [suite for suite in self.suites(role) if suite not in found]
        return found

    @property
    def home(self):
        """The suite of the root file system."""
        return self.suites("root")[0]


def best(kernels, suites):
    """The newest of these kernels; among equals the one whose suite is named first."""
    def rank(kernel):
        base = re.sub(r"-(updates|security)$", "", kernel.suite)
        return age(kernel.version), -suites.index(base) if base in suites else -len(suites)
    return max(kernels, key=rank)


class Kernels:
    """Kernels of one architecture: in the archive, and in the cache."""

    # their folder in the cache, their names, and the packages of one
    KIND, WHAT = "kernels", "the kernel"
    PARTS, NEEDS = ("image", "headers"), PART

    def __init__(self, cache, archive, table, arch="amd64"):
        self.cache, self.archive, self.table, self.arch = cache, archive, table, arch
        self._offered = {}

    # --- what the archive has

    @property
    def _arches(self):
        return tuple(sorted({"amd64", self.arch}))

    def offered(self, suites, anew=False):
        """All kernels in these suites that have headers, too."""
        suites = tuple(suites)
        if anew or suites not in self._offered:
            self.archive.update(suites, self._arches, anew)
            releases = [name.removeprefix("linux-image-")
                        for name in self.archive.names(suites, self._arches, "linux-image-")
                        if (match := IMAGE.match(name)) and match.group(2) == self.arch
                        and not re.search(r"-(cloud|rt|dbg|unsigned)-", name)]
            # a suite may still have the headers of an older version, or those of a newer one
            headers = {(kernel.release, kernel.version)
                       for kernel in self._packages_of("headers", releases, suites)}
            self._offered[suites] = [kernel for kernel in self._packages_of("image", releases, suites)
                                     if (kernel.release, kernel.version) in headers]
        return self._offered[suites]

    def _packages_of(self, part, releases, suites):
        """The kernels whose image, or headers, are in these suites."""
        return [Kernel(name.partition(":")[0].removeprefix(f"linux-{part}-"), version, suite)
                for name, version, suite in self.archive.versions(
                    suites, self._arches, [f"linux-{part}-{release}:{self.arch}" for release in releases])]

    def choose(self, wanted, anew=False):
        """The kernel for a role, a line or a release."""
        if wanted == "canary":
            return self._canary(anew)
        if wanted in ROLES:
            line, suites = self.table.line(wanted), self.table.suites(wanted)
            kernels = self.offered(self.table.everyday, anew)
            kernels = [kernel for kernel in kernels if released(kernel)]
            if not kernels:
                raise Problem("the archive has no kernels at all: name another with SLUICE_MIRROR")
            if line != "*":
                return self._of_line(kernels, line, suites, wanted)
            home = [kernel for kernel in kernels
                    if re.sub(r"-(updates|security)$", "", kernel.suite) in suites]
            found = best(home or kernels, suites)
            if line_of(found.version) > line_of(self.table.line("tested")):
                say(f"{found.release} is newer than the newest kernel that this version was tested "
                    f"on ({self.table.line('tested')}): trying it")
            return found
        suites = self.table.suites("others")
        kernels = self.offered(suites, anew)
        exact = [kernel for kernel in kernels if kernel.release == wanted]
        if exact:
            return best(exact, suites)
        if not re.fullmatch(r"\d+\.\d+", wanted):
            raise Problem(f"no kernel '{wanted}': give a role (oldest, lts, newest, canary), a line as "
                          "X.Y, or a whole release as uname -r prints it")
        kernels = [kernel for kernel in kernels if line_of(kernel.version) == line_of(wanted)]
        if not kernels:
            headless = any(name.startswith(f"linux-image-{wanted}.") for name in
                           self.archive.names(suites, self._arches, f"linux-image-{wanted}."))
            lacks = f"headers of {wanted} any more" if headless else f"kernel {wanted}"
            raise Problem(f"the archive has no {lacks}; it has whole kernels of " + ", ".join(sorted(
                {"{}.{}".format(*line_of(kernel.version)) for kernel in self.offered(suites)},
                key=natural)))
        return best(kernels, suites)

    def _of_line(self, kernels, line, suites, role):
        """The newest of a line; if the line is no longer there, of the nearest line."""
        lines = sorted({line_of(kernel.version) for kernel in kernels})
        wanted = line_of(line)
        if wanted in lines:
            nearest = wanted
        else:
            above = [each for each in lines if each > wanted]
            nearest = above[0] if above else lines[-1]
            say("the archive has no kernel {} for '{}' any more: taking {}.{}, the nearest line".format(
                line, role, *nearest))
        return best([kernel for kernel in kernels if line_of(kernel.version) == nearest], suites)

    def _canary(self, anew):
        newest = self.choose("newest", anew)
        suites = self.table.suites("canary")
        kernels = [kernel for kernel in self.offered(suites, anew)
                   if age(kernel.version)[:2] > age(newest.version)[:2]]
        if not kernels:
            raise Problem(f"the archive has no kernel that is newer than {newest.release} (looked in "
                          f"{', '.join(suites)}): give a kernel's source, as in "
                          "make check KERNEL=canary SOURCE=linux-X.Y.tar.xz")
        return best(kernels, suites)

    # --- what the cache has

    def known(self, wanted):
        """The record of an earlier search, as a dict, or None.

        A release is known, too, if it was found for a role or line.
        """
        own, found = self._own(wanted), self.cache.read(FOUND)
        for key in (own, *found):
            record = found.get(key)
            if (isinstance(record, dict) and isinstance(record.get("time"), int)
                    and all(isinstance(record.get(field), str) for field in Kernel._fields)
                    and (key == own or (key.endswith(":" + self.arch) and record["release"] == wanted))):
                return record
        return None

    def _own(self, wanted):
        """The key of the record."""
        return f"{wanted}:{self.arch}"

    def _note(self, wanted, kernel):
        """Record what was found."""
        self.cache.write(FOUND, {**self.cache.read(FOUND), self._own(wanted):
                                 {**kernel._asdict(), "time": int(time.time())}})

    def path(self, release):
        """The folder of an unpacked kernel."""
        return self.cache.at(self.KIND, release)

    def tell_if_stale(self, wanted):
        """Print a message if the archive was asked long ago."""
        known = self.known(wanted)
        days = int((time.time() - known["time"]) / 86400)
        if days >= STALE_DAYS and known["release"] != wanted:
            say(f"the archive was asked {days} days ago which kernel is '{wanted}': "
                "'make refresh' asks again")

    def find(self, wanted):
        """The Kernel for a role, a line or a release, from an earlier search if there was one."""
        known = self.known(wanted)
        if known:
            return Kernel(known["release"], known["version"], known["suite"])
        kernel = self.choose(wanted)
        self._note(wanted, kernel)
        return kernel

    def have(self, wanted, refresh=False):
        """Get the kernel for a role, a line or a release into the cache; returns its Kernel."""
        known = self.known(wanted)
        if known and wanted == "canary" and (newest := self.known("newest")) and (
                age(known["version"])[:2] <= age(newest["version"])[:2]):
            known = None	# the archive has a newer one
        if known and not refresh and os.path.isdir(self.path(known["release"])):
            self.cache.used(self.path(known["release"]))
            self.tell_if_stale(wanted)
            return self.find(wanted)

        def look(anew):
            kernel = self.choose(wanted, anew)
            if refresh and not self.archive.fresh:
                raise Problem("the Debian archive cannot be reached, so nothing was looked up again: "
                              "check the network, or the proxy of apt")
            if not self._has(kernel):
                self._unpack(kernel)
            return kernel

        kernel = self.archive.settled(look)
        self._note(wanted, kernel)
        return kernel

    def _has(self, kernel):
        """Is it in the cache?  A release may come with another version of its packages."""
        try:
            with open(os.path.join(self.path(kernel.release), "version"), encoding="utf-8") as file:
                return file.read().strip() == kernel.version
        except FileNotFoundError:
            return False

    def _packages(self, kernel):
        """The packages of a kernel: image, headers, and their dependencies on the same kernel."""
        suites = self._suites_of(kernel)
        todo = [f"linux-{part}-{kernel.release}:{self.arch}={kernel.version}"
                for part in self.PARTS]
        specs, seen = [], set()
        while todo:
            spec = todo.pop(0)
            name = re.split("[:=]", spec)[0]
            if name in seen:
                continue
            seen.add(name)
            stanzas = (self.archive.stanzas(suites, self._arches, [spec])
                       or self.archive.stanzas(suites, self._arches, [spec.replace(":" + self.arch, "")]))
            if not stanzas:
                raise Moved(spec)
            fields = dict(re.findall(r"^(Package|Version|Architecture|Depends): (.*)$", stanzas[0],
                                     re.MULTILINE))
            specs.append(spec_of(name, fields["Architecture"], fields["Version"]))
            for need in re.split(r", *", fields.get("Depends", "")):
                match = re.match(r"([^ :|]+)(?::\w+)?(?: \(= ([^)]+)\))?", need)
                if not match or not self.NEEDS.match(match.group(1)) or "compiler" in match.group(1):
                    continue
                # tools that run here, for any architecture of the kernel
                arch = "amd64" if "kbuild" in match.group(1) else self.arch
                todo.append(f"{match.group(1)}:{arch}" + (f"={match.group(2)}" if match.group(2) else ""))
        return suites, specs

    def _suites_of(self, kernel):
        base = re.sub(r"-(updates|security)$", "", kernel.suite)
        for suites in (self.table.everyday, self.table.suites("canary"), self.table.suites("others")):
            if base in suites and tuple(suites) in self._offered:
                return suites
        return self.table.suites("others")

    def _unpack(self, kernel):
        """Fetch and unpack; raises Moved if the archive has other packages by now."""
        suites, specs = self._packages(kernel)
        files = self.archive.files(suites, self._arches, specs)
        self.archive.fetch(suites, self._arches, files, f"{self.WHAT} {kernel.release}")
        self.cache.need_space(1000, f"unpacking {self.WHAT} {kernel.release}")
        say(f"unpacking {self.WHAT} {kernel.release}")
        with self.cache.folder(self.KIND, kernel.release) as folder:
            unpack([self.archive.path(file) for file in files], folder, self.cache)
            self._complete(kernel, folder)
        self.archive.forget(files)

    def _complete(self, kernel, folder):
        """Do the work of the packages' own scripts, and check that all files exist."""
        modules = os.path.join(folder, "lib", "modules", kernel.release)
        headers = os.path.join(folder, "usr", "src", "linux-headers-" + kernel.release)
        image = os.path.join(folder, "boot", "vmlinuz-" + kernel.release)
        if not os.path.exists(image) and os.path.exists(os.path.join(modules, "vmlinuz")):
            os.makedirs(os.path.dirname(image), exist_ok=True)
            os.symlink(f"../usr/lib/modules/{kernel.release}/vmlinuz", image)
        for path, what in ((image, "image"), (modules, "modules"), (headers, "headers")):
            if not os.path.exists(path):
                raise Problem(f"the packages of {kernel.release} have no {what} where the lab looks "
                              f"({os.path.relpath(path, folder)}): please report this")
        self.cache.run(f"list the modules of {kernel.release}", ["depmod", "-b", folder, kernel.release])
        self._note_compiler(kernel, folder, headers)

    @staticmethod
    def _note_compiler(kernel, folder, headers):
        """Write the files with the kernel's compiler and the version of its packages."""
        with open(os.path.join(headers, ".config"), encoding="utf-8") as config:
            match = re.search(r'^CONFIG_CC_VERSION_TEXT="(\S+)', config.read(), re.MULTILINE)
        compiler = re.search(r"gcc(-\d+)?$", match.group(1)) if match else None
        for name, content in (("compiler", compiler.group(0) if compiler else "gcc"),
                              ("version", kernel.version)):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(content + "\n")

    def add_checker(self, kernel, checker):
        """Add the script that starts sparse to the headers; the packages lack it."""
        for scripts in glob.glob(os.path.join(self.path(kernel.release), "usr/src/linux-headers-*/scripts")):
            target = os.path.join(scripts, "checker-valid.sh")
            if os.path.isdir(scripts) and os.path.exists(checker) and not os.path.lexists(target):
                self.cache.run("copy the script of sparse", ["cp", checker, target])


def unpack(debs, folder, cache):
    """Unpack packages on top of each other, with /lib as a link to /usr/lib."""
    os.makedirs(os.path.join(folder, "usr", "lib"), exist_ok=True)
    if not os.path.lexists(os.path.join(folder, "lib")):
        os.symlink("usr/lib", os.path.join(folder, "lib"))
    for deb in debs:
        with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb], stdout=subprocess.PIPE) as source:
            cache.run("unpack " + os.path.basename(deb),
                      ["tar", "-x", "-C", folder, "--keep-directory-symlink", "--no-same-owner",
                       "--exclude=./usr/share/doc", "--exclude=./usr/share/lintian"], stdin=source.stdout)
        if source.returncode:
            raise Problem(f"cannot read the package {os.path.basename(deb)}: run it again")
