"""Scores a trained run: what each code knows, and how real its images look."""

import os
from typing import Any

from infogan_tf import traversal
from infogan_tf.errors import InfoGANError
from infogan_tf.evaluation import inception, report
from infogan_tf.evaluation import judge as judges
from infogan_tf.evaluation.scores import SCORES, Subject
from infogan_tf.training.run_directory import RunDirectory, write_json
from infogan_tf.training.train import load

FEATURES = ("judge", "inception")


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
        `model`, `step`, `seed`, `images`; `held_out`, "not known" where the run may have
        been trained on images that it is scored on; beside the scores of images their
        number, `<score>/images`; `mi/<code>`, `mi/<code>_stderr` and `mi/<code>_max`, in
        nats. With labels, for the first categorical code or
        the classes of a classifier, `clustering/accuracy`, `/majority_accuracy`, `/nmi`,
        `/ari`, `/code_to_label`, `/generated_agreement`; `classification/accuracy` where
        labels taught the model to classify; for digits, `controls/<code>/slant` and
        `/width`. With factors, `factors/<factor>/code` and `/spearman` or `/accuracy`,
        `disentanglement/...` of the factors that `disentanglement/factors` names, and
        `controls/<code>/...`. With either, or in Inception's
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
    run = RunDirectory(run_dir)
    model = load(run_dir)
    spec = run.spec()
    images = run.images(dataset=dataset, data_dir=data_dir)
    viewer = inception.Inception() if features == "inception" else None
    judge = judges.cached(images.train) if judges.known(images.train) else None
    origin = images.origin.split(" in ")[0]
    space = inception.NAME if viewer else f"judge {judge and judge.digest[:8]} of {origin}"
    subject = Subject(
        model=model,
        taught=bool(spec.training.labels),
        images=images,
        judge=judge,
        viewer=viewer or judge,
        space=space,
        seed=seed,
    )
    metrics: dict[str, Any] = {
        "model": spec.name,
        "step": int(model.step.numpy()),
        "seed": spec.training.seed,
        "images": origin,
    }
    if (dataset or data_dir) and not run.trained_on(images):  # else `images` has asked
        metrics["held_out"] = "not known"
        print(
            f"{origin}: the training images are not those of {run.path}, so it may have "
            "been trained on images that it is scored on."
        )
    missing: dict[str, list[str]] = {}
    for name, score in SCORES.items():
        try:
            metrics |= score(subject)
        except InfoGANError as error:
            missing.setdefault(str(error).rstrip("."), []).append(name)
    if missing:
        said = (f"{', '.join(names)} ({reason})" for reason, names in missing.items())
        print(f"Not scored: {'; '.join(said)}.")
    write_json(run.metrics_file, metrics)
    shown = images.test.sample(traversal.ROWS * traversal.STEPS, seed=seed).images
    report.write(run, model, metrics, shown)
    return metrics


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
