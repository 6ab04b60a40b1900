"""The operations of networks that pages compute, and how calls of torch become them.

A rule has the signature of a function of torch and returns an Operation; dltool/report/assets/network.js has a function
for each.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor


class NotRecordable(Exception):
    """An operation that pages do not compute; the message is its name."""


class Operation(NamedTuple):
    """One step.

    Attributes:
        name: Of the function in network.js.
        inputs: Its tensors; None for an optional one that is missing.
        options: Its other arguments.
    """

    name: str
    inputs: Sequence[Tensor | None]
    options: dict[str, Any]


def operation_of(func: Any, args: Any, kwargs: Any) -> Operation | None:
    """The operation of a call of torch; None if no tensor of it was computed from others.

    Raises:
        NotRecordable: There is no rule for it.
    """
    name = getattr(func, "__name__", "")
    if name in CONSTANT:
        return None
    rule = RULES.get(name.strip("_").removeprefix("r") if name in REVERSED else name.strip("_"))
    if rule is None:
        if not any(isinstance(one, Tensor) for one in (*args, *kwargs.values())):
            return None
        raise NotRecordable(name if name != "__get__" else str(func))
    return rule(*args[::-1] if name in REVERSED else args, **kwargs)


CONSTANT = ("new_zeros", "new_ones", "new_full", "new_empty", "zeros_like", "ones_like", "full_like")
REVERSED = ("__rsub__", "__rtruediv__", "__radd__", "__rmul__")


def pair(value: int | Sequence[int]) -> list[int]:
    return [value, value] if isinstance(value, int) else [*value]


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if isinstance(padding, str):
        reach = [d * (k - 1) for d, k in zip(pair(dilation), weight.shape[2:], strict=True)]
        if padding == "same" and any(one % 2 for one in reach):
            raise NotRecordable("conv2d with an even kernel and the same size")
        padding = [one // 2 for one in reach] if padding == "same" else 0
    options = {"stride": pair(stride), "padding": pair(padding), "dilation": pair(dilation), "groups": groups}
    return Operation("conv2d", [x, weight, bias], options)


def conv_transpose2d(x, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
    if pair(dilation) != [1, 1]:
        raise NotRecordable("conv_transpose2d with dilation")
    if any(around >= kernel for around, kernel in zip(pair(padding), weight.shape[2:], strict=True)):
        raise NotRecordable("conv_transpose2d with as much padding as the kernel")
    options = {"stride": pair(stride), "padding": pair(padding), "extra": pair(output_padding), "groups": groups}
    return Operation("convTranspose2d", [x, weight, bias], options)


def linear(x, weight, bias=None):
    return Operation("linear", [x, weight, bias], {})


def unary(name: str) -> Callable[..., Operation]:
    def rule(x, inplace=False):
        return Operation(name, [x], {})

    return rule


def leaky_relu(x, negative_slope=0.01, inplace=False):
    return Operation("leakyRelu", [x], {"slope": negative_slope})


def gelu(x, approximate="none"):
    return Operation("gelu", [x], {"tanh": approximate == "tanh"})


def clamp(x, min=None, max=None):
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        raise NotRecordable("clamp by tensors")
    return Operation("clamp", [x], {"low": min, "high": max})


def softmax(x, dim=None, _stacklevel=3, dtype=None):
    return Operation("softmax", [x], {"dim": dim % x.ndim})


def max_pool2d(x, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
    if ceil_mode or pair(dilation) != [1, 1]:
        raise NotRecordable("max_pool2d with dilation or ceil_mode")
    options = {"kernel": pair(kernel_size), "stride": pair(stride or kernel_size), "padding": pair(padding)}
    return Operation("maxPool2d", [x], options)


def avg_pool2d(x, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
    if ceil_mode or pair(padding) != [0, 0]:
        raise NotRecordable("avg_pool2d with padding")
    return Operation("avgPool2d", [x], {"kernel": pair(kernel_size), "stride": pair(stride or kernel_size)})


def adaptive_avg_pool2d(x, output_size):
    if pair(output_size) != [1, 1]:
        raise NotRecordable("adaptive_avg_pool2d to more than one place")
    return Operation("mean", [x], {"dims": [2, 3], "keep": True})


def mean(x, dim=None, keepdim=False, dtype=None):
    dims = range(x.ndim) if dim is None else [dim] if isinstance(dim, int) else dim
    return Operation("mean", [x], {"dims": [one % x.ndim for one in dims], "keep": keepdim})


def batch_norm(x, running_mean, running_var, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5):
    if training or running_mean is None:
        raise NotRecordable("batch_norm by the statistics of the batch")
    return Operation("batchNorm", [x, running_mean, running_var, weight, bias], {"eps": eps})


def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    return Operation("groupNorm", [x, weight, bias], {"groups": num_groups, "eps": eps})


def instance_norm(
    x, running_mean=None, running_var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5
):
    if not use_input_stats:
        return batch_norm(x, running_mean, running_var, weight, bias, eps=eps)
    return group_norm(x, x.shape[1], weight, bias, eps)


def layer_norm(x, normalized_shape, weight=None, bias=None, eps=1e-5):
    return Operation("layerNorm", [x, weight, bias], {"count": len(normalized_shape), "eps": eps})


def embedding(x, weight, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    return Operation("embedding", [x, weight], {})


def one_hot(x, num_classes=-1):
    if num_classes < 0:
        raise NotRecordable("one_hot without a number of classes")
    return Operation("oneHot", [x], {"count": num_classes})


def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
    if enable_gqa:
        raise NotRecordable("scaled_dot_product_attention with grouped queries")
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        attn_mask = torch.zeros(attn_mask.shape).masked_fill(~attn_mask, float("-inf"))
    options = {"causal": is_causal, "scale": scale or q.shape[-1] ** -0.5}
    return Operation("attention", [q, k, v, attn_mask], options)


def elementwise(name: str) -> Callable[..., Operation]:
    def rule(x, other, alpha=1, rounding_mode=None):
        if alpha != 1 or rounding_mode:
            raise NotRecordable(f"{name} with alpha or rounding")
        both = [one if isinstance(one, Tensor) else torch.tensor(float(one)) for one in (x, other)]
        return Operation(name, both, {})

    return rule


def power(x, exponent):
    return Operation("power", [x], {"exponent": float(exponent)})


def matmul(x, other):
    return Operation("matmul", [x, other], {})


def reshaped(rule: Callable[..., Any]) -> Callable[..., Operation]:
    """What only gives the numbers another shape has the shape of its result."""

    def made(x, *args, **kwargs):
        return Operation("reshape", [x], {"shape": [*rule(x, *args, **kwargs).shape]})

    return made


def permute(x, *dims, **kwargs):
    dims = kwargs.get("dims", dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims)
    return Operation("permute", [x], {"dims": [one % x.ndim for one in dims]})


def transpose(x, dim0, dim1):
    dims = [*range(x.ndim)]
    dims[dim0], dims[dim1] = dims[dim1], dims[dim0]
    return Operation("permute", [x], {"dims": dims})


def expand(x, *sizes):
    return Operation("expand", [x], {"shape": [*x.expand(*sizes).shape]})


def cat(tensors, dim=0):
    return Operation("cat", [*tensors], {"dim": dim % tensors[0].ndim})


def flip(x, *dims):
    dims = dims[0] if len(dims) == 1 and not isinstance(dims[0], int) else dims
    return Operation("flip", [x], {"dims": [one % x.ndim for one in dims]})


def pad(x, pad, mode="constant", value=None):
    before, after = [0] * x.ndim, [0] * x.ndim
    for place in range(len(pad) // 2):
        before[-1 - place], after[-1 - place] = pad[2 * place : 2 * place + 2]
    if mode == "reflect" and min(pad) >= 0:
        return take(x, [reflected(*one) for one in zip(x.shape, before, after, strict=True)])
    if mode != "constant":
        raise NotRecordable(f"padding by {mode}")
    return Operation("pad", [x], {"before": before, "after": after, "value": value or 0.0})


def take(x, places):
    """The numbers at some places along each dimension."""
    return Operation("take", [x], {"places": [[*one] for one in places]})


def reflected(size: int, before: int, after: int) -> list[int]:
    """The places of a dimension with those beside each end repeated in the other direction."""
    return [*range(before, 0, -1), *range(size), *range(size - 2, size - 2 - after, -1)]


def interpolate(x, size=None, scale_factor=None, mode="nearest", **others):
    shape = torch.nn.functional.interpolate(x, size, scale_factor, mode).shape
    if mode != "nearest" or scale_factor is not None:
        raise NotRecordable(f"interpolate by {mode}, or by a factor")
    places = [[place * old // new for place in range(new)] for old, new in zip(x.shape, shape, strict=True)]
    return take(x, places)


RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")


def recurrent(name, which, x, state, weights, has_biases, layers, dropout, train, both, batch_first=None):
    """Layers of an LSTM, GRU or plain network, of whose results `which` is one: all steps, last h, last c."""
    if not isinstance(weights, (list, tuple)) or batch_first is None:
        raise NotRecordable(f"{name} of packed sequences")
    states = [*state] if isinstance(state, (list, tuple)) else [state]
    options = {"kind": name, "which": which, "layers": layers, "both": both, "first": batch_first, "biases": has_biases}
    return Operation("recurrent", [x, *states, *weights], options | {"states": len(states)})


def same(x, *args, **kwargs):
    """What changes nothing in evaluation: dropout, copies, other layouts and precisions."""
    return Operation("reshape", [x], {"shape": [*x.shape]})


def getitem(x, index):
    """Places and ranges."""
    places = [*(index if isinstance(index, tuple) else (index,))]
    if Ellipsis in places:
        at = places.index(Ellipsis)
        places[at : at + 1] = [slice(None)] * (x.ndim - sum(one is not None for one in places) + 1)
    ranges: list[list[int]] = []
    dim = 0
    for one in places:
        if isinstance(one, int):
            ranges.append([one % x.shape[dim], 1, 1])
            dim += 1
        elif isinstance(one, slice):
            start, stop, step = one.indices(x.shape[dim])
            ranges.append([start, len(range(start, stop, step)), step])
            dim += 1
        elif one is not None:
            raise NotRecordable("indexing by a tensor")
    return Operation("crop", [x], {"ranges": ranges, "shape": [*x[index].shape]})


RULES: dict[str, Callable[..., Operation]] = {
    "conv2d": conv2d,
    "conv_transpose2d": conv_transpose2d,
    "linear": linear,
    "relu": unary("relu"),
    "sigmoid": unary("sigmoid"),
    "tanh": unary("tanh"),
    "silu": unary("silu"),
    "exp": unary("exp"),
    "sin": unary("sin"),
    "cos": unary("cos"),
    "sqrt": unary("sqrt"),
    "rsqrt": unary("rsqrt"),
    "neg": unary("neg"),
    "leaky_relu": leaky_relu,
    "gelu": gelu,
    "clamp": clamp,
    "softmax": softmax,
    "max_pool2d": max_pool2d,
    "_max_pool2d": max_pool2d,
    "avg_pool2d": avg_pool2d,
    "adaptive_avg_pool2d": adaptive_avg_pool2d,
    "mean": mean,
    "batch_norm": batch_norm,
    "group_norm": group_norm,
    "instance_norm": instance_norm,
    "layer_norm": layer_norm,
    "embedding": embedding,
    "one_hot": one_hot,
    "scaled_dot_product_attention": attention,
    "add": elementwise("add"),
    "iadd": elementwise("add"),
    "sub": elementwise("sub"),
    "mul": elementwise("mul"),
    "imul": elementwise("mul"),
    "div": elementwise("div"),
    "truediv": elementwise("div"),
    "pow": power,
    "matmul": matmul,
    "bmm": matmul,
    "view": reshaped(Tensor.view),
    "reshape": reshaped(torch.reshape),
    "flatten": reshaped(torch.flatten),
    "unflatten": reshaped(Tensor.unflatten),
    "squeeze": reshaped(Tensor.squeeze),
    "unsqueeze": reshaped(Tensor.unsqueeze),
    "permute": permute,
    "transpose": transpose,
    "expand": expand,
    "cat": cat,
    "pad": pad,
    "interpolate": interpolate,
    "flip": flip,
    "dropout": same,
    "contiguous": same,
    "clone": same,
    "detach": same,
    "to": same,
    "float": same,
    "type_as": same,
    "getitem": getitem,
}
