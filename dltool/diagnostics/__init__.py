"""Measurements of a network in training, which never change it; figures of them are in dltool.figures."""
