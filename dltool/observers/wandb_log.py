"""Weights & Biases: offline in the run folder, or sent during the training."""

import json
import os
import secrets
from collections.abc import Mapping
from typing import Any, ClassVar

from dltool.core.errors import ConfigError
from dltool.core.safe_read import read_json
from dltool.observers.mirror import measurements
from dltool.observers.tracker import Tracker

EXIT_CODES = {"finished": 0, "interrupted": 130, "failed": 1}
PATIENCE_SECONDS = 60


class WandbLog(Tracker):
    """A wandb run with its own id, kept in RUN/wandb.json; the step of a row is the training step.

    Offline (`logger.wandb.mode=offline`), everything is in RUN/wandb/offline-run-…; `wandb sync` on that folder sends
    it at any later time. wandb does not resume offline: it would write a second folder with the same id, and the
    points after the checkpoint would be in both. So on resume the folder is rewritten from metrics.jsonl, with the
    same id. Sync when the training is over; rows that were sent before are merged by the server.

    Online, the run is resumed by its id. A row that was sent cannot be removed, and the server rejects rows with an
    earlier step than the last; rows that the resumed training repeats are equal, and are not sent again.

    Neither mode reads git, saves code, or reports crashes to wandb's authors.
    """

    name: ClassVar[str] = "wandb"

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        if settings["wandb"]["mode"] == "offline":
            return
        quiet_environment()
        import wandb

        hint = "wandb login, or set WANDB_API_KEY; logger.wandb.mode=offline needs no account"
        try:
            logged_in = wandb.login()
        except Exception as error:
            raise ConfigError(f"logger.wandb.mode=online: {error}", hint) from error
        if not logged_in:
            raise ConfigError("logger.wandb.mode=online, but no account is logged in", hint)

    def open(self, records: list[dict[str, Any]]) -> None:
        quiet_environment()
        import wandb

        chosen = self.settings.wandb
        online = chosen.mode == "online"
        path = self.run.path / "wandb.json"
        kept = read_json(path)
        run_id = kept.get("id") or secrets.token_hex(4)
        if kept.get("mode") == "online" and not online:
            self.warn("wandb: this run was sent before; logger.wandb.mode=online sends again, offline keeps it here")
        files = self.run.files / "wandb"
        files.make()
        if not online:
            for folder in files.path.glob(f"offline-run-*-{run_id}"):
                (files / folder.name).remove()
        (self.run.files / path.name).write(json.dumps({"id": run_id, "mode": chosen.mode}) + "\n")
        self.wandb_run = wandb.init(
            id=run_id,
            resume="allow" if online else None,
            mode=chosen.mode,
            project=chosen.project,
            entity=chosen.entity,
            name=chosen.name or self.run.path.resolve().name,
            group=chosen.group,
            tags=chosen.tags,
            config=self.config,
            allow_val_change=True,
            reinit="create_new",
            settings=wandb.Settings(
                root_dir=str(self.run.path.resolve()),
                console="off",
                disable_git=True,
                disable_code=True,
                init_timeout=PATIENCE_SECONDS,
                finish_timeout=PATIENCE_SECONDS,
            ),
        )
        for record in records:
            self.write(record)

    def write(self, record: dict[str, Any]) -> None:
        if record["step"] >= self.wandb_run.starting_step:
            self.wandb_run.log(measurements(record) | {"epoch": record["epoch"]}, step=record["step"])

    def close(self, state: str) -> None:
        import wandb

        pictures = {
            folder: [wandb.Image(str(path), caption=path.stem) for path in paths]
            for folder, paths in self.pictures().items()
        }
        if pictures and self.progress.step >= self.wandb_run.starting_step:
            self.wandb_run.log(pictures, step=self.progress.step)
        if self.report is not None:
            artifact = wandb.Artifact(f"report-{self.wandb_run.id}", type="report")
            artifact.add_file(str(self.report))
            self.wandb_run.log_artifact(artifact)
        self.wandb_run.finish(EXIT_CODES[state])


def quiet_environment() -> None:
    """Set the variables that wandb reads when it is imported: print nothing, send its authors no crash reports."""
    os.environ.setdefault("WANDB_SILENT", "true")
    os.environ.setdefault("WANDB_ERROR_REPORTING", "false")
