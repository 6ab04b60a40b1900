"""What watches a training and never touches it: progress, logs, plots, samples."""
