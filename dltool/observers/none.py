"""The option for no observer of your own."""

from dltool.declarations.component import register
from dltool.engine.observer import Observer


@register("observer", "none")
class NoObserver(Observer):
    """Adds nothing to dltool's own observers."""
