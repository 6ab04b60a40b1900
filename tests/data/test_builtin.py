import pytest
import torch

from dltool.data import builtin
from dltool.data.arrays import check_data

RNG = torch.Generator()

# Sums of all inputs (digits: of the raw 0 … 16) and class counts, from the sources' own descriptions.
TABLES = {
    "iris": ((150, 4), 2078.7, [50, 50, 50]),
    "wine": ((178, 13), 159975.296, [59, 71, 48]),
    "breast_cancer": ((569, 30), 1056474.46, [357, 212]),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables(name):
    shape, total, counts = TABLES[name]
    raw = getattr(builtin, name)(RNG)
    check_data(raw)
    assert raw.train.inputs.shape == shape
    assert raw.train.inputs.double().sum().item() == pytest.approx(total, rel=1e-7)
    assert raw.train.targets.bincount().tolist() == counts
    assert len(raw.class_names) == len(counts)
    assert len(raw.feature_names) == shape[1]


@pytest.mark.parametrize("name", [*TABLES, "diabetes"])
def test_numbers_are_those_of_the_file_until_they_are_scaled(name):
    raw = getattr(builtin, name)(RNG)
    _, rows = builtin.read_table(f"{name}.csv.gz" if name == "breast_cancer" else f"{name}.csv")
    assert raw.train.inputs[7].tolist() == [float(cell) for cell in rows[7][:-1]]


def test_digits_spread_17_greys_over_a_byte():
    raw = builtin.digits(RNG)
    check_data(raw)
    assert raw.train.inputs.shape == (1797, 1, 8, 8)
    assert raw.train.targets.bincount().tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    greys = raw.train.inputs.unique()
    assert (len(greys), greys[0], greys[-1]) == (17, 0, 255)
    assert (raw.train.inputs.double() * 16 / 255).round().sum() == 561718
    assert raw.train.inputs[0, 0, 0].tolist() == [0, 0, 80, 207, 143, 16, 0, 0]  # 0 0 5 13 9 1 0 0


def test_diabetes_is_raw():
    raw = builtin.diabetes(RNG)
    check_data(raw)
    assert raw.train.inputs.shape == (442, 10)
    assert raw.feature_names == ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
    assert raw.train.inputs[:, 0].sum() == 21445
    assert raw.train.inputs[:, 1].unique().tolist() == [1, 2]
    assert raw.train.targets.shape == (442, 1)
    assert raw.train.targets.sum() == 67243


@pytest.mark.parametrize("name", ["digits", "iris", "wine", "breast_cancer", "diabetes"])
def test_equal_to_the_copies_of_scikit_learn(name):
    datasets = pytest.importorskip("sklearn.datasets")
    theirs = datasets.load_diabetes(scaled=False) if name == "diabetes" else getattr(datasets, f"load_{name}")()
    options = {"positive": None} if name == "breast_cancer" else {}  # Theirs is benign.
    ours = getattr(builtin, name)(RNG, **options).train
    inputs = (ours.inputs.double() * 16 / 255).round().flatten(1) if name == "digits" else ours.inputs
    torch.testing.assert_close(inputs.float(), torch.from_numpy(theirs.data).float(), rtol=1e-6, atol=0)
    assert ours.targets.flatten().tolist() == theirs.target.tolist()


def test_every_file_has_its_source_and_licence():
    text = (builtin.FOLDER / "README.md").read_text(encoding="utf-8")
    files = [path.name for path in builtin.FOLDER.iterdir() if path.name != "README.md"]
    assert len(files) == 6
    for name in files:
        assert f"| {name} |" in text
