"""A page to play with a model: codes as sliders, and real images to read."""

from typing import Any, NamedTuple

import gradio
import numpy as np
from PIL import Image

from infogan_tf.data import pictures
from infogan_tf.errors import InfoGANError
from infogan_tf.serving.client import Served

IMAGES = 16  # that are drawn at once, in four rows
PIXELS = 560  # of a picture's longer side, at least


class Control(NamedTuple):
    """One code on the page: a slider; where it is discrete, a choice or a number.

    Args:
        name: of the code.
        discrete: whether it takes whole numbers.
        values: how many of them, where the model says so: what Q reads does.
    """

    name: str
    discrete: bool
    values: int | None = None


def controls(model: Served) -> list[Control]:
    """The codes that a model's signatures speak of, in the order of their names' numbers.

    Raises:
        InfoGANError: the model has no signature `sample`.
    """
    if "sample" not in model.signatures:
        raise InfoGANError(
            f"{model.model} has no signature sample; it has {', '.join(model.signatures)}."
        )
    names = [name for name in model.signatures["sample"].inputs if name != "seed"]
    read = model.signatures["recognize"].outputs if "recognize" in model.signatures else {}
    found = []
    for name in sorted(names, key=lambda name: (len(name), name)):
        discrete = model.signatures["sample"].inputs[name].dtype == np.int32
        values = f"{name}_probabilities"
        count = read[values].shape[1] if values in read else None
        found.append(Control(name, discrete, count))
    return found


def draw(model: Served, codes: dict[str, float], seed: int) -> np.ndarray:
    """`IMAGES` images of the same codes and several noises, uint8 [height, width, 3]."""
    rows = {name: [value] * IMAGES for name, value in codes.items()}
    rows["seed"] = [seed * IMAGES + place for place in range(IMAGES)]
    return tiled(model.call("sample", rows)["images"])


def tiled(images: np.ndarray) -> np.ndarray:
    """Images [16, height, width, channels] in [0, 1] as one picture of four rows."""
    _, height, width, channels = images.shape
    rows = images.reshape(4, 4, height, width, channels).transpose(0, 2, 1, 3, 4)
    pixels = np.rint(255 * rows.reshape(4 * height, 4 * width, channels)).astype(np.uint8)
    scale = max(1, PIXELS // (4 * max(height, width)))
    pixels = np.repeat(np.repeat(pixels, scale, axis=0), scale, axis=1)
    return np.repeat(pixels, 3, axis=2) if channels == 1 else pixels


def read(model: Served, picture: Image.Image) -> dict[str, dict[str, float]]:
    """What Q reads in a picture: {code: {value: probability}} or {code: {mean, stddev}}.

    The picture is cropped and brought to the model's size as those of a training are.
    """
    shape = model.signatures["recognize"].inputs["images"].shape[1:]
    images = np.float32(pictures.fit(picture, shape))[np.newaxis] / 255
    found: dict[str, dict[str, float]] = {}
    for output, values in sorted(model.call("recognize", {"images": images}).items()):
        name, _, kind = output.rpartition("_")
        if kind == "probabilities":
            found[name] = {str(k): round(float(p), 6) for k, p in enumerate(values[0])}
        else:
            found.setdefault(name, {})[kind] = round(float(values[0]), 6)
    return found


def _input(code: Control) -> gradio.components.Component:
    if code.values:
        return gradio.Radio(list(range(code.values)), value=0, label=code.name)
    if code.discrete:
        return gradio.Number(0, label=code.name, precision=0, minimum=0)
    return gradio.Slider(-2, 2, value=0, step=0.05, label=code.name)


def page(model: Served) -> gradio.Blocks:
    """The page; `page(model).launch()` serves it."""
    codes = controls(model)

    def redraw(seed: float, *values: Any) -> np.ndarray:
        chosen = {
            code.name: int(value) if code.discrete else float(value)
            for code, value in zip(codes, values, strict=True)
        }
        return draw(model, chosen, int(seed))

    def describe(picture: Image.Image | None) -> Any:
        return read(model, picture) if picture else None

    # No telemetry: a page of one's own machine has nothing to tell Gradio's server.
    with gradio.Blocks(title=model.model, analytics_enabled=False) as blocks:
        gradio.Markdown(f"# {model.model}")
        with gradio.Tab("Draw"), gradio.Row():
            with gradio.Column(scale=1):
                inputs = [_input(code) for code in codes]
                seed = gradio.Number(0, label="noise", precision=0)
                again = gradio.Button("New noise")
            picture = gradio.Image(label="16 noises", scale=2, format="png")
        if "recognize" in model.signatures:
            with gradio.Tab("Read"), gradio.Row():
                given = gradio.Image(label="a picture", type="pil")
                gradio.on([given.change], describe, [given], [gradio.JSON(label="codes")])
        again.click(lambda seed: seed + 1, [seed], [seed])
        gradio.on(
            [blocks.load, seed.change, *(one.change for one in inputs)],
            redraw,
            [seed, *inputs],
            [picture],
            show_progress="hidden",
            trigger_mode="always_last",
        )
    return blocks
