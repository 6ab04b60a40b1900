"""MNIST and two data sets in its format, from a folder or, on request, by download.

All three have 60,000 training and 10,000 test images of 28×28 grey pixels in 10 classes; the official test
set stays whole.
"""

from pathlib import Path
from urllib.error import URLError

import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split
from dltool.data.idx import find_idx, has_idx, read_idx
from dltool.data.image_data import ImageData
from dltool.declarations.component import Location, Placement, register

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


@register("data", "mnist", into=ImageData, inputs="image", targets="classes")
def mnist(_rng: torch.Generator, *, root: Location[str | None] = None, download: Placement[bool] = False) -> RawData:
    """Handwritten digits (LeCun, Bottou, Bengio and Haffner 1998, Proc. IEEE 86(11)).

    Args:
        root: Folder that holds MNIST/raw/, raw/ or the four IDX files themselves, gzipped or not; null: ./data.
        download: Fetch the files to root/MNIST/raw/ if they are not there.
    """
    return load_idx("MNIST", tuple("0123456789"), root, download)


@register("data", "fashion_mnist", into=ImageData, inputs="image", targets="classes")
def fashion_mnist(
    _rng: torch.Generator, *, root: Location[str | None] = None, download: Placement[bool] = False
) -> RawData:
    """Zalando's articles (Xiao, Rasul and Vollgraf 2017, arXiv:1708.07747).

    Args:
        root: Folder that holds FashionMNIST/raw/, raw/ or the four IDX files themselves; null: ./data.
        download: Fetch the files to root/FashionMNIST/raw/ if they are not there.
    """
    names = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")
    return load_idx("FashionMNIST", names, root, download)


@register("data", "kmnist", into=ImageData, inputs="image", targets="classes")
def kmnist(_rng: torch.Generator, *, root: Location[str | None] = None, download: Placement[bool] = False) -> RawData:
    """Cursive Japanese, one hiragana of each of ten rows (Clanuwat et al. 2018, arXiv:1812.01718).

    Args:
        root: Folder that holds KMNIST/raw/, raw/ or the four IDX files themselves; null: ./data.
        download: Fetch the files to root/KMNIST/raw/ if they are not there.
    """
    return load_idx("KMNIST", tuple("おきすつなはまやれを"), root, download)


def load_idx(name: str, class_names: tuple[str, ...], root: str | None, download: bool) -> RawData:
    """Read the four files of one data set.

    Args:
        name: Name of its folder, and of its class in torchvision.datasets.
        class_names: One name per label.
        root: As in the loaders above.
        download: The same.

    Raises:
        DataError: A folder or file is missing or damaged, or the download failed.
    """
    base = Path(root if root is not None else "data").expanduser().resolve()
    folders = (base / name / "raw", base / "raw", base)
    if download and not any(_has_all_files(folder) for folder in folders):
        _download(name, base)
    folder = next((folder for folder in folders if _has_any_file(folder)), None)
    if folder is None:
        found = "the folder does not exist" if not base.is_dir() else f"{folders[0]} has none either"
        raise DataError(
            f"no {name} files in {base} ({found})", hint="data.root=FOLDER, or data.download=true to fetch them"
        )
    splits = {split: _read_split(folder, *names) for split, names in FILES.items()}
    return RawData(splits["train"], None, splits["test"], "classes", class_names, origin=str(folder))


def _read_split(folder: Path, images_name: str, labels_name: str) -> Split:
    images_path, labels_path = find_idx(folder, images_name), find_idx(folder, labels_name)
    images, labels = read_idx(images_path, 3), read_idx(labels_path, 1)
    if len(images) != len(labels):
        raise DataError(f"{images_path} has {len(images):,} images, but {labels_path} {len(labels):,} labels")
    return Split(torch.from_numpy(images).unsqueeze(1), torch.from_numpy(labels).long())


def _present(folder: Path) -> list[bool]:
    return [has_idx(folder, name) for pair in FILES.values() for name in pair]


def _has_all_files(folder: Path) -> bool:
    return all(_present(folder))


def _has_any_file(folder: Path) -> bool:
    return any(_present(folder))


def _download(name: str, root: Path) -> None:
    """Fetch the files to root/<name>/raw/ with torchvision, which checks their MD5 sums."""
    from torchvision import datasets  # Takes 1.5 s to import.

    try:
        getattr(datasets, name)(root, download=True)
    except (RuntimeError, URLError, OSError) as error:
        reason = " ".join(str(error).split())
        raise DataError(
            f"download of {name} to {root / name / 'raw'} failed: {reason}",
            hint="data.root=FOLDER with the four files that you downloaded yourself",
        ) from error
