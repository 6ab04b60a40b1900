"""`dltool VERB …`: finds the verb, runs it, and turns errors into one line and an exit code."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import NoReturn

from dltool.cli import (
    bench,
    check,
    completion,
    doctor,
    evaluate,
    export,
    help,
    init,
    list,
    plot,
    predict,
    report,
    reproduce,
    resume,
    runs,
    sample,
    schema,
    show,
    trace,
    train,
    tune,
)
from dltool.cli.mistyped import flag_hint, wrong_choice
from dltool.cli.request import trust_given
from dltool.cli.verb import Help, add_verb
from dltool.completion.shells import REQUEST
from dltool.core.errors import ConfigError, DltoolError
from dltool.core.notices import printed_warnings
from dltool.core.output import safe_output
from dltool.core.process import VERSION, launched_rank

VERBS: dict[str, ModuleType] = {
    "train": train,
    "resume": resume,
    "tune": tune,
    "evaluate": evaluate,
    "predict": predict,
    "sample": sample,
    "export": export,
    "runs": runs,
    "plot": plot,
    "report": report,
    "reproduce": reproduce,
    "bench": bench,
    "list": list,
    "show": show,
    "trace": trace,
    "check": check,
    "init": init,
    "help": help,
    "doctor": doctor,
    "schema": schema,
    "completion": completion,
}

EPILOG = """\
examples:
  dltool train model=lenet optim=adam                    LeNet on the built-in handwritten digits
  dltool train model=mlp 'model.hidden=[256,64]' data=iris trainer.epochs=100
  dltool train experiment=lenet_mnist data.root=FOLDER   a complete recipe
  dltool list model                                      every model, one line each
  dltool show model=lenet optim=sgd                      the composed config, and the model layer by layer
  dltool resume outputs/2026-01-31/12-00-00_lenet_digits trainer.epochs=40
  dltool predict 12-00-00_lenet_digits --input seven.png  a run's prediction for an image
  dltool sample 12-00-00_gpt_pydoc --prompt 'The '       text from a language model
  dltool sample 12-00-00_gan_digits --count 64           images from a GAN or a VAE
  dltool train -m model=mlp,lenet optim.lr=1e-2,1e-3     a sweep: every combination
  dltool init my_project                                 a project with a model of your own
  dltool runs --sort test/accuracy                       all runs, the best first
  dltool help first_hour                                 the manual; dltool help lists its pages

key=value configures the training; --flags configure the command. Quote characters that the shell
would interpret: ( ) [ ] { } * ? ! ~ $ < > | & ; and spaces.
exit codes: 0 done; 2 wrong config or data, nothing has run; 1 failed while running; 130, 143 interrupted, saved.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] == REQUEST:
        return completion.answer_request(words[1:], make_parser, with_action)
    # The Pythons that multiprocessing starts would else find a `random.py` of the working directory before their own.
    os.environ["PYTHONSAFEPATH"] = "1"
    with safe_output():
        return run_command(with_action(words))


def run_command(words: Sequence[str]) -> int:
    """Parse and run one command; returns its exit code."""
    try:
        check_working_directory()
        parser = make_parser(words)
    except DltoolError as error:
        if "--debug" in words:
            raise
        return print_error(error)
    args, rest = parser.parse_known_args(words)
    if args.verb is None:
        parser.print_help()
        return 0
    more = getattr(args, "overrides", getattr(args, "words", None))
    if unknown := [word for word in rest if word.startswith("-") or more is None]:
        command = " ".join(filter(None, (args.verb, getattr(args, "action", None))))
        own = dict(commands(parser)).get(command, parser)
        hint = flag_hint(unknown[0], words, own, takes_keys=hasattr(args, "overrides"))
        message = f"{command} has no {unknown[0].partition('=')[0]}"
        return print_error(ConfigError(message, hint or f"dltool {command} --help shows the usage"))
    if more is not None:  # argparse accepts no positional words after a flag; overrides and filters may be anywhere.
        more += rest
    try:
        trust_given(args)
        with printed_warnings():
            code: int = VERBS[args.verb].run(args)
        return code
    except DltoolError as error:
        if args.debug:
            raise
        return print_error(error)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
        return 130
    except Exception as error:
        if args.debug:
            raise
        return print_unexpected(error)


def check_working_directory() -> None:
    """Raise ConfigError if the working directory has been removed: nothing relative to it can be found."""
    try:
        os.getcwd()  # noqa: PTH109 (pathlib is not imported yet)
    except OSError as error:
        raise ConfigError(f"the working directory cannot be used: {error.strerror}", "cd to another folder") from error


def with_action(words: Sequence[str]) -> Sequence[str]:
    """Insert the verb's default action, if it has several: `runs model=lenet` is `runs list …`."""
    module = VERBS.get(words[0]) if words else None
    actions = getattr(module, "ACTIONS", None)
    if module is None or actions is None or any(word in (*actions, "-h", "--help") for word in words[1:2]):
        return words
    return [words[0], module.DEFAULT_ACTION, *words[1:]]


def print_error(error: DltoolError) -> int:
    """Print the error; returns its exit code."""
    rank = f"rank {launched_rank()}: " if launched_rank() else ""
    print(rank + error.report(), file=sys.stderr, flush=True)
    return error.exit_code


def print_unexpected(error: Exception) -> int:
    """Print an error that dltool did not raise itself; returns the exit code."""
    from dltool.core.out_of_memory import is_out_of_memory
    from dltool.trust.importing import described

    if (known := system_error(error)) is not None:
        return print_error(known)
    if is_out_of_memory(error):
        hint = "a smaller model, data.batch_size or data.eval_batch_size, or a machine with more memory"
        return print_error(DltoolError(f"out of memory: {error}", hint))
    hint = "run the same command with --debug to see the traceback"
    return print_error(DltoolError(described(error), hint))


def system_error(error: Exception) -> DltoolError | None:
    """What the system says about a file, with its name; None for another error."""
    from dltool.core.system_errors import reason_of, remedy_of

    if isinstance(error, RuntimeError) and str(error).startswith("Symlink loop from "):  # Of Path.resolve.
        return DltoolError(f"{str(error).partition('from ')[2]} is a link that leads to itself", "remove it")
    if isinstance(error, OSError) and error.filename is not None:
        name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes | os.PathLike) else error.filename
        return DltoolError(f"{name}: {reason_of(error)}", f"{remedy_of(error)}; --debug shows the traceback")
    return None


class OneLineParser(argparse.ArgumentParser):
    """argparse with dltool's error format."""

    def error(self, message: str) -> NoReturn:
        said, hint = wrong_choice(message, self.prog) or (message, None)
        raise SystemExit(print_error(ConfigError(said, hint or f"{self.prog} --help shows the usage")))


def commands(parser: argparse.ArgumentParser, lead: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The commands below a parser, `runs` and `runs list`, with their parsers."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield f"{lead}{name}", below
                yield from commands(below, f"{lead}{name} ")


def make_parser(words: Sequence[str] = ()) -> argparse.ArgumentParser:
    """The parser of the command line; some arguments depend on its words, such as the sampling options of a run.

    Raises:
        ConfigError: If the words name no run.
    """
    parser = OneLineParser(
        prog="dltool",
        description="Train every classic deep-learning model from one shell line and a few lines of YAML.",
        epilog=EPILOG,
        formatter_class=Help,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"dltool {VERSION}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB")
    for name, module in VERBS.items():
        verb = add_verb(verbs, name, module, words[1:] if words and words[0] == name else ())
        verb.add_argument("--debug", action="store_true", help="show the full traceback of an error")
    return parser


if __name__ == "__main__":
    sys.exit(main())
