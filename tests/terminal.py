"""Real shells on a pseudo-terminal: types a line, presses the tab key and reads what became of the line."""

import os
import pty
import re
import select
import subprocess
import time
from pathlib import Path

START = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], r"""bind -x '"\C-x\C-p": printf "<<%s>>\n" "$READLINE_LINE"'"""),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -U compinit; compinit -D; show() { print -r -- \"<<$BUFFER>>\" }; zle -N show; bindkey '^X^P' show",
    ),
}


class Terminal:
    """An interactive shell that has evaluated `dltool completion SHELL`.

    Args:
        shell: "bash" or "zsh".
        folder: Working directory, in which `bin/dltool` is the program.
    """

    def __init__(self, shell: str, folder: Path) -> None:
        command, setup = START[shell]
        self.master, slave = pty.openpty()
        environment = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PS1": "$ ", "TERM": "dumb"}
        environment |= {"LC_ALL": "C.UTF-8", "COLUMNS": "200"}
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=folder, env=environment, start_new_session=True
        )
        os.close(slave)
        self.send(f'{setup}\neval "$(dltool completion {shell})"\necho rea""dy\n')
        self.read_until("ready")

    def tab(self, line: str) -> str:
        """The line after the tab key."""
        self.send(f"{line}\t\x18\x10")
        after = self.read_until(r"<<(.*?)>>")
        self.send("\x15")  # Clear the line.
        return after

    def send(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read_until(self, pattern: str, seconds: float = 20) -> str:
        text, end = "", time.monotonic() + seconds
        while time.monotonic() < end:
            if select.select([self.master], [], [], 0.2)[0]:
                text += os.read(self.master, 65536).decode(errors="replace")
            if found := re.search(pattern, text):
                return found[found.re.groups]
        raise AssertionError(f"the shell never printed {pattern}: {text!r}")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
