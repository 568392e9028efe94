"""GANs whose discriminator is an autoencoder: EBGAN and BEGAN."""

from typing import Any

import keras
import tensorflow as tf

from infogan_tf import replicas
from infogan_tf import spec as specs
from infogan_tf.blocks import build_network
from infogan_tf.errors import InfoGANError
from infogan_tf.models.gan import GAN


@keras.saving.register_keras_serializable("infogan_tf")
class EBGAN(GAN):
    """Energy-based GAN (Zhao et al. 2016): D's energy is an error of reconstruction.

    The trunk encodes, `decoder` decodes, and E(x) is the squared error, summed over each
    pixel's channels and averaged over the pixels.

    Args:
        decoder: features [batch, n] -> images, in the networks' range.
        **options: those of `GAN`.
    """

    network_names = ("generator", "trunk", "decoder")
    plays_with = "energy"

    def __init__(self, *, decoder: keras.Model, **options: Any) -> None:
        super().__init__(discriminator=decoder, **options)
        if decoder.output_shape != self.generator.output_shape:
            raise InfoGANError(
                f"The decoder makes images of {decoder.output_shape[1:]}, and the "
                f"generator of {self.generator.output_shape[1:]}: make them equal."
            )

    @property
    def decoder(self) -> keras.Model:
        """D's layers on top of the trunk."""
        return self.discriminator

    @classmethod
    def networks(cls, spec: specs.ModelSpec) -> dict[str, Any]:
        networks = super().networks(spec)
        decoder = build_network(
            spec.decoder,
            networks["trunk"].output_shape[1:],
            name="decoder",
            seed=spec.training.seed,
            dtype=spec.training.dtype_policy,
            spectral_norm=networks["spectral_norm"],
        )
        return {**networks, "decoder": decoder}

    def logits(
        self, images: tf.Tensor, features: tf.Tensor, *, training: bool
    ) -> tf.Tensor:
        missed = images - self.decoder(features, training=training)
        return self.error(missed)[:, tf.newaxis]

    def error(self, difference: tf.Tensor) -> tf.Tensor:
        """The energy [batch] of what the reconstruction misses."""
        return tf.reduce_mean(tf.reduce_sum(difference**2, axis=3), axis=[1, 2])


@keras.saving.register_keras_serializable("infogan_tf")
class BEGAN(EBGAN):
    """Boundary equilibrium GAN (Berthelot et al. 2017): the errors are held at a ratio.

    L is the absolute error. `k` moves with each update (`games.Equilibrium`), and the
    convergence measure M, "convergence" in the log, falls as the images get better.
    """

    plays_with = "equilibrium"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.k = self.add_weight(
            (), "zeros", trainable=False, name="k", aggregation="only_first_replica"
        )

    @property
    def reported(self) -> list[str]:
        return [*super().reported, "k", "convergence"]

    def objectives(self, *arguments: Any) -> tuple[tf.Tensor, tf.Tensor, dict]:
        d_objective, g_objective, report = super().objectives(*arguments)
        return d_objective, g_objective, {**report, **self._equilibrium}

    def losses(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        k = tf.identity(self.k.value)
        d_loss = self.game.discriminator_loss(real_logits, fake_logits, k)
        means = [replicas.mean(tf.reduce_mean(one)) for one in (real_logits, fake_logits)]
        self.k.assign(self.game.next_k(k, *means))
        self._equilibrium = {"k": k, "convergence": self.game.convergence(*means)}
        return d_loss, self.game.generator_loss(fake_logits)

    def error(self, difference: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.abs(difference), axis=[1, 2, 3])
