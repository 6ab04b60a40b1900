import pytest
import torch

from dltool.layers.stochastic_pooling import StochasticPool2d

WINDOW = torch.tensor([1.0, 0.0, 2.0, 5.0])
MEAN = (1 + 4 + 25) / 8  # Σ p a with p = a / 8.


def test_training_draws_in_proportion_to_the_activations():
    torch.manual_seed(0)
    maps = WINDOW.view(1, 1, 2, 2).expand(40_000, 1, 2, 2)
    drawn = StochasticPool2d(2)(maps).flatten()
    for value in WINDOW.tolist():
        assert (drawn == value).double().mean().item() == pytest.approx(value / 8, abs=0.01)
    assert drawn.mean().item() == pytest.approx(MEAN, rel=0.02)


def test_evaluation_gives_the_expectation():
    assert StochasticPool2d(2).eval()(WINDOW.view(1, 1, 2, 2)).item() == pytest.approx(MEAN)


@pytest.mark.parametrize("training", [True, False])
def test_overlapping_windows_are_those_of_max_pooling(training):
    maps = torch.rand(2, 3, 7, 8)
    outputs = StochasticPool2d(3, 2).train(training)(maps)
    largest = torch.nn.functional.max_pool2d(maps, 3, 2)
    assert outputs.shape == largest.shape
    assert (outputs <= largest).all()
    single = torch.zeros(1, 1, 7, 8)
    single[0, 0, 2, 2] = 4.0  # Alone in its windows, it is what each of them gives.
    expected = torch.nn.functional.max_pool2d(single, 3, 2)
    assert torch.equal(StochasticPool2d(3, 2).train(training)(single), expected)


@pytest.mark.parametrize("training", [True, False])
def test_a_window_of_zeros_gives_zero_and_finite_gradients(training):
    maps = torch.zeros(1, 1, 4, 4, requires_grad=True)
    outputs = StochasticPool2d(2).train(training)(maps)
    outputs.sum().backward()
    assert torch.equal(outputs, torch.zeros(1, 1, 2, 2))
    assert maps.grad.isfinite().all()


def test_the_gradient_goes_to_what_was_drawn():
    maps = torch.rand(3, 2, 6, 6, requires_grad=True)
    outputs = StochasticPool2d(2)(maps)
    outputs.sum().backward()
    assert set(maps.grad.unique().tolist()) == {0, 1}
    torch.testing.assert_close((maps * maps.grad).sum(), outputs.sum())
    assert maps.grad.sum() == outputs.numel()
