import dataclasses
import hashlib
import pickle
import shutil

import numpy as np
import pytest
import torch
from synthetic_images import CIFAR10_NAMES, cifar_files, pickled, python2_pickle, random_pixels, tar_bytes, write_cifar

from dltool.core.errors import DataError
from dltool.data import cifar
from dltool.data.download import Remote

RNG = torch.Generator()
TEN, HUNDRED = "cifar-10-batches-py", "cifar-100-python"


@pytest.fixture
def root(tmp_path):
    return write_cifar(tmp_path / "数据 集", train=20, test=4)


@pytest.mark.parametrize("below", ["", TEN])
def test_cifar10_from_torchvisions_folder(root, below):
    raw = cifar.cifar10(RNG, root=str(root / below))
    assert raw.train.inputs.shape == (20, 3, 32, 32)
    assert raw.train.inputs.dtype == torch.uint8
    assert raw.train.targets.tolist() == [1, 2, 3, 4, 2, 3, 4, 5, 3, 4, 5, 6, 4, 5, 6, 7, 5, 6, 7, 8]
    assert raw.train.inputs[4].flatten().tolist() == random_pixels(4, 3072)[0].tolist()  # The second file begins.
    assert (len(raw.test), raw.val, raw.class_names) == (4, None, tuple(CIFAR10_NAMES))
    assert raw.origin == str(root / TEN)


def test_pixels_are_red_green_blue_row_by_row(root):
    rows = np.zeros((4, 3072), np.uint8)
    rows[:, 1024 + 32 * 5 + 7] = 200  # Green, row 5, column 7.
    (root / TEN / "test_batch").write_bytes(python2_pickle({"data": rows, "labels": [0, 1, 2, 3]}))
    test = cifar.cifar10(RNG, root=str(root)).test.inputs
    assert test[0].nonzero().tolist() == [[1, 5, 7]]


@pytest.mark.parametrize(("labels", "third"), [("fine", 12), ("coarse", 2)])
def test_cifar100_has_two_sets_of_labels(root, labels, third):
    raw = cifar.cifar100(RNG, root=str(root), labels=labels)
    assert raw.train.targets[12] == third
    assert raw.class_names[third] == f"{labels}_{third}"
    assert len(raw.class_names) == {"fine": 100, "coarse": 20}[labels]


@pytest.mark.parametrize(("load", "folder"), [(cifar.cifar10, TEN), (cifar.cifar100, HUNDRED)])
def test_the_archive_is_read_as_it_is(root, load, folder):
    (root / "alone").mkdir()
    archive = root / "alone" / cifar.CIFAR10.archive.name.replace("10", folder.split("-")[1])
    archive.write_bytes(tar_bytes(folder, cifar_files(20, 4)[folder]))
    raw, other = load(RNG, root=str(root / "alone")), load(RNG, root=str(root))
    assert raw.train.inputs.equal(other.train.inputs)
    assert raw.test.targets.equal(other.test.targets)
    assert raw.origin == str(archive)
    assert list((root / "alone").iterdir()) == [archive]


@pytest.mark.parametrize("exists", [False, True])
def test_missing_data_names_the_absolute_folder_and_both_remedies(tmp_path, monkeypatch, exists):
    monkeypatch.chdir(tmp_path)
    if exists:
        (tmp_path / "elsewhere").mkdir()
    with pytest.raises(DataError, match=str(tmp_path / "elsewhere")) as caught:
        cifar.cifar10(RNG, root="elsewhere")
    assert ("the folder does not exist" in caught.value.message) != exists
    assert "data.root=FOLDER" in caught.value.hint
    assert "data.download=true" in caught.value.hint


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_one_missing_file_is_named(root, name):
    (root / TEN / name).unlink()
    with pytest.raises(DataError) as caught:
        cifar.cifar10(RNG, root=str(root))
    assert caught.value.message == f"no file {root / TEN / name}"


def test_a_folder_with_a_file_named_train_is_not_cifar100(tmp_path):
    (tmp_path / "train").write_text("something else")
    with pytest.raises(DataError, match="neither cifar-100-python"):
        cifar.cifar100(RNG, root=str(tmp_path))


class Hostile:
    def __reduce__(self):
        return print, ("ran",)


GOOD = {"data": random_pixels(4, 3072), "labels": [0, 1, 2, 3]}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pickle.dumps(GOOD | {"labels": Hostile()}), "a pickle that refers to builtins.print"),
        (python2_pickle(GOOD)[:-5000], "damaged or truncated"),
        (b"", "damaged or truncated"),
        (python2_pickle([1]), "holds a list"),
        (python2_pickle({"labels": [0]}), "`data` is missing or not an array"),
        (
            python2_pickle(GOOD | {"data": random_pixels(4, 3071)}),
            r"`data` is uint8 \(4, 3071\), but must be uint8 \(N, 3,072\)",
        ),
        (python2_pickle({"data": GOOD["data"], "fine_labels": [0] * 4}), "`labels` is not a list of labels"),
        (python2_pickle(GOOD | {"labels": ["a"] * 4}), "`labels` is not a list of labels"),
        (pickle.dumps(GOOD | {"labels": [2**70] * 4}, 4), "`labels` is not a list of labels"),
        (python2_pickle(GOOD | {"labels": [0]}), "4 images, but 1 labels"),
    ],
)
def test_a_damaged_or_hostile_file_is_named(root, capfd, content, reason):
    (root / TEN / "test_batch").write_bytes(content)
    with pytest.raises(DataError, match=reason) as caught:
        cifar.cifar10(RNG, root=str(root))
    assert caught.value.message.startswith(f"{root / TEN / 'test_batch'}: ")
    assert "data.download=true" in caught.value.hint
    assert capfd.readouterr().out == ""


def test_names_that_are_none(root):
    (root / TEN / "batches.meta").write_bytes(python2_pickle({"label_names": [1, 2]}))
    with pytest.raises(DataError, match=r"batches.meta: `label_names` is not a list of names"):
        cifar.cifar10(RNG, root=str(root))


def test_a_label_beyond_the_classes(dltool_here, root):
    (root / TEN / "test_batch").write_bytes(python2_pickle(GOOD | {"labels": [0, 1, 10, 3]}))
    done = dltool_here("train", "data=cifar10", f"data.root={root}", "model=mlp")
    assert done.returncode == 2
    assert "test sample 2 has the label 10, outside 0 … 9" in done.stderr


@pytest.mark.parametrize("fault", ["cut", "nothing", "lacks", "another"])
def test_a_damaged_archive_is_named(tmp_path, fault):
    files = cifar_files(20, 4)[TEN]
    if fault == "lacks":
        del files["test_batch"]
    content = tar_bytes(TEN, files)
    archive = tmp_path / "cifar-10-python.tar.gz"
    archive.write_bytes({"cut": content[: len(content) // 2], "nothing": b""}.get(fault, content))
    if fault == "another":
        archive.write_bytes(tar_bytes("other", files))
    with pytest.raises(DataError, match=r"damaged or truncated|has no file") as caught:
        cifar.cifar10(RNG, root=str(tmp_path))
    assert caught.value.message.startswith(str(archive))


def test_download_unpacks_once(tmp_path, monkeypatch):
    served = tmp_path / "cifar-10-python.tar.gz"
    served.write_bytes(tar_bytes(TEN, cifar_files(20, 4)[TEN] | {"../../escaped": b"x", "readme.html": b"x"}))
    layout = serve(monkeypatch, served)
    root = tmp_path / "a" / "new"
    raw = cifar.cifar10(RNG, root=str(root), download=True)
    assert raw.origin == str(root / TEN)
    assert sorted(path.name for path in (root / TEN).iterdir()) == sorted(layout.files)
    assert sorted(path.name for path in root.iterdir()) == [TEN, served.name]
    assert not list(tmp_path.rglob("escaped"))
    served.unlink()  # What is there is not fetched again: neither with the folder nor with the archive alone.
    assert len(cifar.cifar10(RNG, root=str(root), download=True).train) == 20
    shutil.rmtree(root / TEN)
    assert cifar.cifar10(RNG, root=str(root), download=True).origin == str(root / served.name)


def test_a_download_that_is_another_file_is_refused(tmp_path, monkeypatch):
    served = tmp_path / "cifar-10-python.tar.gz"
    served.write_bytes(b"something else")
    serve(monkeypatch, served, md5="0" * 32)
    with pytest.raises(DataError, match="MD5 sum"):
        cifar.cifar10(RNG, root=str(tmp_path / "new"), download=True)
    assert not list((tmp_path / "new").iterdir())


def serve(monkeypatch, path, md5=None):
    """Let a local file take the place of the archive of CIFAR-10."""
    remote = Remote(path.as_uri(), md5 or hashlib.md5(path.read_bytes()).hexdigest())
    layout = dataclasses.replace(cifar.CIFAR10, archive=remote)
    monkeypatch.setattr(cifar, "CIFAR10", layout)
    return layout


@pytest.mark.parametrize(("ours", "name"), [(cifar.CIFAR10, "CIFAR10"), (cifar.CIFAR100, "CIFAR100")])
def test_addresses_and_names_are_torchvisions(ours, name):
    theirs = getattr(pytest.importorskip("torchvision.datasets"), name)
    assert (ours.archive.url, ours.archive.md5, ours.archive.name) == (theirs.url, theirs.tgz_md5, theirs.filename)
    files = [file for file, _ in theirs.train_list + theirs.test_list]
    assert (ours.folder, [*ours.train, *ours.test]) == (theirs.base_folder, files)
    assert ours.meta == theirs.meta["filename"]


def test_torchvision_reads_the_made_up_files_too(root, monkeypatch):
    """So that they are what the official ones are."""
    datasets = pytest.importorskip("torchvision.datasets")
    for theirs, ours in ((datasets.CIFAR10, cifar.cifar10), (datasets.CIFAR100, cifar.cifar100)):
        monkeypatch.setattr(theirs, "_check_integrity", lambda self: True)
        monkeypatch.setattr(theirs, "_load_meta", lambda self: None)
        found, raw = theirs(root), ours(RNG, root=str(root))
        assert raw.train.inputs.permute(0, 2, 3, 1).numpy().tolist() == found.data.tolist()
        assert raw.train.targets.tolist() == found.targets


def test_a_python_2_pickle_of_this_file_is_one():
    assert pickle.loads(b"\x80\x02" + pickled(["a", 1]) + b".") == ["a", 1]
