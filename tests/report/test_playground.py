"""The playground of a run's page: what it starts with, and that its own training is that of torch."""

import itertools
import json
import math
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from browsing import open_chromium
from fabricated import make_run
from torch import nn

from dltool.build.prepare import prepare
from dltool.config.check import check
from dltool.config.compose import compose
from dltool.config.tree import leaves
from dltool.core.language import in_language
from dltool.introspection.sample_points import MAX_POINTS, sample_points
from dltool.layers.activation import activation
from dltool.report.page import asset
from dltool.report.playground import ACTIVATIONS, HIDDEN, OPTIMIZERS, is_complete, playground_of
from dltool.report.run_document import run_document
from dltool.runs.catalog import read_run

POINTS = {
    "classes": ["a", "b"],
    "outputs": 1,
    "names": ["x", "y"],
    "shift": [0.0, 0.0],
    "factor": [1.0, 1.0],
    "target": {"shift": [0.0], "factor": [1.0]},
    "sizes": {"train": 2},
    "points": {"train": {"inputs": [[0.0, 1.0], [1.0, 0.0]], "targets": [0, 1]}},
}


def points_for(config: Any) -> dict[str, Any] | None:
    parts = prepare(config)
    return sample_points(parts.dataset, parts.task)


@pytest.mark.parametrize(
    ("data", "outputs", "classes"), [("moons", 1, 2), ("spirals", 3, 3), ("logic", 1, 2), ("line", 1, 0)]
)
def test_the_points_are_the_samples_as_the_model_gets_them(
    configure: Callable[..., Any], data: str, outputs: int, classes: int
) -> None:
    config = configure("model=mlp", f"data={data}")
    dataset = prepare(config).dataset
    found = points_for(config)
    assert found is not None
    assert is_complete(found)
    assert (found["outputs"], len(found["classes"])) == (outputs, classes)
    batch = dataset.first_batch("train", 10_000)
    joined = torch.cat([batch.inputs, batch.targets.reshape(-1, 1)], dim=1).tolist()
    expected = sorted([float(f"{value:.6g}") for value in row] for row in joined)
    train = found["points"]["train"]
    rows = sorted([*inputs, target] for inputs, target in zip(train["inputs"], train["targets"], strict=True))
    assert rows == expected
    raw = dataset.preprocessing.raw_numbers(torch.tensor(train["inputs"]))
    assert raw is not None
    own = torch.tensor(train["inputs"]).double() * torch.tensor(found["factor"]).double() + torch.tensor(found["shift"])
    assert torch.allclose(own, raw, atol=1e-4)


def test_many_points_are_a_sample(configure: Callable[..., Any]) -> None:
    found = points_for(configure("model=mlp", "data=moons", "data.num_samples=9000"))
    assert found is not None
    assert sum(len(split["targets"]) for split in found["points"].values()) <= MAX_POINTS
    assert len(found["points"]["train"]["targets"]) > 0.8 * MAX_POINTS
    assert 0.4 < sum(found["points"]["train"]["targets"]) / len(found["points"]["train"]["targets"]) < 0.6


@pytest.mark.parametrize("data", ["iris", "digits", "gaussians", "diabetes"])
def test_other_data_has_no_points(configure: Callable[..., Any], data: str) -> None:
    model = "gan" if data == "gaussians" else "mlp"
    assert points_for(configure(f"model={model}", f"data={data}")) is None


def playground_for(tmp_path: Path, *overrides: str, points: Any = None) -> dict[str, Any] | None:
    config = dict(leaves(check(compose(["model=mlp", "data=moons", *overrides])).tree))
    path = make_run(tmp_path / "run", config)
    (path / "points.json").write_text(json.dumps(POINTS if points is None else points))
    return playground_of(path, config)


def test_starts_with_the_settings_of_the_run(tmp_path: Path) -> None:
    found = playground_for(
        tmp_path, "model.hidden=[5,3]", "model.activation=tanh", "optim=momentum", "optim.lr=0.3",
        "optim.weight_decay=0.01", "data.batch_size=20", "seed=4", "data.noise=0.2", "schedule=constant",
    )  # fmt: skip
    assert found is not None
    assert found["settings"] == {
        "hidden": [5, 3], "activation": "tanh", "optimizer": "momentum", "rate": 0.3, "decay": 0.01, "batch": 20,
        "seed": 4,
    }  # fmt: skip
    assert found["left_out"] == []
    assert found["command"] == "dltool train model=mlp data=moons data.noise=0.2"


@pytest.mark.parametrize(
    ("overrides", "left_out"),
    [
        (["schedule=constant", "model.dropout=0.1"], ["model.dropout=0.1"]),
        (["model.norm=batch"], ["model.norm=batch", "schedule=cosine"]),
        (["schedule=constant", "optim=rmsprop"], ["optim=rmsprop"]),
        (["schedule=constant", "optim=sgd", "optim.momentum=0.5"], ["optim.momentum=0.5"]),
        (["schedule=constant", "model=perceptron"], ["task=rosenblatt", "model=perceptron", "optim=none"]),
        (["schedule=constant", "model.hidden=[9]", "model.depth=20"], ["'model.hidden=[9]'", "model.depth=20"]),
    ],
)
def test_says_which_settings_it_leaves_out(tmp_path: Path, overrides: list[str], left_out: list[str]) -> None:
    found = playground_for(tmp_path, *overrides)
    assert found is not None
    assert found["left_out"] == left_out


def test_the_penalty_of_numbers_is_left_out(tmp_path: Path) -> None:
    train = {"inputs": [[0.0], [1.0]], "targets": [0.5, 1.5]}
    numbers = {"classes": [], "names": ["x"], "shift": [0.0], "factor": [1.0], "points": {"train": train}}
    found = playground_for(tmp_path, "schedule=constant", points=POINTS | numbers)
    assert found is not None
    assert found["left_out"] == ["task.l2=auto"]


def test_one_width_is_repeated_to_a_depth(tmp_path: Path) -> None:
    found = playground_for(tmp_path, "model.hidden=[9]", "model.depth=3")
    assert found is not None
    assert found["settings"]["hidden"] == [9, 9, 9]


@pytest.mark.parametrize(
    "change",
    [
        {"classes": 3},
        {"outputs": 5},
        {"names": ["x"]},
        {"shift": [math.nan, 0.0]},
        {"points": {}},
        {"points": {"train": {"inputs": [[0.0]], "targets": [0]}}},
        {"points": {"train": {"inputs": [[0.0, 1.0]], "targets": [7]}}},
        {"points": {"train": {"inputs": [[0.0, math.inf]], "targets": [0]}}},
        {"points": {"train": {"inputs": [[0.0, 1.0]], "targets": []}}},
    ],
)
def test_damaged_points_are_as_none(tmp_path: Path, change: dict[str, Any]) -> None:
    assert playground_for(tmp_path, points=POINTS | change) is None


def test_damaged_settings_become_defaults(tmp_path: Path) -> None:
    config = {"model.hidden": ["<b>"], "model.depth": 10**12, "optim.lr": math.nan, "data.batch_size": 0, "seed": None}
    path = make_run(tmp_path / "run", config)
    (path / "points.json").write_text(json.dumps(POINTS))
    found = playground_of(path, read_run(path).config)
    assert found is not None
    assert found["settings"]["hidden"] == HIDDEN
    assert found["settings"]["rate"] == 0.01
    assert found["settings"]["batch"] == 1
    assert found["settings"]["seed"] == 0


def test_the_document_of_a_run_has_it(tmp_path: Path) -> None:
    path = make_run(tmp_path / "run")
    assert run_document(read_run(path))["playground"] is None
    (path / "points.json").write_text(json.dumps(POINTS))
    assert run_document(read_run(path))["playground"]["shown"] == 2


@pytest.fixture(scope="module")
def scripts() -> Iterator[Any]:
    """A page with the functions of the playground."""
    with open_chromium() as browser:
        page = browser.new_page()
        page.add_script_tag(content="const data = {words: {}, charts: [], network: null, playground: null};")
        names = ("network", "mlp", "playground")
        page.add_script_tag(content="\n".join(asset(f"assets/{name}.js") for name in names))
        yield page


LOSSES = {
    "cross_entropy": (3, nn.functional.cross_entropy),
    "binary_cross_entropy": (1, lambda z, t: nn.functional.binary_cross_entropy_with_logits(z[:, 0], t.double())),
    "mse": (1, lambda z, t: nn.functional.mse_loss(z[:, 0], t)),
}
COMPUTE = """([widths, activation, values, kind, inputs, targets, settings, steps]) => {
  const mlp = makeMlp(widths, activation, makeRandom(0));
  mlp.values.set(values);
  const [x, t] = [Float64Array.from(inputs), Float64Array.from(targets)];
  const passed = forward(mlp, x);
  const { loss, slopes } = lossOf(kind, passed.outputs, t);
  const gradient = [...backward(mlp, passed, slopes)];
  const state = makeOptimizer(mlp.values.length);
  for (let step = 0; step < steps; step++) trainStep(mlp, state, kind, x, t, settings);
  return { loss, gradient, values: [...mlp.values] };
}"""


def example(kind: str, name: str) -> tuple[nn.Sequential, list[int], torch.Tensor, torch.Tensor]:
    """A network of torch in float64, its widths, inputs and targets."""
    torch.manual_seed(0)
    widths = [2, 5, 4, LOSSES[kind][0]]
    layers: list[nn.Module] = []
    for inputs, outputs in itertools.pairwise(widths):
        layers += [nn.Linear(inputs, outputs), activation(name)]
    inputs = torch.randn(30, 2, dtype=torch.float64) * 2
    targets = torch.randn(30, dtype=torch.float64) if kind == "mse" else torch.randint(max(widths[-1], 2), (30,))
    return nn.Sequential(*layers[:-1]).double(), widths, inputs, targets


def flat(tensors: Any) -> torch.Tensor:
    return torch.cat([tensor.detach().flatten() for tensor in tensors])


@pytest.mark.browser
@pytest.mark.parametrize("kind", LOSSES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_loss_and_gradient_are_those_of_torch(name: str, kind: str, scripts: Any) -> None:
    model, widths, inputs, targets = example(kind, name)
    values = flat(model.parameters()).tolist()
    words = [widths, name, values, kind, inputs.flatten().tolist(), targets.tolist(), {}, 0]
    found = scripts.evaluate(COMPUTE, words)
    loss = LOSSES[kind][1](model(inputs), targets)
    gradient = flat(torch.autograd.grad(loss, list(model.parameters())))
    assert abs(found["loss"] - loss.item()) < 1e-10
    assert (torch.tensor(found["gradient"]) - gradient).abs().max() < 1e-5
    assert gradient.abs().max() > 1e-3


@pytest.mark.browser
@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_twenty_steps_are_those_of_torch(optimizer: str, decay: float, scripts: Any) -> None:
    model, widths, inputs, targets = example("cross_entropy", "tanh")
    settings = {"optimizer": optimizer, "rate": 0.05, "decay": decay}
    values = flat(model.parameters())
    samples = [inputs.flatten().tolist(), targets.tolist()]
    found = scripts.evaluate(COMPUTE, [widths, "tanh", values.tolist(), "cross_entropy", *samples, settings, 20])
    kind = {
        "sgd": lambda parameters: torch.optim.SGD(parameters, 0.05, weight_decay=decay),
        "momentum": lambda parameters: torch.optim.SGD(parameters, 0.05, momentum=0.9, weight_decay=decay),
        "adam": lambda parameters: torch.optim.Adam(parameters, 0.05, weight_decay=decay),
    }[optimizer]
    own = kind(model.parameters())
    for _ in range(20):
        own.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        own.step()
    assert (torch.tensor(found["values"]) - flat(model.parameters())).abs().max() < 1e-4
    assert (values - flat(model.parameters())).abs().max() > 0.1


@pytest.mark.browser
def test_initial_weights_are_uniform_as_those_of_torch(scripts: Any) -> None:
    values = torch.tensor(scripts.evaluate("[...makeMlp([100, 200], 'relu', makeRandom(3)).values]"))
    assert values.abs().max() <= 0.1
    assert values.abs().max() > 0.0999
    assert abs(values.std().item() - 0.1 / math.sqrt(3)) < 1e-3


COMMANDS = """([start, choices]) => {
  const settings = { hidden: [8, 8], activation: "relu", optimizer: "adam", rate: 0.01, decay: 0, batch: 32, seed: 0 };
  const found = [];
  const add = (change, epochs = 3) => found.push(commandOf(start, { ...settings, ...change }, epochs));
  for (const activation of choices.activation) add({ activation });
  for (const optimizer of choices.optimizer) for (const decay of DECAYS) add({ optimizer, decay });
  for (const rate of RATES) add({ rate });
  for (const batch of BATCHES) add({ batch });
  for (const width of WIDTHS) add({ hidden: [width] });
  for (let layers = 0; layers <= choices.layers; layers++) add({ hidden: new Array(layers).fill(4) });
  for (const seed of [0, 1, 999999]) add({ seed }, 0);
  add({ rate: 1e-7, decay: 1e-9 });
  return found;
}"""


@pytest.mark.browser
@pytest.mark.parametrize("data", ["moons", "line", "logic"])
def test_every_command_that_it_prints_composes(data: str, tmp_path: Path, scripts: Any) -> None:
    found = playground_for(tmp_path, f"data={data}")
    assert found is not None
    commands = scripts.evaluate(COMMANDS, [found["command"], found["choices"]])
    assert len(set(commands)) > 50
    for command in commands:
        program, verb, *overrides = shlex.split(command)
        assert (program, verb) == ("dltool", "train")
        config = check(compose(overrides))
        assert config["schedule"]["name"] == "constant"
        assert config["data"]["name"] == data


@pytest.mark.browser
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_command_that_it_prints_trains(
    optimizer: str, tmp_path: Path, scripts: Any, dltool_here: Callable[..., Any]
) -> None:
    found = playground_for(tmp_path, "data.noise=0.2", "data.num_samples=100", f"optim={optimizer}")
    assert found is not None
    words = [found["command"], found["settings"]]
    command = scripts.evaluate("([start, settings]) => commandOf(start, settings, 2)", words)
    done = dltool_here(*shlex.split(command)[1:], "trainer.threads=1", "run.dir=out", "logger.report=false")
    assert done.returncode == 0, done.stderr
    config = read_run(Path("out")).config
    assert config["data.noise"] == 0.2
    assert config["trainer.epochs"] == 2
    assert config["model.hidden"] == found["settings"]["hidden"]


def test_its_note_is_in_the_language_of_the_page(tmp_path: Path) -> None:
    from dltool.report.write import write_run_page

    path = make_run(tmp_path / "run")
    (path / "points.json").write_text(json.dumps(POINTS))
    for language, text in (("en", "Playground"), ("zh", "游乐场")):
        with in_language(language):
            write_run_page(path, tmp_path / "page.html")
        assert f'<h2 id="playground">{text}</h2>' in (tmp_path / "page.html").read_text(encoding="utf-8")
