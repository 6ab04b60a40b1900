"""The rule of models that can make samples of a class."""

from dltool.declarations.component import requires

needs_classes = requires(
    lambda config: config.model.condition == "none" or config.data.targets in ("classes", "binary", "auto"),
    "model.condition conditions on classes, but the data has no classes",
    hint="model.condition=none",
)
