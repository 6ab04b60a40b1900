"""The same training in common alternatives: PyTorch's tutorials, and Lightning with its defaults.

Both read sample by sample through torchvision's transforms and a DataLoader without workers, with torch's default,
unfused optimizer. Images have the size that dltool gave them when it loaded them; if dltool resizes each batch, they
resize each image.
"""

import contextlib
import importlib.util
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data import Dataset as TorchDataset

from dltool.bench.bare_batches import Batches
from dltool.bench.bare_loop import LOOPS, SupervisedLoop, bare_loop_beside, has_bare_loop
from dltool.bench.stopwatch import Contestant, Seconds, Stopwatch, time_run
from dltool.build.parts import Parts
from dltool.config.check import Config
from dltool.core.spec import DataSpec
from dltool.data.batch_source import SamplesInMemory

NUM_WARM_STEPS = 10  # Steps of each Lightning run before the clock starts.


def build_peers(config: Config, parts: Parts, folder: Path) -> tuple[dict[str, Contestant], dict[str, str]]:
    """The alternatives that are installed and support this training.

    Args:
        config: The config of the training.
        parts: The parts of dltool's training; model and data are taken from them.
        folder: For Lightning's logs.

    Returns:
        Name to contestant, and name to the reason why one is missing.
    """
    builders: dict[str, tuple[str, Callable[..., Contestant]]] = {
        "DataLoader": ("torchvision", data_loader_peer),
        "Lightning": ("lightning", lightning_peer),
    }
    found: dict[str, Contestant] = {}
    missing: dict[str, str] = {}
    for name, (package, build) in builders.items():
        if reason := unsuited(config, parts):
            missing[name] = reason
        elif importlib.util.find_spec(package) is None:
            missing[name] = f"not installed; pip install {package}"
        else:
            loop = bare_loop_beside(config, parts.task, parts.dataset, parts.settings)
            assert isinstance(loop, SupervisedLoop)
            unfuse(loop.optimizer)
            found[name] = build(loop, usual_loader(parts), parts, folder)
    return found, missing


def unsuited(config: Config, parts: Parts) -> str | None:
    """Why the usual loops do not support this training, or None."""
    if LOOPS.get(config["task"]["name"]) is not SupervisedLoop or not has_bare_loop(config, parts.dataset):
        return f"no usual loop for task={config['task']['name']}"
    if parts.settings.accumulate > 1:
        return "their accumulation adds up batches, dltool's splits one: use trainer.accumulate=1 to compare"
    if config["optim"]["name"] == "lbfgs":
        return "no usual loop for optim=lbfgs"
    return None


def unfuse(optimizer: torch.optim.Optimizer) -> None:
    """Use torch's default, as in a script that does not set `fused`."""
    for group in optimizer.param_groups:
        if "fused" in group:
            group["fused"] = None


def data_loader_peer(loop: SupervisedLoop, loader: DataLoader[Any], parts: Parts, _: Path) -> Contestant:
    """`for inputs, targets in loader:`, epoch after epoch."""
    loop.batches = endless(loader, parts.device)
    return partial(time_run, loop.run, parts.device)


def endless(loader: DataLoader[Any], device: torch.device) -> Batches:
    while True:
        for inputs, targets in loader:
            yield inputs.to(device), targets.to(device)


def lightning_peer(loop: SupervisedLoop, loader: DataLoader[Any], parts: Parts, folder: Path) -> Contestant:
    """A LightningModule with one self.log, the default progress bar, the CSV logger; without checkpoints."""
    with quiet():
        import lightning
        from lightning.pytorch.loggers import CSVLogger

    class Module(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            self.model = loop.model

        def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
            loss = loop.loss(*batch)
            self.log("train_loss", loss)
            return loss

        def configure_optimizers(self) -> torch.optim.Optimizer:
            return loop.optimizer

    class Timer(lightning.Callback):
        """Times the steps after the first ones."""

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            if trainer.global_step == NUM_WARM_STEPS:
                self.stopwatch = Stopwatch(parts.device)
            elif trainer.global_step == trainer.max_steps:
                self.seconds = self.stopwatch.read()

    module = Module()

    def time_steps(num_steps: int) -> Seconds:
        timer, device = Timer(), parts.device
        with quiet():
            trainer = lightning.Trainer(
                max_steps=NUM_WARM_STEPS + num_steps,
                max_epochs=-1,
                accelerator={"cuda": "gpu"}.get(device.type, device.type),
                devices=[device.index or 0] if device.type == "cuda" else 1,
                precision="32-true" if parts.settings.precision == 32 else parts.settings.precision,
                gradient_clip_val=parts.settings.clip_norm,
                logger=CSVLogger(folder / "lightning"),
                default_root_dir=folder,
                enable_checkpointing=False,
                callbacks=[timer],
            )
            trainer.fit(module, loader)
        return timer.seconds

    return time_steps


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Discard all output, warnings and advice."""
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with (
        Path(os.devnull).open("w") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(action="ignore"),
    ):
        yield


def usual_loader(parts: Parts) -> DataLoader[Any]:
    source = parts.dataset.train.samples_in_memory()
    assert source is not None  # Checked by `unsuited`.
    inputs, targets = source.inputs.cpu(), source.targets.cpu()
    dataset: TorchDataset[Any]
    if parts.spec.pixel_factor:
        transform = usual_transform(source, parts.spec)
        dataset = ImageDataset(inputs, targets, transform)
    else:
        dataset = TensorDataset(inputs, targets)
    drop_last = source.batches_per_epoch * source.batch_size <= len(inputs)
    return DataLoader(dataset, batch_size=source.batch_size, shuffle=source.shuffle, drop_last=drop_last)


class ImageDataset(TorchDataset[Any]):
    """One PIL image at a time, as from torchvision.datasets.MNIST."""

    def __init__(self, images: Tensor, targets: Tensor, transform: Callable[[Any], Tensor]) -> None:
        self.images = images.permute(0, 2, 3, 1).squeeze(-1).numpy()  # (N, H, W) or (N, H, W, C)
        self.targets = targets
        self.transform = transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        from PIL import Image

        return self.transform(Image.fromarray(self.images[index])), self.targets[index]


def usual_transform(source: SamplesInMemory, spec: DataSpec) -> Callable[[Any], Tensor]:
    """Resize, random crop and flip if configured, ToTensor, Normalize."""
    from torchvision import transforms

    size = spec.input_shape[1:]
    steps: list[Any] = [] if source.resize is None else [transforms.Resize(list(size))]
    if source.augment is not None:
        settings = source.augment.settings
        if settings.shift:
            mode = "constant" if settings.padding == "zeros" else settings.padding
            steps.append(transforms.RandomCrop(tuple(size), padding=settings.shift, padding_mode=mode))
        if settings.flip:
            steps.append(transforms.RandomHorizontalFlip())
    mean, std = torch.tensor(spec.pixel_shift) / 255, 1 / (255 * torch.tensor(spec.pixel_factor))
    return transforms.Compose([*steps, transforms.ToTensor(), transforms.Normalize(mean.tolist(), std.tolist())])
