"""Which data an evaluation has: a run's own, whose splits are those of the training, or other data."""

from pathlib import Path
from typing import NamedTuple

from dltool.build.components import build_data
from dltool.build.fingerprint import UNKNOWN, fingerprint_of, read_fingerprint
from dltool.config.check import Config, in_yaml
from dltool.config.data_roles import (
    MEMBERSHIP,
    changed_membership,
    is_elsewhere,
    is_other_source,
    locations_set,
    places_of,
)
from dltool.core.errors import ConfigError, DataError
from dltool.core.shell import quoted, setting
from dltool.data.dataset import Dataset
from dltool.data.fingerprint import compare
from dltool.data.fitted import Fitted
from dltool.inference.loaded_run import LoadedRun
from dltool.runs.folder import CONFIG
from dltool.trust.sources import trust_flags

NEW = "this is new data, prepared as the run's was; the run held out none of it, and may have trained on some of it"


class EvaluatedData(NamedTuple):
    """The data of an evaluation.

    Attributes:
        own: Whether it is the run's data, so that its splits are those of the training.
        notes: What the user must know about it, a line each.
    """

    dataset: Dataset
    own: bool
    notes: tuple[str, ...] = ()


def evaluated_data(run: LoadedRun, config: Config, split: str) -> EvaluatedData:
    """Load the data that a config names, and compare it with the run's by its fingerprint.

    Other data keeps its official splits and is never cut: samples that are held out by chance could be those that the
    run was trained on.

    Args:
        run: The run.
        config: Its config, with overrides.
        split: "train", "val", "test", "all" or "auto".

    Raises:
        ConfigError: It is the run's data, but an override may move training samples into the evaluated split.
        DataError: The run's data has changed, and the command does not name it as other data.
    """
    folder = Path(run.folder.read_environment().get("working_directory", ""))
    before = read_fingerprint(run.folder)
    if is_other_source(run.built, config, folder) or (before is None and is_elsewhere(run.built, config, folder)):
        return EvaluatedData(build(run, config, cut=False), own=False, notes=(NEW,))
    if before is None:
        check_membership(run, config, split, *MEMBERSHIP)
        return EvaluatedData(build(run, config), own=True, notes=(f"{run.path} {UNKNOWN}",))
    if locations_set(config, run.path / CONFIG):
        dataset = build(run, config, cut=False)
        difference, note = compare(before, fingerprint_of(config, dataset, before))
        if difference:
            if not is_elsewhere(run.built, config, folder):
                check_membership(run, config, split, "SplitLocation")
            return EvaluatedData(dataset, own=False, notes=(f"not the run's data: {difference}", NEW))
    check_membership(run, config, split, "Membership")
    dataset = build(run, config)
    difference, note = compare(before, fingerprint_of(config, dataset, before))
    if difference and split != "all":
        raise has_changed(run, config, difference)
    notes = [f"not the run's data any more: {difference}"] * bool(difference) + [note] * bool(note)
    return EvaluatedData(dataset, not difference, tuple(notes))


def build(run: LoadedRun, config: Config, *, cut: bool = True) -> Dataset:
    return build_data(config, run.device, fitted=Fitted(run.preprocessing, run.spec), cut=cut)


def check_membership(run: LoadedRun, config: Config, split: str, *roles: str) -> None:
    """Raises ConfigError if an override of a key of these roles may move training samples into the evaluated split."""
    keys = changed_membership(run.built, config, run.folder.read_auto(), roles)
    if split != "all" and keys:
        old, new = (in_yaml(one["data"][keys[0].removeprefix("data.")]) for one in (run.built, config))
        raise ConfigError(
            f"{keys[0]} was {old} in this run and decides which samples are held out: with {new}, training samples may "
            "be in the evaluated split",
            f"without {keys[0]}; or --split all evaluates every sample, including the training samples",
        )


def has_changed(run: LoadedRun, config: Config, difference: str) -> DataError:
    """The error for a run's data that is not what it was, so that its held-out samples are unknown."""
    command = f"dltool evaluate {trust_flags()}{quoted(run.path)}"
    places = places_of(config)
    other = f"; {command} {setting(*places[0])} evaluates all of it as new data" if places else ""
    return DataError(
        f"the data has changed since {run.path} began: {difference}; which samples were held out is not known any more",
        f"restore it{other}",
    )
