"""Jobs of a search whose data has changed in between are not compared without a warning."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fabricated import make_run

from dltool.search.folder import JobFolder
from dltool.search.grid import Job
from dltool.search.record import Record
from dltool.search.reproduce import data_note
from dltool.search.same_data import data_warning

Dltool = Callable[..., subprocess.CompletedProcess[str]]
TABLE = {"data.name": "csv", "data.path": "t.csv", "data.target": "y"}


def results(folder: Path, *runs: tuple[dict[str, Any], str | None]) -> JobFolder:
    """A folder of finished jobs with a config and the digest of the data each."""
    jobs = [Job(number, (f"seed={number}",), {"seed": str(number)}) for number in range(len(runs))]
    found = JobFolder(folder, jobs)
    for job, (config, digest) in zip(jobs, runs, strict=True):
        path = make_run(found.run_path(job), config, total_steps=20)
        if digest is not None:
            (path / "data.json").write_text(json.dumps({"digest": digest, "generator": {}}))
    return found


def test_the_same_data_needs_no_warning(tmp_path: Path) -> None:
    assert data_warning(results(tmp_path / "same", (TABLE, "aa"), (TABLE, "aa")).results()) == ""
    assert data_warning(results(tmp_path / "old", (TABLE, "aa"), (TABLE, None)).results()) == ""
    swept = (TABLE, "aa"), ({**TABLE, "data.path": "u.csv"}, "bb")  # The search names two files.
    assert data_warning(results(tmp_path / "swept", *swept).results()) == ""


def test_data_that_changed_between_two_jobs(tmp_path: Path) -> None:
    found = results(tmp_path, (TABLE, "aa"), (TABLE, "aa"), ({**TABLE, "data.batch_size": 3}, "bb"))
    names = [job.name for job in found.jobs]
    assert f"the data has changed between the jobs {names[0]} and {names[2]}" in data_warning(found.results())


def test_a_record_of_other_data_is_said(tmp_path: Path) -> None:
    found = results(tmp_path, (TABLE, "aa"), (TABLE, "aa")).results()
    assert data_note(Record(), found) == data_note(Record(data="aa"), found) == ""
    assert data_note(Record(data="bb"), found) == "not the data of the record: its fingerprint is aa, recorded bb"


@pytest.mark.parametrize(("override", "noted"), [("data.num_samples=500", True), ("data.batch_size=100", False)])
def test_reproducing_on_other_data_is_noted(override: str, noted: bool, dltool: Dltool) -> None:
    short = ["trainer.steps=2", "trainer.threads=1", "logger.plots=false", "task.metrics=null"]
    done = dltool("reproduce", "gan_gaussians", override, *short, "--seeds", "0", "--quiet")
    assert ("note: data.num_samples is 500, but 50000 in the experiment" in done.stderr) == noted, done.stderr
