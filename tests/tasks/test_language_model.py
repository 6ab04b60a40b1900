import math

import pytest
import torch
import torch.nn.functional as F

from dltool.core.batch import Batch
from dltool.core.spec import BEGIN, END, IGNORED, PAD, SPECIAL_TOKENS, DataSpec
from dltool.losses.cross_entropy import CrossEntropy
from dltool.models.gpt import Gpt
from dltool.models.recurrent import LSTM
from dltool.tasks.cloze import ClozeTask
from dltool.tasks.language_model import LanguageModelTask
from dltool.text.fitting import fit_tokenizer
from dltool.text.tokenizer import STREAM_SPECIALS, TokenizerSettings

STREAM = fit_tokenizer(TokenizerSettings(), ["abcdefg"], STREAM_SPECIALS)
LINES = fit_tokenizer(TokenizerSettings(), ["abcdefg"], SPECIAL_TOKENS)


def spec_of(tokenizer, padded):
    size = len(tokenizer)
    return DataSpec(
        (6,),
        "next_token",
        output_dim=size,
        num_tokens=size,
        padded=padded,
        num_target_tokens=size,
        target_tokenizer=tokenizer.to_json(),
    )


def lstm_task(spec=None):
    torch.manual_seed(0)
    spec = spec or spec_of(STREAM, padded=False)
    return LanguageModelTask(LSTM(spec, embedding_dim=5, hidden_dim=7), CrossEntropy(spec), spec)


def stream_batches():
    tokens = torch.randint(1, 8, (3, 13))
    return [Batch(tokens[:, i : i + 4], tokens[:, i + 1 : i + 5], 3, continues=i > 0) for i in (0, 4, 8)], Batch(
        tokens[:, :12], tokens[:, 1:13], 3
    )


def measure(task, batches):
    task.model.eval()
    task.start_evaluation()
    sums = {}
    with torch.no_grad():
        for batch in batches:
            for name, mean in task.evaluate(batch).items():
                total, count = sums.get(name, (0.0, 0.0))
                sums[name] = (total + float(mean.total), count + float(mean.count))
    return task.finish_evaluation({name: total / count for name, (total, count) in sums.items()})


def test_carried_state_is_one_long_sequence():
    task, (batches, whole) = lstm_task(), stream_batches()
    expected = F.cross_entropy(task.model(whole.inputs).flatten(0, 1), whole.targets.flatten()).item()
    assert sum(task.loss(batch).mean.item() for batch in batches) / 3 == pytest.approx(expected, rel=1e-5)
    assert measure(task, batches)["loss"] == pytest.approx(expected, rel=1e-5)


def test_no_gradient_flows_through_the_carried_state():
    task, (batches, _) = lstm_task(), stream_batches()
    task.loss(batches[0])
    assert not any(part.requires_grad for part in task.state)
    task.loss(batches[1]).mean.backward()


def test_a_new_pass_begins_with_no_state():
    task, (batches, _) = lstm_task(), stream_batches()
    first = task.loss(batches[0]).mean.item()
    task.loss(batches[1])
    assert task.loss(batches[0]).mean.item() == first


def test_an_evaluation_leaves_the_training_s_state():
    task, (batches, _) = lstm_task(), stream_batches()
    task.loss(batches[0])
    before = task.state
    measure(task, batches)
    assert task.state is before


def test_the_state_comes_back():
    task, (batches, _) = lstm_task(), stream_batches()
    task.loss(batches[0])
    other = lstm_task()
    other.load_state_dict(task.state_dict())
    assert torch.equal(other.loss(batches[1]).mean, task.loss(batches[1]).mean)


def test_metrics_follow_from_the_likelihood():
    task, (batches, _) = lstm_task(), stream_batches()
    values = measure(task, batches)
    assert values["perplexity"] == pytest.approx(math.exp(values["loss"]))
    assert values["bits_per_character"] == pytest.approx(values["loss"] / math.log(2))
    assert set(values) == {"loss", "accuracy", "perplexity", "bits_per_character"}


def lines():
    """Two words of 2 and 4 letters, padded."""
    inputs = torch.tensor([[BEGIN, 4, 5, PAD, PAD], [BEGIN, 4, 6, 7, 8]])
    targets = torch.tensor([[4, 5, END, IGNORED, IGNORED], [4, 6, 7, 8, END]])
    return Batch(inputs, targets, 2)


@pytest.mark.parametrize("build", [Gpt, LSTM])
def test_padding_does_not_count(build):
    torch.manual_seed(0)
    spec = spec_of(LINES, padded=True)
    small = {"dim": 8, "depth": 1, "num_heads": 2} if build is Gpt else {"embedding_dim": 5, "hidden_dim": 7}
    task, batch = LanguageModelTask(build(spec, **small), CrossEntropy(spec), spec), lines()
    mean, count, _ = task.loss(batch)
    assert int(count) == 8
    short = Batch(batch.inputs[:1, :3], batch.targets[:1, :3], 1)
    long = Batch(batch.inputs[1:], batch.targets[1:], 1)
    apart = 3 * task.loss(short).mean + 5 * task.loss(long).mean
    torch.testing.assert_close(8 * mean, apart)


def test_label_smoothing_leaves_the_perplexity():
    spec = spec_of(STREAM, padded=False)
    plain, (batches, _) = lstm_task(), stream_batches()
    smooth = LanguageModelTask(plain.model, CrossEntropy(spec, label_smoothing=0.2), spec)
    values, expected = measure(smooth, batches), measure(plain, batches)
    assert values["perplexity"] == pytest.approx(expected["perplexity"])
    assert values["loss"] != pytest.approx(expected["loss"])


def cloze_task(masked):
    spec = spec_of(LINES, padded=True)
    torch.manual_seed(0)
    model = LSTM(spec, embedding_dim=5, hidden_dim=7, bidirectional=True)
    return ClozeTask(model, CrossEntropy(spec), spec, masked=masked)


def test_only_masked_tokens_are_told_and_padding_is_never_masked():
    task, batch = cloze_task(0.5), lines()
    hidden = torch.ones_like(batch.inputs, dtype=torch.bool)
    inputs, targets = task.hide(batch.inputs, batch.targets, hidden)
    assert (inputs == LINES.unknown).sum() == 8
    assert (targets != IGNORED).sum() == 8
    assert inputs[0, 3:].tolist() == [PAD, PAD]
    assert targets[0, :3].tolist() == batch.inputs[0, :3].tolist()
    inputs, targets = task.hide(batch.inputs, batch.targets, ~hidden)
    assert (targets != IGNORED).sum() == 1  # There is always one.


def test_cloze_is_measured_on_the_same_masks_each_time():
    task = cloze_task(0.4)
    assert measure(task, [lines(), lines()]) == measure(task, [lines(), lines()])
    loss = task.loss(lines())
    assert torch.isfinite(loss.mean)
    assert 1 <= int(loss.count) <= 8
