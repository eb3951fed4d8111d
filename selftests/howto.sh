#!/bin/bash
# SPDX-License-Identifier: MIT
#
# The commands of the how-to pages, in their order.  Documentation/pages/howto.py has taken them
# from the pages when the tests were compiled.  Prints TAP: a test for each command.
#
# The files of the pages call howto, which shellcheck does not see.
# shellcheck disable=SC2317,SC2329

[ -d /sluice/user ] || { echo "1..0 # SKIP the commands of the pages are for a guest of the lab"; exit 4; }
folder=$(dirname "$(realpath "$0")")/lib/howto
said=$(mktemp) || exit 1
trap 'rm -f "$said"' EXIT
tests=0 failures=0

# masked: each number is N, and spaces do not matter, because numbers differ in length
masked() {
	sed -E 's/\b(0x)?[0-9a-f]*[0-9][0-9a-f]*\b/N/g; s/[[:space:]]+/ /g; s/ $//'
}

# shows OUTPUT: is it what the page shows?  "..." stands for any text, and a line "..." for any
# number of lines
shows() {
	local actual pattern
	actual=$(masked <"$said")
	pattern=$'\n'$(masked <<<"$1")
	pattern=${pattern//$'\n...\n'/$'\n...'}
	[[ $pattern != *$'\n...' ]] || pattern=${pattern%$'\n...'}...
	pattern=${pattern#$'\n'}
	pattern=${pattern//\\/\\\\}
	pattern=${pattern//[/\\[}
	pattern=${pattern//\*/\\*}
	pattern=${pattern//\?/\\?}
	pattern=${pattern//.../*}
	# the right side is a pattern
	# shellcheck disable=SC2053
	[[ $actual == $pattern ]]
}

# howto PLACE succeeds|fails COMMAND OUTPUT: run a command of a page; OUTPUT is what the page
# shows, or nothing
howto() {
	local status word=ok reason=""
	eval "$3" >"$said" 2>&1 </dev/null
	status=$?
	[ "$status" = 0 ] && [ "$2" = fails ] && word="not ok" reason="it succeeded"
	[ "$status" != 0 ] && [ "$2" = succeeds ] && word="not ok" reason="its status is $status"
	if [ "$word" = ok ] && [ -n "$4" ] && ! shows "$4"; then
		word="not ok" reason="the page shows other output"
	fi
	tests=$((tests + 1))
	if [ "$word" != ok ]; then
		failures=$((failures + 1))
		echo "# $reason:"
		sed 's/^/# /' "$said"
	fi
	echo "$word $tests $1 ${3%%$'\n'*}"
}

echo "TAP version 13"
cat "$folder"/*.guest >/dev/null || { echo "Bail out! the commands of the pages are missing: make user"; exit 1; }
echo "1..$(cat "$folder"/*.guest | grep -c "^howto '")"
cd /root || exit 1
for page in "$folder"/*.guest; do
	# shellcheck disable=SC1090
	. "$page"
done
exit $((failures > 0))
