import json

import pytest
import torch
from synthetic_images import write_imagenet

from dltool.core.errors import DataError
from dltool.data.imagenet import imagenet

RNG = torch.Generator()
WNIDS = ("n01440764", "n02012849", "n03126707")


@pytest.fixture
def root(tmp_path):
    return write_imagenet(tmp_path / "ILSVRC 2012", train=4, val=2)


def test_val_is_the_validation_split_and_names_are_readable(root):
    raw = imagenet(RNG, root=str(root))
    assert raw.class_names == ("tench", "crane (n02012849)", "crane (n03126707)")
    assert (len(raw.train), len(raw.val), raw.test) == (12, 6, None)
    assert raw.train.targets.tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert raw.files.paths[0] == "train/n01440764/n01440764_0.JPEG"
    assert raw.files.channels == 3


def test_without_names_the_numbers(root):
    (root / "LOC_synset_mapping.txt").unlink()
    assert imagenet(RNG, root=str(root)).class_names == WNIDS


def test_names_of_keras(root, tmp_path):
    file = tmp_path / "names.json"
    file.write_text(json.dumps({str(i): [wnid, f"thing_{i}"] for i, wnid in enumerate(WNIDS)}))
    assert imagenet(RNG, root=str(root), class_names=str(file)).class_names == ("thing_0", "thing_1", "thing_2")


def test_other_folders_are_left_alone(root):
    (root / "test").mkdir()
    (root / "ILSVRC2012_devkit_t12").mkdir()
    assert imagenet(RNG, root=str(root)).test is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("n01440764 tench\n", r"no name of the class n02012849 \(nor of 1 more classes\)"),
        ("n01440764 tench\n\nn02012849\n", "line 3 is n02012849"),
        ("", "no name of the class n01440764"),
    ],
)
def test_wrong_names(root, text, reason):
    (root / "LOC_synset_mapping.txt").write_text(text)
    with pytest.raises(DataError, match=reason) as caught:
        imagenet(RNG, root=str(root))
    assert str(root / "LOC_synset_mapping.txt") in caught.value.message


@pytest.mark.parametrize("text", [None, "{", "[]", '{"0": 1}', '{"0": ["a"]}'])
def test_unreadable_names(root, tmp_path, text):
    file = tmp_path / "names.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(DataError, match=r"data.class_names: .*names.json cannot be read"):
        imagenet(RNG, root=str(root), class_names=str(file))


@pytest.mark.parametrize(
    ("remove", "reason"), [("val", "has no folder val"), ("train", "has no folder train"), ("", "does not exist")]
)
def test_missing_folders(root, remove, reason):
    (root / remove).rename(root.parent / "elsewhere")
    with pytest.raises(DataError, match=reason) as caught:
        imagenet(RNG, root=str(root))
    assert "train/<wnid>" in caught.value.hint


def test_archives_that_are_not_unpacked(tmp_path):
    (tmp_path / "ILSVRC2012_img_train.tar").write_bytes(b"")
    with pytest.raises(DataError, match=r"only ILSVRC2012_img_train.tar, not unpacked") as caught:
        imagenet(RNG, root=str(tmp_path))
    assert "torchvision.datasets.ImageNet" in caught.value.hint


def test_a_flat_val_is_explained(root):
    for folder in (root / "val").iterdir():
        for file in folder.iterdir():
            file.rename(root / "val" / file.name)
        folder.rmdir()
    with pytest.raises(DataError, match=r"val has no class folders") as caught:
        imagenet(RNG, root=str(root))
    assert "sort its images" in caught.value.hint
