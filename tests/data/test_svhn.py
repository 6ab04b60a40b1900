import hashlib

import numpy as np
import pytest
import torch
from synthetic_images import mat_bytes, random_pixels, svhn_file, write_svhn

from dltool.core.errors import DataError
from dltool.data import svhn
from dltool.data.download import Remote

RNG = torch.Generator()


@pytest.mark.parametrize("below", ["", "SVHN"])
def test_images_are_upright_and_ten_is_zero(tmp_path, below):
    write_svhn(tmp_path / below, train=12, test=3)
    raw = svhn.svhn(RNG, root=str(tmp_path))
    pixels = random_pixels(32, 32, 3, 12)
    assert raw.train.inputs.shape == (12, 3, 32, 32)
    assert raw.train.inputs.is_contiguous()
    assert raw.train.inputs[5, 1, 3, 30] == pixels[3, 30, 1, 5]
    assert raw.train.inputs.permute(2, 3, 1, 0).numpy().tolist() == pixels.tolist()
    assert raw.train.targets.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert len(raw.test) == 3


def test_extra_images_are_trained_on(tmp_path):
    write_svhn(tmp_path, train=12, test=3)
    raw = svhn.svhn(RNG, root=str(tmp_path), extra=True)
    assert (len(raw.train), len(raw.test)) == (32, 3)
    assert raw.train.targets[12:15].tolist() == [1, 2, 3]


def test_the_extra_file_alone_is_named_where_it_lacks(tmp_path):
    write_svhn(tmp_path, train=12, test=3)
    (tmp_path / "extra_32x32.mat").unlink()
    with pytest.raises(DataError, match=r"extra_32x32.mat"):
        svhn.svhn(RNG, root=str(tmp_path), extra=True)
    assert len(svhn.svhn(RNG, root=str(tmp_path)).train) == 12


X = random_pixels(32, 32, 3, 4)


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({"X": X}, "has no array y"),
        ({"X": X, "y": np.ones((3, 1))}, "4 images, but 3 labels"),
        ({"X": X, "y": np.full((4, 1), 11.0)}, "the label 11, outside 1 … 10"),
        ({"X": X, "y": np.zeros((4, 1))}, "the label 0, outside 1 … 10"),
        ({"X": X[..., 0], "y": np.ones((4, 1))}, r"X is uint8 \(32, 32, 3\), not uint8"),
    ],
)
def test_a_wrong_file_is_named(tmp_path, arrays, reason):
    write_svhn(tmp_path, train=12, test=3)
    (tmp_path / "test_32x32.mat").write_bytes(mat_bytes(arrays))
    with pytest.raises(DataError, match=reason) as caught:
        svhn.svhn(RNG, root=str(tmp_path))
    assert caught.value.message.startswith(str(tmp_path / "test_32x32.mat"))


def test_missing_files(tmp_path):
    with pytest.raises(DataError, match=r"no file .*train_32x32.mat") as caught:
        svhn.svhn(RNG, root=str(tmp_path / "nowhere"))
    assert "data.download=true" in caught.value.hint


def test_download_fetches_what_is_wanted_and_not_there(tmp_path, monkeypatch):
    served = {}
    for name in ("train", "test"):
        content = svhn_file({"train": 12, "test": 3}[name])
        (tmp_path / f"{name}_32x32.mat").write_bytes(content)
        path = tmp_path / f"{name}_32x32.mat"
        served[name] = Remote(path.as_uri(), hashlib.md5(content).hexdigest())
    monkeypatch.setattr(svhn, "FILES", svhn.FILES | served)
    root = tmp_path / "new"
    assert len(svhn.svhn(RNG, root=str(root), download=True).train) == 12
    assert sorted(path.name for path in root.iterdir()) == ["test_32x32.mat", "train_32x32.mat"]
    (tmp_path / "train_32x32.mat").unlink()
    assert len(svhn.svhn(RNG, root=str(root), download=True).train) == 12


def test_addresses_are_torchvisions():
    theirs = pytest.importorskip("torchvision.datasets").SVHN.split_list
    assert {name: [r.url, r.name, r.md5] for name, r in svhn.FILES.items()} == theirs


def test_scipy_reads_the_made_up_files_too(tmp_path):
    """So that they are what the official ones are."""
    scipy_io = pytest.importorskip("scipy.io")
    write_svhn(tmp_path, train=12)
    found = scipy_io.loadmat(tmp_path / "train_32x32.mat")
    assert found["X"].tolist() == random_pixels(32, 32, 3, 12).tolist()
    assert found["y"].ravel().tolist() == [*range(1, 11), 1, 2]
