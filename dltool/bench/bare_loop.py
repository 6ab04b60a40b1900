"""A carefully hand-written training loop, as the baseline for dltool's own.

It has the same model, loss, optimizer, batch size and data in memory, and uses every cheap optimization: fused
optimizers, gradients set to None, one indexing and one in-place normalization per batch. It has no schedule, logs or
checks.
"""

import copy
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any, NamedTuple, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.bench.bare_batches import Batches, batches_in_memory
from dltool.build.components import build_data, build_model, build_spec, build_task
from dltool.config.check import Config
from dltool.config.settings import TrainerSettings
from dltool.core.batch import Batch
from dltool.core.errors import DataError
from dltool.data.dataset import Dataset
from dltool.declarations.construct import build_component, factory_of
from dltool.engine.device import choose_device, choose_threads
from dltool.losses.criterion import Criterion
from dltool.losses.cross_entropy import CrossEntropy
from dltool.tasks.gan import GanTask
from dltool.tasks.language_model import LanguageModelTask, detached
from dltool.tasks.supervised import SupervisedTask
from dltool.tasks.task import Task
from dltool.warm_start.from_data import initialize_from_data


class Ingredients(NamedTuple):
    """The parts of a loop."""

    task: Task
    optimizers: dict[str, torch.optim.Optimizer]
    settings: TrainerSettings
    device: torch.device
    batches: Batches


class BareLoop(ABC):
    """Base class of the hand-written loops: one optimizer step.

    Attributes:
        batches: The source of the next batch; may be replaced.
        model: In training mode.
        before_part: Called with the number of each micro-batch before it is computed.
    """

    def __init__(self, ingredients: Ingredients) -> None:
        task, self.optimizers, settings, self.device, self.batches = ingredients
        self.model: nn.Module = task.model.train()
        self.clip_norm, self.clip_value = settings.clip_norm, settings.clip_value
        self.accumulate = settings.accumulate
        self.before_part: Callable[[int], None] = lambda number: None
        dtype = {32: None, "bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}[settings.precision]
        self.autocast: Any = torch.autocast(self.device.type, dtype) if dtype else nullcontext()
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=dtype is torch.float16)
        self.is_plain = dtype is None and not (self.clip_norm or self.clip_value) and self.accumulate == 1

    def run(self, num_steps: int) -> None:
        for _ in range(num_steps):
            self.step()

    @abstractmethod
    def step(self) -> None:
        """One step of the training."""

    def update(
        self,
        optimizer: torch.optim.Optimizer,
        loss: Callable[[Tensor, Tensor], Tensor],
        inputs: Tensor,
        targets: Tensor,
    ) -> None:
        """Zero, forward, backward, step; with clipping, accumulation and mixed precision if configured."""
        if isinstance(optimizer, torch.optim.LBFGS):
            optimizer.step(lambda: self.backward(optimizer, loss, inputs, targets))
        elif self.is_plain:
            optimizer.zero_grad(set_to_none=True)
            loss(inputs, targets).backward()
            optimizer.step()
        else:
            self.backward(optimizer, loss, inputs, targets)
            self.scaler.unscale_(optimizer)
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            if self.clip_value:
                nn.utils.clip_grad_value_(parameters, self.clip_value)
            if self.clip_norm:
                nn.utils.clip_grad_norm_(parameters, self.clip_norm)
            self.scaler.step(optimizer)
            self.scaler.update()

    def backward(
        self,
        optimizer: torch.optim.Optimizer,
        loss: Callable[[Tensor, Tensor], Tensor],
        inputs: Tensor,
        targets: Tensor,
    ) -> Tensor | float:
        """Compute the gradient over micro-batches, weighted by their samples; returns the loss."""
        optimizer.zero_grad(set_to_none=True)
        total: Tensor | float = 0.0
        parts = zip(inputs.tensor_split(self.accumulate), targets.tensor_split(self.accumulate), strict=True)
        for number, (x, y) in enumerate(parts):
            if len(x):
                self.before_part(number)
                with self.autocast:
                    part = loss(x, y) * (len(x) / len(inputs))
                self.scaler.scale(part).backward()
                total = total + part.detach()
        return total


class SupervisedLoop(BareLoop):
    """The loop of a supervised task."""

    def __init__(self, ingredients: Ingredients) -> None:
        super().__init__(ingredients)
        task = cast("SupervisedTask", ingredients.task)
        (self.optimizer,) = self.optimizers.values()
        self.criterion = task.criterion
        self.penalty = task.penalty if task.l1 or task.l2 else None
        self.is_cross_entropy, self.label_smoothing = cross_entropy_settings(task.criterion)

    def step(self) -> None:
        inputs, targets = next(self.batches)[:2]
        self.update(self.optimizer, self.loss, inputs, targets)

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        outputs = self.model(inputs)
        if self.is_cross_entropy:
            loss = F.cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)
        else:
            loss, _ = self.criterion(outputs.float(), targets)
            if self.criterion.sums:
                loss = loss * (len(targets) * self.accumulate)
        return loss if self.penalty is None else loss + self.penalty()


class GanLoop(BareLoop):
    """k steps of D, then one of G with D's parameters frozen."""

    def __init__(self, ingredients: Ingredients) -> None:
        super().__init__(ingredients)
        task = cast("GanTask", ingredients.task)
        self.task, self.networks, self.discriminator, self.criterion = (
            task,
            task.model,
            task.discriminator,
            task.criterion,
        )
        self.trained = [parameter for parameter in task.discriminator.parameters() if parameter.requires_grad]

    def step(self) -> None:
        for _ in range(self.task.steps_of_discriminator()):
            self.criterion.constrain(self.discriminator)
            inputs, targets = next(self.batches)[:2]
            self.update(self.optimizers["discriminator"], self.discriminator_loss, inputs, targets)
        self.let_discriminator_learn(False)
        self.update(self.optimizers["generator"], self.generator_loss, inputs, targets)
        self.let_discriminator_learn(True)
        self.task.num_steps += 1

    def let_discriminator_learn(self, learn: bool) -> None:
        for parameter in self.trained:
            parameter.requires_grad_(learn)

    def discriminator_loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        with torch.no_grad():
            fakes = self.networks.generate(self.networks.noise(len(inputs)), targets)
        real = self.networks.discriminate(inputs, targets).float()
        loss = self.criterion.discriminator(real, self.networks.discriminate(fakes, targets).float())
        sample_evaluator = partial(self.networks.discriminate, labels=targets)
        penalty = self.criterion.penalty(sample_evaluator, inputs, fakes, self.task.num_steps)
        return loss if penalty is None else loss + penalty

    def generator_loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        fakes = self.networks.generate(self.networks.noise(len(inputs)), targets)
        fake = self.networks.discriminate(fakes, targets).float()
        real = self.networks.discriminate(inputs, targets).float() if self.criterion.compares else None
        return self.criterion.generator(fake, real)


class LanguageModelLoop(BareLoop):
    """The cross-entropy of every token; a recurrent model continues from the detached state of the previous batch."""

    def __init__(self, ingredients: Ingredients) -> None:
        super().__init__(ingredients)
        task = cast("LanguageModelTask", ingredients.task)
        (self.optimizer,) = self.optimizers.values()
        self.language_model = task.language_model
        self.criterion = task.criterion
        self.is_cross_entropy, self.label_smoothing = cross_entropy_settings(task.criterion)
        self.carries_state = task.carries_state
        self.state: Any = None

    def step(self) -> None:
        batch = next(self.batches)
        if not batch.continues:
            self.state = None
        self.update(self.optimizer, self.loss, batch.inputs, batch.targets)

    def loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        if self.carries_state:
            outputs, state = self.language_model.advance(inputs, self.state)
            self.state = detached(state)
        else:
            outputs = self.model(inputs)
        outputs, targets = outputs.flatten(0, 1), targets.flatten()  # (B · T, V), (B · T,)
        if self.is_cross_entropy:
            return F.cross_entropy(outputs, targets, label_smoothing=self.label_smoothing)
        return self.criterion(outputs.float(), targets)[0]


class ObjectiveLoop(BareLoop):
    """One update per batch that minimizes the task's own loss."""

    def __init__(self, ingredients: Ingredients) -> None:
        super().__init__(ingredients)
        self.task = ingredients.task
        (self.optimizer,) = self.optimizers.values()

    def step(self) -> None:
        inputs, targets = next(self.batches)[:2]
        self.update(self.optimizer, partial(self.loss, full_size=len(inputs)), inputs, targets)

    def loss(self, inputs: Tensor, targets: Tensor, full_size: int) -> Tensor:
        return self.task.loss(Batch(inputs, targets, full_size)).mean


def cross_entropy_settings(criterion: Criterion) -> tuple[bool, float]:
    """Whether torch's own cross-entropy computes the loss, and its label smoothing."""
    if isinstance(criterion, CrossEntropy) and criterion.class_weights is None:
        return True, criterion.label_smoothing
    return False, 0.0


# By the registered name of the task; each loop knows the attributes of that task.
LOOPS: dict[str, type[BareLoop]] = {
    "supervised": SupervisedLoop,
    "gan": GanLoop,
    "language_model": LanguageModelLoop,
}


def loop_for(config: Config) -> type[BareLoop] | None:
    """The hand-written loop of a task; None for one that does more than minimize its loss, and has no loop here."""
    declared = config.components["task"]
    task: type[Task] = factory_of(declared)
    return LOOPS.get(declared.name, ObjectiveLoop if task.only_minimizes() else None)


def has_bare_loop(config: Config, dataset: Dataset | None = None) -> bool:
    """Whether a hand-written loop exists for the training: on tensors in memory, without mixup or cutmix.

    Args:
        config: The config of the training.
        dataset: Prepared; without it data.residency=auto counts as in memory.
    """
    augment = config["data"].get("augment", {})
    in_memory = config["data"].get("residency") != "loader"
    if dataset is not None:
        in_memory = batches_in_memory(dataset.train) is not None
    return in_memory and not (augment.get("mixup") or augment.get("cutmix")) and loop_for(config) is not None


def build_bare_loop(config: Config) -> BareLoop:
    """The hand-written loop of a config, with device, data, model and optimizers.

    Raises:
        DataError: If the data is not in memory.
    """
    settings: TrainerSettings = build_component(config.components["trainer"], config["trainer"])
    device = choose_device(settings.device)
    torch.set_num_threads(choose_threads(settings.threads))
    dataset = build_data(config, device)
    if not has_bare_loop(config, dataset):
        raise DataError("the hand-written loop needs the data in memory", "data.residency=host")
    spec = build_spec(config, dataset)
    model = build_model(config, spec, device)
    initialize_from_data(model, dataset)
    task = build_task(config, model, spec)
    return bare_loop(config, task, dataset, settings)


def bare_loop_beside(config: Config, task: Task, dataset: Dataset, settings: TrainerSettings) -> BareLoop:
    """The hand-written loop over a copy of the task's networks and the same data."""
    return bare_loop(config, copy.deepcopy(task), dataset, settings)


def bare_loop(config: Config, task: Task, dataset: Dataset, settings: TrainerSettings) -> BareLoop:
    recipe = build_component(config.components["optim"], config["optim"])
    optimizers = {role: recipe.build(role, module, task.model) for role, module in task.roles.items()}
    loop, batches = loop_for(config), batches_in_memory(dataset.train)
    if loop is None or batches is None:
        raise DataError(
            f"no hand-written loop exists for task={config['task']['name']} on data={config['data']['name']}",
            f"tasks with one: {', '.join(LOOPS)}, and those that minimize one loss, with data in memory",
        )
    return loop(Ingredients(task, optimizers, settings, dataset.device, batches))
