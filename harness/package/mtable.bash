# shellcheck shell=bash
# Completion of mtable's commands and settings for bash; both are those of its --help.

_mtable() {
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} values
    local program=${COMP_WORDS[0]/#\~/$HOME}
    case $previous in
    --sync) values='full normal' ;;
    --log) values='on off' ;;
    --format) values='text json' ;;
    --hold-before)
        values='PREFER_OLD PREFER_NEW USE_NEW_WITH_TOMBSTONES USE_NEW_HIDE_METADATA'
        ;;
    --data | --config | --connection | --control | --from | --to | --against)
        mapfile -t COMPREPLY < <(compgen -f -- "$word")
        return
        ;;
    *)
        if ((COMP_CWORD == 1)); then
            values=$("$program" --help 2>/dev/null | awk '/^  [a-z]/ { print $1 }')
        else
            values=$("$program" --help 2>/dev/null | awk '/^  --/ { print $1 }')
        fi
        ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$values" -- "$word")
}
complete -F _mtable mtable
