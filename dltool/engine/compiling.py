"""Compiles networks with torch.compile."""

import torch
from torch import nn

from dltool.core.errors import ConfigError
from dltool.tasks.task import Task


def compile_networks(task: Task, device: torch.device) -> None:
    """Compile each role's network at its first call, in place, so that the names of its weights stay the same.

    Raises:
        ConfigError: If torch.compile does not work on this machine, which is tried on a function of one line.
    """
    try:
        torch.compile(lambda x: x.sin() + 1)(torch.zeros(2, device=device))
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        message = f"trainer.compile=true: torch.compile does not work here: {reason}"
        raise ConfigError(message, "trainer.compile=false") from error
    for network in task.roles.values() or [task.model]:
        # The two generators of one role are called separately.
        for called in network.values() if isinstance(network, nn.ModuleDict) else [network]:
            called.compile()
