"""The output of `dltool predict` for a model that translates images: PNG files."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from dltool.core.errors import ConfigError
from dltool.core.numerals import counted
from dltool.core.shell import quoted

if TYPE_CHECKING:
    from dltool.inference.run import Run


def print_translated(args: argparse.Namespace, used: "Run", words: list[str]) -> int:
    """Translate the named images, write the results and print their paths.

    Raises:
        ConfigError: If the direction is missing, or anything other than images was requested.
    """
    from dltool.inference.translating import file_names, translator_of

    translator_of(used)
    if args.direction is None:
        raise ConfigError(
            f"{used.title} translates in both directions: which one?", "--direction A2B, or --direction B2A"
        )
    if args.input is None:
        raise ConfigError(f"{used.title} translates images", f"--input FILE --direction {quoted(args.direction)}")
    if args.csv or args.tta or args.attention:
        raise ConfigError(f"{used.title} writes images", "without --csv, --tta and --attention")
    if args.invert or args.fit:
        raise ConfigError("--invert and --fit do not apply to translations", "without --invert and --fit")
    made = used.translate(words, args.direction)
    folder = args.output or used.folder.files / "translated" / args.direction
    num_replaced = sum((folder / name).exists() for name in file_names(made.names))
    paths = made.write(folder, replace=args.output is None)
    if args.json:
        pictures = [{"input": name, "output": str(path)} for name, path in zip(made.names, paths, strict=True)]
        known = {"run": str(used.path), "checkpoint": used.checkpoint, "direction": made.direction}
        print(json.dumps(known | {"translated": pictures}, indent=1, ensure_ascii=False))
        return 0
    print(f"{used.title}, {used.described_checkpoint}, {made.direction}", file=sys.stderr, flush=True)
    print(f"{len(paths):,} translated to {folder}" if len(paths) > 1 else paths[0])
    if num_replaced:
        print(f"warning: {counted(num_replaced, 'earlier file')} of the same name replaced", file=sys.stderr)
    return 0
