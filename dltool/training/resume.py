"""Continues a training from a checkpoint in its run folder."""

import contextlib
import dataclasses
import textwrap
from typing import Any

from dltool.build.aside import train_aside
from dltool.build.fingerprint import UNKNOWN, fingerprint_of, read_fingerprint
from dltool.build.parts import Parts
from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.config.data_roles import places_of
from dltool.config.rerun import reused_choices
from dltool.core.errors import DataError
from dltool.core.process import command
from dltool.core.safe_read import understood
from dltool.core.shell import quoted
from dltool.core.spec import DataSpec
from dltool.data.fingerprint import Fingerprint, compare
from dltool.data.fitted import check_tokenizers, from_json, tokenizer_state
from dltool.distributed.team import Team
from dltool.engine.observer import Observer
from dltool.observers.jsonl import cut_back
from dltool.observers.tracker import check_trackers
from dltool.runs.folder import PREPROCESSING, RunFolder, describe_environment
from dltool.runs.unedited import check_unedited
from dltool.training.processes import assembled, begin_together, take_part
from dltool.training.session import Session
from dltool.trust.sources import trust_flags

ROUNDING = 1e-6  # Tolerance for the scale of targets, in their standard deviations.


def resume(
    run: RunFolder, config: Config, built: Config, *, quiet: bool = False, display: Observer | None = None
) -> int:
    """Continue a run from its newest undamaged checkpoint; returns the exit code. See train for the arguments.

    Raises:
        ConfigError: If nothing is left to do, or another process is using the run.
        DataError: If the data has changed.
        CheckpointError: If checkpoints exist, but all are damaged.
    """
    resumed = any(run.checkpoints.glob("step-*"))
    with assembled(built, resumed=resumed) as (team, shared):
        if team.is_first:
            return resume_as_first(team, run, config, shared, resumed, quiet, display)
        return take_part(team, shared, resumed=resumed)


def resume_as_first(
    team: Team,
    run: RunFolder,
    config: Config,
    built: Config,
    resumed: bool,
    quiet: bool,
    display: Observer | None,
) -> int:
    """The part of the process that writes the run folder."""
    run.hold()
    with contextlib.closing(run):
        check_unedited(run.path)
        check_trackers(built["logger"])
        parts = prepare(built, resumed=resumed, train_classifier=train_aside, team=team)
        fingerprint = check_same_data(run, parts)
        check_same_weights(run, parts)
        session = Session(parts, run, quiet=quiet, display=display)
        session.check_space(1)
        checkpoint = session.trainer.checkpoints.newest(session.warn) if resumed else None
        if checkpoint is None:
            cut_back(run.metrics, 0)
            session.say("no checkpoint was committed yet: training starts from the beginning")
        else:
            session.continue_from(checkpoint)
        environment = run.read_environment()
        since = {"step": session.trainer.progress.step, "command": command()}
        first = ("init_from", "command", "working_directory")
        kept: dict[str, Any] = {key: environment[key] for key in first if key in environment}
        times = [*environment.get("resumed", []), since]
        run.write_environment(
            {**describe_environment(), "auto": reused_choices(config, built) | parts.auto, **kept, "resumed": times}
        )
        run.write_data(fingerprint.to_json())
        run.write_config(config.tree)
        team.keep_logs(run.files)
        begin_together(team, parts)
        return session.run_to_end()


def check_same_data(run: RunFolder, parts: Parts) -> Fingerprint:
    """The fingerprint of the data, which must be that of the run; one that the run lacks is noted.

    Raises:
        DataError: The data is other data, by its fingerprint or by what was fitted to it.
    """
    before = read_fingerprint(run)
    now = fingerprint_of(parts.config, parts.dataset, before)
    difference, note = compare(before, now) if before else ("", f"{run.path} {UNKNOWN}")
    if differences := [*[difference] * bool(difference), *fitted_differences(run, parts)]:
        places = places_of(parts.config)
        elsewhere = f", or name an unchanged copy: {places[0][0]}=COPY" if places else ""
        raise DataError(
            f"the data has changed since {run.path} began: {'; '.join(differences)}",
            f"restore it{elsewhere}; or train again from scratch: dltool train {trust_flags()}--from "
            f"{quoted(run.path)}",
        )
    parts.dataset.notes += [note] * bool(note)
    return now


def fitted_differences(run: RunFolder, parts: Parts) -> list[str]:
    """What is different of what the run fitted to its data: the tokenisers, or the first field of its spec."""
    saved = run.read_preprocessing()
    if not saved:
        return []
    with understood(run.path / PREPROCESSING):
        preprocessing, before = from_json(saved, str(run.path / PREPROCESSING))
    try:
        check_tokenizers(tokenizer_state(preprocessing, before), parts.dataset.state_dict(), "the data, as it is now,")
    except DataError as error:
        return [error.message]
    changed = [f.name for f in dataclasses.fields(before) if differs(f.name, before, parts.spec)]
    return [
        f"its {name} was {in_short(getattr(before, name))} and is {in_short(getattr(parts.spec, name))}"
        for name in changed[:1]
    ]


def differs(name: str, before: DataSpec, now: DataSpec) -> bool:
    """Whether a field of the spec differs; the scale of targets may differ by the rounding of earlier versions."""
    old, new = getattr(before, name), getattr(now, name)
    if name in ("target_mean", "target_std") and len(old) == len(
        new
    ):  # Earlier versions rounded to float32 before scaling.
        return any(abs(a - b) > ROUNDING * std for a, b, std in zip(old, new, before.target_std, strict=True))
    if name in ("class_counts", "train_size") and not before.class_counts:  # Earlier versions did not save them.
        return False
    return bool(old != new)


def in_short(value: object) -> str:
    """A value as text; long ones, such as vocabularies, are cut."""
    return textwrap.shorten(str(value), 80, placeholder=" …")


def check_same_weights(run: RunFolder, parts: Parts) -> None:
    """A run without a checkpoint restarts: raises DataError if its initial weights would be different."""
    before = run.read_environment().get("init_from")
    if before and parts.warm_start and before["sha256"] != parts.warm_start.source.sha256:
        path = parts.warm_start.source.path
        raise DataError(
            f"{path.resolve()} is not what {run.path} began with: its SHA-256 differs",
            f"train again from scratch: dltool train --from {quoted(run.path)}",
        )
