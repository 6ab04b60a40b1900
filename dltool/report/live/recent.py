"""What a server remembers: the newest entries only."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(OrderedDict[Key, Value]):
    """A mapping that drops its oldest entries; an entry that is set again is the newest.

    Args:
        most: The number of entries that are kept.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def __setitem__(self, key: Key, value: Value) -> None:
        super().__setitem__(key, value)
        self.move_to_end(key)
        if len(self) > self.most:
            self.popitem(last=False)


class Remembered(Generic[Value]):
    """A value that is made again only when what it is made from has changed."""

    def __init__(self) -> None:
        self._kept: tuple[Any, Value] | None = None

    def of(self, key: Any, make: Callable[[], Value]) -> Value:
        """The value.

        Args:
            key: What it is made from; compared with the one before.
            make: Makes the value.
        """
        if self._kept is None or self._kept[0] != key:
            self._kept = key, make()
        return self._kept[1]
