"""The generative adversarial network: G against D."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from infogan_tf import replicas
from infogan_tf import spec as specs
from infogan_tf.blocks import WEIGHT_STDDEV, build_network, spectrally_normalised
from infogan_tf.errors import InfoGANError
from infogan_tf.games import GAMES, Game, NonSaturating
from infogan_tf.latents import LatentSpace
from infogan_tf.optimizers import Adam, LinearEnd
from infogan_tf.penalties import Penalty, SpectralNormalization, require_sensible


class Labelled(NamedTuple):
    """Real images in [0, 1], [batch, height, width, channels], and labels, int [batch]."""

    images: tf.Tensor
    labels: tf.Tensor


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
        trunk: images -> features [batch, n].
        discriminator: D's layers on top of it; a linear one where not given.
        pixel_range: what black and white are inside the two networks. Images outside
            are always in [0, 1].
        outputs: columns of D's output; a game says how many it is played with.
        spectral_norm: whether D's output layer is spectrally normalised, as the trunk is.
        seed: every random draw is a function of (seed, step).
    """

    network_names = ("generator", "trunk", "discriminator")  # those that are saved
    plays_with = "logit"  # what this discriminator gives, of `Game.played_with`
    learns_from_labels = "no"  # or "maybe", or "always"
    label_count = 0  # how many labels it can tell apart

    def __init__(
        self,
        *,
        latents: LatentSpace,
        generator: keras.Model,
        trunk: keras.Model,
        pixel_range: tuple[float, float] = (0.0, 1.0),
        discriminator: keras.Layer | None = None,
        outputs: int = 1,
        spectral_norm: bool = False,
        seed: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if generator.input_shape[1:] != (latents.width,):
            raise InfoGANError(
                f"The generator takes {generator.input_shape[1:]}, and the latent codes "
                f"and the noise are {latents.width} numbers: give it that input shape."
            )
        for name, network in (("generator", generator), ("trunk", trunk)):
            if not network.built:
                raise InfoGANError(
                    f"The {name} has no input shape yet: begin it with keras.Input."
                )
            if (dtype := network.outputs[0].dtype) != "float32":
                raise InfoGANError(
                    f"The {name}'s output is {dtype}; it has to be float32, whatever its "
                    'layers compute in: end it with Activation("linear", dtype="float32").'
                )
        shape = generator.output_shape[1:]
        looked_at = self.trunk_shape(shape, latents)
        if trunk.input_shape[1:] != looked_at:
            raise InfoGANError(
                f"The generator makes images of {shape}, and the trunk takes "
                f"{trunk.input_shape[1:]}: it has to take {looked_at}."
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
        self.outputs = outputs
        self.discriminator = discriminator or _head(
            outputs, trunk, "discriminator", seed, spectral_norm=spectral_norm
        )
        self.game: Game = NonSaturating()
        self.penalties: tuple[Penalty, ...] = ()
        self.critic_steps = 1
        self.steps: int | None = None
        self._means: dict[str, keras.metrics.Mean] = {}
        self.built = True

    @classmethod
    def from_spec(cls, spec: specs.ModelSpec) -> "GAN":
        """Builds and compiles the model that `spec` declares.

        Raises:
            InfoGANError: a game or a number of labels that this method has no use for.
        """
        cls._require_possible(spec)
        model = cls(**cls.networks(spec))
        numbers = spec.training
        average = {"use_ema": True, "ema_momentum": numbers.ema_decay}
        model.compile(
            game=spec.game,
            penalties=spec.penalties,
            critic_steps=numbers.critic_steps,
            steps=numbers.steps,
            generator_optimizer=_optimizer(
                numbers,
                numbers.generator_learning_rate,
                numbers.steps,
                **(average if numbers.ema_decay else {}),
            ),
            discriminator_optimizer=_optimizer(
                numbers,
                numbers.discriminator_learning_rate,
                numbers.steps * numbers.critic_steps,
            ),
            jit_compile={"true": True, "false": False}.get(numbers.jit_compile, "auto"),
        )
        return model

    @classmethod
    def _require_possible(cls, spec: specs.ModelSpec) -> None:
        cls._require_playable(spec.game, spec.name, spec.method)
        if cls.learns_from_labels == "no" and spec.training.labels:
            raise InfoGANError(
                f'{spec.name}: the method "{spec.method}" learns from no labels, and '
                f"labels is {spec.training.labels}: leave it out."
            )
        if cls.learns_from_labels == "always" and not spec.training.labels:
            raise InfoGANError(
                f'{spec.name}: the method "{spec.method}" learns from labels, and labels '
                "is 0: give --labels=N, or --labels=-1 for all."
            )

    @classmethod
    def _require_playable(cls, game: Game, name: str, method: str) -> None:
        played = [name for name, one in GAMES.items() if one.played_with == cls.plays_with]
        if game.played_with != cls.plays_with:
            raise InfoGANError(
                f"{name}: {type(game).__name__} is played with "
                f'{_article(game.played_with)}, and the discriminator of "{method}" gives '
                f"{_article(cls.plays_with)}: its games are {', '.join(played)}."
            )

    @classmethod
    def networks(cls, spec: specs.ModelSpec) -> dict[str, Any]:
        """The arguments of this class that follow from `spec`.

        Raises:
            InfoGANError: a generator that makes images of another shape.
        """
        seed = spec.training.seed
        options = {"seed": seed, "dtype": spec.training.dtype_policy}
        spectral = any(isinstance(one, SpectralNormalization) for one in spec.penalties)
        width, shape = spec.latents.width, spec.data.image_shape
        generator = build_network(spec.generator, [width], name="generator", **options)
        if (made := generator.output_shape[1:]) != shape:
            raise InfoGANError(
                f"{spec.name}: the generator makes images of {made}, and image_shape is "
                f"{shape}: change one of them."
            )
        return {
            "latents": spec.latents,
            "generator": generator,
            "trunk": build_network(
                spec.trunk,
                cls.trunk_shape(shape, spec.latents),
                name="trunk",
                spectral_norm=spectral,
                **options,
            ),
            "pixel_range": spec.pixel_range,
            "outputs": spec.game.outputs,
            "spectral_norm": spectral,
            "seed": seed,
            "name": spec.name,
        }

    @classmethod
    def trunk_shape(
        cls, image_shape: Sequence[int], latents: LatentSpace
    ) -> tuple[int, ...]:
        """The shape of what the trunk looks at, for images of this shape."""
        return tuple(image_shape)

    def compile(
        self,
        *,
        game: Game | None = None,
        penalties: Sequence[Penalty] = (),
        critic_steps: int = 1,
        steps: int | None = None,
        generator_optimizer: keras.optimizers.Optimizer | None = None,
        discriminator_optimizer: keras.optimizers.Optimizer | None = None,
        **options: Any,
    ) -> None:
        """Sets the game and the two optimizers; the paper's settings where not given.

        Args:
            game: what G and D play.
            penalties: what is added to it.
            critic_steps: updates of D for one of G; a batch is cut into as many parts.
            steps: updates of G in all; only codes that start late have to know.
            generator_optimizer, discriminator_optimizer: the latter moves Q as well.
            **options: of `keras.Model.compile`.

        Raises:
            InfoGANError: a game that this discriminator cannot play, or penalties that go
                neither with it nor with each other.
        """
        game = game or NonSaturating()
        self._require_playable(game, self.name, type(self).__name__)
        if game.outputs != self.outputs:
            raise InfoGANError(
                f"{self.name}: {type(game).__name__} takes a discriminator with "
                f"{game.outputs} outputs, and this one has {self.outputs}: make it with "
                f"outputs={game.outputs}."
            )
        if critic_steps < 1:
            raise InfoGANError(f"critic_steps is {critic_steps}; it has to be at least 1.")
        self._require_sensible(penalties, game)
        super().compile(optimizer=None, **options)
        self._jit_compile_asked = options.get("jit_compile", "auto")  # Keras resolves it
        self.game = game
        self.penalties = tuple(penalties)
        self.critic_steps = critic_steps
        self.steps = steps
        self.generator_optimizer = generator_optimizer or Adam(1e-3, beta_1=0.5)
        self.discriminator_optimizer = discriminator_optimizer or Adam(2e-4, beta_1=0.5)
        self.generator_optimizer.build(self.generator.trainable_variables)
        self.discriminator_optimizer.build(self.discriminator_variables)
        self._means = {name: keras.metrics.Mean(name) for name in self.reported}

    def _require_sensible(self, penalties: Sequence[Penalty], game: Game) -> None:
        def has(kind: type) -> bool:
            return any(isinstance(layer, kind) for layer in _layers(self.critic_networks))

        batch_norm = has(keras.layers.BatchNormalization)
        require_sensible(penalties, game, batch_norm=batch_norm)
        asked = any(isinstance(one, SpectralNormalization) for one in penalties)
        if asked and not has(keras.layers.SpectralNormalization):
            raise InfoGANError(
                f"{self.name}: SpectralNormalization is asked for, and no layer of the "
                "discriminator is normalised: wrap its layers in "
                "keras.layers.SpectralNormalization, and give spectral_norm=True."
            )

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._means.values())

    @property
    def reported(self) -> list[str]:
        """Names of the numbers that a step reports."""
        penalty = ["penalty"] if self.penalties else []
        codes = [f"mi/{name}" for name in self.reported_codes]
        return ["d_loss", "g_loss", *penalty, *codes]

    @property
    def reported_codes(self) -> list[str]:
        """Names of the codes whose information is measured; a plain GAN has none."""
        return []

    @property
    def discriminator_networks(self) -> list[keras.Layer]:
        """What the discriminator's optimizer moves."""
        return self.critic_networks

    @property
    def discriminator_variables(self) -> list[keras.Variable]:
        """The weights of those networks."""
        return _weights(self.discriminator_networks)

    @property
    def critic_networks(self) -> list[keras.Layer]:
        """What D's logits depend on."""
        return [self.trunk, self.discriminator]

    @property
    def step(self) -> keras.Variable:
        """Updates done so far."""
        return self.generator_optimizer.iterations

    # --- the game ------------------------------------------------------------------

    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One update of G, and `critic_steps` of D, the last from the same forward pass.

        Args:
            data: real images, float32 [batch, height, width, channels] in [0, 1]; or
                (images, labels), int32 [batch]; or (images, (other images, their labels)).
                With several critic steps, as many times the batch.
        """
        seed = tf.random.experimental.stateless_fold_in(
            tf.constant([self.seed, 0], tf.int32), tf.cast(self.step, tf.int32)
        )
        share = tf.constant(1 / replicas.count())  # the optimizers add the replicas up
        for images, labelled, part_seed in self._parts(data, seed):
            with tf.GradientTape(persistent=True) as tape:
                d_objective, g_objective, report = self.objectives(
                    images, labelled, part_seed
                )
            # Move the discriminator.
            variables = self.discriminator_variables
            self.discriminator_optimizer.apply(
                tape.gradient(d_objective, variables, share), variables
            )
            for penalty in self.penalties:
                penalty.after_update(_weights(self.critic_networks))
        # Move the generator.
        variables = self.generator.trainable_variables
        self.generator_optimizer.apply(
            tape.gradient(g_objective, variables, share), variables
        )
        for name, value in report.items():
            self._means[name].update_state(value, sample_weight=share)
        return replicas.reducible(self.get_metrics_result())

    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """Raises InfoGANError: what D loses on other images says nothing of G's."""
        raise InfoGANError(
            "A GAN has no loss to validate: leave out validation_data, and score a run "
            "with infogan_tf.evaluate(run_dir)."
        )

    def objectives(
        self, images: tf.Tensor, labelled: Labelled | None, seed: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor, dict[str, tf.Tensor]]:
        """What D and G each minimise, and the numbers to report.

        min over G, Q, max over D of V(D, G) - lambda L_I(G, Q)  (equation 6), where the
        second term is `information`, absent from a plain GAN. Real and generated images
        are normalised in separate passes, and only the real ones are remembered in the
        moving averages: those serve real images later.
        """
        images, labels = self.reals(images, labelled)
        latents = replicas.own_rows(
            lambda count: self.latents.sample(count, seed), tf.shape(images)[0]
        )
        # Generate.
        fakes = self.generator(self.latents.encode(latents), training=True)
        # Look at the real images, then at the generated ones.
        reals = self._to_network(images)
        real_logits = self.logits(reals, self.real_features(images, labels), training=True)
        with _unmoved(self._statistics):
            fake_features = self.features(fakes, latents.get("label"), training=True)
            fake_logits = self.logits(fakes, fake_features, training=True)
            # Have the codes read back.
            read, heard, nats = self.information(latents, fakes, fake_features, seed)
            # Bound the discriminator's slope.
            price = self._price(reals, fakes, labels, seed)
        # Learn from labels, where there are any.
        supervision, learned = self.supervision(labelled, seed)
        # Score both sides.
        d_loss, g_loss = self.losses(real_logits, fake_logits)
        d_objective = d_loss - read + price + supervision
        g_price = sum(penalty.on_generator(fake_features) for penalty in self.penalties)
        g_objective = g_loss - heard + g_price
        report = {"d_loss": d_loss, "g_loss": g_loss, **nats, **learned}
        if self.penalties:
            report["penalty"] = price + g_price
        return d_objective, g_objective, report

    def reals(
        self, images: tf.Tensor, labelled: Labelled | None
    ) -> tuple[tf.Tensor, tf.Tensor | None]:
        """The real images of the game, and their labels where D is told them."""
        return images, None

    def features(
        self, images: tf.Tensor, labels: tf.Tensor | None, *, training: bool
    ) -> tf.Tensor:
        """The trunk's view of images in the networks' range, [batch, features]."""
        return self.trunk(images, training=training)

    def logits(
        self, images: tf.Tensor, features: tf.Tensor, *, training: bool
    ) -> tf.Tensor:
        """What the game is played with, [batch, outputs], from the trunk's features."""
        return self.discriminator(features, training=training)

    def losses(
        self, real_logits: tf.Tensor, fake_logits: tf.Tensor
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """The game's two losses."""
        return (
            self.game.discriminator_loss(real_logits, fake_logits),
            self.game.generator_loss(fake_logits),
        )

    def supervision(
        self, labelled: Labelled | None, seed: tf.Tensor
    ) -> tuple[tf.Tensor | float, dict[str, tf.Tensor]]:
        """What D minimises because of labels, and what it reports."""
        return 0.0, {}

    def _price(
        self,
        reals: tf.Tensor,
        fakes: tf.Tensor,
        labels: tf.Tensor | None,
        seed: tf.Tensor,
    ) -> tf.Tensor:
        def critic(images: tf.Tensor) -> tf.Tensor:
            features = self.features(images, labels, training=True)
            return self.logits(images, features, training=True)

        prices = [
            penalty.on_discriminator(
                critic, reals, fakes, tf.random.experimental.stateless_fold_in(seed, -2)
            )
            for penalty in self.penalties
        ]
        return tf.add_n([tf.zeros([]), *prices])

    def _parts(
        self, data: Any, seed: tf.Tensor
    ) -> Iterator[tuple[tf.Tensor, Labelled | None, tf.Tensor]]:
        """Cuts a batch for the critic steps: images, labelled images, a seed for each."""
        images, labelled = _unpacked(data)
        tensors = [images, *(labelled or ())]
        cut = [tf.split(tensor, self.critic_steps) for tensor in tensors]
        for place, (images, *pair) in enumerate(zip(*cut, strict=True), start=1):
            last = place == self.critic_steps
            fold_in = tf.random.experimental.stateless_fold_in
            part_seed = seed if last else fold_in(seed, -2 - place)
            yield images, Labelled(*pair) if pair else None, part_seed

    def real_features(self, images: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        """The trunk's view of real images [batch, features], statistics remembered."""
        return self.features(self._to_network(images), labels, training=True)

    def information(
        self,
        latents: Mapping[str, tf.Tensor],
        fakes: tf.Tensor,
        features: tf.Tensor,
        seed: tf.Tensor,
    ) -> tuple[tf.Tensor | float, tf.Tensor | float, dict[str, tf.Tensor]]:
        """What Q and the trunk maximise, what G does, and the nats, {"mi/<code>": scalar}.

        Both are lambda L_I, unless one of the two does not hear of some of it.
        """
        return 0.0, 0.0, {}

    # --- batch statistics --------------------------------------------------------------

    @property
    def _statistics(self) -> list[keras.Variable]:
        """The moving averages of what looks at real and generated images."""
        layers = _normalisations(self.discriminator_networks)
        return [variable for layer in layers for variable in layer.non_trainable_variables]

    def gather_statistics(self, batches: Iterable[Any]) -> None:
        """Sets all moving averages to their means over `batches`; no weight moves.

        What training leaves in them stems from a handful of batches, seen by weights
        that still moved (Wu and Johnson 2021, "precise BatchNorm"). As in training, the
        trunk's and Q's are of real images, G's of images drawn from the prior.

        Args:
            batches: what `train_step` takes for one critic step, at least once.
        """
        draws = tf.constant([self.seed, 2], tf.int32)

        @tf.function(reduce_retracing=True)
        def look(data: Any, seed: tf.Tensor) -> None:
            images, labels = self.reals(*_unpacked(data))
            latents = self.latents.sample(tf.shape(images)[0], seed)
            self.generator(self.latents.encode(latents), training=True)
            features = self.real_features(images, labels)
            self.logits(self._to_network(images), features, training=True)

        _gather(
            [self.generator, *self.discriminator_networks],
            (
                look(data, tf.random.experimental.stateless_fold_in(draws, count))
                for count, data in enumerate(batches, start=1)
            ),
        )

    def gather_generator_statistics(self, batch_size: int, batches: int) -> None:
        """Sets G's moving averages to their means over so many batches from the prior."""
        draws = tf.constant([self.seed, 2], tf.int32)

        @tf.function
        def look(seed: tf.Tensor) -> None:
            latents = self.latents.sample(batch_size, seed)
            self.generator(self.latents.encode(latents), training=True)

        _gather(
            [self.generator],
            (
                look(tf.random.experimental.stateless_fold_in(draws, count))
                for count in range(1, batches + 1)
            ),
        )

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
            elif value.dtype.kind not in "biuf" or not np.isfinite(value).all():
                raise InfoGANError("The noise has to be finite numbers: give others.")
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
        """How real images in [0, 1] look to D, [batch]; larger is more real.

        The logit, where the game is played with one.
        """
        return self._realness(images, None)

    def _realness(self, images: tf.Tensor, labels: tf.Tensor | None) -> tf.Tensor:
        images = self._to_network(tf.cast(images, tf.float32))
        features = self.features(images, labels, training=False)
        return self.game.realness(self.logits(images, features, training=False))

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
        return {
            "latents": specs.to_json(self.latents),
            **{
                name: keras.saving.serialize_keras_object(getattr(self, name))
                for name in self.network_names
            },
            "pixel_range": list(self.pixel_range),
            "outputs": self.outputs,
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
            for name in cls.network_names
        }
        return {**config, **revived, "latents": specs.from_json(config["latents"])}

    def get_compile_config(self) -> dict[str, Any] | None:
        if not self.compiled:
            return None
        return {
            "jit_compile": self._jit_compile_asked,
            "game": specs.to_json(self.game),
            "penalties": specs.to_json(self.penalties),
            "critic_steps": self.critic_steps,
            "steps": self.steps,
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
            penalties=specs.from_json(config["penalties"]),
            critic_steps=config["critic_steps"],
            steps=config["steps"],
            generator_optimizer=keras.saving.deserialize_keras_object(
                config["generator_optimizer"]
            ),
            discriminator_optimizer=keras.saving.deserialize_keras_object(
                config["discriminator_optimizer"]
            ),
        )


def _unpacked(data: Any) -> tuple[tf.Tensor, Labelled | None]:
    """The real images of what `train_step` takes, and the labelled ones."""
    images, labelled = data if isinstance(data, tuple) else (data, None)
    require_floats(images.dtype)
    if labelled is None:
        return images, None
    shown, labels = labelled if isinstance(labelled, tuple) else (images, labelled)
    return images, Labelled(shown, tf.cast(labels, tf.int32))


def require_floats(dtype: tf.DType | np.dtype) -> None:
    """Raises InfoGANError where images are whole numbers: they would be off by 255."""
    if not tf.as_dtype(dtype).is_floating:
        raise InfoGANError(
            f"The images are {tf.as_dtype(dtype).name}; they have to be float32 in [0, 1]: "
            "divide bytes by 255."
        )


def _weights(networks: Iterable[keras.Layer]) -> list[keras.Variable]:
    return [weight for network in networks for weight in network.trainable_variables]


def _normalisations(
    networks: Iterable[keras.Layer],
) -> Iterator[keras.layers.BatchNormalization]:
    """The batch normalisations of networks, in order, those inside other layers too."""
    for layer in _layers(networks):
        if isinstance(layer, keras.layers.BatchNormalization):
            yield layer


def _layers(networks: Iterable[keras.Layer]) -> Iterator[keras.Layer]:
    """All layers of networks: `keras.Model.layers` has none of a layer's own."""
    for network in networks:
        yield from network._flatten_layers()


@contextlib.contextmanager
def _unmoved(variables: Sequence[keras.Variable]) -> Iterator[None]:
    """Leaves the variables as they were before."""
    before = [tf.identity(variable) for variable in variables]
    yield
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)


def _gather(networks: Sequence[keras.Layer], passes: Iterable[None]) -> None:
    """Sets all moving averages to their means over passes, at least one.

    Args:
        networks: that these averages belong to; nothing else of them moves.
        passes: each step sends a batch through the networks.
    """
    layers = list(_normalisations(networks))
    averages = [v for layer in layers for v in layer.non_trainable_variables]
    places = {id(variable) for variable in averages}
    others = [v for network in networks for v in network.variables if id(v) not in places]
    momenta = [layer.momentum for layer in layers]
    means = [np.zeros(variable.shape) for variable in averages]
    try:
        for layer in layers:
            layer.momentum = 0.0  # each batch's own statistics
        with _unmoved(others):  # spectral normalisation moves its layers' weights
            for count, _ in enumerate(passes, start=1):
                means = [
                    mean + (variable.numpy() - mean) / count
                    for mean, variable in zip(means, averages, strict=True)
                ]
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    for variable, mean in zip(averages, means, strict=True):
        variable.assign(mean)


def _head(
    units: int,
    network: keras.Model,
    name: str,
    seed: int,
    *,
    stddev: float = WEIGHT_STDDEV,
    spectral_norm: bool = False,
) -> keras.Layer:
    """A linear float32 output layer on top of `network`, weights from N(0, stddev^2)."""
    entropy = [seed, *f"{name}_output".encode()]
    initial = np.random.SeedSequence(entropy).generate_state(1)[0]
    head = keras.layers.Dense(
        units,
        name=f"{name}_output",
        dtype="float32",
        kernel_initializer=keras.initializers.RandomNormal(0.0, stddev, int(initial)),
    )
    if spectral_norm:
        head = spectrally_normalised(head)
    head.build(network.output_shape)
    return head


def _optimizer(
    numbers: specs.TrainSpec, rate: float, updates: int, **options: Any
) -> keras.optimizers.Optimizer:
    """The declared optimizer, for one player that makes so many updates."""
    schedule = LinearEnd(rate, updates, numbers.decay) if numbers.decay else rate
    if numbers.optimizer == "rmsprop":
        # Keras adds epsilon under the root; a clipped critic's gradients are below 3e-4.
        return keras.optimizers.RMSprop(schedule, epsilon=1e-16, **options)
    betas = {"beta_1": numbers.beta_1, "beta_2": numbers.beta_2}
    return Adam(schedule, **betas, **options)


def _article(noun: str) -> str:
    named = {"classes": "several classes", "equilibrium": "an energy held at a ratio"}
    article = "an" if noun[0] in "aeiou" else "a"
    return named.get(noun, f"{article} {noun}")
