"""Images of two domains, without pairs."""

from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import zip_longest
from typing import Any, Literal

from dltool.core.batch import Batch
from dltool.core.errors import DataError
from dltool.core.randomness import derive_seed
from dltool.data.augment import Augmentation
from dltool.data.dataset import Dataset, PrepareOptions
from dltool.data.fitted import Fitted
from dltool.data.image_preprocessing import ImagePreprocessing
from dltool.data.sample_data import SampleData
from dltool.data.unpaired_source import UnpairedSource
from dltool.declarations.component import Fraction, Handling, Membership, NonNegative, Positive


class UnpairedData(Dataset):
    """Two data sets of images, domain A and domain B, that are drawn together.

    A batch's inputs are images of A, its targets images of B, both scaled to [-1, 1]. Each domain is split, shuffled
    and augmented separately; B is converted to the size and the channels of A.

    Args:
        batch_size: Images of each domain per training step.
        eval_batch_size: The same for an evaluation batch; changes its speed and memory, not its result. "auto" takes as
            many as one translation can process in 256 MB, at most 512.
        drop_last: Leave out an epoch's last batch if it is smaller.
        val_fraction, test_fraction: Fractions of each domain's images for the validation and test split where the data
            has no official one; 0 for none.
        split_seed: Seed of the split, separate from the run's `seed`.
        augment: Augmentation of the training images of both domains; see Augmentation.

    Attributes:
        domains: A and B.
    """

    domains: tuple[SampleData, SampleData]
    preprocessing: ImagePreprocessing
    train: UnpairedSource

    def __init__(
        self,
        *,
        batch_size: Handling[Positive[int]] = 1,
        eval_batch_size: Handling[Positive[int] | Literal["auto"]] = "auto",
        drop_last: Handling[bool] = False,
        val_fraction: Membership[Fraction[float]] = 0.1,
        test_fraction: Membership[Fraction[float]] = 0.1,
        split_seed: Membership[NonNegative[int]] = 0,
        augment: Handling[Augmentation] = Augmentation(),  # noqa: B008 (frozen)
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.requested_eval_batch = eval_batch_size
        self.shared: dict[str, Any] = {
            "batch_size": batch_size,
            "eval_batch_size": eval_batch_size,
            "drop_last": drop_last,
            "val_fraction": val_fraction,
            "test_fraction": test_fraction,
            "split_seed": split_seed,
            "augment": augment,
            "scaling": "symmetric",
        }

    @abstractmethod
    def _make_domains(self) -> tuple[SampleData, SampleData]:
        """Both domains, not yet prepared."""

    def _prepare(self, options: PrepareOptions) -> None:
        a, b = self.domains = self._make_domains()
        fitted = None if options.fitted is None else of_a_domain(options.fitted)
        for name, domain in (("A", a), ("B", b)):
            domain.prepare(
                derive_seed(options.seed, "domain", name),
                self.device,
                options.model_traits,
                "symmetric",
                options.channels_last,
                fitted,
                options.cut,
                augmentation=options.augmentation,
            )
            fitted = Fitted(domain.preprocessing, domain.spec)
        if missing := set(a.sizes) ^ set(b.sizes):
            raise DataError(f"only one domain has a {min(missing)} split", "both domains or neither need one")
        assert isinstance(a.preprocessing, ImagePreprocessing)
        self.preprocessing = a.preprocessing
        self.spec = replace(a.spec, target="images")
        self.choices |= b.choices | a.choices
        both = [note for note in a.notes if note in b.notes]
        self.notes += both
        self.notes += [
            f"{n}: {note}" for n, d in zip("AB", (a, b), strict=True) for note in d.notes if note not in both
        ]
        counts = [", ".join(f"{count:,} {split}" for split, count in domain.sizes.items()) for domain in (a, b)]
        self.notes.append(f"A has {counts[0]}; B has {counts[1]} images, none paired")
        self.train = UnpairedSource(a.train, b.train, labelled=self._labelled)

    @property
    def _labelled(self) -> bool:
        return bool(self.spec.class_names)

    @property
    def sizes(self) -> dict[str, int]:
        """Images of both domains."""
        a, b = self.domains
        return {split: count + b.sizes[split] for split, count in a.sizes.items()}

    def sample_names(self, split: str) -> list[str]:
        return [f"{n}/{name}" for n, d in zip("AB", self.domains, strict=True) for name in d.sample_names(split)]

    def skipped_files(self) -> dict[str, str]:
        a, b = (domain.skipped_files() for domain in self.domains)
        return a | b

    def merge_skipped(self, gather: Callable[[Any], list[Any]]) -> None:
        for domain in self.domains:
            domain.merge_skipped(gather)

    def _set_eval_batch(self, size: int) -> None:
        for domain in self.domains:
            domain.eval_batch_size = size

    def drop_held_out(self) -> None:
        for domain in self.domains:
            domain.drop_held_out()

    def _batches(self, split: str) -> Iterator[Batch]:
        """Every image of each domain once: at the end, batches may have fewer or no images of one domain."""
        nothing = None
        for a, b in zip_longest(*(domain.evaluation(split) for domain in self.domains)):
            if nothing is None:
                nothing = Batch(a.inputs[:0], a.targets[:0], 0)
            a, b = a or nothing, b or nothing
            labels = (a.targets, b.targets) if self._labelled else None
            yield Batch(a.inputs, b.inputs, max(a.size, b.size), labels=labels)


def of_a_domain(fitted: Fitted) -> Fitted:
    """A run's preprocessing and spec as those of one domain: its targets are classes or none."""
    return Fitted(fitted.preprocessing, replace(fitted.spec, target="classes" if fitted.spec.class_names else "none"))
