"""Passes the jobs of a sweep to one of Hydra's launchers, to run them on a cluster or by joblib.

Those of submitit only give their settings: dltool submits the jobs itself, so that each is reported when it ends, and
an interrupted sweep takes its jobs out of the queue. That of joblib runs them.

Every job was composed and checked before, and is passed as a file. The config that Hydra composes for its launcher has
one key, so that nothing of a user's config passes through it.
"""

import contextlib
import importlib.util
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltool.core.distribution import install
from dltool.core.errors import ConfigError
from dltool.core.safe_path import SafePath
from dltool.core.shell import setting
from dltool.search.assignment import Assignment
from dltool.search.job_file import run_job_file, write_job

if TYPE_CHECKING:
    from dltool.search.submitit_jobs import SubmititWorkers

# Launcher to the package that provides it and the extra that installs it.
LAUNCHERS = {
    "joblib": ("hydra_plugins.hydra_joblib_launcher", "joblib"),
    "submitit_local": ("hydra_plugins.hydra_submitit_launcher", "submitit"),
    "submitit_slurm": ("hydra_plugins.hydra_submitit_launcher", "submitit"),
}
SETTING = re.compile(r"hydra\.launcher\.[a-z]\w*=")  # No key that begins with "_": those name code.


def split_launcher(overrides: Sequence[str]) -> tuple[str | None, list[str], list[str]]:
    """Take `hydra/launcher=NAME` and `hydra.launcher.key=value` out of the overrides.

    Returns:
        The launcher's name or None, its settings, and the remaining overrides.

    Raises:
        ConfigError: For an unknown launcher, one that is not installed, or settings without a launcher.
    """
    chosen = [text.partition("=")[2] for text in overrides if text.startswith("hydra/launcher=")]
    settings = [text for text in overrides if SETTING.match(text)]
    rest = [text for text in overrides if text not in settings and not text.startswith("hydra/launcher=")]
    if not chosen:
        if settings:
            raise ConfigError(
                f"{settings[0]}: no launcher is chosen",
                " or ".join(setting("hydra/launcher", name) for name in LAUNCHERS),
            )
        return None, [], rest
    name = chosen[-1]
    if name not in LAUNCHERS:
        raise ConfigError(
            f"hydra/launcher={name}: there is no such launcher; the launchers are {', '.join(LAUNCHERS)}",
            "without a launcher dltool runs the jobs itself, sweep.n_jobs=N at a time",
        )
    package, extra = LAUNCHERS[name]
    if importlib.util.find_spec("hydra_plugins") is None or importlib.util.find_spec(package) is None:
        raise ConfigError(f"hydra/launcher={name} is not installed", install(extra))
    return name, settings, rest


def compose_launcher(name: str, settings: Sequence[str], folder: Path) -> tuple[Any, Any]:
    """Compose the config of a launcher.

    Args:
        name: The launcher.
        settings: `hydra.launcher.key=value`.
        folder: Where the launcher may store its own files.

    Returns:
        Hydra's config, and the object that loads configs.

    Raises:
        ConfigError: If the launcher has no such setting.
    """
    from hydra import compose, initialize_config_dir
    from hydra.core.global_hydra import GlobalHydra

    files = SafePath(folder.parent, folder.name)
    files.remove()  # What an interrupted sweep left; submitit makes links in it, which are not followed.
    files.for_library()
    (files / "launch.yaml").write("job: null\n")
    overrides = [
        f"hydra/launcher={name}",
        "hydra/job_logging=none",
        "hydra/hydra_logging=none",
        "hydra.output_subdir=null",
        "hydra.mode=MULTIRUN",
        f"hydra.sweep.dir='{folder.resolve()}'",
        "hydra.sweep.subdir=.",
    ]
    with explained(name), initialize_config_dir(str(folder.resolve()), version_base="1.3"):
        config = compose("launch", [*overrides, *settings], return_hydra_config=True)
        return config, GlobalHydra.instance().config_loader()


@contextlib.contextmanager
def explained(name: str) -> Iterator[None]:
    """Convert what a launcher raises."""
    try:
        yield
    except Exception as error:  # Of many types, from three packages.
        raise ConfigError(
            f"hydra/launcher={name}: {error}", "check the launcher's settings, hydra.launcher.*"
        ) from error


def submitit_workers(name: str, settings: Sequence[str], folder: Path, count: int) -> "SubmititWorkers[Any]":
    """What submits jobs by submitit, with the settings of Hydra's launcher. Raises as compose_launcher."""
    from omegaconf import OmegaConf

    from dltool.search.submitit_jobs import SubmititWorkers

    config, _ = compose_launcher(name, settings, folder)
    with explained(name):
        values: Any = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    return SubmititWorkers(name, values, count, folder)


def launch(name: str, settings: Sequence[str], folder: Path, assignments: Sequence[Assignment]) -> list[int]:
    """Run the assignments by a launcher, and wait for all of them; the first arguments are those of compose_launcher.

    Returns:
        The exit code of each; 1 for a job that the launcher lost.

    Raises:
        ConfigError: If the launcher refuses its settings or cannot run here.
    """
    from hydra._internal.callbacks import Callbacks
    from hydra.core.plugins import Plugins
    from hydra.types import HydraContext

    config, loader = compose_launcher(name, settings, folder)
    paths = [write_job(folder, assignment) for assignment in assignments]
    with explained(name):
        launcher: Any = Plugins.instance().instantiate_launcher(
            hydra_context=HydraContext(config_loader=loader, callbacks=Callbacks()),
            task_function=execute_file,
            config=config,
        )
        returned = launcher.launch([[f"job='{path}'"] for path in paths], initial_job_idx=0)
    return [exit_code(job) for job in returned]


def exit_code(job: Any) -> int:
    try:
        code: int = job.return_value
    except Exception:  # The job's own error, raised again by Hydra; its run folder has the details.
        return 1
    return code


def execute_file(config: Any) -> int:
    """The entry point in the launcher's process: run the assignment in a file; returns the exit code."""
    return run_job_file(Path(config["job"]))
