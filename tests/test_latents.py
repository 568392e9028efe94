"""Codes and noise: what every kind promises, and the numbers it is known by."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from infogan_tf.errors import InfoGANError
from infogan_tf.latents import (
    Bernoulli,
    Categorical,
    Gaussian,
    LatentSpace,
    Noise,
    Uniform,
)

SEED = tf.constant([3, 7])
MANY = 20_000

# Each kind of code beside the same prior as SciPy knows it.
KINDS = {
    "coin": (Categorical("c", 2), stats.randint(0, 2)),
    "digit": (Categorical("c", 10), stats.randint(0, 10)),
    "bernoulli": (Bernoulli("c", 0.3), stats.bernoulli(0.3)),
    "uniform": (Uniform("c"), stats.uniform(-1, 2)),
    "uniform_narrow": (Uniform("c", 2.0, 2.01), stats.uniform(2, 0.01)),
    "gaussian": (Gaussian("c"), stats.norm()),
    "gaussian_wide": (Gaussian("c", -3.0, 20.0), stats.norm(-3, 20)),
    "uniform_fixed": (Uniform("c", q_stddev=0.3), stats.uniform(-1, 2)),
    "gaussian_fixed": (Gaussian("c", q_stddev=0.5), stats.norm()),
}
every_kind = pytest.mark.parametrize(("code", "prior"), KINDS.values(), ids=KINDS)
LEARNED = {
    name: pair
    for name, pair in KINDS.items()
    if not pair[0].discrete and pair[0].q_stddev is None
}
every_learned = pytest.mark.parametrize(("code", "prior"), LEARNED.values(), ids=LEARNED)


def log_density(prior, values):
    return (prior.logpmf if hasattr(prior.dist, "pmf") else prior.logpdf)(values)


def random_outputs(code, count=8):
    """Columns as an untrained Q gives them, [count, recognition_width]."""
    return tf.random.stateless_normal([count, code.recognition_width], SEED)


# --- what every code promises ----------------------------------------------------------


@every_kind
def test_samples_follow_the_prior(code, prior):
    values = code.sample(MANY, SEED)
    assert values.shape == (MANY,)
    assert values.dtype == (tf.int32 if code.discrete else tf.float32)
    low, high = prior.support()
    assert np.all((values >= low) & (values <= high))
    # A mean of n draws strays by sigma / sqrt(n); a deviation by less than twice that.
    stray = 5 * prior.std() / math.sqrt(MANY)
    assert np.mean(values) == pytest.approx(prior.mean(), abs=stray)
    assert np.std(values) == pytest.approx(prior.std(), abs=stray)


@every_kind
def test_the_draw_is_a_function_of_the_seed(code, prior):
    first, again, other = (code.sample(50, seed) for seed in (SEED, SEED, SEED + 1))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@every_kind
def test_the_encoding_has_the_promised_columns_and_keeps_values_apart(code, prior):
    values = code.sample(200, SEED)
    columns = code.encode(values)
    assert columns.shape == (200, code.width)
    assert columns.dtype == tf.float32
    assert len(np.unique(columns, axis=0)) == len(np.unique(values))


@every_kind
def test_entropy_is_minus_the_mean_log_prior(code, prior):
    assert code.entropy == pytest.approx(prior.entropy(), rel=1e-9)
    surprise = -log_density(prior, code.sample(MANY, SEED).numpy().astype(float))
    stray = 5 * surprise.std() / math.sqrt(MANY) + 1e-9
    assert code.entropy == pytest.approx(surprise.mean(), abs=stray)


@pytest.mark.parametrize(
    ("code", "nats"),
    [
        (Categorical("c", 10), 2.302585),  # ln 10
        (Bernoulli("c", 0.5), 0.693147),  # a fair coin: ln 2
        (Uniform("c"), 0.693147),  # ln(1 - -1)
        (Gaussian("c"), 1.418939),  # ln(2 pi e) / 2
        (Gaussian("c", 0.0, 0.5), 0.725791),  # half as wide: ln 2 less
    ],
)
def test_entropies_in_nats(code, nats):
    assert code.entropy == pytest.approx(nats, abs=1e-6)


@every_kind
def test_what_a_discrete_code_bounds(code, prior):
    assert code.discrete == hasattr(prior.dist, "pmf")
    if code.discrete:
        assert code.max_information == code.entropy
    assert code.domain() == (prior.support() if code.discrete else (-math.inf, math.inf))


@pytest.mark.parametrize(
    ("code", "nats"),
    [
        # a tenth of 1 / sqrt(3): ln 2 - ln(0.1 / sqrt(3)) - 0.5 ln(2 pi)
        (Uniform("c"), 2.626100),
        # 0.5 ln(2 pi e) - ln 0.1 - 0.5 ln(2 pi) = 0.5 + ln 10
        (Gaussian("c"), 2.802585),
        # Q's mean is right: log N(0; 0, 0.3^2) + ln 2 = 1.203973 - 0.918939 + 0.693147
        (Uniform("c", q_stddev=0.3), 0.978181),
        # 0.5 ln(2 pi e) + ln 2 - 0.5 ln(2 pi) = 0.5 + ln 2
        (Gaussian("c", q_stddev=0.5), 1.193147),
    ],
)
def test_the_least_deviation_bounds_the_information_of_a_continuous_code(code, nats):
    """Reached where Q says what was sent, as sure as it can be."""
    assert code.max_information == pytest.approx(nats, abs=1e-6)
    values = code.sample(50, SEED)
    sure = [values, tf.fill(values.shape, -50.0)][: code.recognition_width]
    at_best = code.entropy + tf.reduce_mean(code.log_prob(values, tf.stack(sure, axis=1)))
    assert at_best.numpy() == pytest.approx(nats, abs=1e-5)


@every_kind
def test_log_prob_is_a_distribution_over_the_values(code, prior):
    outputs = random_outputs(code)
    posterior = {name: part.numpy() for name, part in code.posterior(outputs).items()}
    if "probabilities" in posterior:
        assert posterior["probabilities"].shape == (8, code.values)
        values, step = np.tile(np.arange(code.values, dtype=np.int32), (8, 1)), 1.0
    else:  # twelve deviations either side hold all but 1e-32 of the mass
        mean, stddev = posterior["mean"][:, None], posterior["stddev"][:, None]
        assert mean.shape == stddev.shape == (8, 1)
        assert np.all(stddev > 0)
        grid = np.linspace(-12, 12, 1001, dtype=np.float32)
        values, step = mean + stddev * grid, stddev[:, 0] * (grid[1] - grid[0])
    log_probs = [code.log_prob(column, outputs) for column in values.T]
    assert log_probs[0].shape == (8,)
    assert log_probs[0].dtype == tf.float32
    np.testing.assert_allclose(step * np.exp(log_probs).sum(axis=0), 1, rtol=1e-4)


@every_kind
def test_log_prob_is_that_of_the_posterior(code, prior):
    outputs, values = random_outputs(code), code.sample(8, SEED)
    posterior = {name: part.numpy() for name, part in code.posterior(outputs).items()}
    if "probabilities" in posterior:
        expected = np.log(posterior["probabilities"][np.arange(8), values])
    else:
        expected = stats.norm(posterior["mean"], posterior["stddev"]).logpdf(values)
    np.testing.assert_allclose(code.log_prob(values, outputs), expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        (Categorical("c", 4), [0, 1, 2, 3]),  # every category, whatever the steps
        (Bernoulli("c"), [0, 1]),
        (Uniform("c"), [-2, -1, 0, 1, 2]),  # Figure 2: twice the trained range
        (Uniform("c", 2.0, 5.0), [0.5, 2, 3.5, 5, 6.5]),  # 3.5 -+ twice 1.5
        (Gaussian("c", -3.0, 0.5), [-4, -3.5, -3, -2.5, -2]),  # two deviations
    ],
)
def test_sweep_values(code, shown):
    values = code.sweep_values(5)
    np.testing.assert_allclose(values, shown, rtol=1e-6)
    assert values.dtype == code.sample(1, SEED).dtype.as_numpy_dtype


def test_encodings():
    np.testing.assert_array_equal(
        Categorical("c", 3).encode([2, 0]), [[0, 0, 1], [1, 0, 0]]
    )
    np.testing.assert_array_equal(Bernoulli("c").encode([1, 0]), [[1], [0]])
    np.testing.assert_array_equal(Uniform("c").encode([0.5, -1]), [[0.5], [-1]])


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: Categorical("C1"),
            '"C1" cannot name a latent code: use small letters',
        ),
        (lambda: Uniform("noise"), "none of noise, seed, images"),
        (lambda: Uniform("c", mi_weight=-1.0), "Code c: mi_weight (lambda) is -1.0;"),
        (
            lambda: Uniform("c", mi_start=1.0),
            "Code c: mi_start is 1.0; it has to be a part of the training, from 0 to less",
        ),
        (
            lambda: Uniform("c", mi_weight=math.nan),
            "mi_weight (lambda) is nan; it has to",
        ),
        (
            lambda: Uniform("c", q_stddev=0.0),
            "Code c: q_stddev is 0.0; it has to be a finite number above 0, or absent.",
        ),
        (
            lambda: Categorical("c", 1),
            "Code c: 1 categories; it takes a whole number",
        ),
        (lambda: Categorical("c", 2.5), "Code c: 2.5 categories; it takes a whole number"),
        (
            lambda: Bernoulli("c", 1.0),
            "Code c: probability 1.0; it has to lie between 0",
        ),
        (
            lambda: Uniform("c", 1.0, 1.0),
            "low 1.0 has to be smaller than high 1.0, and",
        ),
        (lambda: Uniform("c", -math.inf, 0.0), "low -inf has to be smaller than high 0.0,"),
        (
            lambda: Gaussian("c", 0.0, 0.0),
            "stddev 0.0 has to be larger than 0, and mean",
        ),
        (lambda: Gaussian("c", math.nan), "and mean nan a number, both finite."),
        (lambda: Noise(0), "Noise of size 0: it takes a whole number of at least 1."),
        (
            lambda: Noise(3, "cauchy"),
            'Noise "cauchy": the distribution is "uniform" or',
        ),
        (
            lambda: LatentSpace((Uniform("a"), Uniform("b"), Uniform("a")), Noise(1)),
            "Two latent codes are called a.",
        ),
        (
            lambda: LatentSpace((Uniform("a"), Uniform("b")), Noise(1))["c"],
            'There is no latent code "c"; there are a, b.',
        ),
        (lambda: LatentSpace((), Noise(1))["c"], "there are none."),
    ],
)
def test_what_cannot_be_is_named(make, text):
    with pytest.raises(InfoGANError) as error:
        make()
    assert text in str(error.value)


# --- the learned standard deviation ----------------------------------------------------


@every_learned
@settings(max_examples=50)
@given(raw=st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=20))
def test_no_output_of_q_breaks_the_standard_deviation(code, prior, raw):
    outputs = tf.stack([tf.zeros(len(raw)), raw], axis=1)
    stddev = code.posterior(outputs)["stddev"] / code.spread
    assert np.all((stddev >= 0.1 * (1 - 1e-5)) & (stddev <= 2 * (1 + 1e-5))), stddev
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        log_prob = code.log_prob(code.sample(len(raw), SEED), outputs)
    assert np.all(np.isfinite(log_prob))
    assert np.all(np.isfinite(tape.gradient(log_prob, outputs)))


@every_learned
def test_the_standard_deviation_follows_exp_of_the_output_inside_its_range(code, prior):
    # low + softplus(raw - low) - softplus(raw - high), high - low = ln 20: by symmetry
    # the identity half way between; farthest from it inside the range at its ends, by
    # ln 2 - softplus(-ln 20) = ln 2 - ln 1.05 = 0.644 towards the middle.
    low, high = np.log(0.1 * prior.std()), np.log(2 * prior.std())
    raw = np.linspace(low, high, 101, dtype=np.float32)
    outputs = tf.stack([tf.zeros(101), raw], axis=1)
    bend = np.log(code.posterior(outputs)["stddev"]) - raw
    np.testing.assert_allclose(bend[[0, 50, 100]], [0.644, 0, -0.644], atol=1e-3)
    assert np.all(np.diff(bend + raw) > 0)  # no two outputs mean the same


# --- the noise ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noise", "prior"),
    [(Noise(62), stats.uniform(-1, 2)), (Noise(62, "normal"), stats.norm())],
    ids=["uniform", "normal"],
)
def test_noise(noise, prior):
    drawn = noise.sample(500, SEED)
    assert drawn.shape == (500, 62)
    assert drawn.dtype == tf.float32
    assert stats.kstest(np.ravel(drawn), prior.cdf).statistic < 2 / math.sqrt(500 * 62)
    np.testing.assert_array_equal(drawn, noise.sample(500, SEED))


# --- the space: everything G reads, all that Q explains --------------------------------

MNIST = LatentSpace((Categorical("c1", 10), Uniform("c2"), Uniform("c3")), Noise(62))


def test_mnist_is_the_papers_74_numbers():
    assert MNIST.width == 10 + 1 + 1 + 62 == 74
    assert MNIST.recognition_width == 10 + 2 + 2  # logits, (mean, log stddev) twice
    fixed = LatentSpace((Categorical("c1", 10), Uniform("c2", q_stddev=0.3)), Noise(62))
    assert fixed.recognition_width == 10 + 1  # logits, mean
    # ln 10 + 2 ln 2: independent codes add
    assert MNIST.entropy == pytest.approx(3.688879, abs=1e-6)


def test_codes_are_drawn_independently_of_each_other_and_of_the_noise():
    codes = (*MNIST.codes, Categorical("c4", 10), Gaussian("c5"), Bernoulli("c6"))
    drawn = LatentSpace(codes, Noise(4)).sample(MANY, SEED)
    noise = drawn.pop("noise").numpy()
    columns = np.column_stack([*(np.float64(value) for value in drawn.values()), noise])
    # and of the next seed's
    columns = np.column_stack([columns, MNIST.sample(MANY, SEED + 1)["c2"]])
    correlation = np.corrcoef(columns, rowvar=False) - np.eye(columns.shape[1])
    assert np.abs(correlation).max() < 5 / math.sqrt(MANY)


def test_a_draw_depends_on_the_seed_and_the_codes_place_only():
    neighbours = LatentSpace((Bernoulli("b"), Uniform("c2"), Gaussian("d")), Noise(62))
    first, second = MNIST.sample(9, SEED), neighbours.sample(9, SEED)
    np.testing.assert_array_equal(first["c2"], second["c2"])
    np.testing.assert_array_equal(first["noise"], second["noise"])
    assert not np.array_equal(first["c2"], first["c3"])


def test_encode_puts_the_codes_in_order_and_the_noise_last():
    space = LatentSpace((Uniform("b"), Categorical("a", 3)), Noise(2))
    latents = {"a": [1], "noise": [[8.0, 9.0]], "b": [0.5]}
    latents = {name: tf.constant(value) for name, value in latents.items()}
    np.testing.assert_array_equal(space.encode(latents), [[0.5, 0, 1, 0, 8, 9]])


def test_split_gives_each_code_its_own_columns():
    outputs = tf.range(14.0)[tf.newaxis]
    parts = {name: part.numpy().tolist() for name, part in MNIST.split(outputs).items()}
    assert parts == {"c1": [[*range(10)]], "c2": [[10, 11]], "c3": [[12, 13]]}
    posterior = MNIST.posterior(outputs)
    assert list(posterior) == ["c1", "c2", "c3"]
    assert [float(posterior[name]["mean"][0]) for name in ("c2", "c3")] == [10, 12]


def test_log_prob_of_the_space_is_that_of_its_codes():
    latents, outputs = MNIST.sample(5, SEED), random_outputs(MNIST, 5)
    together = MNIST.log_prob(latents, outputs)
    for name, part in MNIST.split(outputs).items():
        alone = MNIST[name].log_prob(latents[name], part)
        np.testing.assert_array_equal(together[name], alone)
