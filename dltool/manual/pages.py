"""The pages of the manual, and the sections that a topic or words select.

A page is a Markdown file in this folder; `first_hour` and `reference/model` are topics. In a reference page each option
has a section of its own, the topic `model=lenet`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.shell import quoted, setting

FOLDER = Path(__file__).resolve().parent
START = "index"
REFERENCE = "reference/"
HEADING = re.compile(r"(#{1,4}) (.+)")
FENCE = re.compile(r"\s*(```|~~~)")
COMMENT = re.compile(r"^<!--.*?-->\n", re.MULTILINE | re.DOTALL)  # For the tests, not for readers.


@dataclass(frozen=True)
class Section:
    """A heading with the text up to the next heading of any level.

    Attributes:
        topic: Of the page, such as "training".
        heading: Without the leading #.
        level: 1 for the page's title.
        text: The Markdown, with the heading.
    """

    topic: str
    heading: str
    level: int
    text: str


@dataclass(frozen=True)
class Page:
    """One page; its topic is the path in the folder without the suffix."""

    topic: str
    path: Path

    @cached_property
    def text(self) -> str:
        """The Markdown that readers see."""
        return COMMENT.sub("", self.path.read_text(encoding="utf-8"))

    @property
    def title(self) -> str:
        return self.sections[0].heading

    @cached_property
    def sections(self) -> list[Section]:
        return list(split(self.topic, self.text))


def pages() -> dict[str, Page]:
    """Topic to page; the reference last, and translations after it."""
    topics = {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in FOLDER.rglob("*.md")}
    order = sorted(topics, key=lambda topic: (topic.startswith("zh/"), "/" in topic, topic))
    return {topic: Page(topic, topics[topic]) for topic in order}


def find(topic: str) -> str:
    """The Markdown of a topic: a page, or the section of one option of a group, `model=lenet`.

    Raises:
        ConfigError: There is no such topic; the hint has the nearest one.
    """
    known = pages()
    group, equals, option = topic.partition("=")
    page = known.get(topic) or known.get(topic.replace("-", "_")) or known.get(f"{REFERENCE}{group}")
    if page is not None and not equals:
        return page.text if page.topic == topic else overview(page)
    if page is not None:
        names = {section.heading for section in page.sections if section.level == 2}
        if option in names:
            return with_subsections(page, option)
        raise ConfigError(f"the manual has no {group}={option}", suggestion(option, names, f"{group}="))
    names = {name.removeprefix(REFERENCE) for name in known}
    raise ConfigError(f"the manual has no page {topic}", suggestion(topic, names, ""))


def overview(page: Page) -> str:
    """A long reference page in short: its options with the first paragraph of each."""
    group = page.topic.removeprefix(REFERENCE)
    options = [section for section in page.sections if section.level == 2]
    if len(options) < 2:
        return page.text
    rows = [f"- **`{group}={section.heading}`** {first_paragraph(section.text)}" for section in options]
    one, whole = quoted("help", setting(group, options[0].heading)), quoted("help", page.topic)
    more = f"`dltool {one}` shows the keys of one; `dltool {whole}` shows all."
    return "\n".join([page.sections[0].text.rstrip(), "", *rows, "", more, ""])


def first_paragraph(text: str) -> str:
    return text.split("\n\n")[1].replace("\n", " ") if text.count("\n\n") else ""


def suggestion(word: str, names: set[str], lead: str) -> str:
    near = nearest(word, names)
    if near is not None:
        return f"dltool {quoted('help', lead + near)}"
    return f"dltool help lists the pages; dltool {quoted('help', '--search', word)} looks for the word in them"


def with_subsections(page: Page, heading: str) -> str:
    """A section of level two with everything up to the next one."""
    parts: list[str] = []
    for section in page.sections:
        if section.level <= 2 and parts:
            break
        if parts or (section.level == 2 and section.heading == heading):
            parts.append(section.text)
    return "".join(parts)


def search(words: list[str]) -> list[tuple[Section, str]]:
    """The sections that contain all words, in any case, each with the first line that has most of them.

    Sections with a word in their heading are first, then those with the most occurrences.
    """
    wanted = [word.lower() for word in words]
    found = []
    for page in pages().values():
        for section in page.sections:
            text = section.text.lower()
            if all(word in text for word in wanted):
                in_heading = sum(word in section.heading.lower() for word in wanted)
                found.append((in_heading, sum(map(text.count, wanted)), section))
    found.sort(key=lambda row: row[:2], reverse=True)
    return [(section, best_line(section, wanted)) for _, _, section in found]


def best_line(section: Section, words: list[str]) -> str:
    lines = [line.strip() for line in section.text.splitlines()[1:] if line.strip()] or [section.heading]
    return max(lines, key=lambda line: sum(word in line.lower() for word in words))


def split(topic: str, text: str) -> Iterator[Section]:
    """The sections of a page; a # in a fence is no heading."""
    heading, level, lines, fenced = topic, 1, list[str](), False
    for line in text.splitlines(keepends=True):
        fenced ^= bool(FENCE.match(line))
        found = None if fenced else HEADING.match(line)
        if found is not None:
            if lines:
                yield Section(topic, heading, level, "".join(lines))
            heading, level, lines = found[2].strip(), len(found[1]), []
        lines.append(line)
    yield Section(topic, heading, level, "".join(lines))
