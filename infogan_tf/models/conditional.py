"""Conditional GAN: both players are told the label (Mirza and Osindero 2014, CGAN)."""

from collections.abc import Sequence

import keras
import tensorflow as tf

from infogan_tf.errors import InfoGANError
from infogan_tf.latents import Categorical, LatentSpace
from infogan_tf.models.gan import GAN, Labelled


@keras.saving.register_keras_serializable("infogan_tf")
class ConditionalGAN(GAN):
    """A GAN whose code "label" is a label that D is told too.

    min_G max_D E log D(x|y) + E log(1 - D(G(z|y)|y)). G reads y as it reads any code; the
    trunk looks at the image and at one more plane for each label, of which that of y is
    one, the others zero. (The paper's fully connected D joins y to a hidden layer.)
    """

    learns_from_labels = "always"

    @classmethod
    def trunk_shape(
        cls, image_shape: Sequence[int], latents: LatentSpace
    ) -> tuple[int, ...]:
        label = latents["label"]
        if not isinstance(label, Categorical):
            raise InfoGANError('A ConditionalGAN\'s code "label" has to be Categorical.')
        *size, channels = image_shape
        return (*size, channels + label.categories)

    @property
    def label_count(self) -> int:
        return self.latents["label"].categories

    def reals(
        self, images: tf.Tensor, labelled: Labelled | None
    ) -> tuple[tf.Tensor, tf.Tensor]:
        if labelled is None:
            raise InfoGANError("A ConditionalGAN trains on (images, labels).")
        return labelled

    def features(
        self, images: tf.Tensor, labels: tf.Tensor, *, training: bool
    ) -> tf.Tensor:
        planes = tf.one_hot(labels, self.label_count, dtype=images.dtype)
        planes = tf.broadcast_to(
            planes[:, tf.newaxis, tf.newaxis],
            tf.concat([tf.shape(images)[:3], [self.label_count]], axis=0),
        )
        return self.trunk(tf.concat([images, planes], axis=3), training=training)

    @tf.function(reduce_retracing=True)
    def discriminate(self, images: tf.Tensor) -> tf.Tensor:
        """How real images look to D, [batch], each told the label that suits it best."""
        count, labels = tf.shape(images)[0], self.label_count
        told = tf.tile(tf.range(labels), [count])
        realness = self._realness(tf.repeat(images, labels, axis=0), told)
        return tf.reduce_max(tf.reshape(realness, [count, labels]), axis=1)
