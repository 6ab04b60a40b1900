"""A document as one HTML file that loads nothing: pictures as data, scripts and styles inside with their hashes.

The content security policy of the page is `default-src 'none'` with the hashes of its own scripts and styles, so that
markup in a run's texts, if it ever passed the escaping of the templates, could neither run nor load anything.
"""

import base64
import functools
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dltool.core.language import wanted_language
from dltool.core.safe_read import read_regular
from dltool.report.playground_words import CHINESE_PLAYGROUND
from dltool.report.words import CHINESE_PAGE, word

if TYPE_CHECKING:  # Pillow is imported when the first picture is written.
    from PIL import Image

FOLDER = Path(__file__).parent
STYLES = ("vendor/uplot/uPlot.min.css", "assets/style.css")
SCRIPTS = (
    "vendor/uplot/uPlot.iife.min.js",
    "assets/charts.js",
    "assets/points.js",
    "assets/network.js",
    "assets/drawing.js",
    "assets/try.js",
    "assets/films.js",
    "assets/page.js",
    "assets/mlp.js",
    "assets/plane.js",
    "assets/playground.js",
)
MIN_FRAMES, MAX_FRAMES = 12, 60
MAX_FILM = 330_000  # Characters of all frames of a film, above MIN_FRAMES.
FRAME_WIDTH = 520  # Pixels; wider frames are reduced.


def page(document: Mapping[str, Any], folder: Path) -> str:
    """The HTML of a document.

    Args:
        document: See dltool.report.document.
        folder: Where its pictures are.
    """
    found = pictures(document, folder)
    return render(
        "page.html",
        SCRIPTS,
        {**data_of(document), "films": films(document, folder)},
        document=document,
        picture=lambda one: found[one["file"]],
        film=lambda one: "",
        link=lambda folder: f"./{quote(folder)}/",
        live=None,
    )


def data_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """What the scripts of a page draw."""
    return {name: document[name] for name in ("charts", "points", "network", "playground")}


def render(template: str, scripts: Sequence[str], data: Mapping[str, Any], **values: Any) -> str:
    """Fill the template of a page.

    Args:
        template: Its file.
        scripts: The files of its scripts.
        data: What these find in the page, in addition to their words.
        values: Variables of the template. With `live` the page may ask the server that it is from.
    """
    style = "\n".join(asset(name) for name in STYLES)
    script = "\n".join(asset(name) for name in scripts)
    return (
        templates()
        .get_template(template)
        .render(
            policy=policy(style, script, is_live=values["live"] is not None),
            style=Markup(style),
            script=Markup(script),
            data=Markup(as_script_data({**data, "words": words_of_scripts()})),
            t=word,
            language=wanted_language(),
            **values,
        )
    )


@functools.cache
def templates() -> Environment:
    found = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters["element_id"] = element_id
    found.filters["breakable"] = breakable
    return found


def breakable(name: str) -> Markup:
    """The name of a run, which a narrow column breaks between settings and before a value, not inside of them."""
    return Markup("<wbr>").join(filter(None, re.split(r"(?<=[,/])|(?<=\d_)|(?==)", name)))


def element_id(name: str) -> str:
    """The id of an element that shows a file or a text of this name, which may have any characters."""
    return "of-" + hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


@functools.cache
def asset(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def policy(style: str, script: str, *, is_live: bool = False) -> str:
    """The content security policy: nothing but the page's own style and script, and pictures that it contains.

    A live page also has pictures and data from its own server, and forms that ask it.
    """
    own = " 'self'" if is_live else ""
    ask = "form-action 'self'; connect-src 'self'" if is_live else "form-action 'none'"
    return (
        f"default-src 'none'; img-src data:{own}; style-src '{digest(style)}'; script-src '{digest(script)}'; "
        f"base-uri 'none'; {ask}"
    )


def digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def as_script_data(value: Any) -> str:
    """JSON for a `<script type="application/json">`, which no text in it can end."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def words_of_scripts() -> dict[str, str]:
    """The texts of the scripts in the language of the page, where it is not that of the scripts."""
    found = {text: word(text) for text in CHINESE_PAGE | CHINESE_PLAYGROUND}
    return {text: translated for text, translated in found.items() if translated != text}


def pictures(document: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """The pictures by their files, as addresses of images; two at a time, since Pillow encodes without the GIL."""
    files = [one["file"] for part in document["sections"] for one in part["pictures"]]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(files, pool.map(lambda file: as_source(folder / file), files), strict=True))


def as_source(path: Path) -> str:
    """The content of a PNG file as the address of an image.

    As lossless WebP, with the same pixels, a figure has about half of its size, and takes 20 ms: from quality 25 on it
    would take twice the time, for files that are 15 % smaller.
    """
    content = read_regular(path)
    smaller = without_loss(content)
    kind, shortest = ("webp", smaller) if smaller and len(smaller) < len(content) else ("png", content)
    return f"data:image/{kind};base64," + base64.b64encode(shortest).decode()


def without_loss(content: bytes) -> bytes | None:
    """An image as WebP with exactly its pixels; None for a file that cannot be read, or is too large for WebP."""
    from PIL import Image

    made = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content)) as image:
            if image.mode not in ("RGB", "RGBA", "L", "P", "1"):  # Of 16 bits, for example.
                return None
            has_alpha = image.mode == "RGBA" or "transparency" in image.info
            mode = "RGBA" if has_alpha and not is_opaque(image) else "RGB"
            image.convert(mode).save(made, format="WEBP", lossless=True, exact=True, quality=24, method=1)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None
    return made.getvalue()


def is_opaque(image: "Image.Image") -> bool:
    """Whether an image with an alpha channel hides everything behind it, as figures do."""
    return image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255)


def films(document: Mapping[str, Any], folder: Path) -> dict[str, list[str]]:
    """The frames of the films by their files."""
    return {film["file"]: frames(folder / film["file"]) for part in document["sections"] for film in part["films"]}


def frames(path: Path) -> list[str]:
    """Frames of a GIF, evenly chosen with the first and the last, as addresses of images.

    They are as many as have MAX_FILM characters if all are like the middle one, from MIN_FRAMES to MAX_FRAMES. A GIF
    cannot be read backwards, so that the frames before the middle one are kept until the number is known.
    """
    from PIL import Image, ImageSequence

    found: list[str] = []
    waiting: list[Any] = []
    with Image.open(io.BytesIO(read_regular(path))) as film:
        candidates = evenly(range(getattr(film, "n_frames", 1)), 2 * MAX_FRAMES)
        middle, chosen = candidates[len(candidates) // 2], set(candidates)
        for place, frame in enumerate(ImageSequence.Iterator(film)):
            if place not in chosen and place != middle:
                continue
            image = frame.convert("RGB")
            image.thumbnail((FRAME_WIDTH, FRAME_WIDTH))
            waiting.append((place, image))
            if place == middle:
                fitting = MAX_FILM // len(as_webp(image))
                chosen = set(evenly(candidates, max(min(fitting, MAX_FRAMES), MIN_FRAMES)))
            if place >= middle:
                found += [as_webp(image) for place, image in waiting if place in chosen]
                waiting = []
    return found


def evenly(places: Sequence[int], count: int) -> list[int]:
    """At most `count` of the places, at equal distances, among them the first and the last."""
    last = min(len(places), count) - 1
    return [places[round(turn * (len(places) - 1) / max(last, 1))] for turn in range(last + 1)]


def as_webp(image: Any) -> str:
    """A frame as the address of an image."""
    content = io.BytesIO()
    image.save(content, format="WEBP", quality=50, method=2)
    return "data:image/webp;base64," + base64.b64encode(content.getvalue()).decode()
