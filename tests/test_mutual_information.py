"""L_I(G, Q) in nats: zero for a useless Q, H(c) for a perfect one, never above I."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from infogan_tf.latents import Bernoulli, Categorical, LatentSpace, Noise, Uniform
from infogan_tf.mutual_information import variational_bound, weighted_sum

DIGIT = LatentSpace((Categorical("c", 10),), Noise(1))
ANGLE = LatentSpace((Uniform("c"),), Noise(1))
DIGITS = tf.range(10)  # every category once: the mean over the batch is E over the prior
CELLS = np.linspace(-1, 1, 10_001, dtype=np.float32)
ANGLES = tf.constant((CELLS[1:] + CELLS[:-1]) / 2)  # the same for U(-1, 1)


def nats(space, values, outputs):
    """L_I of the only code."""
    (bound,) = variational_bound(space, {"c": values}, outputs).values()
    assert bound.shape == values.shape
    return float(tf.reduce_mean(bound))


def gaussian(mean, stddev):
    """Q's raw columns for N(mean, stddev^2).

    The learned stddev s is bent between a = 0.1 and b = 2 spreads of the prior:
    s = a (1 + e^raw / a) / (1 + e^raw / b), so e^raw = b (s - a) / (b - s).
    """
    a, b = 0.1 * math.sqrt(1 / 3), 2 * math.sqrt(1 / 3)
    raw = math.log(b * (stddev - a) / (b - stddev))
    return tf.stack([mean, tf.fill(tf.shape(mean), raw)], axis=1)


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        (40.0 * np.eye(10), 2.302585),  # sure and right: log 1 + ln 10
        (np.zeros([10, 10]), 0.0),  # uniform: ln(1/10) + ln 10
        (7.0 * np.ones([10, 10]), 0.0),  # the same, whatever the offset
        # sure and wrong: 5 for another category: 0 - log(e^5 + 9 e^0) + ln 10
        (5.0 * np.roll(np.eye(10), 1, axis=1), math.log(10 / (math.exp(5) + 9))),
    ],
    ids=["perfect", "uniform", "offset", "wrong"],
)
def test_categorical(logits, expected):
    assert nats(DIGIT, DIGITS, tf.constant(logits, tf.float32)) == pytest.approx(
        expected, abs=1e-5
    )


def test_a_gaussian_that_knows_nothing_is_below_zero():
    # best: the prior's own deviation, sqrt(1/3): ln 2 - ln(2 pi e / 3) / 2 = -0.1765,
    # minus the Kullback-Leibler divergence of that normal from the uniform
    blind = [nats(ANGLE, ANGLES, gaussian(0 * ANGLES, s)) for s in (0.4, 3**-0.5, 0.8)]
    assert blind[1] == pytest.approx(-0.176486, abs=1e-4)
    assert max(blind) == blind[1]


def test_a_deviation_of_one_is_no_estimate_of_information():
    # the mean is exact, and yet ln 2 - ln(2 pi) / 2 = 0.6931 - 0.9189
    assert nats(ANGLE, ANGLES, gaussian(ANGLES, 1.0)) == pytest.approx(-0.225791, abs=1e-5)


@pytest.mark.parametrize(
    ("rmse", "expected"), [(0.3, 0.4782), (0.2, 0.8836), (0.1, 1.5768)]
)
def test_a_learned_deviation_has_no_such_ceiling(rmse, expected):
    # residuals of +-rmse and the matching deviation: ln 2 - ln(2 pi e rmse^2) / 2
    signs = tf.where(tf.range(len(ANGLES)) % 2 == 0, rmse, -rmse)
    found = nats(ANGLE, ANGLES, gaussian(ANGLES + signs, rmse))
    assert found == pytest.approx(expected, abs=1e-3)


def test_independent_codes_add():
    space = LatentSpace(
        (Categorical("a", 3), Bernoulli("b"), Categorical("c", 4)), Noise(1)
    )
    latents = space.sample(32, [1, 2])
    sure = [40 * tf.one_hot(latents[code.name], code.values) for code in space.codes]
    bounds = variational_bound(space, latents, tf.concat(sure, axis=1))
    total = sum(float(tf.reduce_mean(bound)) for bound in bounds.values())
    assert total == pytest.approx(math.log(3 * 2 * 4), abs=1e-5)
    assert total == pytest.approx(space.entropy, abs=1e-5)


def test_each_code_weighs_its_own_lambda():
    space = LatentSpace(
        (Categorical("a", mi_weight=1.0), Uniform("b", mi_weight=0.1)), Noise(1)
    )
    bounds = {"a": tf.constant([1.0, 3.0]), "b": tf.constant([-10.0, 40.0])}
    # 1 x mean(1, 3) + 0.1 x mean(-10, 40); the batch is averaged, the codes are not
    assert float(weighted_sum(space, bounds, 0)) == pytest.approx(2 + 1.5)


def test_a_late_code_counts_from_its_part_of_the_training_on():
    late = Uniform("b", mi_weight=0.1, mi_start=0.25)
    space = LatentSpace((Categorical("a"), late), Noise(1))
    bounds = {"a": tf.constant([2.0]), "b": tf.constant([15.0])}
    done = (0.0, 0.24, 0.25, 1.0)
    found = [float(weighted_sum(space, bounds, tf.constant(part))) for part in done]
    assert found == pytest.approx([2, 2, 3.5, 3.5])


def test_gradient_ascent_moves_q_towards_the_code():
    space = LatentSpace((Categorical("a", 4), Uniform("b")), Noise(1))
    latents = space.sample(16, [5, 6])
    outputs = tf.Variable(tf.random.stateless_normal([16, 6], [7, 8]))
    with tf.GradientTape() as tape:
        before = weighted_sum(space, variational_bound(space, latents, outputs), 0)
    gradient = tape.gradient(before, outputs)
    # d log softmax_k / d logits = onehot - softmax: up for the right category only
    right = tf.one_hot(latents["a"], 4, on_value=True, off_value=False, dtype=tf.bool)
    np.testing.assert_array_equal(gradient[:, :4] > 0, right)
    # d log N / d mean has the sign of value - mean
    np.testing.assert_array_equal(
        tf.sign(gradient[:, 4]), tf.sign(latents["b"] - outputs[:, 4])
    )
    outputs.assign_add(0.1 * gradient)
    after = weighted_sum(space, variational_bound(space, latents, outputs), 0)
    assert after > before


@given(logits=arrays(np.float32, (10, 10), elements=st.floats(-1e4, 1e4, width=32)))
def test_a_discrete_bound_never_exceeds_the_entropy(logits):
    (bound,) = variational_bound(DIGIT, {"c": DIGITS}, tf.constant(logits)).values()
    assert np.all(bound <= math.log(10) + 1e-6)


@given(logits=arrays(np.float32, 10, elements=st.floats(-1e3, 1e3, width=32)))
def test_a_q_that_does_not_look_earns_nothing(logits):
    # Gibbs: mean over c of log q(c) <= mean of log p(c) = -H(c), for every fixed q
    assert nats(DIGIT, DIGITS, tf.tile(logits[np.newaxis], [10, 1])) <= 1e-5
