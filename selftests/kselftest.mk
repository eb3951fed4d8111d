# SPDX-License-Identifier: MIT
# The tests on this machine, without the lab:
#
#	make -C selftests			compile the programs, into ../build/kselftest
#	make -C selftests run_tests		and run them, as root; T="fence queue" runs two of them
#	make -C selftests install INSTALL_PATH=DIR
#						put all that another machine needs into DIR.  There run
#						DIR/run_kselftest.sh -c sluice
#	make -C selftests clean
#
# KSELFTEST=DIR is the folder tools/testing/selftests of a kernel's source, for its harness.
# OUTPUT=DIR is another folder for the programs.  V=1 prints each command.

# Only from the command line: the environment of a build may have an OUTPUT for something else.
DEFAULT := $(abspath $(CURDIR)/../build/kselftest)
ifeq ($(origin OUTPUT),command line)
override OUTPUT := $(abspath $(OUTPUT))
else
override OUTPUT := $(DEFAULT)
endif
# A folder that has this file was made by the build, so clean may delete it.
MARKER := $(OUTPUT)/.made-by-sluice
mark = $(if $(filter $(DEFAULT),$(OUTPUT)),,[ -n "$$(ls -A '$(OUTPUT)' 2>/dev/null)" ] || \
	{ mkdir -p '$(OUTPUT)' && touch '$(MARKER)'; })

USR_SRC ?= /usr/src

# Where a source may be: around this tree, as Debian's package linux-source has it, in the lab.
newest = $(lastword $(shell printf '%s\n' $(1) | sort -V))
ABOVE := .. ../.. ../../.. ../../../..
SOURCES := $(call newest,$(wildcard $(USR_SRC)/linux-source-*/tools/testing/selftests/lib.mk))
TARBALL := $(call newest,$(wildcard $(USR_SRC)/linux-source-*.tar.*))
# the tarball is unpacked here, as far as it is needed
UNPACKED := $(OUTPUT)/harness

ifeq ($(KSELFTEST),)
KSELFTEST := $(patsubst %/,%,$(dir $(firstword \
	$(wildcard $(ABOVE:%=%/tools/testing/selftests/lib.mk)) $(SOURCES) \
	$(wildcard $(foreach at,$(UNPACKED) $(CURDIR)/../build/lab/harness /harness,\
		$(at)/tools/testing/selftests/lib.mk)))))
endif
ifneq ($(KSELFTEST),)
override KSELFTEST := $(abspath $(KSELFTEST))
else ifneq ($(TARBALL),)
KSELFTEST := $(UNPACKED)/tools/testing/selftests
UNPACK := unpack
endif

# The files that are needed of it, for a program and for the folder that install makes.
NEEDED := lib.mk kselftest.h kselftest_harness.h run_kselftest.sh kselftest/runner.sh
RUNNER := $(addprefix $(KSELFTEST)/kselftest/,runner.sh prefix.pl ktap_helpers.sh module.sh ksft.py)

COLLECTED = --no-print-directory COLLECTION=sluice OUTPUT='$(OUTPUT)' KSELFTEST='$(KSELFTEST)'
COLLECT = +@$(MAKE) $(if $(V),,-s) $(COLLECTED)
# for the list of the tests, whose output is a file: no command may be in it
LIST = +@$(MAKE) -s $(COLLECTED) emit_tests

all: harness
	$(COLLECT) all

# The kernel's own Makefile does this for a tree that is in its folder.
install: harness
	@[ -n '$(INSTALL_PATH)' ] || { echo 'selftests: install needs a folder: add' \
		'INSTALL_PATH=/path/to/folder' >&2; exit 1; }
	$(COLLECT) INSTALL_PATH='$(abspath $(INSTALL_PATH))/sluice' install
	@mkdir -p '$(abspath $(INSTALL_PATH))/kselftest'
	@cp $(wildcard $(RUNNER)) '$(abspath $(INSTALL_PATH))/kselftest/'
	@cp $(KSELFTEST)/run_kselftest.sh '$(abspath $(INSTALL_PATH))/'
	$(LIST) >'$(abspath $(INSTALL_PATH))/kselftest-list.txt'

emit_tests: harness
	$(LIST)

# From an installed folder: only there the runner finds the settings.  The runner of some kernels
# ends with 0 also after a failure, so its output counts, too.
INSTALLED := $(OUTPUT)/installed
RESULTS := $(OUTPUT)/results
run_tests:
	+@$(MAKE) --no-print-directory install INSTALL_PATH='$(INSTALLED)' >&2
	@rm -f '$(RESULTS).failed'; \
	{ '$(INSTALLED)/run_kselftest.sh' $(if $(T),$(foreach test,$(T),-t sluice:$(call program,$(test))),\
		-c sluice) || touch '$(RESULTS).failed'; } | tee '$(RESULTS)' && \
	[ ! -e '$(RESULTS).failed' ] && ! grep -q '^not ok' '$(RESULTS)'

# a script, also without its ending
program = $(1)$(if $(wildcard $(1).sh debug/$(1).sh),.sh)

harness: $(UNPACK)
	@[ -n '$(KSELFTEST)' ] || { echo "selftests: the kernel's test harness is missing: install" \
		"the Debian package linux-source, or name the folder tools/testing/selftests of a" \
		"kernel's source with KSELFTEST=" >&2; exit 1; }
	@for file in $(NEEDED); do \
		[ -e '$(KSELFTEST)'/$$file ] || { echo "selftests: $(KSELFTEST) has no $$file: name the" \
			"folder tools/testing/selftests of a kernel's source with KSELFTEST=" >&2; exit 1; }; \
	done
	@$(mark)

# A folder has its name only when it is complete.
unpack:
	@echo 'taking the test harness out of $(TARBALL)'
	@$(mark)
	@rm -rf '$(UNPACKED).part' && mkdir -p '$(UNPACKED).part'
	@tar -xf '$(TARBALL)' -C '$(UNPACKED).part' --strip-components=1 --wildcards \
		'*/tools/testing/selftests/lib.mk' '*/tools/testing/selftests/kselftest*' \
		'*/tools/testing/selftests/run_kselftest.sh' \
		'*/tools/testing/selftests/dmabuf-heaps/*' || { rm -rf '$(UNPACKED).part'; \
		echo 'selftests: $(TARBALL) cannot be unpacked: install the package again' >&2; exit 1; }
	@mv '$(UNPACKED).part' '$(UNPACKED)'

clean:
	@[ '$(OUTPUT)' = '$(DEFAULT)' ] || [ -e '$(MARKER)' ] || [ ! -e '$(OUTPUT)' ] || { \
		echo 'selftests: $(OUTPUT) is not a folder that the build has made: delete it yourself' >&2; exit 1; }
	rm -rf '$(OUTPUT)'

.DEFAULT_GOAL := all
.PHONY: all install emit_tests run_tests harness unpack clean
