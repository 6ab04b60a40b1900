"""The table of layers, for every model, without computing anything."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from synthetic_texts import write_every_text

from dltool.config.check import Config
from dltool.core.spec import DataSpec
from dltool.declarations.options import option_files
from dltool.introspection.summary import layer_table
from dltool.models.recurrent import LSTM
from dltool.training.show import describe_model

# For models that do not take the digits.
DATA = {
    "perceptron": "logic",
    "cyclegan": "digit_pairs",
    "gpt": "pydoc",
    "transformer": "numbers",
    "bag_of_words": "text_csv",
    "word2vec": "corpus",
}


@pytest.mark.parametrize("model", option_files("model"))
def test_every_model_has_its_table(model: str, configure: Callable[..., Config], tmp_path: Path) -> None:
    if model == "timm":
        pytest.importorskip("timm")
    option = DATA.get(model, "digits")
    fields = [f"data.{key}={value}" for key, value in write_every_text(tmp_path).get(option, {}).items()]
    lines = describe_model(configure(f"model={model}", f"data={option}", *fields)).splitlines()
    assert lines[-1].startswith("total")
    assert len(lines) >= 5


def test_the_numbers_by_hand() -> None:
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(288, 5))
    table = [line.split() for line in layer_table(model, DataSpec((3, 8, 8))).splitlines()]
    assert table[0] == ["layer", "type", "output", "receptive", "field", "jump", "parameters", "multiply-adds"]
    assert table[3] == ["0", "Conv2d", "8×6×6", "3×3", "1", str(8 * 27 + 8), f"{8 * 27 * 36:,}"]
    assert table[5] == ["2", "Flatten", "288", "0", "0"]
    assert table[6] == ["3", "Linear", "5", "all", f"{288 * 5 + 5:,}", f"{288 * 5:,}"]
    assert table[-1] == ["total", "Sequential", "5", f"{8 * 27 + 8 + 288 * 5 + 5:,}", f"{8 * 27 * 36 + 288 * 5:,}"]


@pytest.mark.parametrize("shape", [(4,), (1, 2, 2)])
def test_what_looks_at_no_part_of_an_image_has_no_receptive_fields(shape: tuple[int, ...]) -> None:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 2))
    assert "receptive field" not in layer_table(model, DataSpec(shape))


def test_the_model_stays_in_training_mode() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(2, 2))
    layer_table(model, DataSpec((2,)))
    assert model.training


def test_a_layer_that_gives_its_state_too_has_the_shape_of_its_features() -> None:
    model = LSTM(DataSpec((5, 3), "numbers"), hidden_dim=4)
    table = [line.split() for line in layer_table(model, DataSpec((5, 3))).splitlines()]
    assert table[3][:4] == ["layers.forwards", "LSTM", "5×4", f"{4 * (3 * 4 + 4 * 4 + 2 * 4)}"]


def test_tokens_and_a_sequence_to_give_have_their_table_too() -> None:
    spec = DataSpec((5,), "sequence", output_dim=9, num_tokens=7, padded=True, num_target_tokens=9, max_target_length=6)
    table = layer_table(LSTM(spec, embedding_dim=4, hidden_dim=4).to("meta"), spec)
    rows = {row[0]: row[1:] for row in (line.split() for line in table.splitlines())}
    assert rows["input"] == ["5"]
    assert rows["encoder.inputs.embedding"][:3] == ["Embedding", "5×4", "28"]
    assert rows["attention.key"][:2] == ["Linear", "5×4"]
    assert rows["head"][:2] == ["Linear", "6×9"]
