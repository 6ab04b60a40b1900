"""word2vec: word vectors learned from the words' contexts."""

from typing import Literal

import torch
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import Positive, register, requires
from dltool.layers.word_windows import WordPredictions, context_mask


@register("model", "word2vec", inputs="sequence", tasks=("word2vec",))
@requires(
    lambda config: config.data.targets == "none",
    "model=word2vec needs words with their contexts, which data=corpus provides",
    hint="data=corpus data.path=FILE",
)
@requires(
    lambda config: not config.model.sparse or config.optim.name == "sgd" or config.optim.name == "sparse_adam",
    "model.sparse=true gives sparse gradients, which only sgd and sparse_adam support",
    hint="optim=sparse_adam, or model.sparse=false",
)
@requires(
    lambda config: (
        not config.model.sparse
        or config.optim.name != "sgd"
        or (config.optim.momentum == 0 and config.optim.weight_decay == 0)
    ),
    "model.sparse=true updates only the words of a batch, but optim.momentum and optim.weight_decay change all words",
    hint="optim.momentum=0 optim.weight_decay=0, or model.sparse=false",
)
@requires(
    lambda config: not config.model.sparse or config.loss.name != "cross_entropy",
    "model.sparse=true saves nothing with loss=cross_entropy, which scores every word",
    hint="model.sparse=false",
)
@requires(
    lambda config: not config.model.sparse or (config.trainer.clip_norm is None and config.trainer.clip_value is None),
    "torch cannot clip the sparse gradients of model.sparse=true",
    hint="trainer.clip_norm=null trainer.clip_value=null",
)
class Word2Vec(nn.Module):
    """Two vectors for each word: `inputs`, as the word that predicts, and `outputs`, as the predicted word.

    "cbow" predicts a word from the mean of the words around it (Mikolov et al. 2013a, arXiv:1301.3781, section 3.1);
    "skip_gram" predicts each of the words around it from the word (section 3.2; eq. 1 of Mikolov et al. 2013b,
    arXiv:1310.4546). The loss scores the predictions: negative_sampling (eq. 4 there), hierarchical_softmax
    (eq. 3) or cross_entropy (the full softmax, eq. 2). The word vectors are `inputs`; `forward` looks them up.

    As in word2vec.c `inputs` are initialized from U(±0.5 / D) and `outputs` to zero. Deviations: CBOW uses the gradient
    of the mean, where word2vec.c gives each context word the whole of it; and a step sums the gradients of many
    predictions, where word2vec.c takes a step for each.

    Args:
        architecture: See above.
        dim: D, the width of a vector.
        sparse: Gradients only for the words in the batch, as optim=sparse_adam needs and optim=sgd accepts:
            useful if a batch contains a small part of the vocabulary.
    """

    max_length = None  # Texts may have any length.

    def __init__(
        self,
        spec: DataSpec,
        *,
        architecture: Literal["cbow", "skip_gram"] = "skip_gram",
        dim: Positive[int] = 100,
        sparse: bool = False,
    ) -> None:
        super().__init__()
        self.architecture = architecture
        self.inputs = nn.Embedding(spec.num_tokens, dim, sparse=sparse)
        self.outputs = nn.Embedding(spec.num_tokens, dim, sparse=sparse)
        nn.init.uniform_(self.inputs.weight, -0.5 / dim, 0.5 / dim)
        nn.init.zeros_(self.outputs.weight)

    def forward(self, tokens: Tensor) -> Tensor:
        """The vectors of words, `(…, D)` from `(…,)`."""
        vectors: Tensor = self.inputs(tokens)
        return vectors

    def predictions(self, words: Tensor, reach: Tensor) -> WordPredictions:
        """The predictions in a batch of blocks.

        Args:
            words: int64 `(B, W + S + W)`, S words with the W before and after them.
            reach: int64 `(B, S, 2)`, how many words each window of the S extends to the left and right.
        """
        context = context_mask(reach, words.shape[1])  # (B, S, W + S + W)
        margin = (words.shape[1] - reach.shape[1]) // 2
        centers = words[:, margin : margin + reach.shape[1]]  # (B, S)
        if self.architecture == "skip_gram":
            return WordPredictions(self.inputs(centers), words, context)
        sizes = context.sum(dim=2, keepdim=True)  # (B, S, 1)
        means = torch.bmm(context / sizes.clamp(min=1), self.inputs(words))
        itself = torch.eye(reach.shape[1], dtype=torch.bool, device=words.device)
        return WordPredictions(means, centers, itself & (sizes > 0))
