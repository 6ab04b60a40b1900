"""What is recorded; that pages compute the same is tests/report/test_browser.py."""

import base64

import numpy as np
import pytest
import torch
from torch import nn

from dltool.introspection import forward_program
from dltool.introspection.forward_operations import NotRecordable
from dltool.introspection.forward_program import packed, record


def values(program: dict, number: int) -> np.ndarray:
    place = program["constants"][str(number)]
    content = np.frombuffer(base64.b64decode(program["values"]), "<f4")
    return content[place["start"] : place["start"] + int(np.prod(place["shape"]))].reshape(place["shape"])


def test_a_layer_is_a_step_with_its_weights() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    program = record(model, model, torch.zeros(1, 3))
    assert [step["op"] for step in program["steps"]] == ["linear", "relu"]
    x, weight, bias = program["steps"][0]["inputs"]
    assert [x] == program["inputs"]
    assert (values(program, weight) == model[0].weight.detach().numpy()).all()
    assert (values(program, bias) == model[0].bias.detach().numpy()).all()
    assert program["steps"][1]["inputs"] == [program["steps"][0]["output"]]
    assert program["output"] == program["steps"][1]["output"]


def test_what_the_output_does_not_need_is_left_out() -> None:
    class Wasteful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.unused, self.used = nn.Linear(3, 300), nn.Linear(3, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            self.unused(x).relu()
            return self.used(x)

    model = Wasteful()
    program = record(model, model, torch.zeros(1, 3))
    assert len(program["steps"]) == 1
    assert len(base64.b64decode(program["values"])) == 4 * 4


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lambda x: x.sort().values, "sort"),
        (lambda x: x[:, torch.tensor([0, 2])], "indexing by a tensor"),
        (lambda x: torch.nn.functional.pad(x, (1, 1), mode="replicate"), "padding by replicate"),
        (lambda x: torch.erfinv(x), "erfinv"),
    ],
)
def test_an_operation_that_pages_do_not_know_is_named(function, name: str) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(NotRecordable, match=name):
        record(function, nn.Identity(), torch.zeros(1, 3))


def test_the_mode_of_the_model_is_kept_and_dropout_is_off() -> None:
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 1)).train()
    state = torch.get_rng_state()
    record(model, model, torch.zeros(1, 3))
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)


def test_matrices_of_a_large_network_are_rounded_by_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """To 1/254 of the largest number of each row; vectors and small networks stay as they are."""
    matrix, vector = torch.randn(5, 7) * torch.logspace(-3, 3, 5)[:, None], torch.randn(5)
    matrix[2] = 0
    monkeypatch.setattr(forward_program, "MAX_FLOATS", 20)
    found = packed({3: matrix, 4: vector})
    content = base64.b64decode(found["values"])
    floats = np.frombuffer(content, "<f4", found["floats"])
    small = np.frombuffer(content, "i1", offset=4 * found["floats"]).reshape(5, 7)
    place = found["constants"]["3"]
    scales = floats[place["scales"] : place["scales"] + 5]
    error = np.abs(small * scales[:, None] - matrix.numpy())
    assert (error <= matrix.abs().numpy().max(1, keepdims=True) / 254 + 1e-12).all()
    start = found["constants"]["4"]["start"]
    assert (floats[start : start + 5] == vector.numpy()).all()
    monkeypatch.setattr(forward_program, "MAX_FLOATS", 40)
    assert packed({3: matrix, 4: vector})["constants"]["3"]["scales"] is None
