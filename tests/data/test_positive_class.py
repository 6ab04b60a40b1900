"""The positive class of two, for data other than tables of one's own."""

import pytest
import torch
from synthetic_images import write_pictures

from dltool.build.metrics import chosen_metrics
from dltool.config.renamed import completed_tree
from dltool.core.errors import ConfigError, DataError
from dltool.core.spec import DataSpec
from dltool.data.builtin import breast_cancer
from dltool.data.image_folder import image_folder
from dltool.data.synthetic import logic, moons
from dltool.data.text_csv import text_csv

RNG = torch.Generator()


def test_the_rarer_class_unless_another_is_named():
    raw = breast_cancer(RNG)
    assert (raw.class_names, raw.choices) == (("benign", "malignant"), {"data.positive": "malignant"})
    assert raw.train.targets.sum() == 212
    for positive in (None, "benign"):
        assert breast_cancer(RNG, positive=positive).class_names == ("malignant", "benign")
    with pytest.raises(DataError, match=r"data.positive=ill is none of two classes"):
        breast_cancer(RNG, positive="ill")


def test_generated_data_keeps_its_definition():
    assert logic(RNG, function="or").class_names == ("false", "true")
    assert moons(RNG).class_names == ("upper", "lower")
    assert logic(RNG, function="or", positive="auto").class_names == ("true", "false")


def test_folders_and_texts(tmp_path):
    root = write_pictures(tmp_path / "photographs", ("ants", "bees"), 4, side=8)
    assert image_folder(RNG, root=str(root)).class_names == ("ants", "bees")  # Equally many: the last by name.
    raw = image_folder(RNG, root=str(root), positive="ants")
    assert raw.class_names == ("bees", "ants")
    assert {raw.files.paths[row].split("/")[0] for row in raw.train.inputs[raw.train.targets == 1]} == {"ants"}
    path = tmp_path / "t.csv"
    path.write_text("text,label\n" + "good film,pos\nbad film,neg\nworse film,neg\nworst film,neg\n", encoding="utf-8")
    raw = text_csv(RNG, path=str(path), text="text", target="label")
    assert (raw.class_names, raw.train.targets.tolist()) == (("neg", "pos"), [1, 0, 0, 0])
    assert text_csv(RNG, path=str(path), text="text", target="label", positive="neg").class_names == ("pos", "neg")


def test_configs_of_earlier_versions_keep_the_last_by_name():
    for name in ("breast_cancer", "image_folder", "text_csv"):
        assert completed_tree({"data": {"name": name}})["data"]["positive"] is None


def test_metrics_and_loss_of_two_classes_fit_any_data_with_two(configure):
    two, three = DataSpec((1,), class_names=("a", "b")), DataSpec((1,), class_names=("a", "b", "c"))
    assert set(chosen_metrics(["precision", "recall", "f1"], two)) == {"precision", "recall", "f1"}
    with pytest.raises(ConfigError, match="precision: does not fit targets that are classes"):
        chosen_metrics(["precision"], three)
    configure("data=image_folder", "loss=binary_cross_entropy", "loss.pos_weight=balanced")
    with pytest.raises(ConfigError, match="does not fit data=digits, whose targets are classes"):
        configure("data=digits", "loss=binary_cross_entropy")
