"""`dltool doctor --distributed` tests several processes, and names what keeps them from training together."""

import dataclasses
import json
import subprocess
from collections.abc import Callable

import pytest
from together import together

from dltool.distributed.team import Team
from dltool.doctor import distributed as module
from dltool.doctor.distributed import Place, addition, examine, misconfigured, of_rank

Dltool = Callable[..., subprocess.CompletedProcess[str]]


def test_two_processes_on_this_machine(dltool: Dltool) -> None:
    done = dltool("doctor", "--distributed", "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["ok"]) == (0, True), done.stdout + done.stderr
    found = {one["name"]: one["text"] for one in report["findings"]}
    assert {"backends", "interfaces", "rank 0", "rank 1", "addition", "speed"} <= set(found)
    assert "16 MiB over " in found["speed"]


def test_the_processes_of_torchrun(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "NUMBERS", 1000)
    monkeypatch.setattr(module, "TEST_SECONDS", 0.1)
    for found in together(2, examine):
        assert [finding.level for finding in found] == ["ok"] * 4
        assert [finding.name for finding in found] == ["rank 0", "rank 1", "addition", "speed"]


def wrong_sum(team: Team) -> str:
    team.rank += team.rank  # As if what rank 1 sends arrived as another number.
    return addition(team, module.torch.device("cpu")).level


def test_a_wrong_sum_is_a_problem() -> None:
    assert together(2, wrong_sum) == ["problem", "problem"]


def test_other_versions_are_a_problem() -> None:
    first = Place("one", "cpu", "2.14.1", "0.2.0", "3.11.7")
    assert of_rank(1, dataclasses.replace(first, host="two", python="3.12.0"), first).level == "ok"
    for package, hint in (("torch", "install torch 2.14.1 on two"), ("dltool", "install dltool 0.2.0 on two")):
        finding = of_rank(1, dataclasses.replace(first, host="two", **{package: "0.1.0"}), first)
        assert (finding.level, finding.hint) == ("problem", hint)
        assert f"but rank 0 has {package} " in finding.text


def test_an_interface_that_does_not_exist(dltool_here: Dltool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "nix0")
    done = dltool_here("doctor", "--distributed")
    assert done.returncode == 1
    assert "GLOO_SOCKET_IFNAME names nix0, which " in done.stdout
    assert "or unset GLOO_SOCKET_IFNAME" in done.stdout
    assert "1 problem: GLOO_SOCKET_IFNAME" in done.stdout


@pytest.mark.parametrize(
    ("host", "text"), [("no.such.host.invalid", "does not know the host no.such"), ("127.0.0.1", "cannot reach 127.0")]
)
def test_an_address_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch, host: str, text: str) -> None:
    monkeypatch.setattr(module, "TIMEOUT", module.TIMEOUT / 1000)
    for name, value in {"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": host, "MASTER_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    (finding,) = misconfigured()
    assert (finding.name, finding.level) == ("MASTER_ADDR", "problem")
    assert text in finding.text
