"""An auxiliary training that another one needs first, such as that of the classifier for metrics of samples."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from dltool.build.prepare import prepare
from dltool.build.sample_quality import classifier_of
from dltool.build.trainer import build_trainer
from dltool.config.check import Config
from dltool.engine.signals import Interrupted
from dltool.runs.folder import RunFolder
from dltool.sample_quality.classifier import AnyClassifier
from dltool.sample_quality.reference_classifier import Trained


def train_aside(config: Config) -> Trained:
    """Train from scratch without a run folder, for another training that needs the result.

    Raises:
        KeyboardInterrupt: After a signal; nothing is kept.
    """
    parts = prepare(config)
    with tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(parts, RunFolder(Path(folder)))
        try:
            trainer.fit()
        except Interrupted as signal:
            raise KeyboardInterrupt from signal
    dataset = parts.dataset
    return Trained(
        parts.task.model, parts.spec, dataset.preprocessing, dict(trainer.progress.metrics), dict(dataset.sizes)
    )


def reference_classifier(data: Mapping[str, Any], device: torch.device) -> AnyClassifier:
    """A classifier of a data set's images, trained now or cached: `reference_classifier({"name": "digits"}, device)`.

    Called with uint8 pixels `(B, C, H, W)` it returns logits `(B, num_classes)`; `see` returns features too.
    """
    return classifier_of(data, None, device, train_aside)
