"""The requests of the shells and the answers to them.

The script of each shell, under scripts/, calls `dltool __complete SHELL …` at each press of the Tab key:

    dltool __complete bash LINE COMP_WORDBREAKS     the line up to the cursor
    dltool __complete zsh|fish WORD …               the words after `dltool`; the last up to the cursor

and reads lines: "words", "files" or "folders"; the prefix of all candidates; then, for words, one candidate per line
with a tab and its description, for the others the path typed so far.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dltool.completion.answer import Answer

REQUEST = "__complete"
SHELLS = ("bash", "zsh", "fish")
SPECIAL = re.compile(r"([\s'\"\\$`&;|<>(){}*?!])")  # Characters that bash interprets outside quotes.


def script(shell: str) -> str:
    """The completion script of a shell."""
    return (Path(__file__).parent / "scripts" / f"dltool.{shell}").read_text(encoding="utf-8")


@dataclass
class Word:
    """One word of a command line as bash splits it.

    Attributes:
        text: Without quotes and backslashes.
        quote: The quote that is still open at its end, or nothing.
        begin: Where the part that readline replaces begins in `text`: after the last break outside quotes.
    """

    text: str = ""
    quote: str = ""
    begin: int = 0


def split_line(line: str, breaks: str = "") -> list[Word]:
    """Split a line up to the cursor into words; a quote need not be closed, and a last space begins an empty word."""
    words = [Word()]
    i, started = 0, False
    while i < len(line):
        character, word = line[i], words[-1]
        escaping = word.quote != "'" and character == "\\" and i + 1 < len(line)
        if escaping:
            i += 1
            word.text += line[i] if not word.quote or line[i] in '"\\$`' else f"\\{line[i]}"
        elif word.quote:
            word.text, word.quote = (word.text, "") if character == word.quote else (word.text + character, word.quote)
        elif character in "'\"":
            word.quote, word.begin = character, len(word.text)
        elif character.isspace():
            if started:
                words.append(Word())
            started = False
            i += 1
            continue
        else:
            word.text += character
            if character in breaks:
                word.begin = len(word.text)
        started = True
        i += 1
    return words


def request_words(shell: str, arguments: Sequence[str]) -> list[Word]:
    """The words after `dltool` in a shell's request, never empty."""
    if shell == "bash":
        words = split_line(arguments[0], arguments[1])
        while words and re.match(r"\w+=", words[0].text):  # Environment variables before the command.
            words.pop(0)
        return words[1:] or [Word()]
    *before, last = arguments or [""]
    texts = [*before, split_line(last)[-1].text if shell == "fish" and last else last]
    return [Word(text) for text in texts]


def render(shell: str, word: Word, answer: Answer) -> str:
    """The lines for a shell's script."""
    lead = answer.prefix
    escape = shell == "bash" and not word.quote
    if shell == "bash":  # readline replaces only the part after the last break.
        lead = lead[word.begin :]
    begun = word.text.removeprefix(answer.prefix)
    lines = [answer.paths or "words", lead]
    if answer.paths:
        lines.append(begun)
    for candidate in answer.candidates:
        text = candidate.text
        if shell == "bash":
            text = (answer.prefix + text)[word.begin :]
            text = SPECIAL.sub(r"\\\1", text) if escape else text
        elif shell == "fish":
            text = lead + text
        description = " ".join(candidate.description.split())
        lines.append(f"{text}\t{description}" if shell != "bash" else text)
    return "\n".join(lines)
