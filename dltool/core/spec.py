"""What the data says of itself to the model, the loss and the task."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

Target = Literal["classes", "binary", "numbers", "tags", "next_token", "sequence", "images", "none"]

# Sequences of tokens that differ in length are padded with token 0 behind; where tokens form sentences, these are the
# first of every vocabulary: padding, a token that is not in it, the beginning and the end of a sentence.
SPECIAL_TOKENS = ("<pad>", "<unk>", "<bos>", "<eos>")
PAD, UNKNOWN, BEGIN, END = range(4)
IGNORED = -100  # A target at which nothing is to be predicted; torch's own default.


@dataclass(frozen=True)
class DataSpec:
    """The shape of one sample and of its target, after resizing and padding.

    Attributes:
        input_shape: (C, H, W) for images, (D,) for rows of numbers, (T, D) for sequences of such rows, (T,) for
            sequences of at most T tokens.
        target: "classes" (int64 labels 0 … num_classes - 1), "binary" (the same with two classes),
            "numbers" (float32, `(B, target_dim)`), "images" (of another domain, float32 `(B, C, H, W)`, none of them
            the image of an input), or "none". For sequences also "tags" (a class at each position,
            int64 `(B, T)`), "next_token" (the token that follows each position, int64 `(B, T)`), both IGNORED at the
            padding, and "sequence" (another sequence, int64 `(B, U)`, from BEGIN to END, then PAD).
        class_names: One name a class; empty where the target is no class. Where it is images, those that they show, if
            that is known.
        target_dim: Numbers to predict per sample; 1 for classes.
        target_mean, target_std: Of each number in the training split, where targets are standardized and the model
            learns `(target - mean) / std`; empty where it learns the targets themselves.
        output_dim: Width of the model's last layer, which the loss decides: the number of classes, 1 for
            binary cross-entropy, `target_dim` for numbers, `num_target_tokens` for tokens.
        num_tokens: Tokens in the inputs' vocabulary; 0 where the inputs are no tokens.
        padded: Whether sequences differ in length, so that PAD fills the shorter ones.
        token_counts: How often each token of the inputs comes in the training split, where losses need it; else empty.
        num_target_tokens: Tokens in the vocabulary of what is to be predicted; 0 where that is no token.
        max_target_length: Of a target that is a sequence, the longest one's length U.
        target_tokenizer: What turns those tokens into text, as JSON (dltool.text.fitting); else empty.
        input_range: (low, high) of the inputs where the scaling bounds them, as [-1, 1] for a GAN's
            images; None where it does not.
        pixel_shift, pixel_factor: Of each channel of images, whose inputs are `(pixel - shift) * factor` for pixels in
            0 … 255; empty where the inputs are no pixels.
        centers: Coordinates of the known modes of a synthetic distribution, one tuple each; else empty.
        center_std: Standard deviation around each of those modes.
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

    @property
    def num_classes(self) -> int:
        return len(self.class_names)

    def describe_input(self) -> str:
        """The shape of one sample, 3×32×32."""
        return "×".join(map(str, self.input_shape))

    def in_units(self, numbers: "Tensor") -> "Tensor":
        """Outputs or targets as the model knows them, `(B, target_dim)`, in the units that the data has.

        Standardized numbers come back in float64: float32 has no digits left for small differences of large numbers.
        """
        if not self.target_mean:
            return numbers
        exact = (numbers.cpu() if numbers.device.type == "mps" else numbers).double()  # MPS has no float64.
        return exact * exact.new_tensor(self.target_std) + exact.new_tensor(self.target_mean)

    def standardized(self, numbers: "Tensor") -> "Tensor":
        """The other way round: targets as the data has them, as the model is to learn them, float32."""
        if not self.target_mean:
            return numbers.float()
        exact = numbers.double()  # The mean is taken off before anything is rounded.
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

    What is computed belongs to its parameters or buffers, so that a checkpoint holds it: a resumed training and an
    evaluation do not look at the data again.

    Attributes:
        num_first_inputs: How many inputs it wants to see; it gets fewer where there are fewer. At 0 it is not asked.
    """

    num_first_inputs: int

    def initialize_from(self, inputs: "Tensor") -> None:
        """Set those weights. The inputs are `(B, …)` as the model gets them in training, but not augmented."""
        ...
