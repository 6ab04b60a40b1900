import pytest
import torch

from dltool.core.errors import ConfigError
from dltool.data.scaling import GivenStatistics, fit_rows, pixel_scaling

CPU = torch.device("cpu")
EVERY_GREY = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)


def scale_rows(splits, mode):
    """The splits in float32, by the statistics of the first."""
    shift, factor = fit_rows(splits[0], mode)
    return [((rows.double() - shift) * factor).float() for rows in splits]


def test_standardized_channels_have_mean_0_and_deviation_1():
    images = torch.randint(0, 256, (20, 3, 5, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images[:, 1] //= 4
    scaled = pixel_scaling(images, "standardize", CPU)(images).double()
    torch.testing.assert_close(scaled.mean((0, 2, 3)), torch.zeros(3).double(), atol=1e-6, rtol=0)
    torch.testing.assert_close(scaled.std((0, 2, 3), correction=0), torch.ones(3).double())


@pytest.mark.parametrize(("mode", "low", "high"), [("unit", 0, 1), ("symmetric", -1, 1), ("none", 0, 255)])
def test_bounded_pixels_reach_both_ends_and_never_pass_them(mode, low, high):
    scaling = pixel_scaling(EVERY_GREY, mode, CPU)
    scaled = scaling(EVERY_GREY)
    assert scaled.dtype == torch.float32
    assert (scaled.min().item(), scaled.max().item()) == (low, high) == scaling.input_range


def test_blank_images_are_only_centred():
    blank = torch.full((2, 1, 3, 3), 7, dtype=torch.uint8)
    assert pixel_scaling(blank, "standardize", CPU)(blank + 2).eq(2).all()


def test_given_statistics_are_of_pixels_between_0_and_1():
    images = torch.tensor([0, 51, 255], dtype=torch.uint8).view(1, 3, 1, 1)
    scaling = GivenStatistics.of([0.5, 0.2, 0.4], [0.25, 0.2, 0.3], "auto").pixel_scaling(3, CPU)
    torch.testing.assert_close(scaling(images).flatten(), torch.tensor([-2.0, 0.0, 2.0]))
    assert scaling.input_range is None


def test_the_statistics_of_the_data_itself_scale_as_the_computed_ones():
    images = torch.randint(0, 256, (20, 2, 5, 5), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    shares = images.double() / 255
    mean, std = shares.mean((0, 2, 3)).tolist(), shares.std((0, 2, 3), correction=0).tolist()
    given = GivenStatistics.of(mean, std, "standardize").pixel_scaling(2, CPU)
    torch.testing.assert_close(given(images), pixel_scaling(images, "standardize", CPU)(images), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("mean", "std", "scaling", "message", "hint"),
    [
        ([0.5], None, "auto", "data.std is null", "data.std=[…]"),
        (None, [0.5], "auto", "data.mean is null", "data.mean=[…]"),
        ([0.5], [0.5, 0.5], "auto", "1 values, but data.std has 2", "one value per channel"),
        ([0.5], [63.75], "auto", "not for pixels in [0, 1]", "data.std=[0.25]"),
        ([0.5], [0.5], "unit", "data.scaling=unit does not use", "data.scaling=standardize"),
    ],
)
def test_given_statistics_that_make_no_sense(mean, std, scaling, message, hint):
    with pytest.raises(ConfigError) as caught:
        GivenStatistics.of(mean, std, scaling)
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("values", "channels", "hint"),
    [
        ([0.2, 0.3, 0.4], 1, "'data.mean=[0.3]' 'data.std=[0.3]',"),
        ([0.5], 3, "data.mean=[0.5,0.5,0.5]"),
        ([], 3, "one value per channel"),
    ],
)
def test_given_statistics_of_another_number_of_channels(values, channels, hint):
    with pytest.raises(ConfigError, match=f"have {len(values)} values each") as caught:
        GivenStatistics.of(values, values, "auto").pixel_scaling(channels, CPU)
    assert hint in caught.value.hint


def test_rows_are_standardized_by_the_training_split_alone():
    train, test = torch.tensor([[0.0, 10.0], [2.0, 30.0]]), torch.tensor([[5.0, 100.0]])
    scaled_train, scaled_test = scale_rows([train, test], "standardize")
    assert scaled_train.tolist() == [[-1, -1], [1, 1]]
    assert scaled_test.tolist() == [[4, 8]]


def test_rows_of_large_numbers_keep_their_precision():
    years = torch.tensor([[2020.0], [2021.0], [2022.0]])
    expected = torch.tensor([[-(1.5**0.5)], [0.0], [1.5**0.5]])
    torch.testing.assert_close(scale_rows([years], "standardize")[0], expected, rtol=1e-7, atol=0)


@pytest.mark.parametrize("mode", ["standardize", "unit", "symmetric"])
def test_constant_feature_is_only_centred(mode):
    train = torch.tensor([[0.1, 1.0], [0.1, 3.0], [0.1, 2.0]])
    scaled, other = scale_rows([train, torch.tensor([[2.1, 1.0]])], mode)
    torch.testing.assert_close(scaled[:, 0], torch.zeros(3), atol=1e-7, rtol=0)
    assert other[0, 0].item() == pytest.approx(2.0)


def test_rows_to_bounds_and_as_they_are():
    train, val = torch.tensor([[1.0], [5.0], [3.0]]), torch.tensor([[9.0]])
    assert [rows.flatten().tolist() for rows in scale_rows([train, val], "unit")] == [[0, 1, 0.5], [2]]
    assert [rows.flatten().tolist() for rows in scale_rows([train, val], "symmetric")] == [[-1, 1, 0], [3]]
    assert scale_rows([train], "none")[0].equal(train)
