"""The answer of `dltool predict` where the model translates pictures: PNG files."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from dltool.core.errors import ConfigError
from dltool.core.shell import quoted

if TYPE_CHECKING:
    from dltool.inference.run import Run


def print_translated(args: argparse.Namespace, used: "Run", words: list[str]) -> int:
    """Translate what was named, write the pictures and say where they are.

    Raises:
        ConfigError: The direction is lacking, or something else than pictures was asked for.
    """
    from dltool.inference.translating import translator_of

    translator_of(used)
    if args.direction is None:
        raise ConfigError(f"{used.title} translates both ways: which one?", "--direction A2B, or --direction B2A")
    if args.input is None:
        raise ConfigError(f"{used.title} translates pictures", f"--input FILE --direction {quoted(args.direction)}")
    if args.csv or args.tta or args.attention:
        raise ConfigError(f"{used.title} writes pictures", "without --csv, --tta and --attention")
    made = used.translate(words, args.direction)
    default = used.path / "translated" / args.direction
    paths = made.write(args.output or default, replace=args.output is None)
    if args.json:
        pictures = [{"input": name, "output": str(path)} for name, path in zip(made.names, paths, strict=True)]
        known = {"run": str(used.path), "checkpoint": used.checkpoint, "direction": made.direction}
        print(json.dumps(known | {"translated": pictures}, indent=1, ensure_ascii=False))
        return 0
    print(f"{used.title}, {used.described_checkpoint}, {made.direction}", file=sys.stderr, flush=True)
    print(f"{len(paths):,} translated to {args.output or default}" if len(paths) > 1 else paths[0])
    return 0
