"""The script `dltool` and every process that it starts import nothing from the working directory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

NAMES = ["random", "socket", "selectors", "multiprocessing", "struct", "json", "pickle", "signal", "yaml", "torch"]
NAMES += ["sitecustomize", "usercustomize", "numpy", "matplotlib", "rich", "hydra_plugins", "dltool", "readline"]
SMALL = ["model=mlp", "model.hidden=[4]", "data=iris", "trainer.steps=1", "trainer.threads=1", "logger.report=false"]
# As pip writes it.
SCRIPT = "import sys\nfrom dltool.cli.main import main\nif __name__ == '__main__':\n    sys.exit(main())\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [["train", *SMALL], ["train", "-m", "seed=1,2", *SMALL], ["train", "trainer.devices=2", *SMALL], ["doctor"]],
    ids=["train", "sweep", "two processes", "doctor"],
)
def test_no_module_of_the_working_directory_is_imported(words: list[str], tmp_path: Path) -> None:
    script, cwd = tmp_path / "bin" / "dltool", tmp_path / "cwd"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    cwd.mkdir()
    for name in NAMES:
        (cwd / f"{name}.py").write_text(f"open({str(tmp_path / name)!r}, 'w').close()\n")
    for name in ("matplotlibrc", ".env", "pyvenv.cfg"):
        (cwd / name).write_text("backend: module://random\n")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONSAFEPATH"}
    command = [sys.executable, str(script), *words]
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr
    assert done.returncode == 0 or words == ["doctor"], done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bin", "cwd"], "code has run"
