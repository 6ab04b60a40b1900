"""Whether less or more of a metric is better."""

SMALLER_IS_BETTER = {
    *("loss", "error", "mae", "mse", "rmse", "perplexity", "penalty", "nll"),
    *("neg", "reconstruction", "kl"),  # neg_elbo, kl_to_uniform
    *("fd", "fid", "kid", "copies"),
}


def metric_direction(metric: str, mode: str = "auto") -> str:
    """The direction "min" or "max" of a metric such as "val/loss"; "auto" goes by the words of its name."""
    if mode != "auto":
        return mode
    return "max" if SMALLER_IS_BETTER.isdisjoint(metric.rpartition("/")[2].split("_")) else "min"
