"""ImageNet's classification task of 2012, from class folders."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import torch

from dltool.core.errors import DataError
from dltool.data.arrays import RawData
from dltool.data.folder_data import FolderData
from dltool.data.image_folder import Scan, labelled, subfolders
from dltool.data.text_file import TextFile
from dltool.declarations.component import Handling, Location, register

LAYOUT = "data.root=FOLDER with FOLDER/train/<wnid>/*.JPEG and FOLDER/val/<wnid>/*.JPEG"
UNPACK = f"torchvision.datasets.ImageNet(FOLDER, split) unpacks the official archives to {LAYOUT.split(' with ')[1]}"
NAME_FILES = ("LOC_synset_mapping.txt", "imagenet_class_index.json")


@register("data", "imagenet", into=FolderData, inputs="image", targets="classes")
def imagenet(
    _rng: torch.Generator, *, root: Location[str | None] = None, class_names: Handling[str | None] = None
) -> RawData:
    """A thousand classes of objects (Russakovsky et al. 2015, arXiv:1409.0575), 1,281,167 training images.

    The labels of the official test set were never published: results are usually reported on the 50,000 images of
    `val`, which is the validation split here; there is no test split. Labels are in the order of the WordNet numbers,
    as in all published weights. Two things differ from the usual recipe: random windows are cut from the image at
    data.size, not from the whole photograph, and evaluation uses the centred square of the photograph, where others
    scale its shorter side to 256 and crop the central 224×224. Other folders next to train and val are ignored. The
    data is not downloaded, since its licence requires an account at image-net.org. A subset of the classes is also
    accepted.

    Args:
        root: Folder with train/ and val/, each of which has a folder of images for each WordNet number; null: ./data.
        class_names: File with the classes' names: lines of a WordNet number and names, as in Kaggle's
            LOC_synset_mapping.txt, or a JSON object {label: [number, name]}, as in Keras's imagenet_class_index.json.
            null takes a file of one of these names in root, or else the numbers.

    Raises:
        DataError: The folder does not have this layout, a class has no image, or names are missing.
    """
    base = Path(root if root is not None else "data").expanduser().resolve()
    if not base.is_dir():
        raise DataError(f"data.root: the folder {base} does not exist", LAYOUT)
    scan = Scan(base)
    for split in ("train", "val"):
        check_folder(base, split)
        scan.read_classes(base / split, split)
    raw = labelled(scan, channels=3)
    file = names_file(base, class_names)
    if file is None:
        return raw
    return replace(raw, class_names=readable(raw.class_names, read_names(file), file))


def check_folder(base: Path, split: str) -> None:
    """Raises DataError if a split has no class folders, as in the official archives."""
    folder = base / split
    if not folder.is_dir():
        archives = sorted(path.name for path in base.glob("ILSVRC2012_img_*.tar"))
        found = f", only {archives[0]}, not unpacked" if archives else ""
        raise DataError(f"{base} has no folder {split}{found}", UNPACK if archives else LAYOUT)
    if not subfolders(folder):
        raise DataError(f"{folder} has no class folders", f"sort its images into a folder for each class: {UNPACK}")


def names_file(base: Path, stated: str | None) -> Path | None:
    """The stated file, or one of the usual names in `base`, or None."""
    if stated is not None:
        return Path(stated).expanduser().resolve()
    return next((base / name for name in NAME_FILES if (base / name).is_file()), None)


def read_names(path: Path) -> dict[str, str]:
    """WordNet number to name, the first of several: "tench" of "n01440764 tench, Tinca tinca"."""
    shape = 'lines such as `n01440764 tench, Tinca tinca`, or JSON such as {"0": ["n01440764", "tench"]}'
    try:
        text = "".join(TextFile(path).blocks())
        if path.suffix.lower() == ".json":
            return {str(number): str(name) for number, name in json.loads(text).values()}
    except DataError as error:
        raise DataError(f"data.class_names: {error.message}", error.hint or shape) from error
    except (ValueError, TypeError, AttributeError) as error:
        raise DataError(f"data.class_names: {path} cannot be read: {error}", shape) from error
    names = {}
    for row, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            number, _, rest = line.strip().replace("\t", " ", 1).partition(" ")
            if not rest.strip():
                raise DataError(f"data.class_names: {path} line {row} is {line.strip()}", shape)
            names[number] = rest.split(",")[0].strip()
    return names


def readable(numbers: tuple[str, ...], names: dict[str, str], path: Path) -> tuple[str, ...]:
    """A name for each class; the two classes called crane are distinguished by their numbers."""
    if missing := [number for number in numbers if number not in names]:
        more = f" (nor of {len(missing) - 1} more classes)" if missing[1:] else ""
        raise DataError(
            f"data.class_names: {path} has no name of the class {missing[0]}{more}",
            "its first words are the names of the class folders; data.class_names=null uses none, "
            f"unless data.root has a {' or '.join(NAME_FILES)}",
        )
    uses = Counter(names[number] for number in numbers)
    return tuple(f"{names[n]} ({n})" if uses[names[n]] > 1 else names[n] for n in numbers)
