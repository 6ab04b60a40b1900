"""Your own images of two domains: a folder for each."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData, Split
from dltool.data.folder_data import FolderData
from dltool.data.image_files import SUFFIXES, ImageFiles
from dltool.data.image_folder import Scan, subfolders
from dltool.data.mixing import no_mixing
from dltool.data.sample_data import SampleData
from dltool.data.unpaired_data import UnpairedData
from dltool.declarations.component import Handling, Location, Membership, NonNegative, Placement, Positive, register

LAYOUT = "data.root=FOLDER with trainA, trainB and, where they exist, testA, testB (valA, valB); or with only A and B"
PREFIXES: Mapping[str, str] = {"train": "train", "val": "val", "test": "test", "": "train"}

LoadDomains = Callable[[], dict[str, RawData]]


class FolderDomains(UnpairedData):
    """Two folders of images of any sizes, decoded to one size.

    Args:
        load: Finds the files.
        size: Side of the square, or [height, width], that images of both domains are decoded to; see
            data=image_folder. "auto" depends on the images of A.
        train_samples: Train on this number of images of each domain, for learning curves; see data=image_folder.
        fit, corrupt, max_skip, workers, timeout, residency: See data=image_folder.
        shared: See UnpairedData.
    """

    def __init__(
        self,
        load: LoadDomains,
        *,
        size: Handling[Literal["auto"] | Positive[int] | list[Positive[int]]] = "auto",
        fit: Handling[Literal["crop", "squash"]] = "crop",
        corrupt: Handling[Literal["refuse", "skip"]] = "refuse",
        max_skip: Handling[NonNegative[int] | None] = None,
        workers: Placement[Literal["auto"] | NonNegative[int]] = "auto",
        timeout: Placement[Positive[float]] = 300.0,
        residency: Placement[Literal["auto", "device", "host", "loader"]] = "auto",
        train_samples: Membership[Positive[int] | None] = None,
        **shared: Any,
    ) -> None:
        super().__init__(**shared)
        self.load = load
        self.of_images: dict[str, Any] = {
            "size": size,
            "fit": fit,
            "corrupt": corrupt,
            "max_skip": max_skip,
            "workers": workers,
            "timeout": timeout,
            "residency": residency,
            "train_samples": train_samples,
        }

    def _make_domains(self) -> tuple[SampleData, SampleData]:
        found = self.load()
        a, b = (partial(given, found[name]) for name in "AB")
        return FolderData(a, **self.shared, **self.of_images), FolderData(b, **self.shared, **self.of_images)


def given(raw: RawData, _rng: torch.Generator) -> RawData:
    return raw


@register("data", "unpaired_folders", into=FolderDomains, inputs="image", targets="images")
@no_mixing
def unpaired_folders(
    *, root: Location[str | None] = None, channels: Handling[Literal["rgb", "grey"]] = "rgb"
) -> dict[str, RawData]:
    """The layout of CycleGAN's own data sets, trainA, trainB, testA and testB; or A and B, which are split here.

    Subfolders are searched too; hidden files and those without an image suffix are left out.

    Args:
        root: The folder; null: ./data.
        channels: Colour mode that images are converted to; transparent pixels become white.

    Raises:
        DataError: A folder is missing or has no image.
    """
    base = Path(root if root is not None else "data").expanduser().resolve()
    if not base.is_dir():
        raise DataError(f"data.root: the folder {base} does not exist", LAYOUT)
    folders = {folder.name: folder for folder in subfolders(base)}
    return {name: one_domain(base, folders, name, {"rgb": 3, "grey": 1}[channels]) for name in "AB"}


def one_domain(base: Path, folders: Mapping[str, Path], name: str, channels: int) -> RawData:
    """The images of domain "A" or "B", in the splits that the folders state."""
    scan = Scan(base)
    found = {prefix: folders[prefix + name] for prefix in PREFIXES if prefix + name in folders}
    if "train" not in found and "" not in found:
        there = ", ".join(sorted(folders)) or "no folders"
        raise DataError(f"{base} has neither train{name} nor {name}, but {there}", LAYOUT)
    if "train" in found and "" in found:
        raise DataError(f"{base} has both train{name} and {name}", f"remove one of them: {LAYOUT}")
    for prefix, folder in found.items():
        before = len(scan.images)
        scan.read_images(folder, name, PREFIXES[prefix])
        if len(scan.images) == before:
            raise DataError(f"{folder} has no images ({', '.join(sorted(SUFFIXES))})", LAYOUT)
    rows = {
        split: torch.tensor([row for row, image in enumerate(scan.images) if image.split == split], dtype=torch.int64)
        for split in ("train", "val", "test")
    }
    splits = {split: Split(chosen, torch.zeros(len(chosen))) for split, chosen in rows.items() if len(chosen)}
    files = ImageFiles(base, [image.path for image in scan.images], channels, scan.notes())
    return RawData(splits["train"], splits.get("val"), splits.get("test"), "none", origin=str(base), files=files)
