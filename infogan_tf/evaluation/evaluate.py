"""Scores a trained run: what each code knows, and what the categories turned out to be."""

import math
import os
from typing import Any

import numpy as np

from infogan_tf import data
from infogan_tf.evaluation import clustering, information
from infogan_tf.latents import Categorical
from infogan_tf.models import InfoGAN
from infogan_tf.training.run_directory import RunDirectory, write_json
from infogan_tf.training.train import load

BATCH = 500


def evaluate(
    run_dir: str | os.PathLike,
    *,
    dataset: str | None = None,
    data_dir: str | os.PathLike | None = None,
    seed: int = 0,
) -> dict[str, Any]:
    """Scores the newest checkpoint of a run and writes its metrics.json.

    Args:
        run_dir: of a training.
        dataset, data_dir: the images to score on; those of the training if not given.
        seed: of the generated images that information is measured on.

    Returns:
        `model`, `step`, `seed`; `mi/<code>`, `mi/<code>_stderr` and, where finite,
        `mi/<code>_max`, in nats; with labels, for the first categorical code,
        `clustering/accuracy`, `/nmi`, `/ari`, `/code_to_label`.

    Raises:
        InfoGANError: no checkpoint, or images that cannot be read.
    """
    run = RunDirectory(run_dir)
    options = run.options()
    model = load(run_dir)
    spec = run.spec()
    if not (dataset or data_dir):
        dataset, data_dir = options["run"]["dataset"], options["data"]["data_dir"]
    images = data.load(spec.data, dataset=dataset, data_dir=data_dir)
    metrics: dict[str, Any] = {
        "model": spec.name,
        "step": int(model.step.numpy()),
        "seed": spec.training.seed,
        "images": images.origin.split(" in ")[0],
    }
    if isinstance(model, InfoGAN):
        metrics |= _information(model, seed)
        metrics |= _clustering(model, images)
    write_json(run.metrics_file, metrics)
    return metrics


def _information(model: InfoGAN, seed: int) -> dict[str, float]:
    metrics = {}
    for name, measured in information.measure(model, seed=seed).items():
        metrics[f"mi/{name}"] = measured.nats
        metrics[f"mi/{name}_stderr"] = measured.standard_error
        if (most := model.latents[name].max_information) < math.inf:
            metrics[f"mi/{name}_max"] = most
    return metrics


def _clustering(model: InfoGAN, images: data.ImageData) -> dict[str, Any]:
    code = next((c for c in model.latents.codes if isinstance(c, Categorical)), None)
    if code is None or images.train.labels is None or images.test.labels is None:
        return {}
    scores = clustering.score(
        most_probable(model, code.name, images.train.images),
        images.train.labels,
        most_probable(model, code.name, images.test.images),
        images.test.labels,
        category_count=code.categories,
    )
    return {f"clustering/{name}": value for name, value in vars(scores).items()}


def most_probable(model: InfoGAN, code_name: str, images: np.ndarray) -> np.ndarray:
    """The most probable category of each image (uint8 [n, H, W, C]), int64 [n]."""
    return np.concatenate(
        [
            model.recognize(images[place : place + BATCH].astype(np.float32) / 255.0)[
                code_name
            ]["probabilities"].argmax(axis=1)
            for place in range(0, len(images), BATCH)
        ]
    )


def table(metrics: dict[str, Any]) -> str:
    """The metrics for a terminal, a line each."""
    width = max(map(len, metrics))
    lines = []
    for name, value in metrics.items():
        shown = f"{value:.4f}" if isinstance(value, float) else str(value)
        lines.append(f"{name:{width}}  {shown}")
    return "\n".join(lines)
