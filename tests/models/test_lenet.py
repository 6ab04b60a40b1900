import pytest
import torch
import torch.nn.functional as F

from dltool.core.spec import DataSpec
from dltool.models.lenet import C3_TABLE, LeNet, LeNet5, Subsampling, TableConvolution, class_codes

DIGITS = tuple("0123456789")
GREY = DataSpec((1, 32, 32), "classes", DIGITS, output_dim=10)


def num_parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("model_class", [LeNet, LeNet5])
@pytest.mark.parametrize("shape", [(1, 32, 32), (3, 32, 32), (2, 45, 60)])
@pytest.mark.parametrize("num_classes", [2, 10])
def test_any_channels_and_sizes(model_class, shape, num_classes):
    spec = DataSpec(shape, "classes", DIGITS[:num_classes], output_dim=num_classes)
    outputs = model_class(spec)(torch.randn(3, *shape))
    assert outputs.shape == (3, num_classes)
    outputs.sum().backward()


def test_modern_parameters():
    assert num_parameters(LeNet(GREY)) == 156 + 2416 + 48120 + 10164 + 850


def test_options_of_the_modern_one():
    model = LeNet(GREY, filters=(8, 12), hidden=(30, 20), activation="tanh", pooling="average", dropout=0.5)
    assert model(torch.randn(2, 1, 32, 32)).shape == (2, 10)
    assert num_parameters(model) == 8 * 26 + 12 * (8 * 25 + 1) + 301 * 30 + 31 * 20 + 21 * 10


def test_parameters_of_1998():
    model = LeNet5(GREY)
    layers = {"c1": 156, "s2": 12, "c3": 1516, "s4": 32, "c5": 48120, "f6": 10164, "output": 0}
    assert {name: num_parameters(getattr(model, name)) for name in layers} == layers
    assert num_parameters(model) == 60_000


def test_initial_weights_of_1998_are_uniform_up_to_fan_in():
    torch.manual_seed(0)
    model = LeNet5(GREY)
    for weight, fan_in in [(model.c1.weight, 25), (model.c5.weight, 400), (model.f6.weight, 120)]:
        assert 0.95 * 2.4 / fan_in < weight.abs().max() <= 2.4 / fan_in
        assert weight.std().item() == pytest.approx(2.4 / fan_in / 3**0.5, rel=0.1)
    starts = [0, *torch.tensor([len(row) for row in C3_TABLE]).cumsum(0).tolist()]
    for row, start, end in zip(C3_TABLE, starts[:-1], starts[1:], strict=True):
        bound = 2.4 / (25 * len(row))
        assert 0.9 * bound < model.c3.weight[start:end].abs().max() <= bound


def test_table_has_the_paper_s_form():
    assert [len(row) for row in C3_TABLE] == [3] * 6 + [4] * 9 + [6]
    assert len(set(C3_TABLE)) == 16
    # Each map of S2 is seen by ten maps of C3, as in table I.
    assert [sum(source in row for row in C3_TABLE) for source in range(6)] == [10] * 6


def test_table_convolution_is_one_convolution_per_map():
    layer = TableConvolution(C3_TABLE)
    maps = torch.randn(2, 6, 14, 14)
    outputs, start = layer(maps), 0
    for index, row in enumerate(C3_TABLE):
        kernels = layer.weight[start : start + len(row)]
        expected = F.conv2d(maps[:, row], kernels[None], layer.bias[index : index + 1])
        torch.testing.assert_close(outputs[:, index : index + 1], expected, atol=1e-5, rtol=1e-5)
        start += len(row)


def test_subsampling_sums_scales_and_shifts():
    layer = Subsampling(2)
    with torch.no_grad():
        layer.coefficient.copy_(torch.tensor([1.0, -0.5]))
        layer.bias.copy_(torch.tensor([0.0, 3.0]))
    outputs = layer(torch.tensor([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0]]])[None])
    assert outputs.flatten().tolist() == [10.0, -2.0]


def test_digits_have_ten_distinct_bitmaps_and_others_fixed_codes():
    digits = class_codes(GREY)
    assert digits.shape == (10, 84)
    assert set(digits.unique().tolist()) == {-1.0, 1.0}
    distances = torch.cdist(digits, digits, p=0) + 99 * torch.eye(10)
    assert distances.min() >= 5
    letters = DataSpec((1, 32, 32), "classes", tuple("abcdefghijkl"), output_dim=12)
    assert torch.equal(class_codes(letters), class_codes(letters))
    assert len(class_codes(letters).unique(dim=0)) == 12


def test_rbf_outputs_are_minus_squared_distances():
    model = LeNet5(GREY)
    units = torch.randn(3, 84)
    distances = torch.cdist(units, class_codes(GREY)) ** 2
    torch.testing.assert_close(model.output(units), -distances, atol=1e-3, rtol=1e-4)
    assert model.output(class_codes(GREY)).argmax(1).tolist() == list(range(10))


def test_linear_output_is_trainable():
    assert num_parameters(LeNet5(GREY, output="linear")) == 60_000 + 850
