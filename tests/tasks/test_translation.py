import pytest
import torch
import torch.nn.functional as F

from dltool.build.metrics import with_metrics
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.core.spec import BEGIN, END, PAD, SPECIAL_TOKENS, UNKNOWN, DataSpec
from dltool.losses.cross_entropy import CrossEntropy
from dltool.metrics.bleu import sacrebleu
from dltool.metrics.exact_match import same_texts
from dltool.models.recurrent import GRU
from dltool.models.transformer import Transformer
from dltool.tasks.translation import TranslationTask, expected
from dltool.text.fitting import fit_tokenizer
from dltool.text.tokenizer import TokenizerSettings

TOKENIZER = fit_tokenizer(TokenizerSettings(), ["abcd"], SPECIAL_TOKENS)
SPEC = DataSpec(
    (5,),
    "sequence",
    output_dim=8,
    num_tokens=9,
    padded=True,
    num_target_tokens=8,
    max_target_length=6,
    target_tokenizer=TOKENIZER.to_json(),
)
SMALL = {Transformer: {"dim": 8, "depth": 1, "num_heads": 2, "hidden_dim": 16, "dropout": 0.0}, GRU: {"hidden_dim": 9}}


def batch():
    source = torch.tensor([[4, 5, PAD], [6, 7, 8], [5, 5, PAD]])
    target = torch.tensor([[BEGIN, 5, END, PAD], [BEGIN, 6, 7, END], [BEGIN, 4, END, PAD]])
    return Batch(source, target, 3)


def task_of(build=Transformer, **fields):
    torch.manual_seed(0)
    return with_metrics(TranslationTask(build(SPEC, **SMALL[build]), CrossEntropy(SPEC), SPEC, **fields), SPEC)


@pytest.mark.parametrize("build", [Transformer, GRU])
def test_each_token_from_the_true_ones_before_it(build):
    task, given = task_of(build), batch()
    mean, count, _ = task.loss(given)
    outputs = task.model(given.inputs, given.targets[:, :-1])
    wanted = [(0, 0, 5), (0, 1, END), (1, 0, 6), (1, 1, 7), (1, 2, END), (2, 0, 4), (2, 1, END)]
    terms = [-F.log_softmax(outputs[row, place], dim=0)[token] for row, place, token in wanted]
    assert int(count) == 7
    torch.testing.assert_close(mean, torch.stack(terms).mean())


@pytest.mark.parametrize("build", [Transformer, GRU])
@pytest.mark.parametrize("beam", [1, 3])
def test_learns_to_write_three_texts(build, beam):
    task, given = task_of(build, beam=beam), batch()
    optimizer = torch.optim.Adam(task.model.parameters(), lr=0.02)
    for _ in range(200):
        optimizer.zero_grad()
        task.loss(given).mean.backward()
        optimizer.step()
    task.model.eval()
    task.start_evaluation()
    with torch.no_grad():
        means = task.evaluate(given)
    values = task.finish_evaluation({name: float(mean.total) / float(mean.count) for name, mean in means.items()})
    assert values["exact_match"] == 1.0
    assert values["accuracy"] == 1.0
    assert task.texts(task.predict(given.inputs).outputs) == ["b", "cd", "a"]


def test_bleu_with_its_signature():
    pytest.importorskip("sacrebleu")
    task = task_of(metrics=["bleu"])
    task.start_evaluation()
    with torch.no_grad():
        task.evaluate(batch())
    values = task.finish_evaluation({"nll": 1.0, "loss": 1.0, "accuracy": 0.5})
    assert "exact_match" not in values
    assert values["bleu"] >= 0.0
    assert "version:" in task.remarks[0]


def test_bleu_without_the_library_names_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sacrebleu", None)
    with pytest.raises(ConfigError) as error:
        sacrebleu()
    assert error.value.hint == 'pip install "dltool-torch[text]"'


def test_a_wrong_length_is_no_match():
    written = torch.tensor([[5, END], [5, END], [5, 6]])
    targets = torch.tensor([[5, END, PAD], [5, 6, END], [5, 6, END]])
    assert same_texts(written, targets).tolist() == [True, False, False]


def test_nothing_is_expected_behind_the_end():
    assert expected(torch.tensor([[BEGIN, 4, END, PAD]])).tolist() == [[4, END, -100]]


def test_an_unknown_word_is_never_the_right_one(monkeypatch):
    pytest.importorskip("sacrebleu")
    task, given = task_of(metrics=["bleu"]), batch()
    given.targets[1, 2] = UNKNOWN
    monkeypatch.setattr(task, "write", lambda source: given.targets[:, 1:])  # All that is asked for.
    task.start_evaluation()
    with torch.no_grad():
        task.evaluate(given)
    right_words = task.metrics["bleu"].counts[2]
    assert right_words == 2
