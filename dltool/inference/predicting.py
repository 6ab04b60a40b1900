"""Computes the predictions of a run's model for raw samples."""

from collections.abc import Mapping, Sequence
from typing import Literal

import torch

from dltool.core.errors import ConfigError, DataError
from dltool.data.preprocessing import Preprocessing
from dltool.data.raw_inputs import Raw
from dltool.inference.loaded_run import LoadedRun
from dltool.layers.evaluation_mode import evaluation_mode
from dltool.tasks.predictions import AnyPredictions, Prediction
from dltool.tasks.task import Task
from dltool.tasks.uses import writes_text
from dltool.tasks.views import View, with_tta


def predict_run(
    run: LoadedRun,
    inputs: Raw,
    *,
    views: Sequence[View],
    beam: int | None,
    length_penalty: float | None,
    invert: bool,
    fit: Literal["crop", "squash", "digit"] | None,
    encoding: str,
) -> AnyPredictions:
    """See Run.predict."""
    if isinstance(inputs, Mapping):  # A single row.
        inputs = [inputs]
    task = searching(with_tta(run.task, views, run.spec), run, beam, length_penalty)
    preprocessing = preprocessing_for(task, run.preprocessing).adjusted(invert=invert, fit=fit)
    names: list[str] = []
    parts: list[Prediction] = []
    with run.reading(encoding), evaluation_mode(task.model), torch.no_grad(), run.autocast:
        for batch_names, batch in preprocessing.read_and_compare(inputs, run.batch_size, run.warn):
            names += batch_names
            parts.append(on_host(task.predict(batch.to(run.device))))
    if not parts:
        raise DataError("there is no input to predict for")
    return task.collect(names, parts, run.spec, preprocessing)


def preprocessing_for(task: Task, preprocessing: Preprocessing) -> Preprocessing:
    """The preprocessing of inputs for predictions."""
    return preprocessing.for_inference(any_length=task.takes_any_length, with_blanks="fill" in task.uses)


def searching(task: Task, run: LoadedRun, beam: int | None, length_penalty: float | None) -> Task:
    """The task, with another search if requested.

    Raises:
        ConfigError: The task writes no text.
    """
    if beam is None and length_penalty is None:
        return task
    if not writes_text(task):
        raise ConfigError(f"{run.title} writes no text, so --beam does not apply", "without --beam")
    return task.searching(beam, length_penalty)


def on_host(prediction: Prediction) -> Prediction:
    """Move predictions to the host: an accelerator may lack memory for those of many samples."""
    return Prediction(*(None if field is None else field.cpu() for field in prediction))  # type: ignore[arg-type]
