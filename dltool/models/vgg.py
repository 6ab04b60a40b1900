"""VGG: deep networks of 3×3 convolutions."""

from typing import Literal

from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Fraction, Positive, register
from dltool.layers.initialize import initialize

Init = Literal[
    "default", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal", "orthogonal", "normal"
]

# Table 1: the number of convolutions before each of the five poolings. The columns A, B, D and E, by weight layers.
CONVOLUTIONS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
WIDTHS = (1, 2, 4, 8, 8)  # Channels of the five stages, in multiples of the first one's 64.
PAPER_SIDE = 224  # The smallest size with last maps of 7×7, as the paper's head needs.


@register("model", "vgg", inputs="image", min_size=32, native_size=32, photo_size=224, tasks=("supervised",))
class Vgg(nn.Module):
    """Simonyan and Zisserman, "Very deep convolutional networks" (ICLR 2015, arXiv:1409.1556), table 1.

    With 224×224 colour images, 1000 classes and head=imagenet the parameters are the paper's (133 to 144 million), and
    the weights have torchvision's names and shapes, so `init_from=FILE` loads torchvision's weights. Omitted: column C,
    with its 1×1 convolutions, and A-LRN, which the paper found useless.

    Deviations: batch norm, which did not exist; the convolutions keep their biases before it, as torchvision's do.
    Weights are initialized by He et al. (2015, eq. 10), who derived it for such networks, biases to zero. The paper
    drew A from N(0, 0.1²), init=normal, and began the deeper networks with A's layers (`init_from=RUN`); with Glorot's
    init=xavier_uniform, its section 3.1 adds, this is unnecessary. torchvision's adaptive pooling to 7×7 is between the
    last maps and the imagenet head, and changes nothing at 224×224. The small head is not in the paper.
    The options without batch norm choose optim=adam_vgg; the paper trained by SGD at 1e-2 in batches of 256, with
    momentum 0.9 and weight decay 5e-4.

    Args:
        depth: Number of layers with weights.
        norm: "batch" (Ioffe and Szegedy 2015) between each convolution and its ReLU, or null.
        head: "imagenet" has two hidden layers of 64 times the width on 7×7 maps; "small" has none, on the mean of each
            map: 120 million parameters fewer. "auto" is imagenet for images of 224×224 or more.
        width: Channels of the first stage; the others have 2, 4, 8 and 8 times as many.
        dropout: Share of the units that is set to zero in training: the hidden ones of the imagenet head, the inputs of
            the small one. null is 0.5 in the former, as in the paper, and 0 in the latter.
        init: See dltool.layers.initialize.
        init_std: Standard deviation of init=normal.
    """

    def __init__(
        self,
        spec: DataSpec,
        *,
        depth: Literal[11, 13, 16, 19] = 16,
        norm: Literal["batch"] | None = None,
        head: Literal["auto", "imagenet", "small"] = "auto",
        width: Positive[int] = 64,
        dropout: Fraction[float] | None = None,
        init: Init = "kaiming_normal",
        init_std: Positive[float] = 0.1,
    ) -> None:
        super().__init__()
        channels, *sides = spec.input_shape
        self.choices = {}
        if head == "auto":
            head = self.choices["head"] = "imagenet" if min(sides) >= PAPER_SIDE else "small"
        self.features = nn.Sequential()
        for num_convolutions, multiple in zip(CONVOLUTIONS[depth], WIDTHS, strict=True):
            for _ in range(num_convolutions):
                self.features.append(nn.Conv2d(channels, width * multiple, kernel_size=3, padding=1))
                if norm == "batch":
                    self.features.append(nn.BatchNorm2d(width * multiple))
                self.features.append(nn.ReLU())
                channels = width * multiple
            self.features.append(nn.MaxPool2d(2))
        if head == "imagenet":
            share, hidden = 0.5 if dropout is None else dropout, 64 * width
            self.avgpool = nn.AdaptiveAvgPool2d(7)
            self.classifier = nn.Sequential(
                *(nn.Linear(channels * 7 * 7, hidden), nn.ReLU(), nn.Dropout(share)),
                *(nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(share)),
                nn.Linear(hidden, spec.output_dim),
            )
        else:
            self.avgpool = nn.AdaptiveAvgPool2d(1)
            self.classifier = nn.Sequential(nn.Dropout(dropout or 0.0), nn.Linear(channels, spec.output_dim))
        initialize(self, init, init_std)

    def forward(self, images: Tensor) -> Tensor:
        """Outputs `(B, output_dim)` for images `(B, C, H, W)` of at least 32×32."""
        maps = self.features(images)  # (B, 512, H // 32, W // 32)
        return self.classifier(self.avgpool(maps).flatten(1))  # (B, 512, 7, 7) -> (B, 25088)
