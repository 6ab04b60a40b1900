"""`dltool doctor`: checks the installation, the machine and the folders."""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from dltool.core.numerals import counted
from dltool.core.process import launched_rank

if TYPE_CHECKING:
    from dltool.doctor.finding import Finding

SUMMARY = "check the installation, this machine and the folders"
EXAMPLES = """\
examples:
  dltool doctor
  dltool doctor --json          for an error report
  dltool doctor --distributed   several processes on this machine; by torchrun on several machines

ok: it works. note: something is missing that some trainings need. problem: no training works without it.
exit code 1: there is a problem.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--distributed", action="store_true", help="test only whether several processes can train together"
    )


def run(args: argparse.Namespace) -> int:
    found: list[Finding] = []
    section = None
    for finding in together() if args.distributed else findings():
        found.append(finding)
        if not args.json:
            if finding.section != section:
                print(("\n" if section else "") + finding.section)
                section = finding.section
            print_finding(finding)
    problems = [finding for finding in found if finding.level == "problem"]
    if launched_rank() and args.distributed:
        return 1 if problems else 0  # Rank 0 has the summary.
    if args.json:
        print(json.dumps({"ok": not problems, "findings": [asdict(finding) for finding in found]}, indent=2))
    elif problems:
        names = ", ".join(dict.fromkeys(finding.name for finding in problems))
        print(f"\n{counted(len(problems), 'problem')}: {names}")
    else:
        what = "training of several processes" if args.distributed else "training"
        print(f"\neverything that a {what} needs is available")
    return 1 if problems else 0


def findings() -> "Iterator[Finding]":
    """Every finding as it is produced; a check that fails is a finding too."""
    from dltool.doctor.devices import devices
    from dltool.doctor.finding import Finding
    from dltool.doctor.folders import folders
    from dltool.doctor.machine import machine
    from dltool.doctor.software import software
    from dltool.doctor.terminal import terminal

    for part in (software, machine, devices, folders, terminal):
        try:
            yield from part()
        except Exception as error:
            yield Finding(part.__name__, "dltool doctor", "note", f"{type(error).__name__}: {error}")


def together() -> "Iterator[Finding]":
    """The findings about several processes."""
    from dltool.doctor.finding import Finding

    try:
        from dltool.doctor.distributed import distributed

        yield from distributed()
    except Exception as error:
        yield Finding("distributed", "dltool doctor", "problem", f"{type(error).__name__}: {error}", "dltool doctor")


def print_finding(finding: "Finding") -> None:
    lines = [f"  {finding.level:<8} {finding.name:<17} {finding.text}"]
    if finding.hint and finding.level != "ok":
        lines.append(f"{'':29}hint: {finding.hint}")
    encoding = sys.stdout.encoding or "ascii"
    for line in lines:  # A terminal that lacks a character gets its escape sequence, not an error.
        print(line.encode(encoding, "backslashreplace").decode(encoding), flush=True)
