"""The output of `dltool predict --similar WORD`."""

import argparse
import json
import sys

from dltool.cli.request import used_run
from dltool.cli.tables import one_line, print_table, write_csv

TOP = 10


def print_similar(args: argparse.Namespace) -> int:
    """The words whose vectors are nearest to that of `args.similar`, with their cosines; returns the exit code."""
    from dltool.inference.similar import similar_words

    used = used_run(args, args.overrides)
    found = similar_words(used, args.similar, max(1, args.top or TOP))
    if args.json:
        known = {"run": str(used.path), "checkpoint": used.checkpoint, "word": args.similar}
        similar = [{"word": word, "cosine": cosine} for word, cosine in found]
        print(json.dumps(known | {"similar": similar}, indent=1, ensure_ascii=False))
        return 0
    print(
        f"{used.title}, {used.described_checkpoint}: nearest to {one_line(args.similar)}", file=sys.stderr, flush=True
    )
    if args.csv:
        write_csv(sys.stdout, ["word", "cosine"], found)
    else:
        print_table(["word", "cosine"], [(one_line(word), f"{cosine:.4f}") for word, cosine in found], numbers=[1])
    return 0
