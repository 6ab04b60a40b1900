import numpy as np
import pytest
import torch

from dltool.core.batch import Batch
from dltool.core.spec import DataSpec
from dltool.introspection.codes import Codes, watch_codes
from dltool.introspection.latent_plane import Plane, decoded_panels, seen_plane
from dltool.introspection.pictures import latent_picture
from dltool.losses.bernoulli import Bernoulli
from dltool.losses.mse import MSE
from dltool.models.autoencoder import Autoencoder
from dltool.models.vae import Vae
from dltool.tasks.autoencoder import AutoencoderTask
from dltool.tasks.vae import VaeTask

SPEC = DataSpec((1, 8, 8), class_names=("a", "b", "c"), input_range=(0, 1))
IMAGES = torch.rand(60, 1, 8, 8, generator=torch.Generator().manual_seed(1))


def make_task(kind, latent_dim, condition="none"):
    torch.manual_seed(0)
    if kind == "vae":
        return VaeTask(Vae(SPEC, latent_dim=latent_dim, hidden=[6], condition=condition), Bernoulli(SPEC), SPEC)
    return AutoencoderTask(Autoencoder(SPEC, latent_dim=latent_dim, hidden=[6]), MSE(SPEC), SPEC)


def evaluated(task):
    codes = watch_codes(task)
    task.start_evaluation()
    with torch.no_grad():
        task.evaluate(Batch(IMAGES, torch.arange(60) % 3, 60))
    return codes


@pytest.mark.parametrize(
    ("kind", "latent_dim", "condition"),
    [
        ("vae", 2, "none"),
        ("autoencoder", 2, "none"),
        ("vae", 5, "none"),
        ("vae", 3, "input"),
        ("autoencoder", 1, "none"),
    ],
)
def test_is_drawn_for_codes_of_any_length(kind, latent_dim, condition):
    task = make_task(kind, latent_dim, condition)
    figure = latent_picture(task, evaluated(task), "a title", "test")
    assert len(figure.axes) == 3
    assert min(figure.get_size_inches()) > 5


def test_nothing_measured_nothing_drawn():
    assert latent_picture(make_task("vae", 2), Codes(), "", "test") is None


def test_rows_of_numbers_have_codes_alone():
    spec = DataSpec((4,), "numbers")
    task = AutoencoderTask(Autoencoder(spec, latent_dim=2, hidden=[6]), MSE(spec), spec)
    codes = watch_codes(task)
    task.evaluate(Batch(torch.randn(9, 4), torch.randn(9, 1), 9))
    cloud, panels = seen_plane(task, codes)
    assert (cloud.places.shape, panels) == ((9, 2), [])
    assert len(latent_picture(task, codes, "", "val").axes) == 1


def test_the_planes_are_decoded_where_they_say():
    task = make_task("vae", 2)
    codes = evaluated(task).codes
    plane = Plane(codes)
    draws = torch.randn(500, 2)
    (_, at_quantiles, none), (_, over_codes, extent) = decoded_panels(task, plane, draws)
    assert none is None
    corner = task.decode(torch.tensor([[-1.95996, 1.95996]]))  # The upper left: 2.5 % and 97.5 % of N(0, 1).
    assert np.allclose(at_quantiles[0][0], corner[0], atol=1e-4)
    left, right, low, high = extent
    assert left < float(plane.low[0]) < float(plane.high[0]) < right
    assert low < float(plane.low[1]) < float(plane.high[1]) < high
    lower_right = torch.stack([plane.high[0], plane.low[1]])[None]
    assert np.allclose(over_codes[-1][-1], task.decode(lower_right)[0], atol=1e-4)


def test_principal_directions():
    """Codes on a line far from the origin: all variance is along it."""
    along = torch.tensor([3.0, 0.0, 4.0]) / 5
    codes = 7 + torch.linspace(-1, 1, 50)[:, None] * along
    plane = Plane(codes)
    assert "(100 % of the variance)" in plane.labels[0]
    assert torch.allclose(plane.codes_at(plane.of(codes)), codes, atol=1e-5)
    assert torch.allclose(plane.of(codes)[:, 0].abs(), torch.linspace(-1, 1, 50).abs(), atol=1e-5)


def test_a_row_of_classes_has_the_same_codes():
    task = make_task("vae", 3, "input")
    draws = torch.randn(500, 3)
    (_, rows, _), _ = decoded_panels(task, Plane(evaluated(task).codes), draws)
    assert len(rows) == 3
    for k, row in enumerate(rows):
        assert np.allclose(row[4], task.decode(draws[4:5], torch.tensor([k]))[0], atol=1e-5)
