import pytest

from dltool.core.language import Language
from dltool.core.titles import training_title


@pytest.mark.parametrize(("language", "title"), [("en", "lenet on digits"), ("zh", "digits 上的 lenet")])
def test_the_title_in_both_languages(language: Language, title: str) -> None:
    assert training_title("lenet", "digits", language) == title
