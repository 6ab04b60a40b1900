"""A run is continued and evaluated on its own data, wherever that lies; other data is refused or said."""

import json
import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Dltool = Callable[..., subprocess.CompletedProcess[str]]

SHORT = ["trainer.device=cpu", "trainer.threads=1", "logger.plots=false", "run.dir=r", "--quiet"]
TABLE = ["model=mlp", "model.hidden=[8]", "data=csv", "data.path=t.csv", "data.target=y", "trainer.epochs=2", *SHORT]
LINES = 120


def write_table(path: Path) -> None:
    """Labels that do not follow from the two numbers."""
    rng = random.Random(0)
    rows = [f"{rng.gauss(0, 1):.4f},{rng.gauss(0, 1):.4f},{rng.choice('ab')}" for _ in range(LINES)]
    path.write_text("x,z,y\n" + "\n".join(rows) + "\n")


@pytest.fixture
def table(dltool_here: Dltool, tmp_path: Path) -> Dltool:
    """A run `r` on t.csv in the working directory."""
    write_table(tmp_path / "t.csv")
    done = dltool_here("train", *TABLE)
    assert done.returncode == 0, done.stderr
    return dltool_here


def evaluated(dltool: Dltool, *words: str) -> dict:
    done = dltool("evaluate", "r", "--json", *words)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) | {"stderr": done.stderr}


def test_a_copy_continues_the_training_bitwise(table: Dltool, tmp_path: Path) -> None:
    shutil.copytree("r", "copied")
    (tmp_path / "other place").mkdir()
    shutil.copy("t.csv", "other place/renamed.csv")
    assert table("resume", "r", "trainer.epochs=4", "--quiet").returncode == 0
    Path("t.csv").unlink()
    moved = table("resume", "copied", "trainer.epochs=4", "data.path=other place/renamed.csv", "--quiet")
    assert moved.returncode == 0, moved.stderr
    last = Path("r/checkpoints/last").read_text().strip()
    tensors = sorted((Path("r/checkpoints") / last).glob("*.safetensors"))
    assert tensors
    for path in tensors:
        assert path.read_bytes() == (Path("copied/checkpoints") / last / path.name).read_bytes()
    again = table("resume", "copied", "trainer.epochs=5", "--quiet")  # The run remembers the place.
    assert again.returncode == 0, again.stderr


def append_a_row(lines: list[str]) -> list[str]:
    return [*lines, lines[-1]]


def multiply_a_column(lines: list[str]) -> list[str]:
    rows = [line.split(",") for line in lines[1:]]
    return [lines[0], *(f"{float(x) * 1000},{z},{y}" for x, z, y in rows)]


def reorder_rows(lines: list[str]) -> list[str]:
    return [lines[0], *reversed(lines[1:])]


def exchange_two_labels(lines: list[str]) -> list[str]:
    """A file of the same size."""
    flipped = {"a": "b", "b": "a"}
    return [lines[0], *(line[:-1] + flipped[line[-1]] for line in lines[1:])]


@pytest.mark.parametrize("change", [append_a_row, multiply_a_column, reorder_rows, exchange_two_labels])
def test_a_changed_table_is_refused(change: Callable[[list[str]], list[str]], table: Dltool) -> None:
    own = evaluated(table)
    lines = Path("t.csv").read_text().splitlines()
    Path("new.csv").write_text("\n".join(change(lines)) + "\n")
    count = LINES + 1 if change is append_a_row else LINES
    new = evaluated(table, "data.path=new.csv")
    assert (new["split"], new["samples"], new["own_data"]) == ("all", count, False)
    assert "note: not the run's data: new.csv has other contents, in place of t.csv" in new["stderr"]
    assert "note: this is new data" in new["stderr"]
    refused = table("evaluate", "r", "data.path=new.csv", "--split", "test")
    assert refused.returncode == 2
    assert "the data has no test split" in refused.stderr
    assert "--split all" in refused.stderr
    refused = table("resume", "r", "trainer.epochs=3", "data.path=new.csv")
    assert refused.returncode == 2
    assert "error: the data has changed since r began: new.csv has other contents, in place of t.csv" in refused.stderr

    shutil.copy("t.csv", "kept.csv")
    shutil.copy("new.csv", "t.csv")
    for words in (["evaluate", "r"], ["evaluate", "r", "--split", "val"], ["resume", "r", "trainer.epochs=3"]):
        refused = table(*words)
        assert refused.returncode == 2
        assert "the data has changed since r began: t.csv has other contents" in refused.stderr
        if change is append_a_row:
            assert f"{LINES} samples then, {LINES + 1} now" in refused.stderr
    everything = evaluated(table, "--split", "all")
    assert (everything["samples"], everything["own_data"]) == (count, False)
    assert "not the run's data any more" in everything["stderr"]
    assert evaluated(table, "data.path=t.csv")["samples"] == count  # Named, it is new data.
    kept = evaluated(table, "data.path=kept.csv")
    assert {key: kept[key] for key in ("split", "samples", "own_data", "metrics")} == {
        key: own[key] for key in ("split", "samples", "own_data", "metrics")
    }
    assert own["samples"] == LINES // 5


def test_new_rows_are_prepared_as_the_training_was(table: Dltool) -> None:
    """The whole new file gives the predictions that its rows have one by one."""
    lines = Path("t.csv").read_text().splitlines()
    Path("new.csv").write_text("\n".join([lines[0], "100,0,a", "-100,0,b", "0,100,a"]) + "\n")
    new = evaluated(table, "data.path=new.csv", "--predictions", "new_predictions.csv")
    assert (new["samples"], new["own_data"]) == (3, False)
    written = Path("new_predictions.csv").read_text().splitlines()
    done = table("predict", "r", "--input", "new.csv", "--csv")
    assert done.returncode == 0, done.stderr
    own = done.stdout.splitlines()
    column = written[0].split(",").index("prediction"), own[0].split(",").index("prediction")
    assert [row.split(",")[column[0]] for row in written] == [row.split(",")[column[1]] for row in own]


@pytest.mark.parametrize(
    "override", ["data.eval_batch_size=7", "data.batch_size=3", "data.residency=host", "trainer.threads=2"]
)
def test_what_changes_no_data_changes_no_metric(override: str, table: Dltool) -> None:
    own, other = evaluated(table), evaluated(table, override)
    assert (other["split"], other["samples"], other["own_data"]) == (own["split"], own["samples"], True)
    assert other["metrics"] == pytest.approx(own["metrics"], abs=1e-6)


def test_a_run_without_a_fingerprint_works_and_gets_one(table: Dltool) -> None:
    before = json.loads(Path("r/data.json").read_text())
    Path("r/data.json").unlink()
    note = "r has no data.json: it was made by an earlier version"
    assert note in evaluated(table)["stderr"]
    shutil.copy("t.csv", "copy.csv")
    assert evaluated(table, "data.path=copy.csv")["own_data"] is False  # Nothing says that it is the same.
    first = table("resume", "r", "trainer.epochs=3")
    assert first.returncode == 0, first.stderr
    assert first.stderr.count(note) == 1
    assert json.loads(Path("r/data.json").read_text()) == before
    second = table("resume", "r", "trainer.epochs=4")
    assert second.returncode == 0
    assert note not in second.stderr


def test_repeating_a_run_on_changed_data_is_noted(table: Dltool) -> None:
    words = ["train", "--from", "r", "trainer.epochs=1"]
    same = table(*words, "run.dir=same")
    assert "not the data of r" not in same.stderr
    Path("t.csv").write_text("\n".join(append_a_row(Path("t.csv").read_text().splitlines())) + "\n")
    other = table(*words, "run.dir=other")
    assert other.returncode == 0, other.stderr
    assert "not the data of r: t.csv has other contents" in other.stderr
    shutil.copy("t.csv", "new.csv")
    named = table(*words, "run.dir=named", "data.path=new.csv")
    assert named.returncode == 0, named.stderr
    assert "not the data of r" not in named.stderr


def write_images(root: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("cats", "dogs"):
        (root / name).mkdir(parents=True)
        for number in range(10):
            pixels = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{number}.bmp")


@pytest.mark.parametrize("residency", ["host", "loader"])
def test_a_folder_of_images(residency: str, dltool_here: Dltool, tmp_path: Path) -> None:
    write_images(tmp_path / "images")
    data = ["data=image_folder", "data.root=images", f"data.residency={residency}", "data.workers=0"]
    done = dltool_here("train", "model=mlp", "model.hidden=[8]", *data, "trainer.epochs=1", *SHORT)
    assert done.returncode == 0, done.stderr
    own = evaluated(dltool_here)
    shutil.copytree("images", "elsewhere")
    moved = evaluated(dltool_here, "data.root=elsewhere")
    assert {**own, "stderr": ""} == {**moved, "stderr": ""}
    resumed = dltool_here("resume", "r", "trainer.epochs=2", "data.root=elsewhere", "data.residency=host", "--quiet")
    assert resumed.returncode == 0, resumed.stderr
    picture = tmp_path / "elsewhere" / "dogs" / "3.bmp"
    size = picture.stat().st_size
    Image.open(tmp_path / "elsewhere" / "cats" / "5.bmp").save(picture)
    assert picture.stat().st_size == size
    for words in (["evaluate", "r"], ["resume", "r", "trainer.epochs=3"]):
        refused = dltool_here(*words)
        assert refused.returncode == 2
        assert "the folder dogs has an image with other contents, of the same name and size" in refused.stderr
    new = evaluated(dltool_here, "data.root=elsewhere")
    assert (new["split"], new["samples"], new["own_data"]) == ("all", 20, False)


def test_a_split_file_may_move_but_not_change(dltool_here: Dltool, tmp_path: Path) -> None:
    write_images(tmp_path / "images")
    rows = [f"{name}/{n}.bmp,{'test' if n > 7 else 'train'}" for name in ("cats", "dogs") for n in range(10)]
    Path("split.csv").write_text("\n".join(rows) + "\n")
    data = ["data=image_folder", "data.root=images", "data.split_file=split.csv"]
    done = dltool_here("train", "model=mlp", "model.hidden=[8]", *data, "trainer.epochs=1", *SHORT)
    assert done.returncode == 0, done.stderr
    shutil.copy("split.csv", "copy.csv")
    assert evaluated(dltool_here, "data.split_file=copy.csv")["metrics"] == evaluated(dltool_here)["metrics"]
    resumed = dltool_here("resume", "r", "trainer.epochs=2", "data.split_file=copy.csv", "--quiet")
    assert resumed.returncode == 0, resumed.stderr
    Path("other.csv").write_text("\n".join(reversed([row.replace("8.bmp,test", "8.bmp,train") for row in rows])) + "\n")
    for words in (["evaluate", "r"], ["resume", "r", "trainer.epochs=3"]):
        refused = dltool_here(*words, "data.split_file=other.csv")
        assert refused.returncode == 2, refused.stdout
        assert "other.csv" in refused.stderr


def test_a_text(dltool_here: Dltool, tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("a word, another word; " * 100)
    model = ["model=lstm", "model.hidden_dim=8", "data=text", "data.path=t.txt", "data.length=8", "data.batch_size=4"]
    done = dltool_here("train", *model, "trainer.epochs=1", *SHORT)
    assert done.returncode == 0, done.stderr
    (tmp_path / "copy.txt").write_text((tmp_path / "t.txt").read_text())
    resumed = dltool_here("resume", "r", "trainer.epochs=2", "data.path=copy.txt", "--quiet")
    assert resumed.returncode == 0, resumed.stderr
    (tmp_path / "copy.txt").write_text("a word, another word; " * 99 + "another word, a word; ")
    refused = dltool_here("resume", "r", "trainer.epochs=3")
    assert refused.returncode == 2
    assert "copy.txt has other contents (of the same size)" in refused.stderr


OWN = """\
from pathlib import Path
import torch
from dltool.data.arrays import RawData, Split
from dltool.data.table_data import TableData
from dltool.declarations.component import Location, register


@register("data", "numbers_in_lines", into=TableData, inputs="vector", targets="binary")
def numbers_in_lines(rng: torch.Generator, *, path: Location[str | None] = None) -> RawData:
    \"\"\"Read as only this file knows.\"\"\"
    rows = torch.tensor([[float(cell) for cell in line.split()] for line in Path(path).read_text().splitlines()])
    return RawData(Split(rows[:, :-1], rows[:, -1].long()), None, None, "binary", ("no", "yes"), origin=path)
"""


def test_the_samples_of_your_own_loader(dltool_here: Dltool, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    rows = [f"{i % 5} {i % 3} {i % 2}" for i in range(60)]
    (tmp_path / "rows").write_text("\n".join(rows))
    data = ["--trust", "own.py", "data=numbers_in_lines", "data.path=rows"]
    done = dltool_here("train", *data, "model=mlp", "model.hidden=[8]", "trainer.epochs=1", *SHORT)
    assert done.returncode == 0, done.stderr
    (tmp_path / "copy").write_text("\n".join(rows))
    moved = evaluated(dltool_here, "--trust", "own.py", "data.path=copy")
    assert (moved["split"], moved["own_data"]) == ("test", True)
    resumed = dltool_here("resume", "--trust", "own.py", "r", "trainer.epochs=2", "data.path=copy", "--quiet")
    assert resumed.returncode == 0, resumed.stderr
    (tmp_path / "copy").write_text("\n".join([*rows[1:], rows[0]]))
    refused = dltool_here("resume", "--trust", "own.py", "r", "trainer.epochs=3")
    assert refused.returncode == 2
    assert "the data has changed since r began: the loaded samples are others" in refused.stderr
