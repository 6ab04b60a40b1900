from dataclasses import replace

import pytest
import torch

from dltool.core.errors import DataError
from dltool.data import memory
from dltool.data.arrays import RawData, Split
from dltool.data.augment import Augmentation
from dltool.data.builtin import digits, iris
from dltool.data.fitted import Fitted
from dltool.data.image_data import ImageData
from dltool.data.synthetic import gaussians, line, logic
from dltool.data.table_data import TableData

CPU = torch.device("cpu")
LENET = {"min_size": 32, "native_size": 32}


def prepared(data, seed=0, **arguments):
    data.prepare(seed, CPU, **arguments)
    return data


def test_digits_for_lenet():
    data = prepared(ImageData(digits, augment=Augmentation(shift="auto")), model_traits=LENET)
    assert data.sizes == {"train": 1258, "val": 180, "test": 359}
    assert data.spec.input_shape == (1, 32, 32)
    assert data.spec.num_classes == 10
    assert data.choices == {
        "data.resize": [32, 32],
        "data.resize_at": "loading",
        "data.augment.shift": 3,
        "data.scaling": "standardize",
        "data.residency": "device",
    }
    assert data.notes == [
        "8×8 images resized to 32×32 (the model's native size)",
        "training images are augmented: shift 3 (data.augment)",
    ]
    batch = data.train.draw()
    assert batch.inputs.shape == (64, 1, 32, 32)
    assert batch.inputs.dtype == torch.float32


def test_labels_beyond_the_classes_in_a_run_of_more():
    """EMNIST's classes hold MNIST's: the labels are looked at before they are translated."""
    run = prepared(ImageData(digits))
    names = (*"abc", *run.spec.class_names)
    fitted = Fitted(run.preprocessing, replace(run.spec, class_names=names))

    def load(rng):
        raw = digits(rng)
        raw.train.targets[7] = 12
        return raw

    same = prepared(ImageData(digits), fitted=fitted)
    assert names[int(same.splits["train"].targets[0])] == names[3 + int(run.splits["train"].targets[0])]
    with pytest.raises(DataError, match="train sample 7 has the label 12, outside 0 … 9") as error:
        prepared(ImageData(load), fitted=fitted)
    assert "the classes are 0, 1, 2, 3" in error.value.hint


def test_choices_repeat_the_run():
    automatic = prepared(ImageData(digits, augment=Augmentation(shift="auto")), model_traits=LENET)
    explicit = prepared(
        ImageData(
            digits,
            resize=[32, 32],
            resize_at="loading",
            scaling="standardize",
            residency="device",
            augment=Augmentation(shift=3),
        ),
        model_traits=LENET,
    )
    assert explicit.choices == {}
    assert automatic.train.draw().inputs.equal(explicit.train.draw().inputs)


def test_images_are_left_alone_for_a_model_that_takes_any():
    data = prepared(ImageData(digits))
    assert data.spec.input_shape == (1, 8, 8)
    assert data.choices["data.resize"] is None
    assert data.notes == []


def test_statistics_come_from_the_training_split_only():
    def load(rng):
        train = Split(torch.tensor([[-1.0], [1.0]]), torch.tensor([0, 1]))
        test = Split(torch.tensor([[100.0]]), torch.tensor([0]))
        return RawData(train, None, test, "classes", ("a", "b"))

    data = prepared(TableData(load, val_fraction=0.0))
    assert data.splits["train"].inputs.flatten().tolist() == [-1, 1]
    assert next(data.evaluation("test")).inputs.item() == 100

    def load_images(rng):
        train = Split(torch.tensor([0, 2], dtype=torch.uint8).view(2, 1, 1, 1), torch.tensor([0, 1]))
        test = Split(torch.tensor([101], dtype=torch.uint8).view(1, 1, 1, 1), torch.tensor([0]))
        return RawData(train, None, test, "classes", ("a", "b"))

    assert next(prepared(ImageData(load_images, val_fraction=0.0)).evaluation("test")).inputs.item() == 100


def test_pixels_are_bounded_where_the_task_asks_for_it():
    data = prepared(ImageData(digits), pixel_scaling="symmetric")
    assert data.spec.input_range == (-1, 1)
    assert data.choices["data.scaling"] == "symmetric"
    inputs = data.train.draw().inputs
    assert (inputs.min(), inputs.max()) == (-1, 1)
    explicit = prepared(ImageData(digits, scaling="unit"), pixel_scaling="symmetric")
    assert explicit.spec.input_range == (0, 1)
    assert "data.scaling" not in explicit.choices


def test_tables_are_not_pixels():
    data = prepared(TableData(iris), pixel_scaling="symmetric")
    assert data.choices["data.scaling"] == "standardize"
    assert data.spec.input_range is None


def test_run_seed_changes_the_order_but_neither_split_nor_made_up_data():
    first, second = prepared(TableData(line), seed=1), prepared(TableData(line), seed=2)
    for name in ("train", "val", "test"):
        assert first.splits[name].inputs.equal(second.splits[name].inputs)
    assert not first.train.draw().inputs.equal(second.train.draw().inputs)
    other = prepared(TableData(line, split_seed=1), seed=1)
    assert not first.splits["test"].targets.equal(other.splits["test"].targets)


def test_targets_stay_in_their_units():
    data = prepared(TableData(line))
    assert torch.cat([split.targets for split in data.splits.values()]).mean() == pytest.approx(1.0, abs=0.2)


def test_evaluation_of_an_absent_split_says_how_to_make_one():
    data = prepared(TableData(iris, val_fraction=0.0))
    with pytest.raises(DataError, match="there is no val split, only train, test") as caught:
        data.evaluation("val")
    assert caught.value.hint == "data.val_fraction=0.1"


def test_evaluation_batches_are_of_their_own_size():
    data = prepared(TableData(iris, eval_batch_size=20))
    assert [batch.size for batch in data.evaluation("test")] == [20, 10]


def test_what_a_person_should_know_is_noted():
    assert prepared(TableData(logic)).notes == ["nothing is held out: the same 4 samples serve as train, val and test"]
    many = prepared(TableData(iris, batch_size=500))
    assert many.notes == ["data.batch_size=500 is more than the 105 training samples: one batch"]
    assert many.train.draw().size == 105


def test_official_splits_that_override_a_fraction_are_noted():
    def load(rng):
        raw = iris(rng)
        return RawData(raw.train, None, raw.train, raw.target, raw.class_names)

    assert prepared(TableData(load, test_fraction=0.3)).notes == [
        "the official test split of 150 samples is used, not data.test_fraction=0.3"
    ]
    assert prepared(TableData(load, test_fraction=0.0)).notes == []


def test_spec_carries_the_modes_of_the_gaussians():
    spec = prepared(TableData(gaussians, scaling="none")).spec
    assert len(spec.centers) == 8
    assert spec.center_std == 0.02
    assert spec.centers[2] == pytest.approx((0, 2))


def test_one_sample_is_enough_to_train_on():
    def load(rng):
        return RawData(Split(torch.ones(1, 3), torch.zeros(1, 1)), None, None, "numbers")

    data = prepared(TableData(load, val_fraction=0.0, test_fraction=0.0))
    assert data.sizes == {"train": 1}
    assert data.train.draw().inputs.tolist() == [[0, 0, 0]]


def test_wrong_kind_of_inputs_is_refused():
    with pytest.raises(DataError, match="rows of numbers"):
        prepared(TableData(digits))
    with pytest.raises(DataError, match="images are"):
        prepared(ImageData(iris))


@pytest.mark.parametrize(("free", "residency"), [(2_000, "host"), (100_000, "device")])
def test_automatic_residency_follows_the_free_memory(monkeypatch, free, residency):
    monkeypatch.setattr(memory, "free_memory", lambda device: free)
    data = prepared(TableData(iris))  # 150 rows of 4 float32: 2,400 bytes.
    assert data.choices["data.residency"] == residency


def test_host_and_device_residency_draw_the_same_batches():
    host, device = (
        prepared(ImageData(digits, residency=place, augment=Augmentation(shift=1))) for place in ("host", "device")
    )
    assert host.choices.keys().isdisjoint({"data.residency"})
    for _ in range(25):
        assert host.train.draw().inputs.equal(device.train.draw().inputs)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
@pytest.mark.parametrize("residency", ["host", "device"])
def test_cuda_batches_equal_those_of_the_cpu(residency):
    fields = {"augment": Augmentation(shift=2, flip=True), "scaling": "unit"}
    cuda = ImageData(digits, residency=residency, **fields)
    cuda.prepare(0, torch.device("cuda"))
    cpu = prepared(ImageData(digits, **fields))
    for _ in range(25):
        ours, theirs = cuda.train.draw(), cpu.train.draw()
        assert ours.inputs.is_cuda
        assert ours.inputs.cpu().equal(theirs.inputs)
        assert ours.targets.cpu().equal(theirs.targets)
