"""Scores against known answers, and metrics.json of a real run."""

import base64
import dataclasses
import io
import itertools
import json
import math
import re
import shutil
import subprocess

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import infogan_tf
from infogan_tf import data, files
from infogan_tf.blocks import Dense, Reshape, UpConvolution
from infogan_tf.errors import InfoGANError
from infogan_tf.evaluation import (
    clustering,
    comparison,
    control,
    correlation,
    disentanglement,
    evaluate,
    information,
    judge,
    most_probable,
    table,
)
from infogan_tf.evaluation.batches import draw
from infogan_tf.latents import Categorical, LatentSpace, Noise
from infogan_tf.models import InfoGAN
from infogan_tf.spec import DataSpec


def score(train, test, count):
    """`train` and `test`: (categories, labels)."""
    arrays = [np.array(values) for values in (*train, *test)]
    return clustering.score(*arrays, category_count=count)


# --- clustering ------------------------------------------------------------------------


@given(permutation=st.permutations(range(10)))
def test_the_names_of_categories_do_not_matter(permutation):
    labels = np.arange(30) % 10
    categories = np.array(permutation)[labels]
    found = score((categories, labels), (categories[:20], labels[:20]), 10)
    assert (found.accuracy, found.nmi, found.ari) == pytest.approx((1, 1, 1))
    assert [found.code_to_label[category] for category in permutation] == [*range(10)]
    assert np.sum(found.confusion) == np.trace(np.array(found.confusion)[:, permutation])


def test_categories_drawn_by_chance_score_as_chance():
    draw = np.random.default_rng(0).integers(0, 10, (4, 10_000))
    found = score(draw[:2], draw[2:], 10)
    # a share of 10,000 at 1/10 has a standard deviation of sqrt(.1 x .9 / 10,000) = .003
    assert found.accuracy == pytest.approx(0.1, abs=5 * 0.003)
    assert found.nmi < 0.005
    assert abs(found.ari) < 0.005


def test_the_map_is_fitted_on_the_training_images_alone():
    found = score(([0, 0, 1, 1], [0, 0, 1, 1]), ([0, 0, 1, 1], [1, 1, 0, 0]), 2)
    assert found.code_to_label == (0, 1)
    assert found.accuracy == 0
    assert (found.nmi, found.ari) == pytest.approx((1, 1))  # these need no map


def test_a_label_goes_to_one_category_only():
    # Both prefer label 0. One to one: 0 -> 0 and 1 -> 1 match 3 + 1 of 6, the other way
    # 0 + 2; a majority vote would count 3 + 2.
    pairs = ([0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1])
    found = score(pairs, pairs, 2)
    assert found.code_to_label == (0, 1)
    assert found.accuracy == pytest.approx(4 / 6)


def test_more_categories_than_labels_leave_some_unmatched():
    pairs = ([0, 0, 0, 1, 2, 2], [1, 1, 1, 1, 0, 0])
    found = score(pairs, pairs, 4)  # category 3 is never used
    assert found.code_to_label == (1, clustering.UNMATCHED, 0, clustering.UNMATCHED)
    assert found.accuracy == pytest.approx(5 / 6)


def test_fewer_categories_than_labels():
    pairs = ([0, 0, 0, 1, 1], [2, 2, 0, 1, 1])
    found = score(pairs, pairs, 2)
    assert found.code_to_label == (2, 1)
    assert found.accuracy == pytest.approx(4 / 5)


def test_nmi_and_ari_of_a_two_by_two_table():
    # Counts [[3, 1], [1, 3]], every margin 4 of 8.
    # NMI: each H = ln 2; I = 6/8 ln(3/8 / 1/4) + 2/8 ln(1/8 / 1/4) = .130812 nats;
    #      I / ln 2 = .188722.
    # ARI: pairs together in a cell 2 C(3, 2) = 6, in a margin 2 C(4, 2) = 12, of
    #      C(8, 2) = 28; chance 12 x 12 / 28 = 36/7; (6 - 36/7) / (12 - 36/7) = 1/8.
    pairs = ([0, 0, 0, 0, 1, 1, 1, 1], [0, 0, 0, 1, 0, 1, 1, 1])
    found = score(pairs, pairs, 2)
    assert found.accuracy == 6 / 8
    assert found.nmi == pytest.approx(0.188722, abs=1e-6)
    assert found.ari == pytest.approx(1 / 8)


# --- information -----------------------------------------------------------------------


@pytest.fixture
def deaf(tiny_spec):
    """Makes a model whose Q says the same of every image: kernel 0 and this bias."""
    model = infogan_tf.build(tiny_spec)

    def with_bias(**columns):
        widths = {code.name: code.recognition_width for code in model.latents.codes}
        assert widths == {"c1": 3, "c2": 2, "c3": 2, "c4": 2}
        bias = [columns.get(name, [0.0] * width) for name, width in widths.items()]
        kernel, _ = model.recognition_output.get_weights()
        model.recognition_output.set_weights([0 * kernel, np.concatenate(bias)])
        return model

    return with_bias


def test_a_uniform_q_knows_exactly_nothing(deaf):
    found = information.measure(deaf(), count=600)
    for code in ("c1", "c4"):  # ln(1/K) + ln K
        assert (found[code].nats, found[code].standard_error) == (0, 0)


def test_a_q_that_is_sure_and_wrong_is_below_zero(deaf):
    # Q bets e^20 : 1 : 1 on category 0, which is right for a third of the draws:
    # 0 or -20, so the mean is ln 3 - 20 x 2/3 = -12.2347 and one draw's standard
    # deviation 20 sqrt(1/3 x 2/3) = 9.428.
    # On U(-1, 1) with Q = N(0, 1/3), the prior's own variance (e^raw = 1.8 spreads gives
    # one spread, see _Continuous): ln 2 - ln(2 pi e / 3) / 2 = -0.1765.
    q = {"c1": [20.0, 0.0, 0.0], "c2": [0.0, math.log(1.8 / math.sqrt(3))]}
    model = deaf(**q)
    large, small = (information.measure(model, count=n) for n in (10_000, 750))
    assert large["c1"].standard_error == pytest.approx(9.428 / 100, rel=0.02)
    # The error falls with the root of the count; two parts of 500 and 250 make up 750.
    assert small["c1"].standard_error == pytest.approx(9.428 / math.sqrt(750), rel=0.1)
    for code, nats in {"c1": -12.2347, "c2": -0.1765}.items():
        for found in (large[code], small[code]):
            assert found.nats == pytest.approx(nats, abs=4 * found.standard_error)


def test_information_is_a_function_of_the_seed(tiny_spec):
    model = infogan_tf.build(tiny_spec)
    one, again, other = (information.measure(model, count=50, seed=s) for s in (1, 1, 2))
    assert one == again
    assert one["c2"] != other["c2"]


@pytest.fixture(scope="module")
def telepath():
    """G writes the category into four pixels as it is, and Q reads it from there."""
    model = InfoGAN(
        latents=LatentSpace((Categorical("c1", 3),), Noise(1)),
        generator=keras.Sequential(
            [keras.Input([4]), keras.layers.Reshape([1, 4, 1])], name="generator"
        ),
        trunk=keras.Sequential(
            [keras.Input([1, 4, 1]), keras.layers.Flatten()], name="trunk"
        ),
        recognition=keras.Sequential(
            [keras.Input([4]), keras.layers.Identity()], name="recognition"
        ),
    )
    model.recognition_output.set_weights([40 * np.eye(4, 3), np.zeros(3)])
    return model


def test_a_q_that_reads_everything_reaches_the_entropy(telepath):
    found = information.measure(telepath, count=600)["c1"]
    assert found.nats == pytest.approx(math.log(3), abs=1e-6)
    assert found.standard_error < 1e-6


def test_every_image_gets_its_most_probable_category(telepath):
    categories = np.random.default_rng(0).integers(0, 3, 1_203)  # 500 + 500 + 203
    images = 255 * np.eye(3, 4, dtype=np.uint8)[categories].reshape(-1, 1, 4, 1)
    np.testing.assert_array_equal(most_probable(telepath, "c1", images), categories)


SETS = ("real", "generated")


# --- evaluate --------------------------------------------------------------------------


@pytest.fixture(scope="module", autouse=True)
def brief():
    """Scores of the tiny run need no precision."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(judge, "STEPS", 60)
        patch.setattr(disentanglement, "VOTES", 300)
        yield


@pytest.fixture(scope="module")
def evaluated(tiny_run):
    """What evaluate returned and what it wrote."""
    returned = evaluate(tiny_run)
    return returned, json.loads((tiny_run / "metrics.json").read_text())


def test_metrics_json_holds_what_is_returned(evaluated):
    returned, written = evaluated
    assert written == json.loads(json.dumps(returned, allow_nan=False))
    codes = {
        f"mi/{code}{part}" for code in ("c1", "c2", "c3", "c4") for part in ("", "_stderr")
    }
    most = {f"mi/{code}_max" for code in ("c1", "c2", "c3", "c4")}
    parts = ("accuracy", "majority_accuracy", "nmi", "ari", "code_to_label", "confusion")
    scores = {f"clustering/{part}" for part in (*parts, "generated_agreement", "images")}
    scores |= {
        f"fidelity/{score}"
        for score in (
            *("features", "classifier_accuracy", "regressor_r2", "spread_of_noise"),
            *("images", "fid", "kid", "kid_stddev", "precision", "recall"),
            *(f"spread_{of}_{over}" for of in SETS for over in ("within", "overall")),
        )
    }
    scores |= {
        f"disentanglement/{score}"
        for score in (
            *("mig", "dci", "dci_completeness", "dci_informativeness", "sap"),
            *("factor_vae", "beta_vae", "modularity", "explicitness", "images", "factors"),
            *("sap_stddev", "factor_vae_stddev", "beta_vae_stddev", "explicitness_stddev"),
            *("dci_lasso", "dci_forest"),
        )
    }
    scores |= {
        f"factors/{n}/{p}" for n in ("x", "y", "scale") for p in ("code", "spearman")
    }
    scores |= {"factors/shape/code", "factors/shape/accuracy"}  # c1 has as many values
    scores |= {
        f"controls/{code}/{name}{part}"
        for code in ("c2", "c3")
        for name in ("x", "y", "scale")
        for part in ("", "_change")
    }
    scores |= {f"controls/{c}/{n}" for c in ("c1", "c4") for n in ("most", "most_change")}
    header = {"model", "step", "seed", "images"}
    assert written.keys() == header | codes | most | scores
    assert written["model"] == "tiny_infogan"
    assert (written["step"], written["seed"]) == (20, 0)
    assert written["images"] == "drawn shapes"
    assert written["mi/c1_max"] == pytest.approx(math.log(3))
    assert written["mi/c4_max"] == pytest.approx(math.log(2))


def test_the_best_code_is_chosen_on_training_images_and_scored_on_test_images():
    """By hand: c2 is the factor backwards; on test images three of four are in order.

    Ranks 1 2 3 4 against 4 3 1 2: squared differences 9 + 1 + 4 + 4 = 18, and
    rho = 1 - 6 * 18 / (4 * (16 - 1)) = -0.8.
    """
    angle = np.array([0.1, 0.2, 0.3, 0.4], np.float32)
    kind = np.array([0, 0, 1, 1])  # kinds have no order
    split = data.Split(
        np.zeros([4, 1, 1, 1], np.uint8), None, {"angle": angle, "kind": kind}
    )
    train_codes = {"c1": np.array([0.3, 0.1, 0.4, 0.2]), "c2": -angle}
    test_codes = {"c1": angle, "c2": np.array([9.0, 8.0, 1.0, 2.0])}
    found = correlation.followers(train_codes, split, test_codes, split)
    assert list(found) == ["angle"]
    assert found["angle"].code == "c2"
    assert found["angle"].spearman == pytest.approx(-0.8)
    constant = {"c1": np.zeros(4)}
    assert correlation.followers(constant, split, constant, split)["angle"].spearman == 0
    assert correlation.followers({}, split, {}, split) == {}


def test_a_category_sorts_by_the_factor_that_has_as_many_kinds():
    """By hand: on training images c2 errs once in six, c3 three times; so c2 is chosen.

    Its map is 2 -> 0, 0 -> 1, 1 -> 2. On test images it reads 2 0 1 0, which are the kinds
    0 1 2 1, and the truth is 0 1 2 2: three of four.
    """

    def split(shape, chair):
        factors = {"shape": np.array(shape), "chair": np.array(chair)}
        factors["angle"] = np.zeros(len(shape), np.float32)
        return data.Split(np.zeros([len(shape), 1, 1, 1], np.uint8), None, factors)

    train = split([0, 0, 1, 1, 2, 2], [0, 1, 2, 3, 4, 5])
    test = split([0, 1, 2, 2], [0, 1, 2, 3])
    train_codes = {
        "c1": np.zeros(6, int),  # of ten values
        "c2": np.array([2, 2, 0, 0, 1, 0]),
        "c3": np.array([0, 1, 1, 2, 2, 0]),
    }
    test_codes = {
        "c1": np.zeros(4, int),
        "c2": np.array([2, 0, 1, 0]),
        "c3": np.array([0, 1, 2, 2]),  # better here, where nothing is chosen
    }
    sizes = {"c1": 10, "c2": 3, "c3": 3}
    found = correlation.sorters(train_codes, train, test_codes, test, sizes)
    assert found == {"shape": correlation.Sorter("c2", 0.75)}
    assert correlation.sorters({}, train, {}, test, {}) == {}


def test_the_scores_are_those_of_the_saved_model(evaluated, tiny_run, tiny_spec):
    written = evaluated[1]
    model = infogan_tf.load(tiny_run)
    for name, found in information.measure(model).items():
        assert written[f"mi/{name}"] == pytest.approx(found.nats, abs=1e-5)
    images = data.load(tiny_spec.data)
    categories = {
        split: model.recognize(getattr(images, split).images / np.float32(255))["c1"][
            "probabilities"
        ].argmax(1)
        for split in ("train", "test")
    }
    # Every one-to-one map, by hand: the one with most matches on the training images.
    best = max(
        itertools.permutations(range(3)),
        key=lambda m: np.sum(np.array(m)[categories["train"]] == images.train.labels),
    )
    accuracy = np.mean(np.array(best)[categories["test"]] == images.test.labels)
    assert written["clustering/accuracy"] == pytest.approx(accuracy)


@pytest.fixture(scope="module")
def npz_of_shapes(tiny_spec, tmp_path_factory):
    """Writes the tiny model's images in their own order, with `labels` as given."""
    images = data.load(tiny_spec.data)
    held = np.arange(len(images.train) + len(images.test)) % 10 == 9

    def merged(train, test):
        both = np.empty((len(held), *train.shape[1:]), train.dtype)
        both[~held], both[held] = train, test
        return both

    def write(change=None):
        arrays = {"images": merged(images.train.images, images.test.images)}
        if change:
            arrays["labels"] = merged(images.train.labels, change(images.test.labels))
        path = tmp_path_factory.mktemp("shapes") / "shapes.npz"
        np.savez(path, **arrays)
        return {"dataset": "shapes", "data_dir": path}

    return write


def test_labels_of_test_images_are_read_by_the_scores_alone(
    evaluated, tiny_run, npz_of_shapes, tmp_path
):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    right = evaluate(run, **npz_of_shapes(lambda labels: labels))
    absurd = evaluate(run, **npz_of_shapes(lambda labels: labels + 50))
    for metrics in (right, absurd):
        assert metrics["images"].endswith("shapes.npz")
        for name in ("clustering/code_to_label", "mi/c1", "mi/c2"):
            assert metrics[name] == evaluated[0][name]
    assert right["clustering/accuracy"] == evaluated[0]["clustering/accuracy"] > 0
    assert absurd["clustering/accuracy"] == 0


def test_training_does_without_labels(tiny_run, tiny_spec, npz_of_shapes, tmp_path, capsys):
    run, source = tmp_path / "run", npz_of_shapes()
    unlabelled = infogan_tf.train(tiny_spec, run, **source)
    labelled = infogan_tf.load(tiny_run)
    for ours, theirs in zip(unlabelled.variables, labelled.variables, strict=True):
        np.testing.assert_array_equal(ours.numpy(), theirs.numpy(), err_msg=ours.path)
    capsys.readouterr()
    metrics = evaluate(run)  # finds the images where the training had them
    assert metrics["images"].endswith("shapes.npz")
    assert "mi/c1" in metrics
    assert {name.split("/")[0] for name in metrics} == {
        *("model", "step", "seed", "images", "mi")
    }
    assert capsys.readouterr().out == (
        "Not scored: disentanglement (the images have no factors); clustering (the images "
        "have no labels); controls (the images have no labels or factors); fidelity, FID, "
        "KID, precision and recall, diversity (the images have no labels or factors; "
        "--features=inception compares colour images without).\n"
    )


def test_agreement_is_that_of_the_classifier(evaluated, tiny_run, tiny_spec):
    metrics = evaluated[0]
    shapes = data.load(tiny_spec.data)
    model = infogan_tf.load(tiny_run)
    codes, images = draw(model, len(shapes.test))
    assert images.dtype == np.uint8 and images.shape == shapes.test.images.shape
    np.testing.assert_allclose(
        images[:5] / 255,
        model.generate_images({k: tf.constant(v) for k, v in codes.items()})[:5],
        atol=0.51 / 255,
    )
    read = judge.cached(shapes.train).read(images).answers["label"]
    label_of = metrics["clustering/code_to_label"]
    agree = [label_of[c] == label for c, label in zip(codes["c1"], read, strict=True)]
    assert metrics["clustering/generated_agreement"] == pytest.approx(np.mean(agree))


def test_a_sample_is_of_all_rows_in_their_order():
    split = data.Split(np.arange(1000, dtype=np.uint8).reshape(-1, 1, 1, 1))
    rows = data.Split(split.images, np.arange(1000)).sample(100, seed=1).labels
    assert len(rows) == 100 and (np.diff(rows) > 0).all()
    assert rows.min() < 100 and rows.max() > 900
    assert split.sample(1000) is split


def test_images_that_share_their_codes_differ_in_the_noise(tiny_run):
    codes, _ = draw(infogan_tf.load(tiny_run), 7, same_codes=3)
    for name in ("c1", "c2", "c3", "c4"):
        np.testing.assert_array_equal(codes[name], codes[name][[0, 0, 0, 3, 3, 3, 6]])
    assert len(np.unique(codes["c2"])) == 3
    assert len(np.unique(codes["noise"], axis=0)) == 7


def test_factors_without_labels_are_judged(tiny_spec, tmp_path):
    shapes = data.load(tiny_spec.data).train
    factors = np.stack([shapes.factors["x"], shapes.factors["y"]], axis=1)
    archive = tmp_path / "shapes.npz"
    np.savez(archive, images=shapes.images, factors=factors, factor_names=["x", "y"])
    source = {"dataset": "shapes", "data_dir": archive}
    infogan_tf.train(tiny_spec, tmp_path / "run", **source)
    metrics = evaluate(tmp_path / "run")
    digest = judge.cached(data.load(tiny_spec.data, **source).train).digest[:8]
    assert metrics["fidelity/features"] == f"judge {digest} of shapes.npz"
    assert metrics["fidelity/images"] == metrics["disentanglement/images"] // 10
    assert metrics["disentanglement/factors"] == "x, y"
    assert metrics["fidelity/fid"] > 0
    assert np.isfinite(metrics["fidelity/regressor_r2"])
    assert metrics["fidelity/spread_of_noise"] > 0
    assert {"clustering/accuracy", "fidelity/spread_real_within"}.isdisjoint(metrics)
    assert metrics["controls/c1/most"] in ("x", "y")


def test_digits_are_measured_and_too_few_images_are_named(tiny_spec, tmp_path, capsys):
    spec = dataclasses.replace(
        tiny_spec,
        data=DataSpec("digits", (28, 28, 1)),
        generator=(
            Dense(14 * 14, activation="relu"),
            Reshape(14, 14, 1),
            UpConvolution(1, activation="sigmoid", batch_norm=False),
        ),
        training=dataclasses.replace(tiny_spec.training, steps=2),
    )
    infogan_tf.train(spec, tmp_path / "run")
    metrics = evaluate(tmp_path / "run")
    assert "held_out" not in metrics
    for code in ("c2", "c3"):
        for name in ("slant", "width"):
            assert -1 <= metrics[f"controls/{code}/{name}"] <= 1
            assert f"controls/{code}/{name}_change" in metrics
    assert "controls/c1/slant" not in metrics
    assert metrics["fidelity/features"].endswith(" of scikit-learn's handwritten digits")

    few = data.digits.load((28, 28, 1)).train.take(slice(300))
    archive = tmp_path / "few.npz"
    np.savez(archive, images=few.images, labels=few.labels, factors=few.labels[:, None])
    capsys.readouterr()
    metrics = evaluate(tmp_path / "run", dataset="few", data_dir=archive)
    assert metrics["held_out"] == "not known"
    assert "fidelity/fid" not in metrics
    # what 30 images are enough for is there, and how far the judge can be trusted
    assert {"fidelity/kid", "fidelity/recall", "fidelity/spread_of_noise"} < metrics.keys()
    assert metrics["fidelity/images"] == metrics["clustering/images"] == 30
    assert 0 <= metrics["fidelity/classifier_accuracy"] <= 1
    printed = capsys.readouterr().out
    assert "so it may have been trained on images that it is scored on.\n" in printed
    assert "FID (30 images are too few for the Fréchet distance: it needs" in printed
    assert "disentanglement (The factors have 10 values" in printed


# --- the report ------------------------------------------------------------------------


def test_the_confusion_has_rows_of_labels_and_columns_of_categories():
    pairs = ([0, 0, 1, 1, 1], [1, 1, 0, 0, 1])
    assert score(pairs, pairs, 2).confusion == ((0, 2), (2, 1))


def test_the_report_holds_everything_it_shows(evaluated, tiny_run):
    page = (tiny_run / "report.html").read_text()
    metrics = evaluated[0]
    assert not re.findall(r'(?:src|href)="(?!data:|#)[^"]*"', page)  # no network
    assert f"{metrics['mi/c1']:.4f}" in page and f"{metrics['fidelity/fid']:.4f}" in page
    assert "<svg" in page and '"images_sha256"' in page.replace("&#34;", '"')
    pictures = re.findall(r'alt="([^"]*)" src="data:image/png;base64,([^"]*)"', page)
    titles = [title for title, _ in pictures]
    assert titles[-2:] == ["tiny_infogan, step 20: samples", "real images: drawn shapes"]
    assert titles[0] == "tiny_infogan, step 20: c1 changes" and len(titles) == 6
    for _, data_of_png in pictures:
        Image.open(io.BytesIO(base64.b64decode(data_of_png))).load()


@pytest.mark.skipif(not shutil.which("chromium"), reason="NO BROWSER: chromium is not here")
def test_a_browser_shows_the_report(evaluated, tiny_run):
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    file = (tiny_run / "report.html").as_uri()
    shown = subprocess.run(
        ["chromium", *options, file], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    confusion = re.search(r'<table id="confusion">(.*?)</table>', shown, re.DOTALL)[1]
    counts = [int(count) for count in re.findall(r">(\d+)\s*</td>", confusion)]
    assert counts == list(itertools.chain(*evaluated[0]["clustering/confusion"]))


def test_runs_are_compared_in_one_table(evaluated):
    one = evaluated[0]
    other = {**one, "seed": 1, "clustering/accuracy": one["clustering/accuracy"] / 2}
    del other["mi/c1"]
    lines = comparison([one, other]).splitlines()
    assert len(set(map(len, lines))) == 1  # a terminal shows straight columns
    name, rule, *rows = ([c.strip() for c in line.strip("|").split("|")] for line in lines)
    assert name == ["model", *["tiny_infogan"] * 2, "mean", "least", "most"]
    assert all(set(cell) <= {"-", ":"} for cell in rule)
    cells = {name: row for name, *row in rows}
    assert cells["seed"] == ["0", "1", "", "", ""]
    accuracy = one["clustering/accuracy"]
    assert cells["clustering/accuracy"] == [
        f"{accuracy * part:.4f}" for part in (1, 0.5, 0.75, 0.5, 1)
    ]
    bound = f"{one['mi/c1']:.4f}"
    assert cells["mi/c1"] == [bound, "", "", "", ""]
    assert "mi/c1_stderr" not in cells
    assert cells["images"] == ["drawn shapes", "drawn shapes", "", "", ""]
    assert cells["clustering/images"][0] == str(one["clustering/images"])
    assert "" not in cells["fidelity/fid"]


def test_no_mean_is_taken_over_two_spaces(evaluated):
    other = {**evaluated[0], "fidelity/features": "keras_inception_v3"}
    rows = (
        line.strip("|").split("|")
        for line in comparison([evaluated[0], other]).splitlines()
    )
    cells = {name.strip(): [cell.strip() for cell in row] for name, *row in rows}
    assert cells["fidelity/fid"][2:] == ["", "", ""]
    assert "" not in cells["clustering/accuracy"]
    assert cells["fidelity/features"][1] == "keras_inception_v3"


SCORED = {"model": "m", "seed": 0, "step": 5, "mi/c1": 2.25}


@pytest.mark.parametrize(
    ("metrics", "lacking"),
    [
        ({}, "model, seed, step"),
        ([], "model, seed, step"),
        (None, "model, seed, step"),
        ({"model": "m", "step": 5}, "seed"),
        ({**SCORED, "mi/c1": None}, "mi/c1"),
    ],
)
def test_a_run_that_cannot_be_compared_is_named(metrics, lacking):
    with pytest.raises(InfoGANError) as error:
        comparison([SCORED, metrics])
    assert str(error.value) == (
        f"metrics.json of run 2 of 2 says nothing of {lacking}: score it with "
        "tools/evaluate.py again."
    )


def test_a_measure_that_no_image_has_is_left_out(tiny_run):
    """Black images have no slant; their mean over none of them would be no number."""
    model = infogan_tf.load(tiny_run)

    def measure(images):
        nothing = np.full(len(images), np.nan)
        half = np.where(np.arange(len(images)) % 2, 1.0, np.nan)
        return {"slant": nothing, "ink": images.mean(axis=(1, 2, 3)), "half": half}

    for code in ("c1", "c2"):  # a discrete one and a continuous one
        assert set(control.controls(model, code, measure)) == {"ink", "half"}


# --- what cannot be ----------------------------------------------------------------------


def message(run_dir, **options):
    with pytest.raises(InfoGANError) as error:
        evaluate(run_dir, **options)
    return str(error.value)


@pytest.mark.parametrize("exists", [True, False])
def test_not_a_run_directory(tmp_path, exists):
    run = tmp_path / "run"
    if exists:
        run.mkdir()
    assert message(run) == (
        f"{run} is not a run directory (it has no options.json): give the --run_dir of a "
        "training."
    )
    assert run.exists() == exists
    assert not list(run.glob("*"))


def test_a_run_without_a_checkpoint(tiny_run, tmp_path):
    shutil.copy(tiny_run / "options.json", tmp_path)
    assert message(tmp_path) == (
        f"{tmp_path} has no checkpoint: train it first, with python tools/train.py "
        f"--model=tiny_infogan --run_dir={tmp_path}"
    )
    assert not (tmp_path / "metrics.json").exists()


@pytest.mark.parametrize("content", ['{"run": {"spec"', "", "\udcff", "{}", "[]"])
def test_damaged_options(tmp_path, content):
    file = tmp_path / "options.json"
    file.write_bytes(content.encode(errors="surrogateescape"))
    assert message(tmp_path).startswith(f"{file} cannot be read: ")


def test_images_that_are_gone(tiny_run, tmp_path):
    gone = tmp_path / "gone"
    assert message(tiny_run, dataset="mnist", data_dir=gone) == (
        f"--data_dir: {gone} does not exist."
    )


def test_a_cache_that_cannot_be_written(tiny_run, tmp_path, monkeypatch):
    """It would cost half of the scores, so it is no reason to go on without a word."""
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "metrics.json").unlink(missing_ok=True)
    (tmp_path / "cache").write_text("not a folder")
    monkeypatch.setenv("INFOGAN_TF_CACHE", str(tmp_path / "cache"))
    assert "The network that judges images cannot be kept in" in message(run)
    assert not (run / "metrics.json").exists()


def test_a_file_that_cannot_be_written(tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "metrics.json").unlink(missing_ok=True)
    (run / "metrics.json").mkdir()
    assert f"{run / 'metrics.json'} cannot be written" in message(run)
    assert not [path for path in run.iterdir() if path.name.startswith(files.ASIDE)]


def test_the_table_is_a_line_each():
    metrics = {"model": "tiny", "mi/c1": 1.23456, "step": 20, "map": (1, -1)}
    assert table(metrics).splitlines() == [
        "model  tiny",
        "mi/c1  1.2346",
        "step   20",
        "map    (1, -1)",
    ]
