"""`dltool sample`: samples from a run's model, as text or images."""

import argparse
import json
import re
import sys
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltool.cli.request import add_overrides, add_use_arguments, used_run
from dltool.cli.screen import print_drawn
from dltool.core.errors import ConfigError
from dltool.core.numerals import counted
from dltool.core.printable import printable
from dltool.core.shell import quoted

if TYPE_CHECKING:
    from dltool.core.safe_path import SafePath
    from dltool.inference.run import Run
    from dltool.inference.sampling import TextSampler

SUMMARY = "generate text or images with a run's model"
EXAMPLES = """\
examples:
  dltool sample outputs/2026-01-31/12-00-00_gpt_text --prompt 'ROMEO:'
  dltool sample 12-00-00_gpt_text --temperature 0.8 --top-k 50 --length 2000 --seed 3
  dltool sample 12-00-00_lstm_pydoc --prompt-file beginning.txt --temperature 0
  dltool sample 12-00-00_gpt_names --count 20
  dltool sample 12-00-00_gan_mnist --count 64 --output digits.png
  dltool sample 12-00-00_dcgan_mnist --class 7 --count 1000 --output sevens/
  dltool sample 12-00-00_dcgan_mnist --seeds 0-7,42 --weights ema
  dltool sample 12-00-00_stylegan2_mnist --seeds 0-4 --interpolate 8 --class 3,5
  dltool sample 12-00-00_stylegan2_mnist --truncation 0.7
  dltool sample 12-00-00_stylegan2_mnist --mix 4 --seeds 0-5 --mix-seeds 6-9
  dltool sample 12-00-00_vae_mnist --reconstruct seven.png

`dltool sample RUN --help` adds the sampling options of the run's task, such as --temperature of a language model and
--truncation of a StyleGAN2.

Without a prompt a text begins on a new line; texts with separate ends, such as names, are printed one per line. The
same seed gives the same text. Samples of a GAN or an autoencoder are one image, without --output in RUN/samples with
a name that says what was requested, or, if --output has no suffix, a folder with one image each. Sample i of --seed N
is that of seed N + i, independent of the other samples; a conditional model takes its classes in turn. --interpolate
goes from each seed to the next: on a sphere between codes z, on a line between StyleGAN's w. --mix draws a table: a
row has the coarse styles of the sample at its left, a column the fine ones of the sample above. --reconstruct shows
images and an autoencoder's reconstructions of them.
"""
OF_TEXTS = ("prompt", "prompt_file", "length", "unknown", "attention", "json")
NUM_IMAGES, NUM_POINTS, NUM_ROWS = 64, 2000, 8
NUM_ABOVE, NUM_LEFT = 6, 4  # Sources of mixed styles.
HALF = "half"  # Of the layers, for --mix without a number.
MOST_CHARACTERS = 100  # Of the name of a file.
OF_PICTURES = ("class", "seeds", "interpolate", "mix", "mix_seeds", "output")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_use_arguments(parser)
    add_overrides(parser, "trainer.device, .threads, .precision")
    parser.add_argument("--count", type=int, metavar="N", help="number of texts (1), or of samples (64)")
    parser.add_argument("--seed", type=int, metavar="N", help="the random seed (0)")
    texts = parser.add_argument_group("for a language model")
    begin = texts.add_mutually_exclusive_group()
    begin.add_argument("--prompt", metavar="TEXT", help="the beginning of the text")
    begin.add_argument("--prompt-file", type=Path, metavar="FILE", help="a file with the beginning of the text")
    texts.add_argument(
        "--encoding",
        default="auto",
        metavar="NAME",
        help="of the prompt's file (auto: Unicode, or else data.encoding of the training)",
    )
    texts.add_argument(
        "--length", type=int, metavar="N", help="number of tokens to generate (500, or until the text ends)"
    )
    texts.add_argument(
        "--unknown", choices=["refuse", "skip"], help="how to treat parts of a prompt that are not in the vocabulary"
    )
    texts.add_argument("--attention", type=Path, metavar="FILE.png", help="plot the attention of a gpt over the prompt")
    texts.add_argument("--json", action="store_true", default=None, help="print JSON")
    samples = parser.add_argument_group("for a model of images or other samples")
    samples.add_argument("--class", metavar="CLASS,…", help="for a conditional model: the classes to generate, in turn")
    samples.add_argument("--seeds", type=numbers, metavar="0-7,42", help="one sample per seed")
    between = samples.add_mutually_exclusive_group()
    between.add_argument("--interpolate", type=int, metavar="N", help="rows of N samples from each seed to the next")
    between.add_argument(
        "--mix",
        nargs="?",
        const=HALF,
        type=layers,
        metavar="LAYER",
        help="for StyleGAN: styles of two samples, those before LAYER from the one at the left (half of the layers)",
    )
    samples.add_argument(
        "--mix-seeds", type=numbers, metavar="6-9", help="the samples at the left (the next 4 seeds after those above)"
    )
    samples.add_argument(
        "--reconstruct", type=Path, metavar="FILE|FOLDER", help="for an autoencoder: images to reconstruct"
    )
    samples.add_argument("--output", type=Path, metavar="FILE.png|FOLDER", help="the image file, or a folder of images")


def add_options(parser: argparse.ArgumentParser, words: Sequence[str]) -> None:
    from dltool.cli.sampling_flags import add_sampling_flags

    add_sampling_flags(parser, words, add_arguments)


def run(args: argparse.Namespace) -> int:
    check_numbers(args)
    used = used_run(args, args.overrides)
    if args.reconstruct is not None:
        reconstruct(args, used)
        return 0
    if used.spec.target == "next_token":
        if given := first_given(args, OF_PICTURES):
            raise ConfigError(f"{given} is for images; text goes to standard output", "dltool sample … > FILE")
        write_texts(args, used)
    else:
        draw(args, used)
    return 0


def first_given(args: argparse.Namespace, names: tuple[str, ...]) -> str | None:
    """The first of these flags that was given."""
    given = [name for name in names if getattr(args, name) is not None]
    return f"--{given[0].replace('_', '-')}" if given else None


def numbers(text: str) -> list[int]:
    """ "0-3,7" as 0, 1, 2, 3 and 7."""
    found: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        found += range(int(first), int(last) + 1) if dash else [int(first)]
    if not found:
        raise ValueError
    return found


def layers(text: str) -> int | str:
    """A number of layers, or HALF."""
    if text == HALF:
        return HALF
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text} is not a number of layers; the run comes before --mix")
    return int(text)


def check_numbers(args: argparse.Namespace) -> None:
    for name in ("count", "length"):
        if (value := getattr(args, name)) is not None and value < 1:
            raise ConfigError(f"--{name} {value}: must be at least 1", f"--{name} 1")


def write_texts(args: argparse.Namespace, used: "Run") -> None:
    from dltool.cli.sampling_flags import given_options
    from dltool.inference.sampling import TextSampler

    with used.reading(args.encoding):
        prompt = prompt_of(args)
    how = {name: getattr(args, name) for name in ("seed", "unknown") if getattr(args, name) is not None}
    sampler = TextSampler(used, **how, **given_options(args))
    if args.attention is not None:
        if not prompt:
            raise ConfigError("--attention needs a prompt", f"--prompt TEXT --attention {quoted(args.attention)}")
        print_drawn(used.draw_attention(prompt, args.attention))
    count = args.count or 1
    if args.json:
        texts = sampler.texts(prompt, count=count, length=args.length)
        known = {"run": str(used.path), "checkpoint": used.checkpoint, "prompt": prompt, "seed": sampler.seed}
        print(json.dumps({**known, "samples": texts}, indent=1, ensure_ascii=False))
        return
    print(f"{used.title}, {used.described_checkpoint}", file=sys.stderr, flush=True)
    if sampler.ends:
        for text in sampler.texts(prompt, count=count, length=args.length):
            print(printable(text))
        return
    for number in range(count):
        if count > 1:
            print(f"---------- {number + 1} of {count}")
        write_as_it_comes(sampler, prompt, number, args.length)


def write_as_it_comes(sampler: "TextSampler", prompt: str, number: int, length: int | None) -> None:
    last = ""
    for piece in sampler.stream(prompt, number, length=length):
        print(piece, end="", flush=True)
        last = piece or last
    if not last.endswith("\n"):
        print()


def prompt_of(args: argparse.Namespace) -> str:
    if args.prompt_file is None:
        return args.prompt or ""
    from dltool.data.text_file import read_text

    return read_text(args.prompt_file)


def draw(args: argparse.Namespace, used: "Run") -> None:
    """Write samples of a generative model as one image, or as a folder of images."""
    from dltool.cli.sampling_flags import given_options
    from dltool.inference.sample_generator import SampleGenerator, write_samples

    maker = SampleGenerator(used)
    if given := first_given(args, OF_TEXTS):
        raise ConfigError(f"{used.title} generates no text, so {given} does not apply", "--count N --output FILE.png")
    classes = [word for word in (getattr(args, "class") or "").split(",") if word]
    seed = args.seed or 0
    options = given_options(args)
    if args.mix_seeds is not None and args.mix is None:
        raise ConfigError("--mix-seeds names the samples at the left of --mix", "--mix --mix-seeds 6-9")
    if args.mix is not None:
        above = args.seeds or list(range(seed, seed + (args.count or NUM_ABOVE)))
        left = args.mix_seeds or list(range(max(above) + 1, max(above) + 1 + NUM_LEFT))
        samples = maker.mixtures(above, left, None if args.mix == HALF else args.mix, classes=classes, **options)
    elif args.interpolate is not None:
        seeds = args.seeds or list(range(seed, seed + 1 + (args.count or NUM_ROWS)))
        samples = maker.interpolation(seeds, args.interpolate, classes=classes, **options)
    else:
        count = args.count or (NUM_IMAGES if len(used.spec.input_shape) == 3 else NUM_POINTS)
        samples = maker.samples(count, seed=seed, seeds=args.seeds or (), classes=classes, **options)
    path = args.output or used.folder.files / "samples" / file_name(args, used.checkpoint, options)
    before = replaced(path)
    write_samples(used, samples, path)
    print(
        f"{used.title}, {used.described_checkpoint}: {counted(len(samples.values), 'sample')} drawn in {path}{before}"
    )


def reconstruct(args: argparse.Namespace, used: "Run") -> None:
    """Draw images, and below them their reconstructions by an autoencoder."""
    others = ("count", "seed", *OF_TEXTS, *(name for name in OF_PICTURES if name != "output"))
    if given := first_given(args, others):
        raise ConfigError(f"--reconstruct reconstructs given samples, so {given} does not apply", f"without {given}")
    path = args.output or used.folder.files / "samples" / file_name(args, used.checkpoint, {})
    before = replaced(path)
    made = used.reconstruct(args.reconstruct)
    made.draw(path)
    drawn = f"{counted(len(made.names), 'sample')} and reconstructions drawn in {path}{before}"
    print(f"{used.title}, {used.described_checkpoint}: {drawn}")


def file_name(args: argparse.Namespace, checkpoint: str, options: dict[str, Any]) -> str:
    """The name of an image with all that was requested, `step-000680_sampled_class-3_interpolate-8.png`."""
    given = {
        name: getattr(args, name)
        for name in ("count", "seed", "seeds", "class", "interpolate", "mix", "mix_seeds", "reconstruct")
    }
    given |= {"weights": None if args.weights == "tested" else args.weights} | options
    given["reconstruct"] = args.reconstruct and args.reconstruct.resolve().stem
    for name in ("seeds", "mix_seeds"):
        given[name] = given[name] and ",".join(map(str, given[name]))
    words = [f"{name}-{value}" for name, value in given.items() if value is not None]
    text = "_".join([checkpoint, "sampled", *words])
    name = re.sub(r"[^\w.,+-]", "-", text)[:MOST_CHARACTERS]
    return f"{name}.png" if name == text else f"{name}-{sha256(text.encode()).hexdigest()[:8]}.png"


def replaced(path: "SafePath | Path") -> str:
    """What the message of a written file adds if the file exists already."""
    where = path if isinstance(path, Path) else path.path
    return ", which replaces the earlier file" if where.is_file() else ""
