"""Config groups as JSON Schema, with which an editor completes, explains and checks a YAML file.

Draft 7 is the newest that yaml-language-server supports, and with it VS Code, Neovim and others. A schema contains what
the signatures do: keys, types, ranges, defaults, docstrings. It does not contain the rules between fields (`requires`).
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.yaml_text import read_yaml
from dltool.declarations.docstrings import descriptions, nested_descriptions
from dltool.declarations.kinds import (
    REQUIRED,
    AnyOf,
    ArrayOf,
    DictOf,
    Field,
    Kind,
    ListOf,
    Nested,
    OneOf,
    Scalar,
    TupleOf,
)
from dltool.declarations.options import GROUPS, PRESETS, option_files, summary
from dltool.declarations.registry import registrations
from dltool.declarations.source import component

Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"
TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}
RANGE_SCHEMAS: dict[str, Schema] = {
    "Positive": {"exclusiveMinimum": 0},
    "NonNegative": {"minimum": 0},
    "Probability": {"minimum": 0, "maximum": 1},
    "Fraction": {"minimum": 0, "exclusiveMaximum": 1},
    "PositiveProbability": {"exclusiveMinimum": 0, "maximum": 1},
}
REFERENCE = {"$ref": "#/definitions/reference"}
ARRAY = {"$ref": "#/definitions/array"}
COMPONENT_GROUPS = tuple(group for group in GROUPS if group not in PRESETS)
WHOLE = "train"


def schema(name: str, config_dirs: Sequence[Path] = (), option: str | None = None) -> Schema:
    """The schema of a file.

    Args:
        name: A group, for the YAML of one of its options; or "train", for a whole config such as a run's config.yaml.
        config_dirs: Folders with options in addition to dltool's own.
        option: For the files of this component only.
    """
    maker = SchemaMaker(config_dirs)
    if name == WHOLE:
        body = maker.whole()
    elif name in PRESETS:
        body = maker.preset(name)
    else:
        body = maker.option_file(name, [option] if option else list(registrations()[name]))
    title = f"{name}={option}" if option else "a whole config of dltool" if name == WHOLE else f"dltool {name}"
    return {"$schema": DRAFT, "title": title, **body, "definitions": maker.definitions}


class SchemaMaker:
    """Makes one schema, with the definitions that several places of it refer to.

    Attributes:
        definitions: By name, such as "optim.adam"; filled while the parts are made.
    """

    def __init__(self, config_dirs: Sequence[Path]) -> None:
        self.config_dirs = config_dirs
        self.definitions: dict[str, Schema] = {
            "reference": {
                "type": "string",
                "pattern": r"^\$\{[^{}:]+\}$",
                "description": "The value of another key, ${data.batch_size}.",
            },
            "array": {
                "description": "A number or nested lists of numbers.",
                "anyOf": [{"type": "number"}, {"type": "array", "items": ARRAY}],
            },
        }

    def whole(self) -> Schema:
        groups = {group: self.group(group, list(registrations()[group])) for group in COMPONENT_GROUPS}
        return closed({"defaults": self.defaults(""), **self.root(), **groups})

    def option_file(self, group: str, names: Sequence[str]) -> Schema:
        """The keys alone; or the keys below the group's name, with options of other groups; or changes to an option."""
        node = self.group(group, names)
        chooses, extends = self.defaults("override /"), self.defaults("override /", group)
        beside = closed({"defaults": chooses, group: node})
        changes = self.any_component(group, names)
        changes["properties"]["defaults"] = extends
        return {
            "description": GROUPS[group],
            "type": "object",
            "if": {"required": [group]},
            "then": beside,
            "else": {"if": {"required": ["defaults"]}, "then": changes, "else": node},
        }

    def preset(self, preset: str) -> Schema:
        """An experiment: options of groups, and fields of the options that it or the root selects."""
        conditions = []
        groups = {}
        for group in COMPONENT_GROUPS:
            names = list(registrations()[group])
            groups[group] = self.any_component(group, names)
            selected = {option: self.component_name(path, group) for option, path in self.options(group).items()}
            for name in names:
                options = [option for option, component in selected.items() if name in (option, component)]
                key = f"override /{group}"
                entry = {"type": "object", "properties": {key: {"enum": options}}, "required": [key]}
                chosen = {"properties": {"defaults": {"contains": entry}}, "required": ["defaults"]}
                conditions.append({"if": chosen, "then": {"properties": {group: self.component(group, name)}}})
        properties = {"defaults": self.defaults("override /"), **self.root(), **groups, "record": RECORD}
        return {"description": GROUPS[preset], **closed(properties), "allOf": conditions}

    def options(self, group: str) -> dict[str, Path]:
        return option_files(group, self.config_dirs)

    @staticmethod
    def component_name(path: Path, group: str) -> str | None:
        """The component that an option's file selects; None if the file cannot be read."""
        try:
            tree = read_yaml(path)
        except ConfigError:
            return None
        node = tree.get(group, tree) if isinstance(tree, dict) else None
        return node.get("name") if isinstance(node, dict) else None

    def defaults(self, lead: str, own: str | None = None) -> Schema:
        """The defaults list: a group with its option; `_self_`, the file's own place; options of its `own` group."""
        choices: dict[str, Schema] = {
            f"{lead}{group}": {"enum": [*self.options(group), None], "description": text}
            for group, text in GROUPS.items()
        }
        entry = {**closed(choices), "minProperties": 1, "maxProperties": 1}
        words = ["_self_", *(self.options(own) if own else ())]
        return {"type": "array", "items": {"anyOf": [{"enum": words}, entry]}}

    def root(self) -> dict[str, Schema]:
        return self.properties(component("root", "train").fields, descriptions("root", "train"))

    def group(self, group: str, names: Sequence[str]) -> Schema:
        """The mapping below a group's name; `name` determines its keys."""
        branches = [
            {
                "if": {"properties": {"name": {"const": name}}, "required": ["name"]},
                "then": self.component(group, name),
            }
            for name in names
        ]
        name = {"enum": list(names), "description": GROUPS[group]}
        return self.defined(
            group, {"type": "object", "properties": {"name": name}, "required": ["name"], "allOf": branches}
        )

    def any_component(self, group: str, names: Iterable[str]) -> Schema:
        """The keys of all components of a group, for a file that does not name one of them."""
        seen: dict[str, list[Schema]] = {}
        variants: dict[str, list[Schema]] = {}
        for name in names:
            self.component(group, name)
            for key, value in self.definitions[f"{group}.{name}"]["properties"].items():
                if value not in seen.setdefault(key, []):
                    seen[key].append(value)
                    variants.setdefault(key, []).append({"$ref": f"#/definitions/{group}.{name}/properties/{key}"})
        return closed({key: found[0] if len(found) == 1 else {"anyOf": found} for key, found in variants.items()})

    def component(self, group: str, name: str) -> Schema:
        fields = component(group, name).all_fields
        properties = self.properties(fields, descriptions(group, name))
        file = self.options(group).get(name)
        text = {"description": summary(file)} if file and file.suffix == ".yaml" else {}
        return self.defined(f"{group}.{name}", {**text, **closed({"name": {"const": name}, **properties})})

    def defined(self, name: str, body: Schema) -> Schema:
        self.definitions[name] = body
        return {"$ref": f"#/definitions/{name}"}

    def properties(self, fields: Mapping[str, Field], texts: Mapping[str, str]) -> dict[str, Schema]:
        found = {}
        for key, field in fields.items():
            body = with_reference(field.kind)
            if key in texts:
                body["description"] = texts[key]
            if field.default is not REQUIRED:
                body["default"] = field.default
            found[key] = body
        return found


def with_reference(kind: Kind) -> Schema:
    """The schema of a value of a kind in a YAML: the value, or a reference to another key."""
    alternatives = [kind_schema(one) for one in (kind.alternatives if isinstance(kind, AnyOf) else (kind,))]
    if {"type": "string"} not in alternatives:
        alternatives.append(dict(REFERENCE))
    return {"anyOf": alternatives} if len(alternatives) > 1 else alternatives[0]


def kind_schema(kind: Kind) -> Schema:
    """The schema of the values that belong to a kind."""
    match kind:
        case Scalar(type=name, range=limits):
            return {"type": TYPES[name], **(RANGE_SCHEMAS[limits] if limits else {})}
        case OneOf(values=(None,)):
            return {"type": "null"}
        case OneOf(values=values):
            return {"enum": list(values)}
        case ListOf(item=item):
            return {"type": "array", "items": with_reference(item)}
        case ArrayOf():
            return dict(ARRAY)
        case TupleOf(items=items):
            length = len(items)
            return {"type": "array", "items": [*map(with_reference, items)], "minItems": length, "maxItems": length}
        case DictOf(value=value):
            return {"type": "object", "additionalProperties": with_reference(value)}
        case AnyOf():
            return with_reference(kind)
        case Nested(fields=fields):
            return closed(SchemaMaker(()).properties(fields, nested_descriptions(kind)))
    raise TypeError(f"{kind} has no schema")


def closed(properties: Mapping[str, Schema]) -> Schema:
    """A mapping with these keys and no others."""
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


NUMBER, TEXT = {"type": "number"}, {"type": "string"}
RECORD: Schema = {  # In the form that dltool.search.record reads.
    "description": "The results, for `dltool list experiment` and `dltool reproduce`.",
    **closed(
        {
            "metrics": {
                "type": "object",
                "additionalProperties": {
                    **closed(
                        {
                            "reference": {**NUMBER, "description": "A published value to compare with."},
                            "source": {**TEXT, "description": "The source of the reference."},
                            "measured": {"type": "array", "items": NUMBER, "description": "One value for each seed."},
                        }
                    ),
                    "dependencies": {"reference": ["source"]},
                },
            },
            "seeds": {"type": "array", "items": {"type": "integer"}},
            "seconds": {**NUMBER, "description": "Seconds for one seed."},
            "machine": TEXT,
            "data": TEXT,
        }
    ),
}
