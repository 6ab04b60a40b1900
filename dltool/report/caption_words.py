"""The captions of pictures in Chinese."""

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
    "The search": "搜索",
    "The trials": "各次试验",
    "The metric of each trial in order, with the best so far.": "依次为每次试验的指标，以及到当时为止的最好值。",
    "The search space": "搜索空间",
    "The metric against each setting, a point for each trial.": "指标随各设置的变化，每个点是一次试验。",
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
    "The steps": "每一步",
    "The rate that the optimizer has for each parameter, and the change of the loss in a step over that predicted by "
    "its gradient: 1 where steps are small, 0 where the loss stays.": (
        "优化器对每个参数的学习率，以及一步中损失的变化与由梯度预测的变化之比：步长小时为 1，损失不变时为 0。"
    ),
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
