"""The words that people bring from other tools, and what they are called here."""

import difflib
from collections.abc import Iterable

# Keys of Lightning, timm, Keras, Ultralytics, Hugging Face and of plain PyTorch scripts.
FOREIGN_KEYS = {
    "optimizer": "optim",
    "scheduler": "schedule",
    "lr_scheduler": "schedule",
    "lr_schedule": "schedule",
    "criterion": "loss",
    "loss_fn": "loss",
    "objective": "loss",
    "dataset": "data",
    "datamodule": "data",
    "network": "model",
    "net": "model",
    "arch": "model",
    "architecture": "model",
    "callbacks": "logger",
    "random_seed": "seed",
    "seed_everything": "seed",
    "output_dir": "run.dir",
    "save_dir": "run.dir",
    "out_dir": "run.dir",
    "lr": "optim.lr",
    "learning_rate": "optim.lr",
    "momentum": "optim.momentum",
    "weight_decay": "optim.weight_decay",
    "wd": "optim.weight_decay",
    "epochs": "trainer.epochs",
    "num_epochs": "trainer.epochs",
    "max_epochs": "trainer.epochs",
    "n_epochs": "trainer.epochs",
    "max_steps": "trainer.steps",
    "num_steps": "trainer.steps",
    "max_iters": "trainer.steps",
    "batch_size": "data.batch_size",
    "batch": "data.batch_size",
    "bs": "data.batch_size",
    "shuffle": "data.shuffle",
    "device": "trainer.device",
    "gpu": "trainer.device",
    "gpus": "trainer.device",
    "accelerator": "trainer.device",
    "precision": "trainer.precision",
    "amp": "trainer.precision",
    "fp16": "trainer.precision",
    "accumulate_grad_batches": "trainer.accumulate",
    "gradient_accumulation_steps": "trainer.accumulate",
    "gradient_clip_val": "trainer.clip_norm",
    "clip_grad_norm": "trainer.clip_norm",
    "max_grad_norm": "trainer.clip_norm",
    "grad_clip": "trainer.clip_norm",
    "patience": "trainer.early_stopping.patience",
    "dropout": "model.dropout",
    "hidden": "model.hidden",
    "hidden_size": "model.hidden",
    "label_smoothing": "loss.label_smoothing",
    "l1": "task.l1",
    "l2": "task.l2",
    "betas": "optim.betas",
}

# Options by the names that other tools, papers and torch's classes give them.
FOREIGN_OPTIONS = {
    "loss": {
        "bce": "binary_cross_entropy",
        "bceloss": "binary_cross_entropy",
        "bce_with_logits": "binary_cross_entropy",
        "ce": "cross_entropy",
        "xent": "cross_entropy",
        "nll": "cross_entropy",
        "crossentropy": "cross_entropy",
        "softmax": "cross_entropy",
        "l1": "mae",
        "l2": "mse",
        "smooth_l1": "huber",
        "svm": "hinge",
        "multi_margin": "hinge",
        "gan": "non_saturating",
        "vanilla": "non_saturating",
    },
    "optim": {
        "momentum": "sgd",
        "nesterov": "sgd",
        "gd": "sgd",
        "rms_prop": "rmsprop",
        "rms": "rmsprop",
        "sparseadam": "sparse_adam",
        "l-bfgs": "lbfgs",
    },
    "schedule": {
        "onecycle": "one_cycle",
        "onecyclelr": "one_cycle",
        "noam": "inverse_sqrt",
        "reduce_on_plateau": "plateau",
        "cosineannealing": "cosine",
        "cosine_annealing": "cosine",
        "sgdr": "cosine_restarts",
        "warmup": "constant",
        "none": "constant",
        "trapezoid": "wsd",
    },
    "model": {
        "lenet5": "lenet",
        "lenet-5": "lenet",
        "fc": "mlp",
        "dense": "mlp",
        "regression": "linear",
        "adaline": "linear",
    },
    "data": {
        "fmnist": "fashion_mnist",
        "fashion": "fashion_mnist",
        "fashionmnist": "fashion_mnist",
        "cancer": "breast_cancer",
    },
}


def option_hint(group: str, word: str) -> str | None:
    """The hint for an option known by another name, or None."""
    known = FOREIGN_OPTIONS.get(group, {}).get(word.lower())
    return f"{word} is called {known} here: {group}={known}" if known else None


def key_hint(word: str) -> str | None:
    """The hint for a top-level key known from another tool, or None."""
    known = FOREIGN_KEYS.get(word.lower())
    return f"{word} is called {known} here: {known}=…" if known else None


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The valid name that a mistyped word is nearest to, or None where none is near."""
    close = difflib.get_close_matches(word.lower(), list(names), n=1, cutoff=0.6)
    return close[0] if close else None
