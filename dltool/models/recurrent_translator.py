"""The recurrent encoder-decoder: from one sequence to another of any length, and from an image to words."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from dltool.core.spec import PAD, DataSpec
from dltool.layers.pooling import SequencePooling
from dltool.layers.recurrent import Cells, RecurrentLayers, State, initialize_recurrent, select_state
from dltool.layers.sequence_attention import SequenceAttention
from dltool.layers.sequence_inputs import check_word_dropout
from dltool.models.recurrent_networks import RecurrentNetwork, RecurrentSettings, tie


class Memory(NamedTuple):
    """The encoder's output for a batch.

    Attributes:
        features: Of each position, `(B, S, F)`.
        keys: Keys that a state is compared with, `(B, S, D)`; the features if there is no attention.
        mask: `(B, S)`, True where a position is not padding.
        summary: Of the whole sequence, `(B, F)`, the decoder's initial input; for an image, all its features.
    """

    features: Tensor
    keys: Tensor
    mask: Tensor
    summary: Tensor


class RecurrentTranslator(nn.Module):
    """Encoder and decoder (Sutskever et al. 2014, Cho et al. 2014), with attention to all encoded positions.

    The decoder reads its tokens, and each of its states h is compared with the encoder's features. With their weighted
    sum c, the output layer reads tanh(W [c; h]) (Luong et al. 2015, equation 5; see SequenceAttention for the order).
    Without attention it reads h.

    The decoder's initial state is tanh(W s + b), with the encoder's summary s and one map per layer (Bahdanau et
    al. 2015, appendix A.2.2, where s is the backward layer's last state). Deviation from Sutskever et al. 2014, who
    copy the encoder's states: here the two may differ in depth or directions.

    Captioning (Vinyals et al. 2015, with attention Xu et al. 2015) is the same with an encoder of images.
    """

    max_length = None  # Sequences may have any length, also longer than in training.

    def __init__(self, spec: DataSpec, cells: Cells, settings: RecurrentSettings) -> None:
        super().__init__()
        of_images = len(spec.input_shape) == 3
        self.encoder = ImageEncoder(spec, settings) if of_images else SequenceEncoder(spec, cells, settings)
        dim, depth = settings.hidden_dim, settings.num_layers
        num_parts = 2 if cells.kind == "lstm" else 1
        self.start = nn.Sequential(
            nn.Linear(self.encoder.summary_dim, num_parts * depth * dim),
            nn.Tanh(),
            nn.Unflatten(1, (num_parts, depth, dim)),
        )
        self.embedding = nn.Embedding(spec.num_target_tokens, settings.embedding_dim, padding_idx=PAD)
        self.decoder = RecurrentLayers(cells, settings.embedding_dim, dim, num_layers=depth, dropout=settings.dropout)
        self.attention = None
        if settings.attention is not None:
            self.attention = SequenceAttention(settings.attention, dim, self.encoder.output_dim)
            self.combine = nn.Linear(self.encoder.output_dim + dim, dim, bias=False)
        self.dropout = nn.Dropout(settings.dropout)
        self.head = nn.Linear(dim, spec.output_dim)
        if settings.tie_weights:
            tie(self.head, self.embedding)
        initialize_recurrent(self, settings.init_range, cells.forget_bias)

    def forward(self, source: Tensor, target_inputs: Tensor) -> Tensor:
        """Outputs `(B, U, V)`: scores of the next token after each of target_inputs `(B, U)`."""
        return self.decode(target_inputs, self.encode(source))[0]

    def encode(self, source: Tensor) -> Memory:
        """Encode tokens `(B, S)`, rows `(B, S, D)` or images `(B, C, H, W)` for the decoder."""
        features, mask, summary = self.encoder(source)
        if mask is None:
            mask = torch.ones(features.shape[:2], dtype=torch.bool, device=features.device)
        keys = features if self.attention is None else self.attention.key(features)
        return Memory(features, keys, mask, summary)

    def decode(self, tokens: Tensor, memory: Memory, state: State | None = None) -> tuple[Tensor, State]:
        """Outputs `(B, U, V)` and the state after the tokens `(B, U)`, from a given state; None is the initial one."""
        if state is None:
            state = tuple(part.transpose(0, 1).contiguous() for part in self.start(memory.summary).unbind(1))
        features, _, state = self.decoder(self.dropout(self.embedding(tokens)), state=state)
        if self.attention is not None:
            contexts = self.attention(features, memory.features, memory.keys, memory.mask)
            features = torch.tanh(self.combine(torch.cat((contexts, features), dim=2)))
        return self.head(self.dropout(features)), state

    def select(self, state: State, rows: Tensor) -> State:
        """The state of the given rows, int64 `(R,)`, each as often as it is listed: for beam search."""
        return select_state(state, rows)

    def select_memory(self, memory: Memory, rows: Tensor) -> Memory:
        """The memory of the given rows."""
        return Memory(*(part.index_select(0, rows) for part in memory))


class SequenceEncoder(RecurrentNetwork):
    """Recurrent layers, bidirectional if configured.

    Attributes:
        output_dim, summary_dim: Width of the features and of their summary, see SequencePooling.
    """

    def __init__(self, spec: DataSpec, cells: Cells, settings: RecurrentSettings) -> None:
        super().__init__(spec, cells, settings)
        self.output_dim = self.summary_dim = self.layers.output_dim
        self.pooling = SequencePooling(settings.pooling, self.output_dim)

    def forward(self, source: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
        """Features `(B, S, F)`, the mask `(B, S)` or None, and the summary `(B, F)`."""
        encoded, mask = self.encode(source)
        features, last = self.dropout(encoded.features), self.dropout(encoded.last)
        return features, mask, self.pooling(features, mask, last)


class ImageEncoder(nn.Module):
    """Two convolutions; features of a 4×4 grid, whatever the image's size.

    Attributes:
        output_dim: Channels at each grid position.
        summary_dim: Of all positions together.
    """

    SIDE = 4
    CHANNELS = (32, 64)

    def __init__(self, spec: DataSpec, settings: RecurrentSettings) -> None:
        super().__init__()
        check_word_dropout(spec, settings.word_dropout)
        narrow, wide = self.CHANNELS
        self.output_dim, self.summary_dim = wide, wide * self.SIDE**2
        self.layers = nn.Sequential(
            nn.Conv2d(spec.input_shape[0], narrow, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2, ceil_mode=True),
            nn.Conv2d(narrow, wide, 3, padding=1),
            nn.ReLU(),
            nn.AdaptiveMaxPool2d(self.SIDE),
        )
        self.dropout = nn.Dropout(settings.dropout)

    def forward(self, images: Tensor) -> tuple[Tensor, None, Tensor]:
        """Features `(B, 16, F)` from left to right and from top to bottom, no mask, and the summary `(B, 16 · F)`."""
        features = self.dropout(self.layers(images).flatten(2).transpose(1, 2))  # (B, F, 4, 4) -> (B, 16, F)
        return features, None, features.flatten(1)
