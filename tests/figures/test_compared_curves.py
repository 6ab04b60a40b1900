from pathlib import Path

import pytest
from PIL import Image

from dltool.figures.compared_curves import MAX_LEGEND, Curve, compared_curves
from dltool.figures.saving import save_figure


@pytest.mark.parametrize("num_curves", [1, 3, MAX_LEGEND + 6])
@pytest.mark.parametrize("name", ["picture.png", "图.svg"])
def test_pictures(tmp_path: Path, num_curves: int, name: str, recwarn: pytest.WarningsRecorder) -> None:
    values = [[1.0 + n, float("nan") if n == 1 else 0.001 * (n + 1)] for n in range(num_curves)]
    curves = [
        Curve(f"optim.lr={n} $x", [(1.0, first, 0.1 * n), (2.0, second, 0.0)])
        for n, (first, second) in enumerate(values)
    ]
    panels = {"val/loss": curves, "train/loss": [Curve(curve.label, []) for curve in curves]}
    save_figure(compared_curves(panels, title="lenet on digits", unit="epoch", note="bands"), tmp_path / name)
    assert not recwarn.list
    if name.endswith(".png"):
        with Image.open(tmp_path / name) as image:
            shades = image.convert("RGB").getcolors(maxcolors=1 << 24)
        assert shades is not None
        assert len([color for _, color in shades if max(color) - min(color) > 100]) >= num_curves
    else:
        assert (tmp_path / name).read_text().startswith("<?xml")
