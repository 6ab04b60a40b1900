"""Each kind of variation against torchvision, or a sample at a time, with the same drawn numbers."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F
from torchvision.transforms.v2 import functional as per_sample

from dltool.core.batch import Batch
from dltool.core.randomness import generator
from dltool.data.affine import Affine
from dltool.data.augment import Augmentation
from dltool.data.mixing import Mixing
from dltool.data.pixel_values import Cutout, Light, Noise

SIZE = (9, 14)
EVERYTHING = Augmentation(
    shift=2,
    flip=True,
    rotation=30,
    zoom=0.2,
    shear=10,
    crop=0.5,
    brightness=0.4,
    contrast=0.4,
    cutout=4,
    noise=0.1,
)


def random_images(count, channels=3, size=SIZE):
    rng = generator(0, "augment test")
    return torch.randint(1, 256, (count, channels, *size), dtype=torch.uint8, generator=rng)


@pytest.mark.parametrize("size", [SIZE, (12, 12)])
@pytest.mark.parametrize("channels", [1, 3])
def test_rotation_zoom_and_shear_are_those_of_torchvision(size, channels):
    images = random_images(20, channels, size).float()
    affine = Affine(size, rotation=40, zoom=0.3, shear=25)
    table = 2 * torch.rand(20, 7, generator=generator(3, "affine", 2)) - 1
    expected = [
        per_sample.affine(
            image,
            angle=40 * angle,
            translate=[0, 0],
            scale=1 + 0.3 * zoom,
            shear=[25 * shear, 0],
            interpolation=per_sample.InterpolationMode.BILINEAR,
        )
        for image, (angle, zoom, shear) in zip(images, table[:, :3].tolist(), strict=True)
    ]
    varied = affine.apply(images, affine.draw(20, seed=3, epoch=2))
    torch.testing.assert_close(varied, torch.stack(expected), atol=0.02, rtol=0)


def test_no_affine_map_leaves_the_images():
    images = random_images(4)
    affine = Affine(SIZE)
    torch.testing.assert_close(affine.apply(images, affine.draw(4, 0, 0)), images.float(), atol=1e-3, rtol=0)


def test_crop_is_the_enlarged_window():
    """Each output pixel, sampled by hand at its place in the window; windows lie in the image and have the area."""
    height, width = SIZE
    crop = Affine(SIZE, crop=0.3)
    maps = crop.draw(500, seed=1, epoch=0)
    assert maps[:, 0, 1].abs().max() == maps[:, 1, 0].abs().max() == 0
    sides, centres = torch.stack([maps[:, 0, 0], maps[:, 1, 1]], 1), maps[:, :, 2]
    assert (centres.abs() + sides).max() <= 1 + 1e-6
    whole = (sides < 1).all(1)
    areas = sides.prod(1)[whole]
    assert 0.3 <= areas.min() < 0.35
    assert areas.max() > 0.7
    aspects = (sides[:, 0] * width / (sides[:, 1] * height))[whole]
    assert 0.75 <= aspects.min() < 0.8
    assert 1.2 < aspects.max() <= 4 / 3

    image = random_images(1)
    ((x_side, y_side),), ((x, y),) = sides[:1].tolist(), centres[:1].tolist()
    varied = crop.apply(image, maps[:1])
    for row, column in ((0, 0), (4, 6), (8, 13), (2, 11)):
        at_y = ((y + y_side * ((2 * row + 1) / height - 1)) + 1) * height / 2 - 0.5
        at_x = ((x + x_side * ((2 * column + 1) / width - 1)) + 1) * width / 2 - 0.5
        padded = F.pad(image[0].float(), (1, 1, 1, 1))
        top, left = int(at_y + 1), int(at_x + 1)
        down, right = at_y + 1 - top, at_x + 1 - left
        a, b, c, d = (padded[:, top + i, left + j] for i in (0, 1) for j in (0, 1))
        expected = (a * (1 - right) + b * right) * (1 - down) + (c * (1 - right) + d * right) * down
        torch.testing.assert_close(varied[0, :, row, column], expected, atol=0.02, rtol=0)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("brightness", "contrast"), [(0.6, 0.0), (0.0, 0.9), (1.0, 1.0)])
def test_brightness_and_contrast_are_those_of_torchvision(channels, brightness, contrast):
    images = random_images(20, channels)
    light = Light(brightness, contrast)
    factors = light.draw(20, seed=4, epoch=1)
    assert factors.min() >= 0
    assert factors.max() <= 2
    expected = [
        per_sample.adjust_contrast(per_sample.adjust_brightness(image / 255, b), c) * 255
        for image, (b, c) in zip(images, factors.tolist(), strict=True)
    ]
    torch.testing.assert_close(light.apply(images, factors), torch.stack(expected), atol=0.01, rtol=0)


@pytest.mark.parametrize("side", [1, 4, 5, 30])
def test_cutout_erases_one_square_a_sample(side):
    images = random_images(60)
    cutout = Cutout(SIZE, side)
    corners = cutout.draw(60, seed=5, epoch=0)
    expected = images.clone()
    for image, (top, left) in zip(expected, corners.tolist(), strict=True):
        image[:, max(top, 0) : max(top + side, 0), max(left, 0) : max(left + side, 0)] = 0
    assert cutout.apply(images, corners).equal(expected)
    centres = corners + side // 2
    assert centres.amin(0).tolist() == [0, 0]
    assert (centres < torch.tensor(SIZE)).all()


def test_noise_has_its_deviation_and_stays_a_pixel():
    images = torch.full((64, 3, 16, 16), 128, dtype=torch.uint8)
    noise = Noise(0.1).apply(images, seed=0, draw=3) - 128
    assert noise.mean().item() == pytest.approx(0, abs=0.5)
    assert noise.std().item() == pytest.approx(25.5, rel=0.02)
    loud = Noise(2.0).apply(images, 0, 3)
    assert loud.min() == 0
    assert loud.max() == 255
    assert not Noise(0.1).apply(images, 0, 4).equal(noise + 128)


def test_mixup_mixes_pairs_by_one_weight():
    images, targets = random_images(32).float(), torch.arange(32)
    weights = []
    for draw in range(40):
        mixed, (partners, weight) = Mixing(mixup=1.0).apply(images.clone(), targets, 0, draw)
        expected = [weight * own + (1 - weight) * images[j] for own, j in zip(images, partners, strict=True)]
        torch.testing.assert_close(mixed, torch.stack(expected), atol=1e-3, rtol=0)
        assert partners.sort().values.equal(targets)
        weights.append(weight)
    assert 0.35 < sum(weights) / 40 < 0.65
    assert min(weights) < 0.2
    assert max(weights) > 0.8


def test_cutmix_pastes_one_rectangle_and_weighs_by_its_area():
    images, targets = random_images(32).float(), torch.arange(32)
    seen = set()
    for draw in range(40):
        mixed, (partners, weight) = Mixing(cutmix=1.0).apply(images.clone(), targets, 0, draw)
        own = (mixed == images).all(1)  # (B, H, W)
        theirs = (mixed == images[partners]).all(1)
        assert (own | theirs).all()
        pasted = ~own[partners != targets]
        if not pasted.any():
            continue
        assert (pasted.float().mean((1, 2)) - (1 - weight)).abs().max() < 0.02  # Pixels of both may be the same.
        rows, columns = pasted.any(0).any(1).nonzero(), pasted.any(0).any(0).nonzero()
        area = (rows.max() - rows.min() + 1) * (columns.max() - columns.min() + 1)
        assert area.item() / own[0].numel() == pytest.approx(1 - weight)
        seen.add(weight)
    assert len(seen) > 10


def test_with_both_each_batch_is_one_of_them():
    images = random_images(8).float()
    kinds = []
    for draw in range(60):
        mixed, (partners, _) = Mixing(1.0, 1.0).apply(images.clone(), torch.arange(8), 1, draw)
        is_pasted = ((mixed == images) | (mixed == images[partners])).all()
        kinds.append(bool(is_pasted))
    assert 15 < sum(kinds) < 45


def test_all_together_are_the_single_ones_in_order_whatever_the_batch():
    images = random_images(10)
    augmenter = EVERYTHING.augmenter(SIZE)
    order = torch.randperm(10, generator=generator(0, "order"))
    tables = augmenter.tables(order, seed=6, epoch=2, device=torch.device("cpu"))
    quiet = replace(EVERYTHING, noise=0.0).augmenter(SIZE)
    whole = quiet.vary(images[order], tables, 6, 0)
    singles = [quiet.vary(images[i : i + 1], [table[j : j + 1] for table in tables], 6, 0) for j, i in enumerate(order)]
    torch.testing.assert_close(whole, torch.cat(singles), atol=1e-3, rtol=0)
    step_by_step = images[order]
    for variation, table in zip(augmenter.variations, tables, strict=True):
        step_by_step = variation.apply(step_by_step, table)
    assert augmenter.vary(images[order], tables, 6, 5).equal(Noise(0.1).apply(step_by_step, 6, 5))
    assert [type(variation).__name__ for variation in augmenter.variations] == ["Shifter", "Affine", "Light", "Cutout"]


@pytest.mark.parametrize("index", range(4))
def test_tables_depend_on_seed_and_epoch_only(index):
    variation = EVERYTHING.augmenter(SIZE).variations[index]
    assert variation.draw(50, 1, 2).equal(variation.draw(50, 1, 2))
    assert not variation.draw(50, 1, 2).equal(variation.draw(50, 1, 3))
    assert not variation.draw(50, 1, 2).equal(variation.draw(50, 2, 2))


@pytest.mark.parametrize(("side", "shift"), [(8, 0), (28, 2), (32, 3)])
def test_automatic_shift_is_a_tenth_of_the_side(side, shift):
    augmenter = Augmentation(shift="auto").augmenter((side, side + 40))
    assert augmenter.settings.shift == shift
    assert augmenter.active == (shift > 0)
    assert not Augmentation().augmenter((side, side)).active


def test_micro_batches_take_their_partners_along():
    images, targets = random_images(5).float(), torch.arange(5)
    mixed, partners = Mixing(mixup=1.0).apply(images, targets, 0, 0)
    batch = Batch(mixed, targets, 5, partners)
    parts = batch.split(2)
    assert [part.size for part in parts] == [3, 2]
    assert torch.cat([part.partners.targets for part in parts]).equal(partners.targets)
    assert {part.partners.weight for part in parts} == {partners.weight}
    main = targets if partners.weight >= 0.5 else partners.targets
    assert torch.cat([part.main_targets for part in parts]).equal(main)
