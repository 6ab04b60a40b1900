"""Pages in a headless Chromium: they work by keyboard, load nothing, and axe-core finds nothing serious.

`pytest -m browser` needs Chromium, Playwright (`pip install playwright`) and axe-core, whose file `axe.min.js` the
variable DLTOOL_AXE names; `.ci/run` installs them.
"""

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import open_chromium
from fabricated import make_run
from warm_process import run_dltool

from dltool.report.write import write_run_page

pytestmark = pytest.mark.browser

FAST = ["trainer.threads=1", "trainer.epochs=null", "trainer.steps=4", "logger.every_n_steps=1", "diagnostics=default"]
TRAININGS = {
    "lenet": ["model=lenet", *FAST, "trainer.steps=40"],
    "boundary": ["model=mlp", "data=moons", *FAST, "trainer.steps=40"],
    "gan": ["model=gan", "data=gaussians", *FAST],
    "vae": ["model=vae", "data=digits", *FAST],
    "gpt": ["model=gpt", "data=pydoc", "model.dim=16", "model.depth=1", "model.num_heads=2", *FAST],
    "cyclegan": ["model=cyclegan", "data=digit_pairs", "model.width=4", "model.blocks=1", *FAST],
    "csv": ["model=mlp", "data=csv", "data.path=table.csv", "data.target=y", *FAST],
    "diffusion": ["experiment=ddpm_digits", "model.width=8", "task.eta=0", *FAST],
    "line": ["model=mlp", "data=line", *FAST],
    "sweep": ["-m", "model=mlp", "data=iris", "optim.lr=0.1,0.01", "'model.hidden=[4],[8]'", *FAST],
    "study": ["model=mlp", "data=iris", "optim.lr=tag(log,interval(0.001,0.1))", "'model.hidden=[4],[8]'", *FAST],
    "experiment": ["experiment=gan_gaussians", *FAST],
}
MORE = {"cgan": ["model=cgan", "data=digits", *FAST]}  # With the parts of the others.
SERIOUS = ("serious", "critical")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages")
    rows = "".join(f"{i},{i % 7},{('Bern', 'Köln', '北京')[i % 3]},{'ab'[i % 2]}\n" for i in range(100))
    (folder / "table.csv").write_text("x,z,town,y\n" + rows, encoding="utf-8")
    return folder


def commands(name: str, words: list[str], target: Path, page: Path) -> list[list[str]]:
    """The commands that write a page."""
    if name == "study":
        return [["tune", *words, "tune.study=study", "tune.trials=4"]]
    train = ["train", *words, f"sweep.dir={target}" if "-m" in words else f"run.dir={target}"]
    report = ["report", "gan_gaussians", "--root", str(page.parent), "--output", str(page)]
    return [train, report] if name == "experiment" else [train]


@pytest.fixture(scope="module")
def pages(folder: Path) -> Callable[[str], Path]:
    """The page of a name in TRAININGS, which is trained once."""

    def made(name: str) -> Path:
        path = {"study": folder / "outputs/studies/study", "experiment": folder}.get(
            name, folder / name
        ) / "report.html"
        if not path.exists():
            words = [word.strip("'") for word in (TRAININGS | MORE)[name]]
            for command in commands(name, words, folder / name, path):
                done = run_dltool(*command, cwd=folder)
                assert done.returncode == 0, done.stderr
        return path

    return made


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    with open_chromium() as browser:
        yield browser


@pytest.fixture
def visit(chromium: Any) -> Iterator[Callable[..., Any]]:
    """Opens a page; what it says on the console, throws or requests is a failure at the end of the test."""
    problems: list[str] = []
    contexts = []

    def visit(path: Path, **context: Any) -> Any:
        contexts.append(chromium.new_context(**context))
        opened = contexts[-1].new_page()
        opened.on("console", lambda message: problems.append(f"console: {message.text}"))
        opened.on("pageerror", lambda error: problems.append(f"error: {error}"))
        own = path.resolve().as_uri()
        opened.on(
            "request", lambda made: problems.append(made.url) if not made.url.startswith(("data:", own)) else None
        )
        opened.goto(own)
        opened.wait_for_timeout(200)
        return opened

    yield visit
    for context in contexts:
        context.close()
    assert problems == []


@pytest.mark.parametrize("name", TRAININGS)
def test_a_page_works_and_loads_nothing(name: str, pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    page = visit(pages(name))
    assert page.locator("h1").inner_text()
    charts = page.locator(".chart canvas")
    assert charts.count() == page.locator(".chart").count() > 0
    page.locator("#logarithmic").check()
    page.locator("#whole").click()
    assert page.locator(".chart canvas").count() == charts.count()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", TRAININGS)
def test_nothing_serious_for_a_reader_with_a_screen_reader(
    name: str, scheme: str, pages: Callable[[str], Path], visit: Callable[..., Any]
) -> None:
    page = visit(pages(name), color_scheme=scheme, bypass_csp=True)
    page.add_script_tag(content=Path(os.environ["DLTOOL_AXE"]).read_text())
    found = page.evaluate("axe.run()")["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == []


@pytest.mark.parametrize("name", ["boundary", "line", "sweep", "study", "experiment"])
def test_every_control_is_reached_by_the_keyboard(
    name: str, pages: Callable[[str], Path], visit: Callable[..., Any]
) -> None:
    page = visit(pages(name))
    controls = page.locator("a, button, select, input, [tabindex='0']").count()
    reached = set()
    for _ in range(controls + 5):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("[...document.querySelectorAll('*')].indexOf(document.activeElement)"))
    assert len(reached - {-1}) >= controls


def test_epochs_have_ticks_at_whole_numbers(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    """Also where the chart shows two epochs only."""
    page = visit(pages("lenet"))
    page.evaluate("charts.forEach((one) => one.plot.setScale('x', { min: 0, max: 2 }))")
    page.wait_for_function("charts[0].plot.axes[0]._splits?.at(-1) === 2")
    assert page.evaluate("charts[0].plot.axes[0]._splits") == [0, 1, 2]


def test_ticks_of_nearly_equal_values_differ_and_are_whole(
    pages: Callable[[str], Path], visit: Callable[..., Any]
) -> None:
    page = visit(pages("csv"))
    page.evaluate("charts[0].plot.setScale('y', { min: 0.0009995, max: 0.001 })")
    page.wait_for_function("charts[0].plot.axes[1]._values?.includes('0.0009998')")
    labels = page.evaluate("charts[0].plot.axes[1]._values")
    assert len(set(labels)) == len(labels) > 2
    page.evaluate("charts[0].plot.ctx.font = charts[0].plot.axes[1].font[0]")
    widths = page.evaluate("charts[0].plot.axes[1]._values.map((one) => charts[0].plot.ctx.measureText(one).width)")
    assert max(widths) / page.evaluate("devicePixelRatio") + 10 < page.evaluate("charts[0].plot.axes[1]._size")


def test_a_chart_is_read_and_zoomed_by_the_keyboard(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    page = visit(pages("boundary"))
    values = page.locator(".values").first
    plot = page.locator(".plot").first
    plot.focus()
    at_the_end = values.inner_text()
    page.keyboard.press("ArrowLeft")
    assert values.inner_text() != at_the_end
    span = "(() => { const x = charts[0].plot.scales.x; return x.max - x.min; })()"
    before = page.evaluate(span)
    page.keyboard.press("+")
    page.wait_for_timeout(50)
    assert page.evaluate(span) < before
    page.keyboard.press("0")
    page.wait_for_timeout(50)
    assert page.evaluate(span) == before


def test_a_film_plays_and_stops_at_its_end(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    page = visit(pages("boundary"))
    film = page.locator(".film").first
    slider = film.locator("input[type=range]")
    last = int(slider.get_attribute("max"))
    assert int(slider.input_value()) == last > 0
    shown = film.locator("img").get_attribute("src")
    slider.focus()
    page.keyboard.press("Home")
    assert film.locator("img").get_attribute("src") != shown
    film.locator("select").select_option("4")
    film.locator(".play").click()
    assert film.locator(".play").get_attribute("aria-pressed") == "true"
    film.locator(".play[aria-pressed=false]").wait_for(timeout=20_000)
    assert int(slider.input_value()) == last
    assert film.locator("img").get_attribute("src") == shown


NETWORKS = {
    "lenet": ["model=lenet", "data=digits"],
    "resnet": ["model=resnet20", "data=digits", "model.width=4"],
    "vit": ["model=vit", "data=digits", "model.dim=16", "model.depth=1", "model.num_heads=2"],
    "lstm": ["model=lstm", "data=digits_rows"],
    "gru": ["model=gru", "data=digits_rows", "model.bidirectional=true"],
    "encoder": ["model=transformer_encoder", "data=digits_rows", "model.dim=16", "model.depth=1"],
    "gpt": ["model=gpt", "data=pydoc", "data.length=16", "model.dim=16", "model.depth=1", "model.num_heads=2"],
    "mlp": ["model=mlp", "data=iris", "model.activation=gelu"],
    "autoencoder": ["model=autoencoder", "data=digits", "model.architecture=conv"],
    "unet": ["model=unet", "data=digits", "model.width=8"],
    "cyclegan": ["model=cyclegan", "data=digit_pairs", "model.width=4", "model.blocks=1"],
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_computes_in_the_page_what_it_does_in_torch(
    name: str, configure: Callable[..., Any], chromium: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from dltool.build.prepare import prepare
    from dltool.introspection import forward_program
    from dltool.introspection.forward_program import record
    from dltool.report.page import asset

    monkeypatch.setattr(forward_program, "MAX_FLOATS", 10**9)
    parts = prepare(configure(*NETWORKS[name]))
    model = parts.task.model.eval()
    torch.manual_seed(0)
    for parameter in model.parameters():  # Some start at zero, and would hide what is before them.
        parameter.data += 0.05 * torch.randn_like(parameter)
    samples = parts.dataset.first_batch("train", 20).inputs[:20]
    program = record(model, model, samples[:1])
    page = chromium.new_page()
    page.add_script_tag(content=asset("assets/network.js"))
    compute = "([program, inputs]) => inputs.map((x) => [...makeNetwork(program)(x).output.data])"
    found = torch.tensor(page.evaluate(compute, [program, samples.flatten(1).tolist()]))
    page.close()
    with torch.no_grad():
        expected = torch.cat([model(sample[None]).flatten(1) for sample in samples])
    assert (found - expected).abs().max() < 1e-4 * max(expected.abs().max().item(), 1)


@pytest.mark.parametrize("model", ["vae", "gan", "dcgan", "r3gan"])
def test_a_decoder_computes_in_the_page_what_it_does_in_torch(
    model: str, configure: Callable[..., Any], chromium: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from dltool.build.prepare import prepare
    from dltool.introspection import forward_program
    from dltool.introspection.playable import playable
    from dltool.report.page import asset

    monkeypatch.setattr(forward_program, "MAX_FLOATS", 10**9)
    parts = prepare(configure(f"model={model}", "data=digits"))
    network = playable(parts.task, parts.spec)
    assert network is not None
    codes = parts.task.draw_codes(5, torch.Generator().manual_seed(1))
    page = chromium.new_page()
    page.add_script_tag(content=asset("assets/network.js"))
    compute = "([program, inputs]) => inputs.map((x) => [...makeNetwork(program)(x).output.data])"
    found = torch.tensor(page.evaluate(compute, [network["program"], codes.tolist()]))
    page.close()
    expected = torch.cat([parts.task.decode(code[None]).flatten(1) for code in codes])
    assert (found - expected).abs().max() < 1e-4 * max(expected.abs().max().item(), 1)


def held_out(dataset: Any, count: int) -> Any:
    """The validation and test images, then the same ones shifted by one pixel in each direction."""
    import torch

    own = torch.cat([dataset.first_batch(split, 10**4).inputs for split in ("val", "test")])
    shifted = [own.roll(shift, dims=(2, 3)) for shift in ((0, 1), (1, 0), (0, -1), (-1, 0))]
    found = torch.cat([own, *shifted])[:count]
    assert len(found) == count
    return found


COMPUTE = """([program, inputs]) => {
  const network = makeNetwork(program);
  const start = performance.now();
  const found = inputs.map((x) => [...network(x).output.data]);
  return [found, (performance.now() - start) / inputs.length];
}"""


def test_a_thousand_held_out_samples_get_the_logits_of_torch_quickly(
    pages: Callable[[str], Path], folder: Path, visit: Callable[..., Any], configure: Callable[..., Any]
) -> None:
    import torch

    from dltool.build.prepare import prepare
    from dltool.inference.loaded_run import LoadedRun
    from dltool.runs.folder import RunFolder

    page = visit(pages("lenet"))
    run = LoadedRun(RunFolder(folder / "lenet"))
    samples = held_out(prepare(configure("model=lenet", "data=digits")).dataset, 1000)
    with torch.no_grad():
        expected = run.task.model.eval()(samples)
    assert expected.argmax(1).unique().numel() > 5
    program = page.evaluate("data.network.program")
    found, milliseconds = page.evaluate(COMPUTE, [program, samples.flatten(1).tolist()])
    assert (torch.tensor(found) - expected).abs().max() < 1e-4
    assert milliseconds < 50


def test_a_drawing_is_answered_within_50_milliseconds(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    page = visit(pages("lenet"))
    measure = """() => {
      const canvas = document.querySelector(".drawing");
      const network = makeNetwork(data.network.program);
      const context = canvas.getContext("2d");
      context.fillRect(100, 40, 40, 200);
      const times = [];
      for (let i = 0; i < 20; i++) {
        const start = performance.now();
        const told = network(inputOf(canvas, data.network.image));
        probabilities(told.output.data);
        showMaps(document.querySelector(".maps"), told);
        times.push(performance.now() - start);
      }
      return times.sort((a, b) => a - b)[10];
    }"""
    assert page.evaluate(measure) < 50


def test_a_drawing_is_classified_and_cleared(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    page = visit(pages("lenet"))
    drawing, prediction = page.locator(".drawing"), page.locator(".prediction")
    assert prediction.inner_text() == "–"
    drawing.focus()
    page.keyboard.press("Space")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    assert prediction.inner_text() in "0123456789"
    shares = [float(text.removesuffix(" %")) for text in page.locator(".bars td:last-child").all_inner_texts()]
    assert sum(shares) == pytest.approx(100, abs=1)
    assert page.locator(".maps canvas").count() > 0
    page.locator(".clear").click()
    assert prediction.inner_text() == "–"


def test_a_code_becomes_an_image(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    page = visit(pages("vae"))
    pixels = "document.querySelector('.made').toDataURL()"
    page.locator(".zero").click()
    zeros = page.evaluate(pixels)
    page.locator(".draw-code").click()
    assert page.evaluate(pixels) != zeros
    page.locator(".zero").click()
    assert page.evaluate(pixels) == zeros


def test_noise_is_removed_in_the_page_as_dltool_does(
    pages: Callable[[str], Path], folder: Path, visit: Callable[..., Any]
) -> None:
    import torch

    from dltool.inference.loaded_run import LoadedRun
    from dltool.runs.folder import RunFolder

    page = visit(pages("diffusion"))
    task = LoadedRun(RunFolder(folder / "diffusion")).task
    code = task.draw_codes(1, torch.Generator().manual_seed(1))
    compute = """([noise, guidance]) => {
      const { program, sampler } = data.network;
      const network = makeNetwork(program);
      const next = (image, step) => nextImage(network, image, step, [[[3]], [[10]]], { ...sampler, guidance });
      return [...sampler.steps.reduce(next, Float32Array.from(noise))];
    }"""
    for guidance in (0, 2):
        found = torch.tensor(page.evaluate(compute, [code.flatten().tolist(), guidance]))
        expected = task.decode(code, torch.tensor([3]), guidance=guidance).flatten()
        assert (found - expected).abs().max() < 1e-3
    steps = task.sampling_steps
    page.locator(".stage", has_text=f"{steps} / {steps}").wait_for(timeout=20_000)
    pixels = "document.querySelector('.made').toDataURL()"
    before = page.evaluate(pixels)
    page.locator(".draw-code").click()
    page.locator(".stage", has_text=f"{steps} / {steps}").wait_for(timeout=20_000)
    assert page.evaluate(pixels) != before


def test_an_image_is_translated_in_the_page_as_dltool_does(
    pages: Callable[[str], Path], folder: Path, visit: Callable[..., Any]
) -> None:
    import torch

    from dltool.inference.loaded_run import LoadedRun
    from dltool.runs.folder import RunFolder

    page = visit(pages("cyclegan"))
    task = LoadedRun(RunFolder(folder / "cyclegan")).task
    compute = """(direction) => {
      const { programs, images, image } = data.network;
      const pixels = new Uint8Array(decode(images[direction])).subarray(0, image.size[0] * image.size[1]);
      const values = Float32Array.from(pixels, (value) => value / 127.5 - 1);
      return [[...values], [...makeNetwork(programs[direction])(values).output.data], image.size];
    }"""
    for direction in task.directions:
        given, found, size = page.evaluate(compute, direction)
        with torch.no_grad():
            expected = task.translate(torch.tensor(given).view(1, 1, *size), direction).flatten()
        assert (torch.tensor(found) - expected).abs().max() < 1e-4
    pixels = "document.querySelector('.made').toDataURL()"
    before = page.evaluate(pixels)
    page.locator(".way-1 button").first.click()
    assert page.evaluate(pixels) != before


def test_int8_gives_the_same_class(configure: Callable[..., Any], chromium: Any) -> None:
    """A network of more than 250,000 numbers, trained for a while, so that its classes differ."""
    import torch

    from dltool.build.prepare import prepare
    from dltool.introspection.forward_program import record
    from dltool.report.page import asset

    parts = prepare(configure("model=mlp", "model.hidden=[512,512]", "data=digits"))
    for _ in range(60):
        batch = parts.dataset.train.draw()
        loss = parts.task.loss(batch).mean
        parameters = list(parts.task.model.parameters())
        with torch.no_grad():
            for parameter, slope in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
                parameter -= 0.1 * slope
    samples = held_out(parts.dataset, 1000)
    program = record(parts.task.model, parts.task.model, samples[:1])
    assert any(one["scales"] is not None for one in program["constants"].values())
    page = chromium.new_page()
    page.add_script_tag(content=asset("assets/network.js"))
    answers, milliseconds = page.evaluate(COMPUTE, [program, samples.flatten(1).tolist()])
    page.close()
    found = torch.tensor(answers)
    with torch.no_grad():
        expected = parts.task.model.eval()(samples)
    assert milliseconds < 50
    assert expected.argmax(1).unique().numel() > 5
    assert (found.argmax(1) == expected.argmax(1)).double().mean() >= 0.99


def test_a_text_is_continued(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    page = visit(pages("gpt"))
    page.locator(".prompt").fill("The ")
    page.locator(".continue").click()
    page.wait_for_timeout(1500)
    page.locator(".continue").click()
    text = page.locator(".continued").inner_text()
    assert text.startswith("The ")
    assert len(text) > 5


def test_a_network_is_trained_in_the_playground(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    page = visit(pages("boundary"))
    section = page.locator(".playground")
    progress, code = section.locator(".progress"), section.locator(".command code")
    assert progress.inner_text().startswith("epoch 0, step 0; train: loss ")
    assert "model.hidden=[128]" in code.inner_text()
    assert "trainer.epochs" not in code.inner_text()
    pixels = "document.querySelector('.plane').toDataURL()"
    before = page.evaluate(pixels)
    section.locator("[name=layers]").select_option("2")
    section.locator(".widths select").first.select_option("16")
    section.locator("[name=activation]").select_option("tanh")
    section.locator("[name=rate]").select_option("0.01")
    section.locator(".step").click()
    assert "step 1;" in progress.inner_text()
    section.locator(".run").focus()
    page.keyboard.press("Enter")
    assert section.locator(".run").get_attribute("aria-pressed") == "true"
    for _ in range(100):
        page.wait_for_timeout(200)
        if int(progress.inner_text().split()[1].strip(",")) >= 30:
            break
    page.keyboard.press("Enter")
    assert section.locator(".run").get_attribute("aria-pressed") == "false"
    accuracy = float(progress.inner_text().partition("accuracy ")[2].partition(" ")[0])
    assert accuracy > 97
    assert page.evaluate(pixels) != before
    epochs = int(progress.inner_text().split()[1].strip(","))
    assert int(code.inner_text().rpartition("=")[2]) in (epochs, epochs + 1)
    assert "'model.hidden=[16,128]' model.activation=tanh" in code.inner_text()
    section.locator(".reset").click()
    assert progress.inner_text().startswith("epoch 0, step 0;")


def test_a_divergence_in_the_playground_is_said(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    section = visit(pages("line")).locator(".playground")
    section.locator("[name=optimizer]").select_option("sgd")
    section.locator("[name=rate]").select_option("3")
    section.locator(".run").click()
    section.locator(".run[aria-pressed=false]").wait_for(timeout=20_000)
    assert "not finite" in section.locator(".progress").inner_text()


def test_a_phone_needs_no_sideways_scrolling(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    for name in ("lenet", "boundary", "sweep", "study", "experiment"):
        page = visit(pages(name), viewport={"width": 360, "height": 740})
        assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("name", ["lenet", "boundary", "experiment"])
def test_a_print_is_light_and_has_no_buttons(
    name: str, pages: Callable[[str], Path], visit: Callable[..., Any]
) -> None:
    page = visit(pages(name), color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.wait_for_timeout(100)
    assert page.locator("button:visible, input:visible, select:visible, nav:visible, .interactive:visible").count() == 0
    style = "getComputedStyle(document.body)"
    assert page.evaluate(f"[{style}.backgroundColor, {style}.color]") == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert page.evaluate("charts[0].plot.series[1].stroke(charts[0].plot, 1)") == "#0072B2"
    assert page.evaluate("charts[0].plot.axes[0].stroke(charts[0].plot, 0)") == "#000000"
    measure = "[...document.querySelectorAll('.gallery img')].map((one) => one.getBoundingClientRect().height)"
    pictures = page.evaluate(measure)
    assert all(height < 29.7 / 2.54 * 96 for height in pictures)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.evaluate("isPrinting") is False


@pytest.mark.parametrize("name", TRAININGS)
def test_each_id_is_there_once(name: str, pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    ids = visit(pages(name)).evaluate("[...document.querySelectorAll('[id]')].map((one) => one.id)")
    assert len(ids) == len(set(ids))


def test_copies_the_command(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    page = visit(pages("csv"))
    page.locator(".copy").first.click()
    page.wait_for_timeout(100)
    assert page.locator(".copy").first.inner_text() == "Copied"


EVIL = "</script><script>window.ran=1</script><img src=http://evil.invalid/x onerror=window.ran=1><svg onload=a()>"


def test_what_a_hostile_run_contains_neither_runs_nor_loads(tmp_path: Path, visit: Callable[..., Any]) -> None:
    config = {"model.name": EVIL, "data.name": EVIL, "model.hidden": [EVIL], EVIL: EVIL}
    run = make_run(tmp_path / "run", config, metrics={f"val/{EVIL}": 1.0, "val/loss": 2.0}, error=EVIL, curve=[1, 2])
    lines = [{"step": 10 * i, "epoch": i, "split": EVIL, f"{EVIL}/{EVIL}": i} for i in range(3)]
    (run / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (run / "log.txt").write_text(f"warning: {EVIL}\n")
    (run / "environment.json").write_text(json.dumps({"command": [EVIL], EVIL: EVIL}))
    (run / "summary.json").write_text(
        json.dumps({"sizes": {EVIL: 3}, "data": [[EVIL, EVIL]], "layers": {"columns": [EVIL], "rows": [[EVIL]]}})
    )
    (run / "samples").mkdir()
    (run / "samples" / "text.txt").write_text(EVIL)
    write_run_page(run, tmp_path / "page.html")
    page = visit(tmp_path / "page.html")
    assert page.evaluate("window.ran") is None
    assert page.locator("img").count() == 0


def test_a_row_gets_the_probabilities_of_dltool(
    pages: Callable[[str], Path], folder: Path, visit: Callable[..., Any]
) -> None:
    from dltool.inference.run import Run
    from dltool.runs.folder import RunFolder

    page = visit(pages("csv"))
    page.locator(".row input").first.fill("5")
    page.locator(".row select").select_option("Köln")
    answer = page.locator(".prediction").inner_text()
    shares = [float(text.removesuffix(" %")) for text in page.locator(".bars td:last-child").all_inner_texts()]
    start = float(page.locator(".row input").nth(1).input_value())
    found = Run(RunFolder(folder / "csv")).predict([{"x": 5, "z": start, "town": "Köln"}])
    assert answer == found.values[0]
    assert shares == pytest.approx([100 * float(one) for one in found.probabilities[0]], abs=0.06)


def test_the_class_of_a_conditional_gan_is_chosen(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    page = visit(pages("cgan"))
    pixels = "document.querySelector('.made').toDataURL()"
    page.locator(".zero").click()
    zero = page.evaluate(pixels)
    page.locator(".class").select_option("7")
    assert page.evaluate(pixels) != zero
    page.locator(".class").select_option("0")
    assert page.evaluate(pixels) == zero


def test_a_picture_is_enlarged_by_the_keyboard(pages: Callable[[str], Path], visit: Callable[..., Any]) -> None:
    page = visit(pages("csv"))
    frame = page.locator(".frame").first
    small = frame.locator("img").bounding_box()["width"]
    frame.focus()
    page.keyboard.press("Enter")
    assert frame.get_attribute("aria-pressed") == "true"
    assert frame.locator("img").bounding_box()["width"] > small
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.keyboard.press("Enter")
    assert frame.locator("img").bounding_box()["width"] == small
