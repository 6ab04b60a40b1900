"""EMNIST: handwritten letters and digits in the format of MNIST, from a folder, an archive or by download."""

import zipfile
import zlib
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase, digits
from typing import Literal

import numpy as np
import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split
from dltool.data.download import Remote, fetch
from dltool.data.idx import AGAIN, find_idx, has_idx, parse_idx, read_idx
from dltool.data.image_data import ImageData
from dltool.declarations.component import Location, Placement, Source, register

ARCHIVE = Remote("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip", "58c8d27c78d21e728a6bc7b3cc06412e")
# Of the letters whose two cases look alike, "bymerge" and "balanced" have one class for both.
MAX_BYTES = 2**28  # Of a file in the archive.
UNLIKE_CASES = "abdefghnqrt"
CLASSES = {
    "byclass": digits + ascii_uppercase + ascii_lowercase,
    "bymerge": digits + ascii_uppercase + UNLIKE_CASES,
    "balanced": digits + ascii_uppercase + UNLIKE_CASES,
    "letters": ascii_lowercase,
    "digits": digits,
    "mnist": digits,
}


@register("data", "emnist", into=ImageData, inputs="image", targets="classes")
def emnist(
    _rng: torch.Generator,
    *,
    root: Location[str | None] = None,
    download: Placement[bool] = False,
    variant: Source[Literal["balanced", "byclass", "bymerge", "letters", "digits", "mnist"]] = "balanced",
) -> RawData:
    """Letters and digits of NIST's Special Database 19 (Cohen, Afshar, Tapson and van Schaik 2017, arXiv:1702.05373).

    The files store every image transposed; here images are upright, as MNIST's (torchvision leaves them transposed). In
    "letters" the files count classes from 1; here "a" is 0.

    Args:
        root: Folder that holds EMNIST/raw/ with the IDX files or gzip.zip, or these themselves; null: ./data.
        download: Fetch gzip.zip, which has all variants, to root/EMNIST/raw/ if nothing of the variant is there.
        variant: "byclass" has 62 classes of very unequal size, "bymerge" 47, with one class for both cases of a letter
            that look alike, "balanced" the same 47 with equally many images; "letters" 26 of both cases; "digits" and
            "mnist" ten.

    Raises:
        DataError: A file is missing or damaged, or the download failed.
    """
    base = Path(root if root is not None else "data").expanduser().resolve()
    folders = (base / "EMNIST" / "raw", base)
    found = next((place for folder in folders if (place := source(folder, variant)) is not None), None)
    if found is None and download:
        found = folders[0] / ARCHIVE.name
        fetch(ARCHIVE, found)
    if found is None:
        missing = "" if base.is_dir() else " (the folder does not exist)"
        raise DataError(
            f"neither {file_names(variant, 'train')[0]} nor {ARCHIVE.name} in {folders[0]} or {base}{missing}",
            hint="data.root=FOLDER, or data.download=true to fetch it",
        )
    first = 1 if variant == "letters" else 0
    splits = {split: read_split(found, file_names(variant, split), first) for split in ("train", "test")}
    return RawData(splits["train"], None, splits["test"], "classes", tuple(CLASSES[variant]), origin=str(found))


def file_names(variant: str, split: str) -> tuple[str, str]:
    """The names of the files of images and of labels."""
    prefix = f"emnist-{variant}-{split}"
    return f"{prefix}-images-idx3-ubyte", f"{prefix}-labels-idx1-ubyte"


def source(folder: Path, variant: str) -> Path | None:
    """The folder itself if it has a file of the variant, else its archive if it exists, else None."""
    names = [name for split in ("train", "test") for name in file_names(variant, split)]
    if any(has_idx(folder, name) for name in names):
        return folder
    return folder / ARCHIVE.name if (folder / ARCHIVE.name).is_file() else None


def read_split(place: Path, names: tuple[str, str], first: int) -> Split:
    """Read the images and labels of one split from a folder or the archive; `first` is the smallest label."""
    images, labels = (read_file(place, name, num_dims) for name, num_dims in zip(names, (3, 1), strict=True))
    if len(images) != len(labels):
        raise DataError(f"{place}: {names[0]} has {len(images):,} images, but {names[1]} {len(labels):,} labels")
    upright = torch.from_numpy(images).transpose(1, 2).contiguous()
    return Split(upright.unsqueeze(1), torch.from_numpy(labels).long() - first)


def read_file(place: Path, name: str, num_dims: int) -> np.ndarray:
    """Read one IDX file from a folder, gzipped or not, or from the archive, whose files are gzipped in gzip/."""
    if place.is_dir():
        return read_idx(find_idx(place, name), num_dims)
    try:
        with zipfile.ZipFile(place) as archive:
            if (size := archive.getinfo(f"gzip/{name}.gz").file_size) > MAX_BYTES:
                raise DataError(f"{place}: gzip/{name}.gz has {size:,} bytes, more than EMNIST", hint=AGAIN)
            content = archive.read(f"gzip/{name}.gz")
    except KeyError as error:
        raise DataError(f"{place}: has no file gzip/{name}.gz", hint=AGAIN) from error
    except (zipfile.BadZipFile, EOFError, zlib.error, OSError, NotImplementedError, RuntimeError) as error:
        raise DataError(f"{place}: damaged or truncated ({error})", hint=AGAIN) from error
    return parse_idx(content, place / "gzip" / f"{name}.gz", num_dims)
