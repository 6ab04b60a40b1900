"""`dltool completion`: the shell's completion script, and the answers to its queries."""

import argparse
import contextlib
import sys
from collections.abc import Callable, Sequence

from dltool.completion.shells import SHELLS, render, request_words, script

SUMMARY = "print the script for tab completion in bash, zsh or fish"
EXAMPLES = """\
into which file it goes:
  bash  ~/.bashrc                          eval "$(dltool completion bash)"
  zsh   ~/.zshrc, below compinit           eval "$(dltool completion zsh)"
  fish  ~/.config/fish/config.fish         dltool completion fish | source

A shell starts quicker with the script in a file of its own:
  bash  dltool completion bash > ~/.local/share/bash-completion/completions/dltool     (needs bash-completion)
  zsh   dltool completion zsh > FOLDER/_dltool        FOLDER: one of $fpath
  fish  dltool completion fish > ~/.config/fish/completions/dltool.fish

It completes verbs, flags, groups, options, keys and values, several values of a sweep, runs and files; options
and keys are those of the folder that --config-dir names earlier on the line, too.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS)


def run(args: argparse.Namespace) -> int:
    print(script(args.shell), end="")
    return 0


def answer_request(
    arguments: Sequence[str],
    make_parser: Callable[[], argparse.ArgumentParser],
    with_action: Callable[[Sequence[str]], Sequence[str]],
) -> int:
    """Print the candidates for a shell's script; print nothing if anything fails, since the user is typing.

    Args:
        arguments: The shell, and its description of the line; see dltool.completion.shells.
        make_parser: Makes the parser of the whole command line.
        with_action: See dltool.completion.complete.
    """
    with contextlib.suppress(Exception):
        from dltool.completion.complete import complete

        shell, *rest = arguments
        words = request_words(shell, rest)
        answer = complete(make_parser(), [word.text for word in words], with_action)
        text = render(shell, words[-1], answer) + "\n"
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    return 0
