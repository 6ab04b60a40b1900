"""Event files for TensorBoard: `tensorboard --logdir outputs` shows every run."""

import struct
from pathlib import Path
from typing import Any, ClassVar

from dltool.core.safe_read import read_regular
from dltool.observers.mirror import measurements
from dltool.observers.tracker import Tracker

FLUSH_SECONDS = 10


class TensorboardLog(Tracker):
    """Scalars by step in RUN/tensorboard/, the config and the last metrics for the HParams page, and the images.

    On resume the event files are rewritten from metrics.jsonl, each point with the time at which it was first
    logged. (TensorBoard's own purge step hides all points from a step on; but the final test of a training that
    continues is at the same step as points that must stay.)
    """

    name: ClassVar[str] = "tensorboard"

    def open(self, records: list[dict[str, Any]]) -> None:
        from torch.utils.tensorboard import SummaryWriter

        folder = (self.run.files / "tensorboard").for_library()
        before = list(folder.glob("events.out.tfevents.*"))
        self.times = wall_times(before)
        self.writer = SummaryWriter(str(folder), flush_secs=FLUSH_SECONDS)
        for record in records:
            self.write(record)
        self.times = {}
        self.writer.flush()
        for path in before:
            (self.run.files / "tensorboard" / path.name).remove()

    def write(self, record: dict[str, Any]) -> None:
        step = record["step"]
        for name, value in measurements(record).items():
            self.writer.add_scalar(name, value, step, walltime=self.times.get((name, step)))

    def close(self, state: str) -> None:
        try:
            self._add_pictures()
            self._add_hyperparameters()
        finally:
            self.writer.close()

    def _add_hyperparameters(self) -> None:
        """The HParams page joins these with the last point of each metric.

        `SummaryWriter.add_hparams` would create a second run next to this one, and write every metric again.
        """
        from torch.utils.tensorboard.summary import hparams

        metrics = {name: value for name, value in self.progress.metrics.items() if not name.startswith("step/")}
        for summary in hparams(self.hyperparameters(), metrics):
            self.writer._get_file_writer().add_summary(summary)

    def _add_pictures(self) -> None:
        """Plots at the last step; samples under one name, with a slider over their epochs."""
        for folder, paths in self.pictures().items():
            for path in paths:
                if folder == "samples":
                    self._add_picture("samples", path, int(path.stem.rpartition("-")[2]))
                else:
                    self._add_picture(f"{folder}/{path.stem}", path, self.progress.step)

    def _add_picture(self, tag: str, path: Path, step: int) -> None:
        """Add a PNG unchanged; `SummaryWriter.add_image` would decode and encode it again."""
        from tensorboard.compat.proto.summary_pb2 import Summary

        png = read_regular(path)
        width, height = struct.unpack(">II", png[16:24])  # The header chunk, first in every PNG.
        image = Summary.Image(width=width, height=height, colorspace=3, encoded_image_string=png)
        self.writer._get_file_writer().add_summary(Summary(value=[Summary.Value(tag=tag, image=image)]), step)


def wall_times(event_files: list[Path]) -> dict[tuple[str, int], float]:
    """(tag, step) to the Unix time in seconds at which that point was logged; a truncated end is skipped."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    return {
        (value.tag, event.step): event.wall_time
        for path in event_files
        for event in EventFileLoader(str(path)).Load()
        for value in event.summary.value
    }
