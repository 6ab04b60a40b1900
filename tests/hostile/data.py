"""Data: tables, texts, images and archives that are bombs, no data, or full of control characters."""

import gzip
import io
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from hostile.case import Case, Place
from hostile.damages import DAMAGES, ESCAPES, FORMULA, MARKUP

Make = Callable[[Path, Place], None]
SHORT = ("model.hidden=[4]", "trainer.steps=1", "logger.report=false", "run.dir=outputs/x", "data.batch_size=2")
CSV = ("train", "model=mlp", "data=csv", "data.path=d", "data.target=y", *SHORT)
TEXT = ("train", "model=gpt", "data=text", "data.path=d", "trainer.steps=1", "run.dir=outputs/x", "data.length=4")
IMAGES = ("train", "model=mlp", "data=image_folder", "data.root=d", "data.size=8", *SHORT)
MNIST = ("train", "model=mlp", "data=mnist", "data.root=d", *SHORT)
CIFAR = ("train", "model=mlp", "data=cifar10", "data.root=d", *SHORT)
SVHN = ("train", "model=mlp", "data=svhn", "data.root=d", *SHORT)
EMNIST = ("train", "model=mlp", "data=emnist", "data.root=d", *SHORT)
ROWS = "".join(f"{n % 7},{n % 5},{'ab'[n % 2]}\n" for n in range(60))


def table(header: str = "a,b,y\n", rows: str = ROWS, more: str = "") -> Make:
    return file((header + rows + more).encode("utf-8", "surrogatepass"))


def file(content: bytes) -> Make:
    return lambda path, place: void(path.write_bytes(content))


def void(value: object) -> None:
    """A value is not needed."""


def damaged(name: str) -> Make:
    return lambda path, place: DAMAGES[name](path, place, random.Random(0))


def png(width: int, height: int, rows: bytes = b"", kind: int = 0) -> bytes:
    """A PNG of the size in its header, whatever its data."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


GOOD = png(8, 8, (b"\0" + bytes(range(8))) * 8)


def images(**odd: "bytes | Make") -> Make:
    """A folder of two classes, and files among them."""

    def make(path: Path, place: Place) -> None:
        for label in ("cat", "dog"):
            (path / label).mkdir(parents=True)
            for number in range(12):
                (path / label / f"{number}.png").write_bytes(GOOD)
        for name, content in odd.items():
            target = path / "cat" / name.replace("__", ".")
            content(target, place) if callable(content) else target.write_bytes(content)

    return make


def classes(*names: str) -> Make:
    def make(path: Path, place: Place) -> None:
        for name in names:
            (path / name).mkdir(parents=True)
            for number in range(12):
                (path / name / f"{number}.png").write_bytes(GOOD)

    return make


def class_link(path: Path, place: Place) -> None:
    images()(path, place)
    (path / "other").symlink_to(place.private)
    (path / "loop").symlink_to(path)


def idx(content: Callable[[], bytes], name: str = "train-images-idx3-ubyte.gz") -> Make:
    def make(path: Path, place: Place) -> None:
        path.mkdir()
        header = struct.pack(">IIII", 2051, 20, 28, 28)
        for split, count in (("train", 20), ("t10k", 20)):
            (path / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(header + bytes(count * 784)))
            labels = struct.pack(">II", 2049, count) + bytes(n % 10 for n in range(count))
            (path / f"{split}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
        (path / name).write_bytes(content())

    return make


def bomb() -> bytes:
    """4 GB of zeros in 4 MB of gzip, by repeating a member."""
    member = gzip.compress(bytes(64 * 2**20), 9)
    return member * 64


def tar(*members: tuple[str, str, bytes]) -> Make:
    """An archive of names, types and contents or link targets."""

    def make(path: Path, place: Place) -> None:
        path.mkdir()
        with tarfile.open(path / "cifar-10-binary.tar.gz", "w:gz") as archive:
            for name, kind, content in members:
                info = tarfile.TarInfo(name.replace("PRIVATE", str(place.private)))
                info.type = {"file": tarfile.REGTYPE, "link": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE}.get(
                    kind, kind.encode()
                )
                info.linkname = (
                    content.decode().replace("PRIVATE", str(place.private)) if kind in ("link", "hard") else ""
                )
                info.size = len(content) if kind == "file" else 0
                archive.addfile(info, io.BytesIO(content))

    return make


def zipped(name: str, *members: tuple[str, bytes], repeat: int = 1) -> Make:
    def make(path: Path, place: Place) -> None:
        path.mkdir()
        with zipfile.ZipFile(path / name, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members:
                with archive.open(member.replace("PRIVATE", str(place.private)), "w") as target:
                    for _ in range(repeat):
                        target.write(content)

    return make


def in_folder(name: str, content: bytes) -> Make:
    def make(path: Path, place: Place) -> None:
        path.mkdir()
        (path / name).write_bytes(content)

    return make


BATCH = "cifar-10-batches-bin/data_batch_1.bin"
CASES: list[tuple[str, Make, tuple[str, ...]]] = [
    ("csv-escapes", table(f'"{ESCAPES}",b,y\n'), CSV),
    ("csv-escape-classes", table(rows=ROWS.replace("a", f'"{ESCAPES}"')), CSV),
    ("csv-markup", table(f'"{MARKUP}",b,y\n', ROWS.replace("b", f'"{MARKUP}"')), CSV),
    ("csv-formula", table(f'"{FORMULA}",b,y\n', ROWS.replace("a", f'"{FORMULA}"')), CSV),
    ("csv-braces", table("{x},${oc.env:HOME},y\n"), CSV),
    ("csv-surrogate", table("\ud800,b,y\n"), CSV),
    ("csv-nul", table(more="\0,\0,a\n"), CSV),
    ("csv-quote", table(more='"' + "x" * 3_000_000), CSV),
    ("csv-wide", table(",".join(f"c{n}" for n in range(20_000)) + ",y\n", ("1," * 20_000 + "a\n") * 6), CSV),
    ("csv-ragged", table(more="1,2,a,4,5\n1\n"), CSV),
    ("csv-huge-number", table(more="1e999,2,a\n" + "9" * 5000 + ",1,a\n"), CSV),
    ("csv-nan", table(more="nan,inf,a\n"), CSV),
    ("csv-empty", file(b""), CSV),
    ("csv-header", file(b"a,b,y\n"), CSV),
    ("csv-same-names", table("a,a,y\n"), CSV),
    ("csv-utf16", file(("a,b,y\n" + ROWS).encode("utf-16")), CSV),
    ("csv-binary", file(bytes(range(256)) * 100), CSV),
    ("csv-many-classes", table(rows="".join(f"{n},1,{n}x\n" for n in range(30_000))), CSV),
    ("csv-line-ends", table(rows=ROWS.replace("\n", "\r")), CSV),
    ("csv-pickle", file(b"\x80\x04cos\nsystem\n(S'touch x'\ntR."), CSV),
    (
        "csv-gzip-bomb",
        lambda path, place: void(path.with_suffix(".csv.gz").write_bytes(bomb())),
        (*CSV[:3], "data.path=d.csv.gz", *CSV[4:]),
    ),
    *(
        (f"csv-{name}", damaged(name), CSV)
        for name in ("pipe", "socket", "folder", "loop", "dangling", "zero", "sparse")
    ),
    ("text-escapes", file((ESCAPES * 400).encode()), TEXT),
    ("text-binary", file(bytes(range(256)) * 100), TEXT),
    ("text-empty", file(b""), TEXT),
    ("text-one", file(b"a"), TEXT),
    ("text-line", file(b"ab" * 20_000), TEXT),
    ("text-astral", file("\U0001f600".encode() * 300_000), TEXT),
    *((f"text-{name}", damaged(name), TEXT) for name in ("pipe", "socket", "folder", "zero", "sparse")),
    ("image-bomb", images(x__png=png(60_000, 60_000)), IMAGES),
    ("image-bomb-below-pil", images(x__png=png(13_000, 13_000, bytes(13_000 * 13_001))), IMAGES),
    ("image-cut", images(x__png=GOOD[:50]), IMAGES),
    ("image-empty", images(x__png=b""), IMAGES),
    ("image-zero-size", images(x__png=png(0, 0)), IMAGES),
    ("image-text", images(x__jpg=b"hello"), IMAGES),
    ("image-svg", images(x__svg=b'<svg xmlns="x"><image href="file:///etc/passwd"/></svg>', y__png=b"<svg/>"), IMAGES),
    ("image-eps", images(x__png=b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (r) file\n"), IMAGES),
    (
        "image-gif-frames",
        images(
            x__gif=b"GIF89a\x08\0\x08\0\x80\0\0\0\0\0\xff\xff\xff"
            + b",\0\0\0\0\x08\0\x08\0\0\x02\x02D\x01\0" * 20_000
            + b";"
        ),
        IMAGES,
    ),
    ("image-names", classes(ESCAPES.replace("/", ""), MARKUP.replace("/", "")), IMAGES),
    ("image-formula", classes("=1+1", "@x", "-1"), IMAGES),
    ("image-dots", classes("...", "..a", "-rf"), IMAGES),
    ("image-surrogate", classes("\udce9", "b"), IMAGES),
    ("image-class-link", class_link, IMAGES),
    *(
        (f"image-{name}", images(x__png=damaged(name)), IMAGES)
        for name in ("pipe", "socket", "folder", "loop", "dangling", "zero", "sparse")
    ),
    ("idx-bomb", idx(bomb), MNIST),
    ("idx-huge-header", idx(lambda: gzip.compress(struct.pack(">IIII", 2051, 2**31, 2**31, 2**31))), MNIST),
    ("idx-many-dimensions", idx(lambda: gzip.compress(struct.pack(">I", 0x08FF) + b"\xff" * 2000)), MNIST),
    ("idx-cut", idx(lambda: gzip.compress(bytes(100))[:20]), MNIST),
    ("idx-no-gzip", idx(lambda: b"hello"), MNIST),
    ("idx-pickle", idx(lambda: gzip.compress(b"\x80\x04cos\nsystem\n(S'touch x'\ntR.")), MNIST),
    ("tar-above", tar(("../private/new", "file", b"x"), (BATCH, "file", bytes(3073))), CIFAR),
    ("tar-absolute", tar(("PRIVATE/new", "file", b"x"), (BATCH, "file", bytes(3073))), CIFAR),
    ("tar-link", tar((BATCH, "link", b"PRIVATE/secret")), CIFAR),
    ("tar-hard-link", tar((BATCH, "hard", b"PRIVATE/secret")), CIFAR),
    ("tar-link-then-file", tar(("cifar-10-batches-bin", "link", b"PRIVATE"), (BATCH, "file", bytes(3073))), CIFAR),
    ("tar-pipe", tar((BATCH, "6", b"")), CIFAR),
    ("tar-device", tar((BATCH, "3", b"")), CIFAR),
    ("tar-bomb", tar((BATCH, "file", bytes(600 * 2**20))), CIFAR),
    ("tar-no-gzip", in_folder("cifar-10-binary.tar.gz", b"hello"), CIFAR),
    ("tar-gzip-bomb", in_folder("cifar-10-binary.tar.gz", b"BOMB"), CIFAR),
    ("zip-above", zipped("gzip.zip", ("../private/new", b"x")), EMNIST),
    (
        "zip-bomb",
        zipped("gzip.zip", ("gzip/emnist-balanced-train-images-idx3-ubyte.gz", bytes(2**20)), repeat=1500),
        EMNIST,
    ),
    ("zip-no-zip", in_folder("gzip.zip", b"PK\x05\x06" + bytes(18)), EMNIST),
    ("mat-odd", in_folder("train_32x32.mat", b"MATLAB 5.0 MAT-file" + bytes(105) + b"\0\1IM" + b"\xff" * 400), SVHN),
    (
        "mat-bomb",
        in_folder("train_32x32.mat", b"MATLAB 5.0 MAT-file".ljust(124) + b"\0\1IM" + struct.pack("<II", 15, 2**31)),
        SVHN,
    ),
    (
        "weights-pickle",
        file(b"\x80\x04cos\nsystem\n(S'touch x'\ntR."),
        ("train", "model=mlp", "data=iris", "init_from=./d.pt", *SHORT),
    ),
]


def data_cases(random: random.Random, count: int) -> Iterator[Case]:
    for number, (name, make, words) in enumerate(CASES[:count]):
        yield Case(f"data-{number}-{name}", maker(name, make), words)


def maker(name: str, make: Make):
    def made(place: Place) -> None:
        path = place.cwd / ("d.pt" if name == "weights-pickle" else "d")
        make(path, place)
        if name == "tar-gzip-bomb":
            (path / "cifar-10-binary.tar.gz").write_bytes(bomb())

    return made
