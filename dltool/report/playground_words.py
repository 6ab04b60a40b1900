"""The words of the playground in Chinese."""

CHINESE_PLAYGROUND = {
    # Of the script.
    "Train": "训练",
    "epoch": "轮",
    "step": "步",
    "loss": "损失",
    "accuracy": "准确率",
    "train": "训练",
    "val": "验证",
    "target": "目标",
    "width {number}": "第 {number} 层宽度",
    "validation: hollow": "验证样本：空心",
    "Prediction and samples": "预测与样本",
    "The loss is not finite: a smaller learning rate helps.": "损失不再是有限的数：请减小学习率。",
    # Of the page.
    "Playground": "游乐场",
    "Train a multilayer perceptron in the page, on the data of this run. It starts with the settings of the run; its "
    "initial weights and the order of the samples are drawn by the page, so its numbers are not exactly those of "
    "dltool.": (
        "在页面里用这次训练的数据训练一个多层感知机。开始时的设置就是这次训练的设置；初始权重和样本顺序由页面随机产生，"
        "因此数值与 dltool 的不完全相同。"
    ),
    "The playground leaves out settings of the run:": "游乐场不包含这次训练的以下设置：",
    "The playground has {shown:,} of {all:,} samples.": "游乐场使用 {all:,} 个样本中的 {shown:,} 个。",
    "Settings": "设置",
    "Training": "训练",
    "hidden layers": "隐藏层数",
    "activation": "激活函数",
    "optimizer": "优化器",
    "learning rate": "学习率",
    "weight decay": "权重衰减",
    "batch size": "批大小",
    "seed": "随机种子",
    "Step": "一步",
    "Reset": "重置",
    "Loss": "损失",
    "Train it with dltool": "用 dltool 训练",
}
