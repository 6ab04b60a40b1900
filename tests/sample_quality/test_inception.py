from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from dltool.core.errors import ConfigError, DataError
from dltool.sample_quality.inception import InceptionFeatures, inception_of_fid, prepared, without_padding

CPU = torch.device("cpu")


def write_weights(path: Path, **changes: torch.Tensor | None) -> Path:
    """A file of the right names and shapes, each tensor one number again and again, which takes next to no room."""
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in inception_of_fid().state_dict().items()}
    one = torch.full((1,), 0.01)
    weights = {name: one.expand(shape) for name, shape in shapes.items() if not name.endswith("tracked")} | changes
    torch.save({name: tensor for name, tensor in weights.items() if tensor is not None}, path)
    return path


def test_gives_2048_features_of_an_image(tmp_path: Path) -> None:
    path = write_weights(tmp_path / "inception.pth")
    assert path.stat().st_size < 2**20
    inception = InceptionFeatures(str(path), CPU)
    torch.manual_seed(0)
    for parameter in inception.network.parameters():
        if parameter.dim() == 4:
            nn.init.kaiming_normal_(parameter)
    grey = torch.randint(0, 256, (2, 1, 8, 8), dtype=torch.uint8)
    features = inception.features(grey)
    assert features.shape == (2, 2048)
    assert (features[0] != features[1]).any()
    assert len(inception.sha256) == 64


def test_pixels_become_299_by_299_from_minus_one_to_one() -> None:
    pixels = torch.tensor([0, 255], dtype=torch.uint8).view(2, 1, 1, 1).expand(2, 3, 32, 32)
    images = prepared(pixels)
    assert images.shape == (2, 3, 299, 299)
    assert torch.allclose(images, torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1))
    grey = torch.randint(0, 256, (2, 1, 8, 8), dtype=torch.uint8)
    assert torch.equal(prepared(grey), prepared(grey.expand(-1, 3, -1, -1)))


def test_averages_do_not_count_the_padding() -> None:
    images = torch.randn(2, 3, 5, 7)
    padded = F.avg_pool2d(images, 3, stride=1, padding=1)
    expected = F.avg_pool2d(images, 3, stride=1, padding=1, count_include_pad=False)
    assert torch.allclose(without_padding(nn.Identity(), (padded,)), expected, atol=1e-6)


def test_the_last_block_takes_a_maximum() -> None:
    block = inception_of_fid().Mixed_7c.eval()
    images = torch.rand(1, 2048, 4, 4)
    with torch.no_grad():
        expected = block.branch_pool(F.max_pool2d(images, 3, stride=1, padding=1))
        assert torch.equal(block(images)[:, -192:], expected)


def test_what_is_no_inception_of_fid_is_refused(tmp_path: Path) -> None:
    of_imagenet = write_weights(tmp_path / "a.pth", **{"fc.weight": torch.zeros(1).expand(1000, 2048)})
    with pytest.raises(DataError, match=r"is not FID's Inception: its fc.weight is \(1000, 2048\), not \(1008, 2048\)"):
        InceptionFeatures(str(of_imagenet), CPU)
    with pytest.raises(DataError, match=r"is not FID's Inception: it has no fc\.bias"):
        InceptionFeatures(str(write_weights(tmp_path / "b.pth", **{"fc.bias": None})), CPU)
    with pytest.raises(ConfigError, match=r"none\.pth does not exist") as refused:
        InceptionFeatures(str(tmp_path / "none.pth"), CPU)
    assert "task.features=lenet" in (refused.value.hint or "")


@pytest.mark.filterwarnings("ignore:.*torch.jit")
def test_a_file_of_code_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "inception.pt"
    torch.jit.script(nn.Linear(1, 1)).save(path)
    with pytest.raises(DataError, match="TorchScript"):
        InceptionFeatures(str(path), CPU)
