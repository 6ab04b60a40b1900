"""`dltool predict`: a run's predictions for images, rows or texts."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from dltool.cli.request import add_overrides, add_use_arguments, add_view_arguments, used_run, views_of
from dltool.cli.screen import TerminalScreen, print_drawn
from dltool.cli.similar import TOP as SIMILAR
from dltool.cli.similar import print_similar
from dltool.cli.tables import write_csv
from dltool.cli.translated import print_translated
from dltool.core.errors import ConfigError
from dltool.core.shell import quoted

if TYPE_CHECKING:
    from dltool.data.raw_inputs import Raw
    from dltool.inference.run import Run

SUMMARY = "predict with a run's model: images, rows of a CSV file, or texts"
EXAMPLES = """\
examples:
  dltool predict outputs/2026-01-31/12-00-00_lenet_digits --input seven.png
  dltool predict 12-00-00_lenet_image_folder --input photos/ --top 5
  dltool predict 12-00-00_lenet_mnist --input photo.jpg --invert --fit digit
  dltool predict 12-00-00_mlp_csv --input new.csv --csv > predicted.csv
  dltool predict 12-00-00_gru_series --input history.csv --csv > forecast.csv
  dltool predict 12-00-00_lenet_digits --input seven.png eight.png --json | jq '.predictions[].prediction'
  dltool predict 12-00-00_lstm_conllu --text 'Time flies like an arrow .'
  dltool predict 12-00-00_transformer_parallel --input sentences.txt --beam 5 --length-penalty 0.6
  dltool predict 12-00-00_lstm_numbers --text 4711 --attention where.png
  dltool predict 12-00-00_lstm_text --text 'to be or ___ to be'
  dltool predict 12-00-00_word2vec_corpus --similar house --top 20
  dltool predict 12-00-00_cyclegan_unpaired_folders --input photos/ --direction A2B

Inputs are images of any size, mode and format, folders of them with subfolders, CSV files with the columns of the
training data (the target may be missing, and other columns are ignored), the history of each series to forecast from,
files with one text per line (- is standard input). A tagger prints the tags below the words; a cloze model names the
most likely words for each ___ of a text. A CycleGAN writes its translations as PNG files, by default to
RUN/translated. Inputs are preprocessed as in training. A warning says which images are unlike the training images,
and which of --invert and --fit makes them alike.
"""
TOP = 3


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_use_arguments(parser)
    add_view_arguments(parser)
    add_overrides(parser, "trainer.device, .threads, .precision")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--input", nargs="+", metavar="FILE|FOLDER", help="images, tables or texts to predict")
    what.add_argument("--text", nargs="+", metavar="TEXT", help="texts to predict")
    what.add_argument("--similar", metavar="WORD", help="for word2vec: print the words with the nearest vectors")
    parser.add_argument(
        "--top", type=int, metavar="K", help=f"classes to print for each ({TOP}), or similar words ({SIMILAR})"
    )
    parser.add_argument("--invert", action="store_true", help="exchange black and white in each image")
    parser.add_argument(
        "--fit",
        choices=["crop", "squash", "digit"],
        help="how images are fitted, instead of as in training; digit: crop, scale and centre the drawing as in MNIST",
    )
    parser.add_argument(
        "--encoding",
        default="auto",
        metavar="NAME",
        help="of the files, such as gb18030 (auto: Unicode, or else data.encoding of the training)",
    )
    parser.add_argument("--beam", type=int, metavar="K", help="beam size for generated texts; 1 is greedy")
    parser.add_argument(
        "--length-penalty", type=float, metavar="A", help="for beam search: 0 favours short texts (0.6)"
    )
    parser.add_argument("--attention", type=Path, metavar="FILE.png", help="plot the attention for one typed text")
    parser.add_argument("--direction", choices=["A2B", "B2A"], help="for a CycleGAN: translate images of A, or of B")
    parser.add_argument("--output", type=Path, metavar="FOLDER", help="folder for translations (RUN/translated/A2B)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--csv", action="store_true", help="print CSV, with the probability of every class")
    form.add_argument("--json", action="store_true", help="print JSON, with the probability of every class")


def run(args: argparse.Namespace) -> int:
    if args.similar is not None:
        return print_similar(args)
    words, overrides = split_words(args.input or args.text, args.overrides)
    check_search(args)
    check_attention(args)
    used = used_run(args, overrides)
    if args.direction is not None or "translate" in used.task.uses:
        return print_translated(args, used, words)
    if args.output is not None:
        raise ConfigError(f"{used.title} generates no images", "without --output")
    predictions = used.predict(
        inputs_of(used, words, args),
        views=views_of(args),
        beam=args.beam,
        length_penalty=args.length_penalty,
        invert=args.invert,
        fit=args.fit,
        encoding=args.encoding,
    )
    if args.attention is not None:
        print_drawn(used.draw_attention(words[0], args.attention))
    if args.json:
        known = {"run": str(used.path), "checkpoint": used.checkpoint, "predictions": predictions.records()}
        print(json.dumps(known, indent=1, ensure_ascii=False))
        return 0
    print(f"{used.title}, {used.described_checkpoint}", file=sys.stderr, flush=True)
    if args.csv:
        write_csv(sys.stdout, *predictions.table())
    else:
        predictions.show(TerminalScreen(), max(1, args.top or TOP))
    return 0


def check_search(args: argparse.Namespace) -> None:
    if args.beam is not None and args.beam < 1:
        raise ConfigError(f"--beam {args.beam}: at least 1 is needed", "--beam 1 is greedy")
    if args.length_penalty is not None and not 0 <= args.length_penalty < float("inf"):
        raise ConfigError(f"--length-penalty {args.length_penalty}: a number >= 0 is needed", "--length-penalty 0.6")


def check_attention(args: argparse.Namespace) -> None:
    if args.attention is not None and (args.text is None or len(args.text) != 1):
        raise ConfigError(
            "--attention draws the attention of one text", f"--text TEXT --attention {quoted(args.attention)}"
        )


def inputs_of(used: "Run", words: list[str], args: argparse.Namespace) -> "Raw":
    """The named or typed inputs, in the form for Run.predict.

    Raises:
        ConfigError: If texts were typed for a model that does not read text.
    """
    are_texts = args.text is not None
    if not used.preprocessing.reads_texts:
        if are_texts:
            raise ConfigError(f"{used.title} reads no texts", "--input FILE")
        return words
    if are_texts:
        return words
    if words == ["-"]:
        from dltool.data.text_file import decoded_text, nonempty_lines

        with used.reading(args.encoding):
            return nonempty_lines(decoded_text(sys.stdin.buffer.read(), "standard input"))
    return [Path(word) for word in words]


def split_words(inputs: list[str], overrides: list[str]) -> tuple[list[str], list[str]]:
    """`--input a.png trainer.device=cpu`: a word that sets a key of the trainer is not a file."""
    settings = [word for word in inputs if word.startswith("trainer.") and "=" in word]
    return [word for word in inputs if word not in settings], overrides + settings
