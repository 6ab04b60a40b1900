"""From the words of a command line to the completions at the cursor."""

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from dltool.completion.answer import Answer, Candidate, matching
from dltool.completion.line import Line, flag_candidates, read_line, subparser_candidates
from dltool.completion.runs import checkpoint_candidates, key_candidates, run_candidates, value_candidates
from dltool.core.process import OUTPUT_ROOT
from dltool.declarations.examples import examples
from dltool.declarations.options import GROUPS, LISTED, option_files, summary
from dltool.declarations.registry import trust_paths
from dltool.manual.pages import REFERENCE, pages
from dltool.runs.catalog import find_run


def complete(
    parser: argparse.ArgumentParser, words: Sequence[str], with_action: Callable[[Sequence[str]], Sequence[str]]
) -> Answer:
    """The completions at the cursor.

    Args:
        parser: The parser of the whole command line.
        words: The words after `dltool`, the last one up to the cursor.
        with_action: Adds the default action of a verb that has several.
    """
    line = read_line(parser, words)
    if line.subparsers() is not None and line.pending is None:
        names = matching(subparser_candidates(line), line.typed)
        usual = with_action(words)
        if (names and not line.words) or list(usual) == list(words):
            flags = matching(flag_candidates(line), line.typed) if line.typed.startswith("-") else []
            return Answer(names + flags)
        line = read_line(parser, usual)
    trust_paths([Path(path).expanduser() for path in line.flags.get("trust", [])])
    if line.pending is not None:
        answer = argument(line, line.pending, line.typed)
        lead = words[-1].removesuffix(line.typed)  # `--flag=` of `--flag=VALUE`.
        return Answer(answer.candidates, lead + answer.prefix, answer.paths)
    if line.typed.startswith("-"):
        return Answer(matching(flag_candidates(line), line.typed))
    action = line.positional()
    return Answer() if action is None else argument(line, action, line.typed)


def argument(line: Line, action: argparse.Action, typed: str) -> Answer:
    """The possible values of a flag or a positional argument, by its choices, else by its name or metavar."""
    metavar = str(action.metavar or "")
    if action.choices is not None:
        return answer_of((Candidate(str(choice)) for choice in action.choices), typed)
    if metavar == "key=value":
        return as_override(line, typed)
    if "RUN" in metavar:
        return run(line, metavar, typed)
    if "FILTER" in metavar:
        return run_filter(line, typed)
    if action.dest in ("sort", "metric", "columns"):
        begun = typed.rpartition(",")[2] if "," in metavar else typed
        return answer_of(key_candidates(root(line)), begun, typed.removesuffix(begun))
    if action.dest == "checkpoint" and line.words:
        return answer_of(checkpoint_candidates(find_run(line.words[0], root(line))), typed)
    if "FILE" in metavar or "FOLDER" in metavar:
        return Answer(paths="files" if "FILE" in metavar else "folders")
    if action.dest == "example":
        return answer_of((Candidate(name, text) for name, text in examples().items()), typed)
    if action.dest == "topic":
        return topic(typed)
    if action.dest == "group":
        listed = LISTED if line.parser.prog.endswith(" list") else GROUPS
        return answer_of((Candidate(group, text) for group, text in listed.items()), typed)
    if action.dest in ("experiment", "option"):
        group = "experiment" if action.dest == "experiment" else line.words[-1]
        files = option_files(group, folders(line)).items()
        return answer_of((Candidate(name, summary(path)) for name, path in files), typed)
    return Answer()


def answer_of(candidates: Iterable[Candidate], typed: str, prefix: str = "") -> Answer:
    return Answer(matching(candidates, typed), prefix)


def topic(typed: str) -> Answer:
    """A page of the manual, or an option of a group, `model=lenet`."""
    group, equals, option = typed.partition("=")
    if equals and group in GROUPS:
        files = option_files(group).items()
        return answer_of((Candidate(name, summary(path)) for name, path in files), option, f"{group}=")
    titles = ((name.removeprefix(REFERENCE), page.title) for name, page in pages().items())
    return answer_of((Candidate(name, title) for name, title in titles), typed)


def as_override(line: Line, typed: str) -> Answer:
    """One of the training's overrides, completed with the keys of the selected options."""
    from dltool.completion.overrides import Overrides

    searches = [name for name in ("sweep", "tune") if searches_by(line, name)]
    return Overrides(line.words, folders(line), saved_config(line), searches).complete(typed)


def searches_by(line: Line, search: str) -> bool:
    """Whether the verb takes the keys of a search, `sweep.n_jobs=2`."""
    verb = line.parser.prog.rpartition(" ")[2]
    return verb == search or (search == "sweep" and (verb == "reproduce" or "multirun" in line.flags))


def saved_config(line: Line) -> dict[str, object]:
    """The config of the run that is continued or repeated; empty if the line names none."""
    from dltool.completion.selection import read_yaml
    from dltool.runs.folder import CONFIG

    named = line.flags.get("source", [])[-1:]
    positional = [a for a in line.parser._actions if not a.option_strings]
    if positional and positional[0].dest == "run":
        named = line.words[:1]
    if not named:
        return {}
    path = Path(named[0]).expanduser()
    return read_yaml(path if path.is_file() else find_run(named[0], root(line)) / CONFIG)


def run(line: Line, metavar: str, typed: str) -> Answer:
    """A run's folder; if no run matches, a path, or a filter if the verb takes one."""
    found = matching(run_candidates(root(line), typed), typed)
    taken = set(line.words)
    found = [candidate for candidate in found if candidate.text not in taken]
    if found:
        return Answer(found)
    several = (action := line.positional()) is not None and action.dest == "words"
    if several and "/" not in typed:
        return run_filter(line, typed)
    return Answer(paths="files" if "FILE" in metavar else "folders")


def run_filter(line: Line, typed: str) -> Answer:
    """`key=value` over the existing runs."""
    key, equals, value = typed.partition("=")
    if not equals:
        return answer_of(key_candidates(root(line), "="), typed)
    return answer_of(value_candidates(root(line), key.removesuffix("!")), value, f"{key}=")


def root(line: Line) -> Path:
    return Path(line.flags.get("root", [str(OUTPUT_ROOT)])[-1]).expanduser()


def folders(line: Line) -> list[Path]:
    return [Path(folder).expanduser() for folder in line.flags.get("config_dir", [])]
