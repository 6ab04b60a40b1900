"""What a pattern over parameter names means."""

import pytest

from dltool.core.errors import ConfigError
from dltool.core.patterns import check_patterns, fits

NAMES = ["features.0.weight", "features.0.bias", "features.10.weight", "classifier.0.weight", "scale"]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", NAMES),
        ("features", NAMES[:3]),
        ("features.*", NAMES[:3]),
        ("features.0", NAMES[:2]),  # And not features.10.
        ("features.1*", NAMES[2:3]),
        ("*.bias", NAMES[1:2]),
        ("[cs]*", NAMES[3:]),
        ("feature", []),
        ("Features", []),
    ],
)
def test_fits(pattern: str, expected: list[str]) -> None:
    assert [name for name in NAMES if fits(pattern, name)] == expected


@pytest.mark.parametrize(
    ("pattern", "hint"),
    [
        ("feature", "did you mean features?"),
        ("clasifier.0.*", "did you mean classifier.0?"),
        ("scal", "did you mean scale?"),
        ("conv*", "`dltool show` prints the layers with their names; * matches any part"),
    ],
)
def test_one_that_fits_nothing_is_an_error_with_the_nearest(pattern: str, hint: str) -> None:
    with pytest.raises(
        ConfigError, match=r"model\.freeze: .* are features\.0, features\.10, classifier\.0, scale"
    ) as error:
        check_patterns("model.freeze", ["*", pattern], NAMES)
    assert error.value.hint == hint
