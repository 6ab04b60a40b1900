"""`dltool evaluate` and `dltool predict` as they are typed, and the same from Python."""

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import dltool as package
from dltool.core.errors import ConfigError

Dltool = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def table(trained_here: Callable[..., Path], tmp_path: Path) -> Path:
    """A run on a table of one's own, in outputs/t; gives the folder with rows.csv and new.csv."""
    lines = [f"{i},{(i * 7) % 11 / 10},{'rgb'[i % 3]},{'yes' if (i * 7) % 11 > 5 else 'no'}" for i in range(120)]
    (tmp_path / "rows.csv").write_text("\n".join(["id,a,colour,bought", *lines]))
    (tmp_path / "new.csv").write_text("a,colour,more,bought\n0.9,r,1,yes\n0.1,g,2,no\n")
    data = ["data=csv", "data.path=rows.csv", "data.target=bought", "data.drop=[id]"]
    trained_here("outputs/t", "model=mlp", *data, "trainer.epochs=60", "logger.plots=false", "--quiet")
    return tmp_path


def test_a_table_from_training_to_prediction(dltool_here: Dltool, table: Path) -> None:
    (table / "rowless.csv").write_text("colour,a\nr,0.9\ng,0.1\n")
    done = dltool_here("predict", "t", "--input", "rowless.csv", "--csv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(done.stdout.splitlines()))
    assert [(row["input"], row["prediction"]) for row in rows] == [("2", "yes"), ("3", "no")]
    assert "step-" in done.stderr
    known = json.loads(dltool_here("predict", "t", "--input", "new.csv", "--json").stdout)
    assert known["checkpoint"].startswith("step-")
    assert known["predictions"][0]["probabilities"]["yes"] == pytest.approx(float(rows[0]["p(yes)"]))
    shown = dltool_here("predict", "t", "trainer.threads=1", "--input", "new.csv").stdout.splitlines()
    assert shown[0].split() == ["input", "prediction", "probability", "then"]
    assert shown[1].split()[:2] == ["2", "yes"]


def test_an_evaluation_on_new_rows(dltool_here: Dltool, table: Path) -> None:
    done = dltool_here("evaluate", "t", "data.path=new.csv", "data.drop=[]", "--predictions", "said.csv", "--json")
    assert done.returncode == 0, done.stderr
    known = json.loads(done.stdout)
    assert (known["split"], known["samples"], known["metrics"]["accuracy"]) == ("all", 2, 1.0)
    rows = list(csv.DictReader((table / "said.csv").read_text().splitlines()))
    assert [(row["input"], row["target"], row["prediction"]) for row in rows] == [
        ("2", "yes", "yes"),
        ("3", "no", "no"),
    ]
    own = dltool_here("evaluate", "t", "task.metrics=[accuracy,confusion]", "--plots", "pictures")
    assert own.stdout.startswith("mlp on csv, step-")
    assert (table / "pictures" / "confusion.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "content", "message", "hint"),
    [
        (["predict", "t", "--input", "x.csv"], "a,colour\n0.5,purple\n", "no category 'purple'", "data.unknown=ignore"),
        (["predict", "t", "--input", "x.csv"], "a,colour\nmuch,r\n", "row 2, column a: 'much' is a text", "fix"),
        (["predict", "t", "--input", "x.csv"], "a\n0.5\n", "has no column colour", "columns of the training"),
        (["predict", "t", "--input", "x.csv"], "", "is empty", "data.path"),
        (["predict", "t", "--input", "y.csv"], "", "y.csv does not exist", "x.csv"),
        (["predict", "u", "--input", "x.csv"], "", "there is no run u", "dltool runs"),
        (["predict", ".", "--input", "x.csv"], "", "is not a run folder", "dltool"),
        (
            ["predict", "t", "--input", "x.csv", "--tta", "hflip"],
            "a,colour\n1,r\n",
            "test-time augmentation needs images",
            "--tta",
        ),
        (["predict", "t", "--input", "x.csv", "trainer.epochs=3"], "", "trainer.epochs was", "train --from"),
        (["evaluate", "t", "data.path=x.csv", "data.drop=[]"], "a,colour\n1,r\n", "bought is not a column", "data."),
        (
            ["evaluate", "t", "data.path=x.csv", "data.drop=[]"],
            "a,colour,bought\n1,r,maybe\n",
            "class maybe",
            "no, yes",
        ),
        (["evaluate", "t", "data.path=x.csv"], "a,colour,bought\n1,r,no\n", "data.drop=id", "data.drop=[]"),
        (["evaluate", "t", "task.metrics=[rmse]"], "", "does not fit", "task.metrics="),
        (["evaluate", "t", "--checkpoint", "bst"], "", "no checkpoint bst", "--checkpoint step-"),
        (["evaluate", "t", "--predictions", "no/such/folder.csv"], "", "cannot be written", "another file"),
        (["evaluate", "t", "model.dropout=0.5"], "", "model.dropout was", "train --from"),
    ],
)
def test_what_is_wrong_is_said_with_the_remedy(
    words: list[str], content: str, message: str, hint: str, dltool_here: Dltool, table: Path
) -> None:
    (table / "x.csv").write_text(content)
    done = dltool_here(*words)
    assert done.returncode == 2, done
    error, remedy = done.stderr.strip().splitlines()[-2:]
    assert error.startswith("error: ")
    assert message in error
    assert remedy.startswith("hint: ")
    assert hint in remedy


def test_texts_are_typed_or_read(dltool_here: Dltool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ["model=lstm", "model.hidden_dim=8", "data=reversal", "data.num_samples=100", "trainer.epochs=1"]
    assert dltool_here("train", *words, "trainer.threads=1", "run.dir=outputs/r", "--quiet").returncode == 0
    typed = dltool_here("predict", "r", "--text", "123", "45", "--csv")
    assert typed.stdout.splitlines()[0] == "input,prediction"
    assert [line.split(",")[0] for line in typed.stdout.splitlines()[1:]] == ["123", "45"]
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\ufeff123\r\n\n45\n".encode("utf-16-le"))))
    assert dltool_here("predict", "r", "--input", "-", "--csv").stdout == typed.stdout
    (tmp_path / "texts.txt").write_text("123\n45\n")
    searched = dltool_here("predict", "r", "--input", "texts.txt", "--beam", "2", "--length-penalty", "0", "--json")
    assert [one["input"] for one in json.loads(searched.stdout)["predictions"]] == ["123", "45"]
    drawn = dltool_here("predict", "r", "--text", "123", "--attention", "where.png")
    assert "figures: where.png" in drawn.stderr
    assert (tmp_path / "where.png").read_bytes().startswith(b"\x89PNG")
    refused = dltool_here("predict", "r", "--text", "123", "45", "--attention", "where.png")
    assert "--attention draws the attention of one text" in refused.stderr
    for wrong, message in ((["--beam", "0"], "--beam 0"), (["--length-penalty", "-1"], "--length-penalty -1")):
        done = dltool_here("predict", "r", "--text", "1", *wrong)
        assert done.returncode == 2
        assert message in done.stderr


def test_a_notebook_gets_what_the_command_line_gets(dltool_here: Dltool, tmp_path: Path) -> None:
    words = ["model=mlp", "data=iris", "trainer.epochs=3", "trainer.threads=1"]
    assert dltool_here("train", *words, "run.dir=outputs/shell", "--quiet").returncode == 0
    run = package.train([*words, "run.dir=outputs/notebook"], quiet=True)
    assert run.path == Path("outputs/notebook")
    again = package.load("shell")
    assert run.records == again.records
    assert run.evaluate().metrics == again.evaluate().metrics
    assert run.predict([[5.1, 3.5, 1.4, 0.2]]).top(1)[0][0][0] in run.class_names
    with pytest.raises(ConfigError) as caught:
        package.load("shel")
    assert "did you mean" in "".join(caught.value.__notes__)
