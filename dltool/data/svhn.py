"""Street View House Numbers, cropped to single digits, from a folder or, on request, by download."""

from pathlib import Path

import numpy as np
import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split
from dltool.data.download import Remote, fetch
from dltool.data.image_data import ImageData
from dltool.data.mat import read_mat
from dltool.declarations.component import Location, Membership, Placement, register

SERVER = "http://ufldl.stanford.edu/housenumbers"
FILES = {
    "train": Remote(f"{SERVER}/train_32x32.mat", "e26dedcc434d2e4c54c9b2d4a06d8373"),
    "test": Remote(f"{SERVER}/test_32x32.mat", "eb5a983be6a315427106f1b164d9cef3"),
    "extra": Remote(f"{SERVER}/extra_32x32.mat", "a93ce644f1a588dc4d68dda5feec44a7"),
}

AGAIN = "delete the file and run with data.download=true, or put a complete one there"


@register("data", "svhn", into=ImageData, inputs="image", targets="classes")
def svhn(
    _rng: torch.Generator,
    *,
    root: Location[str | None] = None,
    download: Placement[bool] = False,
    extra: Membership[bool] = False,
) -> RawData:
    """House numbers (Netzer, Wang, Coates, Bissacco, Wu and Ng 2011, NIPS Workshop on Deep Learning), "format 2".

    73,257 training and 26,032 test images of 32×32 RGB pixels; neighbouring digits are visible at the sides. In the
    files the digit 0 has the label 10; here it has 0.

    Args:
        root: Folder that holds train_32x32.mat and test_32x32.mat, or SVHN/ with them; null: ./data.
        download: Fetch the files to root if they are not there.
        extra: Also train on the 531,131 easier images of extra_32x32.mat.

    Raises:
        DataError: A file is missing or damaged, or a download failed.
    """
    base = Path(root if root is not None else "data").expanduser().resolve()
    names = ("train", "test", "extra") if extra else ("train", "test")
    folder = next((f for f in (base, base / "SVHN") if any((f / FILES[n].name).is_file() for n in names)), base)
    splits = {}
    for name in names:
        path = folder / FILES[name].name
        if download and not path.is_file():
            fetch(FILES[name], path)
        if not path.is_file():
            raise DataError(f"no file {path}", hint="data.root=FOLDER, or data.download=true to fetch it")
        splits[name] = read_split(path)
    train = splits["train"]
    if extra:
        more = splits["extra"]
        train = Split(torch.cat([train.inputs, more.inputs]), torch.cat([train.targets, more.targets]))
    return RawData(train, None, splits["test"], "classes", tuple("0123456789"), origin=str(folder))


def read_split(path: Path) -> Split:
    """The arrays X, uint8 `(32, 32, 3, N)`, and y, `(N, 1)` of 1 … 10."""
    arrays = read_mat(path, ("X", "y"), AGAIN)
    images, labels = arrays["X"], arrays["y"].ravel()
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[2] != 3:
        raise DataError(f"{path}: X is {images.dtype} {images.shape}, not uint8 (height, width, 3, images)")
    if images.shape[3] != len(labels):
        raise DataError(f"{path}: has {images.shape[3]:,} images, but {len(labels):,} labels")
    if len(wrong := labels[(labels < 1) | (labels > 10) | (labels != np.floor(labels))]):
        sample = int(np.flatnonzero(labels == wrong[0])[0])
        raise DataError(f"{path}: sample {sample} has the label {wrong[0]:g}, outside 1 … 10", AGAIN)
    pixels = torch.from_numpy(np.array(images.transpose(3, 2, 0, 1), order="C"))  # (N, 3, H, W)
    return Split(pixels, torch.from_numpy(labels.astype(np.int64)) % 10)
