from dltool.figures.study import SpaceAxis, TrialPoint, search_history, search_space, trial_curves

TRIALS = [
    TrialPoint(0, 0.5, True, [(1, 0.7), (2, 0.5)], {"optim.lr": 0.1, "model": 1.0}),
    TrialPoint(1, 0.9, False, [(1, 0.9)], {"optim.lr": 0.01, "model": 0.0}),
    TrialPoint(3, 0.6, True, [(1, 0.8), (2, 0.6)], {"optim.lr": 1.0}),
]


def test_the_best_of_the_finished_so_far() -> None:
    for direction, best in (("min", [0.5, 0.5]), ("max", [0.5, 0.6])):
        (axes,) = search_history(TRIALS, "$study", "val/loss", direction).axes
        (line,) = axes.lines
        assert (list(line.get_xdata()), list(line.get_ydata())) == ([0, 3], best)
        assert [len(points.get_offsets()) for points in axes.collections] == [1, 2]  # Pruned, finished.


def test_a_panel_a_dimension() -> None:
    space = [SpaceAxis("optim.lr", log=True), SpaceAxis("model", ("mlp", "lenet"))]
    rate, model = search_space(TRIALS, space, "study", "val/loss").axes
    assert (rate.get_xscale(), model.get_xscale()) == ("log", "linear")
    assert [label.get_text() for label in model.get_xticklabels()] == ["mlp", "lenet"]
    assert [len(points.get_offsets()) for points in model.collections] == [1, 1]


def test_a_curve_a_trial_the_best_over_the_others() -> None:
    (axes,) = trial_curves(TRIALS, "study", "val/loss", best=3).axes
    curves = axes.lines[: 2 * len(TRIALS) : 2]
    assert [line.get_linewidth() for line in curves] == [1, 1, 2]
    assert list(curves[0].get_ydata()) == [0.9]
