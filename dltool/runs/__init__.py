"""The run folder: created, written, read, found."""
