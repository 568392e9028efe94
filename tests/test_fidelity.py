"""Distances between sets of images, and measures of digits, against known answers."""

import dataclasses

import h5py
import keras
import numpy as np
import pytest

from infogan_tf.data import Split
from infogan_tf.errors import InfoGANError
from infogan_tf.evaluation import control, fidelity, judge, morphology
from infogan_tf.latents import Categorical, Gaussian, LatentSpace, Noise, Uniform
from infogan_tf.models import GAN


def normal(seed, *, rows=2_000, width=4, mean=0.0, deviations=1.0):
    draw = np.random.default_rng(seed).normal(size=[rows, width])
    return mean + deviations * draw


def exact(mean, deviations):
    """Points whose mean and (unbiased) deviations are exactly these: +-e_i, scaled."""
    width = len(deviations)
    points = np.concatenate([np.eye(width), -np.eye(width)])
    return mean + points * deviations * np.sqrt((2 * width - 1) / 2)


# --- FID -------------------------------------------------------------------------------


def test_fid_of_a_set_with_itself():
    one = normal(0, width=16).astype(np.float32)
    assert fidelity.frechet_distance(one, one) == pytest.approx(0, abs=1e-6)


def test_fid_by_hand():
    # |m - n|^2 = 9 + 16; deviations 1, 2 against 3, 2: (1 - 3)^2 + (2 - 2)^2 = 4.
    one, other = exact([0, 0], [1, 2]), exact([3, 4], [3, 2])
    assert fidelity.frechet_distance(one, other) == pytest.approx(25 + 4)
    assert fidelity.frechet_distance(other, one) == pytest.approx(25 + 4)


def test_fid_where_the_covariances_do_not_commute():
    # S = diag(1, 4), T = [[2, 1], [1, 2]]. For 2 x 2, tr sqrt(M) = sqrt(tr M + 2 sqrt
    # det M): tr ST = 2 + 8 = 10 and det ST = 4 x 3 = 12; tr S + tr T = 9.
    s = exact([0, 0], [1, 2])
    root = (
        np.array([[np.sqrt(3) + 1, np.sqrt(3) - 1], [np.sqrt(3) - 1, np.sqrt(3) + 1]]) / 2
    )
    t = exact([0, 0], [1, 1]) @ root  # root^2 = T
    wanted = 9 - 2 * np.sqrt(10 + 2 * np.sqrt(12))
    assert fidelity.frechet_distance(s, t) == pytest.approx(wanted)


def test_fid_of_drawn_sets():
    one = normal(0, rows=20_000)
    other = normal(1, rows=20_000, mean=0.5, deviations=2.0)
    # 4 x .5^2 + 4 x (1 - 2)^2 = 5
    assert fidelity.frechet_distance(one, other) == pytest.approx(5, abs=0.15)


# --- KID -------------------------------------------------------------------------------


def test_kid_by_hand():
    # One dimension, k(x, y) = (x y + 1)^3; halves of {1, 1, 1, 1} and of {0, 0, 0, 0}.
    # Within: k(1, 1) = 8 and k(0, 0) = 1; between: 1. 8 + 1 - 2 x 1 = 7, no spread.
    ones, zeros = np.ones([4, 1]), np.zeros([4, 1])
    assert fidelity.kernel_distance(ones, zeros) == pytest.approx((7, 0))


def test_kid_is_unbiased(monkeypatch):
    # Of equal distributions about 0, and as often below. A biased one were all above.
    monkeypatch.setattr(fidelity, "SUBSET_SIZE", 100)
    found = [fidelity.kernel_distance(normal(2 * i), normal(2 * i + 1)) for i in range(10)]
    kids, deviations = np.transpose(found)
    assert abs(kids.mean()) < 3 * kids.std(ddof=1) / np.sqrt(10)
    assert min(kids) < 0 < max(kids)
    assert min(deviations) > 0
    apart, spread = fidelity.kernel_distance(normal(0), normal(1, mean=1.0))
    assert apart > 5 * spread > 0


def test_kid_is_a_function_of_the_seed():
    sets = normal(0, rows=50), normal(1, rows=50)
    one, again, other = (fidelity.kernel_distance(*sets, seed=seed) for seed in (1, 1, 2))
    assert one == again != other


# --- precision and recall --------------------------------------------------------------


def test_equal_sets_are_covered():
    one = normal(0, rows=500)
    assert fidelity.precision_and_recall(one, one) == (1, 1)


def test_sets_far_apart_are_not():
    assert fidelity.precision_and_recall(normal(0), normal(0, mean=100)) == (0, 0)


def test_a_generator_of_half_of_the_modes():
    left, right = normal(0, rows=500), normal(1, rows=500, mean=100)
    precision, recall = fidelity.precision_and_recall(np.concatenate([left, right]), left)
    assert (precision, recall) == (1, 0.5)
    precision, recall = fidelity.precision_and_recall(left, np.concatenate([left, right]))
    assert (precision, recall) == (0.5, 1)


def test_balls_reach_to_the_third_neighbour():
    # Real points 0, 1, 2, 3 on a line: the radii are 3, 2, 2, 3, so they cover [-3, 6].
    # Generated 10, 5, -2, -4: half are inside; their radii, 14, 9, 12, 14, cover all.
    real = np.arange(4.0)[:, np.newaxis]
    generated = np.array([[10.0], [5.0], [-2.0], [-4.0]])
    assert fidelity.precision_and_recall(real, generated) == (0.5, 1)


# --- spread ----------------------------------------------------------------------------


def test_spread_by_hand():
    # Groups {0, 2} and {10, 13, 16}, and 50 alone: means of the pairs 2 and (3+3+6)/3 = 4,
    # weighed by 2 and 3 images: 3.2. All 15 pairs: 2 + 12 within; 0 and 2 to 10, 13, 16
    # 39 + 33; to 50: 50 + 48 + 40 + 37 + 34 = 209.
    points = np.array([0, 2, 10, 13, 16, 50.0])[:, np.newaxis]
    within, overall = fidelity.spread(points, np.array([7, 7, 1, 1, 1, 3]))
    assert within == pytest.approx(3.2)
    assert overall == pytest.approx((2 + 12 + 39 + 33 + 209) / 15)


def test_one_picture_for_each_category_has_no_spread():
    groups = np.arange(40) % 4
    within, overall = fidelity.spread(np.eye(4)[groups], groups)
    assert within == pytest.approx(0, abs=1e-6)
    assert overall > 1


# --- too few ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("score", "rows", "text"),
    [
        (
            fidelity.frechet_distance,
            4,
            "4 images are too few for the Fréchet distance: it needs at least 5 real and 5 "
            "generated ones.",
        ),
        (fidelity.kernel_distance, 3, "3 images are too few for KID: it needs at least 4"),
        (fidelity.precision_and_recall, 3, "precision and recall: it needs at least 4"),
    ],
)
def test_too_few_images(score, rows, text):
    with pytest.raises(InfoGANError) as error:
        score(normal(0), normal(1, rows=rows))
    assert text in str(error.value)


def test_no_two_in_a_group():
    with pytest.raises(InfoGANError, match="3 images, no two of them in one group"):
        fidelity.spread(normal(0, rows=3), np.arange(3))


# --- the classifier --------------------------------------------------------------------


@pytest.fixture
def bars(monkeypatch, tmp_path):
    """Noisy 8 x 8 images with a bar in one of three places, and a short training."""
    monkeypatch.setenv("INFOGAN_TF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(judge, "STEPS", 60)
    draw = np.random.default_rng(0)
    labels = np.arange(300) % 3
    images = draw.integers(0, 60, [300, 8, 8, 1])
    for place in range(3):
        images[labels == place, :, 1 + 2 * place] += 180
    return Split(images.astype(np.uint8), labels)


def files(tmp_path):
    return sorted(path.name for path in (tmp_path / "cache").iterdir())


def test_the_classifier_learns_and_is_cached(bars, tmp_path, monkeypatch):
    first = judge.cached(bars).read(bars.images)
    assert (first.answers["label"] == bars.labels).all()
    assert first.features.shape == (300, judge.FEATURES)
    [name] = files(tmp_path)
    assert name.startswith("judge-") and name.endswith(".weights.h5")
    monkeypatch.setattr(judge, "_fit", None)  # it may not train again
    again = judge.cached(bars).read(bars.images)
    np.testing.assert_array_equal(again.features, first.features)


def test_a_training_is_repeatable_and_a_damaged_cache_is_replaced(bars, tmp_path):
    first = judge.cached(bars).read(bars.images)
    [name] = files(tmp_path)
    (tmp_path / "cache" / name).write_bytes(b"damaged")
    again = judge.cached(bars).read(bars.images)
    np.testing.assert_allclose(again.features, first.features, rtol=1e-4, atol=1e-4)
    assert files(tmp_path) == [name]
    assert (tmp_path / "cache" / name).stat().st_size > 1_000


def test_a_file_damaged_in_part_is_replaced_by_the_same(bars, tmp_path):
    first = judge.cached(bars).read(bars.images)
    [name] = files(tmp_path)
    with h5py.File(tmp_path / "cache" / name, "r+") as file:
        del file["layers/dense_1"]  # the last layer; those before can be read
    again = judge.cached(bars).read(bars.images)
    np.testing.assert_allclose(again.features, first.features, rtol=1e-4, atol=1e-4)


def test_kinds_and_amounts_are_read(bars, monkeypatch):
    """The place as a kind called by other numbers, and how bright the bar is."""
    monkeypatch.setattr(judge, "PASSES", 300)
    monkeypatch.setattr(judge, "STEPS", 300)
    bright = np.linspace(60, 195, len(bars)).astype(np.float32)
    images = bars.images.copy()
    for place in range(3):
        rows = bars.labels == place
        images[rows, :, 1 + 2 * place] = bright[rows, None, None]
    factors = {"place": 10 * bars.labels + 5, "bright": bright}
    taught = judge.cached(Split(images, None, factors))
    answers = taught.read(images).answers
    assert set(answers) == {"place", "bright"}
    assert taught.questions["place"].score(factors["place"], answers["place"]) > 0.95
    assert taught.questions["bright"].score(bright, answers["bright"]) > 0.9


def test_the_scores_of_a_judge():
    """Three of four right; squared errors 1 + 1 against 4 + 0 + 4 around the mean: 3/4."""
    kinds = judge.Kinds(np.array([2, 5]))
    assert kinds.score(np.array([2, 2, 5, 5]), np.array([2, 2, 5, 2])) == 0.75
    amount = judge.Amount(2.0, 1.0)
    truth, answers = np.array([0.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0])
    assert amount.score(truth, answers) == pytest.approx(0.75)
    assert amount.score(truth, np.full(3, 2.0)) == 0
    assert amount.score(np.full(3, 2.0), truth) == 0  # nothing to tell apart


def test_large_images_are_looked_at_in_small():
    small, large = (judge._network((size, size, 1), 3) for size in (32, 64))
    assert small.count_params() == large.count_params()
    # the same thin chequers, drawn with pixels of twice the size, look the same
    chequers = np.indices((32, 32)).sum(axis=0)[None, ..., None] % 2.0
    for one, other in zip(
        small(chequers), large(chequers.repeat(2, 1).repeat(2, 2)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_another_training_set_is_another_file(bars, tmp_path, monkeypatch):
    monkeypatch.setattr(judge, "STEPS", 1)
    judge.cached(bars)
    judge.cached(dataclasses.replace(bars, labels=2 - bars.labels))
    judge.cached(bars.take(slice(200)))
    monkeypatch.setattr(judge, "STEPS", 2)
    judge.cached(bars)
    assert len(files(tmp_path)) == 4


def test_a_cache_that_cannot_be_written(bars, tmp_path):
    (tmp_path / "cache").write_text("not a folder")
    with pytest.raises(InfoGANError) as error:
        judge.cached(bars)
    assert str(error.value).startswith(
        f"The network that judges images cannot be kept in {tmp_path / 'cache'}: "
    )
    assert str(error.value).endswith(
        "Make room there, or name another folder in the variable INFOGAN_TF_CACHE."
    )


# --- slant and width -------------------------------------------------------------------


def stroke(*, shear=0.0, half_width=2.0, height=20, size=28):
    """A solid bar, anti-aliased along x; y upwards, so shear > 0 leans to the right."""
    middle = (size - 1) / 2
    up = (middle - np.arange(size))[:, np.newaxis]
    across = np.arange(size) - middle - shear * up
    edge = np.clip(half_width + 0.5 - abs(across), 0, 1)
    return (edge * (abs(up) <= height / 2))[..., np.newaxis]


@pytest.mark.parametrize("shear", [-0.5, -0.2, 0.0, 0.3])
def test_the_slant_of_a_sheared_stroke(shear):
    for image in (stroke(shear=shear), np.roll(stroke(shear=shear), (2, 3), (0, 1))):
        [slant], [width] = morphology.slant_and_width(image[np.newaxis])
        assert slant == pytest.approx(shear, abs=0.01)
        # A solid bar of width 4 has a deviation of 4 / sqrt(12), pixels add 1/12 a side.
        assert width == pytest.approx(4 / np.sqrt(12), abs=0.06)


def test_the_width_of_strokes():
    images = np.stack([stroke(half_width=half, shear=0.2) for half in (1, 3, 6)])
    _, widths = morphology.slant_and_width(images)
    np.testing.assert_allclose(widths, np.array([2, 6, 12]) / np.sqrt(12), atol=0.13)


def test_brightness_does_not_matter():
    images = np.stack([stroke(shear=0.3), 0.1 * stroke(shear=0.3)])
    np.testing.assert_allclose(*np.transpose(morphology.slant_and_width(images)))


def test_images_without_a_slant():
    row = np.zeros([28, 28, 1])
    row[5, 3:9] = 1
    slants, widths = morphology.slant_and_width(np.stack([np.zeros_like(row), row]))
    assert np.isnan(slants).all() and np.isnan(widths).all()


@keras.saving.register_keras_serializable("tests")
class Strokes(keras.layers.Layer):
    """c1 turns a stroke (to the left), c2 widens it."""

    def call(self, latents):
        up = np.linspace(13.5, -13.5, 28, dtype=np.float32)[:, np.newaxis]
        x = np.linspace(-13.5, 13.5, 28, dtype=np.float32)
        turn, widen = latents[:, 0, None, None], latents[:, 1, None, None]
        edge = 3.5 + widen - abs(x + 0.3 * turn * up)
        solid = np.float32(abs(up) <= 10)
        return (keras.ops.clip(edge, 0, 1) * solid)[..., None]

    def compute_output_shape(self, shape):
        return (shape[0], 28, 28, 1)


def test_codes_that_turn_and_widen():
    model = GAN(
        latents=LatentSpace((Uniform("c1"), Gaussian("c2", stddev=0.5)), Noise(1)),
        generator=keras.Sequential([keras.Input([3]), Strokes()]),
        trunk=keras.Sequential([keras.Input([28, 28, 1]), keras.layers.Flatten()]),
    )

    def measure(images):
        return dict(
            zip(("slant", "width"), morphology.slant_and_width(images), strict=True)
        )

    turn, widen = (control.controls(model, code, measure) for code in ("c1", "c2"))
    assert turn["slant"].correlation == pytest.approx(-1)
    assert turn["slant"].change == pytest.approx(-0.6, abs=0.03)
    assert abs(turn["width"].change) < 0.05
    assert widen["width"].correlation == pytest.approx(1)
    # Half the width grows by 2 sqrt(3) .5, the deviation by 2 / sqrt(12) of that.
    assert widen["width"].change == pytest.approx(1, abs=0.06)
    assert abs(widen["slant"].change) < 0.03
    assert control.controls(model, "c1", measure) == turn


class Brightness(keras.layers.Layer):
    """The category 0, 1, 2 is the brightness 0, .2, .9."""

    def call(self, latents):
        levels = latents[:, :3] @ np.float32([[0], [0.2], [0.9]])
        return levels[:, :, None, None]


def test_a_discrete_code_moves_by_its_extremes():
    model = GAN(
        latents=LatentSpace((Categorical("c1", 3),), Noise(1)),
        generator=keras.Sequential([keras.Input([4]), Brightness()]),
        trunk=keras.Sequential([keras.Input([1, 1, 1]), keras.layers.Flatten()]),
    )
    found = control.controls(model, "c1", lambda images: {"light": images[:, 0, 0, 0]})
    assert found["light"].change == pytest.approx(0.9)
    assert np.isnan(found["light"].correlation)
