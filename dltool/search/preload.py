"""Imports what every training needs, once, in the process that the jobs of a sweep are forked from.

Nothing here computes: a process whose torch has used its threads, or CUDA, cannot be forked safely.
"""

import matplotlib.figure  # noqa: F401

import dltool.config.check
import dltool.search.job  # noqa: F401
