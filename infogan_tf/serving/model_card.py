"""What goes with an exported model: what it is, what its codes control, how good it is."""

import os
from typing import Any

from infogan_tf.training.run_directory import RunDirectory


def model_card(run_dir: str | os.PathLike) -> dict[str, Any]:
    """The card of a run, ready for JSON.

    Returns:
        `model`, `description`; `codes`, each with its declaration and, where the run was
        scored, what it was found to control; `metrics`, empty where it was not scored;
        `data`, whose licence is that of its publisher; `versions`; `spec`.

    Raises:
        InfoGANError: no run directory, or one that cannot be read.
    """
    run = RunDirectory(run_dir)
    options = run.options()
    spec = options["run"]["spec"]
    metrics = run.metrics() if run.metrics_file.exists() else {}
    data = {**options["data"], "dataset": options["run"]["dataset"]}
    data["origin"] = data["origin"].split(" in ")[0]  # not where it lay
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


def _controls(metrics: dict[str, Any], code: str) -> dict[str, Any]:
    """What the scores say of a code: its nats, and its correlation with each measure."""
    prefix = f"controls/{code}/"
    found = {
        key.removeprefix(prefix): value
        for key, value in metrics.items()
        if key.startswith(prefix)
    }
    return found | ({"nats": metrics[f"mi/{code}"]} if f"mi/{code}" in metrics else {})
