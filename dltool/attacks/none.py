"""No attack."""

from dltool.component import register


@register("attack", "none")
class NoAttack:
    """Inputs stay as they are."""
