"""A metric of a generative model's samples: are they as rough as the data?

To run it, then to use the run:

    dltool train --trust sample_metric.py model=gan data=digits trainer.epochs=5 'task.metrics=[roughness]'
    dltool evaluate --trust sample_metric.py RUN 'task.metrics=[roughness]'
"""

import math

from torch import Tensor

from dltool.declarations.component import register
from dltool.metrics.metric import State
from dltool.metrics.sample_metric import Images, SampleMetric


# `needs`: what is computed of each image: "pixels" are the images themselves, "features" those of a network, "classes"
# what a classifier predicts, which dltool first trains on the data. `direction`: less is better.
@register("metric", "roughness", of="samples", needs="pixels", direction="min")
class Roughness(SampleMetric):
    """|log(TV of the samples / TV of held-out data)|, where TV is the mean difference of neighbouring pixels.

    0 is as rough as the data. A generator that draws noise has more, one that draws blurred images has, too: both are
    seen in the figures of samples/.
    """

    def reset(self) -> None:
        self.sums = [0.0, 0.0]
        self.counts = [0, 0]

    def update(self, samples: Images, held_out: Images) -> None:
        """Add some samples of the model and some of the data; either may be empty."""
        for i, images in enumerate((samples, held_out)):
            if len(images.pixels):
                self.sums[i] += float(total_variation(images.pixels).sum())
                self.counts[i] += len(images.pixels)

    # For evaluations in several processes: what was added, and how it is added to that of another process.

    def state(self) -> State:
        return {"sums": tuple(self.sums), "counts": tuple(self.counts)}

    def merge_state(self, state: State) -> None:
        self.sums = [a + b for a, b in zip(self.sums, state["sums"], strict=True)]
        self.counts = [a + b for a, b in zip(self.counts, state["counts"], strict=True)]

    def compute(self) -> float:
        of_samples, of_data = (total / count for total, count in zip(self.sums, self.counts, strict=True))
        return abs(math.log(max(of_samples, 1e-6) / of_data))


def total_variation(pixels: Tensor) -> Tensor:
    """The mean absolute difference of neighbouring pixels, `(N,)`, for uint8 `(N, C, H, W)`."""
    values = pixels.float()  # In uint8, 3 - 5 would be 254.
    return values.diff(dim=2).abs().mean((1, 2, 3)) + values.diff(dim=3).abs().mean((1, 2, 3))
