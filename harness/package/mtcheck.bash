# shellcheck shell=bash
# Completion of mtcheck's options and their values for bash. Options are those of its --help, so
# there is no list of them here.

# What can follow the option $1: names, on standard output.
_mtcheck_values() {
    local program=$2
    case $1 in
    --bug | -b) "$program" --list bugs "${@:3}" 2>/dev/null | awk '{ print $2 }' ;;
    --test) "$program" --list tests "${@:3}" 2>/dev/null | awk '{ print $1 }' ;;
    --strategy) "$program" --list strategies 2>/dev/null | awk '{ print $1 }' ;;
    --model) "$program" --list models 2>/dev/null | awk '{ print $1 }' ;;
    --list) echo bugs strategies models tests ;;
    --format) echo text json github ;;
    --color) echo auto always never ;;
    --history-format) echo native jepsen-register kv ;;
    --export) echo shiviz chrome ;;
    --cache) echo off ;;
    --reduce) echo none sleep dpor ;;
    --iterations | -i) echo unlimited ;;
    --seed | -s) echo random ;;
    *) return 1 ;;
    esac
}

_mtcheck() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} i
    local program=${COMP_WORDS[0]/#\~/$HOME} values model=()
    # "--name=value" comes as three words.
    [[ $word != = ]] || word=
    [[ $previous != = ]] || previous=${COMP_WORDS[COMP_CWORD - 2]}
    for ((i = 1; i < COMP_CWORD - 1; i++)); do
        [[ ${COMP_WORDS[i]} != --model ]] || model=(--model "${COMP_WORDS[i + 1]}")
    done
    if values=$(_mtcheck_values "$previous" "$program" "${model[@]}"); then
        mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
    elif [[ $word == -* ]]; then
        values=$("$program" --help 2>/dev/null | grep -oE '^ {2,6}(-., )?--[a-z-]+' | grep -oE -- '--.*')
        mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
    fi
}

complete -o filenames -F _mtcheck mtcheck
