#compdef dltool
# Tab completion of dltool for zsh. See `dltool completion --help`.

_dltool() {
    local program=${~${(Q)words[1]}}
    whence -p -- $program >/dev/null || program=dltool
    local -a answer open closed open_shown closed_shown
    answer=("${(@f)$($program __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    local kind=$answer[1] lead=$answer[2] line text shown
    local -i width=0
    [[ -n $lead ]] && compset -p $#lead
    case $kind in
        words)
            for line in "${(@)answer[3,-1]}"; do
                text=${line%%$'\t'*}
                (( ${(m)#text} > width )) && width=${(m)#text}
            done
            for line in "${(@)answer[3,-1]}"; do
                text=${line%%$'\t'*}
                shown="${(mr:width:)text}  ${line#*$'\t'}"
                if [[ $text == *[=.,] ]]; then
                    open+=("$text") open_shown+=("${(mr:COLUMNS-1:)shown}")
                else
                    closed+=("$text") closed_shown+=("${(mr:COLUMNS-1:)shown}")
                fi
            done
            # Unsorted, a line each, with a space after a word that is whole.
            compadd -V dltool -l -d open_shown -S '' -a open
            compadd -V dltool -l -d closed_shown -a closed
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
