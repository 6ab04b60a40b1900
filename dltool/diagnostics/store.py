"""The folder diagnostics/ of a run: numbers of each measured step, and the weights of some steps.

`layers.jsonl` has a line per measured step, {"step": 100, "samples": 32, "losses": {role: value},
"layers": {name: {quantity: value}}}, and for a plain fully connected network "predicted", the norms of δ by theory; see
dltool.diagnostics.layer_statistics and theory; "noise" is that of
dltool.diagnostics.gradient_noise. `alarms.jsonl` has a line per alarm; see dltool.diagnostics.alarms.
`stopping.jsonl` has {"step": 100, rule: value} where a rule of `stop` was evaluated, after that many steps.
`steps.jsonl` has {"step": 100, "updates": {parameter: [numbers]}, "rates": {parameter: [numbers]}} for a model of two
numbers at most: what the step adds to each, and its rate, if the optimizer has one; see dltool.optim.effective_rates.
`weights/000100.safetensors` has the parameters and buffers before step 100; `points.safetensors` has training points,
if they have at most two numbers; `sample.safetensors` has the first training sample. A
resumed training removes what lies after its checkpoint, and measures it again with the same result.
"""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from dltool.core.safe_path import SafePath
from dltool.core.safe_read import MAX_BYTES, read_lines, read_regular, understood
from dltool.diagnostics.alarms import Alarm

NAME = "diagnostics"
LAYERS, ALARMS, STOPPING, STEPS = "layers.jsonl", "alarms.jsonl", "stopping.jsonl", "steps.jsonl"
WEIGHTS = "weights"
POINTS, SAMPLE = "points.safetensors", "sample.safetensors"
NUM_POINTS = 2000  # Training points that are kept, if they have at most two numbers.
EARLIER_SAMPLES = 32  # In records that do not say it.
WEIGHT_BYTES = 48 * 2**20
LAYER_BYTES = 12 * 2**20
STOPPING_BYTES = 2 * 2**20


class DiagnosticsStore:
    """Writes the measurements of a run.

    Args:
        folder: The run folder's `diagnostics`.
    """

    def __init__(self, folder: SafePath) -> None:
        self.folder = folder
        self.layer_bytes = self.stopping_bytes = 0

    def cut_back(self, step: int) -> None:
        """Remove the measurements at `step` and later."""
        self.layer_bytes = self._cut_lines(LAYERS, step)
        self._cut_lines(ALARMS, step)
        self._cut_lines(STEPS, step)
        self.stopping_bytes = self._cut_lines(STOPPING, step + 1)  # Its steps are taken, the others' are not yet.
        for found, file in weight_files(self.folder.path):
            if found >= step:
                (self.folder / WEIGHTS / file.name).remove()

    def _cut_lines(self, name: str, step: int) -> int:
        """Remove the lines of a file at `step` and later, and an incomplete one; returns the bytes that are left."""
        path = (self.folder / name).path
        lines = list(read_lines(path, MAX_BYTES))
        with understood(path):
            kept = [line for line in lines if line.endswith(b"\n") and json.loads(line)["step"] < step]
        if len(kept) < len(lines):
            (self.folder / name).write(b"".join(kept))
        return sum(map(len, kept))

    def add_alarms(self, alarms: Iterable[Alarm]) -> None:
        """Append a line for each alarm."""
        lines = [json.dumps(finite(alarm._asdict()), allow_nan=False).encode() + b"\n" for alarm in alarms]
        if lines:
            with (self.folder / ALARMS).append() as file:
                file.write(b"".join(lines))

    def add_layers(self, record: Mapping[str, Any]) -> bool:
        """Append a line; False if the file has reached its largest size, and nothing was written.

        Args:
            record: "step", "layers", and what else was measured; numbers that are not finite are written as null.
        """
        line = json.dumps(finite(record), allow_nan=False).encode() + b"\n"
        if self.layer_bytes + len(line) > LAYER_BYTES:
            return False
        with (self.folder / LAYERS).append() as file:
            file.write(line)
        self.layer_bytes += len(line)
        return True

    def add_stopping(self, step: int, quantities: Mapping[str, float]) -> None:
        """Append what the stopping rules compare with their thresholds after `step` steps, up to a largest size."""
        line = json.dumps(finite({"step": step, **quantities}), allow_nan=False).encode() + b"\n"
        if quantities and self.stopping_bytes + len(line) <= STOPPING_BYTES:
            with (self.folder / STOPPING).append() as file:
                file.write(line)
            self.stopping_bytes += len(line)

    def add_step(self, record: Mapping[str, Any]) -> None:
        """Append what one step of a model of two numbers did."""
        with (self.folder / STEPS).append() as file:
            file.write(json.dumps(finite(record), allow_nan=False).encode() + b"\n")

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

        # Clones, since the targets of a language model are a view of its inputs.
        content = {"inputs": inputs.detach().cpu().clone(), "targets": targets.detach().cpu().clone()}
        (self.folder / name).write(save(content), durable=False)


def finite(value: Any) -> Any:
    """A tree of mappings and lists in which None replaces every number that is not finite."""
    if isinstance(value, Mapping):
        return {key: finite(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [finite(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


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
    with understood(path):
        records: list[dict[str, Any]] = [json.loads(line) for line in read_lines(path, MAX_BYTES)]
        for record in records:
            record.setdefault("samples", EARLIER_SAMPLES)
            for numbers in (record.get("losses", {}), record.get("noise", {}), *record["layers"].values()):
                numbers.update({key: math.nan for key, value in numbers.items() if value is None})
    return records


def read_steps(folder: Path) -> list[dict[str, Any]]:
    """The lines of steps.jsonl."""
    path = folder / STEPS
    with understood(path):
        return [json.loads(line) for line in read_lines(path, MAX_BYTES)]


def read_stopping(folder: Path) -> dict[str, dict[int, float]]:
    """The values of stopping.jsonl: the name of a rule to step to value, the newest of a step; NaN if not finite."""
    path = folder / STOPPING
    found: dict[str, dict[int, float]] = {}
    with understood(path):
        for line in read_lines(path, MAX_BYTES):
            values = json.loads(line)
            step = values.pop("step")
            for name, value in values.items():
                found.setdefault(name, {})[step] = math.nan if value is None else value
    return found


def read_alarms(folder: Path) -> list[Alarm]:
    """The lines of alarms.jsonl; a value that was not finite is NaN."""
    path = folder / ALARMS
    with understood(path):
        alarms = [Alarm(**json.loads(line)) for line in read_lines(path, MAX_BYTES)]
    return [alarm if alarm.value is not None else alarm._replace(value=math.nan) for alarm in alarms]


def weight_files(folder: Path) -> list[tuple[int, Path]]:
    """Step and file of each copy of the weights, in order."""
    return sorted((int(path.stem), path) for path in (folder / WEIGHTS).glob("[0-9]*.safetensors"))


def read_weights(path: Path) -> dict[str, Tensor]:
    """The parameters and buffers in one file."""
    from safetensors.torch import load

    with understood(path):
        return load(read_regular(path, 2 * WEIGHT_BYTES))
