"""What experiments say of themselves, and whether a new measurement agrees."""

import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dltool.config.compose import compose
from dltool.core.errors import ConfigError
from dltool.core.numerals import mean_and_spread, numeral
from dltool.declarations.options import option_files
from dltool.search.record import Claim, Record, last_digit, read_record
from dltool.search.reproduce import compare

EXPERIMENT = """\
# @package _global_
# Iris with a small perceptron.
{record}
defaults:
  - override /data: iris
  - override /model: mlp
  - _self_
trainer:
  epochs: 3
  threads: 1
"""


@pytest.mark.parametrize("name", list(option_files("experiment")))
def test_every_experiment_has_a_readable_record(name: str) -> None:
    record = read_record(option_files("experiment")[name])
    assert record is None or record.seeds
    assert "record" not in compose([f"experiment={name}"]).tree


def write(folder: Path, record: str) -> Path:
    path = folder / "experiment" / "small.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(EXPERIMENT.format(record=record))
    return path


def test_a_record_is_read(tmp_path: Path) -> None:
    metrics = "{test/accuracy: {reference: 0.9, source: a paper, measured: [0.8, 0.9]}}"
    path = write(tmp_path, f"record: {{metrics: {metrics}, seeds: [3, 4], seconds: 2.5, machine: this one}}")
    claim = Claim(0.9, "a paper", (0.8, 0.9))
    assert read_record(path) == Record({"test/accuracy": claim}, (3, 4), 2.5, "this one")
    assert claim.describe() == "0.8500 ± 0.0707 (reference 0.9000)"
    assert read_record(write(tmp_path, "")) is None


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("record: 3", "record: a mapping"),
        ("record: {seed: [1]}", r"record\.seed: the keys are"),
        ("record: {seeds: [a]}", r"record\.seeds: a list of integers"),
        (
            "record: {seeds: [1, 2], metrics: {a: {measured: [0.5]}}}",
            r"record\.metrics\.a\.measured: 1 value for 2 seeds",
        ),
        ("record: {seeds: [1], metrics: {a: {measured: [x]}}}", "a list of numbers"),
        ("record: {seeds: [1], metrics: {a: {reference: 0.5}}}", "its source"),
        ("record: {", "not readable YAML"),
    ],
)
def test_a_malformed_record_names_file_and_key(tmp_path: Path, record: str, message: str) -> None:
    path = write(tmp_path, record)
    with pytest.raises(ConfigError, match=message) as caught:
        read_record(path)
    assert str(path) in caught.value.message


def test_the_tolerance_is_three_standard_errors_of_the_difference() -> None:
    values = (0.99, 0.98, 0.97)
    expected = 3 * statistics.stdev(values) * (1 / 3 + 1 / 2) ** 0.5
    assert Claim(measured=values).tolerance(2) == pytest.approx(expected)
    assert Claim(measured=(0.9123, 0.9123)).tolerance(2) == pytest.approx(1e-4)  # What the digits can tell.
    assert Claim(measured=(8, 8, 8)).tolerance(3) == 0
    assert Claim(measured=(0.5,)).tolerance(1) is None
    assert last_digit([0.99, 0.9913]) == pytest.approx(1e-4)


@pytest.mark.parametrize(
    ("values", "word"), [((0.98, 0.99, 0.97), "as recorded"), ((0.9, 0.91, 0.9), "OUTSIDE"), ((), "missing")]
)
def test_the_verdict(values: tuple[float, ...], word: str) -> None:
    row, as_recorded = compare("test/accuracy", Claim(measured=(0.98, 0.97, 0.99)), values)
    assert row[-1] == word
    assert as_recorded == (word == "as recorded")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.98765, "0.9877"), (8.0, "8"), (1.0, "1.0000"), (0.0, "0.0000"), (1.5e-7, "1.5e-07"), (53891.66, "53891.7")],
)
def test_numbers_for_a_person(value: float, text: str) -> None:
    assert numeral(value) == text
    assert mean_and_spread([value]) == text


def test_reproduce_runs_the_seeds_again_and_compares(
    dltool: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    words = ["--config-dir", ".", "logger.plots=false"]
    record = "record: {{seeds: [1, 2], metrics: {{test/accuracy: {{measured: {}}}}}}}"
    path = write(tmp_path, record.format("[0.0, 0.001]"))
    done = dltool("reproduce", "small", *words, cwd=tmp_path)
    assert done.returncode == 1, "an accuracy of zero is not what this experiment reaches"
    assert "OUTSIDE" in done.stdout
    rows = (next((tmp_path / "outputs").glob("*/*_sweep")) / "sweep.csv").read_text().splitlines()
    column = rows[0].split(",").index("test/accuracy")
    measured = [round(float(row.split(",")[column]), 4) for row in rows[1:]]
    path.write_text(EXPERIMENT.format(record=record.format(measured)))
    done = dltool("reproduce", "small", *words, "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "as recorded" in done.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lenet_mnits"], "did you mean lenet_mnist"),
        (["gan_mnist"], "--seeds 0,1,2"),
        (["gan_gaussians", "--seeds", "a"], "integers separated by commas"),
        (["gan_gaussians", "optim.lr=0.1,0.2"], "one value for each key"),
        (["gan_gaussians", "optim.lr=-1"], "> 0"),
    ],
)
def test_wrong_input_ends_with_2(dltool: Callable[..., Any], tmp_path: Path, words: list[str], message: str) -> None:
    done = dltool("reproduce", *words, cwd=tmp_path)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_list_shows_reference_and_measurement(dltool: Callable[..., Any]) -> None:
    done = dltool("list", "experiment")
    assert "test/accuracy 0.9926 ± 0.0002 (reference 0.9918), 5 seeds" in done.stdout
    assert "not measured by a metric" in done.stdout
