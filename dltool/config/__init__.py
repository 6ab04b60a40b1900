"""From the command line to a checked, complete config. Imports neither torch nor any component."""
