# Completion of mtcheck's options and their values for fish. Options are those of its --help, so
# there is no list of them here.

function __mtcheck_list --argument-names what
    set -l field 1
    test "$what" = bugs; and set field 2
    command mtcheck --list $what 2>/dev/null | awk "{ print \$$field }"
end

function __mtcheck_complete
    for line in (command mtcheck --help 2>/dev/null)
        string match -rq '^ {2,6}(?:-(?<letter>.), )?--(?<name>[a-z-]+)(?: (?<value>\S+))? +(?<text>.*)' -- $line
        or continue
        set -l words -l $name -d $text
        test -n "$letter"; and set -a words -s $letter
        switch $name
            case bug
                set -a words -x -a '(__mtcheck_list bugs)'
            case test
                set -a words -x -a '(__mtcheck_list tests)'
            case strategy
                set -a words -x -a '(__mtcheck_list strategies)'
            case model
                set -a words -x -a '(__mtcheck_list models)'
            case list
                set -a words -x -a 'bugs strategies models tests'
            case format
                set -a words -x -a 'text json github'
            case color
                set -a words -x -a 'auto always never'
            case history-format
                set -a words -x -a 'native jepsen-register kv'
            case export
                set -a words -x -a 'shiviz chrome'
            case reduce
                set -a words -x -a 'none sleep dpor'
            case cache
                set -a words -x -a off
            case iterations
                set -a words -x -a unlimited
            case seed
                set -a words -x -a random
            case '*'
                if string match -q 'FILE*' -- "$value"
                    set -a words -r -F
                else if test -n "$value"
                    set -a words -x
                end
        end
        complete -c mtcheck $words
    end
end

complete -c mtcheck -f
__mtcheck_complete
