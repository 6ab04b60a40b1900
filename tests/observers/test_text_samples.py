from pathlib import Path

import pytest

SMALL = ("data=pydoc", "data.length=16", "trainer.steps=6", "trainer.epochs=null", "trainer.limit_batches=2")
FAST = ("trainer.threads=1", "logger.plots=false", "logger.report=false", "--quiet")


@pytest.mark.parametrize("model", [["model=gpt", "model.dim=8", "model.depth=1", "model.num_heads=1"], ["model=lstm"]])
def test_a_language_model_writes_texts_and_is_not_changed(dltool_here, tmp_path: Path, model: list[str]) -> None:
    for name, more in (("with", []), ("without", ["logger.samples=false"])):
        done = dltool_here("train", *model, *SMALL, *FAST, *more, f"run.dir={name}")
        assert done.returncode == 0, done.stderr
        assert "could not be written" not in done.stderr
    assert len((tmp_path / "with" / "samples" / "step-000006.txt").read_text()) > 200
    assert not (tmp_path / "without" / "samples").exists()
    weights = [next((tmp_path / name).glob("checkpoints/step-000006/w*.safetensors")) for name in ("with", "without")]
    assert weights[0].read_bytes() == weights[1].read_bytes()
