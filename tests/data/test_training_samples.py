"""Fewer training samples, training samples in the order of their classes, and outliers among them."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.config.renamed import completed_tree
from dltool.core.errors import ConfigError, DataError
from dltool.core.randomness import generator
from dltool.data.builtin import diabetes, iris
from dltool.data.sample_data import SampleData
from dltool.data.synthetic import line, logic
from dltool.data.table_data import TableData

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def prepared(load: Any, seed: int = 0, **fields: Any) -> TableData:
    data = TableData(load, scaling="none", **fields)
    data.prepare(seed, CPU)
    return data


@pytest.mark.parametrize("load", [iris, diabetes, line])
def test_a_larger_number_adds_samples_to_a_smaller_one(load: Any) -> None:
    whole = prepared(load)
    total = whole.sizes["train"]
    subsets = [set(prepared(load, train_samples=n).splits["train"].places.tolist()) for n in (1, 7, 40, total)]
    assert [len(one) for one in subsets] == [1, 7, 40, total]
    for smaller, larger in itertools.pairwise(subsets):
        assert smaller < larger
    assert subsets[-1] == set(whole.splits["train"].places.tolist())


def test_what_is_held_out_stays_the_same() -> None:
    whole, few = prepared(iris), prepared(iris, train_samples=6)
    for split in ("val", "test"):
        assert few.splits[split].inputs.equal(whole.splits[split].inputs)
        assert few.splits[split].targets.equal(whole.splits[split].targets)


@pytest.mark.parametrize("count", [3, 6, 30, 99])
def test_each_class_keeps_its_share(count: int) -> None:
    labels = prepared(iris, train_samples=count).splits["train"].targets
    assert labels.bincount(minlength=3).tolist() == [count // 3] * 3


def test_the_seed_of_the_split_chooses_them_not_that_of_the_run() -> None:
    first = prepared(diabetes, train_samples=9).splits["train"].places
    assert first.equal(prepared(diabetes, seed=5, train_samples=9).splits["train"].places)
    assert not first.equal(prepared(diabetes, split_seed=5, train_samples=9).splits["train"].places)


def test_more_than_there_are_is_refused() -> None:
    with pytest.raises(DataError, match=r"data.train_samples=106: the training split of .* has 105 samples") as error:
        prepared(iris, train_samples=106)
    assert "data.train_samples=105" in str(error.value.hint)


def test_all_samples_are_held_out_where_nothing_is() -> None:
    data = prepared(logic, train_samples=3)
    assert data.sizes == {"train": 3, "val": 4, "test": 4}
    assert data.notes[0].endswith("the same 4 samples serve as train, val and test, 3 of them as train")


@pytest.mark.parametrize(
    "words",
    [
        ["data=digits", "model=lenet"],
        ["data=sorting", "model=transformer"],
        ["data=names", "data.path=names.txt", "model=lstm"],
        ["data=series", "data.path=series.csv", "model=lstm"],
    ],
)
def test_every_kind_of_samples(words: list[str], configure: Callable[..., Config]) -> None:
    Path("names.txt").write_text(
        "\n".join(f"{a}{b}{c}" for a in "abcde" for b in "xyzuv" for c in "pqr"), encoding="ascii"
    )
    Path("series.csv").write_text("y\n" + "\n".join(str(i % 7) for i in range(300)), encoding="ascii")
    dataset = prepare(configure(*words, "data.train_samples=24")).dataset
    whole = prepare(configure(*words)).dataset
    assert dataset.sizes == {**whole.sizes, "train": 24}
    assert len(dataset.train.draw().targets) > 0


def test_the_first_tokens_of_a_text_and_the_first_lines_of_a_corpus(configure: Callable[..., Config]) -> None:
    words = ["data=pydoc", "model=gpt", "data.length=8", "data.batch_size=2", "data.batching=crops"]
    whole, few = (prepare(configure(*words, f"data.train_samples={n}")).dataset for n in ("null", 100))
    assert few.sizes == {**whole.sizes, "train": 100}
    assert few.streams["train"].equal(whole.streams["train"][:100])
    assert few.spec == whole.spec
    with pytest.raises(DataError, match=r"data.train_samples=9999999: the training split of .* tokens"):
        prepare(configure(*words, "data.train_samples=9999999"))

    Path("lines.txt").write_text("\n".join(f"a b w{i % 3} w{i % 4}" for i in range(200)), encoding="ascii")
    words = ["data=corpus", "data.path=lines.txt", "model=word2vec"]
    whole, few = (prepare(configure(*words, f"data.train_samples={n}")).dataset for n in ("null", 30))
    assert few.sizes == {**whole.sizes, "train": 30 * 4}
    assert few.sources["train"].tokens.equal(whole.sources["train"].tokens[: 30 * 4])
    assert few.spec == whole.spec


def test_images_of_two_folders(configure: Callable[..., Config]) -> None:
    for name in "AB":
        Path("images", name).mkdir(parents=True)
        for number in range(12):
            Image.new("RGB", (16, 16), (20 * number, 0, 0)).save(Path("images", name, f"{number}.png"))
    words = ["data=unpaired_folders", "data.root=images", "model=cyclegan"]
    whole, few = (prepare(configure(*words, f"data.train_samples={n}")).dataset for n in ("null", 5))
    assert few.sizes == {**whole.sizes, "train": 10}
    assert [domain.sizes["train"] for domain in few.domains] == [5, 5]


def epoch_of(data: SampleData) -> tuple[list[int], list[int]]:
    """The samples and the labels of the next epoch."""
    source = data.train
    order = source.order(source.epoch)
    batches = [source.draw().targets for _ in range(source.batches_per_epoch)]
    return order.tolist(), torch.cat(batches).tolist()


def test_one_class_after_the_other() -> None:
    data = prepared(iris, order="by_class", batch_size=16)
    (first, labels), (second, again) = epoch_of(data), epoch_of(data)
    assert labels == again == sorted(labels) == sorted(data.splits["train"].targets.tolist())
    assert first != second  # Another order within each class.
    assert sorted(first) == list(range(105))


def test_the_order_of_the_data_within_each_class() -> None:
    order, labels = epoch_of(prepared(iris, order="by_class", shuffle=False))
    for label in range(3):
        members = [sample for sample, one in zip(order, labels, strict=True) if one == label]
        assert members == sorted(members)


def test_an_order_that_is_not_possible_is_refused() -> None:
    with pytest.raises(DataError, match=r"data.order=by_class needs classes, but the targets of line are numbers"):
        prepared(line, order="by_class")
    with pytest.raises(DataError, match=r"sampling=balanced draws them at random"):
        prepared(iris, order="by_class", sampling="balanced")


def test_texts_in_the_order_of_their_classes_are_not_grouped_by_length(configure: Callable[..., Config]) -> None:
    Path("t.csv").write_text(
        "text,label\n" + "\n".join(f"{'word ' * (i % 9 + 1)}{i % 2},{'ab'[i % 2]}" for i in range(100)),
        encoding="ascii",
    )
    words = ["data=text_csv", "data.path=t.csv", "data.text=text", "data.target=label", "model=lstm"]
    source = prepare(configure(*words, "data.order=by_class", "data.batch_size=8")).dataset.train
    labels = torch.cat([source.draw().targets for _ in range(source.batches_per_epoch)])
    assert labels.tolist() == sorted(labels.tolist())
    with pytest.raises(ConfigError, match=r"which need data.order=random"):
        prepare(configure(*words, "data.order=by_class", "data.batch_tokens=200"))


def test_outliers_are_a_share_of_the_training_targets_alone() -> None:
    clean, spoilt = prepared(line), prepared(lambda rng: line(rng, outliers=0.2))
    moved = spoilt.splits["train"].targets - clean.splits["train"].targets
    raised = moved > 5
    torch.testing.assert_close(moved[raised], torch.full_like(moved[raised], 10))
    assert moved[~raised].eq(0).all()
    assert abs(raised.float().mean().item() - 0.2) < 0.05
    for split in ("val", "test"):
        assert spoilt.splits[split].targets.equal(clean.splits[split].targets)
    assert spoilt.splits["train"].inputs.equal(clean.splits["train"].inputs)


def test_outliers_stay_with_their_samples() -> None:
    """Fewer samples have the same targets as among all; another seed of the split has other outliers."""
    raw = line(generator(0, "data"), outliers=0.3)
    few = prepared(lambda rng: line(rng, outliers=0.3), train_samples=20).splits["train"]
    assert raw.training_targets is not None
    torch.testing.assert_close(few.targets, raw.training_targets[few.places])
    assert raw.train.targets.equal(line(generator(0, "data")).train.targets)


def test_a_config_of_an_earlier_version() -> None:
    added = {"order": "random", "train_samples": None}
    assert completed_tree({"data": {"name": "own", "sampling": "all"}})["data"] == {
        "name": "own",
        "sampling": "all",
        **added,
    }
    assert completed_tree({"data": {"name": "line", "sampling": "all"}})["data"].items() >= {"outliers": 0.0}.items()
    assert "order" not in completed_tree({"data": {"name": "text"}})["data"]
    for key in ("batching", "block_size"):  # Of a text, and of a corpus.
        assert completed_tree({"data": {"name": "own", key: 1}})["data"] == {
            "name": "own",
            key: 1,
            "train_samples": None,
        }
