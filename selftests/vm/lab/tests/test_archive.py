# SPDX-License-Identifier: MIT
"""Changes during a set-up: of the archive, the network, the disk."""
import os
import subprocess
from unittest import mock

from ..archive import complaint, mirrors_of_machine
from ..root import have_root
from ..sources import have_source
from ..tell import Problem
from .drive import LocalArchive
from .local import ROOT_PACKAGES, LabTest, Proxy, cut, deb, garbled, kernel, source, status


class Archive(LabTest):
    """One kernel is fetched while something goes wrong."""

    def setUp(self):
        super().setUp()
        self.mirror.fill()

    def have(self, wanted="lts"):
        """Get a kernel in a new run; returns its release."""
        kernels = self.world.kernels()
        return kernels.have(wanted).release

    def refused(self, wanted="lts"):
        """The sentence of the Problem that replaces a kernel."""
        with self.assertRaises(Problem) as caught:
            self.have(wanted)
        self.assertEqual(self.folders("kernels"), [])
        return str(caught.exception)

    def test_package_replaced_between_list_and_download_is_looked_for_again(self):
        def replace(handler, content):
            self.mirror.replace("trixie", "linux-", *kernel("6.12.57+deb13-amd64", "6.12.57-1"))
            status(404)(handler, content)
        self.server.fault(r"linux-headers.*\.deb", replace)
        self.assertEqual(self.have(), "6.12.57+deb13-amd64")
        self.assertIn("the archive has changed meanwhile: looking again", self.said)
        self.assertEqual(self.folders("kernels"), ["6.12.57+deb13-amd64"])
        self.assertEqual(self.world.kernels().find("lts").release, "6.12.57+deb13-amd64")

    def test_package_of_the_root_replaced_between_list_and_download_is_looked_for_again(self):
        def replace(handler, content):
            self.mirror.replace("trixie", "tool", deb("tool", "1.0-2", depends="library"))
            status(404)(handler, content)
        self.server.fault(r"tool_.*\.deb", replace)
        have_root(self.cache, self.world.archive, "trixie", ROOT_PACKAGES, 1)
        self.assertEqual(len(self.server.sent("tool_1.0-2_amd64.deb")), 1)
        self.assertEqual(len(self.folders("roots")), 1)

    def test_source_replaced_between_list_and_download_is_looked_for_again(self):
        def replace(handler, content):
            self.mirror.replace("trixie", "linux-source", source("6.12", "6.12.57-1"))
            status(404)(handler, content)
        self.server.fault(r"linux-source.*\.deb", replace)
        kernels = self.world.kernels()
        path = have_source(self.cache, self.world.archive, kernels.table, kernels.choose("lts"))
        self.assertEqual(os.path.basename(path), "6.12.57-1")

    def test_package_that_is_listed_and_never_there_gives_a_sentence(self):
        self.server.fault(r"linux-headers.*\.deb", status(404), 30)
        self.assertRegex(self.refused(), "changes faster than it can be read: try again")

    def test_package_with_another_checksum_is_fetched_again(self):
        self.server.fault(r"linux-image.*\.deb", garbled)
        self.assertEqual(self.have(), "6.12.48+deb13-amd64")

    def test_package_whose_checksum_never_fits_gives_a_sentence(self):
        self.server.fault(r"linux-image.*\.deb", garbled, 30)
        self.assertRegex(self.refused(), "middle of an update: try again in a few minutes")
        self.assertIn("trying again in 0 s", self.said)

    def test_lists_in_the_middle_of_an_update_are_fetched_again(self):
        self.server.fault(r"/trixie/main/binary-amd64/Packages$", garbled)
        self.assertEqual(self.have(), "6.12.48+deb13-amd64")
        self.assertIn("the archive is in the middle of an update: trying again in 0 s", self.said)

    def test_lists_that_stay_in_the_middle_of_an_update_give_a_sentence(self):
        # apt makes several requests for each attempt
        self.server.fault(r"/Packages", garbled, 500)
        self.assertRegex(self.refused(), "middle of an update: try again in a few minutes")

    def test_damaged_package_in_the_cache_is_fetched_again(self):
        self.server.fault(r"linux-headers-6.12.48\+deb13-amd64_", status(500), 30)
        self.refused()
        damaged, = [name for name in self.folders("debs") if name.startswith("linux-image")]
        path = self.cache.at("debs", damaged)
        with open(path, "r+b") as file:
            file.write(bytes(os.path.getsize(path)))
        self.server.mend()
        self.assertEqual(self.have(), "6.12.48+deb13-amd64")

    def test_expired_lists_serve(self):
        self.mirror.fields += "Valid-Until: Fri, 02 Jan 2026 00:00:00 UTC\n"
        self.mirror.publish()
        self.assertEqual(self.have(), "6.12.48+deb13-amd64")
        self.assertEqual(self.said.count("trying again"), 0)

    def test_server_down_with_an_empty_cache_gives_a_sentence(self):
        self.server.close()
        self.assertRegex(self.refused(), "archive cannot be reached: check the network, or the proxy of apt")

    def test_server_down_with_lists_in_the_cache_gives_a_sentence_for_a_new_kernel(self):
        self.world.kernels().choose("lts")
        self.server.close()
        self.assertRegex(self.refused(), "archive cannot be reached: check the network, or the proxy of apt")
        self.assertIn("going on with the lists that were fetched last", self.said)

    def test_server_down_with_packages_in_the_cache_is_enough(self):
        self.server.fault(r"linux-kbuild", status(500), 30)
        self.refused()
        kernels = self.world.kernels()
        suites, specs = kernels._packages(kernels.choose("lts"))  # pylint: disable=protected-access
        self.server.mend()
        files = self.world.archive.files(suites, ("amd64",), specs)
        self.world.archive.fetch(suites, ("amd64",), files, "all")
        self.server.close()
        self.assertEqual(self.have(), "6.12.48+deb13-amd64")

    def test_refresh_with_the_server_down_gives_a_sentence_and_what_was_found_stays(self):
        self.have()
        self.server.close()
        with self.assertRaisesRegex(Problem, "cannot be reached, so nothing was looked up again: check the network"):
            self.world.kernels().have("lts", refresh=True)
        self.assertEqual(self.have(), "6.12.48+deb13-amd64")

    def test_connection_that_breaks_in_the_middle_of_a_package_is_tried_again(self):
        self.server.fault(r"linux-image.*\.deb", cut)
        self.assertEqual(self.have(), "6.12.48+deb13-amd64")

    def test_connection_that_always_breaks_gives_a_sentence_and_keeps_what_came(self):
        self.server.fault(r"linux-image.*\.deb", cut, 60)
        self.assertRegex(self.refused(), r"cannot be reached: check the network.*what was fetched is kept")
        self.assertTrue([name for name in self.folders("debs") if name.startswith("linux-headers")])

    def test_connection_that_breaks_while_404_is_in_a_name_is_no_replaced_package(self):
        self.mirror.replace("trixie", "linux-", *kernel("6.12.404+deb13-amd64", "6.12.404-1"))
        self.server.fault(r"linux-image.*\.deb", cut, 60)
        self.assertRegex(self.refused(), "cannot be reached: check the network")

    def test_connection_that_stalls_in_the_middle_of_a_package_is_tried_again(self):
        stalled = LocalArchive(self.cache, timeout=1)
        kernels = self.world.kernels()
        kernels.archive = stalled
        held = self.hold(r"linux-image.*\.deb")
        self.assertEqual(kernels.have("lts").release, "6.12.48+deb13-amd64")
        self.assertTrue(held.reached.is_set())

    def test_proxy_of_the_environment_is_used(self):
        proxy = Proxy(self.server)
        self.addCleanup(proxy.close)
        with mock.patch.dict(os.environ, http_proxy=f"http://{proxy.address}",
                             SLUICE_MIRROR="http://archive.invalid/debian"):
            self.assertEqual(self.have(), "6.12.48+deb13-amd64")
        self.assertGreater(proxy.asked(r"^http://archive\.invalid/debian/pool/linux-image"), 0)

    def test_kernel_in_the_cache_needs_no_network(self):
        self.have()
        asked = self.server.asked()
        self.forget_said()
        self.assertEqual(self.have(), "6.12.48+deb13-amd64")
        self.assertEqual((self.server.asked(), self.said), (asked, ""))

    def test_disk_without_room_for_the_packages_gives_a_sentence_before_any_is_fetched(self):
        with mock.patch("shutil.disk_usage", lambda _path: mock.Mock(free=50 << 20)):
            self.assertRegex(self.refused(), "needs 100 MB in .*, where 50 MB are free: make room, or set SLUICE_CACHE")
        self.assertEqual(self.server.asked(r"\.deb"), 0)

    def test_lists_and_hooks_of_the_machine_are_not_those_of_the_lab(self):
        with open(self.world.at("apt.conf"), "a", encoding="utf-8") as file:
            file.write(f'''APT::Update::Post-Invoke {{ "touch '{self.world.at("hooked")}'"; }};\n'''
                       'Acquire::IndexTargets::deb::Contents-deb { MetaKey "main/Contents-amd64"; '
                       'ShortDescription "Contents"; Description "Contents"; Optional "no"; };\n')
        self.assertEqual(self.have(), "6.12.48+deb13-amd64")
        self.assertFalse(os.path.exists(self.world.at("hooked")))
        self.assertEqual(self.server.asked("Contents"), 0)

    def test_archive_that_has_none_of_the_suites_gives_a_sentence(self):
        for suite in list(self.mirror.suites):
            self.mirror.remove_suite(suite)
            self.world.archive.absent.add(suite)
        self.assertRegex(self.refused(), "has none of bookworm, .*: name a Debian archive with SLUICE_MIRROR")


class Complaints(LabTest):
    """apt's messages, and the lab's sentences for them."""

    def test_signature_that_is_not_known_names_the_package_with_the_keys(self):
        said = ("W: GPG error: http://mirror.example/debian trixie InRelease: The following signatures couldn't be "
                "verified because the public key is not available: NO_PUBKEY 0E98404D386FA1D9")
        self.assertRegex(complaint(said)[0], "upgrade the package debian-archive-keyring")

    def test_lists_from_the_future_name_the_clock(self):
        said = "E: Release file for http://mirror.example/debian/dists/sid/InRelease is not valid yet (invalid for 2h)."
        self.assertRegex(complaint(said)[0], "set the clock of this machine")

    def test_full_disk_while_files_are_looked_up_is_no_archive_that_changes(self):
        said = "E: Write error - write (28: No space left on device)"
        archive = self.world.archive
        with mock.patch.object(archive, "_run", lambda *_, **__: mock.Mock(returncode=100, stdout=said)):
            with self.assertRaisesRegex(Problem, "the disk of .* is full: make room"):
                archive.settled(lambda _again: archive.closure(("trixie",), ["tool"]))

    def machine(self, *lines):
        """mirrors_of_machine() for these lines of "apt-get --print-uris update"."""
        with mock.patch.dict(os.environ, SLUICE_MIRROR=""), mock.patch(
                "subprocess.run", lambda *_, **__: mock.Mock(stdout="\n".join(lines))):
            return mirrors_of_machine()

    def test_mirrors_are_those_of_the_machine(self):
        self.assertEqual(
            self.machine("'https://apt.example/tool/dists/nodistro/InRelease' apt.example_tool_nodistro 0 ",
                         "'cdrom:[Debian 13]/dists/trixie/InRelease' Debian%2013_dists_trixie_InRelease 0 ",
                         "'http://mirror.example/debian/dists/bookworm/InRelease' mirror.example_bookworm 0 ",
                         "'http://security.example/debian-security/dists/bookworm-security/InRelease' security 0 "),
            ("http://mirror.example/debian", "http://security.example/debian-security"))

    def test_mirror_of_a_suite_by_its_role_is_found(self):
        self.assertEqual(self.machine("'http://mirror.example/debian/dists/stable/InRelease' stable 0 "),
                         ("http://mirror.example/debian", "http://mirror.example/debian-security"))

    def test_machine_that_is_no_debian_gives_a_sentence_that_names_sluice_mirror(self):
        with self.assertRaisesRegex(Problem, "no Debian archive configured: name one, as in SLUICE_MIRROR="):
            self.machine("'http://ubuntu.example/ubuntu/dists/noble/InRelease' ubuntu_noble 0 ")


class FullDisk(LabTest):
    """A part of the cache on a disk of 2 MB, in a mount namespace of its own."""

    def run_with_small(self, folder):
        """Run the command with this folder on such a disk; returns its output and its files."""
        self.mirror.fill()
        script = (f'cd "$SLUICE_CACHE" && mount -t tmpfs -o size=2m none {folder} || exit 77; "$@"; '
                  'status=$?; ls -d "$SLUICE_CACHE"/{roots,kernels,sources}/* 2>/dev/null; exit $status')
        os.makedirs(self.cache.at(folder))
        code, said = self.world.run("lts", before=["unshare", "-m", "bash", "-c", script, "bash"])
        self.assertEqual(code, 1, said)
        self.assertNotIn("Traceback", said)
        self.assertNotIn(".new.", said)
        self.assertRegex(said, r"sluice: the disk of .* is full: make room, or set SLUICE_CACHE to a folder on")
        return said

    def setUp(self):
        super().setUp()
        if os.geteuid() or subprocess.run(["unshare", "-m", "true"], check=False).returncode:
            self.skipTest("only root can mount a tmpfs")

    def test_disk_that_fills_up_while_packages_are_fetched_gives_a_sentence(self):
        self.mirror.add("trixie", deb("huge", "1", files=(("usr/huge", bytes(3 << 20)),)))
        self.world.settings["packages"] = ["tool", "huge"]
        said = self.run_with_small("debs")
        self.assertIn("fetching the root file system", said)
        self.assertNotIn("roots/", said)

    def test_disk_that_fills_up_while_a_kernel_is_unpacked_gives_a_sentence(self):
        packages = kernel("6.12.99+deb13-amd64", "6.12.99-1")
        packages.append(deb("linux-modules-6.12.99+deb13-amd64", "6.12.99-1",
                            files=(("lib/modules/large", bytes(3 << 20)),)))
        packages[0] = deb("linux-image-6.12.99+deb13-amd64", "6.12.99-1",
                          depends="linux-modules-6.12.99+deb13-amd64")
        self.mirror.add("trixie", *packages)
        said = self.run_with_small("kernels")
        self.assertIn("unpacking the kernel 6.12.99", said)
        self.assertNotIn("kernels/", said)

    def test_disk_that_fills_up_while_the_root_is_made_gives_a_sentence(self):
        self.mirror.fill()
        self.world.write("full", "bin", "mmdebstrap.mode")
        self.assertRegex(self.fails("lts"), "the disk of .* is full: make room")
        self.assertEqual(self.folders("roots"), [])
