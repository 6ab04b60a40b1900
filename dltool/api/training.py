"""Trainings and runs from Python, with the arguments of the command line."""

import contextlib
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from dltool.api.live import LiveDisplay
from dltool.api.notebook import messages_in_place, warn_in_place
from dltool.api.run import Run
from dltool.cli.request import command_words, open_run, read_config, source_of
from dltool.config.check import Config
from dltool.config.rerun import compose_resume
from dltool.core.errors import TrainingInterrupted
from dltool.core.messages import in_notebook
from dltool.core.process import OUTPUT_ROOT, called_as, restart_clock
from dltool.declarations.registry import trust_paths
from dltool.runs.folder import CONFIG, RunFolder
from dltool.training.resume import resume as resume_in_folder
from dltool.training.train import train as train_in_folder
from dltool.trust.sources import trust_words


def train(
    overrides: Sequence[str] = (),
    *,
    config_dirs: Sequence[str | Path] = (),
    source: str | Path | None = None,
    trust: Sequence[str | Path] = (),
    quiet: bool = False,
) -> Run:
    """Train as `dltool train` does, in a new run folder; the same words give a bitwise identical run.

    A notebook shows a bar and the curves while it trains, a script the lines of the command line, on standard output.

    Args:
        overrides: The arguments of the command line: `["model=lenet", "optim.lr=0.01"]`.
        config_dirs: Folders of your own options, as --config-dir.
        source: A run or file whose complete config is the starting point, as --from.
        trust: Files and packages whose models, data sets, … may be used, as --trust.
        quiet: Print only the run folder.

    Returns:
        The run, with the weights that its test used.

    Raises:
        ConfigError, DataError: Nothing was trained, and no run folder is left.
        RunError: If training fails; the run folder shows how far it came.
        KeyboardInterrupt: After Ctrl-C, or the notebook's stop button; the current step is saved, and
            `dltool.resume(RUN)` continues from it.
    """
    with in_call(trust):
        request = Namespace(
            overrides=list(overrides),
            config_dir=[Path(folder) for folder in config_dirs],
            source=None if source is None else Path(source),
        )
        origin = source_of(request.source)[0] if request.source else Path()
        config, built = read_config(request)
        RunFolder.check_creatable(config["run"]["dir"], OUTPUT_ROOT)
        display = live_display(config, quiet)
        with called_as(["train", *command_words(request), *request.overrides]):
            ended = train_in_folder(config, built, quiet=quiet, source=origin, display=display)
        check_end(ended.exit_code, ended.path)
    return load(ended.path, trust=trust)


def resume(
    run: str | Path | Run,
    overrides: Sequence[str] = (),
    *,
    trust: Sequence[str | Path] = (),
    quiet: bool = False,
) -> Run:
    """Continue an interrupted run, or train a finished one longer, as `dltool resume` does.

    Args:
        run: A run, its folder, or its name if that is unique below outputs/.
        overrides: Settings to change, such as `["trainer.epochs=60"]`.
        trust: The files and packages with which the run was trained, unchanged.
        quiet: Print only the run folder.

    Returns:
        The run, with the weights that its test used.

    Raises:
        ConfigError: There is no such run, nothing is left to do, or an override would make it another training.
        DataError: The data has changed.
        RunError, KeyboardInterrupt: As train.
    """
    with in_call(trust):
        folder = run.folder if isinstance(run, Run) else open_run(str(run))
        folder.check_writable()
        config, built = compose_resume(folder.path / CONFIG, list(overrides), folder.read_auto())
        display = live_display(config, quiet, folder)
        with called_as(["resume", *trust_words(), str(folder.path), *overrides]):
            exit_code = resume_in_folder(folder, config, built, quiet=quiet, display=display)
        check_end(exit_code, folder.path)
    return load(folder.path, trust=trust)


def load(
    run: str | Path,
    *,
    checkpoint: str = "tested",
    overrides: Sequence[str] = (),
    trust: Sequence[str | Path] = (),
) -> Run:
    """The run in a folder, or with a unique name below outputs/; see Run for its methods.

    Args:
        run: The folder, or its name.
        checkpoint: "last", "best" or a name; "tested" is the one that the run's own test used.
        overrides: trainer.device, trainer.threads and trainer.precision may differ from the training's.
        trust: The files and packages with which the run was trained, unchanged.

    Raises:
        ConfigError: If there is no such run, or an override would change its config.
    """
    trust_paths([Path(path) for path in trust])
    with messages_in_place():
        return Run(open_run(str(run)), checkpoint=checkpoint, overrides=overrides, warn=warn_in_place)


@contextlib.contextmanager
def in_call(trust: Sequence[str | Path]) -> Iterator[None]:
    """A training that Python calls: trusts the files, counts the time from now, and prints in place."""
    restart_clock()  # A notebook may have been open for hours.
    trust_paths([Path(path) for path in trust])
    with messages_in_place():
        yield


def live_display(config: Config, quiet: bool, folder: RunFolder | None = None) -> LiveDisplay | None:
    """The display of a notebook; None elsewhere, where the usual lines are printed."""
    return None if quiet or not in_notebook() else LiveDisplay(config.tree, folder.metrics if folder else None)


def check_end(exit_code: int, path: Path) -> None:
    """Raise an exception for a training that a signal ended."""
    if exit_code == 130:
        step = RunFolder(path).read_status().get("step", 0)
        raise TrainingInterrupted(
            f"interrupted at step {step:,}, which is saved; continue with: dltool.resume({str(path)!r})"
        )
    if exit_code:
        raise SystemExit(exit_code)
