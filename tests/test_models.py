"""The models: who learns what from whom, and that nothing is lost or left to chance."""

import dataclasses
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.blocks import (
    MOMENTUM,
    Convolution,
    Dense,
    Reshape,
    UpConvolution,
    build_network,
    unnormalised,
)
from infogan_tf.channel import (
    Channel,
    RandomAffine,
    RandomExposure,
    RandomMirror,
    WhiteNoise,
)
from infogan_tf.errors import InfoGANError
from infogan_tf.games import Equilibrium, ExtraClass, Minimax, Wasserstein
from infogan_tf.latents import Categorical, LatentSpace, Noise, Uniform
from infogan_tf.models import GAN, METHODS, ClassifierGAN, InfoGAN, build
from infogan_tf.penalties import R1, SpectralNormalization
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec

# Keras copies weights when it saves: np.array(variable), and TensorFlow's variables do
# not know NumPy 2's copy keyword.
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)

COUNT = 16
IMAGES = tf.random.stateless_uniform([COUNT, 8, 8, 1], [4, 2]) ** 3
WHITE = tf.ones([COUNT, 8, 8, 1])
CODES = (Categorical("c1", 5), Uniform("c2"))

TINY = ModelSpec(
    name="tiny",
    description="an 8 x 8 InfoGAN",
    method="infogan",
    data=DataSpec("synthetic", (8, 8, 1)),
    latents=LatentSpace(CODES, Noise(4)),
    generator=(
        Dense(24, activation="relu"),
        Dense(2 * 2 * 6, activation="relu"),
        Reshape(2, 2, 6),
        UpConvolution(6, activation="relu"),
        UpConvolution(1, activation="sigmoid", batch_norm=False),
    ),
    trunk=(
        Convolution(6, activation="leaky_relu", batch_norm=False),
        Convolution(8, activation="leaky_relu"),
        Dense(16, activation="leaky_relu"),
    ),
    recognition=(Dense(8, activation="leaky_relu"),),
    training=TrainSpec(batch_size=COUNT, seed=11),
)
CHANNEL = RandomAffine(("c1",), shift=2.0)
VARIANTS = {
    "gan": {"method": "gan"},
    "gan_without_codes": {"method": "gan", "latents": LatentSpace((), Noise(4))},
    "infogan": {},
    "onlooker": {"method": "onlooker_gan"},
    "channel": {"channels": (CHANNEL,)},
    "mirror": {"channels": (RandomMirror(("c1", "c2"), odd=("c2",)),)},
    "two_channels": {
        "channels": (RandomExposure(("c1",)), WhiteNoise(("c1", "c2"), stddev=0.1))
    },
    "spectral": {
        "penalties": (SpectralNormalization(),),
        "trunk": unnormalised(TINY.trunk),
    },
    "minimax_average": {"game": Minimax(), "training": TrainSpec(seed=3, ema_decay=0.9)},
    "tanh": {
        "generator": (
            *TINY.generator[:-1],
            UpConvolution(1, activation="tanh", batch_norm=False),
        )
    },
    "bfloat16": {"training": TrainSpec(seed=3, precision="bfloat16")},
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)


def tiny(variant="infogan", **changes):
    return build(dataclasses.replace(TINY, **{**VARIANTS[variant], **changes}))


def weighing(mi_weight):
    """The tiny latents with one lambda for both codes."""
    codes = [dataclasses.replace(code, mi_weight=mi_weight) for code in CODES]
    return LatentSpace(codes, Noise(4))


def train(model, steps, images=IMAGES):
    """Takes the steps one by one; what the last one reports is the mean over all."""
    for _ in range(steps):
        logs = model.train_step(images)
    return {name: float(value) for name, value in logs.items()}


def networks(model):
    """The parts of the model that hold weights, by their role."""
    roles = ("generator", "trunk", "discriminator", "recognition", "recognition_output")
    return {role: getattr(model, role) for role in roles if hasattr(model, role)}


def weights(model, *roles):
    parts = networks(model)
    return {
        f"{role}/{place}": weight.numpy()
        for role in roles or parts
        for place, weight in enumerate(parts[role].weights)
    }


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(value, other[name], err_msg=name)


# --- every model -----------------------------------------------------------------------


@every_variant
def test_one_step_moves_every_trainable_variable(variant):
    model = tiny(variant)
    variables = {
        f"{role}/{variable.path}": variable
        for role, network in networks(model).items()
        for variable in network.trainable_variables
    }
    before = {name: variable.numpy() for name, variable in variables.items()}
    logs = train(model, 1)
    still = [
        name
        for name, variable in variables.items()
        if np.array_equal(before[name], variable.numpy())
    ]
    assert not still
    assert {variable.dtype for variable in variables.values()} == {"float32"}
    assert all(map(math.isfinite, logs.values()))
    codes = [code.name for code in model.latents.codes] if variant != "gan" else []
    price = ["penalty"] if model.penalties else []
    assert list(logs) == ["d_loss", "g_loss", *price, *(f"mi/{code}" for code in codes)]
    assert int(model.step) == 1


@pytest.mark.parametrize("variant", ["gan", "channel", "bfloat16"])
def test_training_is_a_function_of_the_seed_and_the_step(variant):
    one, same = tiny(variant), tiny(variant)
    keras.utils.set_random_seed(1)
    first = train(one, 3)
    keras.utils.set_random_seed(2)
    assert train(same, 3) == first
    assert_same(weights(one), weights(same))


def test_another_seed_is_another_training():
    one, other = tiny(), tiny()
    other.seed = one.seed + 1  # the same initial weights, other draws
    train(one, 1), train(other, 1)
    assert not np.array_equal(
        one.generator.get_weights()[0], other.generator.get_weights()[0]
    )
    elsewhere = tiny(training=TrainSpec(seed=12))
    before = build(TINY).generator.get_weights()[0]
    assert not np.array_equal(before, elsewhere.generator.get_weights()[0])


def test_every_step_draws_anew():
    # Nothing moves at a learning rate this small: only the draw can tell steps apart.
    model = tiny(training=TrainSpec(
        generator_learning_rate=1e-30, discriminator_learning_rate=1e-30
    ))  # fmt: skip
    losses = []
    for _ in range(3):
        model.reset_metrics()
        losses.append(train(model, 1)["g_loss"])
    assert len(set(losses)) == 3


@pytest.mark.parametrize("variant", ["gan", "infogan"])
def test_no_two_kernels_start_from_the_same_numbers(variant):
    kernels = {
        f"{role}/{variable.path}": np.ravel(variable)[:8]
        for role, network in networks(tiny(variant)).items()
        for variable in network.trainable_variables
        if "kernel" in variable.path
    }
    starts = {}
    for name, start in kernels.items():
        starts.setdefault(tuple(start.tolist()), []).append(name)
    assert [names for names in starts.values() if len(names) > 1] == []


@pytest.mark.parametrize(
    "variant",
    [
        *("gan_without_codes", "onlooker", "channel", "mirror", "two_channels"),
        *("minimax_average", "bfloat16"),
    ],
)
def test_a_saved_model_comes_back_and_trains_on(variant, tmp_path):
    model = tiny(variant)
    train(model, 2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")

    assert type(again) is type(model)
    for name in ("latents", "pixel_range", "seed", "game", "name", "channels"):
        assert getattr(again, name, None) == getattr(model, name, None)
    assert_same(weights(model), weights(again))
    np.testing.assert_array_equal(model.generate(count=3), again.generate(count=3))
    np.testing.assert_array_equal(model.discriminate(IMAGES), again.discriminate(IMAGES))
    optimizers = ("generator_optimizer", "discriminator_optimizer")

    def slots(owner):
        return {
            f"{name}/{place}": variable.numpy()
            for name in optimizers
            for place, variable in enumerate(getattr(owner, name).variables)
        }

    assert int(again.step) == 2
    assert int(again.discriminator_optimizer.iterations) == 2
    assert_same(slots(model), slots(again))

    train(model, 1), train(again, 1)
    assert_same(weights(model), weights(again))
    assert_same(slots(model), slots(again))


def test_a_model_is_saved_before_it_is_compiled(tmp_path):
    parts = InfoGAN.networks(TINY)
    model = InfoGAN(**parts)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.generate(count=3), again.generate(count=3))


# --- the game --------------------------------------------------------------------------


def test_real_and_generated_images_are_normalised_in_separate_passes():
    # Real images that are all the same leave no deviation in a pass of their own: the
    # trunk's last normalisation gives its offset 0, D its bias 0, and the real half of
    # the loss is ln 2 exactly. Minimax's two losses add up to that half.
    model = tiny("minimax_average")
    kernel = model.discriminator.kernel
    kernel.assign(3000 * kernel)  # a D that judges: the generated half is not ln 2
    logs = train(model, 1, WHITE)
    assert logs["d_loss"] + logs["g_loss"] == pytest.approx(math.log(2), abs=1e-5)
    assert abs(logs["g_loss"] + math.log(2)) > 0.05


def normalised(network, inputs):
    """Every batch normalisation of `network` with the batch that it meets in training."""
    met = []
    for layer in network.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            met.append((layer, inputs.numpy()))
            mean, variance = tf.nn.moments(inputs, range(inputs.shape.rank - 1))
            inputs = (inputs - mean) / tf.sqrt(
                variance + layer.epsilon
            )  # scale 1, offset 0
        else:
            inputs = layer(inputs)
    return met, inputs


@pytest.mark.parametrize("variant", ["gan", "infogan", "onlooker", "channel", "tanh"])
def test_moving_averages_are_those_of_real_images_only(variant):
    model = tiny(variant)
    met, features = normalised(model.trunk, WHITE)  # white is 1 in either pixel range
    if variant != "gan":
        met += normalised(model.recognition, features)[0]
    expected = [0.1 * batch.reshape(-1, batch.shape[-1]).mean(axis=0) for _, batch in met]
    train(model, 1, WHITE)
    assert len(met) == (2 if variant == "gan" else 3)
    for (layer, _), mean in zip(met, expected, strict=True):
        # from 0 with momentum 0.9; the generated images would have added as much again
        np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-3, atol=1e-7)
    assert np.abs(expected[0]).max() > 1e-5


def test_xla_compiles_the_whole_step_to_the_same_game():
    logs = {}
    for choice in ("true", "false"):
        numbers = dataclasses.replace(TINY.training, jit_compile=choice)
        model = tiny("channel", training=numbers)
        assert model.jit_compile is (choice == "true")
        logs[choice] = train(model, 3)
        assert all(np.isfinite(v.numpy()).all() for v in model.variables)
    for name in ("d_loss", "g_loss"):
        assert logs["true"][name] == pytest.approx(logs["false"][name], abs=0.01)


def test_jit_compile_is_saved(tmp_path):
    numbers = dataclasses.replace(TINY.training, jit_compile="true")
    tiny(training=numbers).save(tmp_path / "model.keras")
    assert keras.saving.load_model(tmp_path / "model.keras").jit_compile is True


@pytest.mark.parametrize("stddev", [0.02, 0.05])
def test_q_starts_at_the_declared_scale(stddev):
    wide = (Dense(400, activation="relu"),)
    model = build(dataclasses.replace(TINY, recognition=wide, recognition_stddev=stddev))
    kernel = model.recognition_output.kernel.numpy()
    assert kernel.shape == (400, 5 + 2)
    # of 2,800 draws the deviation itself deviates by 1 / sqrt(5,600), 1.3%
    assert kernel.std() == pytest.approx(stddev, rel=0.05)


def test_gathered_statistics_are_means_over_the_batches_and_move_nothing_else():
    model = tiny("channel")
    train(model, 2)
    weights = [v.numpy() for v in model.trainable_variables]
    batches = [tf.fill([64, 8, 8, 1], value) for value in (0.25, 1.0)]
    model.gather_statistics(batches)
    for before, variable in zip(weights, model.trainable_variables, strict=True):
        np.testing.assert_array_equal(before, variable)
    # Known answer: the normalisation meets images that are all alike, so its mean is the
    # layer's output for one of them, and the variance is 0.
    met = [normalised(model.trunk, batch)[0][0] for batch in batches]
    (layer, one), (_, other) = met
    wanted = (one.mean(axis=(0, 1, 2)) + other.mean(axis=(0, 1, 2))) / 2
    np.testing.assert_allclose(layer.moving_mean, wanted, rtol=1e-4, atol=1e-6)
    assert layer.momentum == MOMENTUM

    # Training afterwards forgets at the usual rate.
    _, met = normalised(model.trunk, IMAGES)[0][0]
    train(model, 1)
    mixed = MOMENTUM * wanted + (1 - MOMENTUM) * met.mean(axis=(0, 1, 2))
    np.testing.assert_allclose(layer.moving_mean, mixed, rtol=1e-3, atol=1e-5)


def test_gathering_statistics_moves_no_spectrally_normalised_weight():
    model = tiny("spectral")
    train(model, 2)
    before = {v.path: v.numpy() for v in model.variables if "moving" not in v.path}
    assert any("vector_u" in path for path in before)
    model.gather_statistics([WHITE, 0.5 * WHITE])
    for variable in model.variables:
        if variable.path in before:
            np.testing.assert_array_equal(before[variable.path], variable)


def test_gathered_statistics_of_the_generator_are_of_its_own_images():
    """Then one batch of the prior looks in inference as it does in training."""
    model = tiny()
    train(model, 1)
    for variable in model.generator.trainable_variables:
        variable.assign(3 * variable)
    codes = model.latents.encode(model.latents.sample(2_000, tf.constant([7, 7])))

    def distance():
        in_training = model.generator(codes, training=True)
        return float(tf.reduce_mean(abs(model.generator(codes) - in_training)))

    before = distance()
    averages = {v.path: v.numpy() for v in model.trunk.non_trainable_variables}
    model.gather_generator_statistics(200, 10)
    assert distance() < before / 10
    for variable in model.trunk.non_trainable_variables:
        np.testing.assert_array_equal(averages[variable.path], variable)


def test_statistics_gathered_twice_are_the_same():
    model = tiny()
    train(model, 2)
    batches = [WHITE, 0.5 * WHITE]
    model.gather_statistics(batches)
    once = [v.numpy() for v in model.non_trainable_variables]
    model.gather_statistics(batches)
    for before, variable in zip(once, model.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(before, variable)


def test_the_generator_remembers_its_own_statistics():
    model = tiny()
    train(model, 1)
    for layer in model.generator.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            assert np.abs(layer.moving_mean).max() > 0


# --- the information -------------------------------------------------------------------


def updates(mi_weight, **changes):
    """One plain gradient step of size 1: {network: what it added to the weights}."""
    model = tiny(latents=weighing(mi_weight), **changes)
    model.compile(
        generator_optimizer=keras.optimizers.SGD(1.0),
        discriminator_optimizer=keras.optimizers.SGD(1.0),
    )

    def trainable():
        return {
            role: np.concatenate([np.ravel(one) for one in network.trainable_variables])
            for role, network in networks(model).items()
        }

    before = trainable()
    train(model, 1)
    return {role: after - before[role] for role, after in trainable().items()}


@pytest.mark.parametrize("channels", [(), (CHANNEL,)], ids=["direct", "channel"])
def test_information_moves_generator_trunk_and_q_and_not_the_discriminator(channels):
    none, once, twice = (updates(weight, channels=channels) for weight in (0.0, 1.0, 2.0))
    of_information = {role: once[role] - none[role] for role in none}
    for role in ("generator", "trunk", "recognition", "recognition_output"):
        size = np.linalg.norm(of_information[role])
        assert size > 1e-3, role
        # the objective is the game minus lambda L_I: linear in lambda
        np.testing.assert_allclose(
            twice[role] - none[role], 2 * of_information[role], atol=1e-3 * size
        )
    np.testing.assert_array_equal(none["discriminator"], once["discriminator"])
    for role in ("recognition", "recognition_output"):  # Q has no part in the game
        np.testing.assert_array_equal(none[role], 0)


def test_a_late_code_moves_nothing_until_its_part_of_the_training():
    # 10 updates, and c2 starts after the first 4: until then it is as if it weighed 0
    def trained(steps, **c2):
        codes = (CODES[0], dataclasses.replace(CODES[1], **c2))
        numbers = dataclasses.replace(TINY.training, steps=10)
        model = tiny(latents=LatentSpace(codes, Noise(4)), training=numbers)
        train(model, steps)
        return weights(model)

    assert_same(trained(4, mi_start=0.4), trained(4, mi_weight=0.0))
    one, other = trained(5, mi_start=0.4), trained(5, mi_weight=0.0)
    assert any(not np.array_equal(value, other[name]) for name, value in one.items())


def test_a_late_code_asks_for_the_length_of_the_training():
    late = dataclasses.replace(CODES[1], mi_start=0.4)
    model = tiny(latents=LatentSpace((CODES[0], late), Noise(4)))
    model.compile()
    with pytest.raises(InfoGANError) as error:
        model.train_step(IMAGES)
    assert str(error.value) == (
        "c2 start late, after a part of the training (mi_start): say how many updates it "
        "has, with compile(steps=N)."
    )


def learn(variant, generator_rate, discriminator_rate, *, epochs):
    """Trains for 40 steps an epoch; the model, and mi/c1 by epoch."""
    # Section 6: a smaller lambda for the continuous code, or it takes all that Q can read
    codes = (Categorical("c1", 5), Uniform("c2", mi_weight=0.1))
    training = TrainSpec(
        generator_learning_rate=generator_rate,
        discriminator_learning_rate=discriminator_rate,
        seed=1,
    )
    model = tiny(variant, latents=LatentSpace(codes, Noise(4)), training=training)
    data = tf.data.Dataset.from_tensors(IMAGES).repeat()
    fitted = model.fit(data, steps_per_epoch=40, epochs=epochs, verbose=0, shuffle=False)
    return model, fitted.history["mi/c1"]


def test_the_category_becomes_readable():
    model, nats = learn("infogan", 5e-3, 5e-3, epochs=4)
    assert nats[0] + 0.1 < nats[-1] <= math.log(5)  # from 0 towards H(c1) = 1.609 nats
    assert nats[-1] > 0.6  # three seeds gave 0.7 to 1.3
    # and Q reads, from images alone, the category that G was given, twice as often as by
    # chance; with the statistics of those images, since 160 steps leave them unreal
    asked = np.arange(50) % 5
    features = model.trunk(model.generate({"c1": asked}, count=50), training=True)
    outputs = model.recognition_outputs(features, training=True)
    read = model.latents.posterior(outputs)["c1"]["probabilities"]
    assert np.mean(np.argmax(read, axis=1) == asked) > 0.4


def test_an_odd_code_is_read_as_its_opposite_from_mirrored_images():
    training = TrainSpec(
        generator_learning_rate=5e-3, discriminator_learning_rate=5e-3, seed=1
    )
    model = tiny("mirror", training=training)
    data = tf.data.Dataset.from_tensors(IMAGES).repeat()
    model.fit(data, steps_per_epoch=160, verbose=0, shuffle=False)
    images = model.generate(count=200)

    def read(images):
        outputs = model.recognition_outputs(
            model.trunk(images, training=True), training=True
        )
        return model.latents.posterior(outputs)["c2"]["mean"]

    agreement = np.corrcoef(read(images), read(images[:, :, ::-1]))[0, 1]
    assert agreement < -0.6  # three seeds gave -0.82 to -0.99, and 0.58 to -0.17 without T


def test_the_onlookers_q_learns():
    _, nats = learn("onlooker", 1e-3, 2e-2, epochs=2)
    assert 0 < nats[0] < nats[1]
    assert nats[1] > 0.3  # three seeds gave 0.5 to 1.0


@pytest.mark.parametrize("channels", [(), (CHANNEL,)], ids=["direct", "channel"])
def test_the_generator_never_hears_of_the_onlooker(channels):
    none, much = (
        updates(weight, method="onlooker_gan", channels=channels) for weight in (0.0, 5.0)
    )
    np.testing.assert_array_equal(none["generator"], much["generator"])
    np.testing.assert_array_equal(none["discriminator"], much["discriminator"])
    for role in ("trunk", "recognition", "recognition_output"):
        assert np.linalg.norm(much[role] - none[role]) > 1e-3, role


class Blindfold(Channel):
    """A T that lets nothing through, and whose images look like no others."""

    near_identity = False

    def __call__(self, images, seed):
        return tf.zeros_like(images)


def test_q_also_reads_images_that_its_channel_never_shows_it_unheard_by_the_generator():
    def both(weight, kind):
        return updates(weight, channels=(kind(("c1", "c2")),))

    class LikeTheImages(Blindfold):
        near_identity = True

    none, once = both(0.0, Blindfold), both(1.0, Blindfold)
    blind, direct = both(1.0, LikeTheImages), updates(1.0)
    # Through T nothing reaches G; directly it would hear of both codes.
    np.testing.assert_array_equal(none["generator"], once["generator"])
    assert np.linalg.norm(direct["generator"] - none["generator"]) > 1e-3
    # The objective is a sum, so Q moves by what it would move for each of its two readings.
    for role in ("trunk", "recognition", "recognition_output"):
        wanted = blind[role] + direct[role] - none[role]
        np.testing.assert_allclose(once[role], wanted, rtol=1e-4, atol=1e-6)
        assert np.linalg.norm(once[role] - blind[role]) > 1e-3, role


def test_an_infogan_whose_lambda_is_zero_is_a_gan():
    gan, infogan = tiny("gan"), tiny("channel", latents=weighing(0.0))
    train(gan, 3), train(infogan, 3)
    assert_same(weights(gan), weights(infogan, *networks(gan)))


def test_only_the_channels_codes_go_through_it():
    direct, through = tiny(), tiny("channel")
    assert through.channels == (CHANNEL,)
    first, second = train(direct, 1), train(through, 1)
    assert first["mi/c1"] != second["mi/c1"]
    for name in ("mi/c2", "d_loss", "g_loss"):
        assert first[name] == second[name]


# --- fit -------------------------------------------------------------------------------


def test_fit_takes_an_array_of_images_and_no_labels():
    images = IMAGES.numpy()
    model = tiny("channel")
    history = model.fit(images, batch_size=6, epochs=2, verbose=0).history
    assert int(model.step) == 6  # 16 images are 6 + 6 + 4: the last batch is smaller
    assert list(history) == ["d_loss", "g_loss", "mi/c1", "mi/c2"]
    assert np.all(np.isfinite(list(history.values())))
    assert model.predict(images, verbose=0).shape == (16,)


def test_fit_takes_a_dataset_and_the_same_steps_as_train_step():
    by_hand, by_fit = tiny(), tiny()
    logs = train(by_hand, 3)
    data = tf.data.Dataset.from_tensor_slices(IMAGES).batch(COUNT).repeat(3)
    history = by_fit.fit(data, verbose=0, shuffle=False).history
    for name, value in logs.items():
        assert history[name] == [pytest.approx(value, abs=1e-4)]
    for name, weight in weights(by_hand).items():
        # Adam's first steps are lr g / |g|: rounding may turn a vanishing gradient
        close = np.isclose(weight, weights(by_fit)[name], atol=1e-5)
        assert close.mean() > 0.98, name


# --- a user's own networks -------------------------------------------------------------


def own_networks(**changes):
    layers = keras.layers
    parts = {
        "latents": TINY.latents,
        "generator": keras.Sequential(
            [
                keras.Input([10]),  # 5 + 1 + 4
                layers.Dense(8 * 8, activation="sigmoid"),
                layers.Reshape([8, 8, 1]),
            ]
        ),
        "trunk": keras.Sequential(
            [
                keras.Input([8, 8, 1]),
                layers.Conv2D(4, 3, 2, activation="relu"),
                layers.Dropout(0.3, seed=1),
                layers.Flatten(),
            ]
        ),
    }
    return {**parts, **changes}


@pytest.mark.parametrize("recognition", [None, 7], ids=["linear", "network"])
def test_a_users_own_networks_train(recognition, tmp_path):
    parts = own_networks()
    if recognition:
        features = parts["trunk"].output_shape[1:]
        parts["recognition"] = keras.Sequential(
            [keras.Input(features), keras.layers.Dense(recognition)]
        )
    model = InfoGAN(**parts)
    model.compile()
    assert list(model.fit(IMAGES.numpy(), verbose=0).history)[-1] == "mi/c2"
    model.save(tmp_path / "own.keras")
    again = keras.saving.load_model(tmp_path / "own.keras")
    for code, read in model.recognize(IMAGES).items():
        assert_same(read, again.recognize(IMAGES)[code])


def own_discriminator():
    """A discriminator with a hidden layer, normalised, on a trunk without dropout."""
    layers = keras.layers
    trunk = [layers.Conv2D(4, 3, 2), layers.Flatten()]
    hidden = [layers.Dense(5), layers.BatchNormalization(momentum=0.5), layers.Dense(1)]
    model = GAN(
        **own_networks(
            trunk=keras.Sequential([keras.Input([8, 8, 1]), *trunk]),
            discriminator=keras.Sequential([keras.Input([36]), *hidden]),
        )
    )
    model.compile()
    return model


def test_a_users_own_discriminator_is_saved(tmp_path):
    model = own_discriminator()
    train(model, 2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(model.discriminate(IMAGES), again.discriminate(IMAGES))
    train(model, 1), train(again, 1)
    assert_same(weights(model), weights(again))


def test_a_users_own_discriminator_remembers_real_images_only():
    model = own_discriminator()
    hidden, normalisation, _ = model.discriminator.layers
    met = hidden(model.trunk(IMAGES)).numpy().mean(axis=0)
    train(model, 1)
    np.testing.assert_allclose(normalisation.moving_mean, met / 2, atol=1e-5)
    model.gather_statistics([WHITE])
    white = hidden(model.trunk(WHITE)).numpy().mean(axis=0)
    np.testing.assert_allclose(normalisation.moving_mean, white, atol=1e-5)


class Residual(keras.layers.Layer):
    """A user's own block, whose layers `keras.Model.layers` does not list."""

    def __init__(self):
        super().__init__()
        self.convolution = keras.layers.Conv2D(1, 1)
        self.normalisation = keras.layers.BatchNormalization(momentum=0.5)

    def call(self, images, training=False):
        return images + self.normalisation(self.convolution(images), training=training)


def test_what_a_users_own_block_normalises_by_is_of_real_images_only():
    block = Residual()
    trunk = keras.Sequential([keras.Input([8, 8, 1]), block, keras.layers.Flatten()])
    model = GAN(**own_networks(trunk=trunk))
    model.compile()
    met = block.convolution(IMAGES).numpy().mean()
    train(model, 1)
    np.testing.assert_allclose(block.normalisation.moving_mean, met / 2, atol=1e-5)
    model.gather_statistics([WHITE])
    white = block.convolution(WHITE).numpy().mean()
    np.testing.assert_allclose(block.normalisation.moving_mean, white, atol=1e-5)


@pytest.mark.parametrize("asked", ["auto", True, False])
def test_whether_xla_compiles_is_kept_as_it_was_asked(asked):
    """Not as it was resolved on this machine: "auto" may mean something else on another."""
    model = tiny()
    model.compile(jit_compile=asked)
    assert model.get_compile_config()["jit_compile"] == asked


def test_a_declared_start_of_q_is_kept():
    model = tiny(recognition_stddev=0.5)
    again = type(model).from_config(model.get_config())
    np.testing.assert_array_equal(
        model.recognition_output.kernel, again.recognition_output.kernel
    )


def test_the_precision_is_that_of_every_network():
    numbers = dataclasses.replace(TINY.training, precision="bfloat16")
    model = tiny("spectral", training=numbers)
    for network in (model.generator, model.recognition):
        assert network.layers[0].dtype_policy.name == "mixed_bfloat16"


def test_a_spec_without_recognition_layers_has_a_linear_q():
    # 3D faces and chairs: "one FC output layer for D and Q (no FC128)"
    model = tiny(recognition=())
    assert model.recognition_output.kernel.shape == (16, 5 + 2)
    assert all(map(math.isfinite, train(model, 1).values()))


def flat(*shape):
    return keras.Sequential([keras.Input(shape), keras.layers.Flatten()])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: GAN(**own_networks(latents=LatentSpace(CODES, Noise(62)))),
            "The generator takes (10,), and the latent codes and the noise are 68 numbers:",
        ),
        (
            lambda: GAN(**own_networks(trunk=flat(28, 28, 1))),
            "The generator makes images of (8, 8, 1), and the trunk takes (28, 28, 1):",
        ),
        (
            lambda: GAN(**own_networks(trunk=build_network(
                [Convolution(4, activation="relu")], (8, 8, 1), name="trunk"))),
            "The trunk's output is (4, 4, 4) for each image; it has to be flat features:",
        ),
        (
            lambda: GAN(**own_networks(trunk=keras.Sequential([keras.layers.Flatten()]))),
            "The trunk has no input shape yet: begin it with keras.Input.",
        ),
        (
            lambda: GAN(**own_networks(trunk=keras.Sequential(
                [keras.Input([8, 8, 1]), keras.layers.Flatten(dtype="mixed_bfloat16")]))),
            "The trunk's output is bfloat16; it has to be float32, whatever its layers",
        ),
        (
            lambda: GAN(**own_networks()).compile(game=Equilibrium()),
            'Equilibrium is played with an energy held at a ratio, and the discriminator '
            'of "GAN" gives a logit: its games are non_saturating, minimax,',
        ),
        (
            lambda: ClassifierGAN(**own_networks()).compile(game=ExtraClass(3)),
            "ExtraClass takes a discriminator with 4 outputs, and this one has 1: make it "
            "with outputs=4.",
        ),
        (
            lambda: tiny().evaluate(IMAGES, verbose=0),
            "A GAN has no loss to validate: leave out validation_data, and score a",
        ),
        (
            lambda: GAN(**own_networks()).compile(critic_steps=0),
            "critic_steps is 0; it has to be at least 1.",
        ),
        (
            lambda: GAN(**own_networks()).compile(game=Wasserstein()),
            "Wasserstein's critic grows without bound unless its slope is bounded: add",
        ),
        (
            lambda: own_discriminator().compile(penalties=[R1()]),
            "R1 bounds the discriminator's slope at each image, and batch normalisation",
        ),
        (
            lambda: GAN(**own_networks()).compile(penalties=[SpectralNormalization()]),
            "SpectralNormalization is asked for, and no layer of the discriminator is "
            "normalised: wrap its layers in keras.layers.SpectralNormalization,",
        ),
        (
            lambda: tiny().train_step(tf.zeros([COUNT, 8, 8, 1], tf.uint8)),
            "The images are uint8; they have to be float32 in [0, 1]: divide bytes by 255.",
        ),
        (
            lambda: tiny().recognize(np.zeros([COUNT, 8, 8, 1], np.uint8)),
            "The images are uint8; they have to be float32 in [0, 1]: divide bytes by 255.",
        ),
        (
            lambda: InfoGAN(**own_networks(latents=LatentSpace((), Noise(10)))),
            "InfoGAN needs at least one latent code, and the latents declare none: add one",
        ),
        (
            lambda: tiny(data=DataSpec("synthetic", (16, 16, 1))),
            "tiny: the generator makes images of (8, 8, 1), and image_shape is "
            "(16, 16, 1): change one of them.",
        ),
        (
            lambda: tiny(method="infogna"),
            f'tiny: unknown method "infogna"; there are {", ".join(METHODS)}. Did you mean '
            '"infogan"?',
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_named(make, text):
    with pytest.raises(InfoGANError) as error:
        make()
    assert text in str(error.value)


# --- generate and recognize ------------------------------------------------------------


@pytest.fixture(scope="module", params=["infogan", "tanh", "bfloat16"])
def model(request):
    """A generator with strong opinions: its kernels are twenty times the initial ones."""
    model = tiny(request.param)
    for variable in model.generator.trainable_variables:
        if "kernel" in variable.path:
            variable.assign(20 * variable)
    return model


def test_generated_images_are_pixels_between_0_and_1(model):
    images = model.generate(count=7)
    assert images.shape == (7, 8, 8, 1)
    assert images.dtype == np.float32
    assert 0 <= images.min() < 0.3
    assert 0.7 < images.max() <= 1


def test_generation_is_a_function_of_the_seed(model):
    one, same = model.generate(count=5, seed=3), model.generate(count=5, seed=3)
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, model.generate(count=5, seed=4))


def test_fixed_codes_stay_fixed(model):
    def spread(codes):
        return np.ptp(model.generate(codes, count=6), axis=0).max()

    fixed = {"c1": 2, "c2": 0.5, "noise": np.zeros([6, 4])}
    assert spread(fixed) < 1e-6
    assert spread({**fixed, "c1": [0, 1, 2, 3, 4, 0]}) > 0.05
    assert spread({**fixed, "c2": np.linspace(-1, 1, 6)}) > 0.05
    del fixed["noise"]
    assert spread(fixed) > 0.05
    # a number for all, or one for each; the rest is drawn as it would have been
    np.testing.assert_array_equal(
        model.generate({"c1": 2}, count=6), model.generate({"c1": [2] * 6}, count=6)
    )


@pytest.mark.parametrize(
    ("codes", "text"),
    [
        ({"c1": 99}, "c1 takes finite numbers between 0 and 4, and was given 99."),
        ({"c1": 2.7}, "c1 takes whole numbers, and was given 2.7."),
        ({"c1": "a"}, "c1 takes finite numbers between 0 and 4, and was given a."),
        ({"noise": math.nan}, "The noise has to be finite numbers: give others."),
        (
            {"c2": math.nan},
            "c2 takes finite numbers between -inf and inf, and was given nan.",
        ),
        (
            {"c2": [0.0, 1.0]},
            "c2 has the shape (2,) for 3 images: give one number, or (3,).",
        ),
    ],
)
def test_an_impossible_value_is_named(model, codes, text):
    with pytest.raises(InfoGANError) as error:
        model.generate(codes, count=3)
    assert str(error.value) == text


def test_a_channel_for_an_unknown_code_is_named():
    built = tiny()
    with pytest.raises(InfoGANError, match='no latent code "c9"; there are c1, c2'):
        InfoGAN(
            latents=built.latents,
            generator=built.generator,
            trunk=built.trunk,
            channels=[RandomAffine(("c9",))],
        )


def test_an_unknown_code_is_named(model):
    with pytest.raises(InfoGANError) as error:
        model.generate({"c9": 1})
    assert str(error.value) == 'There is no latent code "c9"; there are c1, c2.'


def test_recognition_reads_every_code(model):
    read = model.recognize(IMAGES.numpy())
    assert list(read) == ["c1", "c2"]
    probabilities, (mean, stddev) = read["c1"]["probabilities"], read["c2"].values()
    assert probabilities.shape == (COUNT, 5)
    assert mean.shape == stddev.shape == (COUNT,)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    spread = 3**-0.5  # of U(-1, 1)
    assert np.all((stddev > 0.1 * spread) & (stddev < 2 * spread))


def test_recognition_reads_each_image_by_itself(model):
    # inference: moving averages, so that the rest of the batch does not matter
    together = model.recognize(IMAGES)["c1"]["probabilities"][:1]
    alone = model.recognize(IMAGES[:1])["c1"]["probabilities"]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_black_and_white_are_the_networks_own():
    for variant, black in (("infogan", 0.0), ("tanh", -1.0)):
        model = tiny(variant)
        inside = model.trunk(tf.fill([1, 8, 8, 1], black), training=False)
        np.testing.assert_allclose(
            model.discriminate(tf.zeros([1, 8, 8, 1])),
            model.discriminator(inside)[:, 0],
            rtol=1e-4,
        )
