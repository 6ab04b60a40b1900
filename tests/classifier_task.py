"""A minimal classification task, for tests that need no config."""

import torch.nn.functional as F

from dltool.core.batch import Batch
from dltool.metrics.mean import MeanOver
from dltool.tasks.task import Loss, Task


class Classifier(Task):
    def loss(self, batch: Batch) -> Loss:
        mean = F.cross_entropy(self.model(batch.inputs), batch.targets)
        return Loss(mean, batch.size, {"loss": MeanOver(mean.detach(), batch.size)})
