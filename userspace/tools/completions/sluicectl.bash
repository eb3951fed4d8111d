# shellcheck shell=bash
# SPDX-License-Identifier: MIT
#
# Completion of sluicectl(1) for bash.  It needs nothing of the package bash-completion.

# _sluicectl_options COMMAND: the options that a command accepts
_sluicectl_options() {
	case $1 in
	list | doctor) echo --json --color ;;
	info) echo --json ;;
	formats | controls) echo --json --color ;;
	events) echo --count --json --color ;;
	alloc) echo --heap --size --json ;;
	copy) echo --heap --size --from --to --json ;;
	capture) echo --heap --frames --size --geometry --to --json --color ;;
	program) echo --heap --size --from --to --then --json ;;
	esac
	[ "$1" = help ] || echo --help
}

_sluicectl_commands='list info formats controls events alloc copy capture program doctor help'

_sluicectl_devices() {
	local node
	for node in /dev/sluice/*; do
		[ ! -e "$node" ] || echo "${node##*/}"
	done
}

# _sluicectl_names KEY COMMAND DEVICE: the values of this key in the JSON of a command
_sluicectl_names() {
	[ -n "$3" ] || return
	sluicectl "$2" "$3" --json 2>/dev/null | grep -o "\"$1\":\"[^\"]*\"" | cut -d'"' -f4
}

# _sluicectl_offer OPTION...: offer what compgen finds, a line each
_sluicectl_offer() {
	local found
	found=$(compgen "$@")
	[ -z "$found" ] || mapfile -t COMPREPLY <<<"$found"
}

_sluicectl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=${COMP_WORDS[1]} device="" arguments=0 i word words=""
	COMPREPLY=()
	# bash takes the = of --heap=pages for a word of its own
	if [ "$current" = = ]; then
		current=""
	elif [ "$previous" = = ]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [ "$COMP_CWORD" = 1 ]; then
		_sluicectl_offer -W "$_sluicectl_commands --help --version" -- "$current"
		return
	fi
	for ((i = 2; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		= | --json | --help) ;;
		--*)
			# its value
			[ "${COMP_WORDS[i + 1]}" != = ] || i=$((i + 1))
			i=$((i + 1))
			;;
		*)
			[ -n "$device" ] || device=$word
			arguments=$((arguments + 1))
			;;
		esac
	done
	case $previous in
	--heap)
		words="$(_sluicectl_names heap info "$device") memfd"
		;;
	--color)
		words="auto always never"
		;;
	--from | --to)
		compopt -o filenames 2>/dev/null
		_sluicectl_offer -f -- "$current"
		return
		;;
	--then)
		_sluicectl_offer -c -- "$current"
		return
		;;
	--size | --geometry | --frames | --count)
		return
		;;
	*)
		if [[ $current = -* ]]; then
			words=$(_sluicectl_options "$command")
		elif [ "$command" = help ]; then
			[ "$arguments" != 0 ] || words=$_sluicectl_commands
		elif [ "$arguments" = 0 ] && [[ $command != list && $command != doctor ]]; then
			words=$(_sluicectl_devices)
		elif [ "$arguments" = 1 ] && [ "$command" = controls ]; then
			words=$(_sluicectl_names control controls "$device")
		fi
		;;
	esac
	_sluicectl_offer -W "$words" -- "$current"
}

complete -F _sluicectl sluicectl
