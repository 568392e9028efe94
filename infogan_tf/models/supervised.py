"""InfoGAN with labels for some or all images: semi-supervised, and ACGAN."""

from typing import Any

import keras
import tensorflow as tf

from infogan_tf.channel import routes
from infogan_tf.errors import InfoGANError
from infogan_tf.latents import Categorical
from infogan_tf.models.gan import Labelled, _unmoved
from infogan_tf.models.infogan import InfoGAN


@keras.saving.register_keras_serializable("infogan_tf")
class SupervisedInfoGAN(InfoGAN):
    """InfoGAN whose first categorical code is told what it stands for.

    The same game, and D's side also minimises the cross entropy -E log Q(c = y | x) of
    labelled real images. With labels for all images, and the category called "label",
    this is ACGAN (Odena et al. 2017): its L_C is that cross entropy on real images and
    L_I's on generated ones. With a few, they steer the category to the label.

    The cross entropy has the weight of that code's L_I, from the first step on, and where
    that code goes through channels, so do the labelled images.
    """

    learns_from_labels = "always"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        if self.classified is None:
            raise InfoGANError(
                "SupervisedInfoGAN needs a categorical code that the labels steer, and "
                "the latents declare none."
            )

    @property
    def classified(self) -> str | None:
        """The code that stands for the label: the first categorical one."""
        kinds = {code.name: isinstance(code, Categorical) for code in self.latents.codes}
        return next((name for name, categorical in kinds.items() if categorical), None)

    @property
    def label_count(self) -> int:
        return self.latents[self.classified].categories

    @property
    def reported(self) -> list[str]:
        return [*super().reported, "label_loss"]

    def supervision(
        self, labelled: Labelled | None, seed: tf.Tensor
    ) -> tuple[tf.Tensor, dict[str, tf.Tensor]]:
        if labelled is None:
            raise InfoGANError("A SupervisedInfoGAN trains on (images, labels).")
        images = labelled.images
        for route in routes(self.channels):
            if self.classified in route.codes:
                fold_in = tf.random.experimental.stateless_fold_in
                images = route(images, fold_in(seed, tf.int32.min))
        with _unmoved(self._statistics):
            features = self.trunk(self._to_network(images), training=True)
            outputs = self.recognition_outputs(features, training=True)
        code = self.latents[self.classified]
        log_prob = code.log_prob(labelled.labels, self.latents.split(outputs)[code.name])
        loss = -tf.reduce_mean(log_prob)
        return code.mi_weight * loss, {"label_loss": loss}

    @tf.function(reduce_retracing=True)
    def classify(self, images: tf.Tensor) -> tf.Tensor:
        """The probability of each label, [batch, labels], for images in [0, 1]."""
        return self.recognize_images(images)[self.classified]["probabilities"]
