"""dltool from Python: the functions of the command line, for notebooks and scripts.

import dltool

run = dltool.train(["model=lenet", "trainer.epochs=5"])
run.metrics["test/accuracy"]
run.predict("seven.png").top(3)
dltool.load("outputs/2026-01-31/12-00-00_lenet_digits", checkpoint="best").evaluate(split="val").metrics
"""

from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from dltool.cli.request import open_run, read_config, source_of
from dltool.core.process import restart_clock
from dltool.core.shell import quoted
from dltool.declarations.registry import trust_paths
from dltool.inference.run import Run
from dltool.training.train import train as train_in_folder

__all__ = ["Run", "load", "train"]


def train(
    overrides: Sequence[str] = (),
    *,
    config_dirs: Sequence[str | Path] = (),
    source: str | Path | None = None,
    trust: Sequence[str | Path] = (),
    quiet: bool = False,
) -> Run:
    """Train as `dltool train` does, in a new run folder; the same words give a bitwise identical run.

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
            `dltool resume RUN` continues from it.
    """
    restart_clock()  # A notebook may have been open for hours.
    trust_paths([Path(path) for path in trust])
    request = Namespace(
        overrides=list(overrides),
        config_dir=[Path(folder) for folder in config_dirs],
        source=None if source is None else Path(source),
    )
    origin = source_of(request.source)[0] if request.source else Path()
    ended = train_in_folder(*read_config(request), quiet=quiet, source=origin)
    if ended.exit_code == 130:
        raise KeyboardInterrupt(f"the current step is saved; continue with: dltool resume {quoted(ended.path)}")
    if ended.exit_code:
        raise SystemExit(ended.exit_code)
    return load(ended.path, trust=trust)


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
    return Run(open_run(str(run)), checkpoint=checkpoint, overrides=overrides)
