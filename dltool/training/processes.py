"""The processes of a training: how many, how they start, and the part of those that do not write."""

import contextlib
import dataclasses
import os
import platform
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import torch

from dltool.build.aside import train_aside
from dltool.build.parts import Parts
from dltool.build.prepare import prepare
from dltool.build.trainer import build_trainer
from dltool.config.check import Config, check_rules
from dltool.core.errors import ConfigError, DataError, DltoolError
from dltool.core.process import is_launched
from dltool.core.shell import quoted
from dltool.distributed.members import Members, end_with_rank_0, follow, lead, store_for
from dltool.distributed.team import SOLO, Team, join_launched, world_size
from dltool.engine.device import describe_device
from dltool.engine.signals import Interrupted
from dltool.trust.importing import described
from dltool.trust.sources import TrustedSource, trust, trusted_sources

FAREWELL_SECONDS = 1.0  # In which rank 0 finishes the exchange after which it raises the same error itself.
ENDING_SECONDS = 15.0  # For the other processes to end after the last step.


@dataclass(frozen=True)
class Membership:
    """What a process that rank 0 started needs.

    Attributes:
        port: Where the processes meet on this machine.
        resumed: As in prepare.
    """

    config: Config
    rank: int
    size: int
    port: int
    resumed: bool
    trusted: tuple[TrustedSource, ...]


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
        store = store_for(size, timeout)
        common = (size, store.port, resumed, trusted_sources())
        members = Members("dltool.training.member", [Membership(config, rank, *common) for rank in range(1, size)])
        try:
            team = lead(size, store, timeout, members)
            yield team, config
            team.leave()
            members.wait(ENDING_SECONDS)
        finally:
            members.kill()
            abandon_exchange()


def abandon_exchange() -> None:
    """Let this process, which may be a notebook, begin another team later."""
    if torch.distributed.is_initialized():
        with contextlib.suppress(RuntimeError):
            torch.distributed.destroy_process_group()


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


def run_member(membership: Membership) -> int:
    """The whole of a process that rank 0 started; returns its exit code. What it prints, rank 0 reads."""
    end_with_rank_0()
    trust(membership.trusted)
    config = membership.config
    try:
        timeout = timedelta(minutes=config["trainer"]["timeout_minutes"])
        team = follow(membership.rank, membership.size, membership.port, timeout)
        code = take_part(team, config, resumed=membership.resumed)
        team.leave()
    except DltoolError as error:
        print(error.report())
        time.sleep(FAREWELL_SECONDS)
        return error.exit_code
    except BaseException as error:
        traceback.print_exc(file=sys.stdout)
        print(f"error: {described(error)}")
        return 1
    return code
