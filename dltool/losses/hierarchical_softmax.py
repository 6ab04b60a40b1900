"""Hierarchical softmax: the probability of a word as that of a path through a tree."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dltool.core.spec import DataSpec
from dltool.declarations.component import register
from dltool.layers.word_windows import WordPredictions
from dltool.text.huffman import huffman_codes


@register("loss", "hierarchical_softmax", tasks=("word2vec",))
class HierarchicalSoftmax:
    """-log p(w | v), p the product of σ(±v'_n·v) over the inner nodes n between the root of a Huffman tree and w.

    Eq. 3 of Mikolov et al. (2013b, arXiv:1310.4546); the sign is + where the path takes child 0, as in word2vec.c. A
    tree of V words has V - 1 inner nodes, so the last row of the model's `outputs` is not used. It costs log V instead
    of V products, and fewer for frequent words, whose codes are short.
    """

    def __init__(self, spec: DataSpec) -> None:
        codes = huffman_codes(spec.token_counts)
        length = max(len(code.nodes) for code in codes)
        self.nodes = torch.zeros(len(codes), length, dtype=torch.int64)  # (V, L)
        self.signs = torch.zeros(len(codes), length)  # 0 after the end of shorter codes.
        for word, code in enumerate(codes):
            self.nodes[word, : len(code.nodes)] = torch.tensor(code.nodes)
            self.signs[word, : len(code.nodes)] = 1 - 2 * torch.tensor(code.turns, dtype=torch.float32)

    def __call__(self, predictions: WordPredictions, outputs: nn.Embedding) -> tuple[Tensor, int]:
        """The mean over the predictions, and their number."""
        vectors, words = predictions.pairs()
        return -self.log_probability(vectors, words, outputs).sum() / max(1, len(words)), len(words)

    def log_probability(self, vectors: Tensor, words: Tensor, outputs: nn.Embedding) -> Tensor:
        """log p of each word `(P,)`, given its vector `(P, D)`; `(P,)`."""
        self.nodes, self.signs = self.nodes.to(words.device), self.signs.to(words.device)  # Copies once.
        signs = self.signs[words]  # (P, L)
        scores = torch.bmm(outputs(self.nodes[words]), vectors[:, :, None]).squeeze(2)  # (P, L)
        return (F.logsigmoid(signs * scores) * signs.abs()).sum(dim=1)
