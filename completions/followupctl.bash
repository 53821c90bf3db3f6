# Completion of followupctl for bash. It knows no verb: the program says what may come next.
_followupctl() {
    local offers
    mapfile -t offers < <("${COMP_WORDS[0]}" --complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
    if [[ ${offers[0]-} == :files: ]]; then
        compopt -o default 2>/dev/null
        COMPREPLY=()
    else
        COMPREPLY=("${offers[@]}")
    fi
}
complete -F _followupctl followupctl
