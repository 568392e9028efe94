"""The two sides of each game against values worked out by hand."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from infogan_tf import games
from infogan_tf.errors import InfoGANError
from infogan_tf.games import (
    CategoricalEntropy,
    EnergyMargin,
    Equilibrium,
    ExtraClass,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    Wasserstein,
)

LN2, LN3 = math.log(2), math.log(3)
LOGARITHMIC = [Minimax(), NonSaturating()]
WITH_A_LOGIT = {n: game for n, game in games.GAMES.items() if game.played_with == "logit"}
every_game = pytest.mark.parametrize("game", WITH_A_LOGIT.values(), ids=WITH_A_LOGIT)


def column(*logits):
    return tf.constant(logits, tf.float32)[:, tf.newaxis]  # [batch, 1]


# sigmoid(0) = 1/2, sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4. Columns: real logits, fake
# logits, -E log D(x) - E log(1 - D(G)), E log(1 - D(G)), -E log D(G).
BY_HAND = [
    ([0], [0], 2 * LN2, -LN2, LN2),
    ([LN3], [-LN3], 2 * math.log(4 / 3), -math.log(4 / 3), math.log(4)),
    ([-LN3], [LN3], 2 * math.log(4), -math.log(4), math.log(4 / 3)),
    # the mean over the batch: (ln 2 + ln 4/3) / 2 = ln(8/3) / 2 on either side
    ([0, LN3], [0, -LN3], math.log(8 / 3), -math.log(8 / 3) / 2, math.log(8) / 2),
]


@pytest.mark.parametrize(("real", "fake", "d_loss", "minimax", "non_saturating"), BY_HAND)
def test_losses(real, fake, d_loss, minimax, non_saturating):
    real, fake = column(*real), column(*fake)
    for game, g_loss in zip(LOGARITHMIC, (minimax, non_saturating), strict=True):
        found = game.discriminator_loss(real, fake), game.generator_loss(fake)
        assert all(loss.shape == () for loss in found)
        np.testing.assert_allclose(found, (d_loss, g_loss), rtol=1e-6)


@pytest.mark.parametrize(
    ("game", "d_loss", "g_loss"),
    [
        # logits 0 and 3 on real, -2 and 1 on generated images
        # ((0-1)^2 + (3-1)^2) / 4 + ((-2+1)^2 + (1+1)^2) / 4; (2^2 + 1^2) / 4
        (LeastSquares(), 5 / 4 + 5 / 4, 5 / 4),
        # ((0-1)^2 + (3-1)^2) / 4 + (2^2 + 1^2) / 4; ((-2-1)^2 + 0^2) / 4
        (LeastSquares(generated=0, real=1, wanted=1), 5 / 4 + 5 / 4, 9 / 4),
        # (1 + 0) / 2 + (0 + 2) / 2; -(-2 + 1) / 2
        (Hinge(), 1 / 2 + 1, 1 / 2),
        # (-2 + 1) / 2 - (0 + 3) / 2; -(-2 + 1) / 2
        (Wasserstein(), -2, 1 / 2),
    ],
)
def test_the_losses_without_logarithms(game, d_loss, g_loss):
    real, fake = column(0, 3), column(-2, 1)
    found = game.discriminator_loss(real, fake), game.generator_loss(fake)
    np.testing.assert_allclose(found, (d_loss, g_loss), rtol=1e-6)


def test_least_squares_leaves_pearsons_chi_squared():
    # Two distributions over three images. D's optimum at each is the mean of its two
    # targets under the posterior, (b p + a q) / (p + q); what is left for G, with the term
    # that it cannot move, is half the chi^2 of p + q from 2 q (LSGAN, equation 8).
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.3, 0.6])
    game = LeastSquares()
    best = (game.real * p + game.generated * q) / (p + q)

    def expected(loss, of):  # a mean over the batch, as an expectation over `of`
        return sum(of * [float(loss(column(logit))) for logit in best])

    left = expected(game.generator_loss, q) + expected(game.generator_loss, p)
    assert left == pytest.approx(np.sum((2 * q - (p + q)) ** 2 / (p + q)) / 2)
    for nudge in (-0.1, 0.1):  # and D's optimum is one
        levels = [
            sum(
                a * (logit - game.real) ** 2 + b * (logit - game.generated) ** 2
                for a, b, logit in zip(p, q, logits, strict=True)
            )
            for logits in (best, best + nudge)
        ]
        assert levels[0] < levels[1]


def test_an_unknown_game_is_named():
    with pytest.raises(InfoGANError) as error:
        games.find("hing")
    assert str(error.value) == (
        'Unknown game "hing". Did you mean "hinge"? There are non_saturating, minimax, '
        "least_squares, hinge, wasserstein, energy_margin, equilibrium, "
        "categorical_entropy, extra_class."
    )


@pytest.mark.parametrize("game", LOGARITHMIC)
@pytest.mark.parametrize("real", [-1e4, 0, 1e4])
@pytest.mark.parametrize("fake", [-1e4, 0, 1e4])
def test_extreme_logits_stay_finite(game, real, fake):
    real, fake = column(real), column(fake)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([real, fake])
        losses = game.discriminator_loss(real, fake), game.generator_loss(fake)
    for loss in losses:
        slopes = tape.gradient(loss, [real, fake], unconnected_gradients="zero")
        assert np.all(np.isfinite([loss, *np.ravel(slopes)]))
        assert np.all(np.abs(slopes) <= 1)


@every_game
def test_the_discriminator_gains_by_calling_real_real_and_fake_fake(game):
    level = game.discriminator_loss(column(0.0), column(0.0))
    assert game.discriminator_loss(column(0.1), column(0.0)) < level
    assert game.discriminator_loss(column(0.0), column(-0.1)) < level


@every_game
def test_the_generator_gains_by_being_called_real(game):
    assert game.generator_loss(column(-0.1)) < game.generator_loss(column(-0.2))


def test_only_the_generators_gradient_tells_the_games_apart():
    logits = column(-6.0, -1.0, 0.0, 2.0)
    slopes = []
    for game in LOGARITHMIC:
        with tf.GradientTape() as tape:
            tape.watch(logits)
            loss = game.generator_loss(logits)
        slopes.append(tape.gradient(loss, logits))
    # d/dl log(1 - sigmoid(l)) = -sigmoid(l); d/dl -log sigmoid(l) = -sigmoid(-l): where D
    # is sure of a fake (l << 0) the first vanishes and the second does not
    np.testing.assert_allclose(slopes[0], -tf.sigmoid(logits) / 4, rtol=1e-5)
    np.testing.assert_allclose(slopes[1], -tf.sigmoid(-logits) / 4, rtol=1e-5)
    sides = [game.discriminator_loss(logits, logits + 1) for game in LOGARITHMIC]
    assert sides[0] == sides[1]


# --- D reconstructs ----------------------------------------------------------------------


def test_the_energy_of_generated_images_is_raised_up_to_the_margin():
    real, fake = column(0.25, 0.75), column(0.5, 2.0)
    game = EnergyMargin(1.0)
    # (0.25 + 0.75) / 2 + (max(0, 1 - 0.5) + max(0, 1 - 2)) / 2; (0.5 + 2) / 2
    assert float(game.discriminator_loss(real, fake)) == 0.5 + 0.25
    assert float(game.generator_loss(fake)) == 1.25
    np.testing.assert_array_equal(game.realness(fake), [-0.5, -2.0])


def test_the_equilibrium_by_hand():
    real, fake = column(0.3, 0.5), column(0.1, 0.1)
    game = Equilibrium(gamma=0.5, rate=0.001)
    # L(x) = 0.4, L(G) = 0.1: 0.4 - 0.5 x 0.1; 0.5 + 0.001 (0.5 x 0.4 - 0.1); 0.4 + |0.1|
    assert float(game.discriminator_loss(real, fake, 0.5)) == pytest.approx(0.35)
    assert float(game.generator_loss(fake)) == pytest.approx(0.1)
    assert float(game.next_k(0.5, real, fake)) == pytest.approx(0.5001)
    assert float(game.convergence(real, fake)) == pytest.approx(0.5)


@given(
    k=st.floats(0, 1),
    gamma=st.floats(0.1, 1),
    rate=st.floats(1e-3, 10),
    real=st.floats(0, 2),
    fake=st.floats(0, 2),
)
def test_k_reacts_in_the_right_direction_and_stays_in_0_to_1(k, gamma, rate, real, fake):
    game = Equilibrium(gamma, rate)
    found = float(game.next_k(k, column(real), column(fake)))
    assert 0 <= found <= 1
    if fake < 0.99 * gamma * real:  # G is ahead of the ratio: D looks at it harder
        assert found >= np.float32(k)
    if fake > 1.01 * gamma * real:
        assert found <= np.float32(k)


# --- D classifies ------------------------------------------------------------------------

SURE = 50 * tf.eye(4)  # four images, each surely of its own class
UNSURE = tf.zeros([4, 4])
ONE_CLASS = tf.repeat(SURE[:1], 4, axis=0)
LN4 = math.log(4)


@pytest.mark.parametrize(
    ("real", "fake", "d_loss", "g_loss"),
    [
        # -H[p(y)] + E H[p(y|x)] - E H[p(y|G)]; -H_G[p(y)] + E H[p(y|G)]
        (SURE, UNSURE, -LN4 + 0 - LN4, -LN4 + LN4),  # D's best
        (SURE, SURE, -LN4 + 0 - 0, -LN4 + 0),  # G's best
        (UNSURE, SURE, -LN4 + LN4 - 0, -LN4 + 0),  # D's worst
        (ONE_CLASS, ONE_CLASS, 0, 0),  # sure, and all the same class
    ],
    ids=["discriminator's best", "generator's best", "discriminator's worst", "one class"],
)
def test_categorical_entropies_at_their_extremes(real, fake, d_loss, g_loss):
    game = CategoricalEntropy(4)
    assert game.outputs == 4
    assert float(game.discriminator_loss(real, fake)) == pytest.approx(d_loss, abs=1e-6)
    assert float(game.generator_loss(fake)) == pytest.approx(g_loss, abs=1e-6)
    np.testing.assert_allclose(game.realness(SURE), 0, atol=1e-6)
    np.testing.assert_allclose(game.realness(UNSURE), -LN4, rtol=1e-6)


def test_the_class_of_generated_images():
    game = ExtraClass(3)
    logits = tf.zeros([2, 4])  # p(generated) = 1/4
    assert game.outputs == 4
    d_loss = math.log(4 / 3) + math.log(4)  # -log(1 - 1/4) - log(1/4)
    assert float(game.discriminator_loss(logits, logits)) == pytest.approx(d_loss)
    assert float(game.generator_loss(logits)) == pytest.approx(math.log(4 / 3))
    # and in general the losses are those of probabilities
    logits = tf.random.stateless_normal([5, 4], [1, 2])
    generated = tf.nn.softmax(logits)[:, 3]
    np.testing.assert_allclose(tf.sigmoid(game.realness(logits)), 1 - generated, rtol=1e-5)


@pytest.mark.parametrize("game", [CategoricalEntropy(3), ExtraClass(3)])
def test_classes_of_extreme_logits_stay_finite(game):
    logits = tf.constant([[1e4, -1e4, 0, 1e4], [-1e4, -1e4, -1e4, 1e4]])[:, : game.outputs]
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(logits)
        losses = game.discriminator_loss(logits, logits), game.generator_loss(logits)
    for loss in losses:
        assert np.isfinite(loss) and np.isfinite(tape.gradient(loss, logits)).all()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: EnergyMargin(0.0),
            "EnergyMargin: margin is 0.0; it has to be a finite number above 0.",
        ),
        (
            lambda: Equilibrium(gamma=-1.0),
            "Equilibrium: gamma is -1.0; it has to be a finite number above 0.",
        ),
        (lambda: ExtraClass(1), "ExtraClass: 1 classes; it takes at least 2."),
    ],
)
def test_an_impossible_game_is_refused(make, text):
    with pytest.raises(InfoGANError) as error:
        make()
    assert str(error.value) == text
