"""Builds objects from a checked config: the only place where a name becomes a class."""
