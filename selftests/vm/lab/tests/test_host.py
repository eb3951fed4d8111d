# SPDX-License-Identifier: MIT
"""The machine around the lab: its packages, its user, its paths."""
import os
import shutil
import signal
import subprocess

from .local import TOP, LabTest, ended, wait_for

NOBODY = 65534


class HostPackages(LabTest):
    """selftests/vm/setup up to the point where it starts the Python part."""

    NEEDED = ("qemu-system-x86", "mmdebstrap", "python3", "xz-utils", "kmod", "util-linux", "mount",
              "cpio", "debian-archive-keyring")

    def setUp(self):
        super().setUp()
        self.world.use("user", "host")
        self.installed(*self.NEEDED)

    def installed(self, *packages):
        """Install these packages on the fake machine."""
        self.world.write("".join(package + "\n" for package in packages), "bin", "installed")

    def apt(self, *modes):
        """Set the results of the calls of apt-get."""
        self.world.write("".join(mode + "\n" for mode in modes), "bin", "apt-get.mode")

    @property
    def calls(self):
        """Calls of apt-get so far."""
        return self.world.read("bin", "apt-get.log").splitlines()

    def start(self, *arguments, **more):
        """Start the script."""
        return subprocess.Popen([os.path.join(TOP, "selftests", "vm", "setup"), *arguments], env=self.world.env,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                start_new_session=True, **more)

    def run_setup(self, *arguments, **more):
        """Run it; returns (status, output).  --help ends the Python part at once."""
        with self.start(*(arguments or ("--help",)), **more) as process:
            output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def test_machine_with_all_packages_is_not_touched(self):
        code, said = self.run_setup()
        self.assertEqual(code, 0, said)
        self.assertEqual(self.calls, [])

    def test_missing_packages_are_installed_and_no_others(self):
        self.installed(*self.NEEDED[2:])
        code, said = self.run_setup()
        self.assertEqual(code, 0, said)
        self.assertEqual(self.calls, ["update", "install qemu-system-x86 mmdebstrap"])

    def test_arm64_needs_one_package_more(self):
        code, said = self.run_setup("--arm64", "--help")
        self.assertEqual(code, 0, said)
        self.assertEqual(self.calls, ["update", "install qemu-system-arm"])

    def test_lists_that_cannot_be_renewed_are_told_and_may_do(self):
        self.installed()
        self.apt("fail")
        code, said = self.run_setup()
        self.assertEqual(code, 0, said)
        self.assertIn("apt's lists could not be renewed: going on with those that are there", said)

    def test_lists_that_have_expired_are_taken_all_the_same(self):
        self.installed(*self.NEEDED[1:])
        self.apt("expired")
        code, said = self.run_setup()
        self.assertEqual(code, 0, said)
        self.assertIn("the archive's Release file has expired: going on with what the archive has", said)
        self.assertEqual(self.calls, ["update", "unchecked update", "install qemu-system-x86"])

    def test_packages_that_fail_once_are_tried_again_with_new_lists(self):
        self.installed()
        self.apt("ok", "fail")
        code, said = self.run_setup()
        self.assertEqual(code, 0, said)
        self.assertIn("trying once more, with new lists", said)
        self.assertEqual([call.split()[0] for call in self.calls], ["update", "install", "update", "install"])

    def test_packages_that_fail_twice_give_a_sentence(self):
        self.installed(*self.NEEDED[1:])
        self.apt("ok", "fail", "ok", "fail")
        code, said = self.run_setup()
        self.assertEqual(code, 1, said)
        self.assertRegex(said, "sluice: apt could not install: qemu-system-x86 .*its reason is above")
        self.assertIn("E: Unable to fetch some archives", said)

    def test_full_disk_gives_a_sentence_and_is_not_tried_again(self):
        self.installed()
        self.apt("ok", "full")
        code, said = self.run_setup()
        self.assertEqual(code, 1, said)
        self.assertIn("sluice: the disk is full: make room for: qemu-system-x86", said)
        self.assertEqual(len(self.calls), 2)

    def test_ctrl_c_while_packages_are_installed_ends_apt_too(self):
        self.installed()
        self.apt("ok", "hold")
        with self.start() as process:
            wait_for(lambda: self.world.read("bin", "apt-get.pid").strip(), "apt-get")
            os.killpg(process.pid, signal.SIGINT)
            code, said = ended(process)
        self.assertEqual(code, 130, said)
        self.assertFalse(os.path.exists("/proc/" + self.world.read("bin", "apt-get.pid").strip()))

    def test_machine_of_another_architecture_gives_a_sentence(self):
        self.world.write("arm64\n", "bin", "dpkg.arch")
        code, said = self.run_setup()
        self.assertEqual((code, said), (1, "sluice: the lab needs an x86-64 machine, and this is arm64\n"))

    def test_machine_without_apt_gives_a_sentence(self):
        for program in ("bash", "dirname", "id", "grep", "realpath"):
            if not os.path.exists(self.world.at("few", program)):
                os.makedirs(self.world.at("few"), exist_ok=True)
                os.symlink(shutil.which(program), self.world.at("few", program))
        self.world.env["PATH"] = self.world.at("few")
        code, said = self.run_setup()
        self.assertEqual(code, 1, said)
        self.assertIn("sluice: this is not Debian or one of its children: the lab needs apt", said)

    def test_relative_cache_is_below_the_folder_of_the_caller(self):
        # the cache cannot be made there, and the sentence has its path
        self.world.write("", "work", "a file")
        self.world.env["SLUICE_CACHE"] = "a file"
        code, said = self.run_setup("lts", cwd=self.world.at("work"))
        self.assertEqual(code, 1, said)
        self.assertIn(f"cannot write to the cache {self.world.at('work', 'a file')} ", said)


class OrdinaryUser(LabTest):
    """The command as the user nobody, with fakes for programs that need root."""

    def setUp(self):
        super().setUp()
        if os.geteuid():
            self.skipTest("the other tests have run as an ordinary user")
        self.world.use("user")
        self.mirror.fill()
        # a checkout that belongs to this user
        shutil.copytree(os.path.join(TOP, "selftests", "vm", "lab"), self.world.at("checkout", "lab"))
        self.world.env.update(PYTHONPATH=self.world.at("checkout"), HOME=self.world.at("home"))
        del self.world.env["SLUICE_CACHE"]
        os.makedirs(self.world.at("home"))
        self.world.write("", "settings")
        for path, _, _ in os.walk(self.world.folder):
            os.chown(path, NOBODY, NOBODY)
        self.user = {"before": ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"],
                     "cwd": self.world.folder}

    def test_ordinary_user_has_a_cache_at_home_and_needs_sudo_for_the_root_alone(self):
        self.succeeds("lts", **self.user)
        self.assertTrue(os.path.isdir(self.world.at("home", ".cache", "sluice", "kernels", "6.12.48+deb13-amd64")))
        calls = [call.split()[1:3] for call in self.world.read("bin", "sudo.log").splitlines()]
        self.assertEqual([call[0] for call in calls if call != ["true"]], ["unshare", "unshare", "mv"])

    def test_ordinary_user_needs_no_sudo_for_a_second_run_although_the_root_is_roots(self):
        self.succeeds("lts", **self.user)
        roots = self.world.at("home", ".cache", "sluice", "roots")
        for name in os.listdir(roots):
            os.chown(os.path.join(roots, name), 0, 0)
        os.unlink(self.world.at("bin", "sudo.log"))
        self.assertEqual(self.succeeds("lts", **self.user), "")
        self.assertEqual(self.world.read("bin", "sudo.log"), "")

    def test_ordinary_user_without_sudo_gets_a_sentence(self):
        os.unlink(self.world.at("bin", "sudo"))
        if shutil.which("sudo", path=self.world.env["PATH"]):
            self.skipTest("this machine has sudo")
        code, said = self.world.run("lts", **self.user)
        self.assertEqual(code, 1, said)
        self.assertEqual(said.strip().splitlines()[-1],
                         "sluice: this step needs root: run make as root, or install sudo")
