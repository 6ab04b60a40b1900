"""Passes the jobs of a sweep to one of Hydra's launchers, to run them on a cluster or by joblib.

The launcher only runs them: every job was composed and checked before, and is passed as a file. The config that
Hydra composes for its launcher has one key, so that nothing of a user's config passes through it.
"""

import importlib.util
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from dltool.config.compose import Composed
from dltool.config.trusted_code import record_of, reread
from dltool.core.distribution import install
from dltool.core.errors import ConfigError
from dltool.core.safe_path import SafePath
from dltool.core.shell import setting
from dltool.search.assignment import Assignment
from dltool.search.carry_out import carry_out, refuse

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


def launch(name: str, settings: Sequence[str], folder: Path, assignments: Sequence[Assignment]) -> list[int]:
    """Run the assignments by a launcher, and wait for all of them.

    Args:
        name: The launcher.
        settings: `hydra.launcher.key=value`.
        folder: Where the launcher may store its own files.
        assignments: One per job.

    Returns:
        The exit code of each; 1 for a job that the launcher lost.

    Raises:
        ConfigError: If the launcher refuses its settings or cannot run here.
    """
    from hydra import compose, initialize_config_dir
    from hydra._internal.callbacks import Callbacks
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.plugins import Plugins
    from hydra.types import HydraContext

    files = SafePath(folder.parent, folder.name)
    files.for_library()
    (files / "launch.yaml").write("job: null\n")
    paths = [folder / f"{assignment.run_path.name}.json" for assignment in assignments]
    for path, assignment in zip(paths, assignments, strict=True):
        content = asdict(assignment) | {"trusted": [record_of(source) for source in assignment.trusted]}
        (files / path.name).write(json.dumps(content, default=str))
    overrides = [
        f"hydra/launcher={name}",
        "hydra/job_logging=none",
        "hydra/hydra_logging=none",
        "hydra.output_subdir=null",
        "hydra.mode=MULTIRUN",
        f"hydra.sweep.dir='{folder.resolve()}'",
        "hydra.sweep.subdir=.",
    ]
    try:
        with initialize_config_dir(str(folder.resolve()), version_base="1.3"):
            config = compose("launch", [*overrides, *settings], return_hydra_config=True)
            loader = GlobalHydra.instance().config_loader()
            launcher: Any = Plugins.instance().instantiate_launcher(
                hydra_context=HydraContext(config_loader=loader, callbacks=Callbacks()),
                task_function=execute_file,
                config=config,
            )
            returned = launcher.launch([[f"job='{path.resolve()}'"] for path in paths], initial_job_idx=0)
    except Exception as error:  # Of many types, from three packages.
        raise ConfigError(
            f"hydra/launcher={name}: {error}", "check the launcher's settings, hydra.launcher.*"
        ) from error
    return [exit_code(job) for job in returned]


def exit_code(job: Any) -> int:
    try:
        code: int = job.return_value
    except Exception:  # The job's own error, raised again by Hydra; its run folder has the details.
        return 1
    return code


def execute_file(config: Any) -> int:
    """The entry point in the launcher's process: run the assignment in a file; returns the exit code."""
    content = json.loads(Path(config["job"]).read_text(encoding="utf-8"))
    paths = {key: Path(content[key]) for key in ("source", "run_path", "log_path")}
    composed = Composed(**content.pop("composed"))
    words, monitored, trusted = tuple(content.pop("words")), tuple(content.pop("monitored")), content.pop("trusted")
    assignment = Assignment(**content | paths, composed=composed, words=words, monitored=monitored)
    try:
        carry_out(replace(assignment, trusted=tuple(reread(trusted))))
    except ConfigError as error:  # The user's own code has changed.
        return refuse(assignment, error)
    except SystemExit as exit:
        return int(exit.code or 0)
    return 0
