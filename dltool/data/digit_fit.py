"""Places the drawing of an image as MNIST's digits are placed: cropped, scaled, centred, on an even background."""

from collections import deque

import numpy as np

from dltool.data.resize import Size

MNIST_EXTENT = 20 / 28  # LeCun et al. (1998), section III.A: a digit's longer side is 20 of 28 pixels.
WORKING_SIDE = 256  # Longer side that larger images are reduced to.
SURFACE_SIDE = 48  # The same for fitting the background.
LABELLED_SIDE = 96  # The same for finding connected parts.
BRIGHTEST = 12  # Pixels that may deviate more than what counts as full ink: specks.
LEAST_CONTRAST = 8  # Of 255; an image with less has no drawing.


def fit_digit(grey: np.ndarray, size: Size, extent: float) -> np.ndarray:
    """Crop an image to its drawing, scale it, and set its centre of mass into the centre of a new image.

    The background is a quadratic surface, fitted first to the border and then to everything except the drawing, so
    that grey paper and uneven light become even. What deviates from it more strongly, towards light or towards dark,
    is the drawing; its contrast is stretched to 0 … 255. Parts that touch the border are left out if others exist.

    Args:
        grey: uint8 `(H, W)`.
        size: Height and width of the result.
        extent: The drawing's longer side as a share of the result's smaller side.

    Returns:
        uint8 `size`: light on 0 if the drawing is lighter than its background, else dark on 255.
    """
    deviation = reduced(grey, WORKING_SIDE)
    deviation = deviation - background(deviation)
    light, dark = peak(deviation), peak(-deviation)
    ink = deviation if light >= dark else -deviation
    threshold = ink_threshold(ink)
    placed = np.zeros(size, dtype=np.float32)
    if ink.max() > threshold:
        full = max(light, dark)
        strength = ((ink - threshold / 2) / (0.75 * full - threshold / 2)).clip(0, 1)
        placed = centred(cropped(strength, ink > threshold), size, round(extent * min(size)))
    pixels = np.rint(255 * placed).astype(np.uint8)
    return pixels if light >= dark else 255 - pixels


def reduced(grey: np.ndarray, side: int) -> np.ndarray:
    """float32 `(H, W)` with a longer side of at most `side`; each pixel is a mean."""
    from PIL import Image

    scale = side / max(grey.shape)
    image = Image.fromarray(grey.astype(np.float32))
    if scale < 1:
        smaller = tuple(max(1, round(length * scale)) for length in reversed(grey.shape))
        image = image.resize(smaller, Image.Resampling.BOX)
    return np.asarray(image)


def background(grey: np.ndarray) -> np.ndarray:
    """The background's brightness at each pixel: a quadratic surface that leaves out the drawing."""
    step = max(1, max(grey.shape) // SURFACE_SIDE)
    few = grey[::step, ::step]
    terms = surface_terms(grey.shape)
    few_terms = terms[::step, ::step]
    border = np.ones(few.shape, dtype=bool)
    margin = max(1, min(few.shape) // 16)
    border[margin:-margin, margin:-margin] = False
    surface = np.full(few.shape, np.median(few[border]))
    weights = np.zeros(6)
    for count in (3, 3, 6, 6):  # A plane through the border, then a curved surface through all but the drawing.
        rest = np.abs(few - surface)
        used = border if count == 3 else np.ones_like(border)
        kept = used & (rest <= 2.5 * np.median(rest[used]) + 1)
        weights = np.linalg.lstsq(few_terms[kept][:, :count], few[kept], rcond=None)[0]
        surface = few_terms[..., :count] @ weights
    return terms @ weights


def surface_terms(shape: tuple[int, ...]) -> np.ndarray:
    """1, x, y, x², xy, y² of each pixel, `(H, W, 6)`, x and y in -1 … 1."""
    y, x = np.meshgrid(*(np.linspace(-1, 1, length) for length in shape), indexing="ij")
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)


def peak(ink: np.ndarray) -> float:
    """The deviation that a few pixels exceed."""
    place = max(0, ink.size - BRIGHTEST - 1)
    return float(np.partition(ink, place, axis=None)[place])


def ink_threshold(ink: np.ndarray) -> float:
    """The deviation above which a pixel belongs to the drawing: over the noise, and a third of full ink."""
    noise = 1.4826 * float(np.median(np.abs(ink)))
    return max(peak(ink) / 3, 4 * noise, LEAST_CONTRAST)


def cropped(strength: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    """The part of `strength` around the connected parts of the drawing that are not specks."""
    block = max(1, -(-max(drawn.shape) // LABELLED_SIDE))
    padded = np.pad(drawn, [(0, -length % block) for length in drawn.shape])
    coarse = padded.reshape(padded.shape[0] // block, block, -1, block).max((1, 3))
    parts = connected_parts(coarse)
    inside = [part for part in parts if not touches_border(part, coarse.shape)]
    parts = inside or parts
    largest = max(map(len, parts))
    chosen = np.zeros_like(coarse)
    for part in parts:
        if len(part) >= 0.1 * largest:
            chosen[tuple(np.transpose(part))] = True
    fine = chosen.repeat(block, 0).repeat(block, 1)[: drawn.shape[0], : drawn.shape[1]]
    rows, columns = np.nonzero((drawn & fine).any(1))[0], np.nonzero((drawn & fine).any(0))[0]
    near = (strength * fine)[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return near / near.max()


def connected_parts(drawn: np.ndarray) -> list[list[tuple[int, int]]]:
    """The pixels of each 8-connected part."""
    left = set(zip(*(axis.tolist() for axis in np.nonzero(drawn)), strict=True))
    parts = []
    while left:
        part, queue = [], deque([left.pop()])
        while queue:
            y, x = queue.popleft()
            part.append((y, x))
            near = {(y + dy, x + dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1)} & left
            left -= near
            queue.extend(near)
        parts.append(part)
    return parts


def touches_border(part: list[tuple[int, int]], shape: tuple[int, ...]) -> bool:
    return any(y in (0, shape[0] - 1) or x in (0, shape[1] - 1) for y, x in part)


def centred(drawing: np.ndarray, size: Size, longer: int) -> np.ndarray:
    """The drawing, its longer side scaled to `longer` pixels, with its centre of mass in the centre of `size`."""
    from PIL import Image

    scale = longer / max(drawing.shape)
    height, width = (max(1, round(length * scale)) for length in drawing.shape)
    image = Image.fromarray(drawing.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)
    scaled = np.asarray(image).clip(0, 1)
    scaled = scaled / scaled.max()
    placed = np.zeros(size, dtype=np.float32)
    corner = []
    for axis, length in enumerate(scaled.shape):
        mass = scaled.sum(1 - axis)
        centre = float(mass @ np.arange(length)) / float(mass.sum())
        corner.append(min(max(0, round(size[axis] / 2 - centre)), size[axis] - length))
    placed[corner[0] : corner[0] + height, corner[1] : corner[1] + width] = scaled
    return placed
