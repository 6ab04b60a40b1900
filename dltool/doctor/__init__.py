"""Looks at everything that a training needs, and says of each thing whether it is there."""
