# SPDX-License-Identifier: MIT
"""Root file systems, in which everything is compiled, and which are the root of guests.

    roots/<checksum>    by its packages: a change of the lists below makes a new one

First all packages are fetched; this can be interrupted and continued later.  Then
mmdebstrap makes the root from these files, without a network.  Only this second part needs
root rights.
"""
import hashlib
import os
import re
import signal
import subprocess
import tempfile
import time

from .kernels import unpack
from .tell import Problem, Progress, as_root, say

COMPILERS = ["gcc", "make", "libc6-dev", "bc", "flex", "bison", "libelf-dev", "libssl-dev", "kmod",
             "xz-utils", "bash", "cpio", "python3-minimal", "sparse"]
# for guests, and for compiling and checking in this root; gcc-12 is for the oldest kernel
EVERYTHING = COMPILERS + [
    "g++", "gcc-12", "pkgconf", "dwarves", "udev", "procps", "psmisc", "busybox-static",
    "mesa-vulkan-drivers", "libvulkan-dev", "glslang-tools", "libdrm-dev", "v4l-utils",
    "liburing-dev", "libsmartcols-dev", "libjson-c-dev", "libkmod-dev", "strace", "gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross", "device-tree-compiler",
    "reuse"]
# to compile modules with the other compiler; nothing is linked, and no program runs
CLANG = ["clang", "make", "binutils", "libelf1t64", "python3-minimal", "kmod"]
# to make packages, to install and remove them, to compare interfaces, to make the documents, and
# to boot a guest with Secure Boot
WORKSHOP = COMPILERS + [
    "g++", "pkgconf", "udev", "procps", "psmisc", "busybox-static", "libsmartcols-dev", "libjson-c-dev",
    "libkmod-dev", "debhelper", "dh-dkms", "dkms", "dpkg-dev", "fakeroot", "lintian", "piuparts",
    "autopkgtest", "rpm", "abigail-tools", "python3-sphinx", "python3-myst-parser", "furo", "mandoc",
    "groff", "man-db", "bash-completion", "zsh", "fish", "ovmf", "shim-signed", "grub-efi-amd64-signed",
    "grub-efi-amd64-bin", "sbsigntool", "mokutil", "openssl", "python3-virt-firmware", "mtools",
    "dosfstools"]
# libraries for arm64's programs, and the few programs of its guest
ARM64 = ["liburing-dev", "libsmartcols-dev", "libjson-c-dev", "busybox-static", "bash-static"]

# increased when the steps to make a root change
FORMAT = 1


def checksum_of(suite, packages):
    """The name of the root with these packages."""
    return hashlib.sha256(" ".join([str(FORMAT), suite, *packages]).encode()).hexdigest()[:12]


def have_root(cache, archive, suite, packages=tuple(EVERYTHING), needs=2500):
    """Get a root file system of SUITE with these packages, which needs this number of MB on the
    disk; returns its folder.
    """
    name = f"{suite}-{checksum_of(suite, packages)}"
    path = cache.at("roots", name)
    if os.path.isdir(path):
        cache.used(path)
        return path
    prepare_for_root()
    cache.need_space(needs, f"the root file system ({suite})")

    def fetch(anew):
        archive.update((suite,), anew=anew)
        files = archive.closure((suite,), packages)
        archive.fetch((suite,), ("amd64",), files, f"the root file system ({suite})")
        return files

    files = archive.settled(fetch)
    with cache.folder("roots", name, belongs_to_root=True) as folder:
        make(cache, archive, suite, packages, files, folder)
    archive.forget(files)
    return path


def prepare_for_root():
    """Check early whether this user, in this container, can make a root."""
    unshare = as_root(["unshare", "-m", "true"])
    if os.geteuid() and subprocess.run(["sudo", "-n", "true"], capture_output=True,
                                       check=False).returncode:
        say("building in a root file system needs root rights: sudo may ask for your password")
    if subprocess.run(unshare, stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL, check=False).returncode:
        raise Problem("this machine does not let root make mount namespaces ('unshare -m true' fails): in "
                      "a container, start it with CAP_SYS_ADMIN (docker run --privileged)")


def make(cache, archive, suite, packages, files, folder):
    """Fill FOLDER from the fetched packages."""
    log = cache.at("root.log")
    with tempfile.TemporaryDirectory(prefix="sluice-") as work:
        records = archive.stanzas((suite,), ("amd64",), [file.spec for file in files])
        names = {file.name.replace("%3a", ":"): file.name for file in files}
        repository = os.path.join(work, "repository")
        for name in ("debs", "root", "repository"):
            os.mkdir(os.path.join(work, name))
        for file in files:
            os.symlink(os.path.join(work, "debs", file.name), os.path.join(repository, file.name))
        index = ""
        for record in records:
            fields = dict(re.findall(r"^(Package|Version|Architecture): (.*)$", record, re.MULTILINE))
            file = names["{Package}_{Version}_{Architecture}.deb".format(**fields)]
            index += re.sub(r"^Filename: .*$", f"Filename: ./{file}", record, count=1,
                            flags=re.MULTILINE).strip() + "\n\n"
        # mmdebstrap looks for essential packages in the suite of that name
        release = (f"Suite: {suite}\nCodename: {suite}\nSHA256:\n "
                   f"{hashlib.sha256(index.encode()).hexdigest()} {len(index.encode())} Packages\n")
        for name, content in (("Packages", index), ("Release", release)):
            with open(os.path.join(repository, name), "w", encoding="utf-8") as text:
                text.write(content)
        script = os.path.join(work, "make")
        # Use plain names, whatever the cache's path is; the mounts end with the process
        with open(script, "w", encoding="utf-8") as text:
            text.write('set -e\n'
                       'mount --bind "$2" "$1/debs"\n'
                       'mount --bind "$3" "$1/root"\n'
                       'exec mmdebstrap --mode=root --variant=apt --architectures=amd64 \\\n'
                       '	--skip=check/empty --verbose --aptopt="APT::Install-Recommends \\"false\\"" \\\n'
                       '	--dpkgopt="path-exclude=/usr/share/doc/*" \\\n'
                       '	--dpkgopt="path-exclude=/usr/share/locale/*" \\\n'
                       '	--dpkgopt="path-exclude=/usr/share/man/*" --dpkgopt=force-unsafe-io \\\n'
                       '	--include="$5" "$4" "$1/root" "deb [trusted=yes] copy:${1// /%20}/repository ./"\n')
        say("making the root file system from them")
        with open(log, "w", encoding="utf-8") as output:
            command = as_root(["unshare", "-m", "bash", script, work, archive.debs, folder, suite,
                               ",".join(packages)])
            with subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT) as process:
                watch(process, log, len(files))
        if process.returncode:
            with open(log, encoding="utf-8", errors="replace") as text:
                said = text.read()
            if "No space left on device" in said:
                raise cache.full()
            lines = [line.strip() for line in said.splitlines() if line.strip()] or ["it does not say why"]
            reason = [line for line in lines if re.match(r"E: |dpkg: error", line)] or lines
            raise Problem(f"mmdebstrap has failed ({reason[0 if reason != lines else -1]}): see {log}, "
                          "then run it again; what was fetched is kept")


def watch(process, log, total):
    """Show the number of packages that are set up while mmdebstrap runs."""
    progress = Progress("unpacked and set up", 2 * total, "steps")
    try:
        while process.poll() is None:
            time.sleep(0.3)
            with open(log, encoding="utf-8", errors="replace") as text:
                progress.show(sum(line.startswith(("Unpacking ", "Setting up ")) for line in text))
    finally:
        if process.poll() is None:
            # it may still write for a while; a second Ctrl-C must not end the wait for it
            before = signal.signal(signal.SIGINT, signal.SIG_IGN)
            subprocess.run(as_root(["kill", str(process.pid)]), check=False)
            process.wait()
            signal.signal(signal.SIGINT, before)
        progress.end()


def have_arm64(cache, archive, suite):
    """Get the programs of arm64's guest and the libraries for its tests; returns the folder."""
    name = f"arm64-{checksum_of(suite, ARM64)}"
    path = cache.at("roots", name)
    if os.path.isdir(path):
        cache.used(path)
        return path
    arches = ("amd64", "arm64")

    def fetch(anew):
        archive.update((suite,), arches, anew)
        files = archive.files((suite,), arches, [package + ":arm64" for package in ARM64])
        archive.fetch((suite,), arches, files, "what arm64's guest needs")
        return files

    files = archive.settled(fetch)
    with cache.folder("roots", name) as folder:
        unpack([archive.path(file) for file in files], folder, cache)
    archive.forget(files)
    return path
