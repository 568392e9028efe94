"""The family on tiny networks: what each method adds, and that it plays by the house."""

import dataclasses
import json

import keras
import numpy as np
import pytest
import sklearn.metrics
import tensorflow as tf

import infogan_tf
from infogan_tf import data
from infogan_tf.blocks import Convolution, Dense, Reshape, UpConvolution
from infogan_tf.channel import RandomAffine
from infogan_tf.data import Split
from infogan_tf.errors import InfoGANError
from infogan_tf.games import (
    CategoricalEntropy,
    EnergyMargin,
    Equilibrium,
    ExtraClass,
    Hinge,
    Wasserstein,
)
from infogan_tf.latents import Categorical, LatentSpace, Noise, Uniform
from infogan_tf.models import build
from infogan_tf.models.gan import Labelled
from infogan_tf.penalties import (
    DRAGAN,
    R1,
    WGANGP,
    PullingAway,
    SpectralNormalization,
    WeightClipping,
)
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)


def stripes(count, seed=0):
    """Images of three kinds, 0 rows, 1 columns, 2 a bright corner, with noise on them."""
    draw = np.random.default_rng(seed)
    labels = draw.integers(3, size=count)
    kinds = np.zeros((3, 8, 8, 1))
    kinds[0, ::2], kinds[1, :, ::2], kinds[2, :4, :4] = 200, 200, 200
    noise = draw.integers(50, size=(count, 8, 8, 1))
    return Split((kinds[labels] + noise).astype(np.uint8), labels)


TRAIN = stripes(96)
PLAIN = ModelSpec(
    name="tiny",
    description="an 8 x 8 GAN",
    method="gan",
    data=DataSpec("synthetic", (8, 8, 1)),
    latents=LatentSpace((), Noise(5)),
    generator=(
        Dense(2 * 2 * 6, activation="relu"),
        Reshape(2, 2, 6),
        UpConvolution(6, activation="relu"),
        UpConvolution(1, activation="sigmoid", batch_norm=False),
    ),
    trunk=(
        Convolution(6, activation="leaky_relu", batch_norm=False),
        Dense(16, activation="leaky_relu", batch_norm=False),
    ),
    training=TrainSpec(
        batch_size=16,
        seed=3,
        generator_learning_rate=2e-3,
        discriminator_learning_rate=2e-3,
    ),
)
NORMALISED = (PLAIN.trunk[0], Dense(16, activation="leaky_relu"))
GROWN = (
    Dense(4 * 4 * 6, activation="relu"),
    Reshape(4, 4, 6),
    *PLAIN.generator[2:],
)
LABEL = LatentSpace((Categorical("label", 3),), Noise(5))
CODES = LatentSpace((Categorical("c1", 3), Uniform("c2", mi_weight=0.1)), Noise(5))


def labelled(count, **changes):
    return {"training": dataclasses.replace(PLAIN.training, labels=count, **changes)}


FAMILY = {
    "cgan": {"method": "conditional_gan", "latents": LABEL, **labelled(-1)},
    "acgan": {"method": "supervised_infogan", "latents": LABEL, **labelled(-1)},
    "semisupervised": {"method": "supervised_infogan", "latents": CODES, **labelled(9)},
    "catgan": {
        "method": "classifier_gan",
        "trunk": NORMALISED,
        "game": CategoricalEntropy(3),
    },
    "catgan_with_labels": {
        "method": "classifier_gan",
        "trunk": NORMALISED,
        "game": CategoricalEntropy(3),
        **labelled(9),
    },
    "sgan": {"method": "classifier_gan", "game": ExtraClass(3), **labelled(12)},
    "ebgan": {
        "method": "ebgan",
        "game": EnergyMargin(0.5),
        "decoder": PLAIN.generator,
        "penalties": (PullingAway(0.1),),
    },
    "began": {"method": "began", "game": Equilibrium(), "decoder": PLAIN.generator},
    "wgan": {
        "game": Wasserstein(),
        "penalties": (WeightClipping(0.05),),
        "training": dataclasses.replace(
            PLAIN.training, critic_steps=3, optimizer="rmsprop"
        ),
    },
    "wgan_gp": {"game": Wasserstein(), "penalties": (WGANGP(),)},
    "dragan": {"penalties": (DRAGAN(),)},
    "hinge_spectral": {"game": Hinge(), "penalties": (SpectralNormalization(),)},
    "infogan_wgan_gp": {
        "method": "infogan",
        "latents": CODES,
        "game": Wasserstein(),
        "penalties": (WGANGP(),),
        "training": dataclasses.replace(PLAIN.training, critic_steps=2),
    },
}
every_member = pytest.mark.parametrize("member", FAMILY)


def spec(member, **changes):
    return dataclasses.replace(PLAIN, **{**FAMILY[member], **changes})


def train(model, declared, steps, split=TRAIN):
    """Takes the steps through `fit`; returns the means of what they reported."""
    stream = data.stream(split, declared.training, first_step=int(model.step.numpy()))
    history = model.fit(stream, steps_per_epoch=steps, verbose=0, shuffle=False)
    return {name: values[0] for name, values in history.history.items()}


def arrays(variables):
    return [variable.numpy() for variable in variables]


@every_member
def test_a_step_moves_all_and_reports_finite_numbers(member):
    declared = spec(member)
    model = build(declared)
    before = arrays(model.trainable_variables)
    report = train(model, declared, 5)  # catGAN's first slopes are too small to see
    still = [
        variable.path
        for variable, old in zip(model.trainable_variables, before, strict=True)
        if np.array_equal(old, variable)
    ]
    # E f(x) - E f(G) does not change where both grow, nor does hinge within its margin
    if isinstance(declared.game, Wasserstein | Hinge):
        assert len(still) == 1 and still[0].endswith("discriminator_output/bias")
    else:
        assert not still
    assert sorted(report) == sorted(model.reported)
    assert np.isfinite(list(report.values())).all()
    extra = set(report) - {"d_loss", "g_loss"}
    assert ("penalty" in extra) == bool(declared.penalties)
    assert ("label_loss" in extra) == (
        declared.method in ("supervised_infogan", "classifier_gan")
    )
    assert ({"k", "convergence"} <= extra) == (declared.method == "began")


@every_member
def test_training_is_a_function_of_the_seed(member):
    declared = spec(member)
    one, other = build(declared), build(declared)
    train(one, declared, 3)
    for _ in range(3):  # one by one is the same as in one go
        train(other, declared, 1)
    for a, b in zip(arrays(one.variables), arrays(other.variables), strict=True):
        np.testing.assert_array_equal(a, b)


@every_member
def test_a_saved_member_comes_back_and_trains_on(member, tmp_path):
    declared = spec(member)
    model = build(declared)
    train(model, declared, 2)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model) and again.game == model.game
    assert again.penalties == model.penalties
    for one in (model, again):
        train(one, declared, 1)
    for a, b in zip(arrays(model.variables), arrays(again.variables), strict=True):
        np.testing.assert_array_equal(a, b)


# --- critic steps ------------------------------------------------------------------------


@pytest.mark.parametrize("critic_steps", [1, 3])
def test_the_critic_moves_more_often_than_the_generator(critic_steps):
    training = dataclasses.replace(PLAIN.training, critic_steps=critic_steps)
    declared = dataclasses.replace(PLAIN, training=training)
    model = build(declared)
    train(model, declared, 2)
    assert int(model.step) == 2
    assert int(model.discriminator_optimizer.iterations) == 2 * critic_steps


def test_each_critic_step_sees_images_and_noise_of_its_own(monkeypatch):
    model = build(PLAIN.with_training(critic_steps=3))
    images = tf.constant(TRAIN.images[:48], tf.float32) / 255
    objectives, seen = model.objectives, []

    def watched(images, labelled, seed):
        seen.append((images.numpy(), tuple(seed.numpy())))
        return objectives(images, labelled, seed)

    monkeypatch.setattr(model, "objectives", watched)
    model.train_step(images)
    parts, seeds = zip(*seen, strict=True)
    np.testing.assert_array_equal(np.concatenate(parts), images)
    assert len(seeds) == len(set(seeds)) == 3


def test_what_pulls_features_apart_is_reported_with_the_penalty():
    declared = spec("ebgan")
    model = build(declared)
    (penalty,) = declared.penalties
    features = tf.constant(np.random.default_rng(0).normal(size=[16, 4]), tf.float32)
    assert float(penalty.on_generator(features)) > 0
    _, g_objective, report = model.objectives(
        tf.constant(TRAIN.images[:16], tf.float32) / 255, None, tf.constant([0, 1])
    )
    assert float(report["penalty"]) > 0
    assert float(g_objective) == pytest.approx(float(report["g_loss"] + report["penalty"]))


def test_a_falling_rate_ends_with_the_last_critic_step():
    numbers = dataclasses.replace(PLAIN.training, steps=10, critic_steps=3, decay=0.5)
    model = build(dataclasses.replace(PLAIN, training=numbers))
    model.discriminator_optimizer.iterations.assign(30)
    model.generator_optimizer.iterations.assign(10)
    assert float(model.discriminator_optimizer.learning_rate) == 0
    assert float(model.generator_optimizer.learning_rate) == 0
    model.discriminator_optimizer.iterations.assign(15)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(2e-3)


# --- penalties in training ---------------------------------------------------------------


def test_clipped_weights_stay_within_the_limit():
    declared = spec("wgan")
    model = build(declared)
    train(model, declared, 5)
    most = max(np.abs(array).max() for array in arrays(model.discriminator_variables))
    assert most == pytest.approx(0.05)
    assert max(np.abs(v).max() for v in arrays(model.generator.trainable_variables)) > 0.5


@pytest.mark.parametrize("penalty", [WGANGP(100.0), DRAGAN(100.0), R1(100.0)])
def test_a_penalty_brings_the_slope_where_it_wants_it(penalty):
    declared = dataclasses.replace(PLAIN, penalties=(penalty,))
    model = build(declared)
    train(model, declared, 400)
    images = tf.constant(TRAIN.images, tf.float32) / 255
    with tf.GradientTape() as tape:
        tape.watch(images)
        logits = model.discriminate(images)
    norms = np.linalg.norm(tape.gradient(logits, images).numpy().reshape(96, -1), axis=1)
    wanted = 0 if isinstance(penalty, R1) else 1
    assert norms.mean() == pytest.approx(wanted, abs=0.35)


def test_spectrally_normalised_discriminators_are_not_steeper_than_1():
    declared = spec("hinge_spectral")
    model = build(declared)
    train(model, declared, 50)
    kernels = [v for v in model.discriminator_variables if len(v.shape) > 1]
    for kernel in kernels:
        matrix = kernel.numpy().reshape(-1, kernel.shape[-1])
        assert np.linalg.svd(matrix, compute_uv=False)[0] < 1.1


def test_a_spectrally_normalised_autoencoder_is_so_in_both_halves():
    declared = spec("ebgan")
    model = build(declared.playing(declared.game, (SpectralNormalization(),)))
    kernels = [v for v in model.discriminator_variables if len(v.shape) > 1]
    assert len(kernels) == 5  # two to encode, three to decode
    wrapped = [v for v in model.non_trainable_variables if "vector_u" in v.path]
    assert len(wrapped) == 5


# --- labels ------------------------------------------------------------------------------


def accuracy(model, count=300):
    held_out = stripes(count, seed=1)
    found = model.classify(held_out.images.astype(np.float32) / 255).numpy()
    assert found.shape == (count, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    return np.mean(found.argmax(axis=1) == held_out.labels)


@pytest.mark.parametrize(
    "member", ["acgan", "semisupervised", "catgan_with_labels", "sgan"]
)
def test_labels_teach_it_to_classify(member):
    declared = spec(member)
    model = build(declared)
    train(model, declared, 150)
    assert accuracy(model) > 0.95


@pytest.mark.parametrize(("codes", "through"), [(("c1",), True), (("c2",), False)])
def test_labelled_images_go_through_the_channel_of_their_code(codes, through):
    """T is drawn anew for each seed, and only what goes through it meets it."""
    channels = (RandomAffine(codes),)
    model = build(dataclasses.replace(spec("semisupervised"), channels=channels))
    images = tf.constant(TRAIN.images[:9], tf.float32) / 255
    shown = Labelled(images, tf.constant(TRAIN.labels[:9], tf.int32))
    losses = {float(model.supervision(shown, tf.constant([n, 1]))[0]) for n in range(3)}
    assert len(losses) == (3 if through else 1)


def test_categories_without_labels_sort_the_images():
    """On most seeds: a small game may circle on any one, and rounding moves it."""
    held_out = stripes(300, seed=1)
    sorted_well = []
    for seed in range(3):
        declared = spec("catgan").with_training(seed=seed)
        model = build(declared)
        train(model, declared, 100)
        found = model.classify(held_out.images.astype(np.float32) / 255).numpy()
        together = sklearn.metrics.cluster.contingency_matrix(
            found.argmax(axis=1), held_out.labels
        )
        sorted_well.append(together.max(axis=1).sum() / 300)
    assert np.median(sorted_well) > 0.9, sorted_well


def test_a_conditional_trunk_sees_a_plane_for_each_label():
    model = build(spec("cgan"))
    images = tf.constant(TRAIN.images[:3], tf.float32) / 255
    planes = np.zeros([3, 8, 8, 3], np.float32)
    planes[[0, 1, 2], :, :, [2, 0, 1]] = 1.0
    wanted = model.trunk(np.concatenate([images, planes], axis=3)).numpy()
    found = model.features(images, tf.constant([2, 0, 1]), training=False)
    np.testing.assert_array_equal(found, wanted)


def test_an_image_without_a_label_is_as_real_as_under_the_label_that_suits_it_best():
    model = build(spec("cgan"))
    images = tf.constant(TRAIN.images[:5], tf.float32) / 255
    told = [
        model.discriminator(model.features(images, tf.fill([5], label), training=False))
        for label in range(3)
    ]
    wanted = np.max(told, axis=0)[:, 0]
    np.testing.assert_allclose(model.discriminate(images), wanted, rtol=1e-5)


def test_rmsprop_moves_weights_however_small_their_gradients_are():
    """By lr / sqrt(1 - rho) at first: a clipped critic's gradients are 1e-4 and less."""
    declared = spec("wgan")
    optimizer = build(declared).discriminator_optimizer
    weight = keras.Variable([1.0])
    optimizer = type(optimizer).from_config(optimizer.get_config())
    optimizer.apply([tf.constant([1e-6])], [weight])
    rate = declared.training.discriminator_learning_rate
    np.testing.assert_allclose(1 - weight.numpy(), rate / np.sqrt(0.1), rtol=1e-2)


def test_a_conditional_generator_draws_the_label():
    declared = spec("cgan")
    model = build(declared)
    train(model, declared, 500)
    kinds = [TRAIN.images[TRAIN.labels == label].mean(axis=0) / 255 for label in range(3)]
    for label in range(3):
        drawn = model.generate({"label": label}, count=20).mean(axis=0)
        distances = [np.abs(drawn - kind).mean() for kind in kinds]
        assert np.argmin(distances) == label, distances


@pytest.mark.parametrize("member", ["cgan", "acgan"])
def test_labels_that_are_missing_are_asked_for(member):
    model = build(spec(member))
    with pytest.raises(InfoGANError, match=r"trains on \(images, labels\)"):
        model.train_step(tf.zeros([4, 8, 8, 1]))


def test_fit_takes_images_and_labels():
    model = build(spec("cgan"))
    images = TRAIN.images[:32].astype(np.float32) / 255
    model.fit(images, TRAIN.labels[:32].astype(np.int32), batch_size=16, verbose=0)
    assert int(model.step) == 2


def test_the_rows_that_show_their_label():
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 2, 2, 2])
    rows = data.pipeline.labelled_rows(labels, 6, seed=1)
    assert len(set(rows)) == 6
    assert np.bincount(labels[rows]).tolist() == [2, 2, 2]
    more = data.pipeline.labelled_rows(labels, 8, seed=1)  # label 1 has no third image
    assert set(rows) < set(more) and np.bincount(labels[more]).tolist() == [3, 2, 3]
    assert data.pipeline.labelled_rows(labels, -1, seed=1).tolist() == list(range(10))
    others = [tuple(data.pipeline.labelled_rows(labels, 6, seed=s)) for s in range(5)]
    assert len(set(others)) > 1


def test_the_stream_shows_the_labels_of_the_chosen_rows_only():
    numbers = dataclasses.replace(PLAIN.training, labels=9)
    rows = data.pipeline.labelled_rows(TRAIN.labels, 9, seed=3)
    for images, (shown, labels) in data.stream(TRAIN, numbers).take(3):
        assert images.shape == (16, 8, 8, 1) and labels.shape == (9,)
        pixels = np.rint(shown.numpy() * 255).astype(np.uint8)
        for image, label in zip(pixels, labels.numpy(), strict=True):
            (row,) = [row for row in rows if np.array_equal(TRAIN.images[row], image)]
            assert TRAIN.labels[row] == label


@pytest.mark.parametrize(
    ("labels", "count", "text"),
    [
        (
            None,
            5,
            "This training learns from labels, and the images have none: choose images "
            "with labels, or a method without.",
        ),
        (
            np.zeros(96, int),
            97,
            "--labels=97, and there are 96: ask for as many or fewer, or for all with "
            "--labels=-1.",
        ),
    ],
)
def test_labels_that_are_not_there_are_named(labels, count, text):
    numbers = dataclasses.replace(PLAIN.training, labels=count)
    with pytest.raises(InfoGANError) as error:
        data.stream(Split(TRAIN.images, labels), numbers)
    assert str(error.value) == text


def test_fewer_labels_than_critic_steps_are_named():
    with pytest.raises(InfoGANError) as error:
        dataclasses.replace(PLAIN.training, labels=3, critic_steps=5)
    assert str(error.value) == (
        "labels is 3; it has to be at least 5, one for each critic step."
    )


# --- a whole run -------------------------------------------------------------------------

SCORES = {
    "cgan": {"clustering/generated_agreement"},
    "acgan": {"clustering/generated_agreement", "classification/accuracy", "mi/label"},
    "sgan": {"clustering/accuracy", "classification/accuracy"},
    "catgan": {"clustering/accuracy", "clustering/majority_accuracy"},
    "began": set(),
}


@pytest.mark.parametrize("member", SCORES)
def test_every_member_is_trained_scored_and_exported_as_infogan_is(member, tmp_path):
    shapes = {"generator": GROWN, "decoder": GROWN if member == "began" else ()}
    declared = spec(member, data=DataSpec("synthetic", (16, 16, 1)), **shapes)
    run = tmp_path / "run"
    infogan_tf.train(declared.with_training(steps=4, log_every=2), run)
    metrics = infogan_tf.evaluate(run)
    assert {"fidelity/fid", "fidelity/kid"} | SCORES[member] <= metrics.keys()
    log = [json.loads(line) for line in (run / "train_log.jsonl").read_text().splitlines()]
    assert set(build(declared).reported) <= log[-1].keys()
    model = infogan_tf.load(run)
    served = tf.saved_model.load(str(infogan_tf.export(model, tmp_path / "exports")))
    sample = served.signatures["sample"]
    inputs = {name: [0, 2] for name in sample.structured_input_signature[1]}
    drawn = sample(**{name: tf.constant(value) for name, value in inputs.items()})
    assert drawn["images"].shape == (2, 16, 16, 1)
    assert ("label" in inputs) == (member in ("cgan", "acgan"))


# --- BEGAN -------------------------------------------------------------------------------


def test_k_moves_with_the_balance_of_the_errors():
    declared = spec("began", game=Equilibrium(gamma=0.5, rate=0.1))
    model = build(declared)
    path = [train(model, declared, 1) for _ in range(30)]
    ks = [report["k"] for report in path] + [float(model.k)]
    assert ks[0] == 0 and max(ks) > 0 and all(0 <= k <= 1 for k in ks)
    for report, k, following in zip(path, ks, ks[1:], strict=False):
        # M = L(x) + |gamma L(x) - L(G)|, L(G) = g_loss, and L(x) = d_loss + k L(G)
        real = report["d_loss"] + k * report["g_loss"]
        ahead = 0.5 * real - report["g_loss"]
        assert report["convergence"] == pytest.approx(real + abs(ahead), rel=1e-4)
        assert following == pytest.approx(np.clip(k + 0.1 * ahead, 0, 1), abs=1e-5)


# --- what cannot be ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("member", "changes", "text"),
    [
        (
            "ebgan",
            {"game": Hinge()},
            'tiny: Hinge is played with a logit, and the discriminator of "ebgan" gives an '
            "energy: its games are energy_margin.",
        ),
        (
            "dragan",
            {"game": CategoricalEntropy(), "penalties": ()},
            "tiny: CategoricalEntropy is played with several classes, and the "
            'discriminator of "gan" gives a logit: its games are non_saturating, minimax, '
            "least_squares, hinge, wasserstein.",
        ),
        (
            "dragan",
            labelled(5),
            'tiny: the method "gan" learns from no labels, and labels is 5: leave it out.',
        ),
        (
            "cgan",
            labelled(0),
            'tiny: the method "conditional_gan" learns from labels, and labels is 0: give '
            "--labels=N, or --labels=-1 for all.",
        ),
    ],
)
def test_what_cannot_be_built_is_named(member, changes, text):
    with pytest.raises(InfoGANError) as error:
        build(spec(member, **changes))
    assert str(error.value) == text


def test_a_spec_refuses_batch_normalisation_under_a_gradient_penalty():
    trunk = (Convolution(6, activation="leaky_relu"),)
    with pytest.raises(InfoGANError, match="tiny: R1 bounds the discriminator's slope"):
        dataclasses.replace(PLAIN, trunk=trunk, penalties=(R1(),))


def test_a_chosen_penalty_takes_batch_normalisation_out_of_the_trunk():
    trunk = (Convolution(6, activation="leaky_relu"), Dense(8, activation="leaky_relu"))
    declared = dataclasses.replace(PLAIN, trunk=trunk)
    chosen = declared.playing(Wasserstein(), (WGANGP(),))
    assert [block.batch_norm for block in chosen.trunk] == [False, False]
    assert chosen.generator == declared.generator
    clipped = declared.playing(Wasserstein(), (WeightClipping(),))
    assert clipped.trunk == declared.trunk
    build(chosen), build(clipped)
