import torch

from dltool.core.spec import DataSpec
from dltool.models.perceptron import Perceptron


def test_step_of_the_preactivation():
    model = Perceptron(DataSpec((2,), "binary", ("0", "1")))
    inputs = torch.tensor([[1.0, 2.0], [3.0, -5.0], [1.0, -1.0]])
    assert model(inputs).flatten().tolist() == [0, 0, 0]
    with torch.no_grad():
        model.linear.weight.fill_(1)
    assert model.preactivation(inputs).flatten().tolist() == [3, -2, 0]
    assert model(inputs).flatten().tolist() == [1, 0, 0]
