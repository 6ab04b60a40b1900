"""Your own pictures: the layouts of folders, what is refused and how, and where the images are kept."""

from functools import partial

import numpy as np
import pytest
import torch
from PIL import Image

from dltool.core.errors import ConfigError, DataError, RunError
from dltool.core.shell import setting
from dltool.data import decoding_workers, image_files
from dltool.data.augment import Augmentation
from dltool.data.folder_data import FolderData
from dltool.data.image_folder import image_folder

CPU = torch.device("cpu")


def write_image(path, seed=0, size=(12, 10)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return pixels


@pytest.fixture
def folder(tmp_path):
    """Two classes of ten images, with Chinese names."""
    root = tmp_path / "图片"
    for label, name in enumerate(("猫", "狗")):
        for i in range(10):
            write_image(root / name / f"图 {i}.png", seed=10 * label + i)
    return root


def load(root, **fields):
    return image_folder(torch.Generator(), root=str(root), **fields)


def data(root, prepare=True, split_file=None, channels="rgb", **fields):
    found = FolderData(
        partial(image_folder, root=str(root), split_file=split_file, channels=channels),
        **{"batch_size": 4, "workers": 0, **fields},
    )
    if prepare:
        found.prepare(0, CPU)
    return found


def test_class_folders_are_split_by_seed_and_class(folder):
    found = data(folder, val_fraction=0.2, test_fraction=0.2, scaling="none")
    assert found.spec.class_names == ("狗", "猫")
    assert found.spec.input_shape == (3, 10, 12)
    assert found.sizes == {"train": 12, "val": 4, "test": 4}
    assert all(split.targets.bincount().tolist() == [len(split) // 2] * 2 for split in found.splits.values())
    originals = {name: [np.asarray(Image.open(p)) for p in (folder / name).iterdir()] for name in ("狗", "猫")}
    for split in found.splits.values():
        for image, label in zip(split.inputs, split.targets, strict=True):
            pixels = image.permute(1, 2, 0).numpy()
            assert any((pixels == original).all() for original in originals[found.spec.class_names[label]])


def test_folders_state_the_split(tmp_path):
    for name, count in (("train", 4), ("valid", 2), ("test", 3)):
        for label in "ab":
            for i in range(count):
                write_image(tmp_path / name / label / "inner" / f"{i}.JPG")
    raw = load(tmp_path)
    assert {name: len(split) for name, split in raw.splits.items()} == {"train": 8, "val": 4, "test": 6}


def test_a_class_may_be_called_train(tmp_path):
    for name in ("train", "test", "car"):
        write_image(tmp_path / name / "1.png")
    (tmp_path / "train" / "inner").mkdir()
    assert load(tmp_path).class_names == ("car", "test", "train")


def test_a_file_states_the_split(folder, tmp_path):
    lines = [f"{name}/图 {i}.png,{split}" for name in "猫狗" for i, split in enumerate(("train", "train", "val"))]
    file = tmp_path / "split.csv"
    file.write_text("path,split\n" + "\n".join(lines) + "\n", encoding="utf-8")
    raw = load(folder, split_file=str(file))
    assert {name: len(split) for name, split in raw.splits.items()} == {"train": 4, "val": 2}
    assert raw.files.notes == ["14 files left out: 14 not in the split file"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("猫/图 0.png,trian", r"split\.csv line 2 is 猫/图 0\.png,trian"),
        ("猫/图 0.png", "line 2"),
        ("猫/nothing.png,train", "names 猫/nothing.png, but no class folder"),
        ("猫/图 1.png,val", "line 2 puts .* into val, but an earlier line into train"),
    ],
)
def test_a_wrong_split_file_names_its_line(folder, tmp_path, line, message):
    file = tmp_path / "split.csv"
    file.write_text(f"猫/图 1.png,train\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError, match=message):
        load(folder, split_file=str(file))


def test_what_is_no_image_is_left_out_and_counted(folder):
    for name in (".DS_Store", "._1.png", "Thumbs.db", "notes.txt", "README"):
        (folder / "猫" / name).write_bytes(b"x")
    (folder / ".git").mkdir()
    raw = load(folder)
    assert len(raw.train) == 20
    assert raw.files.notes == ["5 files left out: 3 hidden, 1 without a suffix, 1 .txt"] or sorted(
        raw.files.notes[0].split(": ")[1].split(", ")
    ) == ["1 .txt", "1 without a suffix", "3 hidden"]


def test_folders_that_cannot_be_are_refused_with_a_hint(tmp_path, folder):
    with pytest.raises(DataError, match=r"the folder .*nowhere does not exist") as caught:
        load(tmp_path / "nowhere")
    assert caught.value.exit_code == 2
    assert "data.root=FOLDER" in caught.value.hint
    with pytest.raises(DataError, match="10 images, but no class folders"):
        load(folder / "猫")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has no class folders"):
        load(tmp_path / "empty")
    (folder / "鸟").mkdir()
    with pytest.raises(DataError, match=r"the class folder .*鸟 has no images") as caught:
        load(folder)
    assert "rmdir" in caught.value.hint
    write_image(tmp_path / "one" / "cat" / "1.png")
    with pytest.raises(DataError, match="only one class, cat"):
        load(tmp_path / "one")


def test_a_class_that_training_has_not_is_refused(tmp_path):
    for path in ("train/a/1.png", "train/b/1.png", "val/a/1.png", "val/c/1.png"):
        write_image(tmp_path / path)
    with pytest.raises(DataError, match=r"1\.png \(val\) is of the class c, which has no training image"):
        load(tmp_path)


@pytest.mark.parametrize("residency", ["host", "loader"])
@pytest.mark.parametrize("content", [b"", b"no image", "truncated"])
def test_a_corrupt_image_is_named_or_left_out(folder, residency, content):
    damaged = folder / "猫" / "图 3.png"
    damaged.write_bytes(damaged.read_bytes()[:200] if content == "truncated" else content)
    with pytest.raises(DataError, match=r"猫/图 3\.png: ") as caught:
        data(folder, residency=residency, val_fraction=0.0, test_fraction=0.0)
    assert "data.corrupt=skip" in caught.value.hint
    found = data(folder, residency=residency, corrupt="skip", val_fraction=0.0, test_fraction=0.0)
    assert any("1 images cannot be decoded" in note for note in found.notes)
    assert any("图 3.png: " in note for note in found.notes)
    targets = torch.cat([batch.targets for batch in found.evaluation("train")])
    assert targets.bincount().tolist() == [10, 9]
    assert sum(found.train.draw().size for _ in range(5)) == 19


def test_damage_that_shows_in_training_stops_it_or_is_warned_of(folder):
    fields = {"residency": "loader", "val_fraction": 0.0, "test_fraction": 0.0, "scaling": "unit"}
    strict, lenient = data(folder, **fields), data(folder, corrupt="skip", **fields)
    (folder / "狗" / "图 0.png").write_bytes(b"later")
    with pytest.raises(RunError, match=r"狗/图 0\.png: it is not an image of a known format"):
        [strict.train.draw() for _ in range(5)]
    with pytest.warns(UserWarning, match="left out"):
        assert sum(lenient.train.draw().size for _ in range(5)) == 19


@pytest.mark.parametrize("residency", ["host", "loader"])
def test_more_corrupt_images_than_allowed_are_an_error(folder, residency):
    for name in ("图 0.png", "图 1.png"):
        (folder / "狗" / name).write_bytes(b"damaged")
    fields = {"residency": residency, "corrupt": "skip", "val_fraction": 0.0, "test_fraction": 0.0}
    assert len(data(folder, max_skip=2, **fields).skipped_files()) == 2
    with pytest.raises(DataError, match=r"2 images cannot be decoded, more than data.max_skip=1.*图 0\.png: it is"):
        data(folder, max_skip=1, **fields)


@pytest.mark.parametrize("workers", [0, 2])
def test_decoded_anew_is_the_same_as_kept_and_resumes_exactly(folder, workers):
    augment = Augmentation(shift=1, flip=True, noise=0.1, mixup=0.5)
    kept = data(folder, residency="host", augment=augment)
    before = torch.get_rng_state()
    streamed = data(folder, residency="loader", augment=augment, workers=workers)
    batches = [kept.train.draw() for _ in range(9)]
    for expected in batches:
        batch = streamed.train.draw()
        assert batch.inputs.equal(expected.inputs)
        assert batch.targets.equal(expected.targets)
    streamed.train.draws = 3
    assert streamed.train.draw().inputs.equal(batches[3].inputs)
    assert streamed.train.draw().inputs.equal(batches[4].inputs)
    for split in ("val", "test"):
        pairs = zip(kept.evaluation(split), streamed.evaluation(split), strict=True)
        assert all(a.inputs.equal(b.inputs) and a.targets.equal(b.targets) for a, b in pairs)
    assert all(a.equal(b) for a, b in zip(kept.train.examples(3), streamed.train.examples(3), strict=True))
    assert torch.get_rng_state().equal(before)


def test_the_size_is_their_own_or_the_models_or_as_asked(folder):
    assert data(folder).choices["data.size"] == [10, 12]
    write_image(folder / "猫" / "large.png", size=(30, 40))
    found = data(folder, prepare=False)
    found.prepare(0, CPU, model_traits={"min_size": 32, "native_size": 32})
    assert found.spec.input_shape == (3, 32, 32)
    assert any("images of many sizes resized to 32×32, the middle of each" in note for note in found.notes)
    assert data(folder, size=[6, 8], channels="grey").spec.input_shape == (1, 6, 8)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_the_size_of_portraits_is_that_of_the_upright_image(tmp_path, suffix):
    """Stored on their side, with EXIF's orientation 6; their signal is at the ends, which a crop would cut off."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for name, colour in (("a", 255), ("b", 0)):
        (tmp_path / name).mkdir()
        for i in range(10):
            upright = np.full((100, 60, 3), 128, np.uint8)
            upright[:20] = upright[80:] = colour
            stored = Image.fromarray(upright).transpose(Image.Transpose.ROTATE_90)
            stored.save(tmp_path / name / f"{i}.{suffix}", exif=exif, quality=95)
    found = data(tmp_path, scaling="none")
    assert found.choices["data.size"] == [100, 60]
    assert found.preprocessing.raw_size == (100, 60)
    train = found.splits["train"]
    for rows in (slice(0, 20), slice(80, 100)):
        means = train.inputs[:, :, rows].float().mean((1, 2, 3))
        assert ((means > 128) == (train.targets == 0)).all()


def test_upright_and_turned_images_are_of_many_sizes(tmp_path):
    exif = Image.Exif()
    for i in range(20):
        exif[0x0112] = (1, 6)[i % 2]
        (tmp_path / "ab"[i // 10]).mkdir(exist_ok=True)
        Image.new("RGB", (12, 10)).save(tmp_path / "ab"[i // 10] / f"{i}.png", exif=exif)
    assert any("images of many sizes" in note for note in data(tmp_path).notes)


def test_what_does_not_fit_into_memory_is_streamed(folder, monkeypatch):
    monkeypatch.setattr("dltool.data.memory.available_memory", lambda: 2 * 20 * 360 - 1)
    assert data(folder).choices["data.residency"] == "loader"
    monkeypatch.setattr("dltool.data.memory.available_memory", lambda: 2 * 20 * 360)
    assert data(folder).choices["data.residency"] == "device"


def test_workers_decode_many_as_one_process_does(tmp_path, monkeypatch):
    monkeypatch.setattr(decoding_workers, "PIECE_BYTES", 1000)
    monkeypatch.setattr(image_files, "PIECE_BYTES", 1000)
    for i in range(40):
        write_image(tmp_path / "ab"[i % 2] / f"{i}.jpg", seed=i)
    alone, shared = (data(tmp_path, workers=workers, residency="host") for workers in (0, 2))
    assert all(alone.splits[name].inputs.equal(shared.splits[name].inputs) for name in alone.splits)


def test_a_training_ends_its_workers_in_good_order(folder, dltool):
    words = ["model=mlp", "model.hidden=[4]", "trainer.epochs=2", "data.residency=loader", "data.workers=2"]
    done = dltool("train", "data=image_folder", f"data.root={folder}", *words, "data.batch_size=4", "run.dir=run")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("residency", ["host", "loader"])
def test_given_statistics_need_no_image(folder, residency, monkeypatch):
    monkeypatch.setattr(FolderData, "_sample", lambda *_: pytest.fail("images were decoded for their statistics"))
    found = data(folder, residency=residency, mean=[0.5, 0.5, 0.5], std=[0.5, 0.25, 0.125], workers=0)
    assert found.preprocessing.factor == pytest.approx((2 / 255, 4 / 255, 8 / 255))
    assert found.preprocessing.shift == pytest.approx((127.5,) * 3)
    with pytest.raises(ConfigError, match="1 values each, but RGB images have 3"):
        data(folder, residency=residency, mean=[0.5], std=[0.5])


def test_classes_sizes_and_animations_are_said(folder):
    notes = data(folder).notes
    assert "2 classes: 狗 10, 猫 10 images" in notes
    assert "all images are 10×12 and are not resized (data.size)" in notes
    assert "10×12 images resized to 6×6, the middle of each (data.size, data.fit)" in data(folder, size=6).notes
    write_image(folder / "猫" / "large.png", size=(30, 20))
    frames = [Image.new("RGB", (12, 10), colour) for colour in ("red", "blue")]
    frames[0].save(folder / "猫" / "a.gif", save_all=True, append_images=frames[1:])
    notes = data(folder, size=8).notes
    assert "2 classes: 狗 10, 猫 12 images" in notes
    assert "images of many sizes resized to 8×8, the middle of each (data.size, data.fit)" in notes
    assert "1 or more files have several frames: only the first of each is used" in notes


@pytest.mark.parametrize("names", [("Training", "Validation", "Testing"), ("TRAIN", "dev", "Test")])
def test_folders_of_splits_have_many_names(tmp_path, names):
    for split, count in zip(names, (3, 2, 2), strict=True):
        for label, name in enumerate("ab"):
            for i in range(count):
                write_image(tmp_path / split / name / f"{i}.png", seed=10 * label + i)
    raw = load(tmp_path)
    assert raw.class_names == ("a", "b")
    assert {name: len(split) for name, split in raw.splits.items()} == {"train": 6, "val": 4, "test": 4}


def test_images_outside_of_class_folders_are_counted(folder, tmp_path):
    write_image(folder / "loose.png")
    write_image(folder / ".hidden.png")
    assert load(folder).files.notes == ["1 files left out: 1 in no class folder"]
    for split in ("train", "test"):
        for name in "ab":
            write_image(tmp_path / "split" / split / name / "0.png")
    write_image(tmp_path / "split" / "loose.png")
    assert load(tmp_path / "split").files.notes == ["1 files left out: 1 in no class folder"]


def test_a_folder_around_the_classes_and_other_formats_are_named(folder, tmp_path):
    with pytest.raises(DataError, match="has only one class, 图片") as error:
        load(tmp_path)
    assert error.value.hint == f"{setting('data.root', str(folder))} if the classes are 狗, 猫"
    (folder / "鸟").mkdir()
    write_image(folder / "鸟" / "0.tiff")
    with pytest.raises(DataError, match=r"has no images \(.*\), but 1 \.tiff") as error:
        load(folder)
    assert error.value.hint == "save the images in one of these formats, such as PNG"


def test_class_folders_that_look_alike_are_named(folder):
    for name in ("Cat", "cat"):
        write_image(folder / name / "0.png")
    assert f"{folder}: classes that look alike but are written differently: Cat and cat" in load(folder).notes


@pytest.mark.parametrize(("largest", "noted"), [(1020, True), (65_535, False)])
def test_files_of_16_bits_that_use_few_of_them_are_noted(tmp_path, largest, noted):
    for name in "ab":
        for i in range(10):
            (tmp_path / name).mkdir(exist_ok=True)
            pixels = np.linspace(0, largest, 64).astype(np.uint16).reshape(8, 8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    note = "files of 16 bits have values of at most 1,020 of 65,535, and become 3 of 255: scale them to the whole range"
    assert any(note in one for one in data(tmp_path).notes) == noted


def test_copies_of_training_images_in_other_splits_are_counted(tmp_path):
    for split, seeds in {"train": range(6), "test": (20, 3, 4)}.items():
        for place, seed in enumerate(seeds):
            write_image(tmp_path / split / "ab"[seed % 2] / f"{place}.png", seed)
    write_image(tmp_path / "test" / "a" / "wrong.png", 1)
    found = data(tmp_path, val_fraction=0.0)
    assert [note for note in found.notes if "copies" in note] == [
        "3 of 4 images of the test split are copies of training images, pixel for pixel: test/a/2.png is "
        "train/a/4.png; 1 with another label there"
    ]


def test_without_copies_nothing_is_said(folder):
    assert not any("copies" in note for note in data(folder).notes)
