#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The KUnit tests that the debug build has inside sluice.ko (selftests/kunit/).  They run when the
# module is loaded, so load it again, and print their results from the kernel's log as TAP.
here=$(dirname "$(realpath "$0")")
# shellcheck source-path=SCRIPTDIR source=../lib/ktap.sh
. "$here/lib/ktap.sh"
[ -d /sys/module/kunit ] || skip_all "this kernel has no KUnit"
needs_sluice
modules="sluice sluice-soft sluice-edu sluice-pci sluice-ac97 sluice-e1000"
directory=$(modules_folder)
# modules without KUnit inside would be loaded again for nothing
[ -e "$directory/sluice-importer.ko" ] || skip_all "the modules were built without SLUICE_TESTS=1"

# unloading the module loses the coverage so far
[ -e /sys/kernel/debug/sluice/coverage ] && [ -d /out ] && cat /sys/kernel/debug/sluice/coverage >>/out/coverage

for module in sluice-importer $(tac -s ' ' <<<"$modules "); do
	[ -d "/sys/module/${module//-/_}" ] || continue
	for _ in $(seq 50); do
		rmmod "$module" 2>/dev/null && break
		sleep 0.1
	done
done
mark="sluice: kunit $$"
echo "$mark" >/dev/kmsg
for module in $modules; do
	insmod "$directory/$module.ko" && continue
	printf 'TAP version 13\nBail out! cannot load %s\n' "$module"
	exit 1
done
udevadm settle 2>/dev/null

# the plan comes first, so keep the lines until their number is known
dmesg --notime | awk -v mark="$mark" '
	index($0, mark) { on = 1; next }
	!on { next }
	/^ +# Subtest: / { suite = $3; next }
	# the results of single tests; results of suites are their sum
	/^    (not )?ok [0-9]+ / {
		bad = /not ok/
		name = $0
		sub(/^ *(not )?ok [0-9]+ (- )?/, "", name)
		count++
		failed += bad
		said = said (bad ? "not ok " : "ok ") count " " suite "." name "\n"
		next
	}
	/^    # / { said = said "#" substr($0, 6) "\n" }
	/EXPECTATION FAILED|ASSERTION FAILED|Expected|failed at/ { said = said "# " $0 "\n" }
	END {
		print "TAP version 13"
		if (count)
			printf "1..%d\n%s", count, said
		else
			printf "%sBail out! the kernel has logged no results of KUnit\n", said
		exit !count || failed > 0
	}'
