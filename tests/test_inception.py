"""Inception's feature space, with weights drawn at random: the true ones are a download."""

import dataclasses
import re

import keras
import numpy as np
import pytest
from keras.src.applications import inception_v3

import infogan_tf
from infogan_tf.blocks import UpConvolution
from infogan_tf.errors import InfoGANError
from infogan_tf.evaluation import evaluate, fidelity, inception
from infogan_tf.evaluation.batches import draw
from infogan_tf.evaluation.judge import Reading
from infogan_tf.evaluation.scores import SCORES
from infogan_tf.spec import DataSpec


@pytest.fixture(scope="module")
def network():
    return keras.applications.InceptionV3(weights=None, include_top=False, pooling="avg")


@pytest.fixture(scope="module")
def viewer(network, tmp_path_factory):
    """Of those weights, from where they lie as Keras's own file would."""
    path = tmp_path_factory.mktemp("keras") / "inception.weights.h5"
    network.save_weights(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inception, "WEIGHTS", str(path))
        return inception.Inception()


def test_it_sees_what_kerass_own_pipeline_sees(network, viewer):
    images = np.random.default_rng(0).integers(0, 256, (2, 299, 299, 3), np.uint8)
    images[1] //= 8
    wanted = network(inception_v3.preprocess_input(images.astype(np.float32))).numpy()
    seen = viewer.read(images)
    assert seen.features.shape == (2, 2048) and not seen.answers
    np.testing.assert_allclose(seen.features, wanted, rtol=1e-3, atol=1e-6)
    assert np.abs(wanted[0] - wanted[1]).max() > 0.1 * wanted.max()  # they differ at all


def test_images_are_enlarged_to_what_it_was_taught(viewer):
    small = np.full((1, 32, 32, 3), [10, 100, 250], np.uint8)
    large = np.full((1, 299, 299, 3), [10, 100, 250], np.uint8)
    one, other = viewer.read(small).features, viewer.read(large).features
    np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-6)


def test_no_weights_and_no_network(tiny_run, tmp_path, monkeypatch):
    nobody = "http://127.0.0.1:9/notop.h5"  # the discard port
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr(inception_v3, "WEIGHTS_PATH_NO_TOP", nobody)
    with pytest.raises(InfoGANError) as error:
        evaluate(tiny_run, features="inception")
    assert str(error.value) == (
        "The weights of Keras's InceptionV3 cannot be had (URL fetch failure on "
        f"{nobody}: None -- [Errno 111] Connection refused): put "
        "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5 into ~/.keras/models, or "
        "score with --features=judge."
    )


def test_other_features(tiny_run):
    with pytest.raises(InfoGANError) as error:
        evaluate(tiny_run, features="vgg")
    assert str(error.value) == 'features is "vgg"; it has to be judge or inception.'


def test_grey_images(viewer):
    with pytest.raises(InfoGANError) as error:
        viewer.read(np.zeros((1, 28, 28, 1), np.uint8))
    assert str(error.value) == (
        "InceptionV3 looks at colour images, and these are grey: score them with "
        "--features=judge."
    )


@pytest.fixture(scope="module")
def coloured_run(tiny_spec, tmp_path_factory):
    """Of 80 colour images of which nothing is known."""
    folder = tmp_path_factory.mktemp("coloured")
    images = np.random.default_rng(0).integers(0, 256, (80, 8, 8, 3), np.uint8)
    np.savez(folder / "coloured.npz", images=images)
    last = UpConvolution(3, activation="sigmoid", batch_norm=False)
    spec = dataclasses.replace(
        tiny_spec,
        data=DataSpec("coloured", (8, 8, 3)),
        generator=(*tiny_spec.generator[:-1], last),
    )
    infogan_tf.train(spec, folder / "run", data_dir=folder / "coloured.npz")
    return folder / "run"


def test_too_few_images(viewer, coloured_run, monkeypatch, capsys):
    monkeypatch.setattr(inception, "Inception", lambda: viewer)
    metrics = evaluate(coloured_run, features="inception")
    assert "fidelity/fid" not in metrics
    assert {"mi/c1", "fidelity/kid"} < metrics.keys()  # the other scores are there
    assert capsys.readouterr().out.endswith(
        "FID (8 images are too few for the Fréchet distance: it needs at least 2049 "
        "real and 2049 generated ones).\n"
    )


class MeanColour:
    """Another way to see: three features."""

    def read(self, images):
        return Reading(images.mean(axis=(1, 2)), {})


def test_images_of_which_nothing_is_known_are_compared(coloured_run, monkeypatch, capsys):
    monkeypatch.setattr(inception, "Inception", MeanColour)
    metrics = evaluate(coloured_run, features="inception")
    run = infogan_tf.training.RunDirectory(coloured_run)
    real = run.images().test.images.mean(axis=(1, 2))
    generated = draw(infogan_tf.load(coloured_run), 8)[1].mean(axis=(1, 2))
    assert metrics["fidelity/features"] == "keras_inception_v3"
    assert metrics["fidelity/fid"] == fidelity.frechet_distance(real, generated)
    assert {name for name in metrics if name.startswith("fidelity/")} == {
        *(
            f"fidelity/{name}"
            for name in ("features", "images", "fid", "kid", "kid_stddev")
        ),
        *(f"fidelity/{name}" for name in ("precision", "recall", "spread_of_noise")),
        *(f"fidelity/spread_generated_{of}" for of in ("within", "overall")),
    }
    assert capsys.readouterr().out.endswith(
        "controls (the images have no labels or factors).\n"
    )


def test_the_judge_answers_whoever_sees(tiny_run, monkeypatch):
    """Agreement and trust are the judge's in either space; the distances are not."""
    for name in SCORES.keys() - {"clustering", "fidelity", "FID", "diversity"}:
        monkeypatch.delitem(SCORES, name)  # they take most of the time
    with monkeypatch.context() as patch:
        patch.setattr(inception, "Inception", MeanColour)
        seen = evaluate(tiny_run, features="inception")
    own = evaluate(tiny_run)
    for name in ("clustering/generated_agreement", "fidelity/classifier_accuracy"):
        assert seen[name] == own[name]
    assert seen["fidelity/fid"] != own["fidelity/fid"]
    assert re.fullmatch("judge [0-9a-f]{8} of drawn shapes", own["fidelity/features"])
