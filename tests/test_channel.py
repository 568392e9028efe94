"""T, the random change of the picture between G and Q."""

import numpy as np
import pytest
import tensorflow as tf

from infogan_tf.channel import (
    RandomAffine,
    RandomExposure,
    RandomMirror,
    WhiteNoise,
    routes,
)
from infogan_tf.errors import InfoGANError
from infogan_tf.latents import Categorical, Gaussian, LatentSpace, Noise, Uniform

SEED = tf.constant([1, 2])
STILL = dict.fromkeys(("rotation", "scale", "aspect", "shear", "shift"), 0.0)
SIZE, MIDDLE, COPIES = 33, 16, 64
ROWS, COLUMNS = np.mgrid[:SIZE, :SIZE] - MIDDLE  # pixels from the middle


def only(**magnitudes):
    return RandomAffine(("c1",), **{**STILL, **magnitudes})


def blob(x, y, radius=2.0):
    """`COPIES` of a soft disc whose middle is (x, y) from the picture's middle."""
    picture = np.exp(-((COLUMNS - x) ** 2 + (ROWS - y) ** 2) / (2 * radius**2))
    return tf.constant(np.tile(picture[:, :, None], (COPIES, 1, 1, 1)), tf.float32)


def mass_and_centroid(images):
    images = images.numpy()[..., 0]
    mass = images.sum(axis=(1, 2))
    return (
        mass,
        (images * COLUMNS).sum(axis=(1, 2)) / mass,
        (images * ROWS).sum(axis=(1, 2)) / mass,
    )


def test_nothing_changes_when_all_magnitudes_are_zero():
    images = tf.random.stateless_uniform([3, 28, 20, 2], SEED)
    np.testing.assert_allclose(only()(images, SEED), images, atol=1e-6)


def test_the_change_is_a_function_of_the_seed():
    images, channel = (
        tf.random.stateless_uniform([3, 28, 28, 1], SEED),
        RandomAffine(()),
    )
    first, again, other = (channel(images, seed) for seed in (SEED, SEED, SEED + 1))
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other, atol=0.1)
    assert first.shape == images.shape
    assert first.dtype == tf.float32


def test_every_image_of_a_batch_is_changed_in_its_own_way():
    changed = RandomAffine(())(blob(4, 4), SEED).numpy().reshape(COPIES, -1)
    distance = np.abs(changed[:, None] - changed[None]).max(axis=-1)
    assert distance[~np.eye(COPIES, dtype=bool)].min() > 0.01


def test_pixels_stay_in_range_and_a_plain_picture_stays_plain():
    images = tf.random.stateless_uniform([COPIES, 28, 28, 1], SEED)
    changed = RandomAffine(())(images, SEED)
    assert np.all((changed >= 0) & (changed <= 1))
    # what comes in from outside is the nearest edge pixel
    plain = tf.fill([4, 28, 28, 1], 0.7)
    np.testing.assert_allclose(RandomAffine(())(plain, SEED), plain, rtol=1e-6)


def test_a_shift_is_bounded_in_pixels():
    _, x, y = mass_and_centroid(only(shift=3.0)(blob(0, 0), SEED))
    for moved in (x, y):
        # of 64 draws from U(-3, 3) the largest misses 2.5 with chance (5/6)^64 = 1e-5
        assert 2.5 < np.abs(moved).max() <= 3.0 + 1e-3
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.5  # the axes do not move together


def test_a_rotation_is_bounded_in_degrees_and_turns_about_the_middle():
    turned = only(rotation=20.0)(blob(8, 0), SEED)
    _, x, y = mass_and_centroid(turned)
    angle = np.degrees(np.arctan2(y, x))
    assert 17 < np.abs(angle).max() <= 20.1
    np.testing.assert_allclose(np.hypot(x, y), 8, atol=0.05)


@pytest.mark.parametrize(
    "magnitudes", [{"rotation": 20.0}, {"aspect": 0.15}, {"shear": 0.3}, {"shift": 3.0}]
)
def test_only_the_scale_changes_how_much_of_a_centred_disc_there_is(magnitudes):
    before, after = blob(0, 0, 3.0), only(**magnitudes)(blob(0, 0, 3.0), SEED)
    assert np.abs(after - before).max() > 0.02 or "rotation" in magnitudes
    ratio = mass_and_centroid(after)[0] / mass_and_centroid(before)[0]
    np.testing.assert_allclose(ratio, 1, atol=0.02)


def test_the_scale_is_a_relative_change_of_size():
    disc = blob(0, 0, 3.0)
    ratio = mass_and_centroid(only(scale=0.15)(disc, SEED))[0] / np.sum(disc[0])
    # both sides by at most e^0.15, so the area by at most e^0.30
    assert 0.25 < np.log(ratio).max() < 0.31
    assert -0.31 < np.log(ratio).min() < -0.25


def test_the_gradient_reaches_every_image():
    images = blob(3, -2)
    with tf.GradientTape() as tape:
        tape.watch(images)
        received = tf.reduce_sum(RandomAffine(())(images, SEED) ** 2)
    gradient = tape.gradient(received, images)
    assert np.all(np.abs(gradient).max(axis=(1, 2, 3)) > 0.1)


@pytest.mark.parametrize("magnitudes", [{"shift": 2.0}, {"scale": 0.15}, {}], ids=str)
def test_the_gradient_is_that_of_the_picture(magnitudes):
    # T is linear in the pixels, so a finite difference of any size is exact: sending
    # every pixel through T alone (one a channel; channels share a T) gives its matrix.
    size = 9
    channel = only(**magnitudes) if magnitudes else RandomAffine(())
    pixels = np.eye(size**2, dtype=np.float32).reshape(1, size, size, -1)
    matrix = channel(tf.constant(pixels), SEED).numpy().reshape(size**2, -1)  # out, in
    weights = tf.random.stateless_normal([1, size, size, 1], SEED)
    images = tf.zeros([1, size, size, 1])
    with tf.GradientTape() as tape:
        tape.watch(images)
        received = tf.reduce_sum(weights * channel(images, SEED))
    gradient = np.ravel(tape.gradient(received, images))
    np.testing.assert_allclose(gradient, matrix.T @ np.ravel(weights), atol=1e-4)


@pytest.mark.parametrize("field", STILL)
@pytest.mark.parametrize("value", [-1.0, np.inf, np.nan])
def test_an_impossible_magnitude_is_named(field, value):
    with pytest.raises(InfoGANError) as error:
        only(**{field: value})
    assert str(error.value).startswith(f"RandomAffine: {field} is {value}; it has to be a")


# --- the exposure ------------------------------------------------------------------------


def test_an_exposed_image_is_brightened_by_a_factor_of_its_own_and_cut_at_white():
    shades = tf.reshape(tf.constant([0.0, 0.01, 0.02, 0.5]), [1, 2, 2, 1])
    channel = RandomExposure(("c1",), least=4.0, most=9.0)
    exposed = channel(tf.tile(shades, [COPIES, 1, 1, 1]), SEED).numpy().reshape(COPIES, 4)
    factors = exposed[:, 1] / 0.01
    assert 4 <= factors.min() < 4.5 and 8 < factors.max() <= 9  # 64 draws
    np.testing.assert_allclose(exposed[:, 2], 0.02 * factors, rtol=1e-5)
    assert (exposed[:, 0] == 0).all() and (exposed[:, 3] == 1).all()
    assert np.median(factors) == pytest.approx(6, abs=0.6)  # sqrt(4 x 9); deviation 0.2


@pytest.mark.parametrize("limits", [(0.5, 2.0), (3.0, 2.0), (2.0, np.inf), (np.nan, 2.0)])
def test_an_impossible_exposure_is_named(limits):
    least, most = limits
    with pytest.raises(InfoGANError) as raised:
        RandomExposure(("c1",), least, most)
    assert str(raised.value) == (
        f"RandomExposure: least is {least} and most {most}; they have to be finite, at "
        "least 1, and least no more than most."
    )


# --- the mirror --------------------------------------------------------------------------


@pytest.mark.parametrize(("odd", "vertical"), [("c1", False), ("c2", True)])
def test_where_a_disc_lies_along_the_mirror_is_odd_and_across_it_is_even(odd, vertical):
    """A disc at (c1, c2): after T, what Q is to read is still where it lies."""
    places = np.random.default_rng(0).uniform(-9, 9, (2, COPIES)).astype(np.float32)
    images = tf.concat([blob(x, y)[:1] for x, y in places.T], axis=0)
    latents = dict(zip(("c1", "c2"), map(tf.constant, places), strict=True))
    channel = RandomMirror(("c1", "c2"), odd=(odd,), vertical=vertical)
    _, x, y = mass_and_centroid(channel(images, SEED))
    expected = channel.expected(latents, SEED)
    np.testing.assert_allclose(x, expected["c1"], atol=0.05)
    np.testing.assert_allclose(y, expected["c2"], atol=0.05)
    turned = np.mean(expected[odd] != latents[odd])
    assert 0.3 < turned < 0.7  # 64 tosses of a coin: 0.2 is 3.2 deviations


@pytest.mark.parametrize(
    ("channel", "text"),
    [
        (
            lambda: RandomMirror(("c2",), odd=("c1",)),
            "RandomMirror: c1 cannot be odd without going through it: add to codes, "
            "which are c2.",
        ),
        *(
            (
                lambda name=name: RandomMirror((name,), odd=(name,)),
                f'RandomMirror: the code "{name}" cannot be odd: it has to be a '
                "continuous one whose prior is symmetric about 0.",
            )
            for name in ("category", "positive", "shifted")
        ),
        (lambda: RandomMirror(("z",)), 'There is no latent code "z"; there are '),
    ],
)
def test_a_mirror_that_cannot_be(channel, text):
    latents = LatentSpace(
        codes=(
            *(Uniform("c1"), Uniform("c2"), Categorical("category", 3)),
            *(Uniform("positive", 0.0, 1.0), Gaussian("shifted", 1.0)),
        ),
        noise=Noise(2),
    )
    with pytest.raises(InfoGANError) as raised:
        channel().require_possible(latents)
    assert str(raised.value).startswith(text)


# --- white noise -------------------------------------------------------------------------


def test_white_noise_is_of_its_deviation_and_no_pixel_tells_of_another():
    images = tf.random.stateless_uniform([50, 8, 10, 2], SEED)
    channel = WhiteNoise(("c1",), stddev=0.3)
    added = (channel(images, SEED) - images).numpy()
    # 8,000 draws: their mean deviates by 0.3 / sqrt(8,000), their deviation by 0.3 / 126
    assert abs(added.mean()) < 0.015
    assert added.std() == pytest.approx(0.3, abs=0.01)
    for axis in range(4):  # 8,000 pairs: a correlation of 0 +- 0.011
        there, next_to_it = np.delete(added, 0, axis), np.delete(added, -1, axis)
        assert abs(np.corrcoef(there.ravel(), next_to_it.ravel())[0, 1]) < 0.05
    assert not channel.near_identity and WhiteNoise(("c1",), stddev=0.0).near_identity


@pytest.mark.parametrize("stddev", [-0.1, np.inf, np.nan])
def test_impossible_noise_is_named(stddev):
    with pytest.raises(InfoGANError) as raised:
        WhiteNoise(("c1",), stddev)
    assert str(raised.value) == (
        f"WhiteNoise: stddev is {stddev}; it has to be a finite number that is not "
        "negative."
    )


# --- one after another -------------------------------------------------------------------


def test_a_code_goes_through_every_channel_that_names_it_in_order():
    exposure = RandomExposure(("c3", "c1"))
    mirror, affine = RandomMirror(("c1", "c2"), odd=("c1",)), RandomAffine(("c3",))
    ways = {route.codes: route.channels for route in routes([exposure, mirror, affine])}
    assert ways == {
        ("c3",): (exposure, affine),
        ("c1",): (exposure, mirror),
        ("c2",): (mirror,),
    }


def test_codes_that_the_same_channels_name_share_a_route():
    channel = RandomAffine(("c1", "c2"))
    assert [route.codes for route in routes([channel])] == [("c1", "c2")]


def test_a_route_sends_images_and_codes_through_its_channels_one_after_another():
    """A faint disc left of the middle comes out white, and where Q has to read it."""
    mirror = RandomMirror(("c1",), odd=("c1",))
    (route,) = routes([RandomExposure(("c1",), 4.0, 4.0), mirror])
    latents = {"c1": tf.fill([COPIES], -8.0)}
    received, expected = route(0.2 * blob(-8, 0), SEED), route.expected(latents, SEED)
    _, x, _ = mass_and_centroid(received)
    np.testing.assert_allclose(x, expected["c1"], atol=0.05)
    assert len(np.unique(expected["c1"])) == 2  # -8 and 8
    np.testing.assert_allclose(tf.reduce_max(received, axis=(1, 2, 3)), 0.8, rtol=1e-5)


def test_a_route_draws_for_each_channel_anew():
    """Two mirrors toss two coins: a quarter of the images are turned twice."""
    mirrors = [RandomMirror(("c1",), ("c1",), vertical) for vertical in (False, True)]
    (route,) = routes(mirrors)
    latents = {"c1": tf.ones([COPIES])}
    once = mirrors[0].expected(latents, SEED)["c1"]
    twice = route.expected(latents, SEED)["c1"]
    second = once * twice  # -1 where the second coin turned the image
    assert 0.25 < np.mean(second < 0) < 0.75  # 64 tosses: 4 deviations
    assert 0.2 < np.mean(once != second) < 0.8


def test_a_route_is_near_the_identity_where_all_its_channels_are():
    mirror, exposure = RandomMirror(("c1",)), RandomExposure(("c1",))
    assert [routes(way)[0].near_identity for way in ([mirror], [mirror, exposure])] == [
        True,
        False,
    ]


def test_noise_is_not_made_of_the_coins_of_a_mirror_before_it():
    """Box and Muller make two normal numbers, of length sqrt(-2 ln u), of one uniform u."""
    mirror = RandomMirror(("c1",), ("c1",))
    (route,) = routes([mirror, WhiteNoise(("c1",), stddev=1.0)])
    heads = route.expected({"c1": tf.ones([COPIES])}, SEED)["c1"].numpy() < 0
    pairs = route(tf.zeros([COPIES, 1, 1, 1]), SEED).numpy().reshape(-1, 2)
    long = np.sum(pairs**2, axis=1) > 2 * np.log(2)  # where u < 1/2
    for of_pair in heads.reshape(-1, 2).T:
        assert 0.2 < np.mean(of_pair == long) < 0.8  # of 32, by chance 0.5 +- 0.09
