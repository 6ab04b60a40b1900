"""No observer of one's own."""

from dltool.declarations.component import register
from dltool.engine.observer import Observer


@register("observer", "none")
class NoObserver(Observer):
    """Nothing watches but dltool's own observers."""
