"""What goes with an exported model: what it is, what its codes control, how good it is."""

import os
from typing import Any

from infogan_tf.data import faces3d
from infogan_tf.data.tensorflow_datasets import without_version
from infogan_tf.training.run_directory import RunDirectory

LICENCES = {
    "mnist": "CC BY-SA 3.0 (LeCun, Cortes)",
    "svhn_cropped": "non-commercial research only (Netzer et al. 2011)",
    "celeb_a": "non-commercial research only (MMLab, CUHK)",
    "faces3d": "that of the morphable model it was rendered from",
    "chairs3d": "research only (Aubry et al. 2014)",
    "dsprites": "zlib/libpng (Matthey et al. 2017); none where redrawn by infogan_tf",
    "digits": "CC BY 4.0 (Alpaydin and Kaynak, UCI)",
    "synthetic": "none: drawn by infogan_tf",
}


def model_card(run_dir: str | os.PathLike) -> dict[str, Any]:
    """The card of a run, ready for JSON.

    Returns:
        `model`, `description`; `codes`, each with its declaration and, where the run was
        scored, what it was found to control; `metrics`, empty where it was not scored;
        `data`, with the licence of its publisher, as far as we know it; `versions`;
        `spec`.

    Raises:
        InfoGANError: no run directory, or one that cannot be read.
    """
    run = RunDirectory(run_dir)
    options = run.options()
    spec = options["run"]["spec"]
    metrics = run.metrics() if run.metrics_file.exists() else {}
    data = {**options["data"], "dataset": options["run"]["dataset"]}
    data["origin"] = data["origin"].split(" in ")[0]  # not where it lay
    data["licence"] = _licence(data["dataset"], data["origin"])
    del data["data_dir"]
    return {
        "model": spec["name"],
        "description": spec["description"],
        "codes": [
            {**code, "controls": _controls(metrics, code["name"])}
            for code in spec["latents"]["codes"]
        ],
        "metrics": metrics,
        "data": data,
        "versions": options["versions"],
        "spec": spec,
    }


def _licence(dataset: str, origin: str) -> str:
    """Of an .npz file only where it is our renders: others hold anyone's images."""
    anyones = origin.endswith(".npz") and origin != faces3d.FILE
    return "not known" if anyones else LICENCES.get(without_version(dataset), "not known")


def _controls(metrics: dict[str, Any], code: str) -> dict[str, Any]:
    """What the scores say of a code: its nats, and its correlation with each measure."""
    prefix = f"controls/{code}/"
    found = {
        key.removeprefix(prefix): value
        for key, value in metrics.items()
        if key.startswith(prefix)
    }
    return found | ({"nats": metrics[f"mi/{code}"]} if f"mi/{code}" in metrics else {})
