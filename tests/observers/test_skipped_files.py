"""skipped.txt names each file that was left out once, also after a resume."""

import re
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

WORDS = ["data=image_folder", "model=mlp", "model.hidden=[4]", "data.residency=loader", "data.workers=0"]
WORDS += ["data.corrupt=skip", "data.scaling=unit", "data.batch_size=4", "trainer.device=cpu", "trainer.threads=1"]
WORDS += ["data.val_fraction=0", "data.test_fraction=0", "trainer.test=none", "logger.plots=false"]


def test_each_file_once(tmp_path: Path, dltool_here: Any) -> None:
    for i in range(12):
        path = tmp_path / "images" / "ab"[i % 2] / f"图 {i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((8, 8, 3), i, np.uint8)).save(path)
    damaged = [tmp_path / "images" / "a" / f"图 {i}.png" for i in (0, 2)]
    for path in damaged:
        path.write_bytes(b"damaged")
    done = dltool_here("train", *WORDS, f"data.root={tmp_path / 'images'}", "trainer.epochs=3", "run.dir=run")
    assert done.returncode == 0, done.stderr
    assert "2 files could not be decoded and were left out, see run/skipped.txt" in done.stdout + done.stderr
    assert re.search(r"skipped\W+2 files, see skipped\.txt", done.stdout)
    lines = (tmp_path / "run/skipped.txt").read_text(encoding="utf-8").splitlines()
    assert sorted(line.split("\t")[0] for line in lines) == sorted(map(str, damaged))
    assert all(line.split("\t")[1] for line in lines)
    done = dltool_here("resume", "run", "trainer.epochs=5")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "run/skipped.txt").read_text(encoding="utf-8").splitlines() == lines


def test_no_file_where_nothing_is_left_out(tmp_path: Path, dltool_here: Any) -> None:
    done = dltool_here("train", "model=mlp", "model.hidden=[4]", "data=iris", "trainer.epochs=1", "run.dir=run")
    assert done.returncode == 0, done.stderr
    assert not (tmp_path / "run/skipped.txt").exists()
