"""Conditional GAN: both players are told the label (Mirza and Osindero 2014, CGAN)."""

from typing import Any

import keras
import tensorflow as tf

from infogan_tf import spec as specs
from infogan_tf.errors import InfoGANError
from infogan_tf.latents import Categorical
from infogan_tf.models.gan import GAN, Labelled


@keras.saving.register_keras_serializable("infogan_tf")
class ConditionalGAN(GAN):
    """A GAN whose code "label" is a label that D knows too.

    min_G max_D E log D(x|y) + E log(1 - D(G(z|y)|y)). G reads y as it reads any code; D
    has a linear output for each label on the shared trunk and answers with the one of y
    (the projection of Miyato and Koyama 2018; the paper joins y to a hidden layer).
    """

    learns_from_labels = "always"

    @classmethod
    def networks(cls, spec: specs.ModelSpec) -> dict[str, Any]:
        label = spec.latents["label"]
        if not isinstance(label, Categorical):
            raise InfoGANError(f'{spec.name}: the code "label" has to be Categorical.')
        return {**super().networks(spec), "outputs": label.categories}

    def objectives(
        self, images: tf.Tensor, labelled: Labelled | None, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        if labelled is None:
            raise InfoGANError("A ConditionalGAN trains on (images, labels).")
        return super().objectives(labelled.images, labelled, seed)

    @property
    def label_count(self) -> int:
        return self.outputs

    def logits(
        self,
        images: tf.Tensor,
        features: tf.Tensor,
        labels: tf.Tensor | None,
        *,
        training: bool,
    ) -> tf.Tensor:
        logits = self.discriminator(features, training=training)
        if labels is None:  # not told: as real as the label that suits it best
            return tf.reduce_max(logits, axis=1, keepdims=True)
        return tf.gather(logits, labels, axis=1, batch_dims=1)[:, tf.newaxis]
