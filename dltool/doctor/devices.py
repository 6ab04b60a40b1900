"""What torch supports here, tested in a separate process: a broken torch may kill the process that imports it.

That process imports everything that a training imports and prints findings, one JSON list per line.
"""

import importlib
import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import astuple
from typing import Any

from dltool.doctor.finding import Finding, as_size

SECTION = "devices"
TORCH = "torch torchvision"  # Each requires a matching version of the other.
MODULES = {  # The modules that a training imports, and their names in pip.
    **{"numpy": "numpy", "torch": TORCH, "torchvision": TORCH, "hydra": "hydra-core", "omegaconf": "omegaconf"},
    **{"rich": "rich", "matplotlib": "matplotlib", "safetensors.torch": "safetensors"},
}
MAX_SECONDS = 180
REINSTALL = "pip install --force-reinstall {}"


def devices() -> Iterator[Finding]:
    """The findings of the other process, and its exit."""
    # Searches the same module path as this process: `-m` would search the working folder too.
    script = f"import sys; sys.path[:] = {sys.path!r}; from dltool.doctor.devices import report; report()"
    command = [sys.executable, "-P", "-c", script]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=MAX_SECONDS, errors="replace")
        lines, problem = done.stdout.splitlines(), ending(done.returncode, done.stderr)
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
        lines = (output if isinstance(output, str) else output.decode(errors="replace")).splitlines()
        problem = f"torch did not answer within {MAX_SECONDS} s"
    except OSError as error:
        lines, problem = [], f"{sys.executable} cannot be started: {error.strerror}"
    for line in lines:
        if line.startswith("["):
            yield Finding(*json.loads(line))
    if problem is not None:
        yield Finding(SECTION, "torch", "problem", problem, REINSTALL.format(TORCH))


def ending(code: int, errors: str) -> str | None:
    """The exit of a failed process as text; None for one that succeeded."""
    if code == 0:
        return None
    if code < 0:
        return f"the process that imports it was ended by {signal.Signals(-code).name}"
    return errors.strip().splitlines()[-1] if errors.strip() else f"exit code {code}"


def look() -> Iterator[Finding]:
    """The findings of the other process."""
    broken = []
    for name, package in MODULES.items():
        start = time.perf_counter()
        try:
            importlib.import_module(name)
        except BaseException as error:  # A broken binary may raise anything, even SystemExit.
            broken.append(name)
            text = f"cannot be imported: {first_line(error)}"
            yield Finding(SECTION, name, "problem", text, REINSTALL.format(package))
        else:
            if name == "torch":
                yield Finding(SECTION, "torch", "ok", f"imported in {time.perf_counter() - start:.1f} s")
    if "torch" not in broken:
        yield threads()
        yield from accelerators()
        yield computes("cpu")


def threads() -> Finding:
    """The value of trainer.threads=auto at this moment."""
    import torch

    from dltool.engine.device import available_cores, choose_threads

    chosen = choose_threads("auto")
    text = f"trainer.threads=auto means {chosen} now; torch's own default is {torch.get_num_threads()}"
    if chosen < available_cores():
        text += f", and {available_cores() - chosen} of {available_cores()} cores are busy"
    return Finding(SECTION, "threads", "ok", text)


def accelerators() -> Iterator[Finding]:
    import torch

    if not torch.cuda.is_available():
        yield without_cuda(torch.version.cuda)
    for index in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        name = f"cuda:{index}"
        try:
            free, total = torch.cuda.mem_get_info(index)
            major, minor = torch.cuda.get_device_capability(index)
            bf16 = "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "no bf16"
            text = f"{torch.cuda.get_device_name(index)}, {as_size(total)}, {as_size(free)} free, "
            text += f"compute capability {major}.{minor}, {bf16}, CUDA {torch.version.cuda}{driver()}"
        except Exception as error:
            yield Finding(SECTION, name, "problem", f"does not respond: {first_line(error)}", "trainer.device=cpu")
            continue
        yield Finding(SECTION, name, "ok", text)
        yield computes(name)
    if torch.backends.mps.is_available():
        yield Finding(SECTION, "mps", "ok", "Apple's graphics processor")
        yield computes("mps")


def without_cuda(built_for: str | None) -> Finding:
    """Why there is no CUDA device, if something is wrong."""
    if not shutil.which("nvidia-smi") or not driver():
        return Finding(SECTION, "cuda", "ok", "none; trainer.device=auto takes the CPU, or MPS")
    if built_for is None:
        text = "an NVIDIA driver is installed, but this torch is built for CPUs only"
        return Finding(
            SECTION, "cuda", "note", text, "pip install torch torchvision from the index for CUDA, pytorch.org"
        )
    text = f"an NVIDIA driver is installed{driver()}, but torch, built for CUDA {built_for}, finds no device"
    return Finding(SECTION, "cuda", "note", text, "a newer driver; CUDA_VISIBLE_DEVICES unset")


def driver() -> str:
    """Such as ", driver 570.86"; empty if nvidia-smi does not report it."""
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return f", driver {done.stdout.split()[0]}" if done.returncode == 0 and done.stdout.split() else ""


def computes(device: str) -> Finding:
    """Whether a gradient is computed correctly and can be converted to numpy."""
    import torch

    try:
        x = torch.full((4, 4), 2.0, device=device, requires_grad=True)
        (x @ x).sum().backward()
        assert x.grad is not None
        right: Any = bool((x.grad.cpu().numpy() == 16.0).all())
    except Exception as error:
        hint = "trainer.device=cpu" if device != "cpu" else REINSTALL.format(f"{TORCH} numpy")
        return Finding(SECTION, f"{device} computes", "problem", first_line(error), hint)
    if not right:
        return Finding(SECTION, f"{device} computes", "problem", "a wrong gradient", "do not train on this machine")
    return Finding(SECTION, f"{device} computes", "ok", "a matrix product and its gradient")


def first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


def report() -> None:
    for finding in look():
        print(json.dumps(astuple(finding)), flush=True)
