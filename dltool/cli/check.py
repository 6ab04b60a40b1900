"""`dltool check`: check the whole config, build everything, run one batch, write nothing."""

import argparse

from dltool.cli.request import add_config_arguments, read_config

SUMMARY = "examine a config, build everything, run one batch"
EXAMPLES = """\
examples:
  dltool check model=lenet data=mnist data.root=FOLDER
  dltool check experiment=gan_gaussians trainer.device=cuda
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    _, config = read_config(args)
    from dltool.training.check import check_one_batch

    return check_one_batch(config)
