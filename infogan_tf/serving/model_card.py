"""What goes with an exported model: what it is, what its codes control, how good it is."""

import os
from typing import Any

from infogan_tf.data import faces3d
from infogan_tf.training.run_directory import RunDirectory

_MNIST = "CC BY-SA 3.0 (LeCun, Cortes)"
_SVHN = "non-commercial research only (Netzer et al. 2011)"
_CELEBA = "non-commercial research only (MMLab, CUHK)"
_DSPRITES = "zlib/libpng (Matthey et al. 2017)"
_OURS = "none: drawn by infogan_tf"
LICENCES = {  # by what the origin of the images begins with
    "the MNIST idx files": f"{_MNIST}, where the files are MNIST's own",
    "TFDS mnist/": _MNIST,
    "the SVHN .mat files": _SVHN,
    "TFDS svhn_cropped/": _SVHN,
    "the CelebA files": _CELEBA,
    "TFDS celeb_a/": _CELEBA,
    faces3d.FILE: "that of the morphable model it was rendered from",
    "the chairs": "research only (Aubry et al. 2014)",
    "dSprites, redrawn": _OURS,
    "dSprites": _DSPRITES,
    "TFDS dsprites/": _DSPRITES,
    "scikit-learn's handwritten digits": "CC BY 4.0 (Alpaydin and Kaynak, UCI)",
    "drawn shapes": _OURS,
}


def model_card(
    run_dir: str | os.PathLike, *, step: int, average: bool = False
) -> dict[str, Any]:
    """The card of a run's model, ready for JSON.

    Args:
        run_dir: of the training.
        step: how many updates the model has behind it.
        average: whether its generator is the average over them; those are never scored.

    Returns:
        `model`, `description`, `step`, `average`; `codes`, each with its declaration and,
        where these weights were scored, what it was found to control; `metrics`, empty
        where they were not; `data`, with the licence of its publisher, as far as we know
        it; `versions`; `spec`.

    Raises:
        InfoGANError: no run directory, or one that cannot be read.
    """
    run = RunDirectory(run_dir)
    options = run.options()
    spec = options["run"]["spec"]
    metrics = run.metrics() if run.metrics_file.exists() and not average else {}
    if metrics.get("step") != step:
        metrics = {}
    data = {**options["data"], "dataset": options["run"]["dataset"]}
    data["origin"] = data["origin"].split(" in ")[0]  # not where it lay
    data["licence"] = _licence(data["origin"])
    del data["data_dir"]
    return {
        "model": spec["name"],
        "description": spec["description"],
        "step": step,
        "average": average,
        "codes": [
            {**code, "controls": _controls(metrics, code["name"])}
            for code in spec["latents"]["codes"]
        ],
        "metrics": metrics,
        "data": data,
        "versions": options["versions"],
        "spec": spec,
    }


def _licence(origin: str) -> str:
    found = (licence for start, licence in LICENCES.items() if origin.startswith(start))
    return next(found, "not known")


def _controls(metrics: dict[str, Any], code: str) -> dict[str, Any]:
    """What the scores say of a code: its nats, and its correlation with each measure."""
    prefix = f"controls/{code}/"
    found = {
        key.removeprefix(prefix): value
        for key, value in metrics.items()
        if key.startswith(prefix)
    }
    return found | ({"nats": metrics[f"mi/{code}"]} if f"mi/{code}" in metrics else {})
