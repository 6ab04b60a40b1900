"""Whether less or more of a metric is better."""

SMALLER_IS_BETTER = ("loss", "error", "mae", "mse", "rmse", "perplexity", "penalty", "nll", "uniform", "copies")
DISTANCES = ("fd", "fid", "kid")


def metric_direction(metric: str, mode: str = "auto") -> str:
    """The direction "min" or "max" of a metric such as "val/loss"; "auto" goes by its name."""
    if mode != "auto":
        return mode
    words = metric.rpartition("/")[2].split("_")
    return "min" if words[-1] in SMALLER_IS_BETTER or words[0] in DISTANCES else "max"
