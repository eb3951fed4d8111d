# SPDX-License-Identifier: MIT
"""The cache over time: old, damaged, stale and unused parts; only complete folders are trusted."""
import json
import os
import shutil
import time

from ..cache import UNUSED_DAYS
from ..root import ARM64
from .local import LabTest, deb, kernel, source

OLD = (UNUSED_DAYS + 1) * 86400


class CacheOverTime(LabTest):
    """Runs of the whole command, one after the other."""

    def setUp(self):
        super().setUp()
        self.mirror.fill()

    def test_second_run_finds_everything_without_a_network_and_says_nothing(self):
        self.succeeds()
        self.server.close()
        self.assertEqual(self.succeeds(), "")
        self.assertEqual(sorted(os.listdir(self.world.at("build", "lab", "kernels"))), ["lts", "newest", "oldest"])
        for name in ("root", "harness", "kernels/lts"):
            self.assertTrue(os.path.exists(self.world.at("build", "lab", name)), name)
        checker = "kernels/lts/usr/src/linux-headers-6.12.48+deb13-amd64/scripts/checker-valid.sh"
        self.assertIn("of 7.3", self.world.read("build", "lab", checker))

    def test_second_run_for_one_role_needs_no_network(self):
        self.succeeds("oldest")
        self.server.close()
        self.assertEqual(self.succeeds("oldest"), "")

    def test_second_run_needs_no_network_when_newest_has_no_source_of_its_own(self):
        self.mirror.replace("trixie-backports", "linux-source")
        self.mirror.replace("bookworm", "linux-source")
        self.assertIn("no source of 7.3.4+deb13-amd64: taking that of 6.12.48-1", self.succeeds("newest"))
        self.server.close()
        self.assertEqual(self.succeeds("newest"), "")

    def test_run_after_a_refresh_needs_no_network(self):
        self.succeeds("newest")
        self.mirror.add("trixie-backports", *kernel("7.4.2+deb13-amd64", "7.4.2-1~bpo13+1", split=True),
                        source("7.4", "7.4.2-1~bpo13+1"))
        self.mirror.publish()
        self.assertIn("'newest' is 7.4.2+deb13-amd64, from trixie-backports", self.succeeds("--refresh", "newest"))
        self.server.close()
        self.assertEqual(self.succeeds("newest"), "")
        self.assertIn("7.4.2", os.readlink(self.world.at("build", "lab", "harness")))

    def test_source_prints_its_path_and_a_second_run_needs_no_network(self):
        path = self.succeeds("--source", "lts").splitlines()[0]
        self.assertTrue(path.endswith("sources/6.12.48-1/linux-source-6.12.tar.xz"), path)
        self.server.close()
        self.assertEqual(self.succeeds("--source", "lts").strip(), path)

    def test_source_without_a_kernel_is_refused(self):
        code, said = self.world.run("--source")
        self.assertEqual(code, 2)
        self.assertRegex(said, "--source needs one KERNEL")

    def test_cache_of_an_earlier_version_is_removed_once(self):
        for name in ("root.stamp", "root/etc/os-release", "arm64.stamp", "arm64/usr/a", "setup.log",
                     "kernels/debug-6.12/bzImage"):
            self.world.write("", "cache", name)
        self.assertIn("removing the cache of an earlier version", self.succeeds("lts"))
        for name in ("root.stamp", "root", "arm64.stamp", "arm64", "setup.log", "kernels/debug-6.12"):
            self.assertFalse(os.path.exists(self.cache.at(name)), name)
        self.assertEqual(self.succeeds("lts"), "")
        self.assertEqual(self.folders("kernels"), ["6.12.48+deb13-amd64"])

    def test_folder_is_on_the_disk_before_it_has_its_name(self):
        self.succeeds("lts")
        synced = self.world.read("bin", "sync.log")
        for kind in ("roots", "kernels", "sources"):
            for name in self.folders(kind):
                self.assertIn(f"/{kind}/{name}.new.", synced)

    def test_folder_that_a_killed_run_left_is_removed(self):
        for kind in ("roots", "kernels", "sources"):
            self.world.write("", "cache", kind, "half.new.abcd", "file")
        self.succeeds("lts")
        self.assert_nothing_half_built()

    def damaged(self, text):
        """With this text in found.json, the archive is asked again, and the file is replaced."""
        self.succeeds("lts")
        self.world.write(text, "cache", "found.json")
        self.assertNotIn("Traceback", self.succeeds("lts"))
        self.assertEqual(json.loads(self.world.read("cache", "found.json"))["lts:amd64"]["release"],
                         "6.12.48+deb13-amd64")

    def test_found_json_that_is_cut_off_is_made_anew(self):
        self.damaged('{"lts:amd64": {"release": "6.12.48+de')

    def test_found_json_with_other_types_is_made_anew(self):
        self.damaged('{"lts:amd64": "6.12.48+deb13-amd64", "newest:amd64": {"release": 7}}')

    def test_found_json_that_is_old_gives_one_sentence(self):
        self.succeeds("lts")
        found = json.loads(self.world.read("cache", "found.json"))
        found["lts:amd64"]["time"] -= 15 * 86400
        self.world.write(json.dumps(found), "cache", "found.json")
        self.server.close()
        said = self.succeeds("lts")
        self.assertEqual(said.strip().splitlines(),
                         ["==> the archive was asked 15 days ago which kernel is 'lts': 'make refresh' asks again"])

    def test_kernel_that_found_json_names_but_is_gone_is_fetched_again(self):
        self.succeeds("lts")
        shutil.rmtree(self.cache.at("kernels", "6.12.48+deb13-amd64"))
        self.succeeds("lts")
        self.assertEqual(self.folders("kernels"), ["6.12.48+deb13-amd64"])

    def age(self, kind):
        """Mark everything in a folder of the cache as unused for long."""
        for name in self.folders(kind):
            os.utime(self.cache.at(kind, name), (time.time() - OLD, time.time() - OLD))

    def test_folders_unused_for_14_days_are_removed(self):
        self.succeeds("oldest", "lts")
        for kind in ("roots", "kernels", "sources", "builds"):
            self.world.write("", "cache", kind, "unused", "file")
            self.age(kind)
        self.succeeds("lts")
        self.assertEqual(self.folders("kernels"), ["6.12.48+deb13-amd64"])
        self.assertEqual(self.folders("builds"), [])
        self.assertEqual(len(self.folders("roots")), 1)
        self.assertEqual(len(self.folders("sources")), 1)

    def test_folders_used_within_14_days_are_kept(self):
        self.succeeds("oldest")
        self.succeeds("lts")
        self.assertEqual(self.folders("kernels"), ["6.1.0-37-amd64", "6.12.48+deb13-amd64"])

    def arm64(self):
        """Add arm64's packages to the archive, with files as old as in real packages."""
        self.mirror.add("trixie", *kernel("6.12.48+deb13-arm64", "6.12.48-1", arch="arm64"),
                        *(deb(name, "1", arch="arm64", files=(("usr/share/" + name, ""),)) for name in ARM64))
        self.mirror.publish()

    def test_what_the_guest_of_arm64_needs_is_made_and_kept_and_found_again(self):
        self.arm64()
        self.succeeds("--arm64", "lts")
        for name in ("arm64/usr/share/bash-static", "kernels/lts-arm64/boot/vmlinuz-6.12.48+deb13-arm64"):
            self.assertTrue(os.path.exists(self.world.at("build", "lab", name)), name)
        self.server.close()
        self.age("roots")
        self.assertEqual(self.succeeds("--arm64", "lts"), "")
        self.assertTrue(os.path.exists(self.world.at("build", "lab", "arm64/usr/share/bash-static")))

    def test_kernel_of_a_younger_debian_has_a_root_to_compile_in_which_is_kept(self):
        self.mirror.add("sid", deb("base", "1", essential=True), deb("apt", "3.0"), deb("library", "2:1.5-1"),
                        deb("tool", "1.0-1", depends="library"), deb("gcc-15", "15.1"))
        self.mirror.add("experimental", *kernel("7.4-amd64", "7.4~rc7-1~exp1", split=True, compiler="gcc-15"))
        self.mirror.publish()
        self.succeeds("canary")
        self.server.close()
        self.age("roots")
        self.assertEqual(self.succeeds("canary"), "")
        with open(self.world.at("build", "lab", "compilers", "canary", "packages"), encoding="utf-8") as file:
            self.assertIn("gcc-15", file.read())

    def test_refresh_that_finds_an_older_debian_takes_back_the_link_to_the_compilers(self):
        os.makedirs(self.world.at("build", "lab", "compilers"))
        os.symlink("/nonexistent", self.world.at("build", "lab", "compilers", "lts"))
        self.succeeds("lts")
        self.assertFalse(os.path.lexists(self.world.at("build", "lab", "compilers", "lts")))

    def test_cache_that_cannot_be_written_gives_a_sentence(self):
        self.world.write("", "cache")
        self.assertRegex(self.fails("lts"), "cannot write to the cache .*: set SLUICE_CACHE to a folder of your own")

    def test_mmdebstrap_that_fails_gives_a_sentence_and_the_packages_are_kept(self):
        self.world.write("fail", "bin", "mmdebstrap.mode")
        self.assertRegex(self.fails("lts"), r"mmdebstrap has failed \(E: setup failed: this is only a test\): see .*")
        os.unlink(self.world.at("bin", "mmdebstrap.mode"))
        sent = self.server.sent()
        self.succeeds("lts")
        self.assertEqual([path for path in self.server.sent() if "tool" in path], [p for p in sent if "tool" in p])

    def test_tmpdir_on_tmpfs_and_cache_with_a_space_serve(self):
        if not os.access("/dev/shm", os.W_OK):
            self.skipTest("this machine has no /dev/shm")
        self.assertIn(" ", self.cache.path)
        self.world.env["TMPDIR"] = "/dev/shm"
        self.succeeds("lts")

    def test_source_that_lacks_one_test_is_told_and_serves(self):
        self.mirror.replace("trixie-backports", "linux-source", source(
            "7.3", "7.3.4-1~bpo13+1", lacks="tools/testing/selftests/dmabuf-heaps/dmabuf-heap.c"))
        self.assertIn("the kernel's source has not all that tests use", self.succeeds("lts"))

    def test_source_fetched_for_an_earlier_list_of_files_needs_no_network(self):
        """A new harness is unpacked from it, beside the earlier one."""
        self.succeeds("newest")
        harness = os.path.realpath(self.world.at("build", "lab", "harness"))
        earlier = os.path.join(os.path.dirname(harness), "harness-of-before")
        os.rename(harness, earlier)
        self.server.close()
        self.assertIn("taking the kernel's test harness out of its source", self.succeeds("newest"))
        self.assertTrue(os.path.exists(os.path.join(harness, "scripts/checkpatch.pl")))
        self.assertTrue(os.path.isdir(earlier))

    def test_source_without_the_harness_gives_a_sentence(self):
        self.mirror.replace("trixie-backports", "linux-source", deb(
            "linux-source-7.3", "7.3.4-1~bpo13+1", "all",
            files=(("usr/src/linux-source-7.3.tar.xz", b"no archive"),)))
        self.fails("lts")
        self.assertEqual(self.folders("sources"), [])
