"""The disentanglement scores against representations whose quality is known."""

import dataclasses

import numpy as np
import pytest

from infogan_tf.errors import InfoGANError
from infogan_tf.evaluation import disentanglement
from infogan_tf.evaluation.disentanglement import Sample

NAMES = {
    *("mig", "dci", "dci_completeness", "dci_informativeness", "sap", "factor_vae"),
    *("beta_vae", "modularity", "explicitness", "dci_lasso", "dci_forest"),
    *("sap_stddev", "factor_vae_stddev", "beta_vae_stddev", "explicitness_stddev"),
}


def factors(rows=1_200, count=6, values=6):
    return np.random.default_rng(0).integers(0, values, [rows, count])


def sample(codes, true, *, discrete=False, ordered=True):
    codes = np.asarray(codes, float)
    return Sample(codes, (discrete,) * codes.shape[1], true, (ordered,) * true.shape[1])


@pytest.fixture(autouse=True)
def fewer_batches(monkeypatch):
    monkeypatch.setattr(disentanglement, "VOTES", 1_500)


@pytest.fixture(scope="module")
def true():
    return factors()


@pytest.fixture(scope="module")
def few():
    """Fewer, for the boosted trees: two factors of four values."""
    return factors(rows=1_200, count=2, values=4)


CHEAP = ("mig", "sap", "factor_vae", "beta_vae", "modularity", "explicitness")


def cheap(one):
    return {name: getattr(disentanglement, name)(one) for name in CHEAP}


def test_a_perfect_code(true):
    scores = cheap(sample(0.3 * true - 1, true))
    assert min(scores.values()) >= 0.9, scores
    assert max(scores.values()) <= 1


def test_the_names_of_a_discrete_codes_values_do_not_matter(true):
    # Kinds: the best SAP is 1 - 1/6 = .833, since the next code predicts by chance.
    names = np.array([4, 0, 5, 2, 1, 3])
    scores = cheap(sample(names[true], true, discrete=True, ordered=False))
    assert scores.pop("sap") == pytest.approx(5 / 6, abs=0.05)
    assert min(scores.values()) >= 0.9, scores


def test_a_constant_code(true):
    for discrete in (False, True):
        constant = sample(np.full_like(true, 3, float) / 10, true, discrete=discrete)
        scores = cheap(constant)
        assert max(scores.values()) <= 0.2, scores
        assert scores["mig"] == scores["sap"] == scores["factor_vae"] == 0


def test_sap_of_codes_that_know_nothing_of_kinds_is_nothing(true):
    """One draws at random, the others are constant: all predict by chance, 1/6."""
    codes = np.zeros(true.shape)
    codes[:, 0] = np.random.default_rng(1).normal(size=len(true))
    kinds = sample(codes, true, ordered=False)
    assert disentanglement.sap(kinds) < 0.05
    alone = sample(codes[:, :1], true, ordered=False)
    assert disentanglement.sap(alone) < 0.05


def test_a_code_of_noise(true):
    scores = cheap(sample(np.random.default_rng(1).normal(size=true.shape), true))
    scores.pop("modularity")  # of nothing but noise it says nothing
    assert max(scores.values()) <= 0.25, scores


def test_a_duplicated_code(few):
    twice = sample(np.concatenate([few, few], axis=1), few)
    assert disentanglement.mig(twice) <= 0.1
    assert disentanglement.sap(twice) <= 0.1
    assert disentanglement.dci(twice)[2] >= 0.9
    assert disentanglement.modularity(twice) >= 0.9


def test_a_rotated_mixture(few):
    mixed = few @ np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
    scores = cheap(sample(mixed, few))
    assert scores["mig"] <= 0.1
    assert scores["sap"] <= 0.1
    assert scores["factor_vae"] <= 0.6  # chance is .5
    assert scores["modularity"] <= 0.2
    assert scores["explicitness"] >= 0.9  # nothing is lost


def test_dci(few):
    perfect = disentanglement.dci(sample(few, few))
    assert min(perfect) >= 0.9
    mixed = few @ np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
    disentangled, complete, informative = disentanglement.dci(sample(mixed, few))
    assert max(disentangled, complete) <= 0.2
    assert informative >= 0.8
    nothing = disentanglement.dci(sample(np.ones_like(few), few))
    assert nothing[:2] == pytest.approx((0, 0), abs=1e-6)
    assert nothing[2] == pytest.approx(1 / 4, abs=0.05)  # chance


def test_dci_of_a_single_code_that_is_constant(few):
    found = disentanglement.dci(sample(np.ones([len(few), 1]), few))
    assert found[:2] == pytest.approx((0, 0), abs=1e-6)


def test_dci_by_regression(few):
    by_regression = disentanglement.dci_by_regression
    assert by_regression(sample(few, few)) == pytest.approx((1, 1), abs=0.02)
    mixed = few @ np.array([[1, 1], [-1, 1]]) / np.sqrt(2)
    # Least squares gives each code the same weight for either factor; a forest nearly so.
    lasso, forest = by_regression(sample(mixed, few))
    assert lasso == pytest.approx(0, abs=0.01) and forest < 0.2
    assert by_regression(sample(np.ones_like(few), few)) == (0, 0)


def test_dci_of_a_lasso_by_hand():
    """Two independent factors of deviation 1; a = v, and b = (v + w) / sqrt(2).

    Regressed on both, v = a, so its coefficients (a, b) are (1 - s, 0) with s the shrinking
    (at most .04), and w = sqrt(2) b - a, (-1, 1.414) but for s. a is shared 1 : 1, b is of
    w alone; a has 2 / 3.414 of the importance, so the score is near 1.414 / 3.414 = .414.
    """
    v, w = (grid.ravel() for grid in np.meshgrid([0, 1], [0, 1]))
    true = np.tile(np.stack([v, w], axis=1), [64, 1])
    codes = np.stack([true[:, 0], true.sum(axis=1) / np.sqrt(2)], axis=1)
    lasso, _ = disentanglement.dci_by_regression(sample(codes, true))
    assert lasso == pytest.approx(0.414, abs=0.03)


def test_dci_counts_a_discrete_code_as_one(few):
    assert disentanglement.dci(sample(few, few, discrete=True)) == pytest.approx(
        (1, 1, 1), abs=0.05
    )


@pytest.fixture(scope="module")
def by_hand():
    """Two binary factors; a and c know one each, b agrees with the first in 3 of 4."""
    v, w, wrong = (grid.ravel() for grid in np.meshgrid([0, 1], [0, 1], [0, 0, 0, 1]))
    true = np.tile(np.stack([v, w], axis=1), [16, 1])
    b = np.tile(np.where(wrong, 1 - v, v), 16)
    return sample(np.stack([true[:, 0], b, true[:, 1]], axis=1), true)


def test_mig_by_hand(by_hand):
    # H = ln 2 for both. I(a; v) = ln 2, and of the table [[3, 1], [1, 3]] / 8
    # I(b; v) = 6/8 ln(3/8 / 1/4) + 2/8 ln(1/8 / 1/4) = .130812 nats = .188722 ln 2.
    # All else is independent. Gaps: 1 - .188722 and 1 - 0; their mean is .905639.
    assert disentanglement.mig(by_hand) == pytest.approx(0.905639, abs=1e-6)
    as_names = dataclasses.replace(by_hand, discrete=(True,) * 3)
    assert disentanglement.mig(as_names) == pytest.approx(0.905639, abs=1e-6)


def test_modularity_by_hand(by_hand):
    # Each code knows of one factor only. With d = v + 2 w, which knows ln 2 of both:
    # 1 - (ln 2)^2 / (ln 2)^2 = 0, and the mean over four codes is 3/4.
    assert disentanglement.modularity(by_hand) == pytest.approx(1)
    both = by_hand.factors @ np.array([[1], [2]])
    codes = np.concatenate([by_hand.codes, both], axis=1)
    assert disentanglement.modularity(sample(codes, by_hand.factors)) == pytest.approx(0.75)


def test_sap_by_hand(by_hand):
    # The correlation of b with v is 3/4 - 1/4 = 1/2, so R^2 = 1/4, and the accuracy 3/4.
    # Gaps: ordered 1 - 1/4 and 1 - 0; kinds 1 - 3/4 and 1 - 1/2.
    many = by_hand.codes.repeat(20, axis=0), by_hand.factors.repeat(20, axis=0)
    found = disentanglement.sap(sample(*many))
    assert found == pytest.approx((3 / 4 + 1) / 2, abs=0.04)
    found = disentanglement.sap(sample(*many, ordered=False))
    assert found == pytest.approx((1 / 4 + 1 / 2) / 2, abs=0.04)


def test_every_score_is_a_function_of_the_seed():
    true = factors(rows=400, count=2, values=3)
    one = sample(true + np.random.default_rng(1).normal(size=true.shape), true)
    found, again, other = (disentanglement.measure(one, seed=s) for s in (1, 1, 2))
    assert found.keys() == NAMES
    assert found == again
    assert found["beta_vae"] != other["beta_vae"]


def test_factors_as_data_sets_have_them():
    draw = np.random.default_rng(0)
    columns = {
        "shape": np.repeat([3, 7], 1_000),
        "x": np.tile([-0.5, 0.5], 1_000),
        "azimuth": draw.uniform(-57, 57, 2_000),
    }
    found = Sample.of(np.zeros([2_000, 1]), (False,), columns)
    assert found.ordered == (False, True, True)
    assert found.factors[:, 0].tolist() == [0] * 1_000 + [1] * 1_000
    assert found.factors[:, 1].tolist() == [0, 1] * 1_000
    assert np.bincount(found.factors[:, 2]).tolist() == [100] * 20
    assert (np.diff(found.factors[np.argsort(columns["azimuth"]), 2]) >= 0).all()


def test_a_value_that_many_images_share_is_not_cut():
    light = np.concatenate([np.zeros(1_000), np.linspace(0.1, 1, 1_000)])
    columns = {"light": light, "shape": np.tile([0, 1], 1_000)}
    cut = Sample.of(np.zeros([2_000, 1]), (False,), columns).factors[:, 0]
    assert cut[:1_000].tolist() == [0] * 1_000
    assert np.bincount(cut[1_000:]).tolist() == [0, *[100] * 10]


def message(*arguments, **options):
    with pytest.raises(InfoGANError) as error:
        sample(*arguments, **options)
    return str(error.value)


def test_too_few_rows():
    true = np.stack([np.arange(100) % 2, np.arange(100) < 32], axis=1).astype(int)
    assert message(true, true) == (
        "100 images are too few for the disentanglement scores: a factor's value has 32 of "
        "them and needs 64; give 200 like them."
    )


def test_a_value_too_rare_of_as_many_rows_as_are_drawn(monkeypatch):
    monkeypatch.setattr(disentanglement, "ROWS", 100)
    true = np.stack([np.arange(100) % 2, np.arange(100) < 32], axis=1).astype(int)
    assert message(true, true).endswith(
        "has 32 of them and needs 64; no more than 100 are drawn, so give it fewer values."
    )


def test_a_factor_too_fine_to_be_counted_is_left_out_of_a_full_sample(monkeypatch):
    rows = np.arange(600)
    columns = {"chair": rows // 60, "x": rows % 2, "y": rows % 3 / 2}
    assert list(disentanglement.counted(columns)) == ["chair", "x", "y"]
    monkeypatch.setattr(disentanglement, "ROWS", 600)
    assert list(disentanglement.counted(columns)) == ["x", "y"]
    del columns["y"]  # of two, neither can go
    assert list(disentanglement.counted(columns)) == ["chair", "x"]


def test_what_is_no_sample():
    true = factors(rows=200, count=2, values=2)
    assert message(true, true[:, :1]) == (
        "The factors have 2 values: disentanglement takes at least 2 factors with at least "
        "2 values each."
    )
    assert "have 2, 1 values" in message(true, true * [1, 0])
    assert message(true[:50], true) == (
        "Codes [50, 2] with 2 marks and factors [200, 2] with 2 marks do not fit: give a "
        "row for each image and a mark for each column."
    )
