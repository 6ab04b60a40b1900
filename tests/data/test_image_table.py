"""Images whose classes, numbers or labels are in a table."""

import unicodedata

import numpy as np
import pytest
import torch
from PIL import Image

from dltool.core.errors import DataError
from dltool.data.folder_data import FolderData
from dltool.data.image_folder import image_folder

RNG = torch.Generator()
ROWS = [(f"脸_{i}.png", 20 + i * 0.5, "ab"[i % 3 == 0], "red green"[: 3 if i % 2 else 9]) for i in range(12)]


@pytest.fixture
def faces(tmp_path):
    root = tmp_path / "faces"
    root.mkdir()
    for i, (name, *_) in enumerate(ROWS):
        Image.fromarray(np.full((8, 8, 3), 10 * i, dtype=np.uint8)).save(root / name)
    return root


@pytest.fixture
def load(faces, tmp_path):
    def load(rows=ROWS, **fields):
        table = tmp_path / "labels.csv"
        lines = [",".join(map(str, row)) for row in [("file", "age", "kind", "tags"), *rows]]
        table.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return image_folder(RNG, root=str(faces), labels=str(table), **fields)

    return load


def test_numbers(load):
    raw = load(target="age")
    assert (raw.target, raw.target_dim, len(raw.train)) == ("numbers", 1, 12)
    named = dict(
        zip((raw.files.paths[row] for row in raw.train.inputs), raw.train.targets.flatten().tolist(), strict=True)
    )
    assert named == {name: age for name, age, *_ in ROWS}
    data = FolderData(lambda _: raw, workers=0)
    data.prepare(0, torch.device("cpu"))
    assert len(data.spec.target_mean) == 1
    assert data.splits["train"].targets.dtype == torch.float32


def test_classes_and_labels(load):
    raw = load(target="kind")
    assert (raw.target, raw.class_names) == ("binary", ("a", "b"))  # b is the rarer one.
    raw = load(target="tags", separator="space")
    assert (raw.target, raw.class_names) == ("labels", ("green", "red"))
    assert raw.train.targets.sum(0).tolist() == [6, 12]


def test_names_without_suffix_or_with_folders(load, faces):
    (faces / "more").mkdir()
    (faces / ROWS[0][0]).rename(faces / "more" / ROWS[0][0])
    bare = [(name.removesuffix(".png"), *rest) for name, *rest in ROWS]
    assert len(load(bare, target="age").train) == 12


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([*ROWS, ("nix.png", 1, "a", ""), ("nix2.png", 1, "a", "")], "row 14 names 'nix.png', but .* 2 of 14 rows"),
        (ROWS[:9], "no row names the image 脸_10.png; 3 of 12 images have no target"),
        ([*ROWS[:11], ("脸_11.png", "", "a", "")], "row 13 has no value for the image 脸_11.png; 1 of 12"),
        ([*ROWS, ROWS[3]], "rows 5 and 14 both name '脸_3.png'"),
        ([("x", 1, "a", "b"), ("y", 2, "b", "b")], "no column names an image"),
    ],
)
def test_rows_and_images_must_match(load, rows, message):
    with pytest.raises(DataError, match=message) as caught:
        load(rows, target="age")
    assert caught.value.hint


def test_images_without_a_target_can_be_left_out(load):
    raw = load([*ROWS[:9], ("脸_9.png", "", "a", "")], target="age", unlabelled="skip")
    assert len(raw.train) == 9
    assert "3 images have no target and are left out (data.unlabelled=skip)" in raw.notes


def test_the_target_must_be_named_unless_only_one_exists(load):
    with pytest.raises(DataError, match=r"data.target is not set; the columns of .* are file, age, kind, tags"):
        load()


def test_folders_state_the_split(load, faces):
    for i, (name, *_) in enumerate(ROWS):
        part = faces / ("train" if i < 8 else "test")
        part.mkdir(exist_ok=True)
        (faces / name).rename(part / name)
    raw = load(target="age")
    assert (len(raw.train), len(raw.test)) == (8, 4)


def test_images_without_class_folders_name_the_key(faces):
    with pytest.raises(DataError, match="12 images, but no class folders") as caught:
        image_folder(RNG, root=str(faces))
    assert "data.labels=FILE.csv" in caught.value.hint


def test_folders_of_ages_are_noted(tmp_path):
    for age in range(30, 55):
        (tmp_path / "ages" / str(age)).mkdir(parents=True)
        Image.new("RGB", (4, 4)).save(tmp_path / "ages" / str(age) / "a.png")
    raw = image_folder(RNG, root=str(tmp_path / "ages"))
    assert any("are taken as classes; numbers to predict are given by data.labels" in note for note in raw.notes)


def test_a_table_of_another_encoding_is_to_be_converted(load, faces, tmp_path):
    load(target="age")
    table = tmp_path / "labels.csv"
    table.write_bytes(table.read_text(encoding="utf-8").encode("gb18030"))
    with pytest.raises(DataError, match=r"labels\.csv is not UTF-8: line 2") as caught:
        image_folder(RNG, root=str(faces), labels=str(table))
    assert caught.value.hint.startswith("iconv -f ENCODING")  # data.encoding is no key of this data.


def test_a_name_may_be_composed_or_not(load, faces):
    """As in a table from Windows beside files from macOS."""
    (faces / ROWS[0][0]).rename(faces / unicodedata.normalize("NFD", "é.png"))
    rows = [(unicodedata.normalize("NFC", "é.png"), *ROWS[0][1:]), *ROWS[1:]]
    assert len(load(rows, target="age").train) == 12
    assert len(load([("é", *ROWS[0][1:]), *ROWS[1:]], target="age").train) == 12


def test_classes_that_look_alike_are_named(load, tmp_path):
    notes = load(
        [(*row[:2], row[2].upper() if i % 2 else row[2], row[3]) for i, row in enumerate(ROWS)], target="kind"
    ).notes
    assert any("look alike but are written differently: A and a, B and b" in note for note in notes)
