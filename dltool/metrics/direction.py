"""Whether less or more of a metric is better."""

SMALLER_IS_BETTER = ("loss", "error", "mae", "mse", "rmse", "perplexity", "penalty", "nll")


def metric_direction(metric: str, mode: str = "auto") -> str:
    """The direction "min" or "max" of a metric such as "val/loss"; "auto" goes by its name."""
    if mode != "auto":
        return mode
    return "min" if metric.rpartition("/")[2].split("_")[-1] in SMALLER_IS_BETTER else "max"
