# SPDX-License-Identifier: MIT
#
# For the Kbuild of a device driver out of Sluice's tree.  Include it there, behind obj-m:
#
#	include /usr/src/sluice-driver/sluice.mk
#
# It adds the folder of the headers, and names the symbols of the modules for this kernel: those that
# DKMS has built, or those that 'make install' of Sluice has installed.  With another DRIVERDIR of
# 'make install', set SLUICE to this folder.
SLUICE ?= $(patsubst %/,%,$(dir $(lastword $(MAKEFILE_LIST))))
ccflags-y += -I$(SLUICE)/include
SLUICE_SYMBOLS := $(firstword $(wildcard \
	/var/lib/dkms/sluice/kernel-$(KERNELRELEASE)-$(shell uname -m)/module/Module.symvers \
	$(SLUICE)/$(KERNELRELEASE)/Module.symvers \
	/usr/local/src/sluice-driver/$(KERNELRELEASE)/Module.symvers))
ifeq ($(SLUICE_SYMBOLS),)
$(error sluice: there are no modules of Sluice for kernel $(KERNELRELEASE): install the package sluice-dkms and the headers of this kernel, or run 'dkms autoinstall -k $(KERNELRELEASE)')
endif
KBUILD_EXTRA_SYMBOLS += $(SLUICE_SYMBOLS)
