"""A diagram shows units, connections, shapes and numbers of parameters as they are in the network."""

from matplotlib.patches import Circle

from dltool.figures.diagram import INPUT, ROW_LENGTH, Layer, Network, diagram, rows_of


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


def test_a_deep_network_is_drawn_in_rows_and_no_layer_is_lost() -> None:
    layers = [Layer(f"layer{place}", ("Linear",), (64,), 4160, True, (place - 1,)) for place in range(40)]
    layers[30] = layers[30]._replace(added=(3,))
    network = Network("", (64,), layers)
    rows = rows_of(network)
    assert [place for row in rows for place in range(row.first, row.last + 1)] == list(range(INPUT, 40))
    lengths = [row.last - row.first + 1 for row in rows]
    assert max(lengths) <= ROW_LENGTH + 1
    assert max(lengths) - min(lengths) <= 1
    figure = diagram([network])
    names = [text.split("\n")[0] for text in texts(figure)]
    assert [name for name in names if name.startswith("layer")] == [f"layer{place}" for place in range(40)]
    assert names.count("+") == 1
    assert figure.get_figwidth() < 18
