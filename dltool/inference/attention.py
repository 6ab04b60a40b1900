"""Draws where a run's network looks while it reads, or writes, one text."""

from pathlib import Path

import torch

from dltool.core.errors import ConfigError
from dltool.figures.attention import attention_heads
from dltool.figures.saving import save_figure
from dltool.inference.loaded_run import LoadedRun
from dltool.inference.predicting import preprocessing_for
from dltool.introspection.attention_maps import attention_maps

SUFFIXES = (".png", ".pdf", ".svg")


def draw_run_attention(run: LoadedRun, text: str, path: Path) -> list[Path]:
    """Draw every attention of the run's network for one text, a panel for each head.

    Of an encoder-decoder it is that of the text which the model writes by itself; where its decoder looks at the
    source, a row is named after the word that was written from there.

    Args:
        run: Of a model of texts.
        text: As `Run.predict` takes it.
        path: Of the picture; with several attentions, `name_<path in the network>.png` for each.

    Returns:
        The files.

    Raises:
        ConfigError: The model reads no text or has no attention, or a file cannot be written.
        DataError: The text is longer than the model can take.
    """
    preprocessing = preprocessing_for(run.task, run.preprocessing)
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path} is no picture: it ends in none of {', '.join(SUFFIXES)}", f"{path}.png")
    if not preprocessing.reads_texts:
        raise ConfigError(f"{run.title} reads no texts, for which attention is drawn", "without --attention")
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
        if "cross_attention" in name or name == "attention":  # The latter is a recurrent decoder's.
            queries, keys = written, read
        elif name.startswith("decoder"):
            queries = keys = begun
        else:
            queries = keys = read
        target = path if len(maps) == 1 else path.with_name(f"{path.stem}_{name}{path.suffix}")
        try:
            save_figure(attention_heads(weights.numpy(), queries, keys, f"{run.title}: {name}"), target)
        except OSError as error:
            raise ConfigError(f"{target.absolute()} cannot be written: {error.strerror}", "another file") from error
        drawn.append(target)
    return drawn
