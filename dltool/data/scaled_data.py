"""Data sets whose numbers are scaled."""

from typing import Any, Literal

from dltool.data.sample_data import LoadFunction, SampleData
from dltool.data.scaling import Scaling
from dltool.declarations.component import Handling


class ScaledData(SampleData):
    """Samples whose numbers are scaled.

    Args:
        load: Loads the data.
        scaling: "standardize" to mean 0 and deviation 1 per channel or feature, "unit" to [0, 1],
            "symmetric" to [-1, 1], "none"; always by the training split's statistics. "auto" standardises, unless the
            task needs bounded images.
        shared: See SampleData.
    """

    def __init__(
        self,
        load: LoadFunction,
        *,
        scaling: Handling[Literal["auto", "standardize", "unit", "symmetric", "none"]] = "auto",
        **shared: Any,
    ) -> None:
        super().__init__(load, **shared)
        self.scaling = scaling

    def _chosen_scaling(self, automatic: Scaling) -> Scaling:
        if self.scaling != "auto":
            return self.scaling
        self.choices["data.scaling"] = automatic
        return automatic
