"""The handwritten digits inside scikit-learn: real, small, and no download."""

import numpy as np
import sklearn.datasets
import tensorflow as tf

from infogan_tf.data.images import ImageData, Split

TEST_COUNT = 297  # the last ones, by other writers than the first (UCI's own order)


def load(image_shape: tuple[int, int, int]) -> ImageData:
    """1,797 grey 8 x 8 images (UCI optical recognition of digits), resized, with labels.

    Resized with bicubic interpolation to the height and width of `image_shape`, and
    repeated over its channels; 1,500 to train on and 297 held out.
    """
    digits = sklearn.datasets.load_digits()
    height, width, channels = image_shape
    images = tf.image.resize(
        digits.images[..., np.newaxis] * (255.0 / 16.0), [height, width], "bicubic"
    )
    images = np.rint(np.clip(images, 0, 255)).astype(np.uint8)
    everything = Split(np.repeat(images, channels, -1), digits.target.astype(np.int64))
    return ImageData(
        "scikit-learn's handwritten digits",
        everything.take(slice(None, -TEST_COUNT)),
        everything.take(slice(-TEST_COUNT, None)),
    )
