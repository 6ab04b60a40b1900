"""`dltool evaluate`: evaluate a run's model, on its own data or on other data."""

import argparse
import json
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dltool.cli.request import (
    add_overrides,
    add_use_arguments,
    add_view_arguments,
    check_writable,
    open_run,
    used_run,
    views_of,
)
from dltool.cli.tables import print_table, write_csv

if TYPE_CHECKING:
    from dltool.inference.evaluation import Evaluation
    from dltool.inference.run import Run

SUMMARY = "evaluate a run's model, on its own data or on other data"
EXAMPLES = """\
examples:
  dltool evaluate outputs/2026-01-31/12-00-00_lenet_digits
  dltool evaluate 12-00-00_lenet_digits --split val --checkpoint best
  dltool evaluate 12-00-00_lenet_digits 'task.metrics=[f1_macro,auroc,confusion]' --plots plots
  dltool evaluate 12-00-00_mlp_csv data.path=new.csv --predictions new_predictions.csv
  dltool evaluate 12-00-00_lenet_image_folder --tta hflip,shift
  dltool evaluate 12-00-00_lenet_digits attack=pgd attack.eps=0.1 attack.restarts=5 --plots plots
  dltool evaluate 12-00-00_vae_mnist task.num_importance_samples=500 --plots plots
  dltool evaluate 12-00-00_cyclegan_digit_pairs --classifier 12-30-00_lenet_digit_styles
  dltool evaluate 12-00-00_gan_mnist 'task.metrics=[fd,kid,prdc,modes,nearest]' task.num_samples=10000

key=value: other data (data=…, data.path=…, data.root=…), other metrics ('task.metrics=[…]'), an attack on a classifier
of images (`dltool list attack`; attack.num_samples=1000 attacks only the first ones), trainer.device, .threads,
.precision. Other data is preprocessed as the training data was: nothing is fitted to it. If other data has no test
split of its own, all samples are used. The run's own data, recognized by its contents wherever it lies, keeps its
splits, whatever its batch size or residency; a key that would change the splits is refused. For an image classifier,
--plots also draws the first layer's kernels, feature maps of an image, the receptive fields (see dltool show), the
most confident mistakes and the most frequent confusions; under attack, some images, their perturbations and the new
predictions. For an autoencoder it draws the plane of its codes. For a VAE, task.num_importance_samples=500 estimates
-log p(x) of the first task.nll_samples.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_use_arguments(parser)
    add_view_arguments(parser)
    add_overrides(parser, "other data, other metrics, another device")
    parser.add_argument(
        "--split", choices=["auto", "train", "val", "test", "all"], default="auto", help="the split to evaluate"
    )
    parser.add_argument("--predictions", type=Path, metavar="FILE.csv", help="write the prediction for each sample")
    parser.add_argument(
        "--plots", type=Path, metavar="FOLDER", help="plot the metrics that have plots, and the network"
    )
    parser.add_argument(
        "--classifier", metavar="RUN", help="for a CycleGAN: the run whose classifier checks translations"
    )
    parser.add_argument("--json", action="store_true", help="print the metrics as JSON")
    parser.add_argument(
        "--config-dir", action="append", default=[], type=Path, metavar="FOLDER", help="your own options too"
    )


def run(args: argparse.Namespace) -> int:
    check_writable(args.predictions)
    used = used_run(args)
    measured = used.evaluate(
        args.overrides,
        split=args.split,
        views=views_of(args),
        predictions=args.predictions is not None,
        config_dirs=args.config_dir,
        classifier=None if args.classifier is None else classifier_run(args.classifier),
    )
    for note in measured.data_notes:
        print(f"note: {note}", file=sys.stderr)
    if args.predictions is not None:
        with args.predictions.open("w", encoding="utf-8", newline="") as file:
            write_csv(file, *measured.table())
    if args.plots is not None:
        draw(measured, used, args.plots)
    if args.json:
        print(json.dumps(as_json(used, measured), indent=1, ensure_ascii=False))
    else:
        print_evaluation(args, used, measured)
    return 0


def classifier_run(name: str) -> "Run":
    """The run of the classifier."""
    folder = open_run(name)
    from dltool.inference.run import Run

    return Run(folder)


def draw(measured: "Evaluation", used: "Run", folder: Path) -> None:
    """Draw the metrics that have plots and, for a network of images, the final plots of a training and more."""
    from dltool.figures.saving import save_pictures
    from dltool.introspection.pictures import (
        attack_picture,
        forecast_pictures,
        latent_picture,
        metric_pictures,
        network_pictures,
        of_split,
        task_pictures,
    )
    from dltool.tasks.uses import reconstructs

    task, title, split = measured.task, used.figure_title, measured.split
    pictures = dict(metric_pictures(task.metrics, of_split(title, split)))
    if measured.mistakes is not None and used.preprocessing.gives_pixels:
        to_pixels = used.preprocessing.pixels
        found = network_pictures(used.model, measured.mistakes, to_pixels, title, split, receptive_field=True)
        pictures |= {name: draw for name, draw in found.items() if name not in pictures}
    if task.predicts_classes:
        pictures["attacked.png"] = partial(attack_picture, task, used.spec, of_split(title, split))
    pictures |= task_pictures(task, used.spec, title)
    pictures |= forecast_pictures(task, measured.example, used.spec, title, split)
    if measured.codes is not None and reconstructs(task):
        pictures["latent_plane.png"] = partial(latent_picture, task, measured.codes, title, split)
    drawn = save_pictures(pictures, folder)
    said = f"drawn in {folder}: {', '.join(drawn)}" if drawn else "none of task.metrics has a plot; confusion has one"
    print(said, file=sys.stderr)


def as_json(used: "Run", measured: "Evaluation") -> dict[str, Any]:
    return {
        "run": str(used.path),
        "checkpoint": used.checkpoint,
        "averaged": used.averaged,
        "split": measured.split,
        "samples": measured.num_samples,
        "unit": measured.unit,
        "own_data": measured.own_data,
        "remarks": measured.task.remarks,
        # JSON has no NaN.
        "metrics": {name: None if value != value else value for name, value in measured.metrics.items()},
        **({"baselines": measured.baselines.values} if measured.baselines.values else {}),
    }


def print_evaluation(args: argparse.Namespace, used: "Run", measured: "Evaluation") -> None:
    from dltool.runs.catalog import as_metric

    if args.overrides:
        for note in measured.notes:
            print(f"  {note}", file=sys.stderr)
    print(f"{used.title}, {used.described_checkpoint}: {measured.counted}")
    rows = [(name, as_metric(value), measured.beside(name)) for name, value in measured.metrics.items()]
    print_table(("", "", ""), rows, numbers=[1])
    if measured.baseline:
        print(f"baseline: {measured.baseline}")
    for remark in (*measured.task.remarks, *measured.baselines.remarks):
        print(remark)
    if args.predictions is not None:
        print(f"predictions: {args.predictions}")
