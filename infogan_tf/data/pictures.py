"""From one picture of any size to the uint8 array that a model takes."""

import numpy as np
from PIL import Image, ImageOps

MODES = {1: "L", 3: "RGB"}  # Pillow's, by channels
CENTRED = "the largest centred crop of that aspect"


def fit(
    picture: Image.Image, image_shape: tuple[int, int, int], *, part: float = 1.0
) -> np.ndarray:
    """Crops the centre of a picture and resizes it: uint8 [height, width, channels].

    Upright as its EXIF says, on white where it is transparent. Where it shrinks, a pixel
    is the mean of those whose middle it covers; where it grows, it is bicubic.

    Args:
        picture: of any size and mode.
        image_shape: wanted; 1 channel (grey) or 3 (RGB).
        part: of the largest centred crop that has the wanted aspect, in (0, 1].
    """
    height, width, channels = image_shape
    picture = ImageOps.exif_transpose(picture)
    if picture.has_transparency_data:
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture.convert("RGBA"))
    if picture.mode.startswith("I;16"):  # Pillow would clip at 255
        picture = Image.fromarray((np.asarray(picture) >> 8).astype(np.uint8))
    scale = part * min(picture.width / width, picture.height / height)
    left, top = (picture.width - scale * width) / 2, (picture.height - scale * height) / 2
    resized = picture.convert(MODES[channels]).resize(
        (width, height),
        Image.Resampling.BOX if scale >= 1 else Image.Resampling.BICUBIC,
        (left, top, left + scale * width, top + scale * height),
    )
    return np.asarray(resized).reshape(image_shape)


def described(image_shape: tuple[int, int, int], crop: str) -> str:
    """What `fit` does, in words: for options.json, and to tell one cache from another."""
    height, width, channels = image_shape
    return (
        f"{crop}, resized by area (Pillow BOX; bicubic where it grows) to "
        f"{height} x {width}, {'grey' if channels == 1 else 'RGB'}"
    )
