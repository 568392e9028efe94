"""What a trained run is scored on: each score is a function of a `Subject`."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from infogan_tf.data import ImageData, Split
from infogan_tf.errors import InfoGANError
from infogan_tf.evaluation import (
    clustering,
    control,
    correlation,
    disentanglement,
    fidelity,
    information,
    morphology,
)
from infogan_tf.evaluation import judge as judges
from infogan_tf.evaluation.batches import classes, draw, most_probable, read_codes
from infogan_tf.evaluation.inception import Inception
from infogan_tf.evaluation.judge import Amount, Judge, Reading
from infogan_tf.latents import Categorical
from infogan_tf.models import GAN, InfoGAN

IMAGES = 10_000  # real and generated ones that are compared, at most
SAME_CODES = 10  # images with the same codes, to see what the noise changes


@dataclasses.dataclass(frozen=True)
class Subject:
    """What is scored, beside which images, and who looks at both.

    Args:
        model: the trained one.
        taught: whether labels taught it.
        images: the real ones.
        judge: answers what is known of them; None where nothing is.
        viewer: has the features that images are compared in; None where nobody has.
        space: the name of those features.
        seed: of the generated images and of the estimators.
    """

    model: GAN
    taught: bool
    images: ImageData
    judge: Judge | None
    viewer: Judge | Inception | None
    space: str
    seed: int

    @property
    def labelled(self) -> bool:
        return self.images.train.labels is not None and self.images.test.labels is not None

    @property
    def category(self) -> Categorical | None:
        """The code that is compared with the labels: the label, or what Q reads first."""
        codes = [code for code in self.model.latents.codes if isinstance(code, Categorical)]
        if not isinstance(self.model, InfoGAN):
            codes = [code for code in codes if code.name == judges.LABEL]
        return codes[0] if codes else None

    @functools.cached_property
    def real(self) -> Split:
        """Test images."""
        return self.images.test.sample(IMAGES, seed=self.seed)

    @functools.cached_property
    def generated(self) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """The codes of as many generated images, and these."""
        return draw(self.model, len(self.real), seed=self.seed)

    @functools.cached_property
    def seen(self) -> tuple[Reading, Reading]:
        """What the viewer sees in real and in generated images.

        Raises:
            InfoGANError: there is nobody to see them.
        """
        if self.viewer is None:
            raise InfoGANError(
                "the images have no labels or factors; --features=inception compares "
                "colour images without"
            )
        return self.viewer.read(self.real.images), self.viewer.read(self.generated[1])

    @property
    def features(self) -> tuple[np.ndarray, np.ndarray]:
        """Of real and of generated images, in the viewer's space."""
        real, generated = self.seen
        return real.features, generated.features

    @functools.cached_property
    def judged(self) -> tuple[Reading, Reading]:
        """What the judge answers on real and on generated images."""
        if self.judge is self.viewer:
            return self.seen
        return self.judge.read(self.real.images), self.judge.read(self.generated[1])


def code_information(subject: Subject) -> dict[str, float]:
    """The bound in nats, its standard error, and the most it can be."""
    metrics = {}
    if not isinstance(subject.model, InfoGAN):
        return metrics
    for name, measured in information.measure(subject.model, seed=subject.seed).items():
        metrics[f"mi/{name}"] = measured.nats
        metrics[f"mi/{name}_stderr"] = measured.standard_error
        metrics[f"mi/{name}_max"] = subject.model.latents[name].max_information
    return metrics


def followers(subject: Subject) -> dict[str, Any]:
    """Which continuous code follows each factor, or category sorts by it, how closely."""
    model, images = subject.model, subject.images
    if not isinstance(model, InfoGAN) or not images.test.factors:
        return {}
    train = images.train.sample(IMAGES, seed=subject.seed)
    test, codes = subject.real, model.latents.codes
    names = [code.name for code in codes if not code.discrete]
    sizes = {code.name: code.categories for code in codes if isinstance(code, Categorical)}
    read = [read_codes(model, split.images) for split in (train, test)]
    train_codes, test_codes = ({name: found[name] for name in names} for found in read)
    found = {
        **correlation.followers(train_codes, train, test_codes, test),
        **correlation.sorters(read[0], train, read[1], test, sizes),
    }
    return {
        f"factors/{factor}/{name}": value
        for factor, code in found.items()
        for name, value in vars(code).items()
    }


def code_disentanglement(subject: Subject) -> dict[str, float]:
    """Of training and test images alike: Q saw no factor of either."""
    model, images = subject.model, subject.images
    if not isinstance(model, InfoGAN):
        return {}
    if not images.test.factors:
        raise InfoGANError("the images have no factors")
    count = len(images.train) + len(images.test)
    rows = np.random.default_rng([subject.seed, 3]).permutation(count)
    rows = rows[: disentanglement.ROWS]
    in_train = rows < len(images.train)

    def chosen(train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Those rows of both together, of which most may lie on disk."""
        found = np.empty((len(rows), *train.shape[1:]), train.dtype)
        found[in_train] = train[rows[in_train]]
        found[~in_train] = test[rows[~in_train] - len(train)]
        return found

    codes = read_codes(model, chosen(images.train.images, images.test.images))
    factors = disentanglement.counted(
        {
            name: chosen(values, images.test.factors[name])
            for name, values in images.train.factors.items()
        }
    )
    sample = disentanglement.Sample.of(
        np.stack(list(codes.values()), axis=1),
        tuple(values.dtype.kind == "i" for values in codes.values()),
        factors,
    )
    scores = disentanglement.measure(sample, seed=subject.seed)
    about = {"images": len(rows), "factors": ", ".join(factors)}
    return {f"disentanglement/{name}": value for name, value in (about | scores).items()}


def label_clustering(subject: Subject) -> dict[str, Any]:
    """How well the category, or the class, tells the labels apart."""
    if not subject.labelled:
        raise InfoGANError("the images have no labels")
    model, code = subject.model, subject.category
    if isinstance(model, InfoGAN) and code:
        count = code.categories
        read = functools.partial(most_probable, model, code.name)
    elif hasattr(model, "classify"):
        count, read = model.label_count, functools.partial(classes, model)
    else:
        return _agreement(subject, None)
    train, test = subject.images.train, subject.images.test
    scores = clustering.score(
        read(train.images),
        train.labels,
        read(test.images),
        test.labels,
        category_count=count,
    )
    about = {"images": len(test)} | vars(scores)
    found = {f"clustering/{name}": value for name, value in about.items()}
    return found | _agreement(subject, scores.code_to_label)


def _agreement(subject: Subject, code_to_label: tuple[int, ...] | None) -> dict[str, float]:
    """How many generated images are read as what their category stands for."""
    code = subject.category
    if code is None:
        return {}
    asked = np.array(range(code.categories) if code.name == judges.LABEL else code_to_label)
    answers = subject.judged[1].answers[judges.LABEL]
    agree = answers == asked[subject.generated[0][code.name]]
    return {"clustering/generated_agreement": float(np.mean(agree))}


def classification(subject: Subject) -> dict[str, float]:
    """How many test images a model that labels taught to classify gets right."""
    model, test = subject.model, subject.images.test
    if not (subject.labelled and subject.taught and hasattr(model, "classify")):
        return {}
    found = classes(model, test.images) == test.labels
    return {"classification/accuracy": float(np.mean(found))}


def controls(subject: Subject) -> dict[str, Any]:
    """Of a continuous code every measure, of a discrete one the measure it moves most."""
    judge = subject.judge
    if judge is None:
        raise InfoGANError("the images have no labels or factors")
    train = subject.images.train
    digits = train.images.shape[1:] == (28, 28, 1) and subject.labelled
    digits = digits and train.labels.max() <= 9
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
    for code in subject.model.latents.codes:
        if not (spreads or (digits and not code.discrete)):
            continue
        moves = control.controls(subject.model, code.name, measure, seed=subject.seed)
        if code.discrete:
            moved = {name: moves[name].change / spreads[name] for name in spreads}
            most = max(moved, key=moved.__getitem__)
            found[f"controls/{code.name}/most"] = most
            found[f"controls/{code.name}/most_change"] = moves[most].change
            continue
        for name, one in moves.items():
            found[f"controls/{code.name}/{name}"] = one.correlation
            found[f"controls/{code.name}/{name}_change"] = one.change
    return found


def feature_space(subject: Subject) -> dict[str, Any]:
    """Where as many generated as test images are compared, and by how good a judge."""
    real, _ = subject.features
    found: dict[str, Any] = {"features": subject.space, "images": len(real)}
    if subject.judge:
        found |= _trust(subject.judge, judges.known(subject.real), subject.judged[0])
    return {f"fidelity/{name}": value for name, value in found.items()}


def frechet_distance(subject: Subject) -> dict[str, float]:
    """FID in that space."""
    return {"fidelity/fid": fidelity.frechet_distance(*subject.features)}


def kernel_distance(subject: Subject) -> dict[str, float]:
    """KID in that space."""
    kid, stddev = fidelity.kernel_distance(*subject.features, seed=subject.seed)
    return {"fidelity/kid": kid, "fidelity/kid_stddev": stddev}


def precision_and_recall(subject: Subject) -> dict[str, float]:
    """Of the generated images in that space."""
    precision, recall = fidelity.precision_and_recall(*subject.features)
    return {"fidelity/precision": precision, "fidelity/recall": recall}


def diversity(subject: Subject) -> dict[str, float]:
    """How far apart images are in that space: of one label or category, and of any."""
    real, generated = subject.features
    found, spreads = {}, {}
    if subject.real.labels is not None:
        spreads["real"] = fidelity.spread(real, subject.real.labels)
    if code := subject.category:
        codes = subject.generated[0]
        spreads["generated"] = fidelity.spread(generated, codes[code.name])
    for name, (within, overall) in spreads.items():
        found[f"spread_{name}_within"] = within
        found[f"spread_{name}_overall"] = overall
    if subject.model.latents.codes:
        found["spread_of_noise"] = _spread_of_noise(subject)
    return {f"fidelity/{name}": value for name, value in found.items()}


def _trust(
    judge: Judge, truth: dict[str, np.ndarray], reading: Reading
) -> dict[str, float]:
    """How well the judge reads real test images: the mean over what it is asked."""
    scores: dict[str, list[float]] = {}
    for name, question in judge.questions.items():
        score = "regressor_r2" if isinstance(question, Amount) else "classifier_accuracy"
        found = question.score(truth[name], reading.answers[name])
        scores.setdefault(score, []).append(found)
    return {name: float(np.mean(all_)) for name, all_ in scores.items()}


def _spread_of_noise(subject: Subject) -> float:
    """How far apart images of the same codes are, as a part of how far any are."""
    count = len(subject.real)
    _, drawn = draw(subject.model, count, seed=subject.seed, same_codes=SAME_CODES)
    groups = np.arange(count) // SAME_CODES
    within, overall = fidelity.spread(subject.viewer.read(drawn).features, groups)
    return within / overall if overall else 0.0


# By the name under which an impossible one is reported, in the order of metrics.json.
SCORES: dict[str, Callable[[Subject], dict[str, Any]]] = {
    "information": code_information,
    "followers": followers,
    "disentanglement": code_disentanglement,
    "clustering": label_clustering,
    "classification": classification,
    "controls": controls,
    "fidelity": feature_space,
    "FID": frechet_distance,
    "KID": kernel_distance,
    "precision and recall": precision_and_recall,
    "diversity": diversity,
}
