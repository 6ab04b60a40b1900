"""The output of `dltool predict --similar WORD`."""

import argparse
import json
import sys

from dltool.cli.request import used_run
from dltool.cli.tables import print_table, write_csv
from dltool.core.printable import printable

TOP = 10


def print_similar(args: argparse.Namespace) -> int:
    """Print the words with the vectors nearest to that of `args.similar`, and their cosines; returns the exit code."""
    from dltool.inference.similar import similar_words

    used = used_run(args, args.overrides)
    found = similar_words(used, args.similar, max(1, args.top or TOP))
    if args.json:
        known = {"run": str(used.path), "checkpoint": used.checkpoint, "word": args.similar}
        similar = [{"word": word, "cosine": cosine} for word, cosine in found]
        print(json.dumps(known | {"similar": similar}, indent=1, ensure_ascii=False))
        return 0
    print(
        f"{used.title}, {used.described_checkpoint}: nearest to {printable(args.similar)}", file=sys.stderr, flush=True
    )
    if args.csv:
        write_csv(sys.stdout, ["word", "cosine"], found)
    else:
        print_table(["word", "cosine"], [(printable(word), f"{cosine:.4f}") for word, cosine in found], numbers=[1])
    return 0
