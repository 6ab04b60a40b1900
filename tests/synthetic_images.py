"""Small made-up files in the official format of each image data set."""

import gzip
import io
import struct
import tarfile
import zipfile
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

CIFAR10_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
EMNIST_CLASSES = {"balanced": 47, "byclass": 62, "bymerge": 47, "letters": 26, "digits": 10, "mnist": 10}


def random_pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).integers(0, 256, shape, dtype=np.uint8)


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_mnist(root: Path, train: int = 300, test: int = 100) -> Path:
    """The files of MNIST and two in its format, gzipped."""
    for name in ("MNIST", "FashionMNIST", "KMNIST"):
        raw = root / name / "raw"
        raw.mkdir(parents=True)
        for split, count in (("train", train), ("t10k", test)):
            labels = (np.arange(count) % 10).astype(np.uint8)
            for kind, array in (("images-idx3", random_pixels(count, 28, 28)), ("labels-idx1", labels)):
                (raw / f"{split}-{kind}-ubyte.gz").write_bytes(gzip.compress(idx_bytes(array)))
    return root


def python2_pickle(value: object) -> bytes:
    """A value as Python 2 pickled it by protocol 2, which is how CIFAR's files were written."""
    return b"\x80\x02" + pickled(value) + b"."


def pickled(value: object) -> bytes:
    match value:
        case dict():
            items = b"".join(pickled(key) + pickled(item) for key, item in value.items())
            return b"}(" + items + b"u"
        case list():
            return b"](" + b"".join(map(pickled, value)) + b"e"
        case int():
            return b"J" + struct.pack("<i", value)
        case str():
            return b"T" + struct.pack("<i", len(value)) + value.encode("ascii")
        case np.ndarray():
            empty = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
            kind = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNN" + 2 * b"J\xff\xff\xff\xff" + b"K\x00tb"
            content = b"T" + struct.pack("<i", value.size) + value.tobytes()
            return empty + b"(K\x01(" + b"".join(map(pickled, value.shape)) + b"t" + kind + b"\x89" + content + b"tb"
    raise TypeError(value)


def cifar_files(train: int = 300, test: int = 100) -> dict[str, dict[str, bytes]]:
    """The contents of the folders of CIFAR-10 and CIFAR-100; training images are in five files of the first."""
    ten, hundred = {}, {}
    for number in range(1, 6):
        count = train // 5
        rows, labels = random_pixels(count, 3072), [(i + number) % 10 for i in range(count)]
        ten[f"data_batch_{number}"] = python2_pickle({"batch_label": "x", "labels": labels, "data": rows})
    rows = random_pixels(test, 3072)
    ten["test_batch"] = python2_pickle({"data": rows, "labels": [i % 10 for i in range(test)]})
    ten["batches.meta"] = python2_pickle({"num_cases_per_batch": 10000, "label_names": CIFAR10_NAMES})
    for name, count in (("train", train), ("test", test)):
        fine = [i % 100 for i in range(count)]
        batch = {"fine_labels": fine, "coarse_labels": [label // 5 for label in fine]}
        hundred[name] = python2_pickle(batch | {"data": random_pixels(count, 3072), "filenames": ["a.png"] * count})
    names = {"fine_label_names": [f"fine_{i}" for i in range(100)]}
    hundred["meta"] = python2_pickle(names | {"coarse_label_names": [f"coarse_{i}" for i in range(20)]})
    return {"cifar-10-batches-py": ten, "cifar-100-python": hundred}


def write_cifar(root: Path, train: int = 300, test: int = 100) -> Path:
    """Both folders."""
    for folder, files in cifar_files(train, test).items():
        (root / folder).mkdir(parents=True)
        for name, content in files.items():
            (root / folder / name).write_bytes(content)
    return root


def tar_bytes(folder: str, files: dict[str, bytes]) -> bytes:
    """A gzipped archive of a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(f"{folder}/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def mat_bytes(arrays: dict[str, np.ndarray], compress: bool = True) -> bytes:
    """A MAT file of level 5, as MATLAB writes it: arrays of uint8 or double, the values of both as bytes."""

    def element(kind: int, content: bytes) -> bytes:
        if len(content) <= 4:
            return struct.pack("<HH", kind, len(content)) + content.ljust(4, b"\0")
        return struct.pack("<II", kind, len(content)) + content + bytes(-len(content) % 8)

    parts = [b"MATLAB 5.0 MAT-file".ljust(124) + struct.pack("<H", 0x0100) + b"IM"]
    for name, array in arrays.items():
        flags = element(6, struct.pack("<II", 9 if array.dtype == np.uint8 else 6, 0))
        sizes = element(5, struct.pack(f"<{array.ndim}i", *array.shape))
        values = element(2, array.astype(np.uint8).tobytes(order="F"))
        matrix = flags + sizes + element(1, name.encode()) + values
        whole = struct.pack("<II", 14, len(matrix)) + matrix
        if compress:
            deflated = zlib.compress(whole)
            whole = struct.pack("<II", 15, len(deflated)) + deflated
        parts.append(whole)
    return b"".join(parts)


def svhn_file(count: int) -> bytes:
    labels = np.arange(1, count + 1, dtype=np.float64)[:, None]
    return mat_bytes({"X": random_pixels(32, 32, 3, count), "y": (labels - 1) % 10 + 1})


def write_svhn(root: Path, train: int = 300, test: int = 100) -> Path:
    root.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", train), ("test", test), ("extra", 20)):
        (root / f"{name}_32x32.mat").write_bytes(svhn_file(count))
    return root


def emnist_zip(variants: tuple[str, ...] = tuple(EMNIST_CLASSES), train: int = 300, test: int = 100) -> bytes:
    """The archive gzip.zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for variant in variants:
            for split, count in (("train", train), ("test", test)):
                labels = (np.arange(count) % EMNIST_CLASSES[variant] + (variant == "letters")).astype(np.uint8)
                for kind, array in (("images-idx3", random_pixels(count, 28, 28)), ("labels-idx1", labels)):
                    content = gzip.compress(idx_bytes(array))
                    archive.writestr(f"gzip/emnist-{variant}-{split}-{kind}-ubyte.gz", content)
    return buffer.getvalue()


def write_emnist(root: Path) -> Path:
    (root / "EMNIST" / "raw").mkdir(parents=True)
    (root / "EMNIST" / "raw" / "gzip.zip").write_bytes(emnist_zip())
    return root


def write_pictures(folder: Path, classes: tuple[str, ...], count: int, side: int = 16, suffix: str = ".png") -> Path:
    """`count` pictures of each class."""
    for name in classes:
        (folder / name).mkdir(parents=True)
        for i, pixels in enumerate(random_pixels(count, side, side, 3)):
            Image.fromarray(pixels).save(folder / name / f"{name}_{i}{suffix}")
    return folder


def write_imagenet(root: Path, train: int = 30, val: int = 5) -> Path:
    wnids = ("n01440764", "n02012849", "n03126707")
    write_pictures(root / "train", wnids, train, suffix=".JPEG")
    write_pictures(root / "val", wnids, val, suffix=".JPEG")
    lines = ("n01440764 tench, Tinca tinca", "n02012849 crane", "n03126707 crane")
    (root / "LOC_synset_mapping.txt").write_text("".join(f"{line}\n" for line in lines))
    return root


def write_every_image_set(root: Path) -> dict[str, Path]:
    """The value of data.root for each data option that reads images."""
    shared = root / "shared"
    for write in (write_mnist, write_cifar, write_svhn, write_emnist):
        write(shared)
    roots = dict.fromkeys(
        ("mnist", "fashion_mnist", "kmnist", "stacked_mnist", "cifar10", "cifar100", "svhn", "emnist"), shared
    )
    roots["image_folder"] = write_pictures(root / "classes", ("a", "b"), 30)
    roots["unpaired_folders"] = write_pictures(root / "domains", ("A", "B"), 10)
    roots["imagenet"] = write_imagenet(root / "imagenet")
    return roots
