"""A model as data: to JSON and back, and what is said of a value that cannot be."""

import dataclasses
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infogan_tf.blocks import Convolution, Dense, Reshape, UpConvolution
from infogan_tf.channel import RandomAffine, RandomExposure, RandomMirror, WhiteNoise
from infogan_tf.errors import InfoGANError
from infogan_tf.games import Minimax, NonSaturating
from infogan_tf.latents import (
    Bernoulli,
    Categorical,
    Gaussian,
    LatentSpace,
    Noise,
    Uniform,
)
from infogan_tf.spec import _TYPES, DataSpec, ModelSpec, TrainSpec, from_json, to_json
from zoo import registry

# One of every part that a spec can have.
EVERYTHING = ModelSpec(
    name="everything",
    description="every kind of part",
    method="infogan",
    data=DataSpec("synthetic", (8, 8, 3)),
    latents=LatentSpace(
        (
            Categorical("a", 3),
            Uniform("b", -2.0, 3.0),
            Gaussian("c"),
            Bernoulli("d", 0.2),
        ),
        Noise(4, "normal"),
    ),
    generator=(
        Dense(16, activation="relu"),
        Reshape(4, 4, 1),
        UpConvolution(3, activation="tanh", batch_norm=False, kernel_size=3),
    ),
    trunk=(Convolution(4, activation="leaky_relu"), Dense(8, activation="linear")),
    recognition=(Dense(6, activation="sigmoid"),),
    game=Minimax(),
    training=TrainSpec(ema_decay=0.99),
    channels=(
        RandomAffine(("a", "d"), rotation=5.0),
        RandomExposure(("b",), least=2.0),
        RandomMirror(("c",), vertical=True),
        WhiteNoise(("c",), stddev=0.25),
    ),
)


SPECS = {"everything": EVERYTHING, **registry.models()}
every_spec = pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)


def through_text(part):
    return from_json(json.loads(json.dumps(to_json(part), allow_nan=False)))


def training_specs():
    whole = st.integers(1, 10**7)
    rate = st.floats(1e-8, 10.0)
    return st.builds(
        TrainSpec,
        steps=whole,
        batch_size=st.integers(2, 4096),
        generator_learning_rate=rate,
        discriminator_learning_rate=rate,
        beta_1=st.floats(0, 1, exclude_max=True),
        beta_2=st.floats(0, 1, exclude_max=True),
        ema_decay=st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True),
        seed=st.integers(0, 2**31 - 1),
        precision=st.sampled_from(["float32", "bfloat16"]),
        jit_compile=st.sampled_from(["auto", "true", "false"]),
        log_every=whole,
        checkpoint_every=whole,
        sweep_every=whole,
    )


def codes():
    finite = st.floats(-1e6, 1e6)
    weight = st.floats(0, 1e3)
    return st.one_of(
        st.builds(Categorical, st.just("a"), st.integers(2, 500), mi_weight=weight),
        st.builds(
            lambda low, width, **options: Uniform("a", low, low + width, **options),
            *(finite, st.floats(1e-3, 1e6)),
            mi_weight=weight,
        ),
        st.builds(Gaussian, st.just("a"), finite, st.floats(1e-6, 1e6), mi_weight=weight),
        st.builds(Bernoulli, st.just("a"), st.floats(1e-9, 1 - 1e-9), mi_weight=weight),
    )


# --- to JSON and back ------------------------------------------------------------------


def test_every_type_comes_back_from_json():
    named = json.dumps(to_json(EVERYTHING))
    elsewhere = [kind for name, kind in _TYPES.items() if f'"type": "{name}"' not in named]
    assert NonSaturating in elsewhere  # the other games, which take no arguments
    for kind in elsewhere:
        assert through_text(kind()) == kind()


@every_spec
def test_a_spec_comes_back_from_json(spec):
    again = through_text(spec)
    assert again == spec
    assert hash(again) == hash(spec)
    assert to_json(again) == to_json(spec)


@every_spec
@given(training=training_specs())
def test_a_spec_comes_back_whatever_its_training(spec, training):
    spec = dataclasses.replace(spec, training=training)
    assert through_text(spec) == spec


@given(code=codes())
def test_a_code_comes_back_from_json(code):
    assert through_text(code) == code


def test_other_training_numbers_leave_the_rest_alone():
    other = EVERYTHING.with_training(steps=7, seed=3)
    assert (other.training.steps, other.training.seed) == (7, 3)
    assert other.with_training(steps=5_000, seed=0) == EVERYTHING


@pytest.mark.parametrize(("last", "pixels"), [("sigmoid", (0, 1)), ("tanh", (-1, 1))])
def test_the_last_activation_fixes_the_range_of_pixels(last, pixels):
    block = UpConvolution(3, activation=last)
    spec = dataclasses.replace(EVERYTHING, generator=[*EVERYTHING.generator[:2], block])
    assert spec.pixel_range == pixels


# --- what cannot be ----------------------------------------------------------------------


def message(make, *arguments, **options):
    with pytest.raises(InfoGANError) as error:
        make(*arguments, **options)
    return str(error.value)


@pytest.mark.parametrize(
    ("field", "value", "possible"),
    [
        ("steps", 0, "a whole number of at least 1"),
        ("steps", -5, "a whole number of at least 1"),
        ("steps", 2.5, "a whole number of at least 1"),
        ("log_every", 0, "a whole number of at least 1"),
        ("checkpoint_every", -1, "a whole number of at least 1"),
        ("sweep_every", math.nan, "a whole number of at least 1"),
        ("batch_size", 0, "a whole number of at least 1"),
        ("batch_size", 1, "at least 2 (batch statistics)"),
        ("generator_learning_rate", 0.0, "a finite number above 0"),
        ("generator_learning_rate", math.nan, "a finite number above 0"),
        ("discriminator_learning_rate", math.inf, "a finite number above 0"),
        ("decay", -0.1, "between 0 and 1"),
        ("decay", math.nan, "between 0 and 1"),
        ("beta_1", 1.0, "in [0, 1)"),
        ("beta_2", -0.1, "in [0, 1)"),
        ("ema_decay", 1.0, "between 0 and 1, or absent"),
        ("seed", -1, "a whole number between 0 and 2147483647"),
        ("seed", 2**31, "a whole number between 0 and 2147483647"),
        ("seed", 1.5, "a whole number between 0 and 2147483647"),
        ("precision", "float16", "float32 or bfloat16"),
        ("jit_compile", True, "auto or true or false"),
    ],
)
def test_a_bad_training_number_is_named(field, value, possible):
    expected = f"{field} is {value}; it has to be {possible}."
    assert message(TrainSpec, **{field: value}) == expected
    data = {**to_json(EVERYTHING.training), field: value}
    assert message(from_json, data) == expected


@pytest.mark.parametrize("shape", [(28, 28), (28, 28, 0), (1, 28, 28, 1), (8, 8, 2)])
def test_a_bad_image_shape_is_named(shape):
    assert message(DataSpec, "mnist", shape) == (
        f"image_shape is {shape}; it has to be (height, width, channels), all positive, "
        "the channels 1 (grey) or 3 (RGB)."
    )


def test_q_cannot_start_at_nothing(tiny_spec):
    with pytest.raises(InfoGANError) as error:
        dataclasses.replace(tiny_spec, recognition_stddev=0.0)
    assert str(error.value) == (
        "tiny_infogan: recognition_stddev is 0.0; it has to be a finite number above 0."
    )


@pytest.mark.parametrize("last", [(Dense(4, activation="relu"),), (Reshape(2, 2, 1),), ()])
def test_a_generator_has_to_end_in_pixels(last):
    found = message(dataclasses.replace, EVERYTHING, generator=last)
    assert found.startswith("everything: the generator ends with the activation ")
    assert "it has to be sigmoid or tanh, which fixes the range of its pixels." in found


def test_a_channel_for_a_code_that_is_not_there():
    found = message(dataclasses.replace, EVERYTHING, channels=(RandomAffine(("z",)),))
    assert found == 'There is no latent code "z"; there are a, b, c, d.'


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"type": "Categorial"},
            'A spec has a part of type "Categorial"; possible are ModelSpec, DataSpec,',
        ),
        ({"type": "Categorial"}, 'Did you mean "Categorical"?'),
        ({"type": None}, 'A spec has a part of type "None"; possible are ModelSpec'),
        ({"widht": 3}, "A spec's Categorical cannot be read: "),
        ({"widht": 3}, "unexpected keyword argument 'widht'"),
        ({"categories": 1}, "Code a: 1 categories; it takes a whole number of at least 2."),
        ({"mi_weight": "ten"}, "A spec's Categorical cannot be read: "),
    ],
)
def test_bad_json_is_named(change, text):
    data = {**to_json(Categorical("a", 10)), **change}
    assert text in message(from_json, data)


def test_a_missing_field_is_named():
    data = to_json(EVERYTHING)
    del data["trunk"]
    found = message(from_json, data)
    assert found.startswith("A spec's ModelSpec cannot be read: ")
    assert "'trunk'" in found
