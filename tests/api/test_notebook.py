"""What a notebook shows: a kernel is started, and a training, its errors and its run are displayed."""

from pathlib import Path
from typing import Any

import pytest
from notebooks import data_of, executed, notebook_of, streams

WORDS = '"model=lenet", "trainer.device=cpu", "trainer.threads=1"'
STOPPED = """
import pathlib, signal, threading, time

def stop():  # As the stop button does, once steps are taken.
    while not list(pathlib.Path("outputs/stopped").glob("metrics.jsonl")):
        time.sleep(0.05)
    signal.raise_signal(signal.SIGINT)

threading.Thread(target=stop).start()
dltool.train(["run.dir=outputs/stopped", "trainer.epochs=500", "logger.plots=false", %s])
"""
CELLS = {
    "import": "import sys, dltool\nsorted({'torch', 'matplotlib'} & set(sys.modules))",
    "train": f"run = dltool.train(['trainer.epochs=3', 'run.dir=outputs/first', {WORDS}])",
    "show": "run",
    "plain": "print(run)",
    "evaluate": "run.evaluate(split='val')",
    "plot": "run.plot('curves')",
    "report": "run.report()",
    "trace": "run.trace()",
    "others": (
        "import warnings\n"
        "from dltool.api.notebook import in_place\n"
        "in_place(warnings.warn)('of another package', FutureWarning)"
    ),
    "typo": f"dltool.train(['optim.learning_rate=0.01', {WORDS}])",
    "no file": "run.predict('nowhere.png')",
    "warn": "dltool.train(['model=mlp', 'data=iris', 'trainer.steps=1', 'optim.lr=1e-9', 'logger.plots=false'])",
    "stop": STOPPED % WORDS,
    "quiet": "longer = dltool.resume(run, ['trainer.epochs=4'], quiet=True)",
}


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("notebook")
    done = executed(notebook_of(*CELLS.values()), folder, errors=True)
    return dict(zip(CELLS, done, strict=True)) | {"folder": folder}


def failures(cell: Any) -> list[Any]:
    return [output for output in cell.outputs if output.output_type == "error"]


def test_nothing_is_printed_as_an_error(cells: dict[str, Any]) -> None:
    assert streams([cells[name] for name in CELLS], "stderr") == ""
    assert {name for name in CELLS if failures(cells[name])} == {"typo", "no file", "stop"}


def test_the_import_is_quick(cells: dict[str, Any]) -> None:
    assert data_of(cells["import"], "text/plain") == ["[]"]


def test_a_training_updates_one_display_at_most_twice_a_second(cells: dict[str, Any]) -> None:
    cell = cells["train"]
    displays = [output for output in cell.outputs if "<progress" in output.get("data", {}).get("text/html", "")]
    assert len(displays) == 1
    times = cell.metadata["updates"]
    assert len(times) >= 2
    assert len(times) <= 3 + 2 * (times[-1] - times[0])
    (shown,) = displays
    assert "finished, epoch 3/3" in shown.data["text/html"]
    assert shown.data["text/html"].count("data:image/svg+xml;base64,") == 3  # Loss, accuracy, learning rate.
    assert "finished, epoch 3/3" in shown.data["text/plain"]
    assert "seed 0, step 237" in shown.data["text/html"]
    assert "epoch 1/3" not in streams([cell], "stdout")  # The lines of a terminal.
    assert "lenet on digits: 61,706 parameters" in streams([cell], "stdout")


def test_the_summary_ends_with_calls_of_python(cells: dict[str, Any]) -> None:
    printed = streams([cells["train"]], "stdout")
    for call in (
        "run = dltool.load('outputs/first')",
        "run.plot()",
        "dltool.resume('outputs/first', ['trainer.epochs=6'])",
    ):
        assert call in printed
    assert "dltool train --from" not in printed
    assert "dltool resume " not in printed


def test_a_run_is_shown_with_its_results(cells: dict[str, Any]) -> None:
    (shown,) = data_of(cells["show"], "text/html")
    assert "test/accuracy" in shown
    assert "by always predicting" in shown
    assert "data:image/svg+xml;base64," in shown
    assert streams([cells["plain"]], "stdout").startswith("<dltool.Run outputs/first: lenet on digits, finished, ")


def test_an_evaluation_is_a_table(cells: dict[str, Any]) -> None:
    (shown,) = data_of(cells["evaluate"], "text/html")
    assert shown.startswith("<div>180 samples (val)<table>")


def test_figures_and_the_page_are_shown_and_not_written(cells: dict[str, Any]) -> None:
    (picture,) = data_of(cells["plot"], "text/html")
    assert 'src="data:image/png;base64,' in picture
    (frame,) = data_of(cells["report"], "text/html")
    assert frame.startswith("<iframe srcdoc=")
    assert 'sandbox="allow-scripts"' in frame
    assert not (cells["folder"] / "outputs/first/plots/compared_curves.png").exists()


def test_an_error_is_two_lines(cells: dict[str, Any]) -> None:
    (failure,) = failures(cells["typo"])
    assert failure.ename == "ConfigError"
    assert [line.split()[0] for line in failure.traceback] == ["error:", "hint:"]
    assert "optim.learning_rate" in failure.traceback[0]
    (other,) = failures(cells["no file"])
    assert other.traceback[0].endswith("nowhere.png does not exist")
    assert len(other.traceback) <= 2


def test_a_warning_is_a_message(cells: dict[str, Any]) -> None:
    assert "warning: " in streams([cells["warn"]], "stdout")
    assert streams([cells["others"]], "stdout") == "warning: FutureWarning: of another package\n"


def test_a_trace_is_shown(cells: dict[str, Any]) -> None:
    assert "step" in data_of(cells["trace"], "text/plain")[0]


def test_the_stop_button_gives_one_sentence(cells: dict[str, Any]) -> None:
    (failure,) = failures(cells["stop"])
    (line,) = failure.traceback
    assert line.startswith("interrupted at step ")
    assert line.endswith("which is saved; continue with: dltool.resume('outputs/stopped')")
    assert "continue" not in streams([cells["stop"]], "stdout")
    assert "interrupted" in next(data for data in data_of(cells["stop"], "text/html") if "<progress" in data)


def test_quiet_prints_the_folder_only(cells: dict[str, Any]) -> None:
    assert streams([cells["quiet"]], "stdout") == f"{Path('outputs/first')}\n"
    assert data_of(cells["quiet"], "text/html") == []
