import pytest
import torch

from dltool.layers.minibatch_std import MinibatchStd


def test_by_hand():
    """Groups of two are samples (0, 2) and (1, 3); their deviations are averaged over the positions."""
    inputs = torch.tensor([[0.0, 0.0], [5.0, 1.0], [4.0, 2.0], [5.0, 1.0]]).view(4, 1, 1, 2)
    outputs = MinibatchStd(group_size=2)(inputs)
    assert torch.equal(outputs[:, :1], inputs)
    expected = torch.tensor([(2 + 1) / 2, 1e-4, (2 + 1) / 2, 1e-4])
    torch.testing.assert_close(outputs[:, 1], expected[:, None, None].expand(4, 1, 2))


@pytest.mark.parametrize("count", [1, 2, 3, 5, 6, 7])
def test_batches_of_any_size(count):
    inputs = torch.randn(count, 3, 2, 2)
    outputs = MinibatchStd()(inputs)
    assert outputs.shape == (count, 4, 2, 2)
    assert (outputs[:, 3].amax() > 0.1) == (count > 1)


def test_the_first_samples_stand_in_for_those_that_lack():
    inputs = torch.randn(6, 3, 2, 2)
    filled = torch.cat([inputs, inputs[:2]])
    torch.testing.assert_close(MinibatchStd()(inputs), MinibatchStd()(filled)[:6])


def test_a_generator_that_always_makes_the_same_is_found_out():
    same = torch.randn(1, 3, 4, 4).expand(8, -1, -1, -1)
    assert MinibatchStd()(same)[:, 3].max().item() == pytest.approx(1e-4)
