import base64
import hashlib
import html
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from fabricated import make_run
from PIL import Image

from dltool.core.language import in_language
from dltool.report.page import (
    MAX_FRAMES,
    MIN_FRAMES,
    as_script_data,
    as_source,
    breakable,
    evenly,
    frames,
    page,
    words_of_scripts,
)
from dltool.report.run_document import run_document
from dltool.report.write import write_run_page
from dltool.runs.catalog import read_run

EVIL = "</script><script>window.ran=1</script><img src=x onerror=window.ran=1>\u2028${1}{{7*7}}"


def made(path: Path) -> str:
    with in_language("en"):
        return page(run_document(read_run(path)), path)


def test_the_policy_allows_the_scripts_and_styles_of_the_page_and_nothing_else(tmp_path: Path) -> None:
    text = made(make_run(tmp_path / "run", curve=[1.0, 0.5]))
    policy = html.unescape(re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1])  # type: ignore[index]
    assert policy.startswith("default-src 'none';")
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.S)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.S)
    for content in (script, style):
        assert base64.b64encode(hashlib.sha256(content.encode()).digest()).decode() in policy
    assert not re.search(r'(src|href)="(?!data:|#|\./)', text)
    assert " style=" not in text


def test_markup_in_a_run_is_text(tmp_path: Path) -> None:
    config = {"model.name": EVIL, "model.hidden": EVIL, EVIL: EVIL}
    path = make_run(tmp_path / "run", config, metrics={f"val/{EVIL}": 1.0}, state="failed", error=EVIL, curve=[1, 2])
    (path / "samples").mkdir()
    (path / "samples" / "step.txt").write_text(EVIL)
    (path / "log.txt").write_text(f"warning: {EVIL}\n")
    (path / "summary.json").write_text(json.dumps({"data": [[EVIL, EVIL]], "sizes": {EVIL: 3}, "unit": EVIL}))
    text = made(path)
    assert text.count("<script") == 2
    assert "<img" not in text
    assert "49" not in re.findall(r"<h1>(.*?)</h1>", text)[0]


def test_data_cannot_end_its_script() -> None:
    text = as_script_data({"a": EVIL})
    assert "<" not in text
    assert json.loads(text) == {"a": EVIL}


def test_frames_are_chosen_evenly_with_the_first_and_the_last(tmp_path: Path) -> None:
    pictures = [Image.fromarray(np.full((8, 8, 3), step, np.uint8)) for step in range(200)]
    pictures[0].save(tmp_path / "film.gif", save_all=True, append_images=pictures[1:])
    found = frames(tmp_path / "film.gif")
    assert len(found) == MAX_FRAMES
    shades = [decoded(one) for one in found]
    assert shades[0] < 6
    assert shades[-1] > 193
    assert shades == sorted(shades)


def test_a_film_of_large_frames_has_fewer(tmp_path: Path) -> None:
    draws = np.random.default_rng(0)
    pictures = [Image.fromarray(draws.integers(0, 255, (300, 300), np.uint8)) for _ in range(16)]
    pictures[0].save(tmp_path / "film.gif", save_all=True, append_images=pictures[1:])
    assert len(frames(tmp_path / "film.gif")) == MIN_FRAMES


@pytest.mark.parametrize(("count", "expected"), [(1, [0]), (2, [0, 6]), (4, [0, 2, 4, 6]), (9, [*range(7)])])
def test_places_at_equal_distances(count: int, expected: list[int]) -> None:
    assert evenly(range(7), count) == expected


def test_an_english_page_has_no_words_for_its_scripts(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, "en_US.UTF-8")
    assert words_of_scripts() == {}
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.setenv(name, "zh_CN.UTF-8")
    assert words_of_scripts()["Copied"] == "已复制"


@pytest.mark.parametrize(
    ("name", "pieces"),
    [
        ("003_optim.lr=0.001,model.hidden=[16]", ["003_", "optim.lr", "=0.001,", "model.hidden", "=[16]"]),
        ("studies/iris/000", ["studies/", "iris/", "000"]),
        ("<b>=1", ["&lt;b&gt;", "=1"]),
        ("", []),
    ],
)
def test_names_break_between_settings(name: str, pieces: list[str]) -> None:
    assert breakable(name).split("<wbr>") == (pieces or [""])


def decoded(source: str) -> float:
    import io

    content = base64.b64decode(source.partition(",")[2])
    return float(np.asarray(Image.open(io.BytesIO(content)).convert("L")).mean())


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P"])
def test_a_picture_keeps_its_pixels_in_fewer_bytes(tmp_path: Path, mode: str) -> None:
    values = np.random.default_rng(0).integers(0, 4, (64, 96, 4), np.uint8) * 80
    drawn = Image.fromarray(values).convert("RGB" if mode == "P" else mode)
    drawn = drawn.quantize(16) if mode == "P" else drawn
    drawn.save(tmp_path / "one.png")
    source = as_source(tmp_path / "one.png")
    content = base64.b64decode(source.partition("base64,")[2])
    assert len(content) <= (tmp_path / "one.png").stat().st_size
    with Image.open(tmp_path / "one.png") as before, Image.open(io.BytesIO(content)) as after:
        assert np.array_equal(np.asarray(before.convert("RGBA")), np.asarray(after.convert("RGBA")))


@pytest.mark.parametrize("content", [b"\x89PNG picture", b""])
def test_what_is_no_picture_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "one.png").write_bytes(content)
    assert as_source(tmp_path / "one.png") == "data:image/png;base64," + base64.b64encode(content).decode()


def test_a_picture_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    """A run folder of a stranger must not carry a file of this machine into the page."""
    path = make_run(tmp_path / "run")
    (tmp_path / "secret.png").write_bytes(b"secret")
    (path / "plots").mkdir()
    (path / "plots" / "confusion.png").symlink_to(tmp_path / "secret.png")
    text = made(path)
    assert base64.b64encode(b"secret").decode() not in text


def test_a_page_of_a_usual_run_is_small(tmp_path: Path) -> None:
    write_run_page(make_run(tmp_path / "run", curve=[1.0] * 5000), tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 300_000


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_language_is_declared(tmp_path: Path, language: str) -> None:
    with in_language(language):  # type: ignore[arg-type]
        text = page(run_document(read_run(make_run(tmp_path / "run"))), tmp_path / "run")
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in text
    assert ("概要" in text) == (language == "zh")
