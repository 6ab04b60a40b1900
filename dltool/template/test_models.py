"""A model that cannot overfit one batch has a bug; `pytest` checks it in a second."""

from pathlib import Path

import torch
import torch.nn.functional as F
from models import Mine

from dltool.cli.main import main
from dltool.core.spec import DataSpec


def test_overfits_a_batch() -> None:
    torch.manual_seed(0)
    spec = DataSpec((1, 8, 8), class_names=tuple("0123456789"), output_dim=10)
    inputs, labels = torch.randn(32, 1, 8, 8), torch.randint(10, (32,))
    model = Mine(spec)
    assert model(inputs).shape == (32, 10)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(100):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.01


def test_dltool_builds_and_trains_it() -> None:
    here = Path(__file__).parent
    assert main(["check", "--trust", str(here / "models.py"), "experiment=first"]) == 0
