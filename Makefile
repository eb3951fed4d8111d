# SPDX-License-Identifier: MIT
# Every target that a person types.  'make help' tells them apart.

VM := selftests/vm
NEWEST := 7.2
KERNELS := 6.1 6.12 $(NEWEST)
empty :=

# KERNEL=6.12 chooses one kernel, KDIR=/path/to/build one of your own, T=name
# one test program.
ifneq ($(KDIR),)
LINES := $(shell cat $(KDIR)/include/config/kernel.release 2>/dev/null)
else
LINES := $(or $(KERNEL),$(KERNELS))
endif
ONE := $(lastword $(LINES))

help:
	@echo 'make demo                     the main job, ending with a picture and a table'
	@echo 'make check                    all tests on kernels $(KERNELS)'
	@echo 'make check KERNEL=6.12        ... on one of them'
	@echo 'make check KDIR=/path         ... on a kernel build of your own'
	@echo 'make check T=fence            ... one test program: see selftests/'
	@echo 'make check IOMMU=1            ... behind an IOMMU; all tests on $(NEWEST) run there, too'
	@echo 'make check-arm64              ... on arm64, with DMA engines of a Raspberry Pi 3; T= as above'
	@echo 'make check-debug              ... on a kernel built to catch bugs (once 15 minutes)'
	@echo 'make check-debug LONG=1       ... and on 6.12 built so, and on 7.2 with KCSAN'
	@echo 'make check-debug KERNEL=6.12  ... on that one; VARIANT=kcsan for KCSAN'
	@echo 'make check-races              loops of races on 7.2 of these; LONG=1 for an hour on both, T=unbind for one'
	@echo 'make fuzz                     ... with the fuzzer: EXECUTIONS=n SEED=n, LONG=1 for an hour'
	@echo 'make bench                    what everything costs, in instructions, beside the peers'
	@echo 'make coverage                 what of drivers/ the last three reached'
	@echo 'make shell                    a shell in a guest with the modules loaded'
	@echo 'make gates                    W=1, sparse, UAPI layout, on every kernel'
	@echo 'make modules KERNEL=6.12      compile the modules into build/'
	@echo 'make setup                    only fetch and prepare what the others need'
	@echo 'make clean                    remove build/ (the cache stays)'

setup:
	@$(VM)/setup

user: setup
	@$(VM)/build user

modules: setup
ifneq ($(KDIR),)
	@$(VM)/build kdir $(KDIR)
else
	@for line in $(LINES); do $(VM)/build modules $$line || exit 1; done
endif

check: user modules
	@$(VM)/run check $(LINES) $(if $(T),-t $(T)) $(if $(IOMMU),-p iommu)

# Debian's kernel for arm64 on QEMU's Raspberry Pi 3, with what that needs.
check-arm64: setup
	@$(VM)/setup-arm64
	@$(VM)/build arm64
	@$(VM)/build user-arm64
	@$(VM)/run check arm64 $(if $(T),-t $(T))

# Kernels built to catch bugs.  LONG=1: all of them; KERNEL=6.12 or VARIANT=kcsan:
# that one.
LAB := $(if $(KERNEL)$(VARIANT),$(or $(KERNEL),$(NEWEST)):$(or $(VARIANT),debug),\
	$(NEWEST):debug $(if $(LONG),6.12:debug $(NEWEST):kcsan))
# Races are what kcsan is for.
LAB_RACES := $(filter-out 6.12:%,$(LAB))
# They are slow, above all to boot on a busy machine.
PATIENCE = SLUICE_GUEST_SECONDS=$${SLUICE_GUEST_SECONDS:-$(1)} \
	SLUICE_SILENT_SECONDS=$${SLUICE_SILENT_SECONDS:-400}

check-debug: user
	@releases=$$($(VM)/build lab $(LAB)) && \
		$(call PATIENCE,$(if $(LONG),3600,1800)) $(VM)/run check $$releases $(if $(T),-t $(T))

# Loops of races, each as long as this, in seconds.
RACES_SECONDS := $(or $(SECONDS),$(if $(LONG),900,40))

check-races: user
	@releases=$$($(VM)/build lab $(or $(LAB_RACES),$(LAB))) && \
		$(call PATIENCE,$(if $(LONG),7200,1200)) $(VM)/run check $$releases \
		-t races -s seconds=$(RACES_SECONDS) $(if $(T),-s loop=$(T))

# LONG=1 leaves what it has learnt in build/out/check-*/corpus, to be stored as
# selftests/fuzz/corpus.
FUZZ_EXECUTIONS := $(or $(EXECUTIONS),$(if $(LONG),40000,1500))

fuzz: user
	@release=$$($(VM)/build lab $(NEWEST):debug) && \
		$(call PATIENCE,$(if $(LONG),7200,900)) $(VM)/run check $$release \
		-t fuzz -s executions=$(FUZZ_EXECUTIONS) $(if $(SEED),-s seed=$(SEED))

# T=word: only cases with that word in their name.
bench: user
	@$(VM)/build modules $(NEWEST) SLUICE_TESTS=1
	@$(call PATIENCE,1800) $(VM)/run bench $(NEWEST) $(if $(T),-t $(T))

# What the last check-debug, check-races and fuzz reached; selftests/unreached
# explains the rest.
coverage:
	@dir=$$($(VM)/kernel) && release=$$(cat $$dir/include/config/kernel.release) && \
		$(VM)/coverage $$release $$(ls build/coverage/$$release/*)

demo: user
	@$(VM)/build modules $(NEWEST)
	@$(VM)/run demo $(NEWEST)

shell: user
	@$(MAKE) -s modules KERNEL=$(ONE)
	@$(VM)/run shell $(ONE)

gates: user
	@$(VM)/setup-arm64
	@$(VM)/gates

clean:
	rm -rf build


.PHONY: help setup user modules check check-arm64 check-debug check-races fuzz bench coverage demo shell gates clean
