"""Pictures in rows and columns, captioned: the form of every sweep."""

import dataclasses
import os
import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from infogan_tf import files


@dataclasses.dataclass(frozen=True)
class Grid:
    """Pictures in rows and columns, and what each of them shows.

    Args:
        title: one line above the picture.
        images: float32 [rows, columns, height, width, channels] in [0, 1].
        row_captions, column_captions: one for each row and column, possibly empty.
    """

    title: str
    images: np.ndarray
    row_captions: tuple[str, ...] = ()
    column_captions: tuple[str, ...] = ()

    def draw(self) -> np.ndarray:
        """The captioned picture, uint8 [height, width, 3], black on white."""
        rows, columns, height, width, channels = self.images.shape
        scale = max(1, round(56 / max(height, width)))
        font = ImageFont.load_default(12)
        left = 8 + max((int(font.getlength(text)) for text in self.row_captions), default=0)
        top = 24 + (16 if self.column_captions else 0)
        cell_width, cell_height = width * scale + 2, height * scale + 2
        size = (left + columns * cell_width + 6, top + rows * cell_height + 6)
        size = (max(size[0], int(font.getlength(self.title)) + 16), size[1])
        sheet = Image.new("RGB", size, "white")
        pen = ImageDraw.Draw(sheet)
        pen.text((6, 4), self.title, "black", font)
        for column, text in enumerate(self.column_captions):
            middle = left + column * cell_width + cell_width // 2
            pen.text((middle, 22), text, "black", font, anchor="ma")
        pixels = np.rint(255 * np.clip(self.images, 0, 1)).astype(np.uint8)
        pixels = np.repeat(np.repeat(pixels, scale, axis=2), scale, axis=3)
        if channels == 1:
            pixels = np.repeat(pixels, 3, axis=-1)
        for row in range(rows):
            y = top + row * cell_height
            if self.row_captions:
                middle = y + cell_height // 2
                pen.text((4, middle), self.row_captions[row], "black", font, anchor="lm")
            for column in range(columns):
                cell = Image.fromarray(pixels[row, column])
                sheet.paste(cell, (left + column * cell_width, y))
        return np.asarray(sheet)

    def write_png(self, path: str | os.PathLike) -> pathlib.Path:
        """Writes the captioned picture, whole or not at all."""
        return write_png(self.draw(), path)


def sheet(grids: Sequence[Grid], *, columns: int = 2) -> np.ndarray:
    """Several captioned pictures side by side, uint8 [height, width, 3]."""
    drawn = [Image.fromarray(grid.draw()) for grid in grids]
    width, height = max(one.width for one in drawn), max(one.height for one in drawn)
    rows = -(-len(drawn) // columns)
    whole = Image.new("RGB", (min(columns, len(drawn)) * width, rows * height), "white")
    for place, one in enumerate(drawn):
        row, column = divmod(place, columns)
        whole.paste(one, (column * width, row * height))
    return np.asarray(whole)


def write_png(pixels: np.ndarray, path: str | os.PathLike) -> pathlib.Path:
    """Writes uint8 [height, width, 3], whole or not at all."""
    path = pathlib.Path(path)
    with files.whole(path) as aside:
        Image.fromarray(pixels).save(aside, "png", optimize=True)
    return path
