"""The placeholder for the loss that follows from the data."""

from dltool.declarations.component import register


@register("loss", "auto", tasks=())
class Auto:
    """Classes: cross_entropy. Two classes: binary_cross_entropy. Numbers: mse. A GAN: non_saturating.

    Never built: dltool.config.check replaces it by the loss whose registration says `default_for` the data's kind of
    target or for the task, and the run prints which.
    """
