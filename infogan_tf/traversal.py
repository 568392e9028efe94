"""Latent sweeps: change one code, keep the rest, look at what changes (Figure 2)."""

import numpy as np
import tensorflow as tf

from infogan_tf.grid import Grid
from infogan_tf.models.gan import GAN

STEPS = 10  # values of a continuous code
ROWS = 10  # noises, where there is no category to give a row to


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
        kept_as = tuple(f"noise {row + 1}" for row in range(ROWS))
    else:
        latents = space.sample(1, tf.constant([seed, 2], tf.int32))
        kept = across.sweep_values(ROWS)
        latents = {name: tf.repeat(v, len(kept), 0) for name, v in latents.items()}
        latents[across.name] = tf.constant(kept)
        kept_as = tuple(f"{across.name} = {value}" for value in kept)
    rows = len(kept_as)
    latents = {name: tf.repeat(value, len(values), 0) for name, value in latents.items()}
    latents[code_name] = tf.tile(tf.constant(values), [rows])
    images = model.generate_images(latents).numpy()
    return Grid(
        f"{model.name}, step {int(model.step.numpy())}: {code_name} changes",
        images.reshape(rows, len(values), *images.shape[1:]),
        kept_as,
        captions(values),
    )


def captions(values: np.ndarray) -> tuple[str, ...]:
    """The values of a sweep as the captions of its columns."""
    return tuple(f"{value:g}" if value % 1 == 0 else f"{value:.1f}" for value in values)


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
