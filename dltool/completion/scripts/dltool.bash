# Tab completion of dltool for bash. See `dltool completion --help`.

_dltool() {
    local program=${COMP_WORDS[0]/#\~\//$HOME/}
    type -P -- "$program" >/dev/null || program=dltool
    local -a answer=()
    local line
    while IFS= read -r line; do
        answer+=("$line")
    done < <("$program" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    local kind=${answer[0]-} lead=${answer[1]-}
    COMPREPLY=()
    case $kind in
        words)
            COMPREPLY=("${answer[@]:2}")
            compopt -o nosort 2>/dev/null
            if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=.,] ]]; then
                compopt -o nospace 2>/dev/null
            fi
            ;;
        files | folders)
            local action=-f
            [[ $kind == folders ]] && action=-d
            while IFS= read -r line; do
                COMPREPLY+=("$lead$line")
            done < <(compgen "$action" -- "${answer[2]-}")
            [[ -z $lead ]] && compopt -o filenames 2>/dev/null
            ;;
    esac
}

complete -F _dltool dltool
