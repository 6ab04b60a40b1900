import gzip
import hashlib
import zipfile

import numpy as np
import pytest
import torch
from synthetic_images import EMNIST_CLASSES, emnist_zip, idx_bytes, random_pixels

from dltool.core.errors import DataError
from dltool.data import emnist
from dltool.data.download import Remote

RNG = torch.Generator()


@pytest.fixture
def root(tmp_path):
    """EMNIST/raw as torchvision leaves it: the archive, and the files of one variant, unpacked."""
    raw = tmp_path / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    (raw / "gzip.zip").write_bytes(emnist_zip(train=70, test=10))
    return tmp_path


@pytest.mark.parametrize("variant", EMNIST_CLASSES)
def test_every_variant_from_the_archive(root, variant):
    raw = emnist.emnist(RNG, root=str(root), variant=variant)
    classes = EMNIST_CLASSES[variant]
    assert len(raw.class_names) == len(set(raw.class_names)) == classes
    assert raw.train.inputs.shape == (70, 1, 28, 28)
    assert raw.train.targets.tolist() == [i % classes for i in range(70)]
    assert len(raw.test) == 10
    assert raw.origin == str(root / "EMNIST" / "raw" / "gzip.zip")


def test_images_are_righted(root):
    raw = emnist.emnist(RNG, root=str(root))
    assert raw.train.inputs[3, 0].numpy().tolist() == random_pixels(70, 28, 28)[3].T.tolist()
    assert raw.train.inputs.is_contiguous()


@pytest.mark.parametrize("compress", [False, True])
def test_single_files_come_before_the_archive(root, compress):
    raw = root / "EMNIST" / "raw"
    for split, count in (("train", 5), ("test", 2)):
        for kind, array in (("images-idx3", random_pixels(count, 28, 28)), ("labels-idx1", np.zeros(count, np.uint8))):
            content = idx_bytes(array)
            name = f"emnist-digits-{split}-{kind}-ubyte" + ".gz" * compress
            (raw / name).write_bytes(gzip.compress(content) if compress else content)
    assert len(emnist.emnist(RNG, root=str(root), variant="digits").train) == 5
    assert len(emnist.emnist(RNG, root=str(raw), variant="digits").train) == 5
    assert len(emnist.emnist(RNG, root=str(root), variant="mnist").train) == 70
    next(raw.glob("*test-images*")).unlink()
    with pytest.raises(DataError, match=r"no file .*emnist-digits-test-images-idx3-ubyte \(nor"):
        emnist.emnist(RNG, root=str(root), variant="digits")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (emnist_zip(("mnist",))[:500], "damaged or truncated"),
        (b"", "damaged or truncated"),
        (emnist_zip(("mnist",)), "has no file gzip/emnist-balanced-train-images"),
    ],
)
def test_a_damaged_archive_is_named(root, content, reason):
    archive = root / "EMNIST" / "raw" / "gzip.zip"
    archive.write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        emnist.emnist(RNG, root=str(root))
    assert caught.value.message.startswith(str(archive))


def test_damage_inside_the_archive_is_named(root):
    archive = root / "EMNIST" / "raw" / "gzip.zip"
    whole = gzip.compress(idx_bytes(random_pixels(3, 28, 28)))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("gzip/emnist-balanced-train-images-idx3-ubyte.gz", whole[:-100])
    with pytest.raises(DataError, match=r"gzip.zip/gzip/emnist-balanced-train-images-idx3-ubyte.gz: damaged"):
        emnist.emnist(RNG, root=str(root))


def test_missing_data(tmp_path):
    with pytest.raises(DataError, match=r"neither emnist-letters-train-images-idx3-ubyte nor gzip.zip") as caught:
        emnist.emnist(RNG, root=str(tmp_path / "nowhere"), variant="letters")
    assert "the folder does not exist" in caught.value.message
    assert "data.download=true" in caught.value.hint


def test_download(tmp_path, monkeypatch):
    served = tmp_path / "gzip.zip"
    served.write_bytes(emnist_zip(("balanced",), 50, 10))
    remote = Remote(served.as_uri(), hashlib.md5(served.read_bytes()).hexdigest())
    monkeypatch.setattr(emnist, "ARCHIVE", remote)
    root = tmp_path / "new"
    assert len(emnist.emnist(RNG, root=str(root), download=True).train) == 50
    served.unlink()
    assert emnist.emnist(RNG, root=str(root)).origin == str(root / "EMNIST" / "raw" / "gzip.zip")


def test_address_and_classes_are_torchvisions():
    theirs = pytest.importorskip("torchvision.datasets").EMNIST
    assert (emnist.ARCHIVE.url, emnist.ARCHIVE.md5) == (theirs.url, theirs.md5)
    assert {name: list(classes) for name, classes in emnist.CLASSES.items()} == {
        name: [c for c in classes if c != "N/A"] for name, classes in theirs.classes_split_dict.items()
    }
