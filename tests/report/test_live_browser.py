"""The live pages in a headless Chromium; see test_browser."""

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browsing import open_chromium
from fabricated import make_run
from live_server import serving

from dltool.report.live.server import LiveServer

pytestmark = pytest.mark.browser

EVIL = "<script>window.ran=1<script><img src=x onerror=window.ran=1>\"'"
SERIOUS = ("serious", "critical")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "outputs"
    make_run(root / "one", {"model.name": "mlp"}, curve=[1.0, 0.5])
    make_run(root / EVIL, {"model.name": EVIL, EVIL: EVIL}, curve=[2.0, 1.5], metrics={f"val/{EVIL}": 1.0})
    return root


@pytest.fixture
def server(root: Path) -> Iterator[LiveServer]:
    with serving(root) as server:
        yield server


@pytest.fixture
def chromium() -> Iterator[Any]:
    with open_chromium() as browser:
        yield browser


def opened(chromium: Any, url: str, problems: list[str], **context: Any) -> Any:
    page = chromium.new_context(**context).new_page()
    page.on("console", lambda message: problems.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: problems.append(f"error: {error}"))
    page.on("request", lambda made: problems.append(made.url) if not made.url.startswith(("data:", url)) else None)
    page.goto(url)
    return page


def test_a_run_is_found_compared_and_followed(root: Path, server: LiveServer, chromium: Any) -> None:
    from playwright.sync_api import expect

    problems: list[str] = []
    page = opened(chromium, server.url, problems)
    assert page.locator(".runs tbody tr").count() == 2
    page.locator("input[name=q]").fill("model=mlp")
    expect(page.locator(".runs tbody tr")).to_have_count(1, timeout=3000)
    page.locator(".runs input").check()
    page.locator("input[name=q]").fill("")
    expect(page.locator(".runs tbody tr")).to_have_count(2, timeout=3000)
    assert page.locator(".runs input:checked").count() == 1
    page.locator(".runs input:not(:checked)").check()
    page.locator("#compare button").click()
    page.wait_for_selector("canvas")
    assert page.evaluate("window.ran") is None
    page.get_by_text("All runs").click()
    page.get_by_role("link", name="one", exact=True).click()
    page.wait_for_selector("canvas")
    began = time.monotonic()
    with (root / "one" / "metrics.jsonl").open("a") as file:
        file.write('{"step": 30, "epoch": 3, "split": "val", "val/loss": 0.125}\n')
    expect(page.locator(".values").first).to_contain_text("0.125", timeout=5000)
    assert time.monotonic() - began <= 2
    assert problems == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["", "run?run=one", "compare", "search?run=."])
def test_nothing_serious_for_a_reader_with_a_screen_reader(
    root: Path, server: LiveServer, chromium: Any, path: str, scheme: str
) -> None:
    from urllib.parse import quote

    if path.startswith("search"):
        (root / "sweep.json").write_text("{}")
    problems: list[str] = []
    path = f"compare?run=one&run={quote(EVIL)}" if path == "compare" else path
    page = opened(chromium, server.url, problems, color_scheme=scheme, bypass_csp=True)
    page.goto(server.url + path)
    page.add_script_tag(content=Path(os.environ["DLTOOL_AXE"]).read_text())
    found = page.evaluate("axe.run()")["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found if one["impact"] in SERIOUS] == []
    assert problems == []


def test_a_phone_needs_no_sideways_scrolling(root: Path, server: LiveServer, chromium: Any) -> None:
    problems: list[str] = []
    for path in ("", "run?run=one"):
        page = opened(chromium, server.url, problems, viewport={"width": 360, "height": 740})
        page.goto(server.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
