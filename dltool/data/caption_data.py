"""Images with captions as targets."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dltool.core.errors import ConfigError
from dltool.core.spec import BEGIN, END, SPECIAL_TOKENS, DataSpec
from dltool.data.arrays import RawData, Split
from dltool.data.image_data import ImageData
from dltool.data.preprocessing import Preprocessing
from dltool.data.sample_data import LoadFunction
from dltool.data.scaling import Scaling
from dltool.data.text_preprocessing import padded
from dltool.declarations.component import Handling
from dltool.text.fitting import load_tokenizer
from dltool.text.tokenizer import TokenizerSettings


class CaptionData(ImageData):
    """Images as in ImageData; their targets are texts, from BEGIN to END.

    Args:
        load: Loads the data; `RawData.texts.targets` are the texts that the targets are indices of.
        target_tokenizer: How the texts become tokens.
        shared: See ImageData.
    """

    def __init__(
        self,
        load: LoadFunction,
        *,
        target_tokenizer: Handling[TokenizerSettings] = TokenizerSettings(),  # noqa: B008 (frozen)
        **shared: Any,
    ) -> None:
        super().__init__(load, **shared)
        self.target_tokenizer_settings = target_tokenizer

    def _shape(self, model_traits: Mapping[str, Any]) -> None:
        if self.augment.mixup or self.augment.cutmix:
            raise ConfigError(
                "data.augment.mixup and cutmix mix the targets, but these are texts",
                "data.augment.mixup=0 data.augment.cutmix=0",
            )
        super()._shape(model_traits)

    def _scale(self, raw: RawData, pixel_scaling: Scaling | None) -> tuple[float, float] | None:
        known = [raw.texts.targets[row] for row in self.splits["train"].targets.tolist()]
        settings = self.target_tokenizer_settings
        tokenizer = self._fit_tokenizer("data.target_tokenizer", settings, known, SPECIAL_TOKENS)
        self._encode_targets(raw, tokenizer.to_json())
        return super()._scale(raw, pixel_scaling)

    def _reuse(self, raw: RawData, preprocessing: Preprocessing) -> None:
        self._encode_targets(raw, self.spec.target_tokenizer)
        super()._reuse(raw, preprocessing)

    def _encode_targets(self, raw: RawData, saved_tokenizer: str) -> None:
        """Replace the indices of texts by their tokens, int64 `(N, U)`, right-padded."""
        self.target_tokenizer = saved_tokenizer
        encode = load_tokenizer(saved_tokenizer).encode
        for name, split in self.splits.items():
            captions = padded([[BEGIN, *encode(raw.texts.targets[row]), END] for row in split.targets.tolist()])
            self.splits[name] = Split(split.inputs, captions.long(), split.rows)

    def _describe(self, raw: RawData, input_range: tuple[float, float] | None) -> DataSpec:
        return replace(
            super()._describe(raw, input_range),
            num_target_tokens=len(load_tokenizer(self.target_tokenizer)),
            max_target_length=max(split.targets.shape[1] for split in self.splits.values()),
            target_tokenizer=self.target_tokenizer,
        )
