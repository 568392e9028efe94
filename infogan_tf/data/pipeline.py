"""From an array of images to an endless stream of batches that any step can resume."""

import numpy as np
import tensorflow as tf

from infogan_tf.data.images import Split
from infogan_tf.errors import InfoGANError
from infogan_tf.spec import TrainSpec


def stream(train: Split, numbers: TrainSpec, *, first_step: int = 0) -> tf.data.Dataset:
    """What the steps of a training take, from `first_step` on.

    Images for every critic step; where the training uses labels, (images, (labelled
    images, labels)), as many as are labelled, at most a batch.

    Raises:
        InfoGANError: too few images, or fewer labels than the training uses.
    """
    options = {"seed": numbers.seed, "first_step": first_step}
    size = numbers.batch_size * numbers.critic_steps
    if numbers.critic_steps > 1 and size > len(train):
        raise InfoGANError(
            f"{numbers.critic_steps} critic steps take {size} images, a batch of "
            f"{numbers.batch_size} each, and there are {len(train)}: use "
            f"--batch_size={len(train) // numbers.critic_steps} or less."
        )
    images = batches(train.images, batch_size=size, **options)
    if not numbers.labels:
        return images
    rows = labelled_rows(train.labels, numbers.labels, numbers.seed)
    labelled = batches(
        train.images[rows],
        labels=train.labels[rows],
        batch_size=labelled_batch(numbers, len(rows)) * numbers.critic_steps,
        **options,
    )
    return tf.data.Dataset.zip(images, labelled)


def labelled_batch(numbers: TrainSpec, count: int) -> int:
    """How many of `count` labelled images an update of D takes."""
    return min(numbers.batch_size, count // numbers.critic_steps)


def labelled_rows(labels: np.ndarray | None, count: int, seed: int) -> np.ndarray:
    """The rows whose label is shown: equally many of each label, drawn from `seed`.

    Args:
        labels: [n], or None where the images have none.
        count: how many; -1: all.
        seed: the same seed chooses the same rows, and more rows for a larger count.

    Raises:
        InfoGANError: there are no labels, or not as many.
    """
    if labels is None:
        raise InfoGANError(
            "This training learns from labels, and the images have none: choose images "
            "with labels, or a method without."
        )
    if count > len(labels):
        raise InfoGANError(
            f"--labels={count}, and there are {len(labels)}: ask for as many or fewer, or "
            "for all with --labels=-1."
        )
    if count == -1:
        return np.arange(len(labels))
    order = np.random.default_rng([seed, 4]).permutation(len(labels))
    by_label = order[np.argsort(labels[order], kind="stable")]
    _, starts, sizes = np.unique(labels[by_label], return_index=True, return_counts=True)
    place = np.arange(len(labels)) - np.repeat(starts, sizes)  # among those of its label
    return np.sort(by_label[np.argsort(place, kind="stable")][:count])


def batches(
    images: np.ndarray,
    *,
    labels: np.ndarray | None = None,
    batch_size: int,
    seed: int = 0,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Shuffled batches for ever, float32 [batch_size, height, width, channels] in [0, 1].

    With `labels` [n], pairs of them and int32 [batch_size].

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

    def gather(examples: tf.Tensor) -> tf.Tensor | tuple[tf.Tensor, tf.Tensor]:
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
        pixels = tf.cast(pixels, tf.float32) / 255.0
        if labels is None:
            return pixels
        return pixels, tf.gather(tf.constant(labels, tf.int32), rows)

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
