"""Plots the attention of a run's network over one text."""

from pathlib import Path

import torch

from dltool.core.errors import ConfigError
from dltool.figures.attention import attention_heads
from dltool.figures.saving import save_figure
from dltool.figures.words import word
from dltool.inference.loaded_run import LoadedRun
from dltool.inference.predicting import preprocessing_for
from dltool.introspection.attention_maps import attention_maps

SUFFIXES = (".png", ".pdf", ".svg")


def draw_run_attention(run: LoadedRun, text: str, path: Path) -> list[Path]:
    """Plot every attention layer of the run's network for one text, with a panel for each head.

    For an encoder-decoder the target is the text that the model generates; in the cross-attention each row is labelled
    with the generated word.

    Args:
        run: The run of a text model.
        text: As `Run.predict` takes it.
        path: The image file; with several attention layers, `name_<path in the network>.png` for each.

    Returns:
        The files.

    Raises:
        ConfigError: The model reads no text or has no attention, or a file cannot be written.
        DataError: The text is longer than the model allows.
    """
    preprocessing = preprocessing_for(run.task, run.preprocessing)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(
            f"{path} is not an image file: its name must end in one of {', '.join(SUFFIXES)}", f"{path}.png"
        )
    if not preprocessing.reads_texts:
        raise ConfigError(
            f"{run.title} reads no texts, but --attention plots the attention over a text", "without --attention"
        )
    inputs = [preprocessing.encode_texts([text]).to(run.device)]
    read = [preprocessing.tokenizer.name(token) for token in inputs[0][0].tolist()]
    begun, written = read, read
    with torch.no_grad():
        decoded = run.task.decoded_text(inputs[0])
    if decoded is not None:
        inputs.append(decoded.inputs)
        begun, written = decoded.read, decoded.written
    maps = attention_maps(run.model, *inputs)
    if not maps:
        raise ConfigError(f"the model of {run.title} has no attention", "without --attention")
    drawn = []
    for name, weights in maps.items():
        if "cross_attention" in name or name == "attention":  # A recurrent decoder has the latter.
            queries, keys = written, read
        elif name.startswith("decoder"):
            queries = keys = begun
        else:
            queries = keys = read
        target = path if len(maps) == 1 else path.with_name(f"{path.stem}_{name}{path.suffix}")
        title = word("{title}: {layer}", title=run.figure_title, layer=name)
        try:
            save_figure(attention_heads(weights.numpy(), queries, keys, title), target)
        except OSError as error:
            raise ConfigError(f"{target.absolute()} cannot be written: {error.strerror}", "another file") from error
        drawn.append(target)
    return drawn
