"""What the data declares to the model, the loss and the task."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

Target = Literal["classes", "binary", "numbers", "tags", "next_token", "sequence", "images", "none", "labels"]

# Sequences of tokens with different lengths are right-padded with token 0. Where tokens form sentences, these are the
# first of every vocabulary: padding, unknown token, beginning and end of a sentence.
SPECIAL_TOKENS = ("<pad>", "<unk>", "<bos>", "<eos>")
PAD, UNKNOWN, BEGIN, END = range(4)
IGNORED = -100  # A target that is not predicted; torch's default.


@dataclass(frozen=True)
class DataSpec:
    """The shape of one sample and of its target, after resizing and padding.

    Attributes:
        input_shape: (C, H, W) for images, (D,) for rows of numbers, (T, D) for sequences of such rows, (T,) for
            sequences of at most T tokens.
        target: "classes" (int64 labels 0 … num_classes - 1), "binary" (the same with two classes, the second one is
            the positive class), "labels" (any number of the classes per sample, int64 `(B, num_classes)`, 0 or 1),
            "numbers" (float32, `(B, target_dim)`), "images" (of another domain, float32 `(B, C, H, W)`, not paired
            with the inputs), or "none". For sequences also "tags" (a class at each position,
            int64 `(B, T)`), "next_token" (the token that follows each position, int64 `(B, T)`), both IGNORED at the
            padding, and "sequence" (another sequence, int64 `(B, U)`, from BEGIN to END, then PAD).
        class_names: One name per class; empty where the target is not a class. Where the target is images, the classes
            of those images, if known.
        target_dim: Numbers to predict per sample; 1 for classes.
        target_mean, target_std: Of each number in the training split, where targets are standardized and the model
            predicts `(target - mean) / std`; empty where it predicts the targets themselves.
        output_dim: Width of the model's last layer, which the loss decides: the number of classes, 1 for
            binary cross-entropy of two classes, `target_dim` for numbers, `num_target_tokens` for tokens.
        num_tokens: Tokens in the inputs' vocabulary; 0 where the inputs are not tokens.
        padded: Whether sequences differ in length, so that the shorter ones are padded with PAD.
        token_counts: Frequency of each input token in the training split, where losses need it; else empty.
        num_target_tokens: Tokens in the targets' vocabulary; 0 where the targets are not tokens.
        max_target_length: U, the length of the longest target, where targets are sequences.
        target_tokenizer: The tokenizer that decodes those tokens, as JSON (dltool.text.fitting); else empty.
        input_range: (low, high) of the inputs where the scaling bounds them, as [-1, 1] for a GAN's
            images; None where it does not.
        pixel_shift, pixel_factor: Per channel of images, whose inputs are `(pixel - shift) * factor` for pixels in
            0 … 255; empty where the inputs are not pixels.
        centers: Coordinates of the known modes of a synthetic distribution, one tuple each; else empty.
        center_std: Standard deviation around each of those modes.
        class_counts: The number of training samples of each class, or with each label; for tags, of words. Empty where
            the target is neither, or for a run of an earlier version.
        train_size: Number of training samples (for tags, of words); 0 where class_counts is empty.
    """

    input_shape: tuple[int, ...]
    target: Target = "classes"
    class_names: tuple[str, ...] = ()
    target_dim: int = 1
    target_mean: tuple[float, ...] = ()
    target_std: tuple[float, ...] = ()
    output_dim: int = 1
    num_tokens: int = 0
    padded: bool = False
    num_target_tokens: int = 0
    token_counts: tuple[int, ...] = ()
    max_target_length: int = 0
    target_tokenizer: str = ""
    input_range: tuple[float, float] | None = None
    pixel_shift: tuple[float, ...] = ()
    pixel_factor: tuple[float, ...] = ()
    centers: tuple[tuple[float, ...], ...] = ()
    center_std: float = 0.0
    class_counts: tuple[int, ...] = ()
    train_size: int = 0

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    @property
    def whole_texts(self) -> bool:
        """Whether a sample is a text, as a sequence of tokens, with one target: not one per token, nor another text."""
        return self.num_tokens > 0 and self.padded and self.target not in ("sequence", "next_token", "tags")

    def describe_input(self) -> str:
        """The shape of one sample, such as 3×32×32."""
        return "×".join(map(str, self.input_shape))

    def in_units(self, numbers: "Tensor") -> "Tensor":
        """Convert outputs or targets `(B, target_dim)` from the model's scale to the data's units.

        Standardized numbers are returned in float64: float32 cannot resolve small differences of large numbers.
        """
        if not self.target_mean:
            return numbers
        exact = (numbers.cpu() if numbers.device.type == "mps" else numbers).double()  # MPS has no float64.
        return exact * exact.new_tensor(self.target_std) + exact.new_tensor(self.target_mean)

    def standardized(self, numbers: "Tensor") -> "Tensor":
        """The inverse of in_units: targets in the data's units, converted to the model's scale, float32."""
        if not self.target_mean:
            return numbers.float()
        exact = numbers.double()  # The mean is subtracted before rounding.
        return ((exact - exact.new_tensor(self.target_mean)) / exact.new_tensor(self.target_std)).float()

    @property
    def input_dim(self) -> int:
        """Numbers in one sample, whatever its shape."""
        product = 1
        for size in self.input_shape:
            product *= size
        return product


@runtime_checkable
class InitializedFromData(Protocol):
    """A model some of whose initial weights are computed from training inputs.

    The computed values belong to its parameters or buffers, so that a checkpoint contains them: a resumed training and
    an evaluation do not read the data again.

    Attributes:
        num_first_inputs: How many inputs it needs; it gets fewer if fewer exist. At 0 it is not called.
    """

    num_first_inputs: int

    def initialize_from(self, inputs: "Tensor") -> None:
        """Set those weights. The inputs are `(B, …)` as in training, but not augmented."""
        ...
