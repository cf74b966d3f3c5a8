# Completion of mtable's commands and settings for fish; both are those of its --help.

function __mtable_words --argument-names pattern
    command mtable --help 2>/dev/null | string match -r "^  $pattern" | awk '{ print $1 }'
end

complete -c mtable -n '__fish_use_subcommand' -f -a '(__mtable_words "[a-z].*")'
for name in (__mtable_words '--.*')
    switch $name
        case --sync
            complete -c mtable -l sync -x -a 'full normal'
        case --log
            complete -c mtable -l log -x -a 'on off'
        case --format
            complete -c mtable -l format -x -a 'text json'
        case --hold-before
            complete -c mtable -l hold-before -x \
                -a 'PREFER_OLD PREFER_NEW USE_NEW_WITH_TOMBSTONES USE_NEW_HIDE_METADATA'
        case --dry-run --still
            complete -c mtable -l (string sub -s 3 -- $name) -f
        case '*'
            complete -c mtable -l (string sub -s 3 -- $name) -r
    end
end
