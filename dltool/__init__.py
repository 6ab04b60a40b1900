"""dltool: train every classic deep-learning model from one shell line and a few lines of YAML."""

__version__ = "0.1.0"
