"""The rule of models that can make samples of a class."""

from dltool.declarations.component import requires

needs_classes = requires(
    lambda config: config.model.condition == "none" or config.data.targets in ("classes", "binary"),
    "model.condition makes samples of a class, and the data has no classes",
    hint="model.condition=none",
)
