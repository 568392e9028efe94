"""The generative adversarial network: G against D."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from infogan_tf import spec as specs
from infogan_tf.blocks import WEIGHT_STDDEV, build_network
from infogan_tf.errors import InfoGANError
from infogan_tf.games import Game, NonSaturating
from infogan_tf.latents import LatentSpace
from infogan_tf.optimizers import Adam, LinearEnd


@keras.saving.register_keras_serializable("infogan_tf")
class GAN(keras.Model):
    """A generator and a discriminator, trained together by `fit`.

    Made from a spec with `from_spec`, or from any two Keras networks:

        model = GAN(latents=space, generator=my_generator, trunk=my_trunk)
        model.compile()
        model.fit(images)        # [batch, height, width, channels] in [0, 1], no labels

    Args:
        latents: the declaration of what G reads.
        generator: [batch, latents.width] -> images.
        trunk: images -> features [batch, n]; D is one linear layer on top of it.
        pixel_range: what black and white are inside the two networks. Images outside
            are always in [0, 1].
        seed: every random draw is a function of (seed, step).
    """

    generator_hears_q = True  # L_I is G's objective too (equation 6)

    def __init__(
        self,
        *,
        latents: LatentSpace,
        generator: keras.Model,
        trunk: keras.Model,
        pixel_range: tuple[float, float] = (0.0, 1.0),
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if generator.input_shape[1:] != (latents.width,):
            raise InfoGANError(
                f"The generator takes {generator.input_shape[1:]}, and the latent codes "
                f"and the noise are {latents.width} numbers: give it that input shape."
            )
        if generator.output_shape[1:] != trunk.input_shape[1:]:
            raise InfoGANError(
                f"The generator makes images of {generator.output_shape[1:]}, and the "
                f"trunk takes {trunk.input_shape[1:]}: make them equal."
            )
        if len(trunk.output_shape) != 2:
            raise InfoGANError(
                f"The trunk's output is {trunk.output_shape[1:]} for each image; it has "
                "to be flat features: end it with Flatten or Dense."
            )
        self.latents = latents
        self.generator = generator
        self.trunk = trunk
        self.pixel_range = tuple(pixel_range)
        self.seed = seed
        self.discriminator = _head(1, trunk, "discriminator", seed)
        self.game: Game = NonSaturating()
        self._means: dict[str, keras.metrics.Mean] = {}
        self.built = True

    @classmethod
    def from_spec(cls, spec: specs.ModelSpec) -> "GAN":
        """Builds and compiles the model that `spec` declares."""
        model = cls(**cls.networks(spec))
        numbers = spec.training
        betas = {"beta_1": numbers.beta_1, "beta_2": numbers.beta_2}
        average = {"use_ema": True, "ema_momentum": numbers.ema_decay}

        def rate(start: float) -> float | LinearEnd:
            if not numbers.decay:
                return start
            return LinearEnd(start, numbers.steps, numbers.decay)

        model.compile(
            game=spec.game,
            generator_optimizer=Adam(
                rate(numbers.generator_learning_rate),
                **betas,
                **(average if numbers.ema_decay else {}),
            ),
            discriminator_optimizer=Adam(
                rate(numbers.discriminator_learning_rate), **betas
            ),
            jit_compile={"true": True, "false": False}.get(numbers.jit_compile, "auto"),
        )
        return model

    @classmethod
    def networks(cls, spec: specs.ModelSpec) -> dict[str, Any]:
        """The arguments of this class that follow from `spec`."""
        seed = spec.training.seed
        dtype = "mixed_bfloat16" if spec.training.precision == "bfloat16" else "float32"
        options = {"seed": seed, "dtype": dtype}
        width, shape = spec.latents.width, spec.data.image_shape
        return {
            "latents": spec.latents,
            "generator": build_network(
                spec.generator, [width], name="generator", **options
            ),
            "trunk": build_network(spec.trunk, shape, name="trunk", **options),
            "pixel_range": spec.pixel_range,
            "seed": seed,
            "name": spec.name,
        }

    def compile(
        self,
        *,
        game: Game | None = None,
        generator_optimizer: keras.optimizers.Optimizer | None = None,
        discriminator_optimizer: keras.optimizers.Optimizer | None = None,
        **options: Any,
    ) -> None:
        """Sets the game and the two optimizers; the paper's settings where not given."""
        super().compile(optimizer=None, **options)
        self.game = game or NonSaturating()
        self.generator_optimizer = generator_optimizer or Adam(1e-3, beta_1=0.5)
        self.discriminator_optimizer = discriminator_optimizer or Adam(2e-4, beta_1=0.5)
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator_variables)
        names = ["d_loss", "g_loss", *(f"mi/{name}" for name in self.reported_codes)]
        self._means = {name: keras.metrics.Mean(name) for name in names}

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._means.values())

    @property
    def reported_codes(self) -> list[str]:
        """Names of the codes whose information is measured; a plain GAN has none."""
        return []

    @property
    def discriminator_variables(self) -> list[keras.Variable]:
        """What the discriminator's optimizer moves."""
        return self.trunk.trainable_variables + self.discriminator.trainable_variables

    @property
    def step(self) -> keras.Variable:
        """Updates done so far."""
        return self.generator_optimizer.iterations

    # --- the game ------------------------------------------------------------------

    def train_step(self, images: tf.Tensor) -> dict[str, tf.Tensor]:
        """One update of both players from the same forward pass.

        min over G, Q, max over D of V(D, G) - lambda L_I(G, Q)  (equation 6), where the
        second term is `information`, absent from a plain GAN. Real and generated images
        are normalised in separate passes, and only the real ones are remembered in the
        moving averages: those serve real images later.

        Args:
            images: real ones, float32 [batch, height, width, channels] in [0, 1].
        """
        seed = tf.random.experimental.stateless_fold_in(
            tf.constant([self.seed, 0], tf.int32), tf.cast(self.step, tf.int32)
        )
        latents = self.latents.sample(tf.shape(images)[0], seed)
        with tf.GradientTape(persistent=True) as tape:
            # Generate.
            fakes = self.generator(self.latents.encode(latents), training=True)
            # Look at the real images, then at the generated ones.
            real_logits = self.discriminator(self.real_features(images))
            with self._unremembered():
                fake_features = self.trunk(fakes, training=True)
                fake_logits = self.discriminator(fake_features)
                # Have the codes read back.
                information, nats = self.information(latents, fakes, fake_features, seed)
            # Score both sides.
            d_loss = self.game.discriminator_loss(real_logits, fake_logits)
            g_loss = self.game.generator_loss(fake_logits)
            d_objective = d_loss - information
            g_objective = g_loss - information if self.generator_hears_q else g_loss
        # Move both.
        for objective, variables, optimizer in (
            (d_objective, self.discriminator_variables, self.discriminator_optimizer),
            (g_objective, self.generator.trainable_variables, self.generator_optimizer),
        ):
            optimizer.apply(tape.gradient(objective, variables), variables)
        for name, value in {"d_loss": d_loss, "g_loss": g_loss, **nats}.items():
            self._means[name].update_state(value)
        return self.get_metrics_result()

    def real_features(self, images: tf.Tensor) -> tf.Tensor:
        """The trunk's view of real images [batch, features], statistics remembered."""
        return self.trunk(self._to_network(images), training=True)

    def information(
        self,
        latents: Mapping[str, tf.Tensor],
        fakes: tf.Tensor,
        features: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor | float, dict[str, tf.Tensor]]:
        """Lambda L_I, and the nats of each code as {"mi/<code>": scalar}."""
        return 0.0, {}

    @contextlib.contextmanager
    def _unremembered(self) -> Iterator[None]:
        """Leaves the moving averages as they were before."""
        variables = self._shared_statistics
        before = [tf.identity(variable) for variable in variables]
        yield
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)

    @property
    def _shared_statistics(self) -> list[keras.Variable]:
        return self.trunk.non_trainable_variables

    # --- batch statistics --------------------------------------------------------------

    def gather_statistics(self, batches: Iterable[tf.Tensor]) -> None:
        """Sets all moving averages to their means over `batches`; no weight moves.

        What training leaves in them stems from a handful of batches, seen by weights
        that still moved (Wu and Johnson 2021, "precise BatchNorm"). As in training, the
        trunk's and Q's are of real images, G's of images drawn from the prior.

        Args:
            batches: real images [batch, height, width, channels] in [0, 1], at least one.
        """
        layers = [layer for network in self._networks for layer in _normalisations(network)]
        variables = [v for layer in layers for v in layer.non_trainable_variables]
        momenta = [layer.momentum for layer in layers]
        draws = tf.constant([self.seed, 2], tf.int32)

        @tf.function(reduce_retracing=True)
        def look(images: tf.Tensor, seed: tf.Tensor) -> None:
            latents = self.latents.sample(tf.shape(images)[0], seed)
            self.generator(self.latents.encode(latents), training=True)
            self.real_features(images)

        try:
            for layer in layers:
                layer.momentum = 0.0  # each batch's own statistics
            means = [np.zeros(v.shape) for v in variables]
            for count, images in enumerate(batches, start=1):
                look(images, tf.random.experimental.stateless_fold_in(draws, count))
                means = [
                    mean + (variable.numpy() - mean) / count
                    for mean, variable in zip(means, variables, strict=True)
                ]
        finally:
            for layer, momentum in zip(layers, momenta, strict=True):
                layer.momentum = momentum
        for variable, mean in zip(variables, means, strict=True):
            variable.assign(mean)

    @property
    def _networks(self) -> list[keras.Model]:
        return [self.generator, self.trunk]

    # --- using the model -------------------------------------------------------------

    def generate(
        self, codes: Mapping[str, Any] | None = None, *, count: int = 16, seed: int = 0
    ) -> np.ndarray:
        """Draws images, float32 [count, height, width, channels] in [0, 1].

        Args:
            codes: fixed values by name: a number, or one for each image; "noise" too,
                [count, size]. What is not given is drawn from the prior.
            count: images to draw.
            seed: the same seed draws the same images.
        """
        latents = self.latents.sample(count, tf.constant([seed, 1], tf.int32))
        for name, value in (codes or {}).items():
            value, drawn = np.asarray(value), latents.get(name)
            if name != "noise":
                self.latents[name].require_possible(value)
            if value.shape not in ((), drawn.shape):
                raise InfoGANError(
                    f"{name} has the shape {value.shape} for {count} images: give one "
                    f"number, or {tuple(drawn.shape)}."
                )
            value = tf.cast(tf.convert_to_tensor(value), drawn.dtype)
            latents[name] = tf.broadcast_to(value, drawn.shape)
        return self.generate_images(latents).numpy()

    @tf.function(reduce_retracing=True)
    def generate_images(self, latents: Mapping[str, tf.Tensor]) -> tf.Tensor:
        """G(z, c) in [0, 1] from every code's values and the noise."""
        return self._to_unit(self.generator(self.latents.encode(latents), training=False))

    @tf.function(reduce_retracing=True)
    def discriminate(self, images: tf.Tensor) -> tf.Tensor:
        """D's logits [batch] for images in [0, 1]; positive where they look real."""
        features = self.trunk(self._to_network(images), training=False)
        return self.discriminator(features)[:, 0]

    def call(self, images: tf.Tensor) -> tf.Tensor:
        return self.discriminate(images)

    def _to_network(self, images: tf.Tensor) -> tf.Tensor:
        low, high = self.pixel_range
        return images if (low, high) == (0, 1) else low + (high - low) * images

    def _to_unit(self, images: tf.Tensor) -> tf.Tensor:
        low, high = self.pixel_range
        return images if (low, high) == (0, 1) else (images - low) / (high - low)

    # --- saving ------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        networks = {"generator": self.generator, "trunk": self.trunk}
        return {
            "latents": specs.to_json(self.latents),
            **{
                name: keras.saving.serialize_keras_object(network)
                for name, network in networks.items()
            },
            "pixel_range": list(self.pixel_range),
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "GAN":
        return cls(**cls._revive(config, custom_objects))

    @classmethod
    def _revive(cls, config: dict[str, Any], custom_objects: Any) -> dict[str, Any]:
        revived = {
            name: keras.saving.deserialize_keras_object(config[name], custom_objects)
            for name in ("generator", "trunk")
        }
        return {**config, **revived, "latents": specs.from_json(config["latents"])}

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        return {
            "jit_compile": self.jit_compile,
            "game": specs.to_json(self.game),
            "generator_optimizer": keras.saving.serialize_keras_object(
                self.generator_optimizer
            ),
            "discriminator_optimizer": keras.saving.serialize_keras_object(
                self.discriminator_optimizer
            ),
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(
            jit_compile=config["jit_compile"],
            game=specs.from_json(config["game"]),
            generator_optimizer=keras.saving.deserialize_keras_object(
                config["generator_optimizer"]
            ),
            discriminator_optimizer=keras.saving.deserialize_keras_object(
                config["discriminator_optimizer"]
            ),
        )


def _normalisations(network: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    """The batch normalisations of a network, in order, nested ones too."""
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            yield from _normalisations(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            yield layer


def _head(
    units: int,
    network: keras.Model,
    name: str,
    seed: int,
    *,
    stddev: float = WEIGHT_STDDEV,
) -> keras.layers.Dense:
    """A linear float32 output layer on top of `network`, weights from N(0, stddev^2)."""
    entropy = [seed, *f"{name}_output".encode()]
    initial = np.random.SeedSequence(entropy).generate_state(1)[0]
    head = keras.layers.Dense(
        units,
        name=f"{name}_output",
        dtype="float32",
        kernel_initializer=keras.initializers.RandomNormal(0.0, stddev, int(initial)),
    )
    head.build(network.output_shape)
    return head
