import json
from pathlib import Path

import pytest

from dltool.core.safe_path import SafePath
from dltool.observers import plane_file
from dltool.report.plane import plane_of

WORDS = ("data=moons", "model.hidden=[4]", "trainer.steps=30", "trainer.epochs=null")
FAST = ("trainer.threads=1", "logger.every_n_steps=5", "--quiet")


def test_the_predictions_are_written_while_it_trains_and_change_nothing(
    dltool_here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    write = plane_file.write_plane

    def kept(folder: SafePath, predictions: dict[str, object]) -> None:
        write(folder, predictions)
        shown = plane_of(folder.path)
        assert shown is not None
        seen.append(shown)

    monkeypatch.setattr(plane_file, "PERIOD", 0.0)
    monkeypatch.setattr(plane_file, "SHARE", 1e9)
    monkeypatch.setattr(plane_file, "write_plane", kept)
    assert dltool_here("train", "model=mlp", *WORDS, *FAST, "run.dir=with").returncode == 0
    assert {5, 10, 30} <= {one["step"] for one in seen}
    assert seen[0]["shares"] != seen[-1]["shares"]
    assert plane_of(tmp_path / "with") == seen[-1]
    assert json.loads((tmp_path / "with" / "points.json").read_text())["names"]
    count = len(seen)
    assert dltool_here("train", "model=mlp", *WORDS, *FAST, "run.dir=without", "logger.plots=false").returncode == 0
    assert len(seen) == count
    assert plane_of(tmp_path / "without") is None
    found = [next((tmp_path / name).glob("checkpoints/step-000030/*.safetensors")) for name in ("with", "without")]
    assert found[0].read_bytes() == found[1].read_bytes()


@pytest.mark.parametrize(
    "wrong",
    [
        {"classes": [0, 1, 0], "shares": [50, 50, 50]},
        {"classes": ["<b>"], "shares": [50]},
        {"classes": [0], "shares": ["50"]},
        {"limits": "all"},
        {"values": [[0.5]]},
    ],
)
def test_another_form_is_not_drawn(tmp_path: Path, wrong: dict[str, object]) -> None:
    right = {"step": 1, "limits": [[0, 1], [0, 1]], "classes": [0] * 4, "shares": [60] * 4, "values": []}
    (tmp_path / "plane.json").write_text(json.dumps(right))
    assert plane_of(tmp_path) == right
    (tmp_path / "plane.json").write_text(json.dumps(right | wrong))
    assert plane_of(tmp_path) is None
