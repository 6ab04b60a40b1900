"""An offline run of wandb, read back from its file."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dltool.config.settings import LoggerSettings, WandbSettings
from dltool.core.errors import ConfigError
from dltool.observers.tracker import check_trackers, make_trackers
from dltool.runs.folder import RunFolder

pytest.importorskip("wandb")
from dltool.observers.wandb_log import WandbLog

CONFIG = {"seed": 3, "optim": {"lr": 0.1, "name": "adam"}}


@pytest.fixture
def make(run: RunFolder) -> Callable[..., WandbLog]:
    def make(warn: Any = pytest.fail, **settings: Any) -> WandbLog:
        (log,) = make_trackers(["wandb"], run, warn, CONFIG, LoggerSettings(wandb=WandbSettings(**settings)))
        assert isinstance(log, WandbLog)
        return log

    return make


def messages(path: Path) -> Iterator[Any]:
    """The records of a .wandb file: a LevelDB log of protocol buffers after a header of seven bytes.

    A log is blocks of 32 KiB; in them chunks of checksum (4 bytes), length (2) and kind (1): 1 is a whole record, 2, 3
    and 4 are its first, middle and last part.
    """
    from wandb.proto.wandb_internal_pb2 import Record

    data, position, parts = path.read_bytes(), 7, b""
    while position + 7 <= len(data):
        if 2**15 - position % 2**15 < 7:  # No room for another chunk in this block.
            position += 2**15 - position % 2**15
            continue
        length, kind = int.from_bytes(data[position + 4 : position + 6], "little"), data[position + 6]
        parts += data[position + 7 : position + 7 + length]
        position += 7 + length
        if kind in (1, 4):
            message = Record()
            message.ParseFromString(parts)
            parts = b""
            yield message


def the_file(run: RunFolder) -> Path:
    """The only one there is, when it is whole: wandb's process may still be writing it when `finish` returns."""
    (path,) = (run.path / "wandb").glob("offline-run-*/run-*.wandb")
    deadline = time.monotonic() + 30
    while not any(message.WhichOneof("record_type") == "exit" for message in messages(path)):
        assert time.monotonic() < deadline, "wandb never finished its file"
        time.sleep(0.01)
    return path


def rows(run: RunFolder) -> list[dict[str, Any]]:
    """Each history row of the only offline run: name to value."""
    return [
        {item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in message.history.item}
        for message in messages(the_file(run))
        if message.WhichOneof("record_type") == "history"
    ]


def points(run: RunFolder) -> list[tuple[str, int, float]]:
    return sorted((name, row["_step"], value) for row in rows(run) for name, value in row.items() if "/" in name)


def expected(records: list[dict[str, Any]]) -> list[tuple[str, int, float]]:
    return sorted((k, r["step"], v) for r in records for k, v in r.items() if "/" in k)


def test_scalars_config_and_state(
    run: RunFolder, make: Callable[..., WandbLog], follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    follow(make(project="课程", group="g", tags=["a", "b"]), records)
    assert points(run) == expected(records)
    found = list(messages(the_file(run)))
    begun = next(message.run for message in found if message.WhichOneof("record_type") == "run")
    assert (begun.project, begun.run_group, list(begun.tags)) == ("课程", "g", ["a", "b"])
    assert begun.display_name == run.path.name
    config = {item.key: json.loads(item.value_json) for item in begun.config.update}
    assert config["optim"] == CONFIG["optim"]
    assert [m.exit.exit_code for m in found if m.WhichOneof("record_type") == "exit"] == [0]
    assert not begun.git.remote_url


def test_resumed_equals_uninterrupted_under_the_same_id(
    run: RunFolder, make: Callable[..., WandbLog], stop_and_go_on: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    ids: set[str] = set()

    def remember() -> WandbLog:
        if (run.path / "wandb.json").exists():
            ids.add(json.loads((run.path / "wandb.json").read_text())["id"])
        return make()

    stop_and_go_on(remember)
    assert points(run) == expected(records)
    assert {the_file(run).stem.removeprefix("run-")} == ids


def test_pictures(
    run: RunFolder, make: Callable[..., WandbLog], follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    import numpy as np

    from dltool.figures.image_grid import image_grid

    draw = np.random.default_rng(0)  # wandb keeps equal pictures once.
    for name in ("plots/curves.png", "samples/epoch-0001.png", "samples/epoch-0002.png"):
        (run.path / name).parent.mkdir(exist_ok=True)
        image_grid(draw.random((4, 1, 8, 8)), None).save(run.path / name)
    follow(make(), records)
    last = rows(run)[-1]
    assert last["samples.captions"] == ["epoch-0001", "epoch-0002"]
    assert len(list(the_file(run).parent.glob("files/media/images/*.png"))) == 3


def test_offline_asks_for_nothing_and_prints_nothing(
    run: RunFolder,
    make: Callable[..., WandbLog],
    follow: Callable[..., None],
    records: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Nor does the environment's WANDB_MODE send it."""
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    check_trackers({"to": ["wandb"], "wandb": {"mode": "offline"}})
    follow(make(), records)
    assert points(run) == expected(records)
    assert capfd.readouterr() == ("", "")


def test_going_on_offline_after_online_is_said(
    run: RunFolder, make: Callable[..., WandbLog], follow: Callable[..., None], records: list[dict[str, Any]]
) -> None:
    (run.path / "wandb.json").write_text(json.dumps({"id": "abc", "mode": "online"}))
    warnings: list[str] = []
    follow(make(warn=warnings.append), records)
    assert len(warnings) == 1
    assert "logger.wandb.mode=online sends again" in warnings[0]
    assert the_file(run).stem == "run-abc"


def test_online_without_an_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"logger\.wandb\.mode=online") as caught:
        check_trackers({"to": ["wandb"], "wandb": {"mode": "online"}})
    assert "offline needs no account" in str(caught.value.hint)


def test_rows_that_a_server_has_are_not_sent_again(
    make: Callable[..., WandbLog], records: list[dict[str, Any]]
) -> None:
    """What `resume="allow"` gives online is the first step that is free; everything before is there."""
    log, sent = make(), []

    class Resumed:
        starting_step = 5

        def log(self, row: dict[str, float], step: int) -> None:
            sent.append((step, row))

    log.wandb_run = Resumed()
    for record in records:
        log.write(record)
    assert [step for step, _ in sent] == [7, 8, 8, 8]
    assert sent[0][1] == {"step/loss": 0.5, "epoch": 1}
