# SPDX-License-Identifier: MIT
"""The command line of QEMU and the one of the kernel, for each kind of guest."""
from __future__ import annotations

import os
from dataclasses import dataclass

from .places import Kernel

# QEMU keeps translated code, and at each store to a page it visits the translations from this
# page.  By default it keeps a GiB, with the code of ended programs: clearing 4 MiB of their
# memory took a minute, without a pause.  With 128 MiB, old translations are dropped in time.
ACCEL = "tcg,thread=single,tb-size=128"

# those of check; a guest with Secure Boot also has the part "enrol": see secureboot.py
PARTS = ("iommu", "bounced", "gapless", "numa", "scarce", "rest", "faults")

# The CPUs of the guest of make bench SCALE=1.
SCALE_CPUS = 8

# The parts of the mode doctor, with their boot parameters: see selftests/doctor.sh.
BOOTS: dict[str, tuple[str, ...]] = {
    "bare": ("cma=64M",),
    "translated": ("intel_iommu=on", "iommu.passthrough=0"),
    "passthrough": ("intel_iommu=on", "iommu=pt"),
    "enforced": ("module.sig_enforce=1", "module_blacklist=sluice,sluice-soft"),
    "bouncing": ("swiotlb=force",),
}


@dataclass(frozen=True)
class Kind:
    """The purpose of a guest."""

    mode: str	# check, demo, bench, shell, doctor, kselftest, packages, secureboot or mutants
    test: str = ""	# only this test program
    # one of PARTS; for doctor, of BOOTS; for bench, profile, scale or big; for mutants, the number
    # of the guest
    part: str = ""
    settings: tuple[str, ...] = ()	# NAME=VALUE, for the kernel's command line
    terminal: os.terminal_size | None = None	# a shell on this terminal
    megabytes: int = 0	# the guest's memory; 0: what its test needs

    @property
    def large(self) -> bool:
        """Does the test need memory that no other test does?"""
        return self.test == "large"

    @property
    def memory(self) -> str:
        """The guest's memory, as QEMU's option has it."""
        if self.megabytes:
            return f"{self.megabytes}M"
        return "7G" if self.large else "512M" if self.part == "scarce" else "3G"

    @property
    def behind_iommu(self) -> bool:
        """Is there an IOMMU, whether it translates or not?"""
        return self.part in ("iommu", "translated", "passthrough")

    @property
    def counted(self) -> bool:
        """Does the guest's clock count instructions?"""
        return self.mode == "bench" or self.part == "gapless"

    @property
    def plain(self) -> bool:
        """Has the guest only devices that many machines have, and none that are for tests?"""
        return self.mode == "kselftest"

    @property
    def wired(self) -> bool:
        """Does the guest have sound and network cards?

        Not with two buses, because QEMU would put the cards on the second.
        """
        return self.mode == "check" and self.part != "numa"


@dataclass(frozen=True)
class Firmware:
    """The files of a guest that firmware starts, from a disk."""

    code: str
    variables: str	# the firmware writes to this file
    disk: str


@dataclass(frozen=True)
class Files:
    """The files and folders that QEMU opens, except the kernel's."""

    initramfs: str
    kernel_log: str
    monitor: str	# a socket
    root: str
    build: str
    out: str	# the guest writes only to this folder
    firmware: Firmware | None = None	# None: QEMU loads the kernel
    bar: str = ""	# the memory of a BAR; by default a file in this folder
    plugin: str = ""	# of QEMU, for the parts profile and scale of the bench


def comma(path: str) -> str:
    """A path in a list of options, in which QEMU needs commas twice."""
    return path.replace(",", ",,")


def kernel_arguments(kind: Kind, kernel: Kernel) -> str:
    """The command line of the kernel."""
    kunit = kind.test in ("", "kunit") and kind.part != "faults"
    words = [
        f"console={'ttyAMA0' if kernel.arm64 else 'ttyS0'}", "loglevel=7",
        "sysrq_always_enabled", "panic=-1",
        # at boot the kernel waits 10 ms for a timer tick, which may come too late on a busy host
        "no_timer_check",
        f"kunit.enable={int(kunit)}", "kunit.autorun=1", "rdinit=/init", f"sluice.mode={kind.mode}",
        # an emulated machine on a busy host may be stopped for that long.  A
        # guest that hangs is ended by guest.SILENT_SECONDS
        "watchdog_thresh=60", "rcupdate.rcu_cpu_stall_timeout=120",
        # no console on the screen, because each blink of its cursor waits for a refresh
        "drm_kms_helper.fbdev_emulation=0",
    ]
    if kind.test:
        words.append(f"sluice.test={kind.test}")
    if kind.part:
        words.append(f"sluice.part={kind.part}")
    words += [f"sluice.{setting}" for setting in kind.settings]
    if kernel.arm64:
        # the memory behind that is SRAM: see selftests/vm/build
        words.append("mem=896M")
    if kind.part == "iommu":
        words += ["intel_iommu=on", "iommu.passthrough=0", "mitigations=off"]
    if kind.part == "bounced":
        words += ["swiotlb=force", "cma=96M"]
    if kind.part == "profile":
        # with one CPU, the kernel would remove its LOCK prefixes
        words.append("noreplace-smp")
    if kind.mode == "doctor":
        words += BOOTS[kind.part]
    if kind.terminal:
        words += [f"sluice.columns={kind.terminal.columns}", f"sluice.rows={kind.terminal.lines}"]
    return " ".join(words)


def processor(kind: Kind) -> str:
    """The model of the processor.

    la57=off: while the kernel detects its CPU, it loses the flag for five levels of page tables
    for a moment, and KASAN takes an interrupt for a stray access.  erms=off: a store of eight
    bytes costs no more than one of a byte (see ACCEL).  Large buffers need that to be cleared in
    time.
    """
    words = ["max", "la57=off"]
    if not kind.counted or kind.part == "big":
        words.append("erms=off")
    if kind.part == "iommu":
        words += ["vendor=AuthenticAMD", "family=25"]
    return ",".join(words)


def clock_of_instructions(kind: Kind) -> list[str]:
    """A clock that counts instructions; idle time is skipped.

    Each takes a nanosecond, or four: a slower CPU keeps up with its clock, however busy the host
    is.
    """
    shift = 0 if kind.mode == "bench" else 2
    return ["-icount", f"shift={shift},sleep=off", "-rtc", "clock=vm"]


def board(kind: Kind) -> list[str]:
    """Processors, their clock, and the devices of the first bus."""
    if kind.counted:
        clock = clock_of_instructions(kind)
        if kind.part == "scale":
            # a device for each CPU
            cards = [word for card in range(SCALE_CPUS) for word in ("-device", "edu")]
            return ["-smp", str(SCALE_CPUS), *clock, *cards]
        return ["-smp", "1", *clock]
    if kind.plain:
        return ["-smp", "2", "-device", "VGA"]
    devices = ["-device", "VGA", "-device", "edu,id=edu", "-device", "virtio-gpu-pci"]
    if kind.behind_iommu:
        # in front of the devices that use it
        return ["-device", "intel-iommu,intremap=off", "-smp", "2", *devices]
    if kind.part == "numa":
        nodes = [word for node in range(2) for word in (
            "-object", f"memory-backend-ram,id=node{node},size=1536M",
            "-numa", f"node,nodeid={node},cpus={node},memdev=node{node}")]
        return ["-smp", "2,sockets=2", *devices, *nodes]
    return ["-smp", "2", *devices]


def bridges(kind: Kind) -> list[str]:
    """The bridges above the two peers, with ports called down0 and down1."""
    if kind.part == "iommu":
        # QEMU's switches send everything upwards.  With an IOMMU, peers reach
        # each other through the host.  The kernel expects this of some hosts only: of a Zen,
        # for example.
        return ["-device", "pcie-root-port,id=down0,chassis=1",
                "-device", "pcie-root-port,id=down1,chassis=2"]
    if kind.part == "numa":
        # the peers and the second CPU are on the second node: no caches are shared
        return ["-device", "pxb-pcie,id=far,bus=pcie.0,bus_nr=128,numa_node=1",
                "-device", "pcie-root-port,id=down0,bus=far,chassis=2",
                "-device", "pcie-root-port,id=down1,bus=far,chassis=3"]
    # a switch with the peers below it
    return ["-device", "pcie-root-port,id=root-port,chassis=1",
            "-device", "x3130-upstream,id=switch,bus=root-port",
            "-device", "xio3130-downstream,id=down0,bus=switch,chassis=2",
            "-device", "xio3130-downstream,id=down1,bus=switch,chassis=3"]


def playing(files: Files) -> list[str]:
    """A sound card that plays to a file, which is complete after the guest's end."""
    return ["-audiodev", f"wav,id=a,path={comma(files.out)}/out.wav,out.frequency=48000,"
            "out.channels=2,out.format=s16", "-device", "AC97,audiodev=a"]


def network() -> list[str]:
    """Two network cards on one cable, without any other."""
    return [word for card in ("n1", "n2") for word in (
        "-netdev", f"hubport,id={card},hubid=1", "-device", f"e1000,netdev={card}")]


def hearing() -> list[str]:
    """A sound card that records the device "words" of ALSA's configuration."""
    # it takes samples every 20 ms, which fill its buffer
    return ["-audiodev", "alsa,id=b,timer-period=20000,in.dev=words,out.dev=null,"
            "in.frequency=48000,in.channels=2,in.format=s16,in.try-poll=off,out.try-poll=off,"
            "in.buffer-length=20000,in.period-length=10000", "-device", "AC97,audiodev=b"]


def share(tag: str, path: str, readonly: bool = True) -> list[str]:
    """A folder that the guest has over 9p."""
    return ["-fsdev", f"local,id={tag},path={comma(path)},security_model=none,multidevs=remap"
            + (",readonly=on" if readonly else ""),
            "-device", f"virtio-9p-pci,fsdev={tag},mount_tag={tag}"]


def serial(kind: Kind, files: Files) -> list[str]:
    """The two ports: the kernel's log, and TAP or a terminal."""
    return ["-serial", f"file:{files.kernel_log}",
            "-serial", "mon:stdio" if kind.terminal else "stdio"]


def boot(kind: Kind, kernel: Kernel, files: Files) -> list[str]:
    """The kernel, its command line and its initramfs; or the firmware, and a disk with them."""
    if files.firmware:
        # Only firmware in system management mode writes the variables
        return ["-global", "driver=cfi.pflash01,property=secure,value=on",
                "-global", "ICH9-LPC.disable_s3=1",
                "-drive", "if=pflash,unit=0,format=raw,readonly=on,"
                f"file={comma(files.firmware.code)}",
                "-drive", f"if=pflash,unit=1,format=raw,file={comma(files.firmware.variables)}",
                "-drive", f"if=none,id=disk,format=raw,readonly=on,file={comma(files.firmware.disk)}",
                "-device", "virtio-blk-pci,drive=disk,bootindex=0"]
    return ["-kernel", kernel.image, "-initrd", files.initramfs,
            "-append", kernel_arguments(kind, kernel)]


def peers(kind: Kind, files: Files, sound: list[str]) -> list[str]:
    """The peers, and the sound card, which come last, so that they change no address.

    The BAR's memory is a file, which the guest finds in /out, except with a shell.
    """
    memory = comma(files.bar or os.path.join(files.out, "bar"))
    return [
        "-object", f"memory-backend-file,id=bar,share=on,size=4M,mem-path={memory}",
        *bridges(kind), *sound, "-device", "ivshmem-plain,memdev=bar,bus=down0",
        "-device", "edu,bus=down1,dma_mask=0xffffffffffffffff"]


def counting(kind: Kind, files: Files) -> list[str]:
    """The plugin that counts instructions, if there shall be one."""
    if not files.plugin:
        return []
    lines = ",lines=on" if kind.part == "scale" else ""
    return ["-plugin", f"{comma(files.plugin)},out={comma(files.out)}/counts,"
            f"symbols={comma(files.out)}/symbols{lines}"]


def pc(kind: Kind, kernel: Kernel, files: Files, hears: bool) -> list[str]:
    """A PC; HEARS: with a sound card that records."""
    sound = playing(files) if kind.wired else []
    cards = network() if kind.wired else []
    if hears:
        cards += hearing()
    return [
        "qemu-system-x86_64", "-machine", "q35,smm=on" if files.firmware else "q35",
        "-cpu", processor(kind), "-accel", ACCEL, *board(kind),
        "-m", kind.memory, "-nodefaults", *counting(kind, files),
        *([] if kind.part == "enrol" else ["-no-reboot"]),
        *boot(kind, kernel, files), "-display", "none",
        *share("root", files.root), *share("modules", kernel.modules), *share("build", files.build),
        *share("out", files.out, readonly=False),
        *([] if kind.plain else peers(kind, files, sound)), *cards,
        "-monitor", f"unix:{files.monitor},server=on,wait=off", *serial(kind, files)]


def raspberry(kind: Kind, kernel: Kernel, files: Files) -> list[str]:
    """A Raspberry Pi 3, whose device tree selftests/vm/build has made."""
    tree = os.path.join(files.build, "user-arm64", f"raspi3b-{kernel.release}.dtb")
    return [
        "qemu-system-aarch64", "-machine", "raspi3b", "-smp", "4",
        *(clock_of_instructions(kind) if kind.counted else []), "-m", "1G", "-accel", ACCEL,
        "-nodefaults", "-no-reboot", *boot(kind, kernel, files), "-dtb", tree, "-display", "none",
        *serial(kind, files)]


def command(kind: Kind, kernel: Kernel, files: Files, hears: bool) -> list[str]:
    """QEMU with the right machine for a kernel."""
    return raspberry(kind, kernel, files) if kernel.arm64 else pc(kind, kernel, files, hears)
