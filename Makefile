# SPDX-License-Identifier: MIT
# Every target that a person types.  'make help' tells them apart.

VM := selftests/vm
empty :=

# Kernels go by their role, which selftests/vm/roles explains.  KERNEL= chooses: a role,
# a line as X.Y, a release, or several of them.  KDIR=/path/to/build takes a kernel of
# your own, T=name one test program.
# For selftests/vm/build, KERNEL in the environment is the name of one kernel
unexport KERNEL
KERNELS := $(or $(KERNEL),oldest lts newest)
ONE := $(lastword $(or $(KERNEL),newest))
ARM64 := $(or $(KERNEL),lts newest)
ifneq ($(KDIR),)
KERNELS := $(shell cat '$(KDIR)/include/config/kernel.release' 2>/dev/null)
ONE := $(KERNELS)
endif
# A file for the results, for programs that read JUnit's format.
RESULTS := $(if $(JUNIT),-j '$(JUNIT)')
# A newer kernel than the archive has is built from its source.
ifneq ($(SOURCE),)
ifneq ($(KERNEL),canary)
$(error SOURCE= goes with KERNEL=canary)
endif
CANARY_SOURCE := yes
endif

help:
	@echo 'make demo                     the main job, ending with a picture and a table; V=1 for details'
	@echo 'make check                    all tests on the oldest, the lts and the newest kernel'
	@echo 'make check KERNEL=lts         ... on one of them; KERNEL=X.Y on another that the archive has'
	@echo 'make check KERNEL=canary      ... on one that is newer than the newest, where there is one;'
	@echo '                              SOURCE=linux-X.Y.tar.xz builds it from that source'
	@echo 'make check KDIR=/path         ... on a kernel build of your own'
	@echo 'make check JUNIT=FILE         ... and also write the results to FILE, as JUnit does'
	@echo 'make check T=fence            ... one test program: see selftests/'
	@echo 'make check IOMMU=1            ... behind an IOMMU; all tests on the newest run there, too'
	@echo 'make check-arm64              ... on arm64, with DMA engines of a Raspberry Pi 3; KERNEL=, T= as above'
	@echo 'make check-secureboot         ... with Secure Boot, and what a locked-down kernel forbids'
	@echo 'make check-kselftest          some of them as kselftest has them, on a plain machine'
	@echo 'make check-doctor             sluicectl doctor on broken machines; T=bouncing for one of its boots'
	@echo 'make check-debug              ... on a kernel built to catch bugs (once 15 minutes)'
	@echo 'make check-debug LONG=1       ... and on the lts kernel built so, and on the newest with KCSAN'
	@echo 'make check-debug KERNEL=lts   ... on that one; VARIANT=kcsan for KCSAN'
	@echo 'make check-races              loops of races on the newest of these; LONG=1 for an hour on both, T=unbind for one'
	@echo 'make fuzz                     the fuzzer on the newest of these: EXECUTIONS=n SEED=n, LONG=1 for an hour'
	@echo 'make mutants                  which of many small bugs the tests do not notice; T=name for one, or for a list'
	@echo 'make coverage                 what of drivers/ the last check-debug, check-races and fuzz reached'
	@echo 'make bench                    what everything costs, in instructions, beside the peers'
	@echo 'make bench PROFILE=case       ... one case (or words of its name): its instructions by function'
	@echo 'make bench SCALE=1            ... with 1 to 64 threads: shared cache lines of a job and a buffer'
	@echo 'make bench BIG=1               ... with buffers of 1 and 16 GiB, and memory in pieces'
	@echo 'make bench-arm64              ... CPU access on arm64, where caches need maintenance'
	@echo 'make check-profile            ... whether these profiles count right'
	@echo 'make check-big                ... whether BIG=1 works, with smaller buffers'
	@echo 'make check-lab                the lab itself: the set-up, the judgement of the output of a guest,'
	@echo '                              and the check of the floors of drivers/'
	@echo 'make check-tool               sluicectl: its manuals, and what the shells complete'
	@echo 'make shell                    a shell in a guest with the modules loaded'
	@echo 'make docs                     the documents as a site, in build/docs/html, and the man pages'
	@echo 'make gates                    W=1, sparse, UAPI layout, on every kernel and its flavours'
	@echo 'make install                  on this machine, without the lab: modules for the running kernel,'
	@echo '                              library, tool, headers, man pages, udev rule; DESTDIR=, PREFIX=,'
	@echo '                              KDIR=, ...: see Documentation/install.md'
	@echo 'make install-modules          ... only the modules; install-user for the rest'
	@echo 'make local                    ... only compile them, as an ordinary user'
	@echo 'make uninstall                remove what make install has installed'
	@echo 'make check-install            the tests of make install, in a copy of the root file system'
	@echo 'make check-ktree              the driver inside the source of the newest kernel, as modules and built in'
	@echo 'make deb                      the Debian packages, in build/deb'
	@echo 'make check-packages           the tests of the packages: installing, DKMS, upgrading, removing'
	@echo 'make modules KERNEL=lts       compile the modules into build/'
	@echo 'make setup                    only fetch and prepare what the others need'
	@echo 'make refresh                  ask the archive again which kernels there are (KERNEL= for others)'
	@echo 'make clean                    remove build/ (the cache and build/saved/ stay)'

setup:
ifeq ($(KDIR)$(CANARY_SOURCE),)
	@$(VM)/setup $(KERNELS)
else
	@$(VM)/setup newest
endif

# For targets that need no other kernel.
setup-newest:
	@$(VM)/setup newest

refresh:
	@$(VM)/setup --refresh $(KERNELS)
	@[ ! -e build/lab/arm64 ] || $(VM)/setup --refresh --arm64 $(ARM64)
	@[ ! -e build/lab/kernels/newest-clang ] || $(VM)/setup --refresh --headers

user: setup
	@$(VM)/build user

modules: setup
ifneq ($(KDIR),)
	@$(VM)/build kdir '$(KDIR)'
else
	@$(VM)/build modules $(KERNELS)
endif

ifneq ($(CANARY_SOURCE),)
check: user
	@source=$$(realpath -e '$(SOURCE)') && release=$$($(VM)/build lab "$$source:debug") && \
		$(PATIENCE) $(VM)/run check $$release $(if $(T),-t $(T)) $(RESULTS)
else
check: user modules
	@$(VM)/run check $(KERNELS) $(if $(T),-t $(T)) $(if $(IOMMU),-p iommu) $(RESULTS)
endif

# The tests as kselftest has them, installed in a guest that has nothing of the lab.
check-kselftest:
	@$(VM)/setup $(ONE)
	@$(VM)/build programs
	@$(VM)/build modules $(ONE)
	@$(VM)/kselftest $(ONE) $(T)

# sluicectl doctor on machines that boot with other parameters, and that its test breaks.
check-doctor: user modules
	@$(VM)/run doctor $(KERNELS) $(if $(T),-p $(T))

# The lab's own software: the set-up, against an archive on this machine, and the judgement
# of guests.
check-lab:
	@$(VM)/lab-test

# Guests with Secure Boot; and the rules of lockdown in guests that lock themselves down.
SECURE := $(or $(KERNEL),newest)

check-secureboot:
	@$(VM)/setup $(SECURE)
	@$(VM)/setup --workshop
	@$(VM)/build user
	@$(VM)/build modules $(SECURE)
	@$(VM)/run check $(SECURE) -t lockdown
	@SLUICE_SILENT_SECONDS=$${SLUICE_SILENT_SECONDS:-900} $(VM)/run secureboot $(SECURE)

# What sluicectl says without a device, in the root file system that has the shells.
check-tool: user-newest
	@$(VM)/setup --workshop
	@$(VM)/build in-workshop /src/selftests/vm/tool-test

# Debian's kernels for arm64 on QEMU's Raspberry Pi 3, with what that needs.
check-arm64:
	@$(VM)/setup --arm64 $(ARM64)
	@$(VM)/build modules $(ARM64:=-arm64)
	@$(VM)/build user-arm64 $(ARM64)
	@$(VM)/run check $(ARM64:=-arm64) $(if $(T),-t $(T)) $(RESULTS)

# Kernels built to catch bugs.  LONG=1: all of them; KERNEL=lts or VARIANT=kcsan:
# that one.
LAB := $(if $(KERNEL)$(VARIANT),$(ONE):$(or $(VARIANT),debug),\
	newest:debug $(if $(LONG),lts:debug newest:kcsan))
# Races are what kcsan is for.
LAB_RACES := $(filter-out lts:%,$(LAB))
# They are slow, above all to boot on a busy machine.
PATIENCE = SLUICE_GUEST_SECONDS=$${SLUICE_GUEST_SECONDS:-$(if $(LONG),7200,2700)} \
	SLUICE_SILENT_SECONDS=$${SLUICE_SILENT_SECONDS:-400}

user-newest: setup-newest
	@$(VM)/build user

check-debug: user-newest
	@releases=$$($(VM)/build lab $(LAB)) && \
		$(PATIENCE) $(VM)/run check $$releases $(if $(T),-t $(T)) $(RESULTS)

# Loops of races, each as long as this, in seconds.
RACES_SECONDS := $(or $(SECONDS),$(if $(LONG),900,40))

check-races: user-newest
	@releases=$$($(VM)/build lab $(or $(LAB_RACES),$(LAB))) && \
		$(PATIENCE) $(VM)/run check $$releases \
		-t races -s seconds=$(RACES_SECONDS) $(if $(T),-s loop=$(T))

# LONG=1 leaves what it has learnt in build/out/check-*/corpus, to be stored as
# selftests/fuzz/corpus.
FUZZ_EXECUTIONS := $(or $(EXECUTIONS),$(if $(LONG),40000,1500))

fuzz: user-newest
	@release=$$($(VM)/build lab newest:debug) && \
		$(PATIENCE) $(VM)/run check $$release \
		-t fuzz -s executions=$(FUZZ_EXECUTIONS) $(if $(SEED),-s seed=$(SEED))

# Small bugs, one at a time: which of them do the tests not notice?  T=name: that one, or
# those of selftests/mutants/name.list.  GUESTS=n at a time.
mutants:
	@$(VM)/setup $(ONE)
	@$(VM)/build user && $(VM)/build mutants $(ONE)
	@SLUICE_SILENT_SECONDS=$${SLUICE_SILENT_SECONDS:-100} selftests/mutants/run $(ONE) \
		$(if $(T),-t $(T)) $(if $(GUESTS),-j $(GUESTS))

# T=word: only cases with that word in their name; PROFILE=case: that case by function; SCALE=1:
# many threads; BIG=1: large buffers.
bench: user-newest
	@$(VM)/build modules newest SLUICE_TESTS=1
	@$(PATIENCE) $(VM)/run $(if $(PROFILE),profile newest -t '$(PROFILE)',\
		$(if $(SCALE),scale newest,$(if $(BIG),big newest,\
		bench newest $(if $(T),-t $(T)))))

# The cases whose cost depends on caches that need maintenance.
bench-arm64:
	@$(VM)/setup --arm64 newest
	@$(VM)/build modules newest-arm64 SLUICE_TESTS=1
	@$(VM)/build user-arm64 newest
	@$(PATIENCE) $(VM)/run bench newest-arm64

# The profile's counters, with instructions that are known.
check-profile: user-newest
	@$(VM)/build modules newest SLUICE_TESTS=1
	@$(PATIENCE) $(VM)/run check-profile newest

# The benchmarks of large buffers, with small ones.
check-big: user-newest
	@$(VM)/build modules newest SLUICE_TESTS=1
	@$(PATIENCE) $(VM)/run big newest -t small

# What the last check-debug, check-races and fuzz reached; selftests/unreached
# explains the rest.
coverage: setup-newest
	@dir=$$($(VM)/kernel) && release=$$(cat $$dir/include/config/kernel.release) && \
		$(VM)/coverage $$release $$(ls build/coverage/$$release/*)

demo:
	@$(VM)/setup --no-tests newest
	@$(VM)/build programs & programs=$$!; $(VM)/build modules newest; modules=$$?; \
		wait $$programs && exit $$modules
	@$(VM)/run demo newest

shell: user
ifeq ($(KDIR),)
	@$(VM)/build modules $(ONE)
else
	@$(VM)/build kdir '$(KDIR)'
endif
	@$(VM)/run shell $(ONE)

# The documents as a site, and the man pages.
docs: setup-newest
	@$(VM)/setup --workshop
	@$(VM)/docs

gates: user
	@$(VM)/setup --arm64 $(ARM64)
	@$(VM)/setup --headers
	@$(VM)/setup --workshop
	@$(VM)/gates $(KERNELS) $(ARM64:=-arm64)

# On this machine, without the lab.  The scripts get all variables of the command line.
LOCAL := packaging/local

local:
	@$(LOCAL)/build modules user

install:
	@$(LOCAL)/install modules user

install-modules:
	@$(LOCAL)/install modules

install-user:
	@$(LOCAL)/install user

uninstall:
	@$(LOCAL)/uninstall

check-install:
	@$(VM)/setup lts
	@$(VM)/setup --workshop
	@$(VM)/install-test

# The driver inside the newest kernel's own source.
check-ktree: setup-newest
	@$(VM)/ktree

# Debian packages: in the lab's root for packages, where this machine lacks what they need.
deb:
	@dpkg-checkbuilddeps 2>/dev/null || $(VM)/setup --workshop
	@packaging/deb

check-packages:
	@$(VM)/setup oldest lts newest
	@$(VM)/setup --headers
	@$(VM)/setup --workshop
	@$(VM)/packages

clean:
	@if [ -e build/saved ] && ! rmdir build/saved 2>/dev/null; then \
		echo "build/saved stays, because it has files that you have saved in a guest"; \
		set -- find build -mindepth 1 -maxdepth 1 ! -name saved -exec rm -rf {} +; \
	else \
		set -- rm -rf build; \
	fi; "$$@" 2>/dev/null || sudo "$$@"

.PHONY: help setup setup-newest refresh user user-newest modules check check-lab check-tool \
	check-kselftest check-install check-doctor check-ktree check-arm64 check-secureboot \
	check-debug check-races fuzz mutants bench bench-arm64 check-profile check-big coverage demo shell docs gates local \
	install install-modules install-user uninstall deb check-packages clean
