"""The processes of a training: how many, how they start, and the part of those that do not write."""

import contextlib
import dataclasses
import os
import platform
from collections.abc import Iterator, Sequence
from datetime import timedelta

import torch

from dltool.build.aside import train_aside
from dltool.build.parts import Parts
from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config, check_rules
from dltool.core.errors import ConfigError, DataError
from dltool.core.process import is_launched
from dltool.core.shell import quoted
from dltool.distributed.members import led
from dltool.distributed.team import SOLO, Team, join_launched, world_size
from dltool.engine.device import describe_device
from dltool.engine.signals import Interrupted
from dltool.trust.sources import TrustedSource, trust, trusted_sources


@contextlib.contextmanager
def assembled(config: Config, *, resumed: bool = False) -> Iterator[tuple[Team, Config]]:
    """The processes that `trainer.devices` or torchrun ask for, and the config with their number.

    They end with this context: by themselves, or killed after an error.

    Raises:
        ConfigError: The config does not allow several processes, or they cannot reach each other.
    """
    size = num_processes(config)
    config = with_devices(config, size)
    timeout = timedelta(minutes=config["trainer"]["timeout_minutes"])
    if size == 1:
        yield SOLO, config
    elif is_launched():
        team = join_launched(timeout)
        yield team, config
        team.leave()
    else:
        with led(size, timeout, follow, config, resumed, trusted_sources()) as team:
            yield team, config


def num_processes(config: Config) -> int:
    """The number of processes of the training.

    Raises:
        ConfigError: torchrun started another number on this machine than `trainer.devices`.
    """
    devices = config["trainer"]["devices"]
    if is_launched():
        local = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
        if devices not in (1, "auto", local):
            raise ConfigError(
                f"trainer.devices={devices}, but torchrun started {local} processes on this machine",
                f"{quoted('torchrun', '--nproc-per-node', devices)}, or leave out trainer.devices",
            )
        return world_size()
    if devices == "auto":
        return max(torch.cuda.device_count(), 1) if config["trainer"]["device"] in ("auto", "cuda") else 1
    return int(devices)


def with_devices(config: Config, size: int) -> Config:
    """The config for a number of processes, which all its rules must allow."""
    trainer = {**config["trainer"], "devices": size}
    config = dataclasses.replace(config, tree={**config.tree, "trainer": trainer})
    check_rules(config.tree, config.components)
    return config


def begin_together(team: Team, parts: Parts) -> None:
    """Give every process the weights of rank 0, which are the same unless their machines compute differently.

    Raises:
        DataError: A process has other data than rank 0.
    """
    sizes = team.gather((parts.dataset.sizes, parts.spec))
    for rank, own in enumerate(sizes):
        if own != sizes[0]:
            raise DataError(
                f"the data of rank {rank} is not that of rank 0: {own[0]} samples for {sizes[0][0]}, or other columns",
                "copy the same data to every machine",
            )
    team.copy_from_first([*parts.task.model.parameters(), *parts.task.model.buffers()])


def take_part(team: Team, config: Config, *, resumed: bool) -> int:
    """Train as a process that does not write; returns the exit code."""
    parts = prepare(config, resumed=resumed, train_classifier=train_aside, team=team)
    trainer = build_trainer(parts, None)
    if resumed and (checkpoint := trainer.checkpoints.newest(print)) is not None:
        trainer.load(checkpoint)
    begin_together(team, parts)
    print(f"rank {team.rank} of {team.size} on {platform.node()}: {describe_device(parts.device)}", flush=True)
    try:
        trainer.fit()
    except Interrupted as interrupted:
        return interrupted.exit_code
    return 0


def follow(team: Team, config: Config, resumed: bool, trusted: Sequence[TrustedSource]) -> int:
    """take_part in a process that rank 0 started, which trusts what rank 0 trusts."""
    trust(trusted)
    return take_part(team, config, resumed=resumed)
