"""What tasks say that their models can be used for is what they can do."""

import importlib
import inspect
import re
from pathlib import Path

import pytest
from torch import nn

from dltool.core.spec import DataSpec
from dltool.losses.cross_entropy import CrossEntropy
from dltool.losses.mse import MSE
from dltool.tasks import uses
from dltool.tasks.outputs import Suggestion
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Task

FOLDER = Path(uses.__file__).parent
MODULES = [importlib.import_module(f"dltool.tasks.{path.stem}") for path in sorted(FOLDER.glob("*.py"))]
TASKS = {name: found for module in MODULES for name, found in inspect.getmembers(module, inspect.isclass)
         if issubclass(found, Task)}  # fmt: skip
WORDS = re.findall(r"^\| (\w+) \|", uses.__doc__ or "", re.MULTILINE)[1:]
# A task that names the word has these.
METHODS = {
    "generate": ["draw_codes", "decode", "interpolate", "cycle_labels", "samples"],
    "reconstruct": ["codes", "reconstruct"],
    "translate": ["translate", "directions"],
    "write": ["searching"],
    "compare": ["word_vectors"],
}


@pytest.mark.parametrize("name", TASKS)
def test_each_word_is_known_and_its_methods_are_there(name: str) -> None:
    task = TASKS[name]
    assert set(task.uses) <= set(WORDS)
    for word in task.uses:
        assert all(hasattr(task, method) for method in METHODS.get(word, []))


def bare(name: str) -> Task:
    """The task without what its constructor makes."""
    task: Task = TASKS[name].__new__(TASKS[name])
    return task


def test_the_questions() -> None:
    questions = {
        "VaeTask": (uses.generates, uses.reconstructs),
        "GanTask": (uses.generates,),
        "CycleGanTask": (uses.translates_images,),
        "LanguageModelTask": (uses.continues_text,),
        "TranslationTask": (uses.writes_text,),
        "Word2VecTask": (uses.has_word_vectors,),
        "SupervisedTask": (),
    }
    every = {question for those in questions.values() for question in those}
    for name, expected in questions.items():
        assert {question for question in every if question(bare(name))} == set(expected)


def test_what_is_suggested_after_a_training() -> None:
    rows, texts = DataSpec((4,)), DataSpec((4,), num_tokens=9)
    assert bare("SupervisedTask").suggestion(rows) == Suggestion("predict", "predict", "--input FILE")
    assert bare("TranslationTask").suggestion(texts) == Suggestion("predict", "predict", "--text 'TEXT'")
    assert bare("CycleGanTask").suggestion(rows) == Suggestion("translate", "predict", "--input FILE --direction A2B")
    assert (
        bare("GanTask").suggestion(rows)
        == bare("LanguageModelTask").suggestion(texts)
        == Suggestion("sample", "sample")
    )
    assert bare("Word2VecTask").suggestion(texts) is None


def test_classes_are_said_where_the_data_has_some() -> None:
    classes, numbers = DataSpec((4,), class_names=("a", "b")), DataSpec((4,), "numbers")
    classifier = SupervisedTask(nn.Linear(4, 2), CrossEntropy(classes), classes)
    assert "classify" in classifier.uses
    assert classifier.probabilities is not None
    regression = SupervisedTask(nn.Linear(4, 1), MSE(numbers), numbers)
    assert "classify" not in regression.uses
    assert regression.probabilities is None


def test_a_model_says_whether_it_takes_longer_texts() -> None:
    task = Task(nn.Linear(1, 1))
    assert not task.takes_any_length
    task.model.max_length = None  # type: ignore[assignment]
    assert task.takes_any_length
