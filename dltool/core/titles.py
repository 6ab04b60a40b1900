"""The title of a training: its model and its data."""

from dltool.core.language import Language

TITLES: dict[Language, str] = {"en": "{model} on {data}", "zh": "{data} 上的 {model}"}


def training_title(model: str, data: str, language: Language = "en") -> str:
    """A title such as "lenet on digits".

    Args:
        model: The name of the model.
        data: The name of the data.
        language: Messages are in English; figures and pages also in Chinese.
    """
    return TITLES[language].format(model=model, data=data)
