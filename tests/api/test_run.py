"""What a run from Python displays and writes, outside a notebook."""

import sys
from pathlib import Path

import pytest
import torch

import dltool
from dltool.api.notebook import warn_in_place
from dltool.api.page import Page
from dltool.core.errors import ConfigError, TrainingInterrupted
from dltool.core.messages import in_notebook, message_stream, messages_on_stdout
from dltool.core.notices import DltoolWarning

WORDS = ["model=mlp", "data=iris", "trainer.steps=20", "trainer.device=cpu", "trainer.threads=1", "logger.report=false"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> dltool.Run:
    folder = tmp_path_factory.mktemp("api") / "a<b>&c"
    return dltool.train([*WORDS, f"run.dir='{folder}'", "diagnostics=default"], quiet=True)


def contents(run: dltool.Run) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def test_messages_of_python_go_to_standard_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    run = dltool.train(WORDS)
    printed = capfd.readouterr()
    assert printed.err == ""
    assert printed.out.startswith("mlp on iris: 1,027 parameters")
    assert run.folder.read_environment()["command"] == ["dltool", "train", *WORDS]
    assert message_stream() is sys.stderr
    with messages_on_stdout():
        assert message_stream() is sys.stdout


def test_a_resumed_run_goes_on(run: dltool.Run, tmp_path: Path) -> None:
    short = dltool.train([*WORDS, f"run.dir={tmp_path}/short"], quiet=True)
    longer = dltool.resume(short, ["trainer.steps=25"], quiet=True)
    assert longer.status["step"] == 25
    (resumed,) = longer.folder.read_environment()["resumed"]
    assert resumed == {"step": 20, "command": ["dltool", "resume", f"{tmp_path}/short", "trainer.steps=25"]}
    with pytest.raises(ConfigError, match="nothing is left to do"):
        dltool.resume(longer.path)


def test_the_display_of_a_run_is_escaped(run: dltool.Run) -> None:
    shown = run._repr_html_()
    assert "a&lt;b&gt;&amp;c" in shown
    assert "<b>&c" not in shown
    assert f"{run.metrics['test/accuracy']:.4f}" in shown
    assert repr(run).startswith(f"<dltool.Run {run.path}: mlp on iris, finished, val/accuracy 0.")


def test_figures_are_those_of_the_command_and_nothing_is_written(run: dltool.Run, tmp_path: Path) -> None:
    before = contents(run)
    drawn = run.plot()
    assert next(iter(drawn.files)) == "curves.png"
    assert "layers.png" in drawn.files
    assert [*run.plot("functions", format="svg").files] == ["functions.svg"]
    assert contents(run) == before
    assert [path.name for path in drawn.save(tmp_path / "figures")] == [*drawn.files]
    with pytest.raises(ConfigError, match="there is no such figure"):
        run.plot("funktions")


def test_a_run_without_diagnostics_has_its_curves(tmp_path: Path) -> None:
    plain = dltool.train([*WORDS, f"run.dir={tmp_path}/plain", "logger.plots=false"], quiet=True)
    assert "curves.png" in plain.plot().files


def test_the_page_is_written_where_it_is_asked_for(run: dltool.Run, tmp_path: Path) -> None:
    before = contents(run)
    page = run.report()
    assert 'sandbox="allow-scripts"' in page._repr_html_()
    assert page.path.read_text(encoding="utf-8") == page.html
    assert contents(run) == before
    assert run.report(tmp_path / "page.html").path == tmp_path / "page.html"
    saved = run.report(save=True, lang="zh").path
    assert saved == run.path / "report.html"
    assert 'lang="zh-CN"' in saved.read_text(encoding="utf-8")
    saved.unlink()


def test_a_page_cannot_leave_its_frame() -> None:
    shown = Page('"><script>', '</iframe><script>alert("x")</script>')._repr_html_()
    assert "<script>" not in shown
    assert shown.count("</iframe>") == 1


def test_a_trace_is_its_lines_and_its_numbers(run: dltool.Run) -> None:
    traced = run.trace(sample=3, steps=2)
    assert len(traced) == 2
    assert repr(traced).startswith("step 21   J = ")
    assert traced[0].loss_after < traced[0].loss
    assert torch.equal(traced[0].parameters[0].before, run.model.state_dict()[traced[0].parameters[0].name].double())


def test_errors_are_ordinary_exceptions_with_a_short_form_for_ipython() -> None:
    with pytest.raises(ConfigError) as caught:
        dltool.train(["optim.lr=-1"])
    assert [line.partition(":")[0] for line in caught.value._render_traceback_()] == ["error", "hint"]
    assert caught.value.__notes__ == [f"hint: {caught.value.hint}"]
    assert issubclass(TrainingInterrupted, KeyboardInterrupt)
    assert TrainingInterrupted("stopped at step 3")._render_traceback_() == ["stopped at step 3"]


def test_a_script_is_no_notebook() -> None:
    assert not in_notebook()
    with pytest.warns(DltoolWarning, match="damaged"):
        warn_in_place("damaged")


def test_an_evaluation_is_a_table(run: dltool.Run) -> None:
    shown = run.evaluate(split="val")._repr_html_()
    assert "15 samples (val)" in shown
    assert f"{run.metrics['val/accuracy']:.4f}" in shown
    assert "by always predicting" in shown
