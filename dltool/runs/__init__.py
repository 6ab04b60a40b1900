"""The run folder: made, written, found again."""
