import numpy as np

from dltool.figures.calibration import reliability_diagram


def test_bars_are_the_accuracies_of_the_bins_that_have_samples() -> None:
    sums = np.array([[10.0, 0.0, 20.0], [2.0, 0.0, 19.0], [3.0, 0.0, 18.0]])
    upper, lower = reliability_diagram(sums, "lenet").axes
    assert [bar.get_height() for bar in upper.patches] == [0.2, 0.95]
    assert [bar.get_height() for bar in lower.patches] == [1 / 3, 0, 2 / 3]
    assert upper.get_title(loc="left") == f"lenet: calibration error {2 / 30:.4f}"
