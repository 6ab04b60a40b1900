"""`dltool bench` as it is typed."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Dltool = Callable[..., subprocess.CompletedProcess[str]]
TINY = ["model=mlp", "model.hidden=[8]", "data=iris", "trainer.threads=1", "trainer.device=cpu", "--rounds", "2"]


def test_table_and_json(dltool: Dltool, tmp_path: Path) -> None:
    done = dltool("bench", *TINY, "--seconds", "0.1", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    for figures in report["figures"].values():  # Measured in processes of their own.
        assert 0.01 < figures["first_step_seconds"]["least"] < 60
        assert 50 < figures["peak_memory_mib"]["least"] < 20_000
    assert report["same"]["equal"]
    assert not list(tmp_path.iterdir())

    from dltool.cli.bench import sentences

    lines = sentences(report)
    assert lines[0].startswith("dltool takes ")
    assert "times as long as the hand-written loop" in lines[0]
    assert any(line.startswith("both compute the same: after 10 steps") for line in lines)
    report["same"]["equal"] = False
    assert any("DO NOT COMPUTE THE SAME" in line for line in sentences(report))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--rounds", "0"], "--rounds: 0: a number > 0"),
        (["--rounds", "two"], "invalid positive_int value: 'two'"),
        (["--seconds", "nan"], "--seconds: nan: a number > 0"),
        (["--seconds", "-1"], "--seconds: -1: a number > 0"),
        (["model=lenett"], "did you mean model=lenet?"),
        (["data=mnist", "data.root=nowhere"], "nowhere"),
    ],
)
def test_bad_input(words: list[str], message: str, dltool_here: Dltool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dltool.bench.bench.measure_starts", lambda config, num_starts: {})
    done = dltool_here("bench", *words)
    assert done.returncode == 2
    assert message in done.stderr
    assert "hint:" in done.stderr
    assert "Traceback" not in done.stderr
