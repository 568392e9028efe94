"""Curves from the logs of our runs, those of the paper's figures among them."""

import math
import os
import pathlib
from collections.abc import Sequence

from matplotlib.figure import Figure

from infogan_tf.errors import InfoGANError
from infogan_tf.training import RunDirectory

STEPS = 600  # the paper's figure shows the first hundreds


def information_against_steps(
    run_dirs: Sequence[str | os.PathLike], output: str | os.PathLike
) -> pathlib.Path:
    """Figure 1: L_I of the first code in nats against updates, a curve for each run.

    Raises:
        InfoGANError: a run has no log or no codes.
    """
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for run_dir in run_dirs:
        run = RunDirectory(run_dir)
        spec = run.spec()
        code = spec.latents.codes[0] if spec.latents.codes else None
        lines = [line for line in run.log() if line["step"] <= STEPS]
        if code is None or not lines:
            raise InfoGANError(f"{run.path} has no information to draw: train it first.")
        steps = [0, *(line["step"] for line in lines)]
        nats = [0.0, *(line[f"mi/{code.name}"] for line in lines)]
        axes.plot(steps, nats, label=f"{spec.name}, seed {spec.training.seed}")
        axes.axhline(code.max_information, color="grey", linestyle=":", linewidth=1)
    axes.set(xlabel="updates", ylabel="$L_I$ of c1 (nats)", xlim=(0, STEPS))
    axes.set_title("How much of c1 the images keep (Figure 1; dotted: H(c1))")
    axes.legend(frameon=False)
    figure.savefig(output, dpi=120)
    return pathlib.Path(output)


def training_curves(run: RunDirectory) -> Figure:
    """A run's log against updates: L_I of each code beside its H(c), and both losses."""
    lines = run.log()
    steps = [line["step"] for line in lines]
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    information, losses = figure.subplots(1, 2)
    for code in run.spec().latents.codes:
        nats = [line.get(f"mi/{code.name}", math.nan) for line in lines]
        [curve] = information.plot(steps, nats, label=code.name)
        if code.max_information < math.inf:
            information.axhline(
                code.max_information, color=curve.get_color(), linestyle=":", linewidth=1
            )
    information.set(xlabel="updates", title="$L_I$ in nats (dotted: its bound)")
    for name in ("d_loss", "g_loss"):
        losses.plot(steps, [line[name] for line in lines], label=name)
    losses.set(xlabel="updates", title="losses")
    for axes in (information, losses):
        if axes.lines:
            axes.legend(frameon=False)
    return figure
