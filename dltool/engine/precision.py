"""Mixed precision: autocast and loss scaling."""

import contextlib
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from dltool.core.errors import NonFiniteLossError
from dltool.core.numerals import counted
from dltool.optim.stepping import take_step

MAX_SKIPPED_STEPS = 20


class Precision:
    """32-bit floats, or the autocast of "bf16-mixed" or "16-mixed" (Micikevicius et al. 2018).

    With "16-mixed" the loss is scaled up so that small gradients do not become zero in float16. An update whose
    gradients overflow is skipped, and the scale halved. After more than 20 skipped updates in a row the training
    fails: its loss is not finite for another reason.
    """

    def __init__(self, name: int | str, device: torch.device) -> None:
        dtypes = {32: None, "bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
        dtype = dtypes[name]
        self.autocast: Any = (
            contextlib.nullcontext() if dtype is None else torch.autocast(device.type, dtype, cache_enabled=True)
        )
        self.scaler = torch.amp.GradScaler(device.type) if dtype is torch.float16 else None
        self.skipped_steps = 0

    def scale(self, loss: Tensor) -> Tensor:
        return loss if self.scaler is None else self.scaler.scale(loss)

    def step(self, optimizer: torch.optim.Optimizer, clip: Callable[[], None]) -> None:
        """Unscale, clip, update; with loss scaling an update that overflowed is skipped."""
        if self.scaler is None:
            clip()
            take_step(optimizer)
            return
        self.scaler.unscale_(optimizer)
        clip()
        scale_before = self.scaler.get_scale()
        self.scaler.step(optimizer)
        self.scaler.update()
        self.skipped_steps = self.skipped_steps + 1 if self.scaler.get_scale() < scale_before else 0
        if self.skipped_steps > MAX_SKIPPED_STEPS:
            raise NonFiniteLossError(
                f"{counted(self.skipped_steps, 'update')} in a row overflowed in 16-mixed precision",
                "trainer.precision=bf16-mixed, or a smaller optim.lr",
            )

    def state_dict(self) -> dict[str, Any]:
        return {} if self.scaler is None else {"scaler": self.scaler.state_dict(), "skipped_steps": self.skipped_steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        if self.scaler is not None:
            self.scaler.load_state_dict(state["scaler"])
            self.skipped_steps = state["skipped_steps"]
