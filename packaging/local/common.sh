# shellcheck shell=bash disable=SC2034
# SPDX-License-Identifier: MIT
#
# Shared by the scripts behind 'make local', 'make install' and 'make uninstall'.  They need
# nothing of the lab.  Sourced, never run.
#
# Variables of make (DESTDIR, PREFIX, KDIR, ...) arrive in the environment and in MAKEFLAGS.

set -euo pipefail

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# depmod, modinfo and ldconfig are not in the path of an ordinary user
PATH=$PATH:/usr/sbin:/sbin
LC_ALL=C
export PATH LC_ALL
umask 022

LOCAL=$(realpath -m "${SLUICE_BUILD:-$TOP/build}")/local
STAGE=$LOCAL/stage
DESTDIR=${DESTDIR-}
DESTDIR=${DESTDIR%/}
PREFIX=${PREFIX:-/usr/local}
INSTALL_MOD_PATH=${INSTALL_MOD_PATH:-$DESTDIR}
INSTALL_MOD_PATH=${INSTALL_MOD_PATH%/}
DRIVERDIR=${DRIVERDIR:-$PREFIX/src/sluice-driver}
# what 'make install' has put below a root, one list for each part: see place
STATE=/var/lib/sluice/installed
# beside a file, while its next version is not complete yet
NEW=.sluice-new

# Of make's flags only the variables count here: the jobs of make are not those of a script.
case ${MAKEFLAGS-} in
*"-- "*) MAKEFLAGS=" -- ${MAKEFLAGS#*-- }" ;;
*) MAKEFLAGS="" ;;
esac
export MAKEFLAGS

say() { printf 'sluice: %s\n' "$*"; }
die() { printf 'sluice: %s\n' "$*" >&2; exit 1; }

# Is this the system that runs, and not a folder for a package or an image?
live() { [ -z "$DESTDIR$INSTALL_MOD_PATH" ]; }

# existing PATH: the path itself, or its nearest parent that exists
existing() {
	local path=$1
	until [ -e "$path" ]; do path=$(dirname "$path"); done
	echo "$path"
}

# full PATH: the sentence for a disk that is full
full() { die "the disk of $1 is full: make room there. Nothing was installed"; }

# absolute NAME: the variable of this name is a path that cd cannot change
absolute() {
	local value=${!1}
	[[ -z $value || $value = /* ]] || die "$1=$value is a relative path: give an absolute one"
}

# kernel: sets KDIR and RELEASE, the folder and the name of the kernel to build for
kernel() {
	local running option version
	running=$(uname -r)
	if [ -z "${KDIR-}" ]; then
		KDIR=/lib/modules/$running/build
		[ -e "$KDIR/Makefile" ] || die "kernel $running has no headers here: install them" \
			"(Debian: apt install linux-headers-$running), or name a kernel build with KDIR="
	fi
	[ -d "$KDIR" ] || die "KDIR=$KDIR is no folder: name the folder of a kernel build"
	KDIR=$(cd "$KDIR" && pwd)
	[[ $KDIR != *[[:space:]:]* ]] ||
		die "the kernel's build system takes no path with spaces or colons: rename KDIR=$KDIR"
	for option in Makefile include/config/auto.conf include/generated/utsrelease.h; do
		[ -e "$KDIR/$option" ] || die "KDIR=$KDIR is no kernel build (it has no $option):" \
			"build the kernel there, or name the folder of its headers"
	done
	RELEASE=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"$/\1/p' "$KDIR/include/generated/utsrelease.h")
	[ -n "$RELEASE" ] || die "KDIR=$KDIR does not say which kernel it is: build the kernel there again"
	version=${RELEASE%%[!0-9.]*}
	[ "$(printf '%s\n' 6.1 "$version" | sort -V | head -n 1)" = 6.1 ] ||
		die "kernel $RELEASE is older than 6.1, the oldest kernel that Sluice supports"
	for option in MODULES=y MMU=y HAS_DMA=y PCI=y SHMEM=y EVENTFD=y DMA_SHARED_BUFFER=y 'CRC32=[ym]'; do
		grep -qx "CONFIG_$option" "$KDIR/include/config/auto.conf" || die "kernel $RELEASE has no" \
			"CONFIG_${option%=*}, which Sluice needs: use a kernel that has it"
	done
	if live && [ "$RELEASE" != "$running" ]; then
		say "the modules are for kernel $RELEASE, and this machine runs $running"
	fi
}

# Does this machine load signed modules only?
signed_only() {
	local variable
	[ "$(cat /sys/module/module/parameters/sig_enforce 2>/dev/null)" = Y ] && return
	grep -qs '\[\(integrity\|confidentiality\)\]' /sys/kernel/security/lockdown && return
	# Secure Boot: the variable is 4 bytes of attributes and one of value
	for variable in /sys/firmware/efi/efivars/SecureBoot-*; do
		[ -e "$variable" ] || continue
		[ "$(tail -c 1 "$variable" | od -An -tu1 | tr -d ' ')" != 1 ] || return 0
	done
	return 1
}

# signing: sets sign_key and sign_cert to the files of the key, or sign_key= if modules are not signed
signing() {
	local key
	sign_key=${SIGN_KEY-} sign_cert=${SIGN_CERT-}
	if [ "$sign_key" = none ]; then
		sign_key=
		return
	fi
	if [ -z "$sign_key" ] && live && signed_only; then
		# the kernel's own key, and the machine-owner keys of Debian and Ubuntu
		for key in "$KDIR/certs/signing_key.pem:$KDIR/certs/signing_key.x509" \
				/var/lib/dkms/mok.key:/var/lib/dkms/mok.pub \
				/var/lib/shim-signed/mok/MOK.priv:/var/lib/shim-signed/mok/MOK.der; do
			if [ -e "${key%:*}" ] && [ -e "${key#*:}" ]; then
				sign_key=${key%:*} sign_cert=${key#*:}
				break
			fi
		done
		[ -n "$sign_key" ] || die "this machine loads signed modules only (Secure Boot), and" \
			"there is no key: make one (see Documentation/install.md), name one with SIGN_KEY= and" \
			"SIGN_CERT=, or set SIGN_KEY=none to install unsigned modules"
	fi
	[ -n "$sign_key" ] || return 0
	[ -e "$sign_key" ] || die "SIGN_KEY=$sign_key does not exist: name the file of the private key"
	[ -n "$sign_cert" ] || die "SIGN_KEY= needs SIGN_CERT=, the certificate (DER) of this key"
	[ -e "$sign_cert" ] || die "SIGN_CERT=$sign_cert does not exist: name the certificate (DER) of the key"
	[ -x "$KDIR/scripts/sign-file" ] || die "$KDIR has no scripts/sign-file, which signs modules:" \
		"build the kernel with CONFIG_MODULE_SIG, or set SIGN_KEY=none"
}
