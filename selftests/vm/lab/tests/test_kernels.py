# SPDX-License-Identifier: MIT
"""Kernels by role: the choice, and the unpacking."""
import os

from ..tell import Problem
from .local import LabTest, deb, kernel


class KernelsByRole(LabTest):
    """The archive has only the packages of the test; no root file system is made."""

    def choose(self, wanted, arch="amd64"):
        """The kernel that a new run chooses."""
        return self.world.kernels(arch).choose(wanted)

    def give(self, suite, *packages):
        """Add packages and publish them."""
        self.mirror.add(suite, *packages)
        self.mirror.publish()

    def refused(self, wanted):
        """The sentence of the Problem that replaces a kernel."""
        with self.assertRaises(Problem) as caught:
            self.choose(wanted)
        return str(caught.exception)

    def test_highest_release_is_chosen_and_not_that_of_a_meta_package(self):
        self.mirror.fill()
        self.give("trixie", *kernel("6.12.9+deb13-amd64", "6.12.9-1"),
                  deb("linux-image-amd64", "6.12.9-1", depends="linux-image-6.12.9+deb13-amd64"),
                  deb("linux-headers-amd64", "6.12.9-1", depends="linux-headers-6.12.9+deb13-amd64"))
        self.assertEqual(self.choose("lts").release, "6.12.48+deb13-amd64")
        self.assertEqual(self.choose("oldest").release, "6.1.0-37-amd64")
        self.assertEqual(self.choose("newest"), ("7.3.4+deb13-amd64", "7.3.4-1~bpo13+1", "trixie-backports"))

    def test_kernel_of_the_security_archive_is_chosen_when_it_is_newer(self):
        self.mirror.fill()
        self.give("trixie-security", *kernel("6.12.57+deb13-amd64", "6.12.57-1"))
        self.assertEqual(self.choose("lts"), ("6.12.57+deb13-amd64", "6.12.57-1", "trixie-security"))

    def test_release_candidate_never_becomes_newest(self):
        self.mirror.fill()
        self.give("trixie-backports", *kernel("7.4-amd64", "7.4~rc7-1~exp1", split=True))
        self.assertEqual(self.choose("newest").release, "7.3.4+deb13-amd64")

    def test_flavours_cloud_rt_dbg_and_unsigned_are_ignored(self):
        self.mirror.fill()
        packages = []
        for flavour in ("7.9.1+deb13-cloud-amd64", "7.9.1+deb13-rt-amd64", "7.9.1-cloud-amd64", "7.9.1-rt-amd64"):
            packages += kernel(flavour, "7.9.1-1")
        packages += [deb("linux-image-7.9.1+deb13-amd64-dbg", "7.9.1-1"),
                     deb("linux-image-7.9.1+deb13-amd64-unsigned", "7.9.1-1"),
                     deb("linux-headers-7.9.1+deb13-amd64-dbg", "7.9.1-1")]
        self.give("trixie-backports", *packages)
        self.assertEqual(self.choose("newest").release, "7.3.4+deb13-amd64")

    def test_kernel_without_headers_is_ignored_even_if_another_package_names_them(self):
        self.mirror.fill()
        self.give("trixie-backports", *kernel("7.4.1+deb13-amd64", "7.4.1-1~bpo13+1", headers=False),
                  deb("linux-headers-amd64", "7.4.1-1~bpo13+1", depends="linux-headers-7.4.1+deb13-amd64"))
        self.assertEqual(self.choose("newest").release, "7.3.4+deb13-amd64")

    def test_kernel_whose_headers_are_of_another_version_is_ignored(self):
        self.mirror.fill()
        self.give("trixie-security", *kernel("6.12.48+deb13-amd64", "6.12.48-2", headers=False))
        self.assertEqual(self.choose("lts").version, "6.12.48-1")

    def test_line_of_oldest_has_gone_so_the_nearest_is_taken_with_a_sentence(self):
        self.mirror.fill()
        self.mirror.replace("bookworm", "linux-")
        self.assertEqual(self.choose("oldest").release, "6.12.48+deb13-amd64")
        self.assertIn("no kernel 6.1 for 'oldest' any more: taking 6.12, the nearest line", self.said)

    def test_new_line_becomes_newest_at_a_refresh_with_newer_than_tested(self):
        self.mirror.fill()
        self.assertEqual(self.world.kernels().have("newest").release, "7.3.4+deb13-amd64")
        self.assertNotIn("newer than the newest kernel", self.said)
        self.give("trixie-backports", *kernel("7.4.2+deb13-amd64", "7.4.2-1~bpo13+1", split=True))
        self.assertEqual(self.world.kernels().have("newest").release, "7.3.4+deb13-amd64")
        self.assertEqual(self.world.kernels().have("newest", refresh=True).release, "7.4.2+deb13-amd64")
        self.assertIn("7.4.2+deb13-amd64 is newer than the newest kernel that this version was tested on (7.3)",
                      self.said)
        self.assertEqual(self.world.kernels().find("newest").release, "7.4.2+deb13-amd64")

    def test_suite_of_backports_is_absent_so_one_sentence_and_the_best_there_is(self):
        self.mirror.fill()
        self.mirror.remove_suite("trixie-backports")
        self.world.archive.absent = {"trixie-backports"}
        self.assertEqual(self.choose("newest").release, "6.12.48+deb13-amd64")
        self.assertEqual(self.said.count("the archive has no trixie-backports: going on without"), 1)

    def check_unpacked(self, path, release):
        """All files of a kernel are at their places."""
        for name in (f"boot/vmlinuz-{release}", f"lib/modules/{release}/kernel/data",
                     f"usr/lib/modules/{release}/modules.dep", f"usr/src/linux-headers-{release}/.config"):
            self.assertTrue(os.path.exists(os.path.join(path, name)), name)
        with open(os.path.join(path, "boot", "vmlinuz-" + release), encoding="utf-8") as image:
            self.assertEqual(image.read(), "image of " + release)
        self.assertTrue(os.path.islink(os.path.join(path, "lib")))

    def have(self, wanted, arch="amd64"):
        """Get a complete kernel; returns its folder."""
        kernels = self.world.kernels(arch)
        found = kernels.have(wanted)
        self.check_unpacked(kernels.path(found.release), found.release)
        self.assert_nothing_half_built()
        return kernels.path(found.release)

    def test_image_all_in_one_package_is_unpacked_right(self):
        self.mirror.fill()
        path = self.have("oldest")
        with open(os.path.join(path, "compiler"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "gcc-12\n")
        self.assertEqual(self.server.asked("linux-compiler"), 0)
        self.assertTrue(os.path.exists(os.path.join(path, "usr/src/linux-headers-6.1.0-37-common/Makefile")))

    def test_image_in_four_packages_is_unpacked_right_in_usr_lib(self):
        self.mirror.fill()
        self.have("newest")

    def test_image_in_four_packages_is_unpacked_right_in_lib(self):
        self.give("trixie-backports", *kernel("7.3.5+deb13-amd64", "7.3.5-1", split=True, lib="lib"))
        self.have("newest")

    def test_image_all_in_one_package_is_unpacked_right_in_usr_lib(self):
        self.give("trixie", *kernel("6.12.50+deb13-amd64", "6.12.50-1", lib="usr/lib"))
        self.have("lts")

    def test_kernel_for_arm64_has_tools_that_run_here(self):
        self.give("trixie", *kernel("6.12.48+deb13-arm64", "6.12.48-1", arch="arm64"),
                  deb("linux-kbuild-6.12.48+deb13", "6.12.48-1", "arm64"),
                  *kernel("6.12.49+deb13-amd64", "6.12.49-1"))
        path = self.have("lts", "arm64")
        self.assertEqual(os.path.basename(path), "6.12.48+deb13-arm64")
        self.assertEqual(self.server.sent("kbuild"), ["/debian/pool/linux-kbuild-6.12.48+deb13_6.12.48-1_amd64.deb"])

    def test_line_without_a_role_is_found(self):
        self.mirror.fill()
        self.give("forky", *kernel("6.18.3+deb14-amd64", "6.18.3-1"))
        self.assertEqual(self.choose("6.18").release, "6.18.3+deb14-amd64")
        self.assertEqual(self.choose("6.12").release, "6.12.48+deb13-amd64")

    def test_line_that_the_archive_does_not_have_gives_a_sentence_with_those_it_has(self):
        self.mirror.fill()
        self.assertEqual(self.refused("6.17"),
                         "the archive has no kernel 6.17; it has whole kernels of 6.1, 6.12, 7.3")

    def test_word_that_is_no_kernel_gives_a_sentence(self):
        self.mirror.fill()
        self.assertRegex(self.refused("latest"), "no kernel 'latest': give a role .*, a line as X.Y, or a whole")

    def test_whole_release_is_found(self):
        self.mirror.fill()
        self.give("trixie", *kernel("6.12.43+deb13-amd64", "6.12.43-1"))
        self.assertEqual(self.choose("6.12.43+deb13-amd64").version, "6.12.43-1")

    def test_whole_release_that_a_role_has_needs_no_network(self):
        self.mirror.fill()
        self.world.kernels().have("lts")
        asked = self.server.asked()
        self.assertEqual(self.world.kernels().have("6.12.48+deb13-amd64").version, "6.12.48-1")
        self.assertEqual(self.server.asked(), asked)

    def test_canary_is_the_release_candidate_in_experimental(self):
        self.mirror.fill()
        self.give("sid", *kernel("7.3.5-amd64", "7.3.5-1"))
        self.give("experimental", *kernel("7.4-amd64", "7.4~rc7-1~exp1", split=True),
                  *kernel("7.4-rc6-amd64", "7.4~rc6-1~exp1", split=True))
        self.assertEqual(self.choose("canary"), ("7.4-amd64", "7.4~rc7-1~exp1", "experimental"))

    def test_release_is_newer_than_its_candidates(self):
        self.mirror.fill()
        self.give("experimental", *kernel("7.4-rc7-amd64", "7.4~rc7-1~exp1"))
        self.give("sid", *kernel("7.4-amd64", "7.4-1"))
        self.assertEqual(self.choose("canary").release, "7.4-amd64")

    def test_canary_that_is_not_newer_gives_a_sentence(self):
        self.mirror.fill()
        self.give("experimental", *kernel("7.3-amd64", "7.3~rc7-1~exp1", split=True))
        self.give("sid", *kernel("7.3.4-amd64", "7.3.4-1", split=True))
        self.assertRegex(self.refused("canary"), r"no kernel that is newer than 7\.3\.4\+deb13-amd64 .*: give a kernel")

    def test_archive_without_any_kernel_gives_a_sentence(self):
        self.mirror.publish()
        self.assertRegex(self.refused("newest"), "no kernels at all")

    def test_two_roles_can_have_one_release_which_is_fetched_once(self):
        self.mirror.fill()
        self.mirror.replace("trixie-backports", "linux-")
        self.assertEqual(self.have("lts"), self.have("newest"))
        sent = self.server.sent()
        self.assertEqual(len(sent), len(set(sent)))

