"""Keras's InceptionV3, taught the classes of ImageNet: a feature space for colour images.

FID is usually quoted in the features of an InceptionV3, but of other weights than Keras's,
which resizes its images in another way: a number of this space stands near the one that
the usual network gives, and is not the same.
"""

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.errors import InfoGANError
from infogan_tf.evaluation.judge import Reading

NAME = "keras_inception_v3"
WEIGHTS = "imagenet"  # downloaded once into Keras's own cache; or the path of a file
SIDE = 299  # pixels
BATCH = 50


class Inception:
    """Sees images, and judges nothing.

    Raises:
        InfoGANError: the weights are not there and cannot be downloaded.
    """

    def __init__(self) -> None:
        try:
            self._network = keras.applications.InceptionV3(
                weights=WEIGHTS, include_top=False, pooling="avg"
            )
        except Exception as error:  # Keras raises that of any failed download
            reason = str(error).splitlines()[0]
            raise InfoGANError(
                f"The weights of Keras's InceptionV3 cannot be had ({reason}): put "
                "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5 into "
                "~/.keras/models, or score with --features=judge."
            ) from error

    def read(self, images: np.ndarray) -> Reading:
        """Sees images, uint8 [n, height, width, 3].

        Returns:
            The average of the last convolutions over the image, float32 [n, 2048], and no
            answers.

        Raises:
            InfoGANError: the images are grey.
        """
        if images.shape[-1] != 3:
            raise InfoGANError(
                "InceptionV3 looks at colour images, and these are grey: score them with "
                "--features=judge."
            )
        batches = tf.data.Dataset.from_tensor_slices(images).batch(BATCH).map(_enlarged)
        return Reading(self._network.predict(batches, verbose=0), {})


def _enlarged(images: tf.Tensor) -> tf.Tensor:
    """Bilinear, from bytes to [-1, 1], as this network was taught."""
    large = tf.image.resize(images, [SIDE, SIDE], antialias=True)
    return large / 127.5 - 1
