"""Imports the modules that every training needs, once, in the process from which the jobs of a sweep are forked.

Nothing is computed here: a process whose torch has used its threads, or CUDA, cannot be forked safely.
"""

import matplotlib.figure  # noqa: F401

import dltool.config.check
import dltool.search.job  # noqa: F401
