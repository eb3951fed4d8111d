# SPDX-License-Identifier: MIT
"""An archive of small packages, and an HTTP server for it with faults on a test's request.

    Server      files by path; a log of requests; faults for the requests to come
    Mirror      suites and their packages, published to a server
    World       a folder with a cache, fakes, and an archive: what one test works in
"""
import contextlib
import functools
import hashlib
import http.client
import http.server
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import unittest
from unittest import mock
from urllib.parse import unquote, urlsplit

from ..cache import Cache
from ..kernels import Kernels, Table
from .drive import LocalArchive

# A shell starts background jobs with SIGINT ignored.  The programs that the tests start would
# inherit this, and could not be interrupted.
signal.signal(signal.SIGINT, signal.default_int_handler)

HERE = os.path.dirname(os.path.realpath(__file__))
TOP = os.path.realpath(os.path.join(HERE, "..", "..", "..", ".."))
# enough for the busiest machine; a test that waits this long has failed
PATIENCE = 60
LAST_MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT"
# packages of the root file system in these tests
ROOT_PACKAGES = ("tool", "library")


# --- packages

@functools.lru_cache(maxsize=None)
def deb(name, version, arch="amd64", depends="", files=(), essential=False):
    """(file name, content, record) of a package; FILES are pairs of path and content."""
    record = f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\nMaintainer: A Test <a@test>\n"
    if essential:
        record += "Essential: yes\n"
    if depends:
        record += f"Depends: {depends}\n"
    record += f"Description: {name} of the tests\n"
    with tempfile.TemporaryDirectory(prefix="sluice-deb-") as folder:
        tree = os.path.join(folder, "tree")
        for path, content in (("DEBIAN/control", record), *files):
            path = os.path.join(tree, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(content if isinstance(content, bytes) else content.encode())
        # as real packages: their folders are as old as the package
        for path, _, _ in os.walk(tree):
            os.utime(path, (1, 1))
        target = os.path.join(folder, "deb")
        subprocess.run(["dpkg-deb", "--build", "--root-owner-group", "-Znone", tree, target],
                       check=True, stdout=subprocess.DEVNULL)
        with open(target, "rb") as file:
            return f"{name}_{version.rpartition(':')[2]}_{arch}.deb", file.read(), record


def kernel(release, version, arch="amd64", split=False, lib="lib", headers=True, compiler="gcc-14"):
    """The packages of a kernel; with SPLIT, as they are since 7.3."""
    modules = ((f"{lib}/modules/{release}/modules.order", ""),
               (f"{lib}/modules/{release}/modules.builtin", ""),
               (f"{lib}/modules/{release}/modules.builtin.modinfo", ""),
               (f"{lib}/modules/{release}/kernel/data", release))
    same = f"(= {version})"
    if split:
        image = [
            deb(f"linux-image-{release}", version, arch,
                f"linux-base (>= 4.12), linux-modules-{release} {same}, linux-binary-{release} {same}"),
            deb(f"linux-modules-{release}", version, arch, f"linux-base-{release} {same}", modules),
            deb(f"linux-binary-{release}", version, arch, "",
                ((f"{lib}/modules/{release}/vmlinuz", "image of " + release),)),
            deb(f"linux-base-{release}", version, arch, "", ((f"{lib}/modules/{release}/config", ""),))]
    else:
        image = [deb(f"linux-image-{release}", version, arch, "kmod, linux-base (>= 4.3~)",
                     ((f"boot/vmlinuz-{release}", "image of " + release), *modules))]
    if not headers:
        return image
    common = release.removesuffix("-" + arch) + "-common"
    config = f'CONFIG_64BIT=y\nCONFIG_CC_VERSION_TEXT="x86_64-linux-gnu-{compiler} (Debian 14.2.0-19) 14.2.0"\n'
    tools = release.removesuffix("-" + arch)
    return [
        *image,
        deb(f"linux-headers-{release}", version, arch,
            f"linux-image-{release} {same} | linux-image-{release}-unsigned {same}, "
            f"linux-headers-{common} {same}, linux-kbuild-{tools} {same}, linux-compiler-{compiler}-x86",
            ((f"usr/src/linux-headers-{release}/.config", config),
             (f"usr/src/linux-headers-{release}/scripts/name", ""))),
        deb(f"linux-headers-{common}", version, "all", "", ((f"usr/src/linux-headers-{common}/Makefile", ""),)),
        deb(f"linux-kbuild-{tools}", version, "amd64", "", ((f"usr/lib/linux-kbuild-{tools}/tool", ""),))]


@functools.lru_cache(maxsize=None)
def source(line, version, lacks=""):
    """The package of a kernel's source, with all but one of the files that the lab needs."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:xz") as tar:
        for path in ("tools/testing/selftests/kselftest.h", "tools/testing/selftests/kselftest_harness.h",
                     "tools/testing/selftests/lib.mk", "tools/testing/selftests/run_kselftest.sh",
                     "tools/testing/selftests/kselftest/runner.sh",
                     "tools/testing/kunit/kunit_parser.py",
                     "tools/testing/selftests/dmabuf-heaps/dmabuf-heap.c", "scripts/checker-valid.sh",
                     "scripts/checkpatch.pl", "scripts/const_structs.checkpatch", "scripts/spelling.txt",
                     "tools/docs/kernel-doc", "tools/lib/python/kdoc/kdoc_re.py",
                     "kernel/not-of-the-harness.c"):
            if path == lacks:
                continue
            member = tarfile.TarInfo(f"linux-source-{line}/{path}")
            text = f"{path} of {line}\n".encode()
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text))
    return deb(f"linux-source-{line}", version, "all", "",
               ((f"usr/src/linux-source-{line}.tar.xz", content.getvalue()),))


# --- the server and its faults

class Listener(http.server.ThreadingHTTPServer):
    """A server whose clients may be killed at any time."""

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class Server:
    """Serves files from memory on 127.0.0.1.

    log has (path, first byte, all of it was sent) of each request.  A fault replaces the answer
    to the next request whose path matches its pattern.  It is a function of the request's
    handler and of the content.
    """

    def __init__(self):
        self.files, self.log, self._faults = {}, [], []
        self._lock = threading.Lock()
        self._http = Listener(("127.0.0.1", 0), self._handler())
        self._http.daemon_threads = True
        self.address = f"127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def _handler(self):
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            """One connection."""
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self):  # pylint: disable=invalid-name
                """One request."""
                try:
                    server.answer(self)
                except OSError:
                    # the client has closed the connection
                    self.close_connection = True

            def log_message(self, *_):  # pylint: disable=arguments-differ
                """Print nothing, because the server has its own log."""

        return Handler

    def answer(self, handler):
        """Send a file, or the answer of a fault."""
        path = unquote(handler.path)
        content, start = self.files.get(path), 0
        match = re.match(r"bytes=(\d+)-", handler.headers.get("Range", ""))
        if content is not None and match and handler.headers.get("If-Range") == LAST_MODIFIED:
            start = int(match.group(1))
        with self._lock:
            self.log.append([path, start, False])
            entry = self.log[-1]
            fault = next((fault for fault in self._faults if re.search(fault[0], path)), None)
            if fault:
                self._faults.remove(fault)
        if fault:
            fault[1](handler, content)
        elif content is None:
            status(404)(handler, content)
        else:
            send_head(handler, content, start)
            handler.wfile.write(content[start:])
            entry[2] = True

    def fault(self, pattern, function, times=1):
        """Answer the next requests that match with a fault."""
        self._faults += [(pattern, function)] * times

    def mend(self):
        """Remove all faults that have not been used yet."""
        with self._lock:
            self._faults.clear()

    def asked(self, pattern=""):
        """The number of requests for a path."""
        return sum(bool(re.search(pattern, path)) for path, _, _ in self.log)

    def sent(self, pattern=r"\.deb$"):
        """Paths that were sent to their end, once for each time."""
        return sorted(path for path, _, whole in self.log if whole and re.search(pattern, path))

    def close(self):
        """Stop the server, so that connections are refused from now on."""
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def send_head(handler, content, start=0):
    """Answer that the content will come, from START on."""
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    handler.send_header("Content-Length", str(len(content) - start))
    handler.send_header("Last-Modified", LAST_MODIFIED)
    handler.end_headers()


def status(code):
    """A fault: no content, but an error."""
    def answer(handler, _content):
        handler.send_response(code)
        handler.send_header("Content-Length", "0")
        handler.end_headers()
    return answer


def cut(handler, content):
    """A fault: the connection breaks in the middle."""
    send_head(handler, content)
    handler.wfile.write(content[:len(content) // 2])
    handler.wfile.flush()
    handler.close_connection = True


def garbled(handler, content):
    """A fault: other content of the same size."""
    send_head(handler, content)
    handler.wfile.write(bytes(len(content)))


class Hold:
    """A fault: the content stops in the middle until the test releases it."""

    def __init__(self):
        self.reached, self.go = threading.Event(), threading.Event()

    def __call__(self, handler, content):
        send_head(handler, content)
        handler.wfile.write(content[:len(content) // 2])
        handler.wfile.flush()
        self.reached.set()
        if self.go.wait(PATIENCE):
            handler.wfile.write(content[len(content) // 2:])


class Proxy(Server):
    """A proxy that forwards requests for any host to one server."""

    def __init__(self, server):
        super().__init__()
        self.server = server

    def answer(self, handler):
        """Forward a request."""
        url = urlsplit(handler.path)
        self.log.append([handler.path, 0, True])
        connection = http.client.HTTPConnection(self.server.address, timeout=PATIENCE)
        connection.request("GET", url.path)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        handler.send_response(answer.status)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)


def usual():
    """Packages by suite: a kernel for each role, sources, and a root file system."""
    return {
        "bookworm": [*kernel("6.1.0-37-amd64", "6.1.140-1", compiler="gcc-12"), source("6.1", "6.1.140-1")],
        "trixie": [*kernel("6.12.48+deb13-amd64", "6.12.48-1"), source("6.12", "6.12.48-1"),
                   deb("base", "1", essential=True), deb("apt", "3.0"), deb("library", "2:1.5-1"),
                   deb("tool", "1.0-1", depends="library")],
        "trixie-backports": [*kernel("7.3.4+deb13-amd64", "7.3.4-1~bpo13+1", split=True, lib="usr/lib"),
                             source("7.3", "7.3.4-1~bpo13+1")]}


class Mirror:
    """Suites with their packages, below /debian and /debian-security of a server."""

    ALL = ("bookworm", "trixie", "forky")

    def __init__(self, server):
        self.server = server
        self.suites = {"trixie-backports": [], "bookworm-backports": [], "sid": [], "experimental": []}
        for suite in self.ALL:
            self.suites.update({suite + part: [] for part in ("", "-updates", "-security")})
        # for the Release files
        self.fields = "Date: Thu, 01 Jan 2026 00:00:00 UTC\n"

    def add(self, suite, *packages):
        """Add packages; publish() adds them to the lists."""
        self.suites[suite] += packages

    def fill(self):
        """Add the usual: a kernel for each role, sources, and a root file system."""
        for suite, packages in usual().items():
            self.add(suite, *packages)
        self.publish()

    def replace(self, suite, old, *new):
        """Replace the packages whose file name begins with OLD, pool and lists."""
        for name in [name for name, _, _ in self.suites[suite] if name.startswith(old)]:
            self.server.files.pop(self._pool(suite, name), None)
        self.suites[suite] = [each for each in self.suites[suite] if not each[0].startswith(old)]
        self.add(suite, *new)
        self.publish()

    @staticmethod
    def _base(suite):
        return "/debian-security" if suite.endswith("-security") else "/debian"

    def _pool(self, suite, name):
        return f"{self._base(suite)}/pool/{name}"

    def publish(self):
        """Make lists for all suites."""
        for suite, packages in self.suites.items():
            base = self._base(suite)
            lists = {}
            for arch in ("amd64", "arm64"):
                records = []
                for name, content, record in packages:
                    if not name.endswith((f"_{arch}.deb", "_all.deb")):
                        continue
                    self.server.files[self._pool(suite, name)] = content
                    records.append(f"{record}Filename: pool/{name}\nSize: {len(content)}\n"
                                   f"SHA256: {hashlib.sha256(content).hexdigest()}\n\n")
                lists[f"main/binary-{arch}/Packages"] = "".join(records).encode()
            sums = "".join(f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}\n"
                           for name, content in lists.items())
            for name, content in lists.items():
                self.server.files[f"{base}/dists/{suite}/{name}"] = content
            self.server.files[f"{base}/dists/{suite}/Release"] = (
                f"Origin: Test\nSuite: {suite}\nCodename: {suite}\n{self.fields}"
                "Architectures: all amd64 arm64\nNo-Support-for-Architecture-all: Packages\n"
                f"Components: main\nSHA256:\n{sums}").encode()

    def remove_suite(self, suite):
        """Remove a suite from the archive."""
        del self.suites[suite]
        for path in [path for path in self.server.files if f"/dists/{suite}/" in path]:
            del self.server.files[path]


# --- the environment of a test

class World:
    """The folder of a test, and the environment of the programs in it."""

    def __init__(self):
        # all tests run with a space in their paths
        self.folder = tempfile.mkdtemp(prefix="sluice lab-test ")
        os.chmod(self.folder, 0o755)
        # except the one for temporary files; leftovers of a killed set-up are removed with the test
        self.tmp = tempfile.mkdtemp(prefix="sluice-lab-test-")
        os.chmod(self.tmp, 0o1777)
        self.server = Server()
        self.mirror = Mirror(self.server)
        self.bin = self.at("bin")
        shutil.copytree(os.path.join(HERE, "fakes", "always"), self.bin)
        self.cache = Cache(self.at("cache"))
        self.archive = LocalArchive(self.cache)
        self.settings = {}
        with open(self.at("apt.conf"), "w", encoding="utf-8") as file:
            file.write('Dir::Etc::main "/dev/null";\nDir::Etc::parts "/dev/null";\n'
                       'Acquire::Retries::Delay "false";\n')
        shutil.copy(os.path.join(TOP, "selftests", "vm", "roles"), self.at("roles"))
        self.env = {name: value for name, value in os.environ.items()
                    if not name.lower().endswith("_proxy") and not name.startswith("SLUICE_")}
        self.env.update(PATH=f"{self.bin}:{os.environ['PATH']}:/usr/sbin:/sbin", APT_CONFIG=self.at("apt.conf"),
                        SLUICE_CACHE=self.cache.path, SLUICE_BUILD=self.at("build"),
                        SLUICE_ROLES=self.at("roles"), TMPDIR=self.tmp,
                        SLUICE_MIRROR=f"http://{self.server.address}/debian",
                        PYTHONPATH=os.path.join(TOP, "selftests", "vm"))
        if os.geteuid():
            self.use("user")

    def use(self, *names):
        """Put more fakes first in PATH."""
        for name in names:
            shutil.copytree(os.path.join(HERE, "fakes", name), self.bin, dirs_exist_ok=True)

    def at(self, *names):
        """A path in the folder."""
        return os.path.join(self.folder, *names)

    def write(self, text, *names):
        """Write a file in the folder."""
        os.makedirs(os.path.dirname(self.at(*names)), exist_ok=True)
        with open(self.at(*names), "w", encoding="utf-8") as file:
            file.write(text)

    def read(self, *names):
        """A file of the folder; empty if there is none."""
        if not os.path.exists(self.at(*names)):
            return ""
        with open(self.at(*names), encoding="utf-8") as file:
            return file.read()

    def close(self):
        """Remove everything."""
        with contextlib.suppress(OSError):
            self.server.close()
        shutil.rmtree(self.folder)
        # a program that a killed set-up has left may still write there
        shutil.rmtree(self.tmp, ignore_errors=True)

    def kernels(self, arch="amd64"):
        """Kernels, as a new run of the command makes it."""
        self.archive = LocalArchive(self.cache, self.archive.absent)
        return Kernels(self.cache, self.archive, Table(self.at("roles")), arch)

    def start(self, *arguments, **more):
        """Start the command in a process group of its own."""
        self.write(json.dumps({"packages": ROOT_PACKAGES, **self.settings}), "settings")
        return subprocess.Popen(
            [*more.pop("before", []), sys.executable, "-B", "-m", "lab.tests.drive", self.at("settings"),
             *arguments], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True, **more)

    def run(self, *arguments, **more):
        """Run the command; returns (status, output)."""
        with self.start(*arguments, **more) as process:
            return ended(process)


def ended(process):
    """Wait for the end of a process; returns (status, output)."""
    try:
        output, said = process.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, said = process.communicate()
        raise AssertionError(f"it did not end, and was killed; it said: {output}{said}") from None
    return process.returncode, output + (said or "")


def wait_for(condition, what):
    """Wait until a condition holds."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"waited in vain for {what}")
        time.sleep(0.02)


class LabTest(unittest.TestCase):
    """A test with a world of its own, which collects the lab's messages."""

    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.close)
        self.server, self.mirror, self.cache = self.world.server, self.world.mirror, self.world.cache
        self._said = io.StringIO()
        for patch in (mock.patch.dict(os.environ, self.world.env, clear=True),
                      mock.patch("sys.stderr", self._said),
                      mock.patch("shutil.disk_usage", lambda _path: mock.Mock(free=1 << 40))):
            patch.start()
            self.addCleanup(patch.stop)

    @property
    def said(self):
        """The lab's messages so far, in this process."""
        return self._said.getvalue()

    def forget_said(self):
        """Forget the messages so far."""
        self._said.seek(0)
        self._said.truncate()

    def hold(self, pattern):
        """Have the server stop in the middle of the next such file; the test's end releases it."""
        hold = Hold()
        self.addCleanup(hold.go.set)
        self.server.fault(pattern, hold)
        return hold

    def folders(self, kind):
        """Names in a folder of the cache, with those of half-built folders."""
        path = self.cache.at(kind)
        return sorted(os.listdir(path)) if os.path.isdir(path) else []

    def assert_nothing_half_built(self):
        """No incomplete folder exists."""
        for kind in ("roots", "kernels", "headers", "sources"):
            self.assertEqual([name for name in self.folders(kind) if ".new." in name], [], kind)

    def succeeds(self, *arguments, **more):
        """Run the command, which must succeed; returns its output."""
        code, said = self.world.run(*arguments, **more)
        self.assertEqual(code, 0, said)
        return said

    def fails(self, *arguments, **more):
        """Run the command, which must fail with a sentence; returns its output."""
        code, said = self.world.run(*arguments, **more)
        self.assertEqual(code, 1, said)
        self.assertNotIn("Traceback", said)
        self.assertRegex(said.strip().splitlines()[-1], "^sluice: ")
        self.assert_nothing_half_built()
        return said
