"""`dltool schema`: a JSON Schema of the YAML files, for editors."""

import argparse
import json
from pathlib import Path

from dltool.cli.request import add_trust_argument
from dltool.core.errors import ConfigError
from dltool.core.hints import nearest
from dltool.core.shell import quoted
from dltool.declarations.options import GROUPS, PRESETS
from dltool.declarations.registry import registrations

SUMMARY = "print JSON Schemas of the YAML files, for editors"
EXAMPLES = """\
examples:
  dltool schema optim                 the files of configs/optim/
  dltool schema optim adam            only those with `name: adam`
  dltool schema                       a whole config, such as a run's config.yaml
  dltool schema --output schemas      all of them: schemas/model.schema.json, …

An editor with yaml-language-server (VS Code's YAML extension, Neovim, Emacs, …) completes, explains and checks a file
that has this line below its first comment, with the path relative to the file:

  # yaml-language-server: $schema=../../schemas/model.schema.json

or all files of a group, in VS Code's settings.json:

  "yaml.schemas": {"schemas/model.schema.json": "configs/model/*.yaml"}
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("group", nargs="?", help=", ".join(GROUPS))
    parser.add_argument("option", nargs="?", help="only the files with this `name`")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="write one file per group to this folder")
    parser.add_argument(
        "--config-dir", action="append", default=[], type=Path, metavar="FOLDER", help="your own options too"
    )
    add_trust_argument(parser)


def run(args: argparse.Namespace) -> int:
    from dltool.declarations.schema import WHOLE

    check_names(args.group, args.option)
    if args.output is None:
        print(as_json(args.group or WHOLE, args))
        return 0
    try:
        args.output.mkdir(parents=True, exist_ok=True)
        for name in [args.group] if args.group else [WHOLE, *GROUPS]:
            stem = f"{name}.{args.option}" if args.option else name
            path = args.output / f"{stem}.schema.json"
            path.write_text(as_json(name, args) + "\n", encoding="utf-8")
            print(quoted(path))
    except OSError as error:
        problem = f"{args.output.resolve()} cannot be written: {error.strerror}"
        raise ConfigError(problem, "--output FOLDER, a writable folder") from error
    return 0


def as_json(name: str, args: argparse.Namespace) -> str:
    from dltool.declarations.schema import schema

    return json.dumps(schema(name, args.config_dir, args.option), indent=2, ensure_ascii=False)


def check_names(group: str | None, option: str | None) -> None:
    """Raise ConfigError for a group or option that does not exist; the hint has the nearest one."""
    if group is not None and group not in GROUPS:
        near = nearest(group, GROUPS)
        hint = f"did you mean {near}?" if near else None
        raise ConfigError(f"there is no group {group}; the groups are {', '.join(GROUPS)}", hint)
    if option is None:
        return
    if group in PRESETS:
        raise ConfigError(
            f"the files of {group} have no `name`; they share one schema", f"dltool schema {quoted(group)}"
        )
    names = registrations()[str(group)]
    if option not in names:
        near = nearest(option, names)
        hint = f"did you mean {near}?" if near else None
        raise ConfigError(f"no {group} has the name {option}; the names are {', '.join(names)}", hint)
