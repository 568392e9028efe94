"""Every entry of the zoo, through the same conformance suite at full size."""

import json
import math

import keras
import numpy as np
import pytest
import tensorflow as tf

import infogan_tf
from infogan_tf import spec as specs
from infogan_tf.errors import InfoGANError
from infogan_tf.games import Wasserstein
from infogan_tf.models import InfoGAN
from zoo import registry

ENTRIES = registry.models()
DATA_SETS = ("mnist_", "svhn_", "celeba_", "faces3d_", "chairs3d_", "dsprites_", "tiny_")

# Weights + biases, from the tables; a layer with batch normalisation has two numbers per
# channel instead of a bias. Each entry: (generator, trunk, D's output, Q).
MNIST = (
    74 * 1024 + 2 * 1024  # FC 1024
    + 1024 * 6272 + 2 * 6272  # FC 7 x 7 x 128
    + 16 * 128 * 64 + 2 * 64  # upconv 64
    + 16 * 64 * 1 + 1,  # upconv 1
    16 * 1 * 64 + 64  # conv 64
    + 16 * 64 * 128 + 2 * 128  # conv 128
    + 6272 * 1024 + 2 * 1024,  # FC 1024
    1024 + 1,
    1024 * 128 + 2 * 128 + (128 + 1) * (10 + 2 + 2),  # FC 128; c1, c2, c3
)  # fmt: skip
MNIST_TOP = 16 * 128 * 64 + 2 * 64 + 16 * 64 * 1 + 1  # of G, and of a decoder
WIDER = MNIST[0] + (100 - 74) * 1024  # z of 100 numbers
BARE_TRUNK = MNIST[1] - 128 - 1024  # a bias for a scale and an offset
LIKE_SVHN = (  # G above its first layer and the trunk, which CelebA's networks share
    16 * 448 * 256 + 2 * 256  # upconv 256
    + 16 * 256 * 128 + 128  # upconv 128, no batch normalisation
    + 16 * 128 * 64 + 64  # upconv 64, none either
    + 16 * 64 * 3 + 3,  # upconv 3
    16 * 3 * 64 + 64  # conv 64
    + 16 * 64 * 128 + 2 * 128  # conv 128
    + 16 * 128 * 256 + 2 * 256,  # conv 256: 4 x 4 x 256 = 4,096 features
)  # fmt: skip
SVHN = (
    168 * 1792 + 2 * 1792 + LIKE_SVHN[0],  # FC 2 x 2 x 448 = 1,792, then as above
    LIKE_SVHN[1],
    4096 + 1,
    4096 * 128 + 2 * 128 + (128 + 1) * (4 * 10 + 4 * 2),  # FC 128; c1 to c4, c5 to c8
)
CELEBA = (
    228 * 1792 + 2 * 1792 + LIKE_SVHN[0],
    LIKE_SVHN[1],
    4096 + 1,
    4096 * 128 + 2 * 128 + (128 + 1) * (10 * 10),  # FC 128; c1 to c10
)


def _normalised(paper: tuple[int, ...]) -> tuple[int, ...]:
    """With batch normalisation for biases in G: a scale more for each channel."""
    return paper[0] + 128 + 64, *paper[1:]


FACES3D = (
    133 * 1024 + 2 * 1024  # FC 1024
    + 1024 * 8192 + 2 * 8192  # FC 8 x 8 x 128
    + 16 * 128 * 64 + 2 * 64 + 16 * 64 * 1 + 1,  # upconv 64, upconv 1
    16 * 1 * 64 + 64 + 16 * 64 * 128 + 2 * 128  # conv 64, conv 128
    + 8192 * 1024 + 2 * 1024,  # FC 1024
    1024 + 1,
    (1024 + 1) * (5 * 2),  # five means and deviations, no FC 128
)  # fmt: skip
FACES = {  # Table 4: rate of D and Q, rate of G, lambda
    "azimuth": (2e-4, 5e-4, 0.2),
    "elevation": (4e-4, 3e-4, 0.1),
    "lighting": (8e-4, 3e-4, 0.1),
}
CHAIRS3D = (
    189 * 1024 + 2 * 1024 + 1024 * 16384 + 2 * 16384  # FC 1024, FC 8 x 8 x 256
    + 2 * (16 * 256 * 256 + 2 * 256)  # upconv 256 twice
    + 16 * 256 * 128 + 2 * 128 + 16 * 128 * 64 + 2 * 64 + 16 * 64 * 1 + 1,
    16 * 1 * 64 + 64 + 16 * 64 * 128 + 2 * 128 + 16 * 128 * 256 + 2 * 256
    + 2 * (16 * 256 * 256 + 2 * 256)  # conv 256 twice more
    + 16384 * 1024 + 2 * 1024,  # FC 1024
    1024 + 1,
    (1024 + 1) * (3 * 20 + 2),  # c1 to c3, c4
)  # fmt: skip
CHAIRS = {"rotation": (10, 1), "width": (0.05, 2)}  # lambda of the continuous and others
PARAMETERS = {
    "mnist_infogan_paper": MNIST,
    "mnist_infogan": (  # Q of c2 and c3 is a mean each, and no deviation
        *MNIST[:3],
        MNIST[3] - 2 * (128 + 1),
    ),
    "mnist_gan": MNIST,
    **dict.fromkeys(
        ("mnist_dcgan", "mnist_lsgan", "mnist_lsgan_binary", "mnist_wgan"),
        (WIDER, *MNIST[1:3]),
    ),
    **dict.fromkeys(
        ("mnist_wgan_gp", "mnist_dragan"), (WIDER, BARE_TRUNK, 1024 + 1)
    ),
    "mnist_cgan": (  # 10 + 62 inputs; ten more planes
        MNIST[0] - 2 * 1024,
        MNIST[1] + 16 * 10 * 64,
        1024 + 1,
    ),
    "mnist_acgan": (
        MNIST[0] - 2 * 1024,
        *MNIST[1:3],
        1024 * 128 + 2 * 128 + (128 + 1) * 10,
    ),
    "mnist_infogan_semisupervised": (*MNIST[:3], MNIST[3] - 2 * (128 + 1)),
    "mnist_catgan": (WIDER, MNIST[1], 10 * (1024 + 1)),
    "mnist_catgan_20": (WIDER, MNIST[1], 20 * (1024 + 1)),
    "mnist_sgan": (WIDER, MNIST[1] - 1024, 11 * (1024 + 1)),  # the dense layer has a bias
    **dict.fromkeys(
        ("mnist_ebgan", "mnist_ebgan_pt"),
        (WIDER, BARE_TRUNK, (1024 + 1) * 6272 + MNIST_TOP - 64),  # no scales: biases
    ),
    "mnist_began": (
        MNIST[0] - 10 * 1024,  # 64 inputs
        BARE_TRUNK + (1024 + 1) * 64,
        (64 + 1) * 6272 + MNIST_TOP - 64,
    ),
    "svhn_infogan_paper": SVHN,
    "svhn_infogan": (  # D has biases for scales
        _normalised(SVHN)[0],
        SVHN[1] - 128 - 256,
        *SVHN[2:],
    ),
    "celeba_infogan_paper": CELEBA,
    "celeba_infogan": _normalised(CELEBA),
    **dict.fromkeys((f"faces3d_infogan_{x}" for x in FACES), FACES3D),
    "faces3d_infogan": (  # Q of c3 to c5 is a mean each
        *FACES3D[:3],
        FACES3D[3] - 3 * (1024 + 1),
    ),
    **dict.fromkeys((f"chairs3d_infogan_{x}" for x in CHAIRS), CHAIRS3D),
    "chairs3d_infogan": (*CHAIRS3D[:3], CHAIRS3D[3] - (1024 + 1)),  # Q of c4 is a mean
    "dsprites_infogan": (
        13 * 128 + 2 * 128 + 128 * 1024 + 2 * 1024  # FC 128, FC 4 x 4 x 64
        + 16 * 64 * 64 + 2 * 64 + 16 * 64 * 32 + 2 * 32  # upconv 64, upconv 32
        + 16 * 32 * 32 + 2 * 32 + 16 * 32 * 1 + 1,  # upconv 32, upconv 1
        16 * 1 * 32 + 32 + 16 * 32 * 32 + 32 + 16 * 32 * 64 + 64 + 16 * 64 * 64 + 64
        + 1024 * 128 + 128,  # conv 32, 32, 64, 64: 4 x 4 x 64 = 1,024; FC 128
        128 + 1,
        128 * 128 + 2 * 128 + (128 + 1) * (4 + 3),  # FC 128, four means, three logits
    ),
    "tiny_infogan": (
        (3 + 1 + 1 + 1 + 4) * 32 + 2 * 32 + 16 * 8 * 8 + 2 * 8 + 16 * 8 * 1 + 1,
        16 * 1 * 8 + 8 + 16 * 8 * 16 + 2 * 16 + (2 * 2 * 16) * 16 + 2 * 16,
        16 + 1,
        16 * 8 + 2 * 8 + (8 + 1) * (3 + 2 + 2 + 2),
    ),
}  # fmt: skip


@pytest.fixture(scope="module", params=ENTRIES.values(), ids=ENTRIES)
def entry(request):
    """(spec, model, its variables before two real steps of 16 images, their metrics)."""
    spec = request.param
    model = infogan_tf.build(spec)
    model.steps = 2  # a training of two: codes that come late come in the second
    data = infogan_tf.data.load(spec.data, dataset="synthetic")
    stream = infogan_tf.data.stream(data.train, spec.with_training(batch_size=16).training)
    before = [variable.numpy() for variable in model.trainable_variables]
    history = model.fit(stream, steps_per_epoch=2, verbose=0, shuffle=False)
    return spec, model, before, {name: v[0] for name, v in history.history.items()}


def test_every_entry_has_its_parameters_counted():
    assert PARAMETERS.keys() == ENTRIES.keys()


def test_parameter_counts(entry):
    spec, model, *_ = entry
    parts = [[model.generator], [model.trunk], [model.discriminator]]
    if isinstance(model, InfoGAN):
        parts.append([model.recognition, model.recognition_output])
    assert PARAMETERS[spec.name] == tuple(
        sum(math.prod(v.shape) for one in part for v in one.trainable_variables)
        for part in parts
    )


def test_names_and_json(entry):
    spec, *_ = entry
    assert spec.name.startswith(DATA_SETS)
    assert specs.from_json(json.loads(json.dumps(specs.to_json(spec)))) == spec


def test_real_steps_move_every_weight_and_stay_finite(entry):
    spec, model, before, metrics = entry
    for variable, old in zip(model.trainable_variables, before, strict=True):
        new = variable.numpy()
        assert np.isfinite(new).all(), variable.path
        if isinstance(spec.game, Wasserstein) and variable is model.discriminator.bias:
            continue  # E f(x) - E f(G) does not change where both grow
        assert not np.array_equal(new, old), f"{variable.path} got no gradient"
    assert all(math.isfinite(value) for value in metrics.values())
    assert {"d_loss", "g_loss"} <= metrics.keys()


def test_generates_and_recognizes(entry):
    spec, model, *_ = entry
    images = model.generate(count=3)
    assert images.shape == (3, *spec.data.image_shape)
    assert images.min() >= 0 and images.max() <= 1
    if not isinstance(model, InfoGAN):
        return  # nothing to read
    read = model.recognize(images)
    assert list(read) == [code.name for code in spec.latents.codes]
    for code in spec.latents.codes:
        for value in read[code.name].values():
            assert len(value) == 3 and np.isfinite(value).all()


def test_saves_and_loads(entry, tmp_path):
    spec, model, *_ = entry
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert type(again) is type(model) and again.latents == spec.latents
    np.testing.assert_array_equal(again.generate(count=2), model.generate(count=2))


def test_exports_and_reloads(entry, tmp_path):
    spec, model, *_ = entry
    loaded = tf.saved_model.load(str(infogan_tf.export(model, tmp_path)))
    latents = spec.latents.sample(2, tf.constant([0, 0]))
    images = loaded.signatures["serving_default"](**latents)["images"]
    np.testing.assert_allclose(images, model.generate_images(latents), atol=1e-5)
    assert ("classify" in loaded.signatures) == hasattr(model, "classify")
    if hasattr(model, "classify"):
        found = loaded.signatures["classify"](images=images)
        assert found["probabilities"].shape == (2, model.label_count)
        np.testing.assert_array_equal(
            found["label"], np.argmax(found["probabilities"], axis=1)
        )


# --- the registry -----------------------------------------------------------------------


def test_the_paper_is_to_the_letter():
    paper = registry.find("mnist_infogan_paper")
    numbers = paper.training
    assert (numbers.discriminator_learning_rate, numbers.generator_learning_rate) == (
        2e-4,
        1e-3,
    )
    assert (numbers.batch_size, numbers.steps, numbers.beta_1) == (128, 5000, 0.5)
    assert [code.mi_weight for code in paper.latents.codes] == [1, 1, 1]
    assert paper.latents.width == 74 and paper.channels == ()
    assert numbers.decay == 0


def test_our_best_slows_down_at_the_end():
    model = infogan_tf.models.build(registry.find("mnist_infogan"))
    for optimizer, rate in (
        (model.generator_optimizer, 1e-3),
        (model.discriminator_optimizer, 2e-4),
    ):
        found = []
        for step in (0, 4000, 4500, 5000):
            optimizer.iterations.assign(step)
            found.append(float(optimizer.learning_rate))
        np.testing.assert_allclose(found, [rate, rate, rate / 2, 0])


@pytest.mark.parametrize(
    ("name", "categories", "continuous", "noise", "width"),
    [("svhn_infogan_paper", 4, 4, 124, 168), ("celeba_infogan_paper", 10, 0, 128, 228)],
)
def test_the_paper_s_coloured_images(name, categories, continuous, noise, width):
    entry = registry.find(name)
    codes = entry.latents.codes
    kinds = [type(code).__name__ for code in codes]
    assert kinds == ["Categorical"] * categories + ["Uniform"] * continuous
    assert {code.categories for code in codes[:categories]} == {10}
    assert {code.mi_weight for code in codes} == {1}
    assert (entry.latents.noise.size, entry.latents.width) == (noise, width)
    assert entry.pixel_range == (-1, 1)
    numbers = entry.training
    assert numbers.discriminator_learning_rate == 2e-4
    assert numbers.generator_learning_rate == 1e-3


@pytest.mark.parametrize("factor", FACES)
def test_the_paper_s_faces(factor):
    entry = registry.find(f"faces3d_infogan_{factor}")
    numbers, codes = entry.training, entry.latents.codes
    rates = (numbers.discriminator_learning_rate, numbers.generator_learning_rate)
    assert [type(code).__name__ for code in codes] == ["Uniform"] * 5
    assert {(*rates, code.mi_weight) for code in codes} == {FACES[factor]}
    assert (entry.latents.noise.size, entry.latents.width) == (128, 133)
    assert entry.data.image_shape == (32, 32, 1) and entry.recognition == ()


@pytest.mark.parametrize("factor", CHAIRS)
def test_the_paper_s_chairs(factor):
    entry = registry.find(f"chairs3d_infogan_{factor}")
    *categorical, continuous = entry.latents.codes
    assert [code.categories for code in categorical] == [20] * 3
    weights = {(continuous.mi_weight, code.mi_weight) for code in categorical}
    assert weights == {CHAIRS[factor]}
    assert (entry.latents.noise.size, entry.latents.width) == (128, 189)
    assert entry.data.image_shape == (64, 64, 1) and entry.recognition == ()


def test_a_duplicate_name_is_refused():
    import dataclasses

    other = dataclasses.replace(registry.find("tiny_infogan"), description="another")
    with pytest.raises(
        InfoGANError, match='There is already a model called "tiny_infogan"'
    ):
        registry.register(other)


def test_an_unknown_name_is_answered_with_the_closest():
    with pytest.raises(
        InfoGANError, match=r'Unknown model "minst_gan". Did you mean "mnist_gan"'
    ):
        registry.find("minst_gan")
