"""What the pictures of a run show: the section of the page, a title, and what to look for."""

from typing import NamedTuple

from dltool.report.words import word


class Caption(NamedTuple):
    """Of the pictures whose name begins with a word.

    Attributes:
        section: The id of the section.
        title: The heading.
        text: What is drawn, and what to see in it.
    """

    section: str
    title: str
    text: str


SECTIONS = {
    "samples": "Samples",
    "predictions": "Predictions and mistakes",
    "diagnostics": "Why it learns, or does not",
    "search": "The search",
    "network": "The network",
    "data": "The data",
    "other": "Other pictures",
}

# By the beginning of the file's name, the longest that fits.
CAPTIONS = {
    "confusion": Caption(
        "predictions",
        "Confusion",
        "Rows are true classes, columns predicted ones. What lies off the diagonal are mistakes; a dark cell there "
        "names two classes that the network takes for each other.",
    ),
    "misclassified": Caption(
        "predictions",
        "The surest mistakes",
        "Held-out samples of which the network was most sure and wrong. Look for wrong labels and for what they share.",
    ),
    "attacked": Caption(
        "predictions", "Attacked images", "Small changes along the gradient's sign that change the predicted class."
    ),
    "attack": Caption(
        "predictions",
        "Loss and accuracy under attack",
        "The loss along the sign of its gradient against random signs, and the accuracy for growing changes.",
    ),
    "calibration": Caption(
        "predictions",
        "Calibration",
        "How often predictions of a given probability are right. On the diagonal the probability can be believed.",
    ),
    "reliability": Caption(
        "predictions",
        "Calibration",
        "How often predictions of a given probability are right. On the diagonal the probability can be believed.",
    ),
    "forecast": Caption(
        "predictions", "Forecasts", "The history, the forecast and what happened, beside forecasts without a model."
    ),
    "reconstructions": Caption("samples", "Reconstructions", "Held-out inputs above, their reconstructions below."),
    "denoising": Caption(
        "samples",
        "Denoising",
        "Columns go from noise to the sample; below each stage is the image that the network predicts from it.",
    ),
    "latent_plane": Caption(
        "samples",
        "The latent space",
        "Where held-out samples lie in the plane of the two most varying directions, and what is decoded there.",
    ),
    "boundary": Caption(
        "diagnostics",
        "Decision boundary",
        "What the network predicts over the plane of its inputs, with the training points. The line is where the most "
        "probable class changes.",
    ),
    "boundary_film": Caption(
        "diagnostics",
        "Decision boundary while training",
        "The predictions over the plane with the weights of each step.",
    ),
    "fit": Caption(
        "diagnostics",
        "The fitted curve",
        "The prediction over the input with the training points; residuals that show a pattern are not noise.",
    ),
    "layers": Caption(
        "diagnostics",
        "Layers in training",
        "A row for each layer, time from left to right. Gradients that fall by orders of magnitude from the last layer "
        "to the first vanish; a share of zeros near 1 means dead units.",
    ),
    "layer_norms": Caption(
        "diagnostics",
        "Gradients by layer",
        "The size of the gradient at each layer, dashed what theory predicts from the weights (arXiv:1611.01232).",
    ),
    "surface": Caption(
        "diagnostics",
        "The loss over the parameters",
        "Contours of the loss with the path of the training; descent crosses contours at a right angle.",
    ),
    "distance": Caption(
        "diagnostics",
        "Distance from the minimum",
        "How far the parameters and the loss are from the minimum, step by step.",
    ),
    "step_sizes": Caption(
        "diagnostics",
        "The steps",
        "The rate that the optimizer has for each parameter, and the change of the loss in a step over that predicted "
        "by its gradient: 1 where steps are small, 0 where the loss stays.",
    ),
    "plane": Caption(
        "diagnostics",
        "A slice of the loss",
        "The training loss around the end of the training, over a plane through the parameters.",
    ),
    "functions": Caption(
        "diagnostics",
        "Activations and losses",
        "The functions of the network with a histogram of where the data lies on them. Mass where the slope is near 0 "
        "does not learn.",
    ),
    "game": Caption(
        "diagnostics",
        "The game",
        "The discriminator over the data space with real and generated samples. At equilibrium it is ½.",
    ),
    "game_film": Caption(
        "diagnostics", "The game while training", "The discriminator and the samples with the weights of each step."
    ),
    "stopping": Caption(
        "diagnostics",
        "What stops the training",
        "The quantities that the stopping rules watch, with their thresholds.",
    ),
    "features": Caption(
        "diagnostics",
        "Features",
        "Held-out samples by class along two principal components: of the inputs, and of the last hidden layer. What "
        "the network separates lies apart there.",
    ),
    "response": Caption(
        "diagnostics", "Response to a shift", "The maps of a convolution for an image and for the image shifted."
    ),
    "words": Caption(
        "diagnostics", "Word vectors", "Words along two principal components; words used alike lie close together."
    ),
    "weights": Caption(
        "diagnostics",
        "Weights",
        "Histograms of the weights, all together and by layer. A peak at 0 with long tails is a sparse layer.",
    ),
    "memory": Caption("diagnostics", "Memory", "Gates and states of a recurrent layer over time."),
    "sweep": Caption("diagnostics", "The swept key", "Training and held-out metrics against the values of the key."),
    "gradient_over_time": Caption(
        "diagnostics",
        "Gradient over time",
        "How strongly the last output depends on inputs further back; a steep fall means short memory.",
    ),
    "range_test": Caption(
        "diagnostics",
        "Learning-rate range test",
        "The loss while the rate grows. A good rate lies where the loss falls steeply, well before it rises.",
    ),
    "history": Caption("search", "The trials", "The metric of each trial in order, with the best so far."),
    "space": Caption("search", "The search space", "The metric against each setting, a point for each trial."),
    "kernels": Caption("network", "First kernels", "The weights of the first convolution as images."),
    "feature_maps": Caption("network", "Feature maps", "What each convolution makes of one held-out image."),
    "attention": Caption("network", "Attention", "Which positions each query attends to, a head in each panel."),
    "receptive_field": Caption("network", "Receptive fields", "The pixels that reach one unit, and how strongly."),
    "network": Caption("network", "Diagram", "The layers with the shapes of their outputs; dashed are residual paths."),
    "augmented": Caption("data", "Training images", "Images as the network sees them, after random augmentation."),
    "curves": Caption("", "Curves", "The page draws them itself."),
    "metrics": Caption("predictions", "Metrics", "A metric as a picture."),
}
OTHER = Caption("other", "", "")


def caption_of(stem: str) -> Caption:
    """The caption for the name of a picture, without its ending."""
    fitting = [start for start in CAPTIONS if stem == start or stem.startswith(start + "_")]
    if not fitting:
        return OTHER._replace(title=stem.replace("_", " "))
    longest = max(fitting, key=len)
    found = CAPTIONS[longest]
    rest = stem.removeprefix(longest).strip("_").replace("_", " ")
    return found._replace(title=word("{title}: {part}", title=word(found.title), part=rest) if rest else found.title)
