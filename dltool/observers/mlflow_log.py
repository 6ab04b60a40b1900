"""MLflow: a database under outputs/, or a tracking server."""

import contextlib
import json
import logging
import os
import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from dltool.core.addresses import without_secrets
from dltool.core.errors import ConfigError
from dltool.core.process import OUTPUT_ROOT
from dltool.core.safe_read import read_json
from dltool.core.shell import setting
from dltool.observers.mirror import measurements
from dltool.observers.tracker import Tracker
from dltool.runs.lock import one_process_at_a_time

if TYPE_CHECKING:
    from mlflow.entities import Metric
    from mlflow.tracking import MlflowClient

SQLITE = "sqlite:///"
STATES = {"finished": "FINISHED", "interrupted": "KILLED", "failed": "FAILED"}
SECONDS_BETWEEN_WRITES = 1.0
METRICS_PER_WRITE = 1000  # The store accepts no more at a time, and at most 100 parameters.
PARAMETERS_PER_WRITE = 100
FORBIDDEN = re.compile(r"[^\w./ :-]")  # In names; a pattern of optim.lr_factors may contain such characters.


class MlflowLog(Tracker):
    """An MLflow run, its id kept in RUN/mlflow.json: metrics by step, the config as parameters, the images.

    MLflow cannot remove points. On resume the same run continues, and points that it has are not logged again. The
    result is what an uninterrupted training would have logged, unless the resume changed the training's length. A
    parameter cannot be changed either: its new value becomes a tag of the same name.

    The points of one second are written together: a write takes about 6 ms, since the database waits for the disk.
    """

    name: ClassVar[str] = "mlflow"

    @classmethod
    def check(cls, settings: Mapping[str, Any]) -> None:
        uri = settings["mlflow"]["uri"]
        if uri is None or uri.startswith(SQLITE):
            return
        if "://" not in uri or uri.startswith("file:"):
            raise ConfigError(
                f"logger.mlflow.uri={uri} is a folder, and MLflow no longer writes into folders",
                f"{setting('logger.mlflow.uri', f'{SQLITE}{OUTPUT_ROOT}/mlflow.db')}, or a server's http://…",
            )
        try:
            open_client(uri).get_experiment_by_name(settings["mlflow"]["experiment"])
        except Exception as error:
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise ConfigError(
                f"logger.mlflow.uri={uri} does not answer: {reason}", "logger.mlflow.uri=null writes to a local file"
            ) from error

    def open(self, records: list[dict[str, Any]]) -> None:
        uri = store_uri(self.settings.mlflow.uri)
        with created_by_one_process(uri):
            self.client = open_client(uri)
            experiment = self._experiment(uri)
        self.run_id, self.known = self._run(uri, experiment)
        self._log_parameters()
        self.pending: list[Metric] = []
        self.written_at = time.monotonic()
        for record in records:
            self.write(record)

    def write(self, record: dict[str, Any]) -> None:
        from mlflow.entities import Metric

        now = int(1000 * time.time())
        for name, value in measurements(record).items():
            if (name, record["step"]) not in self.known:
                self.pending.append(Metric(name, value, now, record["step"]))
        if time.monotonic() - self.written_at >= SECONDS_BETWEEN_WRITES:
            self._write_pending()

    def close(self, state: str) -> None:
        self._write_pending()
        for folder, paths in self.pictures().items():
            for path in paths:
                self.client.log_artifact(self.run_id, str(path), folder)
        if self.report is not None:
            self.client.log_artifact(self.run_id, str(self.report))
        self.client.set_terminated(self.run_id, STATES[state])

    def _write_pending(self) -> None:
        for metrics in in_pieces(self.pending, METRICS_PER_WRITE):
            self.client.log_batch(self.run_id, metrics=metrics)
        self.pending = []
        self.written_at = time.monotonic()

    def _experiment(self, uri: str) -> str:
        """Id of the experiment; a new one in a database keeps its images next to it, not in the working directory."""
        name = self.settings.mlflow.experiment
        if (found := self.client.get_experiment_by_name(name)) is not None:
            return str(found.experiment_id)
        location = None
        if uri.startswith(SQLITE):
            location = (Path(uri.removeprefix(SQLITE)).parent / "mlflow-artifacts").as_uri()
        return str(self.client.create_experiment(name, artifact_location=location))

    def _run(self, uri: str, experiment: str) -> tuple[str, set[tuple[str, int]]]:
        """Id of the run and the points that it has: the one already started in this store, or a new one.

        The file never decides where data is sent: it came with the run folder, which may be from someone else.
        """
        path = self.run.path / "mlflow.json"
        kept = read_json(path)
        stored = without_secrets(uri)
        if kept.get("uri") == stored:
            run_id = kept["run_id"]
            names = self.client.get_run(run_id).data.metrics
            history = (point for name in names for point in self.client.get_metric_history(run_id, name))
            self.client.update_run(run_id, status="RUNNING")
            return run_id, {(point.key, point.step) for point in history}
        if kept:
            self.warn(f"mlflow: this run was logged to {kept.get('uri')} before, and is now also logged to {uri}")
        name = self.settings.mlflow.name or self.run.path.resolve().name
        run_id = self.client.create_run(experiment, run_name=name).info.run_id
        (self.run.files / path.name).write(json.dumps({"uri": stored, "run_id": run_id}) + "\n")
        return run_id, set()

    def _log_parameters(self) -> None:
        from mlflow.entities import Param, RunTag

        before = self.client.get_run(self.run_id).data.params
        values = {FORBIDDEN.sub("_", key): str(value) for key, value in self.hyperparameters().items()}
        new = [Param(key, value) for key, value in values.items() if key not in before]
        for params in in_pieces(new, PARAMETERS_PER_WRITE):
            self.client.log_batch(self.run_id, params=params)
        changed = [RunTag(key, value) for key, value in values.items() if before.get(key, value) != value]
        self.client.log_batch(self.run_id, tags=changed)


def store_uri(uri: str | None) -> str:
    """The URI of the tracking store, a database with its absolute path."""
    path = f"{OUTPUT_ROOT}/mlflow.db" if uri is None else uri.removeprefix(SQLITE)
    return uri if uri is not None and path == uri else f"{SQLITE}{Path(path).resolve()}"


def open_client(uri: str) -> "MlflowClient":
    """A client that sends no usage statistics, prints nothing, and waits seconds for a server instead of minutes."""
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")
    from mlflow.tracking import MlflowClient

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return MlflowClient(uri)


@contextlib.contextmanager
def created_by_one_process(uri: str) -> Iterator[None]:
    """Make runs that begin together wait for each other: creating the tables of one database twice at once fails."""
    if not uri.startswith(SQLITE):
        yield
        return
    with one_process_at_a_time(Path(uri.removeprefix(SQLITE))):
        yield


def in_pieces(items: list[Any], length: int) -> Iterator[list[Any]]:
    for start in range(0, len(items), length):
        yield items[start : start + length]
