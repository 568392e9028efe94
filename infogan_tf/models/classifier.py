"""GANs whose discriminator is a classifier: catGAN and SGAN."""

import keras
import tensorflow as tf

from infogan_tf.models.gan import GAN, Labelled, _unmoved


@keras.saving.register_keras_serializable("infogan_tf")
class ClassifierGAN(GAN):
    """A GAN played with the logits of classes, and with labels where there are any.

    The game says what the classes are for: `CategoricalEntropy` is catGAN (Springenberg
    2015), which needs no labels, `ExtraClass` SGAN (Odena 2016), whose last class is
    "generated". On labelled images D also minimises the cross entropy -E log p(y|x).
    """

    plays_with = "classes"
    learns_from_labels = "maybe"

    @property
    def label_count(self) -> int:
        return self.game.classes

    @property
    def reported(self) -> list[str]:
        return [*super().reported, "label_loss"]

    def supervision(
        self, labelled: Labelled | None, seed: tf.Tensor
    ) -> tuple[tf.Tensor | float, dict[str, tf.Tensor]]:
        if labelled is None:
            return 0.0, {"label_loss": tf.zeros([])}
        images = self._to_network(labelled.images)
        with _unmoved(self._statistics):
            features = self.trunk(images, training=True)
            logits = self.logits(images, features, training=True)
        loss = tf.reduce_mean(
            tf.nn.sparse_softmax_cross_entropy_with_logits(labelled.labels, logits)
        )
        return loss, {"label_loss": loss}

    @tf.function(reduce_retracing=True)
    def classify(self, images: tf.Tensor) -> tf.Tensor:
        """The probability of each class, [batch, classes], for images in [0, 1].

        Of SGAN's, "generated" is left out, and the others add up to 1.
        """
        features = self.trunk(self._to_network(images), training=False)
        return tf.nn.softmax(self.discriminator(features)[:, : self.game.classes])
