"""The words of pages in English and Chinese."""

from typing import Any

from dltool.core.language import wanted_language
from dltool.report.caption_words import CHINESE_CAPTIONS
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
    "{metric}: {form} over n repetitions (seeds, folds). Seconds are of one run.": (
        "{metric}：n 次重复（随机种子、折）的{form}。秒数是一次训练的。"
    ),
    "mean ± standard deviation": "平均值 ± 标准差",
    "mean [95 % confidence interval by Student's t]": "平均值 [95 % 置信区间，t 分布]",
    "mean [95 % confidence interval by Student's t], of two runs mean ± standard deviation": (
        "平均值 [95 % 置信区间，t 分布]，只有两次时为平均值 ± 标准差"
    ),
    "Seconds are of one run.": "秒数是一次训练的。",
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
        "or a picture of yours": "或你自己的图片",
        "Probability of each class": "各类别的概率",
        "The sliders are the first numbers of the code; the network of this run makes the image in the page.": (
            "滑块是编码的前几个数；这次训练的网络在页面里生成图像。"
        ),
        "Type the beginning of a text; the network of this run continues it in the page, a character at a time.": (
            "输入文本的开头；这次训练的网络在页面里逐字续写。"
        ),
        "Change the values of the row; the network of this run answers in the page. It starts with the shift that "
        "scales each column, mostly the mean of the training data.": (
            "改变这一行的值；这次训练的网络就在页面里作答。开始时是各列缩放所用的平移量，多为训练数据的平均值。"
        ),
        "Values of the row": "这一行的值",
        "Beginning": "开头",
        "temperature": "温度",
        "Continuation": "续写结果",
        "Image made from the code": "由编码生成的图像",
        "New code": "新编码",
        "The network of this run removes the noise from a new image in the page, step by step.": (
            "这次训练的网络在页面里逐步去除一幅新图像的噪声。"
        ),
        "There is nothing to try in this page: the model has {count:,} numbers, and pages compute at most {most:,}.": (
            "本页没有可试用的网络：该模型有 {count:,} 个数，而页面最多计算 {most:,} 个。"
        ),
        "There is nothing to try in this page: pages do not compute {name}.": (
            "本页没有可试用的网络：页面不能计算 {name}。"
        ),
        "There is nothing to try in this page: the model needs more than an input of the data's shape.": (
            "本页没有可试用的网络：该模型除了数据形状的输入还需要别的。"
        ),
        "There is nothing to try in this page: pages have controls for classifiers of images and rows, generators "
        "of images from codes or noise, translators of images, and models of characters.": (
            "本页没有可试用的网络：页面只能试用图像或表格行的分类器、由编码或噪声生成图像的网络、图像转换，以及字符模型。"
        ),
        "Choose an image; the networks of this run translate it into the other domain and back, in the page.": (
            "选择一幅图像；这次训练的网络在页面里把它转换到另一个域，再转换回来。"
        ),
        "image": "图像",
        "translation": "转换结果",
        "translated back": "再转换回来",
        "Image made from noise": "由噪声生成的图像",
        "New image": "新图像",
        "class": "类别",
        "Zeros": "全零",
        "Enlarge: {picture}": "放大：{picture}",
        "frame": "帧",
        "speed": "速度",
        "Made by dltool. The page loads nothing and sends nothing.": "由 dltool 生成。本页不加载也不发送任何内容。",
        # Sentences.
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
        "Optimizer {optim}, learning rate {rate}, schedule {schedule}, batches of {batch}.": (
            "优化器 {optim}，学习率 {rate}，学习率计划 {schedule}，批大小 {batch}。"
        ),
        "accuracy {value} by always predicting {name}": "总是预测 {name} 的准确率 {value}",
        "{value} by predicting the mean": "总是预测平均值：{value}",
        "{value} by the frequency of each token": "按每个词元的频率预测：{value}",
        "epochs": "轮数",
        "steps": "步数",
        "{steps} steps, {epochs} epochs, {seconds:,.0f} s on {device}.": (
            "{steps} 步，{epochs} 轮，在 {device} 上 {seconds:,.0f} 秒。"
        ),
        "Of {steps:,} steps; about {seconds:,.0f} s left.": "共 {steps:,} 步；约剩 {seconds:,.0f} 秒。",
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
        "pruned": "提前终止",
        "damaged": "已损坏",
    }
)


def word(text: str, **values: Any) -> str:
    """A text in the language of the page, with values in its `{fields}`; English where the table lacks it."""
    template = CHINESE.get(text, text) if wanted_language() == "zh" else text
    return template.format(**values) if values else template
