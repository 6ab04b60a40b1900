"""Observers, which never change the training: progress, logs, plots, samples."""
