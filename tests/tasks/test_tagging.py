import torch
from torch import nn

from dltool.core.spec import DataSpec
from dltool.losses.cross_entropy import CrossEntropy
from dltool.tasks.tagging import TaggingTask

TAGS = DataSpec((5,), "tags", ("a", "b", "c"), output_dim=3, num_tokens=9, padded=True)


def test_probabilities_are_those_of_the_tags_at_each_position() -> None:
    task = TaggingTask(nn.Identity(), CrossEntropy(TAGS), TAGS)
    outputs = torch.randn(2, 5, 3)
    probabilities = task.probabilities(outputs)
    assert probabilities is not None
    torch.testing.assert_close(probabilities, outputs.softmax(dim=2))
    torch.testing.assert_close(probabilities, task.interpret(outputs).probabilities)
