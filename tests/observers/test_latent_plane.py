from pathlib import Path

import numpy as np
from PIL import Image


def test_both_trainings_draw_it_and_differ(dltool_here, tmp_path: Path) -> None:
    pictures = []
    for model in ("autoencoder", "vae"):
        words = ["model.hidden=[16]", "model.latent_dim=2", "trainer.epochs=1", "trainer.threads=1", f"run.dir={model}"]
        assert dltool_here("train", f"model={model}", "data=digits", *words, "--quiet").returncode == 0
        pictures.append(np.asarray(Image.open(tmp_path / model / "plots" / "latent_plane.png").convert("L")))
    assert pictures[0].shape != pictures[1].shape or (pictures[0] != pictures[1]).any()
    done = dltool_here("evaluate", "vae", "--plots", "again", "task.num_importance_samples=2")
    assert "latent_plane.png" in done.stderr
    assert "nll_2" in done.stdout
    assert "importance-weighted, for the first 359" in done.stdout
    assert (tmp_path / "again" / "latent_plane.png").exists()
    refused = dltool_here("evaluate", "autoencoder", "task.num_importance_samples=2")
    assert refused.returncode == 2
    assert "num_importance_samples" in refused.stderr
