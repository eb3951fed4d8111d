# SPDX-License-Identifier: MIT
"""Guests: QEMU with a kernel of the lab, and the verdict on the output of a guest.

places     the folders of this checkout, and the kernels in them
initramfs  the first root file system of a guest
machine    the command line of QEMU and the one of the kernel
log        the reports in a kernel's log, and which of them fail a run
firmware   the disk and the variables of a guest with Secure Boot
guest      one QEMU, from its start to its end
judge      the TAP of one guest: passed, failed, skipped
report     the output about several guests: sums and tables
check      all tests, on several guests at a time
demo       the demo, in one guest
bench      the benchmarks, in one guest
secureboot the tests with Secure Boot, one guest at a time
__main__   the command
tests/     tests of all parts that need no guest: selftests/vm/lab-test runs them

Each module uses only those above it.
"""
