# Tab completion of dltool for fish. See `dltool completion --help`.

function __dltool_complete
    set -l words (commandline -opc)
    set -l program $words[1]
    set -e words[1]
    set -l current (commandline -ct)
    set -l answer ($program __complete fish $words "$current" 2>/dev/null)
    switch "$answer[1]"
        case words
            set -e answer[1..2]
            string join \n -- $answer
        case files
            string replace -r '^' -- "$answer[2]" (__fish_complete_path "$answer[3]")
        case folders
            string replace -r '^' -- "$answer[2]" (__fish_complete_directories "$answer[3]" '')
    end
end

complete -c dltool -f -k -a '(__dltool_complete)'
