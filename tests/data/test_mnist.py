import gzip
import hashlib
import struct
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
import torch
from places import REAL_DATA

from dltool.core.errors import DataError
from dltool.data import mnist

RNG = torch.Generator()


def idx_bytes(array):
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_files(folder, compress=False, num_labels=6):
    """Four small files: 6 training and 3 test images of 4×4, whose label is their number."""
    folder.mkdir(parents=True)
    contents = {
        "train-images-idx3-ubyte": np.arange(96, dtype=np.uint8).reshape(6, 4, 4),
        "train-labels-idx1-ubyte": np.arange(num_labels, dtype=np.uint8),
        "t10k-images-idx3-ubyte": np.full((3, 4, 4), 9, np.uint8),
        "t10k-labels-idx1-ubyte": np.arange(3, dtype=np.uint8),
    }
    for name, array in contents.items():
        content = idx_bytes(array)
        (folder / (f"{name}.gz" if compress else name)).write_bytes(gzip.compress(content) if compress else content)
    return folder


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize(
    ("load", "below"),
    [
        (mnist.mnist, "MNIST/raw"),
        (mnist.fashion_mnist, "FashionMNIST/raw"),
        (mnist.kmnist, "KMNIST/raw"),
        (mnist.mnist, "raw"),
        (mnist.mnist, ""),
    ],
)
def test_reads_its_folder_or_the_root_itself(tmp_path, load, below, compress):
    folder = write_files(tmp_path / "数据 集" / below, compress)
    raw = load(RNG, root=str(tmp_path / "数据 集"))
    assert raw.train.inputs.shape == (6, 1, 4, 4)
    assert raw.train.inputs.flatten().tolist() == list(range(96))
    assert raw.train.targets.tolist() == list(range(6))
    assert raw.val is None
    assert len(raw.test) == 3
    assert len(raw.class_names) == 10
    assert raw.origin == str(folder)


def test_default_root_is_the_folder_data(tmp_path, monkeypatch):
    write_files(tmp_path / "data/MNIST/raw")
    monkeypatch.chdir(tmp_path)
    assert len(mnist.mnist(RNG).train) == 6


@pytest.mark.parametrize("exists", [False, True])
def test_missing_data_names_the_absolute_folder_and_both_remedies(tmp_path, monkeypatch, exists):
    monkeypatch.chdir(tmp_path)
    if exists:
        (tmp_path / "elsewhere").mkdir()
    with pytest.raises(DataError) as caught:
        mnist.mnist(RNG, root="elsewhere")
    assert str(tmp_path / "elsewhere") in caught.value.message
    assert ("the folder does not exist" in caught.value.message) != exists
    assert "data.root=FOLDER" in caught.value.hint
    assert "data.download=true" in caught.value.hint


def test_one_missing_file_is_named(tmp_path):
    folder = write_files(tmp_path / "MNIST/raw")
    (folder / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(DataError) as caught:
        mnist.mnist(RNG, root=str(tmp_path))
    assert str(folder / "t10k-labels-idx1-ubyte") in caught.value.message


def test_images_and_labels_must_be_as_many(tmp_path):
    write_files(tmp_path / "MNIST/raw", num_labels=5)
    with pytest.raises(DataError, match=r"6 images, but .*train-labels-idx1-ubyte 5 labels"):
        mnist.mnist(RNG, root=str(tmp_path))


@pytest.fixture
def mirror(tmp_path, monkeypatch):
    """The folder of a small Fashion-MNIST that is served locally; torchvision still checks the MD5 sums."""
    datasets = pytest.importorskip("torchvision.datasets")
    folder = write_files(tmp_path / "mirror", compress=True)
    sums = [(path.name, hashlib.md5(path.read_bytes()).hexdigest()) for path in sorted(folder.iterdir())]
    # Not a file:// mirror: torchvision's progress bar asks the response for its length, which files lack.
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(datasets.FashionMNIST, "mirrors", [f"http://127.0.0.1:{server.server_port}/"])
    monkeypatch.setattr(datasets.FashionMNIST, "resources", sums)
    yield folder
    server.shutdown()
    server.server_close()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


def test_download(tmp_path, mirror):
    root = tmp_path / "new"
    raw = mnist.fashion_mnist(RNG, root=str(root), download=True)
    assert raw.origin == str(root / "FashionMNIST" / "raw")
    assert raw.train.targets.tolist() == list(range(6))

    for path in mirror.iterdir():  # What is there is not fetched again.
        path.unlink()
    assert len(mnist.fashion_mnist(RNG, root=str(root), download=True).train) == 6


@pytest.mark.parametrize("fault", ["gone", "changed"])
def test_failed_download_is_one_error_with_the_folder(tmp_path, mirror, fault):
    labels = mirror / "train-labels-idx1-ubyte.gz"
    if fault == "gone":
        labels.unlink()
    else:
        labels.write_bytes(gzip.compress(b"something else"))
    with pytest.raises(DataError) as caught:
        mnist.fashion_mnist(RNG, root=str(tmp_path / "new"), download=True)
    assert "download of FashionMNIST" in caught.value.message
    assert str(tmp_path / "new" / "FashionMNIST" / "raw") in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.skipif(not (REAL_DATA / "MNIST").is_dir(), reason=f"no MNIST in {REAL_DATA}; set DLTOOL_DATA")
def test_real_mnist():
    raw = mnist.mnist(RNG, root=str(REAL_DATA))
    assert raw.train.inputs.shape == (60_000, 1, 28, 28)
    assert raw.test.inputs.shape == (10_000, 1, 28, 28)
    assert raw.train.targets.bincount().tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert raw.train.inputs.sum().item() / (60_000 * 28 * 28 * 255) == pytest.approx(
        0.1307, abs=5e-5
    )  # As everyone quotes it.
    assert raw.test.targets[:5].tolist() == [7, 2, 1, 0, 4]
