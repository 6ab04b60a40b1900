"""A run of MLflow in a database, read back with its client."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltool.config.settings import LoggerSettings, MlflowSettings
from dltool.core.errors import ConfigError
from dltool.observers.tracker import check_trackers, make_trackers
from dltool.runs.folder import RunFolder

pytest.importorskip("mlflow")
pytest.importorskip("sqlalchemy")
pytest.importorskip("alembic")
from dltool.observers.mlflow_log import MlflowLog, open_client, store_uri

CONFIG = {"seed": 3, "optim": {"lr": 0.1, **{f"x{i}": i for i in range(120)}}, "run": {"dir": None}}


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The tables, which take MLflow seconds to make, once."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    open_client(f"sqlite:///{path}").search_experiments()
    return path.read_bytes()


@pytest.fixture
def make(run: RunFolder, empty_database: bytes) -> Callable[..., MlflowLog]:
    Path("outputs/mlflow.db").write_bytes(empty_database)

    def make(config: dict[str, Any] = CONFIG, warn: Any = pytest.fail, **settings: Any) -> MlflowLog:
        (log,) = make_trackers(["mlflow"], run, warn, config, LoggerSettings(mlflow=MlflowSettings(**settings)))
        assert isinstance(log, MlflowLog)
        return log

    return make


def the_run(uri: str | None = None) -> Any:
    """The one run in the store."""
    client = open_client(store_uri(uri))
    (found,) = client.search_runs([e.experiment_id for e in client.search_experiments()])
    return found


def points(run: Any) -> list[tuple[str, int, float]]:
    client = open_client(store_uri(None))
    history = (point for name in run.data.metrics for point in client.get_metric_history(run.info.run_id, name))
    return sorted((point.key, point.step, point.value) for point in history)


def expected(records: list[dict[str, Any]]) -> list[tuple[str, int, float]]:
    return sorted((k, r["step"], v) for r in records for k, v in r.items() if "/" in k)


def test_metrics_parameters_and_pictures(
    run: RunFolder, make: Callable[..., MlflowLog], follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    (run.path / "plots").mkdir()
    (run.path / "plots" / "curves.png").write_bytes(b"png")
    follow(make(), records)
    logged = the_run()
    assert points(logged) == expected(records)
    assert logged.info.status == "FINISHED"
    assert logged.info.run_name == run.path.name
    assert logged.data.params["optim.lr"] == "0.1"
    assert logged.data.params["run.dir"] == "null"
    assert len(logged.data.params) == 123
    artifacts = Path("outputs/mlflow-artifacts") / logged.info.run_id / "artifacts"
    assert (artifacts / "plots" / "curves.png").read_bytes() == b"png"
    assert {path.name for path in Path.cwd().iterdir()} == {"outputs"}


def test_resumed_has_the_points_of_an_uninterrupted_run(
    make: Callable[..., MlflowLog], stop_and_go_on: Callable[..., None], stopped: list[Any], records: list[Any]
) -> None:
    """All but what cannot be taken back: what was logged after the checkpoint stays as it was, once."""
    stop_and_go_on(make)
    found = points(the_run())
    assert found == expected([*stopped, *records[4:]])
    assert len({point[:2] for point in found}) == len(found)


def test_a_parameter_that_a_resume_changes_is_a_tag(
    make: Callable[..., MlflowLog], follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    follow(make(), records[:3])
    follow(make({**CONFIG, "seed": 4}), records[3:])
    assert the_run().data.params["seed"] == "3"
    assert the_run().data.tags["seed"] == "4"


def test_a_parameter_whose_name_mlflow_refuses(
    make: Callable[..., MlflowLog], follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    follow(make({"optim": {"lr_factors": {"层.*[12]?": 0.1}}}), records[:3])
    assert the_run().data.params == {"optim.lr_factors.层.__12__": "0.1"}


def test_a_run_that_failed(make: Callable[..., MlflowLog], records: list[dict[str, Any]]) -> None:
    log = make()
    log.open([])
    log.close("failed")
    assert the_run().info.status == "FAILED"


def test_another_store_gets_a_run_of_its_own_with_the_history(
    run: RunFolder, make: Callable[..., MlflowLog], follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    """Where the run went before is said, and never taken from the run folder."""
    (run.path / "mlflow.json").write_text(json.dumps({"uri": "http://127.0.0.1:9", "run_id": "x"}))
    warnings: list[str] = []
    follow(make(warn=warnings.append), records)
    assert len(warnings) == 1
    assert "http://127.0.0.1:9 before" in warnings[0]
    assert points(the_run()) == expected(records)


def test_a_database_that_fails_is_given_up(
    run: RunFolder, make: Callable[..., MlflowLog], follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    Path("outputs/mlflow.db").write_bytes(b"no database, but a text")
    warnings: list[str] = []
    follow(make(warn=warnings.append), records)
    assert len(warnings) == 1
    assert warnings[0].startswith("mlflow: ")


@pytest.mark.parametrize(
    ("uri", "message"),
    [("mlruns", "is a folder"), ("file:///tmp/x", "is a folder"), ("http://127.0.0.1:9", "does not answer")],
)
def test_a_store_that_cannot_work(uri: str, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(ConfigError, match=message):
        check_trackers({"to": ["mlflow"], "mlflow": {"uri": uri, "experiment": "dltool"}})


@pytest.mark.slow
def test_runs_that_begin_together_make_one_database(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from dltool.observers.tracker import make_trackers\n"
        "from dltool.runs.folder import RunFolder\n"
        "from dltool.config.settings import LoggerSettings\n"
        "from pathlib import Path\n"
        "run = RunFolder.create(f'outputs/{sys.argv[1]}', Path('outputs'), '')\n"
        "log, = make_trackers(['mlflow'], run, print, {}, LoggerSettings())\n"
        "log.open([]); log.close('finished')\n"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", script, str(i)], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
        for i in range(3)
    ]
    for process in started:
        assert (process.wait(120), process.communicate()[1]) == (0, "")
