"""The names by which `task.metrics` asks a generative task for measures of its samples."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest

# Name to what it needs: features of samples and data, a classifier, the classes asked for, or pixels.
SAMPLE_METRICS = {
    "fd": "features",
    "kid": "features",
    "precision": "features",
    "recall": "features",
    "density": "features",
    "coverage": "features",
    "modes": "classes",
    "kl_to_uniform": "classes",
    "class_accuracy": "classes",
    "nearest": "pixels",
}
GROUPS = {"prdc": ("precision", "recall", "density", "coverage")}
LENET = "lenet"
NUM_SAMPLES = 10_000


@dataclass(frozen=True)
class SampleMetrics:
    """What is to be measured of a generative model's samples.

    Attributes:
        names: Keys of SAMPLE_METRICS, each once.
        num_samples: That are drawn, at most as many as there is data to hold them against; "auto" is at most 10,000.
        features: "lenet" is a classifier that dltool trains on the data; else the file of Inception's weights.
    """

    names: tuple[str, ...] = ()
    num_samples: int | Literal["auto"] = "auto"
    features: str = LENET

    @classmethod
    def of(
        cls, names: Sequence[str] | None, num_samples: int | Literal["auto"] = "auto", features: str = LENET
    ) -> "SampleMetrics":
        """What the keys of a task ask for.

        Raises:
            ConfigError: There is no such metric.
        """
        asked: dict[str, None] = {}
        for name in names or ():
            if name not in SAMPLE_METRICS and name not in GROUPS:
                known = sorted([*SAMPLE_METRICS, *GROUPS])
                near = nearest(name, known)
                raise ConfigError(
                    f"task.metrics: {name}: there is no such metric of samples; there are {', '.join(known)}",
                    f"did you mean {near}?" if near else "'task.metrics=[fd,modes]'",
                )
            asked.update(dict.fromkeys(GROUPS.get(name, (name,))))
        return cls(tuple(asked), num_samples, features)

    def need(self, what: str) -> bool:
        """Whether a metric needs "features", "classes" or "pixels"."""
        return any(SAMPLE_METRICS[name] == what for name in self.names)

    @property
    def logged(self) -> dict[str, str]:
        """The names as they are logged, of those whose value depends on the network: fd_lenet, or fid_inception."""
        if self.features == LENET:
            return {"fd": "fd_lenet", "kid": "kid_lenet"}
        return {"fd": "fid_inception", "kid": "kid_inception"}

    @property
    def reported(self) -> list[str]:
        """Every name under which an evaluation reports them."""
        several = {"nearest": ["nearest_distance", "copies"], "kid": [self.logged["kid"], f"{self.logged['kid']}_sd"]}
        return [key for name in self.names for key in several.get(name, [self.logged.get(name, name)])]

    @property
    def main(self) -> tuple[str, str] | None:
        """The metric that the best checkpoint follows, and its direction; None where nothing is a distance."""
        return (self.logged["fd"], "min") if "fd" in self.names else None

    @property
    def count(self) -> int:
        """The most samples that are drawn."""
        return NUM_SAMPLES if self.num_samples == "auto" else self.num_samples
