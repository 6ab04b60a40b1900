"""Composes the YAML files and the command line into one plain tree, with the origin of every value.

This file and dltool.config.files are the only ones that use Hydra's internals: its override grammar, its defaults list
(which option of which group, in which order, under which package) and its YAML loader. The `hydra.*` config is never
composed, nothing is instantiated and no logging is set up: composing runs no code.
"""

import functools
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.config_repository import CachingConfigRepository
from hydra._internal.config_search_path_impl import ConfigSearchPathImpl
from hydra._internal.core_plugins.structured_config_source import StructuredConfigSource
from hydra._internal.defaults_list import create_defaults_list
from hydra._internal.sources_registry import SourcesRegistry
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import ConfigCompositionException, HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from dltool.config.files import FileConfigSource
from dltool.config.renamed import completed_tree, current_override, current_tree
from dltool.config.tree import lay_over, leaves, with_text_keys
from dltool.core.errors import ConfigError
from dltool.core.hints import nearest, option_hint
from dltool.core.shell import quoted, setting
from dltool.core.yaml_text import yaml_text
from dltool.declarations.kinds import REQUIRED
from dltool.declarations.options import GROUPS, PRESETS, config_folders, option_files, primary_directory
from dltool.declarations.registry import registrations
from dltool.declarations.source import component
from dltool.trust.sources import trusted_sources

COMMAND_LINE = "the command line"
UNSET = "a default"  # The origin of a key that no file and no override sets.
override_parser = functools.cache(OverridesParser.create)
SWEEP_FUNCTION = r"(choice|range|interval|glob|shuffle|sort|tag)\("


@dataclass
class Composed:
    """A composed config.

    Attributes:
        tree: Plain dicts, lists and scalars; interpolations are not resolved yet.
        origins: Dotted key to the origin of its value: a file below a config folder, such as
            "model/lenet.yaml", or COMMAND_LINE.
        choices: Group to the selected option, or None.
        default_model: Whether nobody has chosen the model.
    """

    tree: dict[str, Any] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    choices: dict[str, str | None] = field(default_factory=dict)
    default_model: bool = False

    def merge(self, tree: dict[str, Any], origin: str) -> None:
        """Merge a tree into this one: mappings are merged, all other values replaced."""
        lay_over(self.tree, tree)
        for key, _ in leaves(tree):
            self.set_origin(key, origin)

    def set_origin(self, key: str, origin: str) -> None:
        """Record the origin of a new value in place of the origins that it overrides."""
        for covered in [k for k in self.origins if k.startswith(f"{key}.") or key.startswith(f"{k}.")]:
            del self.origins[covered]
        self.origins[key] = origin

    def origin(self, key: str) -> str:
        """The origin of a key, or of the nearest mapping above or value below it."""
        for name in (key, *(k for k in self.origins if k.startswith(f"{key}.") or key.startswith(f"{k}."))):
            if name in self.origins:
                return self.origins[name]
        return UNSET


def compose(overrides: Sequence[str], config_dirs: Sequence[Path] = ()) -> Composed:
    """Compose configs/train.yaml with the command line's overrides.

    Args:
        overrides: `group=option`, `key=value`, `+key=value`, `~key`, in Hydra's grammar.
        config_dirs: Folders with options in addition to dltool's own.

    Raises:
        ConfigError: An override cannot be parsed, an option does not exist, or a YAML is invalid.
    """
    parsed = [o for o in parse_overrides(overrides) if o.key_or_group not in PRESETS or o.value() is not None]
    check_options(parsed, config_dirs)
    offer_signatures(config_dirs)
    folders = config_folders(config_dirs)
    places = tuple(dict.fromkeys(folder.resolve() for folder in folders))
    loader = config_loader(folders)
    repository = CachingConfigRepository(loader.repository)
    composed = Composed()
    try:
        defaults = create_defaults_list(
            repo=repository, config_name="train", overrides_list=parsed, prepend_hydra=False, skip_missing=False
        )
        for default in defaults.defaults:
            refuse_second_file(str(default.config_path), places)
            loaded = loader._load_single_config(default, repository)
            tree = with_text_keys(OmegaConf.to_container(loaded.config, resolve=False))
            tree.pop("record", None)  # The measured results of an experiment; see dltool.search.record.
            is_file = str(loaded.path).startswith("file://")
            origin = origin_name(loaded.path, default.config_path) if is_file else loaded.provider
            refuse_foreign_fields(str(default.config_path).rpartition("/")[0], tree, origin)
            composed.merge(current_tree(tree), origin)
    except RecursionError as error:
        raise ConfigError("the defaults of the config files name each other in a circle", CHECK_FILES) from error
    except (ConfigCompositionException, HydraException, OmegaConfBaseException, YAMLError, ValueError) as error:
        raise ConfigError(first_lines(error), CHECK_FILES) from error
    composed.choices = {group: defaults.overrides.known_choices.get(group) for group in GROUPS}
    composed.default_model = not {"model", "experiment"} & {override.key_or_group for override in parsed}
    for override in defaults.config_overrides:
        apply_override(composed, override)
    return composed


CHECK_FILES = "see the file named above; `dltool list` shows every option"


def refuse_second_file(option: str, folders: Sequence[Path]) -> None:
    """An option of a user's folder that has the name of another would not be read: dltool's own come first.

    Args:
        option: Such as "optim/adam".
        folders: Resolved and distinct, in the order in which they are searched.
    """
    group, _, name = option.rpartition("/")
    files = [path for folder in folders if (path := folder / f"{option}.yaml").is_file()]
    if group and len(files) > 1:
        own = files[0].is_relative_to(primary_directory().resolve())
        first = f"dltool has its own {group}={name}" if own else f"{files[0]} has the same name"
        hint = f"rename it, and choose it by its new name: {setting(group, f'my_{name}')}"
        raise ConfigError(f"{files[1]} would not be read: {first}", hint)


def refuse_foreign_fields(group: str, tree: dict[str, Any], origin: str) -> None:
    """A data or model YAML may select options of other groups, but not set their fields: then `optim=sgd` means sgd."""
    for key, _ in leaves(tree):
        other = key.split(".")[0]
        if group not in ("", *PRESETS, other):
            hint = f"let it select an option (`override /{other}: …`), or make it an experiment"
            raise ConfigError(f"{origin} sets {key}, which is outside its group", hint)


def load_file(path: Path) -> Composed:
    """Read a complete config, such as a run's config.yaml, without composing it."""
    try:
        tree = OmegaConf.to_container(OmegaConf.load(io.StringIO(yaml_text(path, follow=False))), resolve=False)
    except (OmegaConfBaseException, YAMLError, ValueError) as error:
        raise ConfigError(f"{path.resolve()} is not readable YAML: {first_lines(error)}") from error
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{path.resolve()} does not contain a mapping of keys", "give a run folder or its config.yaml"
        )
    composed = Composed()
    composed.merge(completed_tree(current_tree(with_text_keys(tree))), str(path))
    return composed


def compose_from(path: Path, overrides: Sequence[str], config_dirs: Sequence[Path] = ()) -> Composed:
    """Apply overrides to a complete config; `group=option` replaces that whole subtree.

    Args:
        path: A run's config.yaml, or any file with a complete config.
        overrides: As in compose.
        config_dirs: As in compose.
    """
    saved = load_file(path)
    for group, names in registrations().items():
        if group in GROUPS and "none" in names:  # A group that an older version of dltool did not have.
            saved.tree.setdefault(group, {"name": "none"})
    parsed = parse_overrides(overrides)
    replaced = [override for override in parsed if override.key_or_group in GROUPS and not override.is_delete()]
    if replaced:
        fresh = compose([str(override.input_line) for override in replaced], config_dirs)
        for override in replaced:
            group = override.key_or_group
            saved.tree.pop(group, None)
            if group in PRESETS:
                raise ConfigError(f"{group}= cannot be combined with --from", "leave out one of the two")
            saved.merge({group: fresh.tree[group]}, f"{group}/{fresh.choices[group]}.yaml")
            saved.choices[group] = fresh.choices[group]
    for override in parsed:
        if override not in replaced:
            apply_override(saved, override)
    return saved


def check_complete(tree: dict[str, Any], path: Path) -> None:
    """Raise ConfigError if a file for --from has not every group."""
    missing = [group for group in GROUPS if group not in PRESETS and not isinstance(tree.get(group), dict)]
    if missing:
        raise ConfigError(
            f"{path.resolve()} is not a complete config: it has no {', '.join(missing)}",
            "name a run or its config.yaml; a file with a few keys can be an experiment: "
            "--config-dir FOLDER experiment=NAME for FOLDER/experiment/NAME.yaml",
        )


def interpolate(tree: dict[str, Any]) -> dict[str, Any]:
    """Replace `${key}` by the value of that key. The check has already refused every other interpolation."""
    try:
        resolved = OmegaConf.to_container(OmegaConf.create(tree), resolve=True)
    except OmegaConfBaseException as error:
        raise ConfigError(
            first_lines(error), "an interpolation names a key of this config, ${data.batch_size}"
        ) from error
    return with_text_keys(resolved)


def parse_overrides(overrides: Sequence[str]) -> list[Override]:
    """Parse the overrides of one run, each of which has one value."""
    parsed = [parse_override(text) for text in overrides]
    for override in parsed:
        if override.is_sweep_override():
            key = override.key_or_group
            hint = f"-m runs each of them; a list is written {quoted(f'{key}=[a,b]')}, a string {setting(key, 'a,b')}"
            raise ConfigError(f"{override.input_line} names several values for one run", hint)
    return parsed


def parse_override(text: str) -> Override:
    """Parse in Hydra's grammar; a value that the grammar refuses is treated as a quoted string."""
    parser, text = override_parser(), current_override(text)
    try:
        override = parser.parse_override(text)
    except HydraException as error:  # Also if there is no `=` at all.
        key, separator, value = text.partition("=")
        if not separator or not re.fullmatch(r"[+~]{0,2}[\w./@-]+", key) or re.match(SWEEP_FUNCTION, value):
            hint = "write key=value, group=option, +key=value or '~key'"
            raise ConfigError(f"cannot read {text!r} as an override", hint) from error
        escaped = value.replace("\\", "\\\\").replace("'", "\\'")
        if is_list := re.fullmatch(r"\[[^][{}'\"\\]+\]", value):  # A list of such strings: [身高,weight (kg)].
            escaped = re.sub(r"\s*([^][,]+?)\s*(?=[],])", r"'\1'", value)
        override = parser.parse_override(f"{key}={escaped}" if is_list else f"{key}='{escaped}'")
    if override.key_or_group.split(".")[0].split("/")[0] == "hydra":
        hint = "dltool only composes with Hydra; use run.dir, trainer.* and logger.*"
        raise ConfigError(f"{override.input_line}: hydra.* cannot be set", hint)
    return override


def check_options(overrides: Sequence[Override], config_dirs: Sequence[Path]) -> None:
    """Refuse `model=lenett` with the nearest name, before Hydra refuses it with its search path."""
    for override in overrides:
        group = override.key_or_group
        if override.is_delete() and group in GROUPS and group not in PRESETS:
            raise removed_group(override)
        if group not in GROUPS or override.is_delete():
            continue
        value = override.value()
        options = list(option_files(group, config_dirs))
        if not isinstance(value, str) or value not in options:
            near = nearest(str(value), options)
            hint = option_hint(group, str(value)) or (f"did you mean {setting(group, near)}?" if near else None)
            raise ConfigError(
                f"{group}={value}: there is no such {group}; the options are {', '.join(options)}",
                hint or f"see `dltool list {quoted(group)}`; --trust FILE.py registers your own",
            )


def apply_override(composed: Composed, override: Override) -> None:
    """Set or delete one key; the check later refuses unknown keys."""
    parts = override.key_or_group.split(".")
    node: Any = composed.tree
    for i, part in enumerate(parts[:-1]):
        if isinstance(node, dict) and isinstance(node.get(part), dict | list):
            node = node[part]
        elif isinstance(node, dict) and not override.is_delete():
            node[part] = {}
            node = node[part]
        else:
            raise no_such_place(override, ".".join(parts[: i + 1]))
    if isinstance(node, list):
        if not parts[-1].isdigit() or int(parts[-1]) >= len(node):
            raise no_such_place(override, override.key_or_group)
        node[int(parts[-1])] = override.value()
    elif override.is_delete():
        if parts[-1] not in node:
            raise no_such_place(override, override.key_or_group)
        if override.key_or_group in GROUPS:
            raise removed_group(override)
        del node[parts[-1]]
        return
    else:
        lay_over(node, {parts[-1]: override.value()})
    for key, value in leaves({override.key_or_group: override.value()}):
        if value != {}:  # A mapping is merged: keys that it does not name keep their values.
            composed.set_origin(key, COMMAND_LINE)


def no_such_place(override: Override, key: str) -> ConfigError:
    removes = f" removes {override.key_or_group}, but" if override.is_delete() else ":"
    return ConfigError(f"{override.input_line}{removes} the config has no {key}", "`dltool show` prints every key")


def removed_group(override: Override) -> ConfigError:
    group = override.key_or_group
    message = f"{override.input_line} removes {group}, which every config needs"
    return ConfigError(message, f"{group}=NAME chooses another; `dltool list {quoted(group)}` names the options")


def offer_signatures(config_dirs: Sequence[Path]) -> None:
    """Gives Hydra the options that trusted code registers without a YAML: `name:` and the defaults of the signature."""
    store = ConfigStore.instance()
    for group in GROUPS:
        store.repo.pop(group, None)  # Options of code trusted before.
        for name, path in option_files(group, config_dirs).items() if trusted_sources() else ():
            if path.suffix == ".py":
                fields = component(group, name).all_fields
                defaults = {key: field.default for key, field in fields.items() if field.default is not REQUIRED}
                store.store(name, {"name": name, **defaults}, group=group, provider=str(path))


@functools.cache
def config_loader(folders: tuple[Path, ...]) -> ConfigLoaderImpl:
    """Hydra's loader for dltool's configs and the user's folders; dltool's own names cannot be shadowed."""
    registry = SourcesRegistry.instance()
    registry.types[FileConfigSource.scheme()] = FileConfigSource
    registry.register(StructuredConfigSource)
    search_path = ConfigSearchPathImpl()
    for directory in folders:
        search_path.append("dltool", f"file://{directory.resolve()}")
    search_path.append("schema", "structured://")
    return ConfigLoaderImpl(search_path)


def origin_name(source: str | None, config_path: str | None) -> str:
    """ "model/lenet.yaml" for dltool's own files, the full path for a user's."""
    folder = Path((source or "").removeprefix("file://"))
    name = f"{config_path}.yaml"
    return name if folder == primary_directory().resolve() else str(folder / name)


def first_lines(error: BaseException) -> str:
    """The error in one line, with the cause first if Hydra wraps it."""
    cause = error.__cause__ or error.__context__
    text = str(error) or str(cause or type(error).__name__)
    return " ".join(line.strip() for line in text.strip().splitlines()[:3])
