"""Curves from the logs of our runs, those of the paper's figures among them."""

import dataclasses
import math
import os
import pathlib
from collections.abc import Sequence

from matplotlib.figure import Figure

from infogan_tf import files, traversal
from infogan_tf.errors import InfoGANError
from infogan_tf.grid import sheet, write_png
from infogan_tf.training import RunDirectory, load

STEPS = 600  # the paper's figure shows the first hundreds


def information_against_steps(
    run_dirs: Sequence[str | os.PathLike], output: str | os.PathLike
) -> pathlib.Path:
    """Figure 1: L_I of the first code in nats against updates, a curve for each run.

    Raises:
        InfoGANError: no run, or one without a log or codes that Q reads; or `output`
            names no format of matplotlib's, or cannot be written.
    """
    if not run_dirs:
        raise InfoGANError("Figure 1 has a curve for each run: give --run_dir=DIR.")
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    for run_dir in run_dirs:
        run = RunDirectory(run_dir)
        spec = run.spec()
        code = spec.latents.codes[0] if spec.latents.codes else None
        lines = [line for line in run.log() if line["step"] <= STEPS]
        if code and not lines:
            raise InfoGANError(
                f"{run.path} has no log of its first {STEPS} updates to draw: train there, "
                "with log_every of less."
            )
        if not code or f"mi/{code.name}" not in lines[0]:
            raise InfoGANError(
                f"{run.path} has no information of a code to draw: train an InfoGAN there."
            )
        steps = [0, *(line["step"] for line in lines)]
        nats = [0.0, *(line[f"mi/{code.name}"] for line in lines)]
        axes.plot(steps, nats, label=f"{spec.name}, seed {spec.training.seed}")
        axes.axhline(code.max_information, color="grey", linestyle=":", linewidth=1)
    axes.set(xlabel="updates", ylabel="$L_I$ of the first code (nats)", xlim=(0, STEPS))
    axes.set_title("How much of a code the images keep (Figure 1; dotted: its entropy)")
    axes.legend(frameon=False)
    output = pathlib.Path(output)
    suffix, formats = output.suffix[1:].lower(), figure.canvas.get_supported_filetypes()
    if suffix not in formats:
        raise InfoGANError(
            f'Figure 1 cannot be written as "{output}": its name has to end in one of '
            f".{', .'.join(formats)}."
        )
    with files.whole(output) as aside:
        figure.savefig(aside, dpi=120, format=suffix)
    return output


PANELS = {  # what each figure of the paper shows, in its order; of which code, one may say
    "2": ("digit type", "digit type, regular GAN", "rotation", "width"),
    "3": ("azimuth (pose)", "elevation", "lighting", "wide or narrow"),
    "4": ("rotation", "width"),
    "5": ("continuous variation: lighting", "discrete variation: plate context"),
    "6": ("azimuth (pose)", "presence or absence of glasses", "hair style", "emotion"),
}


def sweeps_as_in_the_paper(
    number: str, panels: Sequence[str], output: str | os.PathLike, *, seed: int = 0
) -> pathlib.Path:
    """Figures 2 to 6: a sweep for each panel, named as in the paper.

    Args:
        number: of the figure, a key of `PANELS`.
        panels: "RUN_DIR:CODE" for each, in the paper's order; "" leaves one out.
        output: the picture to write (.png).
        seed: of the noise that is kept.

    Raises:
        InfoGANError: too many panels, no such run or code.
    """
    titles = PANELS[number]
    if not any(panels) or len(panels) > len(titles):
        raise InfoGANError(
            f"Figure {number} has {len(titles)} panels ({'; '.join(titles)}), and "
            f"{len(panels)} were given: give --panel=RUN_DIR:CODE for each, in this order."
        )
    grids = []
    for letter, title, panel in zip("abcd", titles, panels, strict=False):
        if not panel:
            continue
        run_dir, colon, code = panel.rpartition(":")
        if not colon:
            raise InfoGANError(f'--panel="{panel}": it has to be RUN_DIR:CODE.')
        swept = traversal.sweep(load(run_dir), code, seed=seed)
        title = f"Figure {number} ({letter}) {title}: {swept.title}"
        grids.append(dataclasses.replace(swept, title=title))
    return write_png(sheet(grids), output)


def training_curves(run: RunDirectory) -> Figure:
    """A run's log against updates: L_I of each code beside its H(c), and both losses."""
    lines = run.log()
    steps = [line["step"] for line in lines]
    figure = Figure(figsize=(10, 3.4), layout="constrained")
    information, losses = figure.subplots(1, 2)
    for code in run.spec().latents.codes:
        nats = [line.get(f"mi/{code.name}", math.nan) for line in lines]
        [curve] = information.plot(steps, nats, label=code.name)
        most, color = code.max_information, curve.get_color()
        information.axhline(most, color=color, linestyle=":", linewidth=1)
    information.set(xlabel="updates", title="$L_I$ in nats (dotted: its bound)")
    for name in ("d_loss", "g_loss"):
        losses.plot(steps, [line[name] for line in lines], label=name)
    losses.set(xlabel="updates", title="losses")
    for axes in (information, losses):
        if axes.lines:
            axes.legend(frameon=False)
    return figure
