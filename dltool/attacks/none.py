"""No attack."""

from dltool.declarations.component import register


@register("attack", "none")
class NoAttack:
    """Inputs are unchanged."""
