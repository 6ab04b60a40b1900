"""The words of figures in English and Chinese: titles, axes, legends and notes.

The language is the one that `in_language` chooses, or else that of the environment's locale. Chinese needs a font with
its characters: without one the words are English, and a warning says so once.
"""

import warnings
from functools import cache
from typing import Any

from dltool.core.distribution import install
from dltool.core.language import Language, wanted_language
from dltool.core.notices import FigureWarning
from dltool.figures.fonts import find_cjk_family

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
    "{quantity} of {title}": "{title} 的{quantity}",
    "gradient descent converges for rates below 2/λ_max = {rate:.3g}; condition number {condition:.3g}": (
        "学习率小于 2/λ_max = {rate:.3g} 时梯度下降收敛；条件数 {condition:.3g}"
    ),
    "no isolated minimum in this window; lowest place: {place}": "此窗口内没有孤立的极小值；最低点：{place}",
    "minima found in this window: {places}": "此窗口内找到的极小值：{places}",
    "minimum": "最小值",
    "minima": "极小值",
    "contours, and the direction of steepest descent": "等高线与最速下降方向",
    "{label} ({steps:,} steps)": "{label}（{steps:,} 步）",
    "mean squared error": "均方误差",
    "the surface": "误差曲面",
    "distance from the minimum ‖θ - θ*‖": "到最小值的距离 ‖θ - θ*‖",
    "distance from the lowest place ‖θ - θ*‖": "到最低点的距离 ‖θ - θ*‖",
    "distance from the minimum nearest to the end ‖θ - θ*‖": "到离终点最近的极小值的距离 ‖θ - θ*‖",
    "excess error E(θ) - E(θ*)": "超出最小值的误差 E(θ) - E(θ*)",
    # Fit.
    "fit of {title}": "{title} 的拟合",
    "training points ({count:,})": "训练样本（{count:,} 个）",
    "{label}: RMSE {rmse:.3g}, MAE {mae:.3g}": "{label}：RMSE {rmse:.3g}，MAE {mae:.3g}",
    "input {name}": "输入 {name}",
    "target and prediction": "目标值与预测值",
    # Range test.
    "range test of {title}": "{title} 的学习率范围测试",
    "{count:,} steps": "{count:,} 步",
    "loss of each step": "每一步的损失",
    "moving average": "滑动平均",
    "the loss falls: {low:.2g} … {high:.2g}": "损失下降：{low:.2g} … {high:.2g}",
    "loss while the rate grows": "学习率增大时的损失",
    # Response.
    "response of {title} to a shift of the input ({layer})": "{title} 对输入平移的响应（{layer}）",
    "equivariance: f(shifted x) = shifted f(x);  invariance: f(shifted x) = f(x)  (LeCun 1989)": (
        "等变：f(平移后的 x) = 平移后的 f(x)；不变：f(平移后的 x) = f(x)（LeCun 1989）"
    ),
    "kernel": "卷积核",
    "map": "特征图",
    "map, input\nshifted by {shift}": "输入平移 {shift} 后\n的特征图",
    "pooled map": "池化后的特征图",
    "channel {number}": "通道 {number}",
    "what the shift changes": "平移引起的变化",
    "relative change ‖new - old‖ / ‖old‖": "相对变化 ‖新 - 旧‖ / ‖旧‖",
    "first maps, moved with the input (inside the borders)": "第一层特征图，随输入平移（边界以内）",
    "first maps, in place": "第一层特征图，原位比较",
    "pooled maps, in place": "池化后的特征图，原位比较",
    "last features, in place": "最后的特征，原位比较",
    "probability of the unshifted image's class": "未平移时的预测类别的概率",
    "mean probability": "平均概率",
    "shift to the right (pixels)": "向右平移（像素）",
    "mean over {count} training samples, edges repeated": "{count} 个训练样本的平均，边缘像素重复",
    # Diagram.
    "input": "输入",
    "{count:,} units": "{count:,} 个单元",
    "{count:,} values": "{count:,} 个数",
    "{count:,} parameters": "{count:,} 个参数",
    # Sweep.
    "{title}: sweep over {key}": "{title}：不同的 {key}",
    "one run for each value": "每个取值一次训练",
    "mean ± standard deviation over {count} runs each": "每个取值 {count} 次训练的平均值 ± 标准差",
    "{metric}, newest value of each split": "{metric}（各部分数据的最新值）",
    "bias² (with the noise of y)": "偏差²（含 y 的噪声）",
    "variance over the runs": "各次训练间的方差",
    "held-out error = bias² + variance": "留出数据的误差 = 偏差² + 方差",
    "squared error (unit of y, squared)": "平方误差（y 的单位的平方）",
    "gradient noise scale at the end": "训练结束时的梯度噪声尺度",
    "samples": "样本数",
    "batch size": "批大小",
    # Gradients of several runs.
    "{title}: gradient by layer": "{title}：各层的梯度",
    "‖δ‖ of the layer / ‖δ‖ of the last one": "该层的 ‖δ‖ / 最后一层的 ‖δ‖",
    "the first step": "第一步",
    "the last measured step": "最后测量的一步",
    "layer, counted from the input": "层（从输入数起）",
    # Weights.
    "{title}: weights at the end": "{title}：训练结束时的权重",
    "all weights": "全部权重",
    "weight w": "权重 w",
    "weights per bin": "每组的权重数",
    "share with |w| < {bound:g}": "|w| < {bound:g} 的比例",
    # Stopping.
    "{title}: quantities that stop the training": "{title}：停止训练所依据的量",
    "norm of the step's gradient": "该步梯度的范数",
    "norm of the gradient over the training split": "整个训练集上梯度的范数",
    "norm of the update of one step": "一步更新的范数",
    "spread of the newest {count} values of {metric}": "{metric} 最近 {count} 个值的极差",
    "evaluations without improvement of {metric}": "{metric} 没有改善的评估次数",
    "evaluations": "评估次数",
    "threshold {key}={value:g}": "阈值 {key}={value:g}",
    "with stop.every_n_steps={period}": "stop.every_n_steps={period}",
}


def word(text: str, **values: Any) -> str:
    """A text in the language of the figures, with values in its `{fields}`; English where the table lacks it."""
    template = CHINESE.get(text, text) if language() == "zh" else text
    return template.format(**values) if values else template


def language() -> Language:
    """The language of figures; Chinese only with a font for it."""
    return "zh" if wanted_language() == "zh" and has_font() else "en"


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
