"""A study of `dltool tune`: an Optuna study, and a folder with a run folder for each of its trials.

journal.log        the study itself, shared by all shells that work on it
<trial>/           the run folder of a trial
logs/<trial>.txt   what the trial printed
plots/             plots of the study
"""

import json
import math
import os
import platform
import re
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, JournalStorage, get_storage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.storages.journal._file import get_lock_file
from optuna.trial import FrozenTrial, TrialState

from dltool.core.addresses import without_secrets
from dltool.core.errors import ConfigError
from dltool.core.randomness import derive_seed
from dltool.core.safe_path import SafePath
from dltool.core.safe_read import MAX_LINES_BYTES, read_regular, read_text
from dltool.runs.folder import STATUS, STUDY
from dltool.runs.lock import is_held, process_exists
from dltool.search.folder import JobFolder, Result, differences, values_of
from dltool.search.grid import Job
from dltool.search.settings import TuneSettings
from dltool.search.space import Dimension, plain

GRACE_SECONDS = 60.0  # The time for a shell's work before its run locks the folder and after it releases it.
STARTING_SECONDS = 5.0  # The time in which a trial's process locks its run, also if its shell was killed meanwhile.
WITHOUT_VALUE = "without_value"  # Marks a trial that finished, but whose metric is missing or not finite.
LOST = "lost"  # Marks a trial whose process vanished with its shell; the same values are tried again.


@dataclass(frozen=True)
class TrialLink:
    """The reference with which the process of a trial finds it in the study."""

    study: str
    storage: str
    trial_id: int
    metric: str
    settings: dict[str, Any]

    def load(self) -> optuna.trial.Trial:
        settings = TuneSettings(**self.settings)
        study = optuna.load_study(
            study_name=self.study, storage=open_storage(self.storage), pruner=make_pruner(settings)
        )
        return optuna.trial.Trial(study, self.trial_id)


class Study(JobFolder):
    """A study and its folder.

    Args:
        path: The folder; created if it is missing.
        name: Its name in the storage.
        metric: The metric to optimize.
        direction: "min" or "max".
        space: The dimensions.
        config: The common config of all trials, with dotted keys.

    Raises:
        ConfigError: If a study of this name has other settings (with the difference).
    """

    def __init__(
        self,
        path: Path,
        name: str,
        settings: TuneSettings,
        *,
        metric: str,
        direction: str,
        space: Sequence[Dimension],
        config: dict[str, Any],
    ) -> None:
        super().__init__(path)
        self.name, self.settings, self.space = name, settings, list(space)
        self.metric, self.direction = metric, direction
        path.mkdir(parents=True, exist_ok=True)
        SafePath(path, "logs").make()
        journal = SafePath(path, STUDY)
        journal.append().close()  # Optuna opens it by its path.
        cut_torn_line(journal)
        self.storage = settings.storage or str(journal)
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.optuna = optuna.create_study(
            study_name=name,
            storage=open_storage(self.storage),
            direction="minimize" if direction == "min" else "maximize",
            pruner=make_pruner(settings),
            load_if_exists=True,
        )
        self.compare({"metric": [metric, direction], "space": plain(space), "config": config})
        self.reclaim_lost()

    def compare(self, question: dict[str, Any]) -> None:
        """Check that the settings equal the study's."""
        stored = as_stored(self.optuna.user_attrs.get("question"))
        asked = as_stored(question)
        if stored is None:
            self.optuna.set_user_attr("question", asked)
        elif stored != asked:
            raise ConfigError(
                f"tune.study={self.name} is another study: {differences(flat(stored), flat(asked))}",
                "another tune.study, or the same command",
            )

    @property
    def trials(self) -> list[FrozenTrial]:
        """All trials except lost ones."""
        return [trial for trial in self.optuna.get_trials(deepcopy=False) if LOST not in trial.user_attrs]

    def has_room(self) -> bool:
        """Whether the study needs a further trial."""
        begun = [trial for trial in self.trials if trial.state != TrialState.WAITING]
        return len(begun) < self.settings.trials

    def ask(self) -> tuple[optuna.trial.Trial, list[str]]:
        """Begin a trial; returns it with its values, `key=value`."""
        trial = self.optuna.ask()
        trial.set_user_attr("shell", [platform.node(), os.getpid()])  # First: tells others whether it is alive.
        # Trial k draws by (seed, k): the same with and without other shells, and no two draw the same.
        self.optuna.sampler = make_sampler(self.settings, trial.number)
        return trial, [f"{dimension.key}={dimension.suggest(trial)}" for dimension in self.space]

    def begin(self, trial: optuna.trial.Trial, overrides: Sequence[str]) -> Job:
        """The job of a trial, recorded in the study so that other shells find its run."""
        swept = {key: value for key, _, value in (text.partition("=") for text in overrides[-len(self.space) :])}
        job = Job(trial.number, tuple(overrides), swept)
        trial.set_user_attr("run", str(self.run_path(job)))
        trial.set_user_attr("overrides", list(overrides))
        self.jobs.append(job)
        return job

    def link(self, trial: optuna.trial.Trial) -> TrialLink:
        return TrialLink(self.name, self.storage, trial._trial_id, self.metric, asdict(self.settings))

    def tell(self, trial: optuna.trial.Trial, result: Result) -> None:
        """Record how a trial ended."""
        value = (result.metrics or {}).get(self.metric)
        if result.state == "pruned":
            self.optuna.tell(trial, state=TrialState.PRUNED)
        elif result.state == "finished" and is_finite(value):
            self.optuna.tell(trial, value)
        elif result.state == "finished":
            trial.set_user_attr(WITHOUT_VALUE, why_without_value(result, self.metric))
            self.optuna.tell(trial, state=TrialState.FAIL)
        elif result.state == "failed":
            trial.set_user_attr("error", result.error)
            self.optuna.tell(trial, state=TrialState.FAIL)
        else:
            self.lose(trial.number, trial.params, trial._trial_id)

    def lose(self, number: int, params: dict[str, Any], trial_id: int) -> None:
        """Mark an interrupted trial as lost; its values are tried again by the next shell that asks."""
        self.optuna._storage.set_trial_user_attr(trial_id, LOST, True)
        self.optuna.tell(number, state=TrialState.FAIL)
        self.optuna.enqueue_trial(params)

    def reclaim_lost(self) -> None:
        """Mark trials as lost that still count as running although no process works on them.

        That is known at once of a trial whose shell was on this machine and is gone; else after a minute.
        """
        for trial in self.trials:
            if trial.state == TrialState.RUNNING and not self.is_at_work(trial):
                self.lose(trial.number, trial.params, trial._trial_id)

    def is_at_work(self, trial: FrozenTrial) -> bool:
        """Whether a process works on a trial, or may do so."""
        begun = trial.datetime_start.timestamp() if trial.datetime_start else 0.0
        run = trial.user_attrs.get("run")
        node, pid = trial.user_attrs.get("shell", (None, None))
        shell_is_gone = node == platform.node() and not process_exists(pid)
        if run is None:  # Between its number and its run: its shell has started no process for it.
            return not shell_is_gone and time.time() - begun <= GRACE_SECONDS
        if is_held(Path(run)):
            return True
        status = Path(run) / STATUS
        if shell_is_gone:
            return not status.exists() and time.time() - begun <= STARTING_SECONDS
        return time.time() - (status.stat().st_mtime if status.exists() else begun) <= GRACE_SECONDS

    def running(self) -> int:
        """The number of trials that have begun and not ended."""
        return sum(trial.state == TrialState.RUNNING for trial in self.trials)

    def without_value(self) -> list[str]:
        """Why each of the trials that finished without a finite value of the metric has none."""
        return [trial.user_attrs[WITHOUT_VALUE] for trial in self.trials if WITHOUT_VALUE in trial.user_attrs]

    def finished(self) -> list[FrozenTrial]:
        """The completed trials with a finite value, best first."""
        complete = [trial for trial in self.trials if trial.state == TrialState.COMPLETE and is_finite(trial.value)]
        return sorted(complete, key=lambda trial: float(trial.value or 0.0), reverse=self.direction == "max")


def cut_torn_line(journal: SafePath) -> None:
    """Remove the incomplete last line that a kill or a full disk has left: a line appended to it would be lost too."""
    with get_lock_file(JournalFileSymlinkLock(str(journal))):
        content = read_regular(journal, MAX_LINES_BYTES)
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            journal.truncate(whole)


def as_stored(question: Any) -> Any:
    """The settings as JSON has them, without passwords in addresses."""
    return json.loads(without_secrets(json.dumps(question, default=str)))


def is_finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def why_without_value(result: Result, metric: str) -> str:
    """Why a finished trial has no finite value of the metric: the reason in its log, if it has one."""
    if metric not in (result.metrics or {}):
        return "it was not reported"
    try:
        lines = read_text(result.path / "log.txt").splitlines()
    except OSError:
        lines = []
    reasons = [line.partition(": ")[2] for line in lines if f"{metric} is not defined" in line]
    reason = reasons[0].partition(": ")[2] if reasons else ""
    return f"it is {(result.metrics or {})[metric]}" + (f": {reason}" if reason else "")


def open_storage(place: str) -> BaseStorage:
    """The storage for a URL that Optuna knows, or for the path of a journal file."""
    if re.match(r"\w+(\+\w+)?://", place):
        return get_storage(place)
    return JournalStorage(JournalFileBackend(place))


def make_sampler(settings: TuneSettings, number: int) -> optuna.samplers.BaseSampler:
    seed = derive_seed(settings.seed, "trial", number) % 2**32
    if settings.sampler == "random":
        return optuna.samplers.RandomSampler(seed=seed)
    return optuna.samplers.TPESampler(seed=seed, n_startup_trials=settings.startup_trials, constant_liar=True)


def make_pruner(settings: TuneSettings) -> optuna.pruners.BasePruner:
    match settings.pruner:
        case "median":
            return optuna.pruners.MedianPruner(
                n_startup_trials=settings.startup_trials, n_warmup_steps=settings.warmup_epochs + 1
            )
        case "hyperband":
            return optuna.pruners.HyperbandPruner()
    return optuna.pruners.NopPruner()


def flat(question: dict[str, Any]) -> dict[str, str]:
    """The settings of a study, each part under a readable name."""
    space = {one["key"]: json.dumps({k: v for k, v in one.items() if k != "key"}) for one in question["space"]}
    return {"tune.metric": " ".join(question["metric"]), **values_of([question["config"]]), **space}
