"""The bag of words: the words of a text and their counts, regardless of order."""

from typing import Literal

from torch import Tensor, nn

from dltool.core.errors import ConfigError
from dltool.core.spec import PAD, DataSpec
from dltool.declarations.component import register


@register("model", "bag_of_words", inputs="sequence", tasks=("supervised",))
class BagOfWords(nn.Module):
    """A linear layer on the word counts of a text: logistic regression, if the target is a class.

    Each text is the sum of the one-hot vectors of its words, `(B, V)`, or their mean. That vector times a matrix is the
    sum, or mean, of the matrix's rows of those words, which nn.EmbeddingBag computes. Padding is not counted.
    All weights start at zero, since the problem is convex. With the counts and the penalty `task.l2=prior`, the optimum
    is that of scikit-learn's LogisticRegression on the output of its CountVectorizer.

    Args:
        pooling: "sum" uses the counts, "mean" the share of each word in its text.
    """

    max_length = None  # Texts may have any length.

    def __init__(self, spec: DataSpec, *, pooling: Literal["mean", "sum"] = "sum") -> None:
        super().__init__()
        if not spec.num_tokens:
            raise ConfigError("model=bag_of_words counts words, but the data has none", "model=lstm takes numbers")
        self.weights = nn.EmbeddingBag(
            spec.num_tokens, spec.output_dim, mode=pooling, padding_idx=PAD if spec.padded else None
        )
        nn.init.zeros_(self.weights.weight)
        self.bias = nn.Parameter(self.weights.weight.new_zeros(spec.output_dim))

    def forward(self, tokens: Tensor) -> Tensor:
        """Scores `(B, output_dim)` for texts `(B, T)`."""
        scores: Tensor = self.weights(tokens) + self.bias
        return scores
