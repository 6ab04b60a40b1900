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
    # Attack.
    "random signs": "随机符号",
    "ε along the direction, pixels in [0, 1]": "沿该方向的 ε（像素在 [0, 1] 内）",
    "mean cross-entropy, nats": "平均交叉熵（奈特）",
    "loss along directions": "沿各方向的损失",
    "ε of FGSM, pixels in [0, 1]": "FGSM 的 ε（像素在 [0, 1] 内）",
    "accuracy under attack": "攻击下的准确率",
    "{title}: under the fast gradient sign method": "{title}：快速梯度符号法攻击",
    "slope ‖∇ₓL‖₁": "斜率 ‖∇ₓL‖₁",
    "{count:,} samples ({split}), the loss of the first {few:,}": "{count:,} 个样本（{split}），损失取前 {few:,} 个",
    # Functions.
    "z of the run": "本次训练的 z",
    "loss of one sample": "单个样本的损失",
    "the loss": "损失函数",
    "the loss {name}": "损失函数 {name}",
    "{title}: its activations and its loss": "{title}：激活函数与损失函数",
    "{name}: |g'| < 0.01 for {share:.0f} % of z": "{name}：{share:.0f} % 的 z 满足 |g'| < 0.01",
    "residuals of the run": "本次训练的残差",
    "margins of the run": "本次训练的间隔",
    "residual ŷ - y": "残差 ŷ - y",
    "margin of the true class (other scores equal)": "真实类别的间隔（其余得分相等）",
    "{count:,} training samples": "{count:,} 个训练样本",
    # Game.
    "{title}: discriminator and samples": "{title}：判别器与生成样本",
    "D(x), probability of data (line: ½)": "D(x)：是真实数据的概率（线：½）",
    "D(x), the critic's score": "D(x)：评判器的得分",
    "D over the data, and samples of G": "D、数据与 G 的样本",
    "data": "数据",
    "samples of G": "G 的样本",
    "z₁ constant": "z₁ 不变",
    "z₂ constant": "z₂ 不变",
    "where G maps a grid of z": "G 把 z 的网格映射到何处",
    "where G maps the line of z": "G 把 z 的直线映射到何处",
    "{title}: the game over x": "{title}：x 上的博弈",
    "p, data": "p：数据",
    "q, samples of G": "q：G 的样本",
    "density": "密度",
    "densities": "密度",
    "nats": "奈特",
    "Jensen-Shannon divergence, and what D attains of it": "JS 散度，以及 D 达到的部分",
    "earth mover's distance": "推土机距离",
    "probability of data": "是真实数据的概率",
    "critic's score": "评判器的得分",
    "W₁ in units of {name}": "W₁（单位同 {name}）",
    "{name} exact": "{name} 为精确值",
    "{name} by kernel density, bandwidth {std:.3g}": "{name} 为核密度估计，带宽 {std:.3g}",
    "between lines the same share of z": "相邻线之间 z 的概率相等",
    "between lines the same share of z, whose other {count} numbers are 0": (
        "相邻线之间 z 的概率相等，z 的其余 {count} 个数为 0"
    ),
    # Plane.
    "{title}: training loss over planes of weights": "{title}：权重平面上的训练损失",
    "α, in norms of each filter": "α（以各滤波器的范数为单位）",
    "β, in norms of each filter": "β（以各滤波器的范数为单位）",
    "random directions, normalised by filters": "随机方向，按滤波器归一化",
    "loss (logarithmic)": "损失（对数刻度）",
    "its own loss": "自身的损失",
    "the end": "终点",
    "first direction of the path ({share:.1f} % of ‖θ - θ_T‖²)": "路径的第一方向（占 ‖θ - θ_T‖² 的 {share:.1f} %）",
    "second direction ({share:.1f} %)": "第二方向（{share:.1f} %）",
    "plane of the path, which is up to {off:.2g} off it": "路径所在平面（路径离平面最远 {off:.2g}）",
    "loss in evaluation mode on {count:,} training samples": "{count:,} 个训练样本上的评估模式损失",
    # Memory.
    "input gate i": "输入门 i",
    "forget gate f": "遗忘门 f",
    "output gate o": "输出门 o",
    "cell state c": "细胞状态 c",
    "output h": "输出 h",
    "reset gate r": "重置门 r",
    "update gate z": "更新门 z",
    "candidate n": "候选状态 n",
    "time step": "时间步",
    "unit": "单元",
    "mean over the units": "各单元的平均",
    "a unit": "一个单元",
    "from time step": "起始时间步",
    "direct path of the gradient: ∏ {carry}": "梯度的直接路径：∏ {carry}",
    "∂{state}_T / ∂{state}_t along {carry}": "沿 {carry} 的 ∂{state}_T / ∂{state}_t",
    "{title}: {kind} {name}, layer {layer}, one training sample": "{title}：{kind} {name}，第 {layer} 层，一个训练样本",
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
