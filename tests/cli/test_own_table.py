"""A table of one's own, from the shell to its raw rows."""

import json
from pathlib import Path

import pytest
import torch
from fabricated import without_checksums

from dltool.build.prepare import prepare
from dltool.data.csv_file import read_csv
from dltool.data.fitted import from_json

ROWS = "".join(f"{i},{i % 9}.5,{('rot', 'grün')[i % 2]},{('nein', 'ja')[(i % 9) > 4]}\n" for i in range(120))
TABLE = f"id,größe,farbe,ziel\n{ROWS}"
CSV = ["data=csv", "data.target=ziel", "data.drop=[id]", "model=mlp", "trainer.threads=1", "trainer.device=cpu"]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "表 (1).csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_train_saves_what_raw_rows_need(dltool_here, table, configure):
    done = dltool_here(
        "train", *CSV, f"data.path={table}", "trainer.epochs=5", "run.dir=outputs/r", "logger.plots=false"
    )
    assert done.returncode == 0, done.stderr
    for part in (
        "120 rows, cells separated by a comma",
        "nein (68, 56.7 %), ja (52, 43.3 %); ja is the positive class",
        "farbe (2)",
    ):
        assert part in done.stderr
    assert "binary_cross_entropy (for csv)" in done.stderr

    table.rename(table.with_name("elsewhere.csv"))  # The run must do without it.
    saved = json.loads(Path("outputs/r/preprocessing.json").read_text(encoding="utf-8"))
    preprocessing, spec = from_json(saved, "outputs/r/preprocessing.json")
    assert (spec.input_shape, spec.target, spec.class_names, spec.output_dim) == ((3,), "binary", ("nein", "ja"), 1)
    raw = read_csv(table.with_name("elsewhere.csv"))
    parts = prepare(configure(*CSV, f"data.path={table.with_name('elsewhere.csv')}"))
    test = parts.dataset.splits["test"]
    assert preprocessing(raw)[test.rows - 2].equal(test.inputs)


def test_the_same_run_again_and_resumed(dltool_here, table):
    words = [
        *CSV,
        f"data.path={table}",
        "data.sampling=balanced",
        "data.num_folds=4",
        "data.fold=1",
        "logger.plots=false",
    ]
    assert dltool_here("train", *words, "trainer.epochs=4", "run.dir=outputs/whole").returncode == 0
    assert dltool_here("train", *words, "trainer.epochs=2", "schedule=constant", "run.dir=outputs/a").returncode == 0
    assert dltool_here("train", *words, "trainer.epochs=4", "schedule=constant", "run.dir=outputs/b").returncode == 0
    assert dltool_here("resume", "outputs/a", "trainer.epochs=4").returncode == 0
    last = [Path("outputs", run, "metrics.jsonl").read_text().splitlines()[-1] for run in "ab"]
    assert last[0] == last[1]
    again = dltool_here("train", "--from", "outputs/whole", "run.dir=outputs/again")
    assert again.returncode == 0
    last = [Path("outputs", run, "metrics.jsonl").read_text().splitlines()[-1] for run in ("whole", "again")]
    assert last[0] == last[1]


def test_a_table_that_has_changed_is_noticed_on_resume(dltool_here, table):
    words = [*CSV, f"data.path={table}", "trainer.epochs=1", "run.dir=outputs/r", "logger.plots=false"]
    assert dltool_here("train", *words).returncode == 0
    table.write_text(TABLE + "9,1.5,blau,ja\n" * 30, encoding="utf-8")
    resumed = dltool_here("resume", "outputs/r", "trainer.epochs=2")
    assert resumed.returncode == 2
    assert "its input_shape was (3,) and is (4,)" in resumed.stderr


@pytest.mark.parametrize(("shift", "code"), [(1e-7, 0), (1e-3, 2)])
def test_targets_that_an_earlier_version_rounded_are_no_other_data(dltool_here, table, shift, code):
    words = [*CSV, f"data.path={table}", "data.target=größe", "data.kind=numbers", "data.drop=[id]"]
    assert dltool_here("train", *words, "trainer.epochs=1", "run.dir=outputs/r", "logger.plots=false").returncode == 0
    path = Path("outputs/r/preprocessing.json")
    saved = json.loads(path.read_text(encoding="utf-8"))
    saved["spec"]["target_mean"][0] += shift * saved["spec"]["target_std"][0]
    path.write_text(json.dumps(saved), encoding="utf-8")
    without_checksums(path.parent)
    resumed = dltool_here("resume", "outputs/r", "trainer.epochs=2")
    assert resumed.returncode == code
    assert ("its target_mean was" in resumed.stderr) == (code == 2)


@pytest.mark.parametrize(
    ("words", "error", "hint"),
    [
        (["data.path=null"], "data=csv has no file", "data.path=FILE.csv"),
        (["data.target=null"], "data=csv has no target", "data.target=COLUMN"),
        (["data.path=missing.csv"], "missing.csv does not exist", "表 (1).csv"),
        (["data.target=zeil"], "data.target=zeil is not a column", "did you mean ziel?"),
        (["loss=mae"], "loss=mae does not fit data=csv, whose targets are binary", "loss=binary_cross_entropy"),
        (["data.target=id", "data.drop=[]", "model=logistic"], "model=logistic predicts classes", "model=linear"),
        (["model=lenet"], "model=lenet takes images", "model=mlp"),
        (["data.missing=median"], "data.missing=median", "data.missing=mean"),
    ],
)
def test_errors_come_before_the_first_step(dltool_here, table, words, error, hint):
    done = dltool_here("train", *CSV, f"data.path={table}", *words)
    assert done.returncode == 2
    assert error in done.stderr
    assert hint in done.stderr
    assert not Path("outputs").exists()


def test_columns_are_named_as_they_are_called(configure):
    words = ["data=csv", "data.path=t.csv", "data.target=y", "model=mlp"]
    for text, expected in {
        "[größe,身高 (cm), a b]": ["größe", "身高 (cm)", "a b"],
        "[身高,3]": ["身高", "3"],
        "[id,3]": ["id", 3],
    }.items():
        assert configure(*words, f"data.drop={text}")["data"]["drop"] == expected


def test_the_quick_answers_open_no_file(dltool_here):
    done = dltool_here("train", *CSV, "data.path=nowhere.csv", "--cfg", "job")
    assert done.returncode == 0
    assert "path: nowhere.csv" in done.stdout


def test_show_and_check_know_the_loss_once_the_data_is_read(dltool_here, table):
    shown = dltool_here("show", *CSV, f"data.path={table}")
    assert shown.returncode == 0
    assert "becomes auto" not in shown.stdout
    checked = dltool_here("check", *CSV, f"data.path={table}", "data.target=größe", "data.kind=numbers")
    assert checked.returncode == 0, checked.stderr
    assert "mse (for csv)" in checked.stdout
    torch.set_num_threads(1)
