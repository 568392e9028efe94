"""Latent sweeps: change one code, keep the rest, look at what changes (Figure 2)."""

import dataclasses
import os
import pathlib

import numpy as np
import tensorflow as tf
from PIL import Image, ImageDraw, ImageFont

from infogan_tf import files
from infogan_tf.models.gan import GAN

STEPS = 10  # values of a continuous code
ROWS = 10  # noises, where there is no category to give a row to


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


def sweep(model: GAN, code_name: str, *, seed: int = 0) -> Grid:
    """Sweeps one code: a column for each value, a row for each category or noise.

    A continuous code is shown for every value of the first discrete code, from twice
    below to twice above its range, with one noise; a discrete code for `ROWS` noises.
    Within a row only the swept code changes.
    """
    space = model.latents
    code = space[code_name]
    values = code.sweep_values(STEPS)
    across = next((other for other in space.codes if other.discrete), None)
    if across is None or across is code or code.discrete:
        latents = space.sample(ROWS, tf.constant([seed, 2], tf.int32))
        captions = tuple(f"noise {row + 1}" for row in range(ROWS))
    else:
        latents = space.sample(1, tf.constant([seed, 2], tf.int32))
        kept = across.sweep_values(ROWS)
        latents = {name: tf.repeat(v, len(kept), 0) for name, v in latents.items()}
        latents[across.name] = tf.constant(kept)
        captions = tuple(f"{across.name} = {value}" for value in kept)
    rows = len(captions)
    latents = {name: tf.repeat(value, len(values), 0) for name, value in latents.items()}
    latents[code_name] = tf.tile(tf.constant(values), [rows])
    images = model.generate_images(latents).numpy()
    return Grid(
        f"{model.name}, step {int(model.step.numpy())}: {code_name} changes",
        images.reshape(rows, len(values), *images.shape[1:]),
        captions,
        tuple(f"{value:g}" if value % 1 == 0 else f"{value:.1f}" for value in values),
    )


def noise_grid(model: GAN, *, seed: int = 0) -> Grid:
    """Independent draws of everything, ROWS x STEPS of them."""
    images = model.generate(count=ROWS * STEPS, seed=seed)
    title = f"{model.name}, step {int(model.step.numpy())}: samples"
    return Grid(title, images.reshape(ROWS, STEPS, *images.shape[1:]))


def grids(model: GAN, *, seed: int = 0) -> dict[str, Grid]:
    """Every code's sweep by name, and "samples"."""
    swept = {code.name: sweep(model, code.name, seed=seed) for code in model.latents.codes}
    return {**swept, "samples": noise_grid(model, seed=seed)}


def real_grid(images: np.ndarray, origin: str) -> Grid:
    """The first real images (uint8), to stand beside the generated ones."""
    count = min(len(images) // STEPS, ROWS) * STEPS
    shown = images[:count].reshape(-1, STEPS, *images.shape[1:]) / 255.0
    return Grid(f"real images: {origin}", shown.astype(np.float32))


def write_png(grid: Grid, path: str | os.PathLike) -> pathlib.Path:
    """Writes the captioned picture, whole or not at all."""
    path = pathlib.Path(path)
    with files.whole(path) as aside:
        Image.fromarray(grid.draw()).save(aside, "png", optimize=True)
    return path
