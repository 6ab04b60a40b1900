"""What most commands import and read, once, in the process from which `warm_process` forks them."""
# ruff: noqa: F401

import os

import matplotlib.backends.backend_agg
import rich.live
import rich.table
from disk import do_not_wait

import dltool.cli.main
import dltool.inference.run
import dltool.search.preload
from dltool.config.check import check
from dltool.config.compose import compose

check(compose(["model=mlp", "data=iris"]))  # Reads the declarations of the components; nothing is computed.
os.fsync = do_not_wait
