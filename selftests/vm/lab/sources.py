# SPDX-License-Identifier: MIT
"""Kernel sources, from which the lab's own kernels are built, and the kernel's test harness.

    sources/VERSION/    linux-source-X.Y.tar.xz
                        harness-CHECKSUM/, the few files of it for building tests and for
                        checking the style; CHECKSUM is that of the list below
"""
import glob
import hashlib
import os
import re
import tempfile

from .kernels import FOUND, age, line_of, unpack
from .tell import Problem, say

# files of the source, with their folders
HARNESS = ["tools/testing/selftests/kselftest*.h",
           "tools/testing/selftests/dmabuf-heaps/dmabuf-heap.c",
           "tools/testing/selftests/lib.mk", "tools/testing/selftests/run_kselftest.sh",
           "tools/testing/selftests/kselftest/*", "tools/testing/kunit/kunit_p*.py",
           "scripts/checker-valid.sh",
           "scripts/checkpatch.pl", "scripts/const_structs.checkpatch", "scripts/spelling.txt",
           "kernel-doc", "kdoc/*.py"]
PACKAGE = re.compile(r"linux-source-\d+\.\d+$")


def have_source(cache, archive, table, like):
    """Get the source of a kernel, or of the nearest that exists; returns the folder."""
    known = cache.read(FOUND).get(f"source:{like.version}", like.version)
    path = cache.at("sources", known)
    if os.path.isdir(path):
        cache.used(path)
        return path

    def look(anew):
        package, version, suites = _choose(archive, table, like, anew)
        if not os.path.isdir(cache.at("sources", version)):
            _unpack(cache, archive, package, version, suites)
        return version

    version = archive.settled(look)
    cache.write(FOUND, {**cache.read(FOUND), f"source:{like.version}": version})
    return cache.at("sources", version)


def _unpack(cache, archive, package, version, suites):
    """Fetch and unpack; raises Moved if the archive has other packages by now."""
    files = archive.files(suites, ("amd64",), [f"{package}={version}"])
    archive.fetch(suites, ("amd64",), files, f"the kernel's source ({version})")
    cache.need_space(500, "the kernel's source")
    with cache.folder("sources", version) as folder:
        with tempfile.TemporaryDirectory(dir=folder) as work:
            unpack([archive.path(file) for file in files], work, cache)
            found = glob.glob(os.path.join(work, "usr/src/linux-source-*.tar.xz"))
            if not found:
                raise Problem(f"{package} has no source where the lab looks: please report this")
            os.rename(found[0], os.path.join(folder, os.path.basename(found[0])))
        have_harness(cache, folder)
    archive.forget(files)


def have_harness(cache, folder):
    """Get the harness of the source in FOLDER; returns its folder.

    If there is a harness for an earlier list of files, the new one is made beside it.
    """
    name = "harness-" + hashlib.sha256(" ".join(HARNESS).encode()).hexdigest()[:12]
    harness = os.path.join(folder, name)
    if not os.path.isdir(harness):
        with tempfile.TemporaryDirectory(dir=folder) as work:
            take_harness(cache, folder, os.path.join(work, name))
            os.rename(os.path.join(work, name), harness)
    return harness


def take_harness(cache, folder, harness):
    """Unpack the harness of the source in FOLDER into the new folder HARNESS.

    The header of the tests is required.  If a source lacks another file, the tests that need
    the file are skipped.
    """
    say("taking the kernel's test harness out of its source")
    os.mkdir(harness)
    try:
        cache.run("take the test harness out of the kernel's source",
                  ["tar", "-xJ", "-f", tarball(folder), "-C", harness, "--strip-components=1",
                   "--wildcards", *("*/" + pattern for pattern in HARNESS)])
    except Problem as problem:
        if "Not found in archive" not in str(problem) or not os.path.exists(
                os.path.join(harness, "tools/testing/selftests/kselftest_harness.h")):
            raise
        say("the kernel's source has not all that tests use: those that need it skip")


def tarball(folder):
    """The source itself."""
    return glob.glob(os.path.join(folder, "linux-source-*.tar.xz"))[0]


def _choose(archive, table, like, anew):
    """(package, version, suites) of the kernel's source, else of its line's, else the nearest."""
    for suites in (table.everyday, table.suites("others")):
        archive.update(suites, anew=anew)
        names = [name for name in archive.names(suites, ("amd64",), "linux-source-")
                 if PACKAGE.match(name)]
        offered = archive.versions(suites, ("amd64",), names)
        for fits in (lambda version: version == like.version,
                     lambda version: line_of(version) == line_of(like.version)):
            fitting = [each for each in offered if fits(each[1])]
            if fitting:
                package, version, _ = max(fitting, key=lambda each: age(each[1]))
                return package, version, suites
    if not offered:
        raise Problem("the archive has no kernel source: name another with SLUICE_MIRROR")
    package, version, _ = min(offered, key=lambda each: (
        abs(line_of(each[1])[0] - line_of(like.version)[0]),
        abs(line_of(each[1])[1] - line_of(like.version)[1])))
    package, version, _ = max((each for each in offered if line_of(each[1]) == line_of(version)),
                              key=lambda each: age(each[1]))
    say(f"the archive has no source of {like.release}: taking that of {version}")
    return package, version, suites
