"""Checks a whole composed config before anything runs, and completes it.

The checks run in this order, so that the first error is the one to fix first: no value names code; no key is unknown;
every value has the right type and range; values reserved for the command line come from it; the parts fit each other.
Raises ConfigError with the key, the allowed values and the nearest valid name.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

from dltool.config.compose import COMMAND_LINE, Composed, interpolate
from dltool.config.tree import leaves
from dltool.config.trusted_code import check_trusted_code
from dltool.core.errors import ConfigError
from dltool.core.hints import key_hint, nearest
from dltool.core.shell import quoted, setting
from dltool.declarations.kinds import REQUIRED, Field, Misfit
from dltool.declarations.options import GROUPS, PRESETS
from dltool.declarations.registry import registrations
from dltool.declarations.source import Component, component
from dltool.trust.command_line import COMMAND_LINE_ONLY

COMPONENT_GROUPS = tuple(group for group in GROUPS if group not in PRESETS)
CODE_KEYS = ("_target_", "_args_", "_partial_", "_recursive_", "_convert_")
PLAIN_REFERENCE = re.compile(r"\$\{[\w.]+\}")


@dataclass(frozen=True)
class Config:
    """A config that has been checked: complete, plain, ready to be built.

    Attributes:
        tree: Every key with its value; written to a run's config.yaml.
        components: Group to its declarations; the loss is the resolved one if the config says `auto`.
        origins: See Composed.
        choices: Group to the chosen option, for display.
    """

    tree: dict[str, Any]
    components: dict[str, Component]
    origins: Composed
    choices: dict[str, str | None]

    def __getitem__(self, group: str) -> Any:
        return self.tree[group]

    @property
    def chosen_loss(self) -> str | None:
        """The name of the loss, with `auto` resolved as far as the data is known; None for a task without a loss."""
        return self.components["loss"].name if "loss" in self.components else None

    def accepts(self, key: str, value: Any) -> bool:
        """Whether this config could have another value of a key, such as "optim.lr"; False for a key it lacks."""
        group, _, name = key.partition(".")
        declared = self.components.get(group)
        if declared is None or name not in declared.all_fields or not declared.all_fields[name].kind.fits(value):
            return False
        try:
            check_rules(self.tree | {group: self.tree[group] | {name: value}}, self.components)
        except ConfigError:
            return False
        return True


def check(composed: Composed) -> Config:
    """Check and complete a composed config.

    Raises:
        ConfigError: The first error that is found.
    """
    refuse_code(composed)
    tree = interpolate(composed.tree)
    root = component("root", "train")
    check_root_keys(tree, composed, root)
    components = {}
    complete = {name: fill(tree.get(name, REQUIRED), field.default) for name, field in root.fields.items()}
    for name, field in root.fields.items():
        if misfit := field.kind.misfit(complete[name]):
            raise misfit_error(name, misfit, field, composed, "dltool")
    check_trusted_code({group: tree.get(group) for group in COMPONENT_GROUPS}, composed.origin)
    for group in COMPONENT_GROUPS:
        components[group], complete[group] = check_group(group, tree.get(group), composed)
    refuse_from_files(complete, composed)
    components["data"] = with_open_targets(components["data"], complete["data"])
    check_inputs(components, default_model=composed.default_model)
    check_task(complete, components)
    if (loss := resolve_loss(components)) is None:
        del components["loss"]
    else:
        components["loss"] = loss
    check_rules(complete, components)
    return Config(complete, components, composed, composed.choices)


def refuse_code(composed: Composed) -> None:
    """Refuse keys that Hydra would instantiate, resolvers and Hydra's own settings, from any origin."""
    for key, value in walk(composed.tree):
        if any(part in CODE_KEYS for part in key.split(".")):
            raise ConfigError(
                f"{key}: a config cannot name code ({where(composed, key)})",
                "select a registered component by its name: `dltool list`",
            )
        if key.split(".")[0] == "hydra":
            raise ConfigError(f"{key}: hydra.* cannot be set ({where(composed, key)})", "remove it")
        if isinstance(value, str) and "${" in PLAIN_REFERENCE.sub("", value):
            message = f"{key}: {value!r} calls a resolver ({where(composed, key)})"
            raise ConfigError(message, "only references to other keys are allowed, ${data.batch_size}")


def walk(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Dotted key and value of every node of the tree, including mappings and list items."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in items:
        yield f"{prefix}{key}", value
        yield from walk(value, f"{prefix}{key}.")


def check_root_keys(tree: dict[str, Any], composed: Composed, root: Component) -> None:
    known = [*GROUPS, *root.fields]
    for key in tree:
        if key in PRESETS:
            raise ConfigError(
                f"{key} has no keys ({where(composed, key)})", f"{key}=NAME selects an option, see `dltool list`"
            )
        if key not in known:
            near = nearest(key, known)
            hint = key_hint(key) or (f"did you mean {near}=…?" if near else None) or other_home(key, tree)
            raise ConfigError(f"unknown key {key} ({where(composed, key)}); the keys are {', '.join(known)}", hint)


def check_group(group: str, node: Any, composed: Composed) -> tuple[Component, dict[str, Any]]:
    """Check one group's keys and values; returns its component and its complete fields."""
    if not isinstance(node, dict):
        raise ConfigError(
            f"{group}={in_yaml(node)}: a mapping of keys is needed", f"`dltool list {quoted(group)}` names the options"
        )
    name = node.get("name")
    names = registrations().get(group, {})
    if name not in names:
        near = nearest(str(name), names)
        raise ConfigError(
            f"{group}.name={in_yaml(name)}: there is no such {group} ({where(composed, f'{group}.name')}); "
            f"the names are {', '.join(sorted(names))}",
            (f"did you mean {near}?" if near else f"see `dltool list {quoted(group)}`;")
            + " --trust FILE.py registers your own",
        )
    declared = component(group, name)
    fields = declared.all_fields
    for key in node:
        if key != "name" and key not in fields:
            raise unknown_field(group, key, declared, composed)
    complete = {"name": name}
    for key, field in fields.items():
        complete[key] = fill(node.get(key, REQUIRED), field.default)
        if complete[key] is REQUIRED:
            raise ConfigError(
                f"{group}.{key} must be given: {field.kind.describe()}", f"{group}.{key}=…, as {declared.name} needs it"
            )
        if misfit := field.kind.misfit(complete[key]):
            raise misfit_error(f"{group}.{key}", misfit, field, composed, declared.name)
    return declared, complete


def with_open_targets(data: Component, fields: dict[str, Any]) -> Component:
    """The data set, whose kind of target is "auto" if one of its keys `open_with` is set."""
    for key in data.traits.open_with:
        value = fields[key.removesuffix("[]")]
        if isinstance(value, list) if key.endswith("[]") else value is not None:
            return replace(data, traits=replace(data.traits, targets="auto"))
    return data


def fill(value: Any, default: Any) -> Any:
    """The value, with the defaults of missing keys filled in."""
    if value is REQUIRED:
        return default
    if isinstance(value, dict) and isinstance(default, dict):
        return default | {key: fill(inner, default.get(key)) for key, inner in value.items()}
    return value


def unknown_field(group: str, key: str, declared: Component, composed: Composed) -> ConfigError:
    full = f"{group}.{key}"
    near = nearest(key, declared.all_fields)
    owners = [name for name in registrations()[group] if key in component(group, name).all_fields]
    if near:
        hint: str | None = f"did you mean {group}.{near}?"
    elif owners:
        hint = f"{key} is a key of {' and '.join(setting(group, name) for name in owners)}"
    else:
        hint = other_home(key, composed.tree)
    takes = ", ".join(declared.all_fields) or "no keys"
    return ConfigError(f"unknown key {full} ({where(composed, full)}): {declared.name} takes {takes}", hint)


def other_home(key: str, tree: dict[str, Any]) -> str | None:
    """A key of the same name in another group's component: `trainer.max_norm` for `max_norm=…`."""
    for group in COMPONENT_GROUPS:
        node = tree.get(group)
        name = node.get("name") if isinstance(node, dict) else None
        if name in registrations().get(group, {}) and key in component(group, name).all_fields:
            return f"did you mean {group}.{key}?"
    return key_hint(key)


def misfit_error(key: str, misfit: Misfit, field: Field, composed: Composed, owner: str) -> ConfigError:
    full = key + misfit.path
    if misfit.unknown_key:
        near = nearest(full.rpartition(".")[2], misfit.names)
        hint = f"did you mean {full.rpartition('.')[0]}.{near}?" if near else None
        return ConfigError(f"unknown key {full} ({where(composed, full)}): {key} takes {misfit.allowed}", hint)
    near = nearest(str(misfit.value), misfit.names)
    hint = f"did you mean {near if '[' in misfit.path else setting(full, near)}?" if near else None
    if hint is None and field.default is not REQUIRED and not isinstance(field.default, dict):
        of = "" if owner == "default" else f" of {owner}"
        hint = f"the default{of} is {setting(key, field.default)}"
    return ConfigError(
        f"{full}={in_yaml(misfit.value)}: {misfit.allowed} is needed ({where(composed, full.partition('[')[0])})", hint
    )


def in_yaml(value: Any) -> str:
    """A value as it is shown in a message."""
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def refuse_from_files(tree: dict[str, Any], composed: Composed) -> None:
    """Only the command line, never a file, may request what leaves the machine or the output root."""
    for key, value in leaves(tree):
        rule = COMMAND_LINE_ONLY.get(key)
        if rule and not rule.harmless(value) and composed.origin(key) != COMMAND_LINE:
            message = f"{key}={in_yaml(value)} is {rule.what} ({where(composed, key)})"
            raise ConfigError(message, f"it is accepted from the command line only: {setting(key, value)}")


def check_task(tree: dict[str, Any], components: dict[str, Component]) -> None:
    """The task must be able to train the model, and an optimizer is required exactly if the task uses one."""
    task, model = components["task"], components["model"]
    tasks = model.traits.tasks
    if task.traits.like is not None:
        check_task_name(task.traits.like, task)
    if not stands_for(task) & {*tasks}:
        for name in tasks:
            check_task_name(name, model)
        fit = [other for other in registrations()["model"] if task.name in component("model", other).traits.tasks]
        models = ", ".join(setting("model", name) for name in sorted(fit)[:6])
        raise ConfigError(
            f"task={task.name} cannot train model={model.name}, which is for task={', '.join(tasks)}",
            f"{setting('task', tasks[0])}, or for {task.name} {models}",
        )
    optimizer, without = tree["optim"]["name"], task.traits.loss_for is None
    if without and optimizer != "none":
        raise ConfigError(f"task={task.name} has its own update rule and does not use optim={optimizer}", "optim=none")
    if not without and optimizer == "none":
        raise ConfigError(f"task={task.name} needs an optimizer, but optim=none is chosen", "optim=adam")


def check_task_name(name: str, declared: Component) -> None:
    """Check that the task that a component is registered for exists."""
    tasks = registrations()["task"]
    if name not in tasks:
        near = nearest(name, tasks)
        raise ConfigError(
            f"{declared.group}={declared.name} is registered for task={name}, and there is no such task",
            f"did you mean {near}?" if near else f"the tasks are {', '.join(sorted(tasks))}",
        )


def stands_for(task: Component) -> set[str]:
    """The names by which models and losses refer to a task: its own, and that of the task it is `like`."""
    return {task.name, task.traits.like or task.name}


def check_inputs(components: dict[str, Component], *, default_model: bool) -> None:
    """The model, which is perhaps the default, must accept the inputs of the data."""
    data, model = components["data"], components["model"]
    gives, takes = data.traits.inputs, model.traits.inputs
    if gives not in takes and (takes != "any" or gives == "sequence"):
        shapes = {"image": "images (C, H, W)", "vector": "rows of numbers (D,)", "sequence": "sequences"}
        taken = " or ".join(text for name, text in shapes.items() if name in takes) or "no sequences"
        chosen = f"model={model.name}" + " (the default)" * default_model
        raise ConfigError(
            f"{chosen} takes {taken}, but data={data.name} gives {shapes[gives]}",
            {"sequence": "model=lstm takes sequences"}.get(gives, "model=mlp takes either")
            + ("; data=pydoc gives sequences" if takes == "sequence" else ""),
        )


def resolve_loss(components: dict[str, Component]) -> Component | None:
    """The loss that `auto` stands for; a named one must fit the task and the data's targets."""
    task, data, loss = (components[group] for group in ("task", "data", "loss"))
    loss_for = task.traits.loss_for
    if loss_for in (None, "own"):  # A task with its own objective still has an optimizer.
        if loss.name != "auto":
            raise ConfigError(f"task={task.name} has no loss, but loss={loss.name} is set", "loss=auto")
        return None
    purpose = data.traits.targets if loss_for == "data" else loss_for
    if purpose == "auto":  # Known once the data is loaded: dltool.build.prepare resolves it.
        return loss
    possible = {purpose, "binary"} if data.traits.two_classes and purpose == "classes" else {purpose}
    fitting = [
        other
        for other in (component("loss", name) for name in registrations()["loss"])
        if stands_for(task) & {*other.traits.tasks}
        and (loss_for != "data" or not possible.isdisjoint(other.traits.targets))
    ]
    first = next((other for other in fitting if purpose in other.traits.default_for), None)
    if loss.name == "auto":
        if first is None:
            raise ConfigError(f"no default loss exists for data={data.name} (targets: {purpose})", "name one: loss=…")
        return first
    if loss.name not in [other.name for other in fitting]:
        names = ", ".join(other.name for other in fitting) or "none"
        subject = f"data={data.name}, whose targets are {purpose}" if loss_for == "data" else f"task={task.name}"
        hint = setting("loss", first.name) if first else None
        raise ConfigError(f"loss={loss.name} does not fit {subject}; those that fit are {names}", hint)
    return loss


def check_rules(tree: dict[str, Any], components: dict[str, Component]) -> None:
    """Check every `requires` rule of the selected components, and those of no group."""
    groups = dict.fromkeys(COMPONENT_GROUPS, SimpleNamespace(name=None))
    for group, declared in components.items():
        groups[group] = SimpleNamespace(**(vars(declared.traits) | tree[group] | {"name": declared.name}))
    view = SimpleNamespace(**groups)
    for declared in (component("root", "train"), *components.values()):
        for rule in declared.rules:
            if not rule.holds(view):
                raise rule.error(view)


def where(composed: Composed, key: str) -> str:
    return "from the command line" if (origin := composed.origin(key)) == COMMAND_LINE else f"set in {origin}"
