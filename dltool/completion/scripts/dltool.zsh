#compdef dltool
# Tab completion of dltool for zsh. See `dltool completion --help`.

_dltool() {
    local program=${~${(Q)words[1]}}
    whence -p -- $program >/dev/null || program=dltool
    local -a answer open closed
    answer=("${(@f)$($program __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    local kind=$answer[1] lead=$answer[2] line text description
    [[ -n $lead ]] && compset -p $#lead
    case $kind in
        words)
            for line in "${(@)answer[3,-1]}"; do
                text=${line%%$'\t'*} description=${line#*$'\t'}
                line=${text//:/\\:}${description:+:$description}
                if [[ $text == *[=.,] ]]; then
                    open+=("$line")
                else
                    closed+=("$line")
                fi
            done
            local failed=1
            (( $#open )) && _describe -V dltool open -S '' && failed=0
            (( $#closed )) && _describe -V dltool closed && failed=0
            return failed
            ;;
        files) _files ;;
        folders) _files -/ ;;
        *) return 1 ;;
    esac
}

# Installed in a folder of $fpath, the file is the function's body; evaluated, it defines it.
if [[ $funcstack[1] == _dltool ]]; then
    _dltool "$@"
else
    compdef _dltool dltool
fi
