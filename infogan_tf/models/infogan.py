"""InfoGAN: a GAN whose codes Q can read back from the image (arXiv 1606.03657)."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from infogan_tf import mutual_information
from infogan_tf import spec as specs
from infogan_tf.blocks import WEIGHT_STDDEV, build_network
from infogan_tf.channel import Channel, require_possible, routes
from infogan_tf.errors import InfoGANError
from infogan_tf.latents import LatentSpace
from infogan_tf.models.gan import GAN, _head, require_floats


@keras.saving.register_keras_serializable("infogan_tf")
class InfoGAN(GAN):
    """A GAN with a recognition network Q that shares the discriminator's trunk.

    G, the trunk and Q maximise lambda L_I(G, Q); Q moves at D's rate (Appendix C).

    Args:
        recognition: features [batch, n] -> [batch, m], the layers between the trunk and
            Q's linear output; None for a linear Q on the trunk.
        recognition_stddev: of the initial weights of that output.
        channels: random changes of the image on its way to Q. Where T's images are
            unlike G's, Q learns to read both, and G hears of T's alone.
        **options: those of `GAN`; `latents` has to declare at least one code.
    """

    network_names = (*GAN.network_names, "recognition")

    def __init__(
        self,
        *,
        latents: LatentSpace,
        trunk: keras.Model,
        recognition: keras.Model | None = None,
        recognition_stddev: float = WEIGHT_STDDEV,
        channels: Sequence[Channel] = (),
        seed: int = 0,
        **options: Any,
    ) -> None:
        if not latents.codes:
            raise InfoGANError(
                "InfoGAN needs at least one latent code, and the latents declare none: "
                "add one, or use GAN."
            )
        require_possible(channels, latents)
        super().__init__(latents=latents, trunk=trunk, seed=seed, **options)
        if recognition is None:
            width = trunk.output_shape[-1]
            recognition = build_network([], [width], name="recognition")
        self.recognition = recognition
        self.recognition_output = _head(
            latents.recognition_width,
            recognition,
            "recognition",
            seed,
            stddev=recognition_stddev,
        )
        self.recognition_stddev = recognition_stddev
        self.channels = tuple(channels)

    @classmethod
    def networks(cls, spec: specs.ModelSpec) -> dict[str, Any]:
        networks = super().networks(spec)
        width = networks["trunk"].output_shape[-1]
        recognition = build_network(
            spec.recognition,
            [width],
            name="recognition",
            seed=spec.training.seed,
            dtype=spec.training.dtype_policy,
        )
        return {
            **networks,
            "recognition": recognition,
            "recognition_stddev": spec.recognition_stddev,
            "channels": spec.channels,
        }

    @property
    def reported_codes(self) -> list[str]:
        return [code.name for code in self.latents.codes]

    @property
    def discriminator_networks(self) -> list[keras.Layer]:
        q = [self.recognition, self.recognition_output]
        return [*super().discriminator_networks, *q]

    def information(
        self,
        latents: Mapping[str, tf.Tensor],
        fakes: tf.Tensor,
        features: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        direct = self._bounds(latents, features)
        bounds = dict(direct)
        besides = {}
        for route in routes(self.channels):
            seed = tf.random.experimental.stateless_fold_in(seed, -1)
            received = self._to_network(route(self._to_unit(fakes), seed))
            through = self._bounds(
                route.expected(latents, seed), self.trunk(received, training=True)
            )
            bounds |= {name: through[name] for name in route.codes}
            if not route.near_identity:
                besides |= {name: direct[name] for name in route.codes}
        nats = {f"mi/{name}": tf.reduce_mean(bound) for name, bound in bounds.items()}
        heard, unheard = (
            mutual_information.weighted_sum(self.latents, some, self._progress())
            for some in (bounds, besides)
        )
        return heard + unheard, heard, nats

    def _progress(self) -> tf.Tensor | float:
        """The part of the training that is done; all of it where nobody waits for it."""
        late = [code.name for code in self.latents.codes if code.mi_start]
        if not late:
            return 1.0
        if not self.steps:
            raise InfoGANError(
                f"{', '.join(late)} start late, after a part of the training (mi_start): "
                "say how many updates it has, with compile(steps=N)."
            )
        return tf.cast(self.step.value, tf.float32) / self.steps

    def _bounds(
        self, latents: Mapping[str, tf.Tensor], features: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        outputs = self.recognition_outputs(features, training=True)
        return mutual_information.variational_bound(self.latents, latents, outputs)

    def recognition_outputs(self, features: tf.Tensor, *, training: bool) -> tf.Tensor:
        """Q's raw columns [batch, latents.recognition_width] from the trunk's features."""
        return self.recognition_output(self.recognition(features, training=training))

    def real_features(self, images: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        features = super().real_features(images, labels)
        # Q learns from generated images only; here it gathers its statistics of real ones.
        self.recognition(tf.stop_gradient(features), training=True)
        return features

    def recognize(self, images: Any) -> dict[str, dict[str, np.ndarray]]:
        """Reads the codes of images [batch, height, width, channels] in [0, 1].

        Returns:
            {code: {"probabilities": [batch, values]}} for a discrete code and
            {code: {"mean": [batch], "stddev": [batch]}} for a continuous one.

        Raises:
            InfoGANError: images of whole numbers, such as bytes.
        """
        images = np.asarray(images)
        require_floats(images.dtype)
        posterior = self.recognize_images(tf.cast(images, tf.float32))
        return {
            code: {name: value.numpy() for name, value in parameters.items()}
            for code, parameters in posterior.items()
        }

    @tf.function(reduce_retracing=True)
    def recognize_images(self, images: tf.Tensor) -> dict[str, dict[str, tf.Tensor]]:
        """Q(c|x) as tensors; see `recognize`."""
        return self.latents.posterior(self.read(images))

    def read(self, images: tf.Tensor) -> tf.Tensor:
        """Q's raw columns for images in [0, 1], [batch, latents.recognition_width]."""
        features = self.trunk(self._to_network(images), training=False)
        return self.recognition_outputs(features, training=False)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recognition_stddev": self.recognition_stddev,
            "channels": specs.to_json(self.channels),
        }

    @classmethod
    def _revive(cls, config: dict[str, Any], custom_objects: Any) -> dict[str, Any]:
        revived = super()._revive(config, custom_objects)
        return {**revived, "channels": specs.from_json(config["channels"])}


@keras.saving.register_keras_serializable("infogan_tf")
class OnlookerGAN(InfoGAN):
    """A regular GAN with a Q that its generator never hears of.

    Q and the trunk learn to read the codes from the images, and G plays for the game
    alone, so L_I shows how much of the codes a GAN keeps by itself (Figure 1).
    """

    def information(self, *arguments: Any) -> tuple[tf.Tensor, float, dict[str, tf.Tensor]]:
        read, _, nats = super().information(*arguments)
        return read, 0.0, nats
