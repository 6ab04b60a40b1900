"""The metrics of a generative model's samples that `task.metrics` names."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.declarations.registry import registrations
from dltool.declarations.source import component
from dltool.declarations.traits import MetricTraits
from dltool.metrics.directions import direction_of_value, reported_by

# What a metric of samples may need, in the order in which the values are reported: the features of a network, the
# classes that a classifier predicts, those and the requested classes, or pixels.
NEEDS = ("features", "classes", "labels", "pixels")
LENET, INCEPTION = "lenet", "inception"
NUM_SAMPLES = 10_000


@dataclass(frozen=True)
class SampleMetrics:
    """The requested metrics of a generative model's samples.

    Attributes:
        names: Names of registered metrics of samples, or of single values that one reports, each once.
        num_samples: The number of samples drawn, at most the number of held-out ones; "auto" is at most 10,000.
        features: "lenet" is a classifier that dltool trains on the data; else the file of Inception's weights.
    """

    names: tuple[str, ...] = ()
    num_samples: int | Literal["auto"] = "auto"
    features: str = LENET

    @classmethod
    def of(
        cls, names: Sequence[str] | None, num_samples: int | Literal["auto"] = "auto", features: str = LENET
    ) -> "SampleMetrics":
        """The metrics that the keys of a task request.

        Raises:
            ConfigError: If a name is not a metric of samples.
        """
        asked: dict[str, None] = {}
        unnamed = cls((), num_samples, features)
        for name in names or ():
            known = sorted({*registered_metrics(), *unnamed.values_of(*registered_metrics())})
            if name not in known:
                near = nearest(name, known)
                raise ConfigError(
                    f"task.metrics: {name} is not a metric of samples; known: {', '.join(known)}",
                    f"did you mean {near}?" if near else "'task.metrics=[fd,modes]'",
                )
            asked.update(dict.fromkeys(parts_of(name)))
        return cls(tuple(asked), num_samples, features)

    @property
    def network(self) -> str:
        """The network that computes the features."""
        return LENET if self.features == LENET else INCEPTION

    @property
    def registered(self) -> list[str]:
        """The registered metrics that report the requested values, in the order in which they are reported."""
        found = [one for one in registered_metrics() if {one, *self.values_of(one)} & {*self.names}]
        return sorted(found, key=lambda one: NEEDS.index(traits_of(one).needs))

    def values_of(self, *registered: str) -> list[str]:
        """The names under which registered metrics report their values, with this network."""
        return [value for one in registered for value in reported_by(one, self.network)]

    def need(self, *needs: str) -> bool:
        """Whether a metric needs one of NEEDS."""
        return any(traits_of(one).needs in needs for one in self.registered)

    @property
    def reported(self) -> list[str]:
        """All names that an evaluation reports, in its order."""
        return [
            value
            for one in self.registered
            for value in self.values_of(one)
            if one in self.names or value in self.names
        ]

    @property
    def distances(self) -> list[str]:
        """The first value of each metric whose value names depend on the network; it is printed with its full name."""
        named = [one for one in self.registered if isinstance(traits_of(one).reports, dict)]
        return [self.values_of(one)[0] for one in named]

    @property
    def main(self) -> tuple[str, str] | None:
        """The metric that selects the best checkpoint, and its direction; None if no Fréchet distance is requested."""
        distance = next((value for value in self.values_of("fd") if value in self.reported), None)
        return None if distance is None else (distance, direction_of_value("fd", distance) or "min")

    @property
    def count(self) -> int:
        """The maximum number of samples drawn."""
        return NUM_SAMPLES if self.num_samples == "auto" else self.num_samples


def registered_metrics() -> list[str]:
    """The registered metrics of samples."""
    return [name for name in registrations()["metric"] if traits_of(name).of == "samples"]


def parts_of(name: str) -> Sequence[str]:
    """The values that a metric reports if it reports several, else its name."""
    reports = traits_of(name).reports if name in registered_metrics() else None
    return reports if isinstance(reports, tuple) else (name,)


def traits_of(registered: str) -> MetricTraits:
    traits: MetricTraits = component("metric", registered).traits
    return traits
