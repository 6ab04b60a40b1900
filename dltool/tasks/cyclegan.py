"""Translation between two domains of unpaired images."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.declarations.component import NonNegative, register, requires
from dltool.metrics.mean import Mean, MeanOver
from dltool.models.cyclegan import CycleGan
from dltool.tasks.image_pool import ImagePool
from dltool.tasks.outputs import Network, Picture, Suggestion
from dltool.tasks.task import Loss, Source, Task, Updater

DIRECTIONS = ("A2B", "B2A")
NUM_COLUMNS = 8  # Of the sample figure.
TO_UNIT = 0.5  # A difference of images in [-1, 1] as one of pixels in [0, 1].


class Cycle(NamedTuple):
    """Images of both domains, translated and back, each `(B, C, H, W)`."""

    fake_b: Tensor
    back_a: Tensor
    fake_a: Tensor
    back_b: Tensor


@register("task", "cyclegan", loss_for="own", pixels="symmetric")
@requires(
    lambda config: config.data.targets == "images",
    "task=cyclegan translates between two domains of images, but this data has one",
    hint="data=unpaired_folders data.root=FOLDER, or data=digit_pairs",
)
@requires(
    lambda config: config.optim.name != "lbfgs",
    "LBFGS evaluates a loss several times per step, but adversarial losses change with every step",
    hint="optim=adam_gan",
)
class CycleGanTask(Task):
    """Zhu, Park, Isola and Efros (2017, arXiv:1703.10593), in the order of the authors' `optimize_parameters`.

    First both generators take one step, with one optimizer, on

        L = mse(D_B(G_A2B(a)), 1) + mse(D_A(G_B2A(b)), 1)
            + λ (|G_B2A(G_A2B(a)) - a| + |G_A2B(G_B2A(b)) - b|) + λ·ι (|G_A2B(b) - b| + |G_B2A(a) - a|),

    then both discriminators one, with one optimizer, on the sum of ½ (mse(D(real), 1) + mse(D(fake), 0)), where the
    fakes come from a pool of older ones (dltool.tasks.image_pool). The adversarial loss is least squares (Mao et al.
    2017, arXiv:1611.04076; section 4 here), |·| the mean of absolute differences (equation 2), and the identity loss
    that of section 5.2. The halved loss of D is the paper's "divide the objective by 2".

    Logged: "g_loss" and "d_loss" as minimized; "cycle_l1" and "identity_l1", in pixels of [0, 1], over both domains;
    "d_real" and "d_fake", the mean scores of patches, with targets 1 and 0. An evaluation has "cycle_l1_a" and
    "cycle_l1_b", for each domain's images translated there and back, and with a classifier "class_kept_A2B",
    "class_kept_B2A" and "class_kept", the share of translations with the class of their original, and
    "classifier_accuracy" on the images themselves. A generator that changes nothing also has cycle_l1 = 0: the metric
    shows whether information is lost, not whether the translation works.

    Args:
        cycle_weight: λ.
        identity_weight: ι, as a share of λ; 0 disables that loss. The paper uses it only for paintings to photographs,
            the authors' code by default. It favours the identity mapping, which is harmful if the domains differ in
            brightness.
        pool_size: Number of fakes of each domain that are kept for the discriminators; 0 for none.

    Attributes:
        classifier: Returns logits for images `(B, C, H, W)` of either domain, pixels in [0, 1]; None measures no
            classes.
    """

    model: CycleGan
    uses = ("translate",)
    directions = DIRECTIONS
    main_metric = ("cycle_l1", "min")
    metric_directions: ClassVar[dict[str, str]] = {
        "cycle_l1": "min",
        "cycle_l1_*": "min",
        "identity_l1": "min",
        "g_loss": "min",
        "d_loss": "min",
        "class_kept": "max",
        "class_kept_*": "max",
        "classifier_accuracy_*": "max",
    }

    def __init__(
        self,
        model: CycleGan,
        loss: None,
        spec: DataSpec,
        *,
        cycle_weight: NonNegative[float] = 10.0,
        identity_weight: NonNegative[float] = 0.5,
        pool_size: NonNegative[int] = 50,
    ) -> None:
        super().__init__(model)
        self.spec = spec
        self.a2b, self.b2a = (model.generators[direction] for direction in DIRECTIONS)
        self.discriminator_a, self.discriminator_b = model.discriminators["A"], model.discriminators["B"]
        self.roles = {"generators": model.generators, "discriminators": model.discriminators}
        self.cycle_weight = cycle_weight
        self.identity_weight = identity_weight
        self.pool_a, self.pool_b = ImagePool(pool_size), ImagePool(pool_size)
        self.classifier: Callable[[Tensor], Tensor] | None = None
        self._fakes: list[tuple[Tensor, Tensor]] = []  # Of this step's (micro-)batches, of A and of B.

    def train_step(self, source: Source, updaters: Mapping[str, Updater]) -> dict[str, Mean]:
        batch = source.draw()
        self._fakes = []
        logs = updaters["generators"].minimize(self.generators_loss, batch)
        made = (torch.cat(fakes) for fakes in zip(*self._fakes, strict=True))
        fake_a, fake_b = (updaters["generators"].joined(fakes, batch) for fakes in made)
        fake_a, fake_b = self.pool_a.query(fake_a), self.pool_b.query(fake_b)
        # Real and fake side by side, (B, 2, C, H, W), so that micro-batches have both.
        shown = Batch(torch.stack([batch.inputs, fake_a], 1), torch.stack([batch.targets, fake_b], 1), batch.full_size)
        return {**logs, **updaters["discriminators"].minimize(self.discriminators_loss, shown)}

    def generators_loss(self, batch: Batch) -> Loss:
        a, b = batch.inputs, batch.targets
        made = self.translated(a, b)
        self._fakes.append((made.fake_a.detach(), made.fake_b.detach()))
        adversarial = squared_distance(self.discriminator_b(made.fake_b), 1.0) + squared_distance(
            self.discriminator_a(made.fake_a), 1.0
        )
        cycle = F.l1_loss(made.back_a, a) + F.l1_loss(made.back_b, b)
        loss = adversarial + self.cycle_weight * cycle
        logs = {"cycle_l1": MeanOver(TO_UNIT * cycle.detach() / 2, batch.size)}
        if self.identity_weight:
            identity = F.l1_loss(self.a2b(b).float(), b) + F.l1_loss(self.b2a(a).float(), a)
            loss = loss + self.cycle_weight * self.identity_weight * identity
            logs["identity_l1"] = MeanOver(TO_UNIT * identity.detach() / 2, batch.size)
        return Loss(loss, batch.size, {"g_loss": MeanOver(loss.detach(), batch.size), **logs})

    def discriminators_loss(self, shown: Batch) -> Loss:
        real_a, fake_a = self.discriminator_a(shown.inputs[:, 0]), self.discriminator_a(shown.inputs[:, 1])
        real_b, fake_b = self.discriminator_b(shown.targets[:, 0]), self.discriminator_b(shown.targets[:, 1])
        loss = 0.5 * (squared_distance(real_a, 1.0) + squared_distance(fake_a, 0.0))
        loss = loss + 0.5 * (squared_distance(real_b, 1.0) + squared_distance(fake_b, 0.0))
        logs = {"d_loss": MeanOver(loss.detach(), shown.size)}
        return Loss(loss, shown.size, {**logs, **scores([real_a, real_b], [fake_a, fake_b])})

    def translated(self, a: Tensor, b: Tensor) -> Cycle:
        """Translate there and back, in float32 also under autocast."""
        fake_b, fake_a = self.a2b(a), self.b2a(b)
        return Cycle(fake_b.float(), self.b2a(fake_b).float(), fake_a.float(), self.a2b(fake_a).float())

    def translate(self, images: Tensor, direction: str) -> Tensor:
        """Translate images from one domain to the other, float32 `(B, C, H, W)` in [-1, 1]."""
        translated: Tensor = self.model.generators[direction](images).float()
        return translated

    def suggestion(self, spec: DataSpec) -> Suggestion:
        return Suggestion("translate", "predict", "--input FILE --direction A2B")

    def picture(self, count: int, held_out: Callable[[int], Batch]) -> Picture:
        """Six rows: held-out images of A, their translations, and these translated back; then the same for B."""
        batch = held_out(NUM_COLUMNS)
        num_columns = min(NUM_COLUMNS, len(batch.inputs), len(batch.targets))
        a, b = batch.inputs[:num_columns], batch.targets[:num_columns]
        made = self.translated(a, b)
        rows = torch.cat([a, made.fake_b, made.back_a, b, made.fake_a, made.back_b])
        return Picture(rows, num_columns, ("A", "A → B", "A → B → A", "B", "B → A", "B → A → B"))

    @property
    def evaluation_adds_up(self) -> bool:
        return self.only_sums_metrics

    def evaluate(self, batch: Batch) -> dict[str, Mean]:
        """Evaluate both directions; at the end of a split, one of the two domains can be missing."""
        ways = {
            "A2B": (self.a2b, self.b2a, self.discriminator_a, self.discriminator_b),
            "B2A": (self.b2a, self.a2b, self.discriminator_b, self.discriminator_a),
        }
        logs: dict[str, Mean] = {}
        of_real, of_fake = [], []
        labels = batch.labels or (None, None)
        for direction, real, known in zip(DIRECTIONS, (batch.inputs, batch.targets), labels, strict=True):
            if len(real) == 0:
                continue
            there, back, discriminator_here, discriminator_there = ways[direction]
            fake = there(real)
            error = TO_UNIT * (back(fake).float() - real).abs().flatten(1).mean(1)  # (B,)
            logs[f"cycle_l1_{direction[0].lower()}"] = Mean(error.sum(), len(error))
            of_real.append(discriminator_here(real))
            of_fake.append(discriminator_there(fake))
            if self.classifier is not None:
                logs |= self.classes_kept(direction, real, fake.float(), known)
        return {**logs, **scores(of_real, of_fake)}

    def classes_kept(self, direction: str, real: Tensor, fake: Tensor, known: Tensor | None) -> dict[str, Mean]:
        """The number of translations that the classifier assigns to the class of their original; if that is unknown, to
        its prediction for the original."""
        assert self.classifier is not None
        predicted = self.classifier(TO_UNIT * (real + 1)).argmax(1)
        true = predicted if known is None else known
        kept = (self.classifier(TO_UNIT * (fake + 1)).argmax(1) == true).count_nonzero()
        logs = {f"class_kept_{direction}": Mean(kept, len(real))}
        if known is not None:
            logs[f"classifier_accuracy_{direction[0]}"] = Mean((predicted == known).count_nonzero(), len(real))
        return logs

    def finish_evaluation(self, metrics: dict[str, float]) -> dict[str, float]:
        """Both domains have the same weight, regardless of their numbers of images."""
        both = {"cycle_l1": ("cycle_l1_a", "cycle_l1_b"), "class_kept": ("class_kept_A2B", "class_kept_B2A")}
        means = {
            name: sum(metrics[part] for part in parts) / len(parts)
            for name, parts in both.items()
            if all(part in metrics for part in parts)
        }
        return means | metrics

    def state_dict(self) -> dict[str, Any]:
        return {"pool_a": self.pool_a.images, "pool_b": self.pool_b.images}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.pool_a.images, self.pool_b.images = state["pool_a"], state["pool_b"]

    @property
    def networks(self) -> dict[str, Network]:
        bounds = "scaled to -1 … 1"
        return {
            **{
                direction: Network(
                    self.model.generators[direction],
                    takes=f"images of {direction[0]}, {bounds}",
                    gives=f"images of {direction[2]}, {bounds}",
                )
                for direction in DIRECTIONS
            },
            **{
                f"discriminator_{domain}": Network(
                    self.model.discriminators[domain],
                    takes=f"images, {bounds}",
                    gives=f"a score for each patch; 1 means an image of {domain}, 0 a translation",
                )
                for domain in "AB"
            },
        }


def squared_distance(scores: Tensor, target: float) -> Tensor:
    """Mean squared distance of the scores of patches, `(B, 1, h, w)`, from a target."""
    return (scores.float() - target).square().mean()


def scores(real: list[Tensor], fake: list[Tensor]) -> dict[str, Mean]:
    """The discriminators' scores for images of both domains and for translations into both, averaged over patches."""
    means = {}
    for name, parts in (("d_real", real), ("d_fake", fake)):
        per_image = torch.cat([part.detach().float().flatten(1).mean(1) for part in parts])  # (B,) of both.
        means[name] = Mean(per_image.sum(), len(per_image))
    return means
