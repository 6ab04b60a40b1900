"""Whether the jobs of a search were trained on the same data, so that their metrics can be compared."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dltool.config.data_roles import LOCATIONS, SOURCE, role_of
from dltool.declarations.source import component
from dltool.runs.data_record import read_data
from dltool.runs.folder import RunFolder
from dltool.search.folder import Result


def data_warning(results: Sequence[Result]) -> str:
    """A warning if finished jobs have read different data from the same place, which has changed in between; or ""."""
    seen: dict[str, dict[str, str]] = {}
    for result in results:
        saved = read_data(result.path) if result.state == "finished" else {}
        if not saved or saved.get("generator"):
            continue
        place = place_of(RunFolder(result.path).read_status().get("config", {}))
        seen.setdefault(place, {}).setdefault(str(saved.get("digest")), result.job.name)
    for jobs in seen.values():
        if len(jobs) > 1:
            first, second, *_ = jobs.values()
            return f"the data has changed between the jobs {first} and {second}: their metrics cannot be compared"
    return ""


def place_of(config: Mapping[str, Any]) -> str:
    """The settings of a run's flat config that say which data it reads, and where from."""
    declared = component("data", config["data.name"])
    keys = ["name", *(key for key in declared.all_fields if role_of(declared, key) in (SOURCE, *LOCATIONS))]
    return json.dumps([config.get(f"data.{key}") for key in keys], default=str)
