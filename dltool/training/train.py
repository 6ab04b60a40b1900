"""Trains from scratch: from a checked config to a finished run folder."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from dltool.build.aside import train_aside
from dltool.build.fingerprint import difference_from, fingerprint_of
from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.config.rerun import reused_choices
from dltool.core.errors import DltoolError
from dltool.core.process import OUTPUT_ROOT
from dltool.core.system_errors import reason_of
from dltool.data.fitted import to_json
from dltool.distributed.team import Team
from dltool.engine.observer import Observer
from dltool.observers.tracker import check_trackers
from dltool.runs.folder import RunFolder, describe_environment, not_created
from dltool.training.processes import assembled, begin_together, take_part
from dltool.training.session import Session


class TrainResult(NamedTuple):
    """The exit code of a training, and its run folder."""

    exit_code: int
    path: Path


def train(
    config: Config,
    built: Config,
    *,
    quiet: bool = False,
    monitored: tuple[str, str | None] | None = None,
    observers: Sequence[Observer] = (),
    source: Path = Path(),
    display: Observer | None = None,
) -> TrainResult:
    """Train from the beginning in a new run folder.

    Args:
        config: The config that the run folder keeps.
        built: The config that is trained: the same, or with `auto` replaced by the choices of an earlier run.
        quiet: Print only the run folder.
        monitored: A setting and the metric that it names, which the training must report: ("sweep.metric", "val/loss").
        observers: Observers in addition to the standard ones.
        source: The config of --from; if its run had other data, that is noted.
        display: See Session.

    Raises:
        ConfigError, DataError: Before anything is trained; no run folder is left.
        RunError: During the training; the run folder records it.
    """
    with assembled(built) as (team, shared):
        if team.is_first:
            return train_as_first(team, config, shared, quiet, monitored, observers, source, display)
        return TrainResult(take_part(team, shared, resumed=False), Path())


def train_as_first(
    team: Team,
    config: Config,
    built: Config,
    quiet: bool,
    monitored: tuple[str, str | None] | None,
    observers: Sequence[Observer],
    source: Path,
    display: Observer | None,
) -> TrainResult:
    """The part of the process that writes the run folder."""
    check_trackers(built["logger"])
    parts = prepare(built, monitored, train_classifier=train_aside, team=team)
    fingerprint = fingerprint_of(built, parts.dataset)
    if difference := difference_from(source, config, fingerprint):
        parts.dataset.notes.append(f"not the data of {source.parent}: {difference}")
    run = RunFolder.create(config["run"]["dir"], OUTPUT_ROOT, f"{config['model']['name']}_{config['data']['name']}")
    with contextlib.closing(run):
        try:
            session = Session(parts, run, quiet, observers, display)
            session.check_space(2)  # One is written before another is removed.
            for observer in session.trainer.observers:
                observer.on_create()
            run.write_preprocessing(to_json(parts.dataset.preprocessing, parts.spec))
            run.write_data(fingerprint.to_json())
            loaded = {"init_from": parts.warm_start.as_dict()} if parts.warm_start else {}
            run.write_environment(
                {**describe_environment(), "auto": reused_choices(config, built) | parts.auto, **loaded, "resumed": []}
            )
            run.write_config(config.tree)  # Last: a folder with this file is complete and can be used.
        except DltoolError:  # No space, or from the user's own observer.
            run.abandon()
            raise
        except OSError as error:  # Nothing is lost, and the name can be used again.
            run.abandon()
            raise not_created(run.path, reason_of(error)) from error
        team.keep_logs(run.files)
        begin_together(team, parts)
        return TrainResult(session.run_to_end(), run.path)
