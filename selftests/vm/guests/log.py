# SPDX-License-Identifier: MIT
"""The reports in a kernel's log, and which of them fail a run.

A report is a list of lines, without their times.
"""
from __future__ import annotations

import re
from collections.abc import Iterable

Report = list[str]

# Lines of a kernel's log that no healthy run contains.
KERNEL_TROUBLE = re.compile(
    r"\bBUG:|WARNING:|\bOops\b|KASAN|UBSAN|KFENCE|general protection|kernel panic|"
    r"DMA-API:|unreferenced object|possible (circular|recursive) locking|inconsistent lock|"
    r"suspicious RCU|INFO: (task .* blocked|trying to register)|rcu: INFO|soft lockup|hard LOCKUP|"
    r"refcount_t:|list_(add|del) corruption|ODEBUG|scheduling while atomic|sleeping function|"
    r"Call Trace:|Unable to handle|stack segment|divide error|invalid opcode|"
    r"Out of memory|page allocation failure|wrong timeout value", re.I)
# Messages of debug kernels about themselves: at boot, and of dma-debug when a test makes
# dma-debug's own allocation fail (selftests/debug/faults*.c, which run last).
KERNEL_HARMLESS = re.compile(
    r"DMA-API: (preallocated|debugging enabled|cacheline tracking ENOMEM)|kfence: initialized|"
    r"DMA-API: Mapped at:|"	# belongs to an earlier report
    r"kasan: KernelAddress|UBSAN: enabled|kmemleak: |MP-BIOS bug|spectre|KASLR|Kernel panic=|panic_on")

# A line that begins a report, even if another one has not ended.
KERNEL_HEAD = re.compile(r"\b(BUG|WARNING|INFO): |general protection fault")

# A report is ignored if its first lines match this: 6.12's io_uring warns about its own
# worker when a ring is closed; and its system heap maps a buffer twice for a device without
# the attribute that allows this.
KERNEL_FOREIGN = re.compile(
    r"WARNING: .*\b__io_submit_flush_completions\b|"
    r"DMA-API: platform sluice-sample: cacheline tracking EEXIST")
# A screen that is refreshed late, because the host is busy: DRM waits 100 ms for a refresh
# and warns, in any of its functions that wait or count.  Also, a commit uses its state after
# the next commit has freed it.  Ignored if no function of Sluice is on a stack.
SCREEN_LATE = re.compile(
    r"WARNING: .*\bdrm_\w*vblank\w*(\.\w+)*\+0x|"
    r"BUG: KASAN: slab-use-after-free in drm_atomic_helper_wait_for_\w+\b")
# An interrupt's files in /proc could not be made without memory, so their removal warns.
MISSED_FILES = re.compile(r"WARNING: .*\bremove_proc_entry\b.*\bfaults_(inside|program)\b", re.S)
# vivid's thread sleeps for a negative time when it is late.
VIVID_LATE = re.compile(r"wrong timeout value.*\bComm: vivid-\d+-vid-c\b", re.S)

# A data race is Sluice's if a function of Sluice is on one of its stacks.  Functions below an
# interrupt's entry do not count: the interrupt came while they ran.
OUR_FRAME = re.compile(r"\+0x[0-9a-f]+/0x[0-9a-f]+ \[sluice(_\w+)?\b")
# Both accesses are in these functions, whose races are intended for any caller: the lock of
# a dma_resv, whose context is read before it is held; the bits of a work item; struct file,
# which is reused while RCU readers read it; the dentry cache.
KERNEL_OWN = (r"(_*ww_mutex_\w+|"
              r"\w*queue_(delayed_)?work\w*|move_linked_works|process_one_work|assign_work|"
              r"clear_pending_if_disabled|init_file|"
              # a sleeper and its timer; pages' flags; tasks' and kobjects' bits
              r"hrtimer_wakeup|usleep_range_state|do_nanosleep|"
              r"lru_add|check_and_migrate_movable_pages_or_folios|"
              r"device_del|kthread_is_per_cpu|rescuer_thread|kobject_get|kobject_uevent_env|"
              r"_*d_(alloc|lookup|rehash|drop|add|instantiate)\w*|dput|dentry_kill|lockref_\w+|"
              r"path_openat|simple_lookup)(\.\w+)*")
KERNEL_RACE = re.compile(rf"data-race in {KERNEL_OWN} / {KERNEL_OWN}$")
INTERRUPT_ENTRY = re.compile(r"\basm_(sysvec|exc|common_interrupt)")

REPORT_LINES = 40	# most lines of a report that are printed


def end_of_report(text: str, cut: bool) -> str:
    """The beginning of a report's last line, which depends on the first line."""
    if re.search(r"BUG: (KASAN|KCSAN|KFENCE)", text):
        return r"={20,}"
    if cut or re.search(r"general protection|unable to handle|NULL pointer", text):
        return r"---\[ end "
    return r"\s*</TASK>"


def reports(log: Iterable[str]) -> list[Report]:
    """The reports in a kernel's log.

    The kind of a report decides where it ends: at a line of '=', at an end trace, or after
    its only stack; at the latest where the next report begins.
    """
    found: list[Report] = []
    report: Report | None = None
    end, warning = "", False
    for text in log:
        text = re.sub(r"^\[ *\d+\.\d+\](\[ *[TC]\d+\])? ?", "", text.rstrip())
        trouble = KERNEL_TROUBLE.search(text) and not KERNEL_HARMLESS.search(text)
        cut = "[ cut here ]" in text
        if cut or (trouble and (report is None or (KERNEL_HEAD.search(text) and not warning))):
            # a message of WARN() is between the cut and the line with WARNING
            report, warning = [] if cut else [text], cut
            found.append(report)
            end = end_of_report(text, cut)
        elif report is not None:
            report.append(text)
            warning = warning and not KERNEL_HEAD.search(text)
            if re.match(end, text) or len(report) >= 10 * REPORT_LINES:
                report = None
    return [each for each in found if each]


def leaks(text: Iterable[str]) -> list[Report]:
    """The reports of kmemleak, from its file in debugfs."""
    found: list[Report] = []
    for line in text:
        if line.startswith("unreferenced object"):
            found.append(["kmemleak: " + line.rstrip()])
        elif found:
            found[-1].append(line.rstrip())
    return found


def has_our_frame(report: Report) -> bool:
    """Is a function of Sluice on a stack, and not only below an interrupt's entry?"""
    interrupted = False
    for text in report[1:]:
        if text.startswith("Reported by "):
            break
        if not text.startswith(" "):
            # the next stack begins
            interrupted = False
        elif INTERRUPT_ENTRY.search(text):
            interrupted = True
        elif OUR_FRAME.search(text) and not interrupted:
            return True
    return False


def foreign(report: Report) -> bool:
    """Is this report only about code that is not Sluice's?"""
    if any(KERNEL_FOREIGN.search(text) for text in report[:4]):
        return True
    if MISSED_FILES.search("\n".join(report[:5])):
        return True
    if any(SCREEN_LATE.search(text) for text in report[:4]):
        return not any(OUR_FRAME.search(text) for text in report)
    if VIVID_LATE.match("\n".join(report[:4]).partition("schedule_timeout: ")[2]):
        return True
    if "BUG: KCSAN: " not in report[0]:
        return False
    return bool(KERNEL_RACE.search(report[0])) or not has_our_frame(report)


def excerpt(report: Report) -> str:
    """A report after its first line, cut to a readable length."""
    more = len(report) - REPORT_LINES
    return "".join(f"      | {text}\n" for text in report[1:REPORT_LINES]) + (
        f"      | ... and {more} lines more\n" if more > 0 else "")
