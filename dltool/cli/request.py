"""The arguments that verbs share, and the composition of a checked config from them."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltool.config.tree import leaves
from dltool.core.errors import ConfigError
from dltool.core.process import is_launched

if TYPE_CHECKING:  # Hydra takes 0.15 s to import, which help and lists do not need.
    from collections.abc import Sequence

    from dltool.config.check import Config
    from dltool.config.compose import Composed
    from dltool.inference.run import Run
    from dltool.runs.folder import RunFolder
    from dltool.search.grid import Job
    from dltool.search.sweep import Training
    from dltool.tasks.views import View


def add_trust_argument(parser: argparse.ArgumentParser) -> None:
    """Let a verb run the user's code; `main` registers it before the verb runs."""
    parser.add_argument(
        "--trust",
        action="append",
        default=[],
        type=Path,
        metavar="FILE.py|PACKAGE",
        help="your own models, data, losses, …: code that runs when it is chosen",
    )


def trust_given(args: argparse.Namespace) -> None:
    """Trust the files that the command line names, and nothing else; a verb without --trust trusts nothing.

    Raises:
        ConfigError: A file cannot be read, registers nothing, or registers a name that is taken.
    """
    from dltool.declarations.registry import trust_paths

    trust_paths(getattr(args, "trust", []))


def add_overrides(parser: argparse.ArgumentParser, content: str) -> None:
    """The overrides, of which there may be none; the default keeps argparse from calling them required."""
    parser.add_argument("overrides", nargs="*", default=[], metavar="key=value", help=content)


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    add_overrides(parser, "group=option, key=value, +key=value, '~key'")
    parser.add_argument(
        "--config-dir",
        action="append",
        default=[],
        type=Path,
        metavar="FOLDER",
        help="a folder of your own groups and options, in addition to dltool's",
    )
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="RUN|FILE",
        help="begin with the complete config of a run, or with a file; group=option then replaces that whole group",
    )
    add_trust_argument(parser)


def refuse_torchrun(search: str) -> None:
    """Raise ConfigError for a search that torchrun has started, each process of which would search by itself."""
    if is_launched():
        raise ConfigError(
            f"torchrun starts the processes of one training, not of a {search}", "start it without torchrun"
        )


def read_config(args: argparse.Namespace) -> "tuple[Config, Config]":
    """Compose and check the config that the command line requests.

    Returns:
        The config for saving, and the config for building: with --from RUN, `auto` has its value in that run.

    Raises:
        ConfigError: If anything in it is wrong.
    """
    from dltool.config.check import check
    from dltool.config.rerun import with_auto

    composed, auto, source = compose_request(args, args.overrides)
    config = check(composed)
    return config, with_auto(config, auto, source)


def compose_request(args: argparse.Namespace, overrides: list[str]) -> tuple["Composed", dict[str, Any], Path]:
    """Compose the overrides over the defaults, or over the config of --from.

    Returns:
        The composed config, the values of each `auto` in the run of --from, and that run's config.
    """
    from dltool.config.compose import check_complete, compose, compose_from

    for text in overrides:
        if text.startswith(("sweep.", "tune.")):
            verb = "dltool train -m" if text.startswith("sweep.") else "dltool tune"
            raise ConfigError(f"{text}: this is a single training, not a search", f"{verb} accepts it")
    for folder in args.config_dir:
        if not folder.is_dir():
            raise ConfigError(
                f"--config-dir {folder.resolve()} is not a folder", "name the folder that contains model/, data/, …"
            )
    if args.source is None:
        return compose(overrides, args.config_dir), {}, Path()
    path, auto = source_of(args.source)
    composed = compose_from(path, overrides, args.config_dir)
    check_complete(composed.tree, path)
    return composed, auto, path


def compose_jobs(args: argparse.Namespace, jobs: "Sequence[Job]", *, in_processes: bool = True) -> "list[Training]":
    """Compose and check every job of a sweep before any job starts.

    Args:
        args: The request to which the jobs belong.
        jobs: All jobs.
        in_processes: Let the server of their processes import torch meanwhile, once the first job is valid.
    """
    from dltool.config.check import check
    from dltool.search.sweep import Training
    from dltool.search.workers import warm_up

    trainings: list[Training] = []
    for job in jobs:
        composed, auto, source = compose_request(args, list(job.overrides))
        trainings.append(Training(composed, dict(leaves(check(composed).tree)), auto, source))
        if in_processes and len(trainings) == 1:
            warm_up()
    return trainings


def command_words(args: argparse.Namespace) -> list[str]:
    """The arguments, besides overrides, of a command that repeats one training of a search."""
    from dltool.trust.sources import trust_words

    folders = [word for folder in args.config_dir for word in ("--config-dir", str(folder))]
    return trust_words() + folders + (["--from", str(args.source)] if args.source else [])


def open_run(name: str) -> "RunFolder":
    """The run given by a path, or by the last part or parts of one below the output root.

    Raises:
        ConfigError: If none matches, with the nearest name, or if several do.
    """
    from dltool.core.process import OUTPUT_ROOT
    from dltool.runs.catalog import find_run
    from dltool.runs.folder import RunFolder

    path = Path(name).expanduser()
    return RunFolder.open(name if path.is_dir() else str(find_run(name, OUTPUT_ROOT)))


def add_use_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verbs that use a run's model."""
    parser.add_argument("run", metavar="RUN", help="the run folder, or its name if that is unique")
    parser.add_argument(
        "--checkpoint",
        default="tested",
        metavar="NAME",
        help="last, best, or a name such as step-000680; default: the one that the run's own test used",
    )
    parser.add_argument(
        "--weights",
        choices=["ema", "swa", "raw"],
        default="tested",
        help="an average that the training kept (trainer.average.kind), or its own weights; default: the average",
    )
    add_trust_argument(parser)


def add_view_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of the verbs that predict samples."""
    parser.add_argument(
        "--tta", default="", metavar="VIEWS", help="average over views of each image: hflip, vflip, shift, crops"
    )


def used_run(args: argparse.Namespace, overrides: "Sequence[str]" = ()) -> "Run":
    """The run to use; its warnings go to standard error."""
    folder = open_run(args.run)
    from dltool.inference.run import Run

    return Run(
        folder,
        checkpoint=args.checkpoint,
        weights=args.weights,
        overrides=overrides,
        warn=lambda text: print(f"warning: {text}", file=sys.stderr),
    )


def views_of(args: argparse.Namespace) -> "list[View]":
    words: list[Any] = [word for word in args.tta.split(",") if word]
    return words


def check_writable(path: Path | None) -> None:
    """Raise ConfigError if a file is not writable, before any work is done for it."""
    if path is None:
        return
    try:
        with path.open("a"):
            pass
    except OSError as error:
        raise ConfigError(f"{path.resolve()} cannot be written: {error.strerror}", "name another file") from error


def source_of(source: Path) -> tuple[Path, dict[str, Any]]:
    """The config file that --from names, and, for a run, the values of each `auto`."""
    from dltool.runs.folder import CONFIG

    if source.is_file():
        return source.resolve() if source.is_symlink() else source, {}  # The user's own link.
    from dltool.runs.unedited import edited

    run = open_run(str(source))
    if CONFIG in edited(run.path, run.read_environment()):
        print(f"note: {run.path / CONFIG} changed since dltool wrote it; it is used as it is", file=sys.stderr)
    return run.path / CONFIG, run.read_auto()
