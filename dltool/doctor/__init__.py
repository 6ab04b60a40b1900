"""Checks everything that a training needs, and reports each item."""
