"""Warns of faults that the measurements of the layers show."""

import math
from collections.abc import Callable
from typing import Any

from dltool.diagnostics.advice import Settings, rest_of, warning_of
from dltool.diagnostics.alarms import Alarm, alarms_at
from dltool.diagnostics.store import DiagnosticsStore, read_alarms, read_layers


class LayerAlarms:
    """Warns once of each kind of fault, when it is first seen, and at the end of further places where it appeared.

    Args:
        warn: Prints a line for the user.
        settings: The config of the training.
    """

    def __init__(self, warn: Callable[[str], None], settings: Settings) -> None:
        self.warn = warn
        self.settings = settings
        self._records: list[dict[str, Any]] = []
        self._seen: set[tuple[str, str]] = set()
        self._kinds: set[str] = set()
        self._rest: dict[str, list[Alarm]] = {}

    def resume(self, store: DiagnosticsStore) -> None:
        """Continue from the measurements that a training has written."""
        self._records = read_layers(store.folder.path)
        alarms = read_alarms(store.folder.path)
        self._seen = {(alarm.kind, alarm.place) for alarm in alarms}
        self._kinds = {alarm.kind for alarm in alarms}

    def see(self, record: dict[str, Any]) -> list[Alarm]:
        """Judge the newest measured step; returns the alarms that are new."""
        self._records.append(record)
        new = [alarm for alarm in alarms_at(self._records) if (alarm.kind, alarm.place) not in self._seen]
        by_kind: dict[str, list[Alarm]] = {}
        for alarm in new:
            by_kind.setdefault(alarm.kind, []).append(alarm)
        for kind, alarms in by_kind.items():
            if kind in self._kinds:
                self._rest.setdefault(kind, []).extend(alarms)
            else:
                updates = [layer.get("update", math.nan) for layer in record["layers"].values()]
                update = max(filter(math.isfinite, updates), default=math.nan)
                self.warn(warning_of(alarms, self.settings, record["samples"], update))
        self._kinds |= by_kind.keys()
        self._seen |= {(alarm.kind, alarm.place) for alarm in new}
        return new

    def say_the_rest(self) -> None:
        """Name the places at which faults appeared after the first warning."""
        for kind, alarms in self._rest.items():
            self.warn(rest_of(kind, alarms))
        self._rest = {}
