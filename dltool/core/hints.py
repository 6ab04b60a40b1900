"""The names that users bring from other tools, and their names in dltool."""

import difflib
from collections.abc import Iterable
from pathlib import Path

from dltool.core.shell import setting

# Our key, then its names in Lightning, timm, Keras, Ultralytics, Hugging Face and plain PyTorch scripts.
KEYS = """
optim: optimizer optimiser
schedule: scheduler lr_scheduler lr_schedule
loss: criterion loss_fn objective
data: dataset datamodule
model: network net arch architecture
logger: callbacks
seed: random_seed seed_everything
init_from: pretrained weights checkpoint finetune_from initial_checkpoint init_checkpoint
model.freeze: freeze frozen freeze_backbone frozen_stages
optim.lr_factors: lr_mult lr_factors paramwise_cfg layer_decay
run.dir: output_dir save_dir out_dir default_root_dir
optim.lr: lr learning_rate
optim.momentum: momentum
optim.betas: betas
optim.weight_decay: weight_decay wd
trainer.epochs: epochs num_epochs max_epochs n_epochs
trainer.steps: max_steps num_steps max_iters steps
trainer.device: device gpu gpus accelerator devices
trainer.precision: precision amp fp16 bf16
trainer.accumulate: accumulate_grad_batches gradient_accumulation_steps
trainer.clip_norm: gradient_clip_val clip_grad_norm max_grad_norm grad_clip
stop.patience: patience early_stopping early_stopping_patience
data.batch_size: batch_size batch bs
data.shuffle: shuffle
model.dropout: dropout
model.hidden: hidden hidden_size hidden_dim
loss.label_smoothing: label_smoothing
task.l1: l1
task.l2: l2
"""

# The same for options of a group, in lower case, with the keys that the other name implies.
OPTIONS = {
    "loss": """
binary_cross_entropy: bce bceloss bce_with_logits bcewithlogitsloss
cross_entropy: ce xent nll crossentropy crossentropyloss softmax
mae: l1 l1loss
mse: l2 mseloss
huber: smooth_l1
hinge: svm multi_margin
non_saturating: gan vanilla
""",
    "optim": """
sgd optim.momentum=0.9: sgdm
sgd optim.momentum=0.9 optim.nesterov=true: nag
sgd data.batch_size=full: gd gradient_descent
rmsprop: rms_prop rms
sparse_adam: sparseadam
lbfgs: l-bfgs l_bfgs
""",
    "schedule": """
one_cycle: onecycle onecyclelr
inverse_sqrt: noam
plateau: reduce_on_plateau reducelronplateau
cosine: cosineannealing cosine_annealing cosineannealinglr
cosine_restarts: sgdr
constant: none
constant schedule.warmup_steps=100: warmup
wsd: trapezoid
""",
    "model": """
mlp: fc dense
cnn: convnet conv
linear: regression adaline
""",
    "data": """
fashion_mnist: fmnist fashion fashionmnist
breast_cancer: cancer
""",
}


# Data sets that read a path, by the end of a file's name; a folder is one of images.
READERS = {
    ".csv": "data=csv {path} data.target=COLUMN",
    ".tsv": "data=csv {path} data.target=COLUMN",
    ".csv.gz": "data=csv {path} data.target=COLUMN",
    ".txt": "data=text {path}",
    ".conllu": "data=conllu {path}",
}


def by_other_name(table: str) -> dict[str, str]:
    rows = [line.split(": ") for line in table.strip().splitlines()]
    return {word: ours for ours, theirs in rows for word in theirs.split()}


def option_hint(group: str, word: str) -> str | None:
    """The hint for an option known by another name, or for a file or folder in place of data=NAME; else None."""
    if group == "data" and (hint := path_hint(word)):
        return hint
    known = by_other_name(OPTIONS.get(group, "")).get(word.lower())
    if known is None:
        return None
    option, *keys = known.split()
    return f"{word} is called {option} here: {' '.join([setting(group, option), *keys])}"


def path_hint(word: str) -> str | None:
    """The settings that read a file or a folder; None if the word does not look like one."""
    for ending, words in READERS.items():
        if word.lower().endswith(ending):
            return words.format(path=setting("data.path", word))
    return f"data=image_folder {setting('data.root', word)}" if word.endswith("/") or Path(word).is_dir() else None


def key_hint(word: str) -> str | None:
    """The hint for a key known from another tool, or None."""
    known = by_other_name(KEYS).get(word.lower())
    return f"{word} is called {known} here: {known}=…" if known else None


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The valid name nearest to a mistyped word; None if no name is close."""
    names = {name.lower(): name for name in names}
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.6)
    return names[close[0]] if close else None
