"""The rule of components that one process must compute."""

from dltool.declarations.component import requires

needs_one_process = requires(
    lambda config: config.trainer.devices in (1, "auto"),
    "task={task.name} with optim={optim.name} cannot be divided among {trainer.devices} processes",
    hint="trainer.devices=1",
)
