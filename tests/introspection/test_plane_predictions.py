from collections.abc import Callable
from typing import Any

import pytest
import torch

from dltool.build.prepare import prepare
from dltool.introspection.plane_predictions import LINE_NODES, NODES, Plane
from dltool.introspection.sample_points import sample_points


@pytest.mark.parametrize("data", ["moons", "spirals", "line"])
def test_each_node_has_the_prediction_of_the_network(configure: Callable[..., Any], data: str) -> None:
    parts = prepare(configure("model=mlp", f"data={data}", "model.dropout=0.5"))
    points = sample_points(parts.dataset, parts.task)
    assert points is not None
    plane = Plane(points)
    model = parts.task.model.train()
    before = torch.random.get_rng_state()
    found = plane.predictions(parts.task, 7)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert all(module.training for module in model.modules())
    with torch.no_grad():
        outputs = model.eval()(plane.inputs())
    assert found["step"] == 7
    if data == "line":
        assert len(found["values"]) == LINE_NODES
        expected = parts.spec.in_units(outputs)[:, 0]
        assert torch.allclose(torch.tensor(found["values"]).double(), expected.double(), rtol=1e-5)
        return
    chances = outputs.softmax(1) if data == "spirals" else torch.cat([-outputs, outputs], 1).sigmoid()
    assert found["classes"] == chances.argmax(1).tolist()
    assert torch.allclose(torch.tensor(found["shares"]).float(), 100 * chances.amax(1), atol=0.51)


def test_the_nodes_are_the_centres_of_cells_over_all_samples_from_the_top(configure: Callable[..., Any]) -> None:
    parts = prepare(configure("model=mlp", "data=moons"))
    points = sample_points(parts.dataset, parts.task)
    assert points is not None
    samples = torch.tensor([row for split in points["points"].values() for row in split["inputs"]])
    nodes = Plane(points).inputs().reshape(NODES, NODES, 2)
    assert nodes[0, 0, 0] < samples[:, 0].min()
    assert nodes[0, 0, 1] > samples[:, 1].max()
    assert nodes[-1, -1, 0] > samples[:, 0].max()
    assert nodes[-1, -1, 1] < samples[:, 1].min()
    assert torch.equal(nodes[:, :, 0], nodes[:1, :, 0].expand(NODES, -1))
