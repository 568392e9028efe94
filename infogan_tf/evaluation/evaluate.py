"""Scores a trained run: what each code knows, and how real its images look."""

import functools
import math
import os
from typing import Any

import numpy as np
import tensorflow as tf

from infogan_tf import data, traversal
from infogan_tf.errors import InfoGANError
from infogan_tf.evaluation import (
    clustering,
    control,
    correlation,
    disentanglement,
    fidelity,
    inception,
    information,
    morphology,
    report,
)
from infogan_tf.evaluation import judge as judges
from infogan_tf.evaluation.judge import Amount, Judge
from infogan_tf.latents import Categorical
from infogan_tf.models import GAN, InfoGAN
from infogan_tf.training.run_directory import RunDirectory, write_json
from infogan_tf.training.train import load

BATCH = 500
IMAGES = 10_000  # real and generated ones that are compared, at most
FEATURES = ("judge", "inception")
SAME_CODES = 10  # images with the same codes, to see what the noise changes


def evaluate(
    run_dir: str | os.PathLike,
    *,
    dataset: str | None = None,
    data_dir: str | os.PathLike | None = None,
    features: str = "judge",
    seed: int = 0,
) -> dict[str, Any]:
    """Scores the newest checkpoint of a run; writes its metrics.json and report.html.

    docs/evaluation.md has the protocol of every score. What the images do not allow is
    left out, and said in one printed line.

    Args:
        run_dir: of a training.
        dataset, data_dir: the images to score on; those of the training if not given.
        features: where generated and real images are compared: "judge", in those of a
            network taught the labels and factors of these images; "inception", in those of
            Keras's InceptionV3, for colour images, labelled or not.
        seed: of the generated images and of the estimators.

    Returns:
        `model`, `step`, `seed`, `images`; `mi/<code>`, `mi/<code>_stderr` and, where
        finite, `mi/<code>_max`, in nats. With labels, for the first categorical code or
        the classes of a classifier, `clustering/accuracy`, `/majority_accuracy`, `/nmi`,
        `/ari`, `/code_to_label`, `/generated_agreement`; `classification/accuracy` where
        labels taught the model to classify; for digits, `controls/<code>/slant` and
        `/width`. With factors, `factors/<factor>/code` and `/spearman`,
        `disentanglement/...`, and `controls/<code>/...`. With either, or in Inception's
        features, `fidelity/fid`, `/kid`, `/kid_stddev`, `/precision`, `/recall`,
        `/spread_...` in the space that `fidelity/features` names; with either, how well the
        judge reads them, `fidelity/classifier_accuracy` and `/regressor_r2`.

    Raises:
        InfoGANError: no checkpoint, images that cannot be read, a cache that cannot be
            written, or features that are not there.
    """
    if features not in FEATURES:
        raise InfoGANError(
            f'features is "{features}"; it has to be {" or ".join(FEATURES)}.'
        )
    viewer = inception.Inception() if features == "inception" else None
    run = RunDirectory(run_dir)
    model = load(run_dir)
    spec = run.spec()
    images = run.images(dataset=dataset, data_dir=data_dir)
    labelled = images.train.labels is not None and images.test.labels is not None
    metrics: dict[str, Any] = {
        "model": spec.name,
        "step": int(model.step.numpy()),
        "seed": spec.training.seed,
        "images": images.origin.split(" in ")[0],
    }
    missing = []
    if isinstance(model, InfoGAN):
        metrics |= _information(model, seed)
        if images.test.factors:
            metrics |= _followers(model, images, seed)
            try:
                metrics |= _disentanglement(model, images, seed)
            except InfoGANError as error:
                missing.append(f"disentanglement ({str(error).rstrip('.')})")
        else:
            missing.append("disentanglement (the images have no factors)")
    if labelled:
        metrics |= _clustering(model, images)
        if spec.training.labels and hasattr(model, "classify"):
            found = classes(model, images.test.images) == images.test.labels
            metrics["classification/accuracy"] = float(np.mean(found))
    else:
        missing.append("clustering (the images have no labels)")
    judge = None
    if labelled or images.train.factors:
        judge = judges.cached(images.train)
        digits = spec.data.image_shape == (28, 28, 1) and labelled
        digits = digits and images.train.labels.max() <= 9
        metrics |= _controls(model, judge, seed, digits=digits)
    else:
        missing.append("controls (the images have no labels or factors)")
    if viewer:
        space = inception.NAME
    else:
        viewer = judge
        name = dataset or (spec.data.name if data_dir else run.options()["run"]["dataset"])
        space = f"{name}_{'classifier' if labelled else 'factors'}"
    try:
        found = _fidelity(model, images, judge, viewer, metrics, seed)
        metrics |= {"fidelity/features": space} | found
    except InfoGANError as error:
        missing.append(f"fidelity ({str(error).rstrip('.')})")
    if missing:
        print(f"Not scored: {'; '.join(missing)}.")
    write_json(run.metrics_file, metrics)
    shown = images.test.sample(traversal.ROWS * traversal.STEPS, seed=seed).images
    report.write(run, model, metrics, shown)
    return metrics


def _information(model: InfoGAN, seed: int) -> dict[str, float]:
    metrics = {}
    for name, measured in information.measure(model, seed=seed).items():
        metrics[f"mi/{name}"] = measured.nats
        metrics[f"mi/{name}_stderr"] = measured.standard_error
        if (most := model.latents[name].max_information) < math.inf:
            metrics[f"mi/{name}_max"] = most
    return metrics


def _disentanglement(model: InfoGAN, images: data.ImageData, seed: int) -> dict[str, float]:
    """Of training and test images alike: Q saw no factor of either."""
    count = len(images.train) + len(images.test)
    rows = np.random.default_rng([seed, 3]).permutation(count)[: disentanglement.ROWS]
    in_train = rows < len(images.train)

    def chosen(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Those rows of both together, of which most may lie on disk."""
        found = np.empty((len(rows), *train.shape[1:]), train.dtype)
        found[in_train] = train[rows[in_train]]
        found[~in_train] = test[rows[~in_train] - len(train)]
        return found

    codes = read_codes(model, chosen(images.train.images, images.test.images))
    sample = disentanglement.Sample.of(
        np.stack(list(codes.values()), axis=1),
        tuple(values.dtype.kind == "i" for values in codes.values()),
        {
            name: chosen(values, images.test.factors[name])
            for name, values in images.train.factors.items()
        },
    )
    scores = disentanglement.measure(sample, seed=seed)
    return {f"disentanglement/{name}": value for name, value in scores.items()}


def _followers(model: InfoGAN, images: data.ImageData, seed: int) -> dict[str, Any]:
    splits = [split.sample(IMAGES, seed=seed) for split in (images.train, images.test)]
    names = [code.name for code in model.latents.codes if not code.discrete]
    read = [read_codes(model, split.images) for split in splits]
    train_codes, test_codes = ({name: codes[name] for name in names} for codes in read)
    found = correlation.followers(train_codes, splits[0], test_codes, splits[1])
    return {
        f"factors/{factor}/{name}": value
        for factor, follower in found.items()
        for name, value in vars(follower).items()
    }


def _category(model: GAN) -> Categorical | None:
    """The code that is compared with the labels: the label, or what Q reads first."""
    codes = [code for code in model.latents.codes if isinstance(code, Categorical)]
    if not isinstance(model, InfoGAN):
        codes = [code for code in codes if code.name == "label"]
    return codes[0] if codes else None


def _clustering(model: GAN, images: data.ImageData) -> dict[str, Any]:
    code = _category(model)
    if isinstance(model, InfoGAN) and code:
        count = code.categories
        read = functools.partial(most_probable, model, code.name)
    elif hasattr(model, "classify"):
        count, read = model.label_count, functools.partial(classes, model)
    else:
        return {}
    scores = clustering.score(
        read(images.train.images),
        images.train.labels,
        read(images.test.images),
        images.test.labels,
        category_count=count,
    )
    return {f"clustering/{name}": value for name, value in vars(scores).items()}


def _fidelity(
    model: GAN,
    images: data.ImageData,
    judge: Judge | None,
    viewer: Judge | inception.Inception | None,
    metrics: dict[str, Any],
    seed: int,
) -> dict[str, Any]:
    """Test images, and as many generated ones: what the judge answers, the viewer sees."""
    if viewer is None:
        raise InfoGANError(
            "the images have no labels or factors; --features=inception compares colour "
            "images without"
        )
    test = images.test.sample(IMAGES, seed=seed)
    codes, drawn = draw(model, len(test), seed=seed)
    real, generated = viewer.read(test.images), viewer.read(drawn)
    found: dict[str, Any] = {}
    if judge:
        answers = [
            (seen if judge is viewer else judge.read(pixels)).answers
            for seen, pixels in ((real, test.images), (generated, drawn))
        ]
        found |= _trust(judge, judges.known(test), answers[0])
        found |= _agreement(model, codes, answers[1], metrics)
    scores = vars(fidelity.measure(real.features, generated.features, seed=seed))
    found |= {f"fidelity/{name}": value for name, value in scores.items()}
    spreads = {}
    if test.labels is not None:
        spreads["real"] = fidelity.spread(real.features, test.labels)
    if code := _category(model):
        spreads["generated"] = fidelity.spread(generated.features, codes[code.name])
    for name, (within, overall) in spreads.items():
        found[f"fidelity/spread_{name}_within"] = within
        found[f"fidelity/spread_{name}_overall"] = overall
    if model.latents.codes:
        codes, drawn = draw(model, len(test), seed=seed, same_codes=SAME_CODES)
        groups = np.arange(len(test)) // SAME_CODES
        within, overall = fidelity.spread(viewer.read(drawn).features, groups)
        found["fidelity/spread_of_noise"] = within / overall if overall else 0.0
    return found


def _agreement(
    model: GAN,
    codes: dict[str, np.ndarray],
    answers: dict[str, np.ndarray],
    metrics: dict[str, Any],
) -> dict[str, float]:
    """How many generated images are read as what their category stands for."""
    code = _category(model)
    if code is None or judges.LABEL not in answers:
        return {}
    if code.name == judges.LABEL:
        asked = range(code.categories)
    else:
        asked = metrics["clustering/code_to_label"]
    agree = answers[judges.LABEL] == np.array(asked)[codes[code.name]]
    return {"clustering/generated_agreement": float(np.mean(agree))}


def _trust(
    judge: Judge, truth: dict[str, np.ndarray], answers: dict[str, np.ndarray]
) -> dict[str, float]:
    """How well the judge reads real test images: the mean over what it is asked."""
    scores: dict[str, list[float]] = {}
    for name, question in judge.questions.items():
        score = "regressor_r2" if isinstance(question, Amount) else "classifier_accuracy"
        scores.setdefault(score, []).append(question.score(truth[name], answers[name]))
    return {f"fidelity/{name}": float(np.mean(all_)) for name, all_ in scores.items()}


def _controls(model: GAN, judge: Judge, seed: int, *, digits: bool) -> dict[str, Any]:
    """Of a continuous code every measure, of a discrete one the measure it moves most."""
    spreads = {  # of what the mean of an answer means something
        name: question.stddev if isinstance(question, Amount) else 1.0
        for name, question in judge.questions.items()
        if isinstance(question, Amount) or set(question.values) == {0, 1}
    }

    def measure(images: np.ndarray) -> dict[str, np.ndarray]:
        found = {}
        if digits:
            slant, width = morphology.slant_and_width(images)
            found |= {"slant": slant, "width": width}
        if spreads:
            read = judge.read(np.rint(255 * np.clip(images, 0, 1)).astype(np.uint8))
            found |= {name: read.answers[name] for name in spreads}
        return found

    found: dict[str, Any] = {}
    for code in model.latents.codes:
        if not (spreads or (digits and not code.discrete)):
            continue
        controls = control.controls(model, code.name, measure, seed=seed)
        if code.discrete:
            moved = {name: controls[name].change / spreads[name] for name in spreads}
            most = max(moved, key=moved.__getitem__)
            found[f"controls/{code.name}/most"] = most
            found[f"controls/{code.name}/most_change"] = controls[most].change
            continue
        for name, one in controls.items():
            found[f"controls/{code.name}/{name}"] = one.correlation
            found[f"controls/{code.name}/{name}_change"] = one.change
    return found


def draw(
    model: GAN, count: int, *, seed: int = 0, same_codes: int = 1
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Images from the prior, and what they were made of.

    Args:
        model: the generator.
        count: of images.
        seed: of the draws.
        same_codes: so many images in a row share their codes, and differ in the noise; a
            divisor of `BATCH`.

    Returns:
        Each code's values [count] by name, and "noise" [count, size]; the images, uint8
        [count, height, width, channels], rounded to bytes as real ones are.
    """
    parts = []
    for place in range(0, count, BATCH):
        draws = tf.random.experimental.stateless_fold_in(
            tf.constant([seed, 3], tf.int32), place
        )
        latents = model.latents.sample(min(BATCH, count - place), draws)
        for code in model.latents.codes:
            first = np.arange(len(latents["noise"])) // same_codes * same_codes
            latents[code.name] = tf.gather(latents[code.name], first)
        images = np.rint(255 * np.clip(model.generate_images(latents), 0, 1))
        parts.append({**latents, "images": images.astype(np.uint8)})
    drawn = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    return drawn, drawn.pop("images")


def read_codes(model: InfoGAN, images: np.ndarray) -> dict[str, np.ndarray]:
    """What Q reads in images (uint8 [n, H, W, C]), each code's values [n] by name.

    The most probable value of a discrete code (int64), the mean of a continuous one.
    """
    parts: dict[str, list[np.ndarray]] = {code.name: [] for code in model.latents.codes}
    for place in range(0, len(images), BATCH):
        posterior = model.recognize(
            images[place : place + BATCH].astype(np.float32) / 255.0
        )
        for name, found in posterior.items():
            discrete = "probabilities" in found
            parts[name].append(
                found["probabilities"].argmax(axis=1) if discrete else found["mean"]
            )
    return {name: np.concatenate(values) for name, values in parts.items()}


def classes(model: GAN, images: np.ndarray) -> np.ndarray:
    """The most probable class of each image (uint8 [n, H, W, C]), int64 [n]."""
    parts = []
    for place in range(0, len(images), BATCH):
        pixels = images[place : place + BATCH].astype(np.float32) / 255.0
        parts.append(model.classify(pixels).numpy().argmax(axis=1))
    return np.concatenate(parts)


def most_probable(model: InfoGAN, code_name: str, images: np.ndarray) -> np.ndarray:
    """The most probable category of each image (uint8 [n, H, W, C]), int64 [n]."""
    return read_codes(model, images)[code_name]


def table(metrics: dict[str, Any]) -> str:
    """The metrics for a terminal, a line each; the confusion matrix is in the report."""
    width = max(map(len, metrics))
    lines = []
    for name, value in metrics.items():
        if name == "clustering/confusion":
            continue
        shown = f"{value:.4f}" if isinstance(value, float) else str(value)
        lines.append(f"{name:{width}}  {shown}")
    return "\n".join(lines)
