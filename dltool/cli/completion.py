"""`dltool completion`: the completion script of a shell, and the answers to the script's requests."""

import argparse
import contextlib
import sys
from collections.abc import Callable, Sequence

from dltool.completion.shells import SHELLS, render, request_words, script
from dltool.core.errors import DltoolError

SUMMARY = "print the script for tab completion in bash, zsh or fish"
EXAMPLES = """\
the file for the script:
  bash  ~/.bashrc                          eval "$(dltool completion bash)"
  zsh   ~/.zshrc, below compinit           eval "$(dltool completion zsh)"
  fish  ~/.config/fish/config.fish         dltool completion fish | source

A shell starts faster with the script in a separate file:
  bash  dltool completion bash > ~/.local/share/bash-completion/completions/dltool     (needs bash-completion)
  zsh   dltool completion zsh > FOLDER/_dltool        FOLDER: one of $fpath
  fish  dltool completion fish > ~/.config/fish/completions/dltool.fish

It completes verbs, flags, groups, options, keys and values, several values of a sweep, runs and files, including the
options and keys of a folder given by --config-dir earlier on the line.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS)


def run(args: argparse.Namespace) -> int:
    print(script(args.shell), end="")
    return 0


def answer_request(
    arguments: Sequence[str],
    make_parser: Callable[[Sequence[str]], argparse.ArgumentParser],
    with_action: Callable[[Sequence[str]], Sequence[str]],
) -> int:
    """Print the answer to a shell's request; print nothing if an error occurs, as the user is at a prompt.

    Args:
        arguments: The shell, and its description of the line; see dltool.completion.shells.
        make_parser: Builds the parser of the whole command line from its words.
        with_action: See dltool.completion.complete.
    """
    with contextlib.suppress(Exception):
        from dltool.completion.complete import complete

        shell, *rest = arguments
        words = request_words(shell, rest)
        texts = [word.text for word in words]
        try:
            parser = make_parser(texts[:-1])
        except DltoolError:  # The line does not name a run yet.
            parser = make_parser(())
        answer = complete(parser, texts, with_action)
        text = render(shell, words[-1], answer) + "\n"
        sys.stdout.buffer.write(text.encode("utf-8", "surrogateescape"))
        sys.stdout.flush()
    return 0
