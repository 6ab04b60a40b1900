"""What is measured in a training, and how often."""

from dataclasses import dataclass
from typing import Literal

from dltool.declarations.component import Positive, register


@register("diagnostics", "none")
@dataclass(frozen=True, kw_only=True)
class NoDiagnostics:
    """Measures nothing, and costs nothing."""


@register("diagnostics", "default")
@dataclass(frozen=True, kw_only=True)
class DiagnosticsSettings:
    """Measurements of the network in training, in diagnostics/ and plots/ of the run folder.

    They change nothing: the weights at the end are bitwise those without them. Measured are the steps 0, 1, 2, 4 … 64
    and then every n-th one, before it is taken.

    Attributes:
        layers: Of each layer: norms of activations and gradients, saturation, dead units, the relative size of the
            update; drawn as plots/layers.png and plots/layer_norms.png.
        weights: Keep the weights of up to 64 steps, at most 48 MB, for paths and decision boundaries.
        num_samples: Training samples on which the layers are measured; the same in every step.
        every_n_steps: The period; "auto" is 50 for batches of at least 32 samples and longer for smaller ones, and
            at most 400 measurements per run.
        noise: Measure the gradient noise scale tr Σ / ‖G‖² from the gradients of the single samples, in as many
            additional steps as there are samples; not for batch norm, and not for GANs.
    """

    layers: bool = True
    weights: bool = True
    num_samples: Positive[int] = 32
    every_n_steps: Positive[int] | Literal["auto"] = "auto"
    noise: bool = False
