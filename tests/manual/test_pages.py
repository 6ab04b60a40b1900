"""Pages are found, searched and linked; the reference is that of the present code."""

import re
from pathlib import Path

import pytest
from documents import DOCUMENTS, fences
from import_graph import PACKAGE
from places import REPOSITORY

from dltool.cli.main import VERBS, main
from dltool.cli.reference import all_pages
from dltool.core.errors import ConfigError
from dltool.manual.pages import FOLDER, find, pages, search

LINK = re.compile(r"!?\[[^]]*\]\(([^)\s]+)\)")
PLACEHOLDER = "…"


def test_the_reference_is_current() -> None:
    """Written by `python -m dltool.cli.reference`."""
    written = {path.stem: path.read_text(encoding="utf-8") for path in (FOLDER / "reference").glob("*.md")}
    assert written == all_pages()


@pytest.mark.parametrize("topic", DOCUMENTS)
def test_links_lead_somewhere(topic: str) -> None:
    path = DOCUMENTS[topic]
    text = re.sub(r"^ *```.*?^ *```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)
    for target in LINK.findall(text):
        if target.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = target.partition("#")
        file = (path.parent / name).resolve() if name else path
        assert file.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), flags=re.MULTILINE)
            assert anchor in map(as_anchor, headings), target


def as_anchor(heading: str) -> str:
    """The anchor that code hosts give a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("topic", [topic for topic in DOCUMENTS if "reference/" not in topic])
def test_a_page_has_a_title_and_a_first_paragraph(topic: str) -> None:
    text = DOCUMENTS[topic].read_text(encoding="utf-8")
    title, empty, first = text.splitlines()[:3]
    assert title.startswith("# ")
    assert not empty
    assert first[0] not in "#|`<-"


def test_the_table_of_contents_has_every_page() -> None:
    text = pages()["index"].text
    assert {topic for topic in pages() if f"({topic}.md)" not in text} <= {"index", "zh/README", "zh/first_hour"}


def test_every_option_and_command_is_named() -> None:
    text = pages()["configs"].text
    for group in ("model", "data", "task", "schedule"):
        for path in (REPOSITORY / "configs" / group).glob("*.yaml"):
            assert f"`{path.stem}`" in text, f"{group}={path.stem}"
    for verb in VERBS:
        assert any(f"`dltool {verb}" in page.text for page in pages().values()), verb
        assert f"\n## {verb}\n" in pages()["reference/commands"].text


def test_pictures_are_there() -> None:
    for path in DOCUMENTS.values():
        for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / picture).stat().st_size > 1000, picture


def test_troubleshooting_quotes_messages_of_the_code() -> None:
    sources = [path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")]
    together = [re.sub(r'"\n\s+f?"', "", source) for source in sources]  # Adjacent literals.
    headings = [section.heading for section in pages()["troubleshooting"].sections if section.level == 3]
    assert len(headings) > 20
    for heading in headings:
        parts = [part.strip() for part in heading.strip("`").split(PLACEHOLDER) if len(part.strip()) > 3]
        assert parts, heading
        assert any(all(part in source for part in parts) for source in together), heading


def test_the_python_fences_are_python() -> None:
    for topic, path in DOCUMENTS.items():
        for fence in fences(path):
            if fence.language == "python":
                compile(fence.text, f"{topic}:{fence.line}", "exec")


def test_an_option_and_a_long_page_in_short() -> None:
    text = find("model=lenet")
    assert text.startswith("## lenet\n")
    assert "`model.filters`" in text
    assert "lenet5_1998" not in text
    assert "dltool help model=" in find("model")
    assert find("reference/model").count("\n## ") > 30


@pytest.mark.parametrize(
    ("topic", "hint"),
    [
        ("modle", "dltool help model"),
        ("trainig", "dltool help training"),
        ("model=lenett", "dltool help model=lenet"),
        ("qwerty", "dltool help lists the pages; dltool help --search qwerty looks for the word in them"),
    ],
)
def test_an_unknown_topic(topic: str, hint: str) -> None:
    with pytest.raises(ConfigError) as caught:
        find(topic)
    assert caught.value.hint == hint


def test_search_wants_all_words_and_prefers_headings() -> None:
    found = [section.topic for section, _ in search(["LeNet", "scaled_tanh"])]
    assert "reference/model" in found
    (section, line), *_ = search(["lenet5_1998"])
    assert "lenet5_1998" in section.heading
    assert line
    assert search(["lenet", "qwertyuiop"]) == []


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["help"]) == 0
    contents = capsys.readouterr().out
    assert "first_hour" in contents
    assert ".md" not in contents
    assert main(["help", "--search", "checkpoint", "resume"]) == 0
    assert "files: " in capsys.readouterr().out
    assert main(["help", "--search", "qwertyuiop"]) == 1
    assert capsys.readouterr().out == "no section contains qwertyuiop\n"


def test_what_is_for_the_tests_is_not_shown(tmp_path: Path) -> None:
    assert not any("<!-- not run" in page.text or "<!-- with" in page.text for page in pages().values())
