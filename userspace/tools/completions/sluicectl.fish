# SPDX-License-Identifier: MIT
#
# Completion of sluicectl(1) for fish.

set -l commands list info formats controls events alloc copy capture program doctor help

# The device is the first word behind the command that is no option, and no value of one.
function __sluicectl_device
    set -l value
    for word in (commandline -opc)[3..]
        if test -n "$value"
            set value
        else if string match -q -- '--*=*' $word; or contains -- $word --json --help
            continue
        else if string match -q -- '--*' $word
            set value 1
        else
            echo $word
            return 0
        end
    end
    return 1
end

function __sluicectl_devices
    for node in /dev/sluice/*
        string replace '/dev/sluice/' '' $node
    end
end

# __sluicectl_names KEY COMMAND: the values of this key in the JSON of a command
function __sluicectl_names
    set -l device (__sluicectl_device); or return
    sluicectl $argv[2] $device --json 2>/dev/null | string match -ar "\"$argv[1]\":\"[^\"]*\"" |
        string replace -r '.*:"(.*)"' '$1'
end

complete -c sluicectl -f
complete -c sluicectl -n "not __fish_seen_subcommand_from $commands" -l version -d 'Print the version'
complete -c sluicectl -n "not __fish_seen_subcommand_from help" -l help -d 'Print help'

set -l first "not __fish_seen_subcommand_from $commands"
complete -c sluicectl -n $first -a list -d 'List the devices'
complete -c sluicectl -n $first -a info -d 'Show what a device is and what it can do'
complete -c sluicectl -n $first -a formats -d 'List the image formats of each engine'
complete -c sluicectl -n $first -a controls -d 'List, print or set controls of a device'
complete -c sluicectl -n $first -a events -d 'Print events of a device as they happen'
complete -c sluicectl -n $first -a alloc -d 'Allocate a buffer and show how the device sees it'
complete -c sluicectl -n $first -a copy -d 'Let the device copy a buffer, and compare'
complete -c sluicectl -n $first -a capture -d 'Capture frames, and print their completions'
complete -c sluicectl -n $first -a program -d 'Let the kernel access registers of the device'
complete -c sluicectl -n $first -a doctor -d 'Say what on this machine hinders Sluice'
complete -c sluicectl -n $first -a help -d 'Describe a command and its options'

complete -c sluicectl -n '__fish_seen_subcommand_from help' -a "$commands"
complete -c sluicectl -n '__fish_seen_subcommand_from info formats controls events alloc copy capture program; and not __sluicectl_device' \
    -a '(__sluicectl_devices)' -d Device
complete -c sluicectl -n '__fish_seen_subcommand_from controls; and __sluicectl_device' \
    -a '(__sluicectl_names control controls)' -d Control

set -l seen __fish_seen_subcommand_from
complete -c sluicectl -n "$seen list info formats controls events alloc copy capture program doctor" -l json -d 'Print JSON, one object on each line'
complete -c sluicectl -n "$seen list formats controls events capture doctor" -l color -x -a 'auto always never' -d 'Use colours'
complete -c sluicectl -n "$seen events" -l count -x -d 'Number of events'
complete -c sluicectl -n "$seen alloc copy capture program" -l heap -x -a '(__sluicectl_names heap info) memfd' -d 'Heap of the buffer'
complete -c sluicectl -n "$seen alloc copy capture program" -l size -x -d 'Size in bytes'
complete -c sluicectl -n "$seen capture" -l geometry -x -d 'Width and height in pixels'
complete -c sluicectl -n "$seen capture" -l frames -x -d 'Number of frames'
complete -c sluicectl -n "$seen copy program" -l from -r -F -d 'Source of the data'
complete -c sluicectl -n "$seen copy capture program" -l to -r -F -d 'File for the result'
complete -c sluicectl -n "$seen program" -l then -x -a '(__fish_complete_command)' -d 'Shell command to run when the job is submitted'
