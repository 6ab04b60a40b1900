"""The number of positions of a window that slides over a map."""


def num_positions(size: int, kernel: int, *, stride: int = 1, padding: int = 0, dilation: int = 1) -> int:
    """Positions of a window along one side of a map; 0 where it is larger than the padded map.

    Args:
        size: The side, in pixels.
        kernel: The window's side, in pixels that it reads.
        stride: Pixels from one position to the next.
        padding: Pixels added to the side, at both ends together.
        dilation: Pixels between adjacent pixels that the window reads.
    """
    return max((size + padding - extent(kernel, dilation)) // stride + 1, 0)


def extent(kernel: int, dilation: int = 1) -> int:
    """Pixels from a window's first to its last, inclusive."""
    return dilation * (kernel - 1) + 1
