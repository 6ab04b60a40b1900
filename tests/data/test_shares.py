"""What is said of classes that a split lacks."""

import torch

from dltool.data.arrays import RawData, Split
from dltool.data.csv_table import csv_table
from dltool.data.shares import absent_notes
from dltool.data.table_data import TableData


def test_classes_without_a_sample_in_a_split_are_named(tmp_path) -> None:
    rows = [f"{i}.5,{name}" for name, count in {"a": 20, "b": 20, "rare": 1}.items() for i in range(count)]
    (tmp_path / "t.csv").write_text("\n".join(["x,y", *rows]))
    data = TableData(lambda rng: csv_table(rng, path=str(tmp_path / "t.csv"), target="y"), batch_size=8)
    data.prepare(0, torch.device("cpu"))
    assert [note for note in data.notes if "no sample" in note] == [
        "the val split has no sample of the class rare: not measured",
        "the test split has no sample of the class rare: not measured",
    ]


def test_a_class_without_training_samples_cannot_be_learned() -> None:
    split = Split(torch.zeros(2, 1), torch.tensor([0, 0]))
    raw = RawData(split, None, None, target="classes", class_names=("a", "b", "c"))
    assert absent_notes(raw, {"train": split}) == ["the train split has no sample of 2 classes b, c: cannot be learned"]
    assert absent_notes(raw, {"train": Split(torch.zeros(3, 1), torch.arange(3))}) == []
