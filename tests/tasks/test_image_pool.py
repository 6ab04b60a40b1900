import torch

from dltool.tasks.image_pool import ImagePool


def numbered(*numbers: int) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float32).view(-1, 1, 1, 1)


def test_shows_what_is_new_until_it_is_full():
    pool = ImagePool(3)
    assert torch.equal(pool.query(numbered(0, 1)), numbered(0, 1))
    assert torch.equal(pool.images, numbered(0, 1))
    assert pool.query(numbered(2)).item() == 2
    assert torch.equal(pool.images, numbered(0, 1, 2))


def test_afterwards_half_of_what_it_shows_is_older_and_each_image_is_shown_once_or_kept():
    torch.manual_seed(0)
    pool, shown = ImagePool(10), []
    for start in range(0, 1000, 4):
        shown.append(pool.query(numbered(*range(start, start + 4))).flatten())
    seen, new = torch.cat(shown), torch.arange(1000.0)
    old = seen[10:] != new[10:]
    assert 0.45 < old.float().mean() < 0.55
    assert (seen[10:][old] < new[10:][old]).all()
    # What was drawn from the pool is gone from it; the first ten were shown when they entered it, too.
    kept = pool.images.flatten()
    assert sorted(torch.cat([seen[10:], kept]).tolist()) == new.tolist()


def test_the_default_generator_decides_alone():
    answers = []
    for _ in range(2):
        pool = ImagePool(2)
        pool.query(numbered(0, 1))
        torch.manual_seed(7)
        answers.append(torch.cat([pool.query(numbered(*range(2, 20))), pool.images]))
    assert torch.equal(*answers)


def test_size_0_shows_new_images_and_keeps_none():
    pool = ImagePool(0)
    images = torch.ones(2, 1, 1, 1, requires_grad=True)
    shown = pool.query(images)
    assert torch.equal(shown, images)
    assert not shown.requires_grad
    assert len(pool.images) == 0
