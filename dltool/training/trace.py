"""`dltool trace`: a few training steps of a config on one sample, in numbers."""

from dltool.build.aside import train_aside
from dltool.build.components import model_settings
from dltool.build.prepare import prepare
from dltool.config.check import Config
from dltool.core.batch import Batch
from dltool.core.errors import ConfigError
from dltool.diagnostics.trace.calls import DEFAULT, Choice
from dltool.diagnostics.trace.step import StepTrace, in_double, trace_step
from dltool.engine.initial import set_initial


def trace_config(config: Config, sample: int, num_steps: int, choice: Choice = DEFAULT) -> list[StepTrace]:
    """Build the training, and trace its first steps on one training sample.

    Args:
        config: The checked config.
        sample: The training sample's position, from 0, not augmented.
        num_steps: At least 1.
        choice: The place at which single layers are computed.

    Raises:
        ConfigError: The task does not minimize one loss, or there is no such sample or place.
    """
    parts = prepare(config, train_classifier=train_aside)
    task = parts.task
    if not task.only_minimizes() or list(parts.updaters) != ["model"]:
        raise ConfigError(
            f"task={config['task']['name']} does not minimize one loss, so that a step of it has no such trace",
            "a supervised model, such as model=mlp",
        )
    batch = parts.dataset.first_batch("train", sample + 1)
    if batch.size <= sample:
        raise ConfigError(f"--sample {sample}: there are {batch.size} training samples", f"--sample {batch.size - 1}")
    chosen = slice(sample, sample + 1)
    batch = in_double(task, Batch(batch.inputs[chosen], batch.targets[chosen], 1))
    if (initial := model_settings(config).initial) is not None:
        set_initial(task.model, initial)  # The numbers as written, not rounded to float32.
    task.model.train()
    updater, total = parts.updaters["model"], parts.settings.steps or num_steps
    steps = []
    for step in range(num_steps):
        updater.schedule.apply(updater.optimizer, step, 0, max(total, num_steps), 1)
        steps.append(trace_step(task, batch, updater.optimizer, step, config["seed"], choice))
    return steps
