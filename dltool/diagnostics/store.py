"""The folder diagnostics/ of a run: numbers of each measured step, and the weights of some steps.

`layers.jsonl` has a line per measured step, {"step": 100, "layers": {name: {quantity: value}}}, and for a plain fully
connected network "predicted", the norms of δ by theory; see dltool.diagnostics.layer_statistics and theory.
`weights/000100.safetensors` has the parameters and buffers before step 100; `points.safetensors` has training points,
if they have at most two numbers; `sample.safetensors` has the first training sample. A
resumed training removes what lies after its checkpoint, and measures it again with the same result.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from dltool.core.safe_path import SafePath, read_regular

NAME = "diagnostics"
LAYERS, WEIGHTS, POINTS, SAMPLE = "layers.jsonl", "weights", "points.safetensors", "sample.safetensors"
WEIGHT_BYTES = 48 * 2**20
LAYER_BYTES = 12 * 2**20


class DiagnosticsStore:
    """Writes the measurements of a run.

    Args:
        folder: The run folder's `diagnostics`.
    """

    def __init__(self, folder: SafePath) -> None:
        self.folder = folder
        self.layer_bytes = 0

    def cut_back(self, step: int) -> None:
        """Remove the measurements at `step` and later."""
        path = (self.folder / LAYERS).path
        if path.exists():
            lines = read_regular(path).splitlines(keepends=True)
            kept = [line for line in lines if line.endswith(b"\n") and json.loads(line)["step"] < step]
            self.layer_bytes = sum(map(len, kept))
            if len(kept) < len(lines):
                (self.folder / LAYERS).write(b"".join(kept))
        for found, file in weight_files(self.folder.path):
            if found >= step:
                (self.folder / WEIGHTS / file.name).remove()

    def add_layers(
        self, step: int, layers: Mapping[str, Mapping[str, float]], predicted: Sequence[float] | None = None
    ) -> bool:
        """Append a line; False if the file has reached its largest size, and nothing was written."""
        finite = {
            name: {key: value if math.isfinite(value) else None for key, value in numbers.items()}
            for name, numbers in layers.items()
        }
        record: dict[str, Any] = {"step": step, "layers": finite}
        if predicted is not None and all(map(math.isfinite, predicted)):
            record["predicted"] = list(predicted)
        line = json.dumps(record, allow_nan=False).encode() + b"\n"
        if self.layer_bytes + len(line) > LAYER_BYTES:
            return False
        with (self.folder / LAYERS).append() as file:
            file.write(line)
        self.layer_bytes += len(line)
        return True

    def add_weights(self, step: int, state: Mapping[str, Tensor]) -> None:
        """Write the weights before a step, in the order of the state dict."""
        from safetensors.torch import save

        content = save({name: tensor.detach().cpu().clone() for name, tensor in state.items()})  # Tied weights twice.
        (self.folder / WEIGHTS / f"{step:06d}.safetensors").write(content, durable=False)

    def keep_points(self, inputs: Tensor, targets: Tensor) -> None:
        """Write training points, prepared inputs `(N, D)` with their targets."""
        self._keep(POINTS, inputs, targets)

    def keep_sample(self, inputs: Tensor, targets: Tensor) -> None:
        """Write one training sample, prepared inputs `(1, …)` with their targets."""
        self._keep(SAMPLE, inputs, targets)

    def _keep(self, name: str, inputs: Tensor, targets: Tensor) -> None:
        from safetensors.torch import save

        content = {"inputs": inputs.detach().cpu().contiguous(), "targets": targets.detach().cpu().contiguous()}
        (self.folder / name).write(save(content), durable=False)


def read_points(folder: Path) -> dict[str, Tensor] | None:
    """The kept training points, "inputs" and "targets"; None if there are none."""
    path = folder / POINTS
    return read_weights(path) if path.exists() else None


def read_sample(folder: Path) -> dict[str, Tensor] | None:
    """The kept training sample, "inputs" and "targets" of one row; None if there is none."""
    path = folder / SAMPLE
    return read_weights(path) if path.exists() else None


def read_layers(folder: Path) -> list[dict[str, Any]]:
    """The lines of layers.jsonl of a run folder's `diagnostics`; quantities that were not finite are NaN."""
    path = folder / LAYERS
    if not path.exists():
        return []
    records = [json.loads(line) for line in read_regular(path).splitlines()]
    for record in records:
        for numbers in record["layers"].values():
            numbers.update({key: math.nan for key, value in numbers.items() if value is None})
    return records


def weight_files(folder: Path) -> list[tuple[int, Path]]:
    """Step and file of each copy of the weights, in order."""
    return sorted((int(path.stem), path) for path in (folder / WEIGHTS).glob("[0-9]*.safetensors"))


def read_weights(path: Path) -> dict[str, Tensor]:
    """The parameters and buffers in one file."""
    from safetensors.torch import load

    return load(read_regular(path))
