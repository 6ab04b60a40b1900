"""The flags of `dltool sample` for the sampling options that the task of a run declares."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from dltool.cli.request import open_run, trust_given
from dltool.core.errors import ConfigError
from dltool.core.shell import in_grammar
from dltool.core.titles import training_title
from dltool.declarations.kinds import AnyOf, Kind, OneOf, Scalar
from dltool.declarations.registry import registrations
from dltool.declarations.sampling_options import SamplingOption, sampling_options, unknown_option, value_of
from dltool.runs.folder import RunFolder

PREFIX = "sampling."  # Of the sampling options among the parsed arguments.


def add_sampling_flags(
    parser: argparse.ArgumentParser, words: Sequence[str], add_arguments: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Add the sampling options that the task of the named run declares.

    Args:
        parser: The parser of the verb.
        words: The words after the verb.
        add_arguments: Adds the verb's other arguments to a parser.

    Raises:
        ConfigError: The words name a run that does not exist, or an option of another task.
    """
    folder = named_run(words, add_arguments)
    config = folder.read_status().get("config", {}) if folder is not None else {}
    task = config.get("task.name")
    if task not in registrations()["task"]:  # No run yet, or code that is not trusted; reading the run explains it.
        return
    options, title = sampling_options(task), training_title(config["model.name"], config["data.name"])
    group = parser.add_argument_group(f"sampling options of {title} (task={task})")
    for name, option in options.items():
        try:
            group.add_argument(flag(name), dest=PREFIX + name, help=described(option), **form(option.field.kind))
        except argparse.ArgumentError as error:
            raise ConfigError(
                f"task={task}: the sampling option {name} has the name of a flag of dltool sample",
                "rename the argument of decode",
            ) from error
    refuse_other_options(parser, words, options, title)


class Permissive(argparse.ArgumentParser):
    """Reads what it can of a command line that is not complete."""

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


def named_run(words: Sequence[str], add_arguments: Callable[[argparse.ArgumentParser], None]) -> RunFolder | None:
    """The run that the words name; None if they name none, or ask for help before they do.

    Raises:
        ConfigError: The named run does not exist, or a file of --trust cannot be trusted.
    """
    parser = Permissive(add_help=False, allow_abbrev=False)
    add_arguments(parser)
    try:
        request, rest = parser.parse_known_args(words)
    except ValueError:
        return None
    trust_given(request)
    failure = None
    for word in (request.run, *request.overrides, *rest):  # The value of an option may come before the run.
        if word.startswith("-"):
            continue
        try:
            return open_run(word)
        except ConfigError as error:
            failure = failure or error
    if failure is not None and not {"-h", "--help"} & {*words}:
        raise failure
    return None


def flag(option: str) -> str:
    return f"--{option.replace('_', '-')}"


def described(option: SamplingOption) -> str:
    """The text of an option for the help, with its default."""
    default = option.field.default
    shown = "" if default is None else f" ({in_grammar(default)})"
    text = option.text[:1].lower() + option.text[1:].rstrip(".")
    return (text + shown).replace("%", "%%")


def form(kind: Kind) -> dict[str, Any]:
    """The arguments of argparse for a flag with values of a kind; the values are checked later."""
    kinds = kind.alternatives if isinstance(kind, AnyOf) else (kind,)
    if any(isinstance(one, Scalar) and one.type == "bool" for one in kinds):
        return {"action": argparse.BooleanOptionalAction}
    names = [value for one in kinds if isinstance(one, OneOf) for value in one.values if isinstance(value, str)]
    types = [one.type for one in kinds if isinstance(one, Scalar)]
    if types:
        return {"metavar": "|".join([{"int": "N", "float": "X", "str": "TEXT"}[types[0]], *names])}
    return {"choices": names}


def refuse_other_options(
    parser: argparse.ArgumentParser, words: Sequence[str], options: dict[str, SamplingOption], title: str
) -> None:
    """Raise ConfigError for a flag that is a sampling option of other tasks."""
    for word in words:
        name = word.partition("=")[0]
        if not name.startswith("--") or name in parser._option_string_actions:
            continue
        option = name.removeprefix("--").replace("-", "_")
        if any(option in sampling_options(task) for task in registrations()["task"]):
            raise unknown_option(option, options, title)


def given_options(args: argparse.Namespace) -> dict[str, Any]:
    """The sampling options that the command line sets."""
    given = {name.removeprefix(PREFIX): value for name, value in vars(args).items() if name.startswith(PREFIX)}
    return {
        name: value_of(value) if isinstance(value, str) else value for name, value in given.items() if value is not None
    }
