"""The report of a run: one page that holds all it shows and opens without a network."""

import base64
import io
import json
import pathlib
from collections.abc import Mapping, Sequence
from typing import Any

import jinja2
import markupsafe
import numpy as np
from PIL import Image

from infogan_tf import figures, files, traversal
from infogan_tf.errors import InfoGANError
from infogan_tf.grid import Grid
from infogan_tf.models import GAN
from infogan_tf.training.run_directory import RunDirectory

# The scores that are shown, by the first part of their keys, and what they say.
GROUPS = {
    "clustering": "Agreement of the first category with the labels of the test images, "
    "through a one-to-one map fitted on the training images.",
    "classification": "Share of the test images given their label, by a model that labels "
    "taught.",
    "fidelity": "Distance of generated from real images in the features of the network "
    "named first; fid and kid are 0 at best, precision and recall 1.",
    "factors": "For each true factor, the continuous code that follows it best on training "
    "images, and their rank correlation on test images; or the category that sorts by it "
    "best, and the share of test images it sorts right.",
    "controls": "Rank correlation of a continuous code with what is measured in generated "
    "images, and how far it moves that over its range; of a discrete code, what it moves "
    "most.",
    "disentanglement": "How the codes lay out known factors; 1 at best.",
}
ABOUT = ("images", "features")  # what a score is of, in the last part of its key


def write(
    run: RunDirectory, model: GAN, metrics: Mapping[str, Any], real: np.ndarray
) -> pathlib.Path:
    """Writes report.html into the run directory.

    Args:
        run: whose log and options are shown.
        model: whose sweeps are drawn.
        metrics: what `evaluate` found.
        real: images to stand beside the generated ones, uint8 [n, H, W, C].
    """
    pictures = traversal.grids(model)
    pictures["real"] = traversal.real_grid(real, metrics["images"])
    page = jinja2.Environment(
        loader=jinja2.FileSystemLoader(pathlib.Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("report.html")
    content = page.render(
        spec=run.spec(),
        metrics=metrics,
        curves=_curves(run),
        sweeps=[_embedded(pictures[code.name]) for code in model.latents.codes],
        samples=[_embedded(pictures[name]) for name in ("samples", "real")],
        information=_information(metrics),
        groups=[
            (name, meaning, rows)
            for name, meaning in GROUPS.items()
            if (rows := _rows(metrics, name))
        ],
        options=json.dumps(run.options(), indent=2),
    )
    with files.whole(run.report_file) as aside:
        aside.write_text(content)
    return run.report_file


def _curves(run: RunDirectory) -> markupsafe.Markup:
    drawn = io.StringIO()
    figures.training_curves(run).savefig(drawn, format="svg")
    return markupsafe.Markup(drawn.getvalue()[drawn.getvalue().index("<svg") :])


def _embedded(grid: Grid) -> tuple[str, str]:
    """The title, and the picture as a data URL."""
    data = io.BytesIO()
    Image.fromarray(grid.draw()).save(data, "png", optimize=True)
    return grid.title, f"data:image/png;base64,{base64.b64encode(data.getvalue()).decode()}"


def _information(
    metrics: Mapping[str, Any],
) -> list[tuple[str, float, float, float]]:
    """Of each code: its name, nats, standard error, and the most there can be."""
    found = []
    for key, error in metrics.items():
        if key.startswith("mi/") and key.endswith("_stderr"):
            nats = key.removesuffix("_stderr")
            name = nats.removeprefix("mi/")
            found.append((name, metrics[nats], error, metrics[f"{nats}_max"]))
    return found


def _rows(metrics: Mapping[str, Any], group: str) -> list[tuple[str, str]]:
    rows = []
    for key, value in metrics.items():
        if key.split("/")[0] != group or key.endswith("_stddev"):
            continue
        name = key.split("/", 1)[1]
        if isinstance(value, float):
            spread = metrics.get(f"{key}_stddev")
            rows.append((name, f"{value:.4f}{f' ± {spread:.2g}' if spread else ''}"))
        elif isinstance(value, str | int):
            rows.append((name, str(value)))
    return rows


def comparison(runs: Sequence[Mapping[str, Any]]) -> str:
    """Several runs side by side, a Markdown table that a terminal shows as well.

    Args:
        runs: the metrics of each, as `evaluate` wrote them; a column each, and of several
            their mean, least and most where all have the score, and of `fidelity/...` in
            the same space. Scores that are single numbers are the rows.

    Raises:
        InfoGANError: a run's metrics lack what is always there, or hold a null.
    """
    header = ("model", "seed", "step")
    for place, metrics in enumerate(runs, 1):
        known = metrics if isinstance(metrics, Mapping) else {}
        lacking = [name for name in {*header, *known} if known.get(name) is None]
        if lacking:
            raise InfoGANError(
                f"metrics.json of run {place} of {len(runs)} says nothing of "
                f"{', '.join(sorted(lacking))}: score it with tools/evaluate.py again."
            )
    names = list(dict.fromkeys(name for metrics in runs for name in metrics))
    scores = [
        name
        for name in names
        if any(isinstance(metrics.get(name), float) for metrics in runs)
        and not name.endswith(("_stderr", "_stddev", "_max"))
    ]
    about = [name for name in names if name.split("/")[-1] in ABOUT]
    spaces = {metrics.get("fidelity/features") for metrics in runs}
    summaries = {"mean": np.mean, "least": np.min, "most": np.max} if len(runs) > 1 else {}
    table = [
        ["model", *(str(metrics["model"]) for metrics in runs), *summaries],
        *(
            [name, *(str(metrics.get(name, "")) for metrics in runs)]
            for name in (*header[1:], *about)
        ),
    ]
    for name in scores:
        found = [metrics[name] for metrics in runs if name in metrics]
        alike = len(found) == len(runs) and (
            len(spaces) == 1 or not name.startswith("fidelity/")
        )
        table.append(
            [
                name,
                *(f"{metrics[name]:.4f}" if name in metrics else "" for metrics in runs),
                *(f"{summary(found):.4f}" for summary in summaries.values() if alike),
            ]
        )
    width = len(table[0])
    table = [row + [""] * (width - len(row)) for row in table]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    table.insert(1, ["-" * widths[0], *("-" * (wide - 1) + ":" for wide in widths[1:])])
    lines = (
        [row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])] for row in table
    )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
