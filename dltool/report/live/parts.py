"""The elements of a page with curves that are replaced when they change."""

from collections.abc import Callable, Mapping
from typing import Any

from dltool.report.live.changes import Part
from dltool.report.page import element_id, templates
from dltool.report.words import word

Address = Callable[[Mapping[str, Any]], str]


def page_parts(
    document: Mapping[str, Any], charts: Any, *, picture: Address, film: Address, link: Callable[[str], str]
) -> dict[str, Part]:
    """The parts of the page of a document.

    Args:
        document: See dltool.report.document.
        charts: What determines the charts, apart from their points.
        picture: The address of a picture.
        film: The address of the frames of a film.
        link: The address of a folder that a table names.
    """
    macros: Any = templates().get_template("parts.html").module
    figures = dict(gallery_figures(macros, document, picture, film))
    titles = [(section["id"], section["title"]) for section in document["sections"]]
    return {
        "part-state": Part(macros.state(document, word)),
        "part-contents": Part(macros.contents(document, word)),
        "part-summary": Part(macros.summary(document, word)),
        "part-messages": Part(macros.messages(document, word)),
        "part-commands": Part(macros.commands(document, word)),
        "part-tables-first": Part(macros.tables(document, word, True, link)),
        "part-curves": Part(macros.curves(document, word), outline=charts),
        "part-settings": Part(macros.settings(document, word, True)),
        "part-plane": Part(macros.plane(document, word)),
        "part-network": Part(macros.network_note(document, word)),
        "part-gallery": Part(
            macros.gallery(document, picture, film, word), outline=(titles, list(figures)), inner=figures
        ),
        "part-tables-last": Part(macros.tables(document, word, False, link)),
    }


def gallery_figures(macros: Any, document: Mapping[str, Any], picture: Address, film: Address) -> list[tuple[str, str]]:
    """The id and the HTML of each film, picture and text."""
    found = []
    for section in document["sections"]:
        found += [(element_id(one["file"]), macros.film_player(one, film, word)) for one in section["films"]]
        found += [(element_id(one["file"]), macros.picture_figure(one, picture, word)) for one in section["pictures"]]
        found += [(element_id(one["title"]), macros.text_figure(one, word)) for one in section["texts"]]
    return found
