"""A diagram shows units, connections, shapes and numbers of parameters as they are in the network."""

from matplotlib.patches import Circle

from dltool.figures.diagram import Layer, Network, diagram


def texts(figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts if text.get_text()]


def test_few_units_are_drawn_with_every_connection() -> None:
    layers = [Layer("a", ("Linear", "Sigmoid"), (3,), 9, True, (-1,)), Layer("b", ("Linear",), (1,), 4, True, (0,))]
    (axes,) = diagram([Network("", (2,), layers)], title="mlp").axes
    assert sum(isinstance(patch, Circle) for patch in axes.patches) == 2 + 3 + 1
    assert len(axes.lines) == 2 * 3 + 3 * 1


def test_shapes_parameters_residual_connections_and_repeats() -> None:
    layers = [
        Layer("stem", ("Conv2d",), (16, 8, 8), 144, False, (-1,)),
        Layer("body", ("Conv2d", "ReLU"), (16, 8, 8), 2304, False, (0,), (0,), (3, 1)),
        Layer("fc", ("Linear",), (200,), 204_800, True, (1,)),
    ]
    found = texts(diagram([Network("", (1, 8, 8), layers)]))
    assert found.count("+") == 1
    assert "× 3" in found
    assert "body\nConv2d\nReLU\n16×8×8\n2,304 parameters" in found
    assert "fc\nLinear\n200 units\n204,800 parameters" in found


def test_a_panel_for_each_network() -> None:
    layers = [Layer("a", ("Linear",), (64,), 4160, True, (-1,))]
    figure = diagram([Network("generator", (64,), layers), Network("discriminator", (64,), layers)])
    assert [axes.get_title() for axes in figure.axes] == ["generator", "discriminator"]
