"""From an array of images to an endless stream of batches that any step can resume."""

import numpy as np
import tensorflow as tf

from infogan_tf.errors import InfoGANError


def batches(
    images: np.ndarray, *, batch_size: int, seed: int = 0, first_step: int = 0
) -> tf.data.Dataset:
    """Shuffled batches for ever, float32 [batch_size, height, width, channels] in [0, 1].

    The order is a function of (seed, step) alone: example i is place i % n of a
    permutation drawn from (seed, i // n), so each pass over the data meets every image
    once, and a stream that starts at `first_step` continues one that reached it.

    The images stay where they are: from a memory-mapped file only the rows of a batch
    are read.

    Raises:
        InfoGANError: `batch_size` exceeds the number of images.
    """
    count = len(images)
    require_batch(batch_size, count)

    def read(rows: np.ndarray) -> np.ndarray:
        return np.asarray(images[rows])

    def gather(examples: tf.Tensor) -> tf.Tensor:
        passes = examples // count
        seeds = tf.stack([tf.fill([batch_size], np.int64(seed)), passes, 0 * passes], 1)
        rows = tf.raw_ops.RandomIndexShuffle(
            index=examples % count,
            seed=seeds,
            max_index=np.int64(count - 1),
            rounds=16,  # the default, 4, leaves passes correlated at 0.9
        )
        pixels = tf.numpy_function(read, [rows], tf.uint8, stateful=False)
        pixels = tf.ensure_shape(pixels, [batch_size, *images.shape[1:]])
        return tf.cast(pixels, tf.float32) / 255.0

    first_example = first_step * batch_size
    return (
        tf.data.Dataset.range(first_example, np.iinfo(np.int64).max)
        .batch(batch_size, drop_remainder=True)
        .map(gather, num_parallel_calls=1, deterministic=True)
        .prefetch(2)
    )


def require_batch(batch_size: int, count: int) -> None:
    """Raises InfoGANError where `count` images cannot fill one batch."""
    if batch_size > count:
        raise InfoGANError(
            f"A batch of {batch_size} images was asked for, and there are {count}: use "
            f"--batch_size={count} or less."
        )
