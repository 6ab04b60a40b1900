"""The words of figures in English and Chinese: titles, axes, legends and notes.

The language is the one that `in_language` chooses, or else that of the environment's locale. Chinese needs a font with
its characters: without one the words are English, and a warning says so once.
"""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Literal

from dltool.core.distribution import install
from dltool.core.notices import FigureWarning
from dltool.figures.fonts import find_cjk_family

Language = Literal["en", "zh"]
LANGUAGES: tuple[Language, ...] = ("en", "zh")
_chosen: ContextVar[Language | None] = ContextVar("language of figures", default=None)

CHINESE = {
    # Axes and progress.
    "step": "步",
    "epoch": "轮",
    "step {step:,}": "第 {step:,} 步",
    "batch {size}": "批大小 {size}",
    "seed {seed}": "随机种子 {seed}",
    "learning rate": "学习率",
    "loss": "损失",
    "accuracy": "准确率",
    "error": "错误率",
    "perplexity": "困惑度",
    "train": "训练",
    "val": "验证",
    "test": "测试",
    "no finite value": "没有有限的值",
    "   (pale: training, within the epochs)": "   （浅色：训练，每轮之内）",
    "the first {shown} of {all} curves": "{all} 条曲线中的前 {shown} 条",
    "bands: one standard deviation over the seeds": "阴影：不同随机种子的一个标准差",
    # Layers.
    "layers in training": "训练中的各层",
    "gradients by layer": "各层的梯度",
    "‖δ‖: gradient of the loss\nat the layer's output": "‖δ‖：损失对该层输出的梯度",
    "‖dW‖: gradient of the weights": "‖dW‖：权重的梯度",
    "root mean square\nof the activations": "激活值的均方根",
    "share of saturated activations\n(|g′| < 0.01)": "饱和激活的比例（|g′| < 0.01）",
    "share of units that are 0\nfor all samples": "对所有样本输出都为 0 的单元的比例",
    "‖ΔW‖ / ‖W‖: relative size\nof one update": "‖ΔW‖ / ‖W‖：一步更新的相对大小",
    "step (0, 1, 2, 4 … 64, then evenly)": "步（0、1、2、4 … 64，之后等间隔）",
    "theory": "理论值",
    "layer, from the input to the output": "层，从输入到输出",
    # Boundary.
    "predicted probability over the inputs": "输入平面上的预测概率",
    "predicted class over the inputs": "输入平面上的预测类别",
    "prediction over the inputs": "输入平面上的预测值",
    "prediction": "预测值",
    "probability of {name} (line: ½)": "{name} 的概率（线：½）",
    "{layer}: outputs of {shown} of {all} units": "{layer}：{all} 个单元中 {shown} 个的输出",
    "{layer}: outputs of {all} units": "{layer}：{all} 个单元的输出",
    # Surface.
    "mean squared error of {title}": "{title} 的均方误差",
    "gradient descent converges for rates below 2/λ_max = {rate:.3g}; condition number {condition:.3g}": (
        "学习率小于 2/λ_max = {rate:.3g} 时梯度下降收敛；条件数 {condition:.3g}"
    ),
    "minimum": "最小值",
    "contours, and the direction of steepest descent": "等高线与最速下降方向",
    "{label} ({steps:,} steps)": "{label}（{steps:,} 步）",
    "mean squared error": "均方误差",
    "the surface": "误差曲面",
    "distance from the minimum ‖θ - θ*‖": "到最小值的距离 ‖θ - θ*‖",
    "excess error E(θ) - E(θ*)": "超出最小值的误差 E(θ) - E(θ*)",
    # Range test.
    "range test of {title}": "{title} 的学习率范围测试",
    "{count:,} steps": "{count:,} 步",
    "loss of each step": "每一步的损失",
    "moving average": "滑动平均",
    "the loss falls: {low:.2g} … {high:.2g}": "损失下降：{low:.2g} … {high:.2g}",
    "loss while the rate grows": "学习率增大时的损失",
    # Word vectors and features.
    "word vectors of {title}": "{title} 的词向量",
    "cosines of vectors of length 1; nearest to b - a + c: 3CosAdd (arXiv:1301.3781), a, b, c left out": (
        "长度为 1 的向量的余弦；与 b - a + c 最近的词：3CosAdd（arXiv:1301.3781），不含 a、b、c"
    ),
    "one-hot: orthogonal, all 0": "独热向量：两两正交，余弦为 0",
    "trained vectors": "训练得到的向量",
    "{count} of {all:,} tokens: principal components of {dim} numbers": (
        "{all:,} 个词元中的 {count} 个：{dim} 维向量的主成分"
    ),
    "first principal direction ({share:.1f} % of the variance)": "第一主方向（占方差的 {share:.1f} %）",
    "second principal direction ({share:.1f} %)": "第二主方向（{share:.1f} %）",
    "cosine": "余弦",
    "features of {title}": "{title} 的特征",
    "inputs: {dim:,} numbers": "输入：{dim:,} 个数",
    "input of {layer}, the last layer: {dim:,} numbers": "最后一层 {layer} 的输入：{dim:,} 个数",
    "{count:,} samples ({split})": "{count:,} 个样本（{split}）",
    # Diagram.
    "input": "输入",
    "{count:,} units": "{count:,} 个单元",
    "{count:,} values": "{count:,} 个数",
    "{count:,} parameters": "{count:,} 个参数",
}


def word(text: str, **values: Any) -> str:
    """A text in the language of the figures, with values in its `{fields}`; English where the table lacks it."""
    template = CHINESE.get(text, text) if language() == "zh" else text
    return template.format(**values) if values else template


@contextmanager
def in_language(chosen: Language | None) -> Iterator[None]:
    """Figures that are drawn in this context have this language; None leaves it to the locale."""
    token = _chosen.set(chosen)
    try:
        yield
    finally:
        _chosen.reset(token)


def language() -> Language:
    """The language of figures; Chinese only with a font for it."""
    return "zh" if (_chosen.get() or of_locale()) == "zh" and has_font() else "en"


def of_locale() -> Language:
    """The language of messages in the environment, where LC_ALL takes precedence over LC_MESSAGES and LANG."""
    locale = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return "zh" if locale.lower().startswith("zh") else "en"


@cache
def has_font() -> bool:
    """Whether a font has Chinese characters; a warning says once if none does."""
    found = find_cjk_family() is not None
    if not found:
        problem = "no installed font has Chinese characters, figures are in English"
        warnings.warn(f"{problem}; install one with: {install('cjk')}", FigureWarning, stacklevel=2)
    return found


def characters() -> str:
    """Characters that the figures' own words need, by which their fonts are chosen."""
    return CHINESE["step"] if language() == "zh" else ""
