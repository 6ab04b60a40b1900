"""`dltool train`: compose, check, build, train, test."""

import argparse

from dltool.cli.request import add_config_arguments, read_config

SUMMARY = "train a model; ends with its test metrics and the run folder"
EXAMPLES = """\
examples:
  dltool train model=lenet optim=adam
  dltool train model=mlp data=breast_cancer optim=sgd optim.lr=0.1 schedule=cosine trainer.epochs=50
  dltool train model=gan data=gaussians trainer.steps=5000
  dltool train experiment=lenet_mnist data.root=FOLDER seed=3
  dltool train --from outputs/2026-01-31/12-00-00_lenet_digits optim.lr=1e-4
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)
    parser.add_argument("--quiet", action="store_true", help="print nothing but errors and the run folder")
    parser.add_argument("--cfg", choices=["job"], help="print the composed config and stop")


def run(args: argparse.Namespace) -> int:
    config, built = read_config(args)
    if args.cfg:
        from dltool.cli.show import print_yaml

        print_yaml(config)
        return 0
    from dltool.training import train

    return train(config, built, quiet=args.quiet)
