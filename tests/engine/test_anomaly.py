"""The first NaN or infinity is traced to its operation, module and line."""

import inspect
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from dltool.core.errors import NonFiniteLossError
from dltool.engine.anomaly import AnomalyDetector
from dltool.engine.observer import Progress

X = torch.linspace(-1, 1, 12).view(4, 3)


class Log(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.log(x)


class Root(nn.Module):
    """Its value at 0 is fine, its slope there is not."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.sqrt(torch.relu(x) * 0)


class Masked(nn.Module):
    """Infinities on purpose, and memory that nothing was written to."""

    def forward(self, x: Tensor) -> Tensor:
        mask = torch.full((3,), -torch.inf)
        mask[0] = 0
        scores = (x + mask).softmax(dim=-1) + x.masked_fill(x < 0, -torch.inf).softmax(dim=-1).nan_to_num()
        return torch.empty(4, 3).fill_(1.0) * scores


class Overflow(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.clone().mul_(1e30).mul_(1e30)  # In place: the result is its own input.


def line(module: type[nn.Module]) -> str:
    """Where its forward computes, as `tests/engine/test_anomaly.py:20`."""
    source, start = inspect.getsourcelines(module.forward)
    offset = next(i for i, text in enumerate(source) if "return" in text)
    return f"tests/engine/test_anomaly.py:{start + offset}"


def take_step(middle: nn.Module, inputs: Tensor = X) -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Identity(), middle), nn.Linear(3, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.1, fused=True)
    detector = AnomalyDetector(model, Progress(step=12))
    for _ in range(2):  # It is entered anew around each step.
        with detector:
            optimizer.zero_grad()
            model(inputs).square().mean().backward()
            optimizer.step()
    return model


@pytest.mark.parametrize(
    ("module", "made", "operation", "part"),
    [
        (Log, "nan", "aten.log", ""),
        (Root, "inf", "aten.div", " in the backward pass of SqrtBackward0"),
        (Overflow, "inf", "aten.mul_", ""),
    ],
)
def test_names_operation_module_and_line(module: type[nn.Module], made: str, operation: str, part: str) -> None:
    with pytest.raises(NonFiniteLossError) as caught:
        take_step(module())
    message = caught.value.message.replace("(nan)", "(…)").replace("(inf)", "(…)")
    assert f"({made})" in caught.value.message or module is Root  # 0/0 where the gradient is 0 too.
    assert message == (
        f"the first non-finite value (…) came out of {operation}{part} (model.1.1, {line(module)}) at step 12"
    )


def test_what_is_meant_is_no_anomaly() -> None:
    model = take_step(Masked())
    assert all(parameter.isfinite().all() for parameter in model.parameters())
    assert not torch.is_anomaly_enabled()


def test_outside_of_a_step_nothing_is_watched() -> None:
    with pytest.raises(NonFiniteLossError):
        take_step(Log())
    assert not torch.is_anomaly_enabled()
    assert torch.log(torch.tensor(-1.0)).isnan()


def test_the_optimizer_is_watched_too() -> None:
    parameter = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.Adam([parameter], fused=True, eps=0.0)
    parameter[0].square().backward()  # The other one has no gradient: 0/0.
    with (
        pytest.raises(NonFiniteLossError, match=r"came out of aten\._fused_adam_ \(tests/engine/test_anomaly\.py:"),
        AnomalyDetector(nn.Identity(), Progress()),
    ):
        optimizer.step()


def test_data_that_is_not_finite_is_not_blamed_on_an_operation() -> None:
    take_step(nn.Identity(), X * torch.nan)


def test_a_run_names_it(dltool_here: Callable[..., object], tmp_path: object) -> None:
    """MSE of predictions that explode: the square overflows before the loss is looked at."""
    done = dltool_here(
        "train", "model=linear", "data=diabetes", "optim=sgd", "optim.lr=1000", "data.batch_size=full",
        "schedule=constant", "debug=anomaly", "trainer.epochs=30", "run.dir=run", "trainer.threads=1",
        "logger.plots=false",
    )  # fmt: skip
    assert done.returncode == 1, done.stderr  # type: ignore[attr-defined]
    assert "error: the first non-finite value (inf) came out of aten." in done.stderr  # type: ignore[attr-defined]
    assert "dltool/losses/mse.py:" in done.stderr  # type: ignore[attr-defined]
    assert "the last good checkpoint is step-" in done.stderr  # type: ignore[attr-defined]
