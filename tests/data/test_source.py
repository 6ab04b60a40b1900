from itertools import chain

import pytest
import torch

from dltool.core.errors import DataError
from dltool.core.randomness import generator
from dltool.data.arrays import Split
from dltool.data.augment import Augmentation
from dltool.data.scaling import pixel_scaling
from dltool.data.source import TrainSource, evaluation_batches

CPU = torch.device("cpu")
AUGMENT = Augmentation(shift=2, flip=True, rotation=9, contrast=0.2, cutout=2, noise=0.1, mixup=0.5, cutmix=0.5)


def images(count=10, channels=1, side=6):
    pixels = torch.randint(0, 256, (count, channels, side, side), dtype=torch.uint8, generator=generator(0, "test"))
    return Split(pixels, torch.arange(count))


def source(split=None, **fields):
    return TrainSource(images() if split is None else split, **{"device": CPU, "batch_size": 4, "seed": 0, **fields})


def draw(stream, count):
    return [stream.draw() for _ in range(count)]


def labels(batches):
    return [batch.targets.tolist() for batch in batches]


def test_an_epoch_holds_every_sample_once_and_the_next_is_in_another_order():
    stream = source()
    first, second = labels(draw(stream, 3)), labels(draw(stream, 3))
    assert [len(batch) for batch in first] == [4, 4, 2]
    assert sorted(chain(*first)) == sorted(chain(*second)) == list(range(10))
    assert first != second
    assert stream.num_samples == 10


def test_batches_equal_hand_made_ones():
    split = images(channels=3)
    scaling = pixel_scaling(split.inputs, "standardize", CPU)
    stream = source(split, scaling=scaling, seed=5)
    for epoch in range(2):
        order = torch.randperm(10, generator=generator(5, "permutation", epoch))
        for start in (0, 4, 8):
            rows = order[start : start + 4]
            batch = stream.draw()
            pixels = split.inputs[rows].double()
            mean = split.inputs.double().mean((0, 2, 3), keepdim=True)
            deviation = split.inputs.double().std((0, 2, 3), correction=0, keepdim=True)
            torch.testing.assert_close(batch.inputs, ((pixels - mean) / deviation).float())
            assert batch.targets.equal(split.targets[rows])
            assert batch.full_size == batch.size == len(rows)


@pytest.mark.parametrize("at", [0, 1, 3, 5, 7])
def test_setting_the_cursor_resumes_exactly(at):
    fields = {"scaling": lambda pixels: pixels.float(), "augment": AUGMENT.augmenter((6, 6)), "seed": 9}
    whole = draw(source(**fields), 9)
    resumed = source(**fields)
    resumed.draws = at
    assert resumed.epoch == at // 3
    for expected, batch in zip(whole[at:], draw(resumed, 9 - at), strict=True):
        assert batch.inputs.equal(expected.inputs)
        assert batch.targets.equal(expected.targets)
        assert batch.partners.targets.equal(expected.partners.targets)
        assert batch.partners.weight == expected.partners.weight


def test_examples_are_the_first_images_before_and_after_and_change_nothing():
    split = images()
    stream = source(split, augment=Augmentation(flip=True).augmenter((6, 6)), scaling=lambda pixels: pixels / 255)
    stream.draws = 5
    expected = draw(stream, 2)
    stream.draws = 5
    before, after = stream.examples(3)
    order = torch.randperm(10, generator=generator(0, "permutation", 0))
    assert before.equal(split.inputs[order[:3]])
    assert all(a.equal(b) or a.equal(b.flip(-1)) for a, b in zip(after, before, strict=True))
    assert all(batch.inputs.equal(same.inputs) for batch, same in zip(expected, draw(stream, 2), strict=True))
    assert source().examples(3) is None


def test_cursor_may_go_back():
    stream = source()
    first = labels(draw(stream, 5))
    stream.draws = 0
    assert labels(draw(stream, 5)) == first


def test_epoch_counts_finished_passes():
    stream = source()
    epochs = [(stream.draw(), stream.epoch)[1] for _ in range(7)]
    assert epochs == [0, 0, 1, 1, 1, 2, 2]


def test_seeds_give_different_orders():
    assert labels(draw(source(seed=0), 3)) != labels(draw(source(seed=1), 3))


def test_no_shuffle_keeps_the_order_of_the_data():
    stream = source(shuffle=False)
    assert labels(draw(stream, 4)) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9], [0, 1, 2, 3]]


def test_full_batch():
    stream = source(batch_size="full")
    assert stream.batches_per_epoch == 1
    assert sorted(stream.draw().targets.tolist()) == list(range(10))
    assert stream.epoch == 1


def test_drop_last_leaves_out_the_smaller_batch_only():
    assert [len(batch) for batch in labels(draw(source(drop_last=True), 4))] == [4, 4, 4, 4]
    assert source(batch_size=5, drop_last=True).batches_per_epoch == 2
    assert source(batch_size="full", drop_last=True).batches_per_epoch == 1


def test_drop_last_that_leaves_nothing_is_refused_with_the_sizes():
    with pytest.raises(DataError, match=r"batch_size=11 is more than the 10 training samples") as caught:
        source(batch_size=11, drop_last=True)
    assert caught.value.hint == "data.drop_last=false"


def test_batch_larger_than_the_data_and_a_single_sample():
    assert source(batch_size=64).draw().size == 10
    one = source(images(count=1), batch_size=1)
    assert labels(draw(one, 2)) == [[0], [0]]


def test_a_batch_is_a_copy_of_the_data():
    split = Split(torch.ones(4, 2), torch.zeros(4, dtype=torch.int64))
    for batch in (source(split).draw(), next(evaluation_batches(split, device=CPU, batch_size=4))):
        batch.inputs.zero_()
    assert split.inputs.eq(1).all()


def test_drawing_leaves_the_default_generator_alone():
    before = torch.get_rng_state()
    draw(source(augment=AUGMENT.augmenter((6, 6))), 4)
    assert before.equal(torch.get_rng_state())


def test_evaluation_is_in_order_and_whole():
    split = images()
    batches = list(evaluation_batches(split, device=CPU, batch_size=4, scaling=lambda pixels: pixels.float() / 255))
    assert labels(batches) == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert torch.cat([batch.inputs for batch in batches]).equal(split.inputs.float() / 255)
