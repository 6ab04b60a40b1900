"""Names, docstrings, comments, messages and documents use the field's standard terms.

A list of the words that this project once had for them, each with the term to write instead.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import REPOSITORY

INSTEAD = {
    r"\bheld against\b|\bholds? \w+ against\b": "compared with",
    r"\b(?:tells?|telling|told) (?:\w+ )?apart\b": "distinguishes, classifies",
    r"\btold\b": "passed, called with, predicted, reported",
    r"\bpadded behind\b": "right-padded",
    r"\bis no number\b": "is not a number, is NaN",
    r"\bmend(?:s|ed|ing)?\b": "fix",
    r"\ba person\b": "the user",
    r"\bmakes? of (?:it|them|images|texts|a|an|the|each|inputs|samples|raw)\b": "its outputs for, its predictions for",
    r"\bby heart\b": "memorized, overfit",
    r"\bverdicts?\b": "score, decision",
    r"\bfull connections?\b": "fully connected",
    r"\bnever ends? well\b": "say what happens",
    r"\bseveral looks\b": "test-time augmentation, views",
    r"\bmade_up_\w+\b": "synthetic",
    r"\bpass_is_over\b|\bpasses over the (?:training )?data\b": "epoch_exhausted, epochs",
    r"\btell_of_steps\b": "notify_step_observers",
    r"\baround_step\b": "step_context",
    r"\bseveral_looks\b|\baveraged_over\b": "tta_context, with_tta",
    r"\bfollowed_metric\b": "monitored_metric",
    r"\bclass_in_turn\b": "cycle_labels",
    r"\bclass (?:Wanted|Said|Ended|Game)\b": "PrepareOptions, PredictionCollector, TrainResult, GanLoss",
}
# Where former names are the content.
LEFT_OUT = {"dltool/trust/former_names.py", "dltool/config/renamed.py"}


def texts() -> Iterator[Path]:
    for folder, suffixes in (("dltool", (".py", ".md", ".yaml")), ("configs", (".yaml",))):
        paths = sorted(path for path in (REPOSITORY / folder).rglob("*") if path.suffix in suffixes)
        yield from (path for path in paths if str(path.relative_to(REPOSITORY)) not in LEFT_OUT)
    yield from (REPOSITORY / name for name in ("README.md", "CHANGELOG.md"))


def found(pattern: str) -> list[str]:
    """The places of a pattern, in any case, across the ends of lines."""
    places = []
    for path in texts():
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(pattern.replace(" ", r"[\s#]+"), text, re.IGNORECASE):
            line = text.count("\n", 0, match.start()) + 1
            places.append(f"{path.relative_to(REPOSITORY)}:{line}: {match[0]!r}")
    return places


@pytest.mark.parametrize("pattern", INSTEAD)
def test_the_standard_term_is_used(pattern: str) -> None:
    assert not found(pattern), f"write instead: {INSTEAD[pattern]}"


def test_the_words_are_found_where_they_are() -> None:
    assert re.search(r"\btold\b", "is told at once")
    assert found(r"\bdltool train\b")
