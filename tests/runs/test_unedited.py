"""A run continues only from files as dltool wrote them; using or repeating it says that one was edited."""

import json
import shutil

import pytest

WORDS = ["train", "model=mlp", "model.hidden=[4]", "data=iris", "trainer.epochs=1", "trainer.threads=1", "--quiet"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    from dltool.cli.main import main

    path = tmp_path_factory.mktemp("trained") / "run"
    assert main([*WORDS, "logger.report=false", "logger.plots=false", f"run.dir={path}"]) == 0
    return path


@pytest.fixture
def run(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "run")


def edit_config(run):
    path = run / "config.yaml"
    path.write_text(path.read_text().replace("lr: 0.001", "lr: 0.002"))


def edit_json(name, *keys):
    def edit(run):
        content = json.loads((run / name).read_text())
        content[keys[0]] = keys[1]
        (run / name).write_text(json.dumps(content))

    return edit


EDITS = {
    "config.yaml": edit_config,
    "environment.json": edit_json("environment.json", "auto", {"trainer.test": "last"}),
    "preprocessing.json": lambda run: (run / "preprocessing.json").write_bytes(
        (run / "preprocessing.json").read_bytes() + b" "
    ),
    "data.json": edit_json("data.json", "digest", "0"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_file_is_named_and_not_continued_from(dltool_here, run, name):
    EDITS[name](run)
    done = dltool_here("resume", str(run), "trainer.epochs=2")
    assert done.returncode == 2
    assert f"error: {name} of {run} changed since dltool wrote it" in done.stderr
    used = dltool_here("evaluate", str(run))
    assert used.returncode == 0, used.stderr
    assert f"warning: {name} of {run} changed since dltool wrote it" in used.stderr


def test_an_edited_config_is_repeated_with_a_note(dltool_here, run):
    edit_config(run)
    done = dltool_here("train", "--from", str(run), "--cfg", "job")
    assert done.returncode == 0
    assert "note: " in done.stderr
    assert "lr: 0.002" in done.stdout


def test_a_run_continues_again_and_again_without_a_note(dltool_here, run):
    for epochs in (2, 3):
        done = dltool_here("resume", str(run), f"trainer.epochs={epochs}")
        assert done.returncode == 0, done.stderr
        assert "changed since" not in done.stderr
    assert "note: " not in dltool_here("train", "--from", str(run), "--cfg", "job").stderr


def test_a_run_without_the_record_is_taken_as_it_is(dltool_here, run):
    environment = json.loads((run / "environment.json").read_text())
    del environment["sha256"]
    (run / "environment.json").write_text(json.dumps(environment))
    edit_config(run)
    done = dltool_here("resume", str(run), "trainer.epochs=2")
    assert done.returncode == 0, done.stderr
    assert "changed since" not in done.stderr


def test_a_kill_before_the_new_config_leaves_a_run_that_continues(run, monkeypatch):
    from dltool.config.check import check
    from dltool.config.compose import compose
    from dltool.core.safe_path import SafePath
    from dltool.runs.folder import RunFolder
    from dltool.runs.unedited import edited

    write = SafePath.write

    def killed(self, content, **options):
        if self.name == "config.yaml":
            raise KeyboardInterrupt
        write(self, content, **options)

    monkeypatch.setattr(SafePath, "write", killed)
    folder = RunFolder(run)
    with pytest.raises(KeyboardInterrupt):
        folder.write_config(check(compose(["model=mlp", "seed=5"])).tree)
    assert edited(run, folder.read_environment()) == []
