import http.client
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from fabricated import make_run
from live_server import serving

from dltool.report.live.index import RunIndex
from dltool.report.live.lines import LineTail
from dltool.report.live.server import LiveServer

SECRET = "the secret of another folder"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "outputs"
    make_run(root / "one", {"model.name": "mlp"}, curve=[1.0, 0.5], metrics={"test/accuracy": 0.9})
    make_run(root / "two", {"model.name": "lenet", "optim.lr": 0.1}, curve=[2.0, 1.5])
    (root / "one" / "plots").mkdir()
    (root / "one" / "plots" / "confusion.png").write_bytes(b"\x89PNG picture")
    return root


@pytest.fixture
def server(root: Path) -> Iterator[LiveServer]:
    with serving(root) as server:
        yield server


Ask = Callable[..., tuple[int, dict[str, str], bytes]]


@pytest.fixture
def ask(server: LiveServer) -> Ask:
    def ask(
        path: str, method: str = "GET", *, whole: bool = False, **headers: str
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
        connection.request(method, path if whole else f"/{server.token}/{path}", headers=headers)
        answer = connection.getresponse()
        found = answer.status, dict(answer.getheaders()), answer.read()
        connection.close()
        return found

    return ask


def document(ask: Ask, path: str) -> Any:
    status, _, body = ask(path)
    assert status == 200
    return json.loads(body)


def test_without_the_token_nothing_is_answered(ask: Ask, server: LiveServer) -> None:
    for path in (
        "/",
        "",
        "/wrong/",
        f"/{server.token}x/",
        f"/{server.token[:-1]}/",
        "http://a/b",
    ):
        assert ask(path or "/", whole=True)[0] == 403
    assert ask("")[0] == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost.evil:1", ""])
def test_a_foreign_host_is_refused(ask: Ask, host: str) -> None:
    assert ask("", Host=host)[0] == 403


def test_a_foreign_origin_is_refused(ask: Ask, server: LiveServer) -> None:
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1", f"https://127.0.0.1:{server.server_port}"):
        assert ask("", Origin=origin)[0] == 403
    assert ask("", Origin=f"http://127.0.0.1:{server.server_port}")[0] == 200
    assert ask("", Host="localhost:9000", Origin="http://localhost:9000")[0] == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_nothing_can_be_written(ask: Ask, method: str) -> None:
    status, headers, _ = ask("", method)
    assert status == 405
    assert headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize(
    "path",
    [
        "..", "../..", "%2e%2e/secret", "..%2fsecret", "file", "run", "compare", "nothing",
        "run?run=..", "run?run=../secret", "run?run=/etc", "run?run=one/../two", "run?run=one%00", "run?run=one&run=..",
        "file?run=one&name=../status.json", "file?run=one&name=status.json", "file?run=one&name=plots/../config.yaml",
        "file?run=one&name=plots/link.png", "file?run=one&name=samples/inner.png", "file?run=one&name=plots/pipe.png",
        "file?run=..&name=secret.png", "file?run=one&name=%2e%2e/secret.png", "frames?run=one&name=plots/no.gif",
        "run?run=outside", "compare?run=one&run=outside", "run?" + "&".join(["run=one"] * 200),
    ],
)  # fmt: skip
def test_what_is_outside_is_not_found(ask: Ask, root: Path, path: str) -> None:
    (root.parent / "secret.png").write_text(SECRET)
    (root / "one" / "plots" / "link.png").symlink_to(root.parent / "secret.png")
    os.mkfifo(root / "one" / "plots" / "pipe.png")
    outside = make_run(root.parent / "elsewhere")
    (root / "outside").symlink_to(outside)
    (root.parent / "samples").mkdir()
    (root.parent / "samples" / "inner.png").write_text(SECRET)
    (root / "one" / "samples").symlink_to(root.parent / "samples")
    status, _, body = ask(path)
    if path == "run?run=one&run=..":
        assert status == 200  # The first of two values counts.
    else:
        assert status == 404
    assert SECRET.encode() not in body


@pytest.mark.parametrize("name", ["log.txt", "metrics.jsonl", "summary.json", "status.json", "environment.json"])
def test_a_file_that_links_outside_is_not_shown(ask: Ask, root: Path, name: str) -> None:
    content = {"step": 1, "split": "val", f"val/{SECRET}": 1, "unit": SECRET, "data": [[SECRET, SECRET]]}
    content |= {"versions": {SECRET: SECRET}, "state": SECRET}
    (root.parent / "secret").write_text(f"{json.dumps(content)}\n{json.dumps(content)}\nwarning: {SECRET}\n")
    (root / "one" / name).unlink(missing_ok=True)
    (root / "one" / name).symlink_to(root.parent / "secret")
    for path in ("run?run=one", "run.json?run=one", "compare?run=one&run=two", "", "list.json"):
        assert SECRET.encode() not in ask(path)[2]


def test_each_answer_has_its_type_and_nothing_is_sniffed(ask: Ask) -> None:
    types = {
        "": "text/html; charset=utf-8",
        "run?run=one": "text/html; charset=utf-8",
        "compare?run=one&run=two": "text/html; charset=utf-8",
        "list.json": "application/json",
        "run.json?run=one": "application/json",
        "run/changes?run=one": "application/json",
        "file?run=one&name=plots/confusion.png": "image/png",
    }
    for path, kind in types.items():
        status, headers, body = ask(path)
        assert (status, headers["Content-Type"]) == (200, kind), path
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert ask(path, "HEAD")[2] == b""
        assert not re.search(rb'(src|href)="(https?:)?//', body)


def test_the_list_is_searched_and_sorted(ask: Ask) -> None:
    assert [row["run"] for row in document(ask, "list.json?q=model=lenet")["rows"]] == ["two"]
    assert [row["run"] for row in document(ask, "list.json?q=ONE")["rows"]] == ["one"]
    assert [row["run"] for row in document(ask, "list.json?sort=optim.lr")["rows"]] == ["one", "two"]
    wrong = document(ask, f"list.json?q={quote('optm.lr<1')}")
    assert "optm.lr" in wrong["messages"][0]["text"]
    assert "optim.lr" in wrong["messages"][0]["hint"]
    assert document(ask, "list.json?limit=1")["matching"] == 2


def test_new_points_and_warnings_are_changes(ask: Ask, root: Path) -> None:
    version = document(ask, "run/changes?run=one&since=")["version"]
    assert document(ask, f"run/changes?run=one&since={version}")["parts"] == {}
    with (root / "one" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 30, "epoch": 3, "split": "val", "val/loss": 0.25}\n')
    with (root / "one" / "log.txt").open("a") as file:
        file.write("2026-12-02 12:00:00 warning: collapse <b>\n")
    found = document(ask, f"run/changes?run=one&since={version}")
    assert found["points"] == [{"chart": "loss", "label": "val", "step": [30], "values": [0.25]}]
    assert found["charts"] is None
    assert list(found["parts"]) == ["part-messages"]
    assert "collapse &lt;b&gt;" in found["parts"]["part-messages"]


def test_curves_that_were_cut_back_are_sent_whole(ask: Ask, root: Path) -> None:
    version = document(ask, "compare/changes?run=one&run=two&since=")["version"]
    path = root / "one" / "metrics.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    found = document(ask, f"compare/changes?run=one&run=two&since={version}")
    chart = next(one for one in found["charts"] if one["title"] == "val/loss")
    assert [len([y for y in one["values"] if y is not None]) for one in chart["series"]] == [1, 2]


def test_new_and_removed_runs_are_seen(root: Path) -> None:
    index = RunIndex(root)
    assert set(index.snapshot().records) == {"one", "two"}
    make_run(root / "day" / "three")
    time.sleep(0.3)
    assert set(index.snapshot().records) == {"one", "two", "day/three"}
    (root / "two").rename(root.parent / "gone")
    time.sleep(0.3)
    assert set(index.snapshot().records) == {"one", "day/three"}


def test_only_whole_lines_are_read_and_each_once(tmp_path: Path) -> None:
    path = tmp_path / "metrics.jsonl"
    tail = LineTail(path)
    assert tail.new_records() == []
    path.write_text('{"step": 1}\n{"step": 2')
    assert [one["step"] for one in tail.new_records()] == [1]
    path.write_text('{"step": 1}\n{"step": 2}\nodd\n{"step": 3}\n')
    assert [one["step"] for one in tail.new_records()] == [2, 3]
    assert tail.generation == 0
    path.write_text('{"step": 9}\n')
    assert [one["step"] for one in tail.new_records()] == [9]
    assert tail.generation == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_server_without_a_traceback(root: Path, number: int, code: int) -> None:
    command = [sys.executable, "-m", "dltool", "report", str(root), "--live"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("http://127.0.0.1:")
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == code
    assert "Traceback" not in errors


def test_a_port_in_use_is_one_error_with_a_hint(root: Path, server: LiveServer) -> None:
    from dltool.core.errors import ConfigError

    with pytest.raises(ConfigError, match=f"--port {server.server_port} is in use") as caught:
        LiveServer(root, server.server_port)
    assert caught.value.hint


def test_the_predictions_over_the_plane_are_followed(ask: Ask, root: Path) -> None:
    run = make_run(root / "three", {"model.name": "mlp", "data.name": "moons"}, state="running", curve=[1.0, 0.5])
    points = {"inputs": [[0.0, 1.0], [1.0, 0.0]], "targets": [0, 1]}
    target = {"shift": [0.0], "factor": [1.0]}
    whole = {"classes": ["a", "b"], "outputs": 1, "names": ["x", "y"], "shift": [0, 0], "factor": [1, 1]}
    whole |= {"target": target, "sizes": {"train": 2}, "points": {"train": points}}
    (run / "points.json").write_text(json.dumps(whole))
    page = ask("run?run=three")[2].decode()
    assert 'id="part-plane"' in page
    since = re.search(r'"version":"([^"]+)"', page)
    assert since is not None
    plane = {"step": 12345, "limits": [[0, 1], [0, 1]], "classes": [0, 1, 1, 0], "shares": [90] * 4, "values": []}
    (run / "plane.json").write_text(json.dumps(plane))
    parts = document(ask, f"run/changes?run=three&since={since[1]}")["parts"]
    assert "12,345" in parts["part-plane"]
    assert "<canvas" in parts["part-plane"]
    assert "part-curves" not in parts


def test_the_measurements_of_layers_are_curves_that_grow(ask: Ask, root: Path) -> None:
    folder = root / "one" / "diagnostics"
    folder.mkdir()

    def measure(step: int) -> None:
        layers = {"layers.0": {"grad": 1.0 / (step + 1), "dead": None}, "layers.2": {"grad": 2.0}}
        with (folder / "layers.jsonl").open("a") as file:
            file.write(json.dumps({"step": step, "samples": 32, "layers": layers}) + "\n")

    for step in (0, 1):
        measure(step)
    page = ask("run?run=one")[2].decode()
    title = "‖dW‖: gradient of the weights, by layer"
    (found,) = (chart for chart in document(ask, "run.json?run=one")["charts"] if chart["title"] == title)
    assert found["x"]["step"] == [0, 1]
    assert found["series"][0] == {"label": "layers.0", "values": [1.0, 0.5]}
    since = re.search(r'"version":"([^"]+)"', page)
    assert since is not None
    measure(2)
    changed = document(ask, f"run/changes?run=one&since={since[1]}")["points"]
    assert [(one["chart"], one["label"], one["step"]) for one in changed] == [
        (title, "layers.0", [2]),
        (title, "layers.2", [2]),
    ]
