"""The words of pages in English and Chinese."""

from typing import Any

from dltool.core.language import wanted_language
from dltool.report.experiment_words import CHINESE_EXPERIMENT
from dltool.report.playground_words import CHINESE_PLAYGROUND

# The texts of the scripts, too.
CHINESE_PAGE = {
    "Play": "播放",
    "Pause": "暂停",
    "Copy": "复制",
    "Copied": "已复制",
    "step": "步",
    "epoch": "轮",
    "logarithmic": "对数坐标",
    "Continue": "续写",
    "Stop": "停止",
    "code {number}": "编码 {number}",
    "The server does not answer. Trying again …": "服务器没有响应。正在重试……",
    "This page is out of date: the run was removed, or the server was started again.": (
        "本页已过期：该训练已被删除，或服务器已重新启动。"
    ),
    "Tick the runs to compare.": "请勾选要比较的训练。",
}

CHINESE_LIVE = {
    "All runs": "所有训练",
    "Search": "搜索",
    "sort by": "排序",
    "compare": "比较",
    "date": "日期",
    "Compare {run}": "比较 {run}",
    "Compare the ticked runs": "比较勾选的训练",
    "{matching:,} of {total:,} runs": "{total:,} 次训练中的 {matching:,} 次",
    "the first {shown:,} are shown": "显示前 {shown:,} 次",
    "show all": "全部显示",
    "Words of the path, the model or the data; or filters as of dltool runs: model=lenet, optim.lr=0.01, "
    "state=running.": (
        "路径、模型或数据中的词；或与 dltool runs 相同的过滤条件：model=lenet, optim.lr=0.01, state=running。"
    ),
    "Load the page again to try the network.": "重新加载本页即可试用网络。",
    "Made by dltool. The page is served by this computer to itself, and sends nothing elsewhere.": (
        "由 dltool 生成。本页由本机提供给本机，不向别处发送任何内容。"
    ),
    "Sweeps and studies": "扫描与研究",
    "waiting": "等待中",
    "{count} runs": "{count} 次训练",
    "Their settings do not differ.": "它们的设置没有不同。",
    "They differ in {keys}.": "它们的不同在于 {keys}。",
    "They were not trained on the same data, so their metrics may not be comparable: {groups}": (
        "它们不是在相同的数据上训练的，因此指标可能不可比：{groups}"
    ),
    "Settings that differ": "不同的设置",
    "Results": "结果",
    "There is no difference.": "没有不同。",
    "‖dW‖: gradient of the weights, by layer": "‖dW‖：各层权重的梯度",
    "‖ΔW‖ / ‖W‖: relative size of one update, by layer": "‖ΔW‖ / ‖W‖：各层一次更新的相对大小",
    "share of units that are 0 for all samples, by layer": "各层对所有样本都为 0 的单元比例",
}

CHINESE_CAPTIONS = {
    "Samples": "样本",
    "Predictions and mistakes": "预测与错误",
    "Why it learns, or does not": "为什么学得会，或学不会",
    "The network": "网络",
    "The data": "数据",
    "Other pictures": "其他图片",
    "Confusion": "混淆矩阵",
    "Rows are true classes, columns predicted ones. What lies off the diagonal are mistakes; a dark cell there "
    "names two classes that the network takes for each other.": (
        "行是真实类别，列是预测类别。对角线以外是错误；那里颜色深的格子说明网络把这两类混淆了。"
    ),
    "The surest mistakes": "最有把握的错误",
    "Held-out samples of which the network was most sure and wrong. Look for wrong labels and for what they share.": (
        "网络最有把握却判断错的留出样本。看看是否标签有误，以及它们有什么共同点。"
    ),
    "Attacked images": "受攻击的图像",
    "Small changes along the gradient's sign that change the predicted class.": (
        "沿梯度符号方向的微小改变，使预测类别改变。"
    ),
    "Loss and accuracy under attack": "攻击下的损失与准确率",
    "The loss along the sign of its gradient against random signs, and the accuracy for growing changes.": (
        "沿梯度符号与沿随机符号的损失，以及改变增大时的准确率。"
    ),
    "Calibration": "校准",
    "How often predictions of a given probability are right. On the diagonal the probability can be believed.": (
        "给定概率的预测有多少是对的。落在对角线上时，概率是可信的。"
    ),
    "Forecasts": "预测",
    "The history, the forecast and what happened, beside forecasts without a model.": (
        "历史、预测与实际值，旁边是不用模型的预测。"
    ),
    "Reconstructions": "重建",
    "Held-out inputs above, their reconstructions below.": "上面是留出的输入，下面是重建结果。",
    "The latent space": "潜在空间",
    "Where held-out samples lie in the plane of the two most varying directions, and what is decoded there.": (
        "留出样本在变化最大的两个方向张成的平面中的位置，以及该处解码的结果。"
    ),
    "Decision boundary": "决策边界",
    "What the network predicts over the plane of its inputs, with the training points. The line is where the most "
    "probable class changes.": "网络在输入平面上的预测与训练点。线是最可能类别改变之处。",
    "Layers in training": "训练中的各层",
    "A row for each layer, time from left to right. Gradients that fall by orders of magnitude from the last layer "
    "to the first vanish; a share of zeros near 1 means dead units.": (
        "每层一行，时间从左到右。从最后一层到第一层下降几个数量级的梯度就是梯度消失；零的比例接近 1 表示单元已死亡。"
    ),
    "Gradients by layer": "各层的梯度",
    "The size of the gradient at each layer, dashed what theory predicts from the weights (arXiv:1611.01232).": (
        "各层梯度的大小；虚线是理论由权重给出的值（arXiv:1611.01232）。"
    ),
    "Weights": "权重",
    "Histograms of the weights, all together and by layer. A peak at 0 with long tails is a sparse layer.": (
        "权重的直方图：全部以及各层。在 0 处有尖峰且尾部很长的是稀疏的层。"
    ),
    "The loss over the parameters": "参数空间中的损失",
    "Contours of the loss with the path of the training; descent crosses contours at a right angle.": (
        "损失的等高线与训练的路径；下降方向与等高线垂直。"
    ),
    "A slice of the loss": "损失的一个切面",
    "The training loss around the end of the training, over a plane through the parameters.": (
        "训练结束处附近，参数空间一个平面上的训练损失。"
    ),
    "Activations and losses": "激活函数与损失",
    "The functions of the network with a histogram of where the data lies on them. Mass where the slope is near 0 "
    "does not learn.": "网络的函数以及数据落在其上何处的直方图。斜率接近 0 处的数据不产生学习。",
    "The game": "博弈",
    "The discriminator over the data space with real and generated samples. At equilibrium it is ½.": (
        "判别器在数据空间上的值，以及真实样本和生成样本。平衡时处处为 ½。"
    ),
    "Memory": "记忆",
    "Gates and states of a recurrent layer over time.": "循环层的门与状态随时间的变化。",
    "The swept key": "扫描的设置",
    "Training and held-out metrics against the values of the key.": "训练与留出指标随该设置的变化。",
    "Gradient over time": "随时间的梯度",
    "How strongly the last output depends on inputs further back; a steep fall means short memory.": (
        "最后的输出对更早输入的依赖程度；下降陡峭说明记忆短。"
    ),
    "Learning-rate range test": "学习率范围测试",
    "The loss while the rate grows. A good rate lies where the loss falls steeply, well before it rises.": (
        "学习率增大时的损失。好的学习率位于损失快速下降处，离上升还有距离。"
    ),
    "First kernels": "第一层卷积核",
    "The weights of the first convolution as images.": "第一个卷积层的权重，画成图像。",
    "Feature maps": "特征图",
    "What each convolution makes of one held-out image.": "每个卷积层对一幅留出图像的输出。",
    "Attention": "注意力",
    "Which positions each query attends to, a head in each panel.": "每个查询注意哪些位置，每格一个头。",
    "Receptive fields": "感受野",
    "The pixels that reach one unit, and how strongly.": "影响一个单元的像素及其强弱。",
    "Diagram": "结构图",
    "The layers with the shapes of their outputs; dashed are residual paths.": "各层及其输出的形状；虚线是残差连接。",
    "Training images": "训练图像",
    "Images as the network sees them, after random augmentation.": "网络看到的图像，已随机增强。",
    "Metrics": "指标",
    "A metric as a picture.": "以图表示的指标。",
    "Samples while training": "训练过程中的样本",
    "From the same noise, or the same inputs, each time.": "每次都由同样的噪声或同样的输入生成。",
    "Denoising": "去噪",
    "Columns go from noise to the sample; below each stage is the image that the network predicts from it.": (
        "各列从噪声到样本；每个阶段下面是网络由它预测的图像。"
    ),
    "Decision boundary while training": "训练过程中的决策边界",
    "The predictions over the plane with the weights of each step.": "平面上的预测，使用每一步的权重。",
    "The fitted curve": "拟合曲线",
    "The prediction over the input with the training points; residuals that show a pattern are not noise.": (
        "随输入变化的预测与训练点；有规律的残差不是噪声。"
    ),
    "Distance from the minimum": "到最小值的距离",
    "How far the parameters and the loss are from the minimum, step by step.": "参数和损失每一步离最小值多远。",
    "The game while training": "训练过程中的博弈",
    "The discriminator and the samples with the weights of each step.": "判别器与样本，使用每一步的权重。",
    "What stops the training": "停止训练的条件",
    "The quantities that the stopping rules watch, with their thresholds.": "停止规则所监测的量及其阈值。",
    "Features": "特征",
    "Held-out samples by class along two principal components: of the inputs, and of the last hidden layer. What "
    "the network separates lies apart there.": (
        "留出样本按类别沿两个主成分的分布：输入的主成分，以及最后一个隐藏层的主成分。网络能区分的类别在那里彼此分开。"
    ),
    "Response to a shift": "对平移的响应",
    "The maps of a convolution for an image and for the image shifted.": "卷积层对一幅图像及其平移后的图像的特征图。",
    "Word vectors": "词向量",
    "Words along two principal components; words used alike lie close together.": (
        "词沿两个主成分的分布；用法相近的词彼此靠近。"
    ),
    "Samples: {name}": "样本：{name}",
    "{title}: {part}": "{title}：{part}",
}

CHINESE_TABLES = {
    "command line": "命令行",
    "config file": "配置文件",
    "default": "默认",
    "auto: {value}": "自动：{value}",
    "Layer by layer": "逐层",
    "Samples and classes": "样本与类别",
    "layer": "层",
    "type": "类型",
    "output": "输出",
    "parameters": "参数",
    "frozen": "冻结",
    "Config": "配置",
    "setting": "设置",
    "value": "值",
    "from": "来源",
    "Environment": "环境",
    "Ranking": "排名",
    "seconds": "秒",
    "Which setting matters": "哪些设置重要",
    "share": "比例",
    "The runs": "各次训练",
    "run": "训练",
    "state": "状态",
    "Mean ± standard deviation over repetitions (seeds, folds); seconds are of one run.": (
        "重复（随机种子、折）的平均值 ± 标准差；秒数是一次训练的。"
    ),
    "The share of the metric's variance that lies between the values of a key (correlation ratio η²; numbers "
    "with more than six values in quarters). It says nothing about keys that act together.": (
        "指标的方差中由该设置的取值解释的比例（相关比 η²；超过六个取值的数按四分位分组）。它不反映设置之间的相互作用。"
    ),
    "{seconds:,.0f} s of training in all. `{command}` writes the page of one run.": (
        "训练共 {seconds:,.0f} 秒。`{command}` 生成一次训练的页面。"
    ),
}

CHINESE = (
    CHINESE_PAGE
    | CHINESE_CAPTIONS
    | CHINESE_TABLES
    | CHINESE_LIVE
    | CHINESE_PLAYGROUND
    | CHINESE_EXPERIMENT
    | {
        "Skip to the content": "跳到正文",
        "Contents": "目录",
        "Summary": "概要",
        "baseline": "基线",
        "Warnings": "警告",
        "Curves": "曲线",
        "horizontal axis": "横轴",
        "Whole range": "全部范围",
        "Drag over a chart to zoom in. With the keyboard: arrows move along a chart, + and - zoom, 0 shows all.": (
            "在图上拖动可放大。键盘：左右箭头移动，+ 和 - 缩放，0 显示全部。"
        ),
        "Settings and results": "设置与结果",
        "A line is a run; the last axis is the metric. Bright lines are better.": (
            "每条线是一次训练，最后一个轴是指标。亮的线更好。"
        ),
        "Parallel coordinates of the settings and the metric": "设置与指标的平行坐标",
        "What the network predicts": "网络的预测",
        "Try it": "试一试",
        "Draw with the mouse or a finger; the network of this run computes in the page. With the keyboard: arrows "
        "move the pen, the space bar lifts and lowers it, Delete clears.": (
            "用鼠标或手指画图；这次训练的网络就在页面里计算。键盘：方向键移动画笔，空格键抬起或放下，Delete 清除。"
        ),
        "Drawing area": "画布",
        "Clear": "清除",
        "Probability of each class": "各类别的概率",
        "The sliders are the first numbers of the code; the network of this run makes the image in the page.": (
            "滑块是编码的前几个数；这次训练的网络在页面里生成图像。"
        ),
        "Type the beginning of a text; the network of this run continues it in the page, a character at a time.": (
            "输入文本的开头；这次训练的网络在页面里逐字续写。"
        ),
        "Beginning": "开头",
        "temperature": "温度",
        "Continuation": "续写结果",
        "Image made from the code": "由编码生成的图像",
        "New code": "新编码",
        "Zeros": "全零",
        "frame": "帧",
        "speed": "速度",
        "Made by dltool. The page loads nothing and sends nothing.": "由 dltool 生成。本页不加载也不发送任何内容。",
        # Sentences.
        "{model} on {data}": "{data} 上的 {model}",
        "{run} failed: {error}": "{run} 失败：{error}",
        "The model {model} was trained on {data}.": "模型 {model} 在 {data} 上训练。",
        "The model {model} is being trained on {data}.": "模型 {model} 正在 {data} 上训练。",
        "The model {model} with {parameters:,} parameters is being trained on {data} ({sizes} {unit}).": (
            "模型 {model}（{parameters:,} 个参数）正在 {data} 上训练（{sizes} {unit}）。"
        ),
        "Pictures of the network and of what it learns are drawn at the end of the training.": (
            "网络及其学习内容的图在训练结束时绘制。"
        ),
        "The model {model} with {parameters:,} parameters was trained on {data} ({sizes} {unit}).": (
            "模型 {model}（{parameters:,} 个参数）在 {data} 上训练（{sizes} {unit}）。"
        ),
        "Optimizer {optim}, learning rate {rate}, schedule {schedule}, loss {loss}, batches of {batch}.": (
            "优化器 {optim}，学习率 {rate}，学习率计划 {schedule}，损失 {loss}，批大小 {batch}。"
        ),
        "{steps} steps, {epochs} epochs, {seconds:,.0f} s on {device}.": (
            "{steps} 步，{epochs} 轮，在 {device} 上 {seconds:,.0f} 秒。"
        ),
        "Stopped by {rule}.": "由 {rule} 停止。",
        "{count:,} runs ({states}) over {keys}, ranked by {metric}, {best} first.": (
            "{count:,} 次训练（{states}），扫描 {keys}，按 {metric} 排名，{best}的在前。"
        ),
        "The best is {label}: {value}.": "最好的是 {label}：{value}。",
        "{metric} has different definitions in these runs: it is ranked within each, not between them.": (
            "{metric} 在这些训练中的定义不同：只在同一定义之内排名。"
        ),
        "repetitions only": "仅重复",
        "smallest": "最小",
        "largest": "最大",
        "sweep": "扫描",
        "study": "研究",
        # The display of a training in a notebook.
        "learning rate {rate}, batches of {batch}, seed {seed}": "学习率 {rate}，批大小 {batch}，种子 {seed}",
        "batches of {batch}, seed {seed}": "批大小 {batch}，种子 {seed}",
        "learning rate": "学习率",
        "train": "训练",
        "train, per step": "训练，每步",
        "lr": "学习率",
        "val": "验证",
        "test": "测试",
        "samples": "个样本",
        "tokens": "个词元",
        # Commands.
        "Train it again from its command": "按原命令重新训练",
        "Train it again from this folder": "由此文件夹重新训练",
        "Continue it": "继续训练",
        "Evaluate it": "评估",
        "Run it again": "重新运行",
        # States.
        "finished": "已完成",
        "running": "训练中",
        "failed": "失败",
        "interrupted": "已中断",
        "killed": "被终止",
        "damaged": "已损坏",
    }
)


def word(text: str, **values: Any) -> str:
    """A text in the language of the page, with values in its `{fields}`; English where the table lacks it."""
    template = CHINESE.get(text, text) if wanted_language() == "zh" else text
    return template.format(**values) if values else template
