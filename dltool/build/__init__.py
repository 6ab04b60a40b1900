"""From a checked config to objects: the only place where a name becomes a class."""
