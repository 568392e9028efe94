"""Each penalty where the answer is known, its gradient, and what cannot be combined."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from infogan_tf import penalties
from infogan_tf.blocks import Convolution, Dense, build_network
from infogan_tf.errors import InfoGANError
from infogan_tf.games import CategoricalEntropy, NonSaturating, Wasserstein
from infogan_tf.penalties import (
    DRAGAN,
    PENALTIES,
    R1,
    WGANGP,
    PullingAway,
    SpectralNormalization,
    WeightClipping,
    require_sensible,
)

REALS = tf.random.stateless_uniform([6, 4, 4, 1], [1, 2])
FAKES = tf.random.stateless_uniform([6, 4, 4, 1], [3, 4])
SEED = tf.constant([5, 6])
GRADIENT_PENALTIES = [WGANGP(10.0), DRAGAN(10.0), R1(10.0)]
of_gradients = pytest.mark.parametrize(
    "penalty", GRADIENT_PENALTIES, ids=["gp", "dragan", "r1"]
)


def price(penalty, critic):
    return penalty.on_discriminator(critic, REALS, FAKES, SEED)


@pytest.mark.parametrize(
    ("penalty", "expected"),
    # a slope of norm 5 everywhere: 10 (5 - 1)^2, the same, 10 / 2 x 5^2
    list(zip(GRADIENT_PENALTIES, (160, 160, 125), strict=True)),
)
def test_a_linear_critic_has_one_slope(penalty, expected):
    weights = np.zeros((4, 4, 1), np.float32)
    weights[0, 1], weights[2, 3] = 3, -4

    def critic(images):
        return tf.reduce_sum(weights * images, axis=[1, 2, 3])[:, tf.newaxis]

    assert float(price(penalty, critic)) == pytest.approx(expected, rel=1e-5)


def test_r1_of_a_quadratic_critic():
    # f = w |x|^2 / 2 has the gradient w x: 10 / 2 x E w^2 |x|^2
    found = price(R1(10.0), lambda x: 3 * tf.reduce_sum(x**2, axis=[1, 2, 3])[:, None] / 2)
    norms = np.sum(REALS.numpy() ** 2, axis=(1, 2, 3))
    assert float(found) == pytest.approx(5 * np.mean(9 * norms), rel=1e-5)


def critic_network():
    blocks = (
        Convolution(4, activation="tanh", batch_norm=False),
        Dense(5, activation="tanh", batch_norm=False),
        Dense(1, activation="linear", batch_norm=False),
    )
    network = build_network(blocks, [4, 4, 1], name="critic")
    for variable in network.trainable_variables:  # large enough to be measured
        variable.assign(20 * variable)
    return network


@of_gradients
def test_the_gradient_is_that_of_finite_differences(penalty):
    """Along a random direction in the space of all of the critic's weights."""
    critic = critic_network()
    variables = critic.trainable_variables
    directions = [
        tf.random.stateless_normal(v.shape, [7, place]) for place, v in enumerate(variables)
    ]
    with tf.GradientTape() as tape:
        value = price(penalty, critic)
    gradients = tape.gradient(value, variables)  # None for the last bias
    expected = sum(
        float(tf.reduce_sum(gradient * direction))
        for gradient, direction in zip(gradients, directions, strict=True)
        if gradient is not None
    )
    start, step, prices = [v.numpy() for v in variables], 1e-3, []
    for sign in (-1, 1):
        for variable, before, direction in zip(variables, start, directions, strict=True):
            variable.assign(before + sign * step * direction)
        prices.append(float(price(penalty, critic)))
    assert (prices[1] - prices[0]) / (2 * step) == pytest.approx(expected, rel=0.02)
    assert abs(expected) > 0.01


def test_where_the_slope_is_taken():
    between = WGANGP().points(REALS, FAKES, SEED)
    place = (between - REALS) / (FAKES - REALS)  # one number for each image, in [0, 1)
    np.testing.assert_allclose(place, place[:, :1, :1] * np.ones((1, 4, 4, 1)), atol=1e-4)
    assert float(tf.reduce_min(place)) >= 0 and float(tf.reduce_max(place)) < 1.001
    assert float(tf.math.reduce_std(place[:, 0, 0])) > 0.1
    noise = DRAGAN(spread=0.5).points(REALS, FAKES, SEED) - REALS
    most = 0.5 * float(tf.math.reduce_std(REALS))
    assert float(tf.reduce_min(noise)) >= 0 and 0.9 * most < np.max(noise) <= most
    assert R1().points(REALS, FAKES, SEED) is REALS


@pytest.mark.parametrize(
    ("features", "expected"),
    [
        ([[1, 0], [0, 2]], 0),  # orthogonal
        ([[1, 1], [3, 3], [-2, -2]], 1),  # one line
        ([[1, 0], [1, 1]], 1 / 2),  # cos^2 45 degrees
        # pairs: 0, 1/2 and 1/2, each twice of six
        ([[1, 0], [0, 1], [1, 1]], 1 / 3),
    ],
)
def test_pulling_away(features, expected):
    found = PullingAway(0.1).on_generator(tf.constant(features, tf.float32))
    assert float(found) == pytest.approx(0.1 * expected, abs=1e-7)


def test_clipping_keeps_what_is_inside():
    variable = keras.Variable([-3.0, -0.01, 0.004, 0.5])
    WeightClipping(0.01).after_update([variable])
    np.testing.assert_allclose(variable, [-0.01, -0.01, 0.004, 0.01])


def test_a_spectrally_normalised_network_has_singular_values_of_1():
    blocks = (Convolution(8, activation="relu", batch_norm=False),
              Dense(6, activation="linear", batch_norm=False))  # fmt: skip
    network = build_network(blocks, [4, 4, 1], name="critic", spectral_norm=True)
    for _ in range(100):
        network(REALS, training=True)
    kernels = [v.numpy() for v in network.trainable_variables if len(v.shape) > 1]
    assert len(kernels) == 2
    for kernel in kernels:
        values = np.linalg.svd(kernel.reshape(-1, kernel.shape[-1]), compute_uv=False)
        assert values[0] == pytest.approx(1, abs=0.01)


# --- what cannot be ----------------------------------------------------------------------


GAN_GAME = NonSaturating()


def refusal(*chosen, game=GAN_GAME, batch_norm=False):
    with pytest.raises(InfoGANError) as error:
        require_sensible(chosen, game, batch_norm=batch_norm)
    return str(error.value)


def test_two_bounds_are_refused():
    assert refusal(WeightClipping(), SpectralNormalization()) == (
        "WeightClipping and SpectralNormalization all bound the discriminator's slope, "
        "each to its own measure: keep one."
    )


def test_an_unbounded_critic_is_refused():
    assert refusal(PullingAway(), game=Wasserstein()) == (
        "Wasserstein's critic grows without bound unless its slope is bounded: add "
        "--penalty=wgan_gp, spectral_norm or weight_clipping."
    )


@pytest.mark.parametrize("penalty", [*GRADIENT_PENALTIES, SpectralNormalization()])
def test_batch_normalisation_is_refused_where_each_image_has_a_slope(penalty):
    assert refusal(penalty, batch_norm=True) == (
        f"{type(penalty).__name__} bounds the discriminator's slope at each image, and "
        "batch normalisation makes its answer depend on the whole batch: declare its "
        "blocks with batch_norm=False."
    )


def test_the_slope_of_several_numbers_is_refused():
    assert refusal(R1(), game=CategoricalEntropy(4)) == (
        "R1 needs one number for an image, and CategoricalEntropy's discriminator gives 4."
    )


def test_the_same_penalty_twice_is_refused():
    found = refusal(PullingAway(0.1), PullingAway(0.2))
    assert found == "A penalty is given twice: PullingAway, PullingAway."


@pytest.mark.parametrize("penalty", PENALTIES.values(), ids=PENALTIES)
@pytest.mark.parametrize("game", [NonSaturating(), Wasserstein()])
def test_every_penalty_alone_suits_the_games_of_one_logit(penalty, game):
    if penalty.bounds_the_slope or not isinstance(game, Wasserstein):
        require_sensible([penalty], game, batch_norm=False)


def test_penalties_by_name():
    assert penalties.find("none") == ()
    assert penalties.find("r1,pulling_away") == (R1(), PullingAway())
    with pytest.raises(InfoGANError) as error:
        penalties.find("r1,wgan-gp")
    assert str(error.value) == (
        'Unknown penalty "wgan-gp". Did you mean "wgan_gp"? There are weight_clipping, '
        "spectral_norm, wgan_gp, dragan, r1, pulling_away, and none."
    )


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: R1(-1.0), "R1: weight is -1.0; it has to be a finite number above 0."),
        (
            lambda: WeightClipping(0.0),
            "WeightClipping: limit is 0.0; it has to be a finite number above 0.",
        ),
    ],
)
def test_an_impossible_number_is_named(make, text):
    with pytest.raises(InfoGANError) as error:
        make()
    assert str(error.value) == text
