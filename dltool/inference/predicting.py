"""Asks a run's model of raw samples, and joins what it says of them."""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import PAD, DataSpec
from dltool.data.preprocessing import Preprocessing
from dltool.data.text_preprocessing import TextPreprocessing
from dltool.inference.inputs import Raw, prepared
from dltool.inference.predictions import Predictions
from dltool.inference.sequence_predictions import ClozePredictions, TagPredictions, TextPredictions, check_blanks
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.tasks.cloze import ClozeTask
from dltool.tasks.tagging import TaggingTask
from dltool.tasks.task import Prediction, Task
from dltool.tasks.translation import TranslationTask
from dltool.tasks.views import View, averaged_over
from dltool.text.tokenizer import Tokenizer

if TYPE_CHECKING:
    from dltool.inference.run import Run

AnyPredictions = Predictions | TagPredictions | TextPredictions | ClozePredictions


def predict_run(
    run: "Run", inputs: Raw, *, views: Sequence[View], beam: int | None, length_penalty: float | None
) -> AnyPredictions:
    """See Run.predict."""
    task = searching(averaged_over(run.task, views, run.spec), run, beam, length_penalty)
    preprocessing = texts_for(task, run.preprocessing)
    names: list[str] = []
    parts: list[Prediction] = []
    with evaluation_mode(task.model), torch.no_grad(), run.autocast:
        for batch_names, batch in prepared(inputs, preprocessing, run.batch_size):
            if isinstance(task, ClozeTask):
                check_blanks(batch_names)
            names += batch_names
            parts.append(on_host(task.predict(batch.to(run.device))))
    if not parts:
        raise DataError("there is no input to predict from")
    if not isinstance(preprocessing, TextPreprocessing):
        return joined(task, names, parts, run.spec)
    if isinstance(task, ClozeTask):
        return ClozePredictions.of(names, parts, preprocessing.tokenizer)
    words = [preprocessing.tokenizer.words(name) for name in names] if isinstance(task, TaggingTask) else []
    return joined(task, names, parts, run.spec, words=words)


def texts_for(task: Task, preprocessing: Preprocessing) -> Preprocessing:
    """The preprocessing, of a cloze with blanks; a model without positions takes longer texts than it saw."""
    if not isinstance(preprocessing, TextPreprocessing):
        return preprocessing
    if getattr(task.model, "max_length", preprocessing.max_length) is None and not preprocessing.cut:
        preprocessing = replace(preprocessing, max_length=sys.maxsize)
    return replace(preprocessing, blanks=True, cut=False) if isinstance(task, ClozeTask) else preprocessing


def joined(
    task: Task,
    names: list[str],
    parts: Sequence[Prediction],
    spec: DataSpec,
    *,
    words: list[list[str]] | None = None,
    sources: list[str] | None = None,
) -> AnyPredictions:
    """What was said batch by batch as one, in the form that the task's answers have.

    Args:
        task: That was asked.
        names: What each sample is called.
        parts: What was said of each batch.
        spec: Of the data.
        words: Of each text, where each has a tag.
        sources: The texts that were read, where the names do not say them.
    """
    if isinstance(task, TaggingTask):
        return TagPredictions.of(names, words or [], parts, spec.class_names)
    if isinstance(task, TranslationTask):
        return TextPredictions.of(names, sources or [], parts, spec)
    return Predictions.of(names, parts, spec.class_names)


def searching(task: Task, run: "Run", beam: int | None, length_penalty: float | None) -> Task:
    """The task with another search, if one is asked for.

    Raises:
        ConfigError: It writes no text.
    """
    if beam is None and length_penalty is None:
        return task
    if not isinstance(task, TranslationTask):
        raise ConfigError(f"{run.title} writes no text, so that there is nothing to search", "without --beam")
    return task.searching(beam, length_penalty)


def on_host(prediction: Prediction) -> Prediction:
    """On an accelerator may not be room for what is said of many samples."""
    return Prediction(*(None if field is None else field.cpu() for field in prediction))  # type: ignore[arg-type]


def texts_of(tokens: Tensor, tokenizer: Tokenizer) -> list[list[str]]:
    """The words of each row of tokens `(B, T)`, without the padding."""
    return [[tokenizer.name(token) for token in row if token != PAD] for row in tokens.tolist()]
