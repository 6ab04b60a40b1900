"""Completes one override: `group=option`, `group.key=value`, `+key`, `~key`, several values in a sweep."""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from dltool.completion.answer import Answer, Candidate, matching
from dltool.completion.selection import Selection, Tree, mapping
from dltool.declarations.docstrings import descriptions, nested_descriptions
from dltool.declarations.kinds import REQUIRED, AnyOf, Field, Kind, ListOf, Nested, OneOf, Scalar
from dltool.declarations.options import GROUPS, PRESETS, option_files, summary
from dltool.declarations.registry import registrations
from dltool.declarations.source import component
from dltool.runs.catalog import as_text

Node = tuple[Mapping[str, Field], Tree, Mapping[str, str]]  # Keys, their values, their docstrings.
FOLDER_KEYS = ("root", "dir")
FILE_KEYS = ("path", "file", "init_from")  # Also as the last part of a name, `split_file`.


class Overrides:
    """The possible overrides at the cursor.

    Args:
        words: The words before the cursor.
        config_dirs: As in Selection.
        saved: As in Selection.
        searches: Groups with the keys of a search instead of a training: "sweep", "tune".
    """

    def __init__(
        self, words: Sequence[str], config_dirs: Sequence[Path], saved: Tree, searches: Sequence[str] = ()
    ) -> None:
        self.config_dirs = config_dirs
        self.searches = searches
        self.selection = Selection(words, config_dirs, saved)

    def complete(self, word: str) -> Answer:
        """The candidates for a partly typed word."""
        sign = word[: len(word) - len(word.lstrip("+~"))]
        key, equals, value = word.removeprefix(sign).partition("=")
        if not equals:
            candidates = matching(self.keys(key, deleting="~" in sign), key)
            return Answer(candidates, prefix=sign)
        begun = re.split(r"[,(\[]", value)[-1]  # In `model=mlp,le`, `choice(mlp,le` and `[tensorboard,wa`.
        prefix = word.removesuffix(begun)
        used = set(re.split(r"[,(\[]", value)[:-1])
        if key in GROUPS:
            candidates = [Candidate(name, summary(path)) for name, path in self.option_files(key).items()]
        elif (found := self.field(key)) is None:
            candidates = []
        elif paths := completes_paths(key, found[0]):
            return Answer(prefix=prefix, paths=paths)
        else:
            candidates = values(found[0], found[1], inside_list="[" in value)
        return Answer([c for c in matching(candidates, begun) if c.text.rstrip(",]") not in used], prefix=prefix)

    def option_files(self, group: str) -> dict[str, Path]:
        return option_files(group, self.config_dirs)

    def keys(self, typed: str, *, deleting: bool) -> Iterator[Candidate]:
        """The keys before the `=`, level by level."""
        parents, _, _ = typed.rpartition(".")
        if parents:
            node = self.node(parents)
            if node is not None:
                yield from key_candidates(*node, lead=f"{parents}.", deleting=deleting)
            return
        for group, text in GROUPS.items():
            if not deleting:
                yield Candidate(f"{group}=", text)
            if group not in PRESETS and (typed or deleting):  # With nothing typed, both forms would be too many.
                yield Candidate(f"{group}.", f"keys of {self.option_name(group)}")
        root = component("root", "train").fields
        yield from key_candidates(
            root, self.selection.root_values(), descriptions("root", "train"), lead="", deleting=deleting
        )
        for search in self.searches:
            yield Candidate(f"{search}.", f"settings of the {search}")

    def option_name(self, group: str) -> str:
        return str(self.selection.fields(group).get("name", group))

    def node(self, key: str) -> Node | None:
        """The keys below a key, with their values and descriptions; None if it has none or does not exist."""
        first, *rest = key.split(".")
        root = component("root", "train").fields
        if first in root:
            fields, tree, texts = dict(root), self.selection.root_values(), descriptions("root", "train")
            rest = [first, *rest]
        else:
            tree = {} if first in self.searches else self.selection.fields(first) if first in GROUPS else {}
            name = "default" if first in self.searches else tree.get("name")
            if name not in registrations().get(first, {}):
                return None
            fields, texts = component(first, name).all_fields, descriptions(first, name)
        for part in rest:
            nested = as_nested(fields[part].kind) if part in fields else None
            if nested is None:
                return None
            tree = mapping(tree.get(part)) or mapping(fields[part].default)
            fields, texts = nested.fields, nested_descriptions(nested)
        return fields, tree, texts

    def field(self, key: str) -> tuple[Kind, Any] | None:
        """The kind and the current value of a key; None if the key does not exist."""
        parents, _, name = key.rpartition(".")
        root: Node = component("root", "train").fields, self.selection.root_values(), {}
        node = self.node(parents) if parents else root
        if node is None or name not in node[0]:
            return None
        field = node[0][name]
        return field.kind, node[1].get(name, field.default)


def key_candidates(
    fields: Mapping[str, Field], tree: Tree, texts: Mapping[str, str], *, lead: str, deleting: bool
) -> Iterator[Candidate]:
    for name, field in fields.items():
        text = re.split(r"(?<=[^.]{3})[.;:](?:\s|$)", texts.get(name, ""))[0]  # Its first sentence.
        if as_nested(field.kind) is not None:
            yield Candidate(f"{lead}{name}.", text)
            continue
        value = tree.get(name, field.default)
        now = "" if value is REQUIRED else f" ({as_text(value)})"
        yield Candidate(f"{lead}{name}" + "=" * (not deleting), (text or field.kind.describe()) + now)


def as_nested(kind: Kind) -> Nested | None:
    """The settings below a key, which may be one alternative of a union."""
    kinds = kind.alternatives if isinstance(kind, AnyOf) else (kind,)
    return next((one for one in kinds if isinstance(one, Nested)), None)


def values(kind: Kind, present: Any, *, inside_list: bool) -> list[Candidate]:
    """The values of a key, if they can be listed, and its current value."""
    found = {text: Candidate(text) for text in texts_of(kind, inside_list=inside_list)}
    if not inside_list and present is not REQUIRED and not isinstance(present, dict):
        text = as_text(present)
        found[text] = Candidate(text, "the current value")
    return list(found.values())


def texts_of(kind: Kind, *, inside_list: bool) -> Iterator[str]:
    match kind:
        case OneOf(values=allowed) if not inside_list:
            yield from map(as_text, allowed)
        case Scalar(type="bool") if not inside_list:
            yield from ("true", "false")
        case AnyOf(alternatives=kinds):
            for one in kinds:
                yield from texts_of(one, inside_list=inside_list)
        case ListOf(item=item):
            for text in texts_of(item, inside_list=False):
                yield from (f"{text},", f"{text}]") if inside_list else (f"[{text}]",)


def completes_paths(key: str, kind: Kind) -> Literal["", "files", "folders"]:
    """Whether a text is the name of a file or folder, by the last word of its key."""
    kinds = kind.alternatives if isinstance(kind, AnyOf) else (kind,)
    if Scalar("str") not in kinds:
        return ""
    name = key.rpartition(".")[2]
    if name in FOLDER_KEYS or name.endswith("_dir"):
        return "folders"
    return "files" if name in FILE_KEYS or name.endswith(("_file", "_path")) else ""
