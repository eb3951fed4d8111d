#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The KUnit tests that the debug build has inside sluice.ko (selftests/kunit/).  They run when the
# module is loaded, so load it again, and print their results from the kernel's log as TAP.
[ -d /sys/module/kunit ] || { echo "1..0 # SKIP this kernel has no KUnit"; exit 4; }
modules="sluice sluice-soft sluice-edu sluice-pci sluice-ac97 sluice-e1000"
directory=/sluice/$(uname -r)

# unloading the module loses the coverage so far
[ -e /sys/kernel/debug/sluice/coverage ] && cat /sys/kernel/debug/sluice/coverage >>/out/coverage

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
	insmod "$directory/$module.ko" || { echo "Bail out! cannot load $module"; exit 1; }
done
udevadm settle 2>/dev/null

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
		print (bad ? "not ok " : "ok ") count " " suite "." name
		next
	}
	/^    # / { print "#" substr($0, 6) }
	/EXPECTATION FAILED|ASSERTION FAILED|Expected|failed at/ { print "# " $0 }
	END { print "1.." count + 0; exit !count || failed > 0 }'
