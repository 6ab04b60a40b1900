"""No alarm is given in the first minute of any built-in model with its default settings."""

import csv
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from pydoc_data.topics import topics

import pytest

from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.declarations.options import option_files
from dltool.diagnostics.store import read_alarms
from dltool.engine.observer import Watched
from dltool.observers.standard import build_diagnostics
from dltool.runs.folder import RunFolder

# The models that cannot learn from the default data, which are images of digits.
OTHER_DATA = {
    "bag_of_words": ("text_csv", "data.path=topics.csv", "data.text=text", "data.target=topic"),
    "cyclegan": ("digit_pairs",),
    "gpt": ("pydoc",),
    "perceptron": ("logic",),
    "transformer": ("numbers",),
    "word2vec": ("corpus", "data.path=corpus.txt"),
}
WATCHED = ("diagnostics=default", "diagnostics.weights=false", "logger.plots=false", "trainer.test=none")


def write_texts(folder: Path) -> None:
    """Python's help: a corpus of all its paragraphs, and those of its five longest topics with the topic's name."""
    longest = sorted(topics, key=lambda name: len(topics[name]))[-5:]
    (folder / "corpus.txt").write_text("\n".join(topics.values()), encoding="utf-8")
    with (folder / "topics.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "topic"])
        rows.writerows(
            [" ".join(part.split()), name] for name in longest for part in topics[name].split("\n\n") if part.strip()
        )


@pytest.mark.slow
@pytest.mark.parametrize("model", option_files("model"))
def test_no_alarm(
    model: str, configure: Callable[..., Config], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if model in ("timm", "torchvision") and find_spec(model) is None:
        pytest.skip(f"{model} is not installed")
    monkeypatch.chdir(tmp_path)
    write_texts(tmp_path)
    data, *words = OTHER_DATA.get(model, ("digits",))
    config = configure(f"model={model}", f"data={data}", *words, *WATCHED, "stop.max_minutes=1")
    parts = prepare(config)
    run = RunFolder(tmp_path / "run")
    trainer = build_trainer(parts, run)
    watched = Watched(run.files, parts.spec, model, data, parts.dataset.first_batch, lambda _: None)
    trainer.observers = [build_diagnostics(parts, watched)]
    trainer.fit()
    assert read_alarms(run.path / "diagnostics") == []
