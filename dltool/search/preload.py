"""Imports the modules that every training needs, once, in the process from which the jobs of a sweep are forked.

Nothing is computed here: a process whose torch has used its threads, or CUDA, cannot be forked safely.
"""

import signal

import matplotlib.figure  # noqa: F401

import dltool.config.check
import dltool.search.job  # noqa: F401

# `timeout` and batch systems send SIGTERM to every process of a sweep. This one must outlive the jobs, whose exit codes
# it reports; it ends with the sweep. A job handles the signal again, see dltool.search.job.
signal.signal(signal.SIGTERM, signal.SIG_IGN)
