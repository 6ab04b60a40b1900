"""The words of the page of an experiment in Chinese."""

CHINESE_EXPERIMENT = {
    "experiment": "实验",
    "reproduced": "已复现",
    "deviating": "有偏离",
    "not run": "未运行",
    "as recorded": "与记录一致",
    "OUTSIDE": "超出容差",
    "nothing to compare with": "无可比较",
    "Recorded with the seeds {seeds}; mean ± standard deviation.": "记录所用的随机种子：{seeds}；平均值 ± 标准差。",
    "Runs below the output root that were made from it: {count:,}; with its settings: {same:,}.": (
        "输出目录下有 {count:,} 次训练来自该实验，其中 {same:,} 次使用原设置。"
    ),
    "{seconds:g} s per seed on {machine}.": "每个种子 {seconds:g} 秒（{machine}）。",
    "Train it": "训练",
    "Repeat its seeds and compare": "重复各随机种子并比较",
    "Recorded and now": "记录与现在",
    "Now: mean ± standard deviation of the finished runs with the settings of the experiment; the tolerance is three "
    "standard errors of the difference.": (
        "“现在”是使用该实验原设置且已完成的训练的平均值 ± 标准差；容差是差值的三个标准误。"
    ),
    "metric": "指标",
    "reference": "文献值",
    "recorded": "记录值",
    "now": "现在",
    "tolerance": "容差",
    "source": "出处",
    "With other settings": "其他设置",
    "changed": "改动",
    "Notes of the experiment": "实验说明",
    "What differs from the defaults": "与默认值的不同",
    "{seconds:,.0f} s for a run on average.": "平均每次训练 {seconds:,.0f} 秒。",
}
