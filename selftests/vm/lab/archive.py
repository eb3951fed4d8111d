# SPDX-License-Identifier: MIT
"""Debian packages from the archive that this machine's apt is configured for.

apt itself does the work, with the machine's proxy, keys and mirror.  Its lists and its state are
in the cache, separate from the machine's.  Nothing here needs root.

This module handles changes of the archive: a package that was replaced since the lists were
fetched, an archive in the middle of an update, an expired Release file, no network.  It tries
again as long as that can help, and then raises a Problem with a remedy.
"""
import collections
import contextlib
import glob
import hashlib
import os
import re
import shutil
import subprocess
import threading
import time

from .tell import Problem, Progress, say, still

# names of Debian in apt's own configuration
RELEASES = ("bookworm", "trixie", "forky", "duke", "sid", "oldstable", "stable", "testing", "unstable")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
ATTEMPTS = 3

File = collections.namedtuple("File", "name size digest spec")

# apt's messages if the archive does not have a file; proxies have their own
GONE = r"(?m)^ +404 "

# (message of apt, sentence of the Problem, whether trying again may help)
COMPLAINTS = (
    (r"No space left on device", "full", False),
    (r"NO_PUBKEY|EXPKEYSIG|no longer signed|is not signed",
     "the archive's signature is not known here: upgrade the package debian-archive-keyring", False),
    (r"Release file .* is not valid yet",
     "the archive's lists are from the future: set the clock of this machine", False),
    (r"Hash Sum mismatch|has unexpected size|Mirror sync in progress|Undetermined Error|"
     r"Clearsigned file isn't valid",
     "the archive is in the middle of an update: try again in a few minutes", True),
    (GONE, "a package was replaced while it was to be fetched", True),
    (r"Temporary failure resolving|Could not resolve|Could not connect|Connection (refused|timed out|failed)|"
     r"Network is unreachable|Unable to connect|No route to host|timed out|Connection reset|"
     r"Error reading from server|Failed to fetch",
     "the Debian archive cannot be reached: check the network, or the proxy of apt", True),
)


class Moved(Exception):
    """The archive has other packages than its lists; the text says which, or why."""


def spec_of(name, arch, version):
    """The name of one package for apt."""
    return f"{name}={version}" if arch == "all" else f"{name}:{arch}={version}"


def complaint(output):
    """(sentence, may trying again help) for a message of apt."""
    for pattern, sentence, again in COMPLAINTS:
        if re.search(pattern, output):
            return sentence, again
    last = [line for line in output.splitlines() if line.strip()]
    return ("apt has failed (" + (last[-1].strip() if last else "it said nothing") +
            "): run it again, and report it if that does not help"), False


def mirrors_of_machine():
    """The archive and the security archive that apt on this machine uses.

    SLUICE_MIRROR names another archive, which is necessary on a machine without Debian.  Its
    security archive is beside it, as on Debian's mirrors.
    """
    named = os.environ.get("SLUICE_MIRROR", "").rstrip("/")
    if named:
        return named, named + "-security"
    # this needs no server and no lists
    listed = subprocess.run(["apt-get", "--print-uris", "update"], capture_output=True, text=True,
                            check=False).stdout
    main = security = None
    for site, suite in re.findall(r"^'((?:https?|file)\S+?)/dists/(\S+)/InRelease'", listed, re.MULTILINE):
        if re.sub(r"[-/].*", "", suite) not in RELEASES:
            continue
        if "security" in suite or "security" in site:
            security = security or site
        else:
            main = main or site
    if not main:
        raise Problem("apt on this machine has no Debian archive configured: name one, as in "
                      "SLUICE_MIRROR=http://mirror.example/debian make demo")
    return main, security or main + "-security"


class Archive:
    """The archive, and the files that were fetched from it into the cache's debs/."""

    def __init__(self, cache, mirrors=None, options=None):
        """OPTIONS are for the lines of sources.list; by default, the option for Debian's keys."""
        self.cache = cache
        self.mirrors = mirrors
        self.options = options
        self.retry_seconds = 15
        self.debs = cache.at("debs")
        # were all lists fetched in this run?
        self.fresh = True
        self._updated, self._missing = set(), set()

    def _apt(self, suites, arches):
        """apt's options for these suites, whose sources.list is written."""
        folder = self.cache.at("apt")
        for name in ("lists/partial", "archives/partial"):
            os.makedirs(os.path.join(folder, name), exist_ok=True)
        open(os.path.join(folder, "status"), "a", encoding="utf-8").close()
        if not self.mirrors:
            self.mirrors = mirrors_of_machine()
        options = self.options
        if options is None:
            if not os.path.exists(KEYRING):
                raise Problem("Debian's keys are missing: install the package debian-archive-keyring")
            options = f"signed-by={KEYRING}"
        lines = [f"deb [{options} arch={','.join(arches)} target=Packages] {self._mirror(suite)} {suite} main\n"
                 for suite in self.with_updates(suites) if suite not in self._missing]
        name = hashlib.sha256("".join(lines).encode()).hexdigest()[:12]
        sources = os.path.join(folder, name + ".list")
        with open(sources, "w", encoding="utf-8") as file:
            file.writelines(lines)
        hooks = os.path.join(folder, "without-hooks")
        with open(hooks, "w", encoding="utf-8") as file:
            file.writelines(f"#clear APT::Update::{name};\n"
                            for name in ("Pre-Invoke", "Post-Invoke", "Post-Invoke-Success"))
        settings = {
            "Dir::State": folder, "Dir::State::Lists": f"{folder}/lists",
            "Dir::State::status": f"{folder}/status", "Dir::Cache": folder,
            "Dir::Cache::Archives": f"{folder}/archives",
            "Dir::Cache::pkgcache": f"{folder}/{name}.bin",
            "Dir::Cache::srcpkgcache": "",
            "Dir::Etc::SourceList": sources, "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null", "Dir::Etc::PreferencesParts": "/dev/null",
            "APT::Architecture": "amd64", "APT::Architectures": ",".join(sorted({"amd64", *arches})),
            "APT::Sandbox::User": "root", "APT::Get::List-Cleanup": "false",
            "APT::Install-Recommends": "false", "APT::Default-Release": "",
            "Acquire::Languages": "none", "Acquire::Check-Valid-Until": "false",
            "Acquire::Retries": "0", "Acquire::http::Timeout": "15", "Acquire::https::Timeout": "15",
            "APT::Update::Error-Mode": "any", "Dpkg::Use-Pty": "0",
        }
        return ["-c", hooks, *(argument for key, value in settings.items()
                               for argument in ("-o", f"{key}={value}"))]

    def _mirror(self, suite):
        return self.mirrors[1] if suite.endswith("-security") else self.mirrors[0]

    @staticmethod
    def with_updates(suites):
        """The suites, and the suites with their updates."""
        found = []
        for suite in suites:
            found.append(suite)
            if "-" not in suite and suite not in ("sid", "experimental"):
                found += [suite + "-updates", suite + "-security"]
        return found

    @staticmethod
    def _run(command, **arguments):
        # apt must not outlive a set-up that is killed, because it holds locks
        return subprocess.run(["setpriv", "--pdeathsig", "KILL", *command], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False,
                              env={**os.environ, "LC_ALL": "C"}, **arguments)

    def update(self, suites, arches=("amd64",), anew=False):
        """Fetch the lists of these suites, once.

        Without a network, earlier lists are used, unless ANEW asks for new ones.  A suite that
        the archive does not have is left out, and a message says so.
        """
        key = (tuple(suites), tuple(arches))
        if key in self._updated and not anew:
            return
        say("asking the archive what it has")
        attempt = 0
        while True:
            options = self._apt(suites, arches)
            with still("waiting for the archive's lists"):
                result = self._run(["apt-get", "-q", *options, "update"])
            absent = set(re.findall(r"The repository '\S+ (\S+) Release' (?:does not|no longer)",
                                    result.stdout)) - self._missing
            if absent and result.returncode:
                say(f"the archive has no {' and no '.join(sorted(absent))}: going on without")
                self._missing |= absent
                if not set(self.with_updates(suites)) - self._missing:
                    raise Problem(f"the archive at {self.mirrors[0]} has none of {', '.join(suites)}: "
                                  "name a Debian archive with SLUICE_MIRROR")
                continue
            if not result.returncode:
                self._updated.add(key)
                return
            sentence, again = self._complaint(result)
            attempt += 1
            if again and attempt < ATTEMPTS:
                say(f"{sentence.partition(':')[0]}: trying again in {self.retry_seconds} s")
                time.sleep(self.retry_seconds)
                continue
            if again and not anew and glob.glob(self.cache.at("apt", "lists", "*Packages*")):
                say(f"{sentence.partition(':')[0]}: going on with the lists that were fetched last")
                self._updated.add(key)
                self.fresh = False
                return
            raise Problem(sentence)

    def names(self, suites, arches, prefix):
        """Names of packages that begin with PREFIX."""
        output = subprocess.run(["apt-cache", *self._apt(suites, arches), "pkgnames", prefix],
                                capture_output=True, text=True, check=False).stdout
        return output.split()

    def versions(self, suites, arches, names):
        """(name, version, suite) of each version of these packages."""
        found = []
        for start in range(0, len(names), 200):
            output = subprocess.run(
                ["apt-cache", *self._apt(suites, arches), "madison", *names[start:start + 200]],
                capture_output=True, text=True, check=False).stdout
            for line in output.splitlines():
                name, version, origin = (part.strip() for part in line.split("|"))
                words = origin.split()
                if "Packages" in words[-1]:
                    found.append((name, version, words[1].partition("/")[0]))
        return found

    def stanzas(self, suites, arches, specs):
        """Records of these packages, each as text; SPECS are NAME or NAME=VERSION."""
        output = subprocess.run(
            ["apt-cache", *self._apt(suites, arches), "show", "--no-all-versions", *specs],
            capture_output=True, text=True, check=False).stdout
        return [text for text in output.split("\n\n") if text.strip()]

    def _complaint(self, result):
        """complaint() for a run of apt; raises the error for a full disk."""
        sentence, again = complaint(result.stdout)
        if sentence == "full":
            raise self.cache.full()
        return sentence, again

    def _uris(self, suites, arches, command):
        result = self._run(["apt-get", "-q", "-y", *self._apt(suites, arches), "-o",
                            "Acquire::ForceHash=SHA256", "--print-uris", *command])
        if result.returncode:
            raise Moved(self._complaint(result)[0])
        files = []
        for name, size, digest in re.findall(r"^'\S+' (\S+) (\d+) (SHA\d+:[0-9a-f]+)",
                                             result.stdout, re.MULTILINE):
            package, version, arch = name.removesuffix(".deb").split("_")
            version = version.replace("%3a", ":")
            files.append(File(name, int(size), digest, spec_of(package, arch, version)))
        return files

    def closure(self, suites, packages):
        """The files of these packages and of all their dependencies, on an empty system."""
        return self._uris(suites, ("amd64",), ["install", "--no-install-recommends", "?essential",
                                               "apt", *packages])

    def files(self, suites, arches, specs):
        """The files of these packages, without their dependencies."""
        return self._uris(suites, arches, ["download", *specs])

    @staticmethod
    def settled(look):
        """The result of LOOK; after Moved, LOOK is called again with True for new lists."""
        moved = None
        for attempt in range(ATTEMPTS):
            if moved:
                say("the archive has changed meanwhile: looking again")
            try:
                return look(attempt > 0)
            except Moved as error:
                moved = error
        raise Problem("the archive changes faster than it can be read: try again in an hour "
                      f"({moved})") from moved

    def _missing_of(self, files, partial):
        """The files that are not in debs/ yet.

        Complete files in the folder PARTIAL are used, even if the set-up that fetched them has
        failed.
        """
        missing = []
        for file in files:
            path, arrived = self.path(file), os.path.join(partial, file.name)
            if os.path.exists(path) and matches(path, file.digest):
                continue
            if os.path.exists(arrived) and matches(arrived, file.digest):
                os.rename(arrived, path)
            else:
                missing.append(file)
        return missing

    def fetch(self, suites, arches, files, what):
        """Get these files into debs/, each complete and as the archive describes it.

        Raises Moved if the archive has other packages by now: look again.
        """
        partial = os.path.join(self.debs, "partial")
        os.makedirs(partial, exist_ok=True)
        missing = self._missing_of(files, partial)
        if not missing:
            return
        total = sum(file.size for file in missing)
        self.cache.need_space((total >> 20) + 100, f"fetching {what}")
        say(f"fetching {what}: {len(missing)} packages, {(total >> 20) + 1} MB")
        progress = Progress("fetched", (total >> 20) + 1, "MB")
        ended = threading.Event()

        def watch():
            while not ended.wait(0.5):
                size = 0
                for file in missing:
                    for folder in (partial, self.debs):
                        # it may be renamed at any time
                        with contextlib.suppress(FileNotFoundError):
                            size += os.stat(os.path.join(folder, file.name)).st_size
                            break
                progress.show(size >> 20)

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            self._fetch(suites, arches, missing, partial)
        finally:
            ended.set()
            watcher.join()
            progress.end()

    def _fetch(self, suites, arches, missing, partial):
        for attempt in range(ATTEMPTS):
            result = self._run(["apt-get", "-q", *self._apt(suites, arches), "download",
                                *(file.spec for file in missing)], cwd=partial)
            missing = self._missing_of(missing, partial)
            if not missing:
                return
            sentence, again = self._complaint(result)
            if re.search(GONE, result.stdout):
                raise Moved(missing[0].name)
            if not again or attempt + 1 == ATTEMPTS:
                raise Problem(sentence + " (what was fetched is kept)")
            say(f"{sentence.partition(':')[0]}: trying again in {self.retry_seconds} s")
            time.sleep(self.retry_seconds)

    def path(self, file):
        """The path of a file from fetch()."""
        return os.path.join(self.debs, file.name)

    def forget(self, files):
        """Remove files that have been unpacked."""
        for file in files:
            if os.path.exists(self.path(file)):
                os.unlink(self.path(file))
        shutil.rmtree(os.path.join(self.debs, "partial"), ignore_errors=True)


def matches(path, digest):
    """Does this file have this checksum, given as SHA256:HEX?"""
    algorithm, _, wanted = digest.lower().partition(":")
    found = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            found.update(block)
    return found.hexdigest() == wanted
