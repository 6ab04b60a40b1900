"""The reference pages: every option of every group, written from the signatures, docstrings and YAML files."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from dltool.core.shell import in_grammar
from dltool.declarations.docstrings import descriptions, nested_descriptions
from dltool.declarations.kinds import REQUIRED, Field, Nested
from dltool.declarations.modules import source_module
from dltool.declarations.options import GROUPS, METRIC, PRESETS, option_files, summary
from dltool.declarations.registry import registrations
from dltool.declarations.schema import SchemaMaker
from dltool.declarations.source import component

# Keys that belong to no group of options: the name of their page to the component that declares them, and the page's
# first paragraph.
LOOSE = {
    "root": ("train", "", "The keys that belong to no group."),
    "sweep": ("default", "sweep.", "The keys of a sweep, `dltool train -m`, set on the command line."),
    "tune": ("default", "tune.", "The keys of a search, `dltool tune`, set on the command line."),
}
SECTION = re.compile(r"(Args|Attributes|Raises|Returns|Yields|Note):")


def reference_pages() -> dict[str, str]:
    """The name of each page to its Markdown."""
    made = {group: preset_page(group) if group in PRESETS else group_page(group) for group in GROUPS}
    return made | {name: loose_page(name) for name in LOOSE} | {METRIC: metric_page()}


def group_page(group: str) -> str:
    """A section for each option of a group; the keys are in that of the first option of each component."""
    lines = [f"# {group}", "", f"The options of `{group}=NAME`: {GROUPS[group]}.", ""]
    files = option_files(group)
    components = {option: str(SchemaMaker.component_name(path, group)) for option, path in files.items()}
    sections = sections_with_keys(components)
    for option, path in files.items():
        name = components[option]
        lines += [f"## {option}", "", f"{sentence(summary(path))}", ""]
        if sections[name] == option:
            lines += [*component_text(group, name), *key_list(f"{group}.", keys_of(group, name))]
        else:
            home = sections[name]
            lines += [f"The keys are those of [{home}](#{home}), with these values:", "", *yaml_block(path)]
    return "\n".join(lines).rstrip() + "\n"


def sections_with_keys(components: Mapping[str, str]) -> dict[str, str]:
    """Component to the option whose section has its keys: the option of the same name, or the first one."""
    homes: dict[str, str] = {}
    for option, name in components.items():
        if option == name or name not in homes:
            homes[name] = option
    return homes


def preset_page(group: str) -> str:
    """The files of a group whose options select those of others, whole."""
    lines = [f"# {group}", "", f"The options of `{group}=NAME`: {GROUPS[group]}.", ""]
    for option, path in option_files(group).items():
        lines += [f"## {option}", "", sentence(summary(path)), "", *yaml_block(path)]
    return "\n".join(lines).rstrip() + "\n"


def loose_page(name: str) -> str:
    option, lead, text = LOOSE[name]
    return "\n".join([f"# {name}", "", text, "", *key_list(lead, keys_of(name, option))]).rstrip() + "\n"


def metric_page() -> str:
    """A section for each metric that `task.metrics` can name."""
    lines = [f"# {METRIC}", "", "What is measured: `'task.metrics=[NAME]'` selects those that fit the data.", ""]
    for name in sorted(registrations()[METRIC]):
        lines += [f"## {name}", "", *component_text(METRIC, name)]
    return "\n".join(lines).rstrip() + "\n"


def component_text(group: str, name: str) -> list[str]:
    """The docstring of a component without its sections."""
    declared = component(group, name)
    definition = source_module(declared.module).definitions[declared.attribute]
    text = ast.get_docstring(definition) or ""
    kept = []
    for line in text.splitlines():
        if SECTION.fullmatch(line):
            break
        kept.append(line)
    return [*"\n".join(kept).strip().splitlines(), ""] if any(kept) else []


def keys_of(group: str, name: str) -> list[tuple[str, Field, str]]:
    """(dotted key, field, text) of every key, those of nested settings too."""
    return list(flattened(component(group, name).all_fields, descriptions(group, name)))


def flattened(
    fields: Mapping[str, Field], texts: Mapping[str, str], lead: str = ""
) -> Iterator[tuple[str, Field, str]]:
    for key, field in fields.items():
        if isinstance(field.kind, Nested):
            yield from flattened(field.kind.fields, nested_descriptions(field.kind), f"{lead}{key}.")
        else:
            yield f"{lead}{key}", field, texts.get(key, "")


def key_list(lead: str, keys: list[tuple[str, Field, str]]) -> list[str]:
    """A list, not a table: terminals and code hosts break its long texts well."""
    if not keys:
        return ["It has no keys.", ""]
    rows = [
        f"- **`{lead}{key}`** = {default(field)}: {field.kind.describe()}. {text}".rstrip() for key, field, text in keys
    ]
    return [*rows, ""]


def default(field: Field) -> str:
    return "(required)" if field.default is REQUIRED else f"`{in_grammar(field.default)}`"


def sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", ")")) or not text else f"{text}."


def yaml_block(path: Path) -> list[str]:
    return ["```yaml", *path.read_text(encoding="utf-8").rstrip().splitlines(), "```", ""]
