"""How fast training is, beside what the arithmetic needs and what the machine can do."""

import dataclasses
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from infogan_tf import data, evaluation, models, training
from infogan_tf.channel import routes
from infogan_tf.models import GAN
from infogan_tf.penalties import GradientPenalty
from infogan_tf.serving.export import export
from infogan_tf.spec import ModelSpec, TrainSpec

MATMUL_SIZE = 2048


@dataclasses.dataclass(frozen=True)
class Timing:
    """Milliseconds of something repeated: the median, and the middle half around it."""

    median: float
    lower: float
    upper: float
    repeats: int


def timed(action: Callable[[], Any], *, repeats: int, warm_up: int = 3) -> Timing:
    """Times `action`, which has to wait for its own result."""
    for _ in range(warm_up):
        action()
    milliseconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        milliseconds.append(1e3 * (time.perf_counter() - start))
    lower, median, upper = statistics.quantiles(milliseconds, n=4)
    return Timing(median, lower, upper, repeats)


def time_step(model: GAN, numbers: TrainSpec, *, repeats: int = 30) -> Timing:
    """Times the training step of `model` on what it takes, noise that stays in memory."""
    step = tf.function(model.train_step, autograph=False)  # its errors stay its own
    count = max(numbers.batch_size * numbers.critic_steps, numbers.labels)
    images = np.rint(255 * _noise(model, count).numpy()).astype(np.uint8)
    labels = np.arange(count) % model.label_count if numbers.labels else None
    batch = next(iter(data.stream(data.Split(images, labels), numbers)))
    return timed(lambda: step(batch)["d_loss"].numpy(), repeats=repeats)


def input_rate(spec: ModelSpec, *, count: int = 60_000, batches: int = 500) -> float:
    """Images/s of the input pipeline alone, from `count` images in memory."""
    images = np.zeros((count, *spec.data.image_shape), np.uint8)
    stream = iter(data.batches(images, batch_size=spec.training.batch_size))
    next(stream)
    start = time.perf_counter()
    for _ in range(batches):
        next(stream)
    return batches * spec.training.batch_size / (time.perf_counter() - start)


def use_rates(model: GAN, batch_size: int = 500) -> dict[str, float]:
    """Images/s of drawing and, with a Q, of recognising images."""
    images = _noise(model, batch_size)
    latents = model.latents.sample(batch_size, tf.constant([0, 0]))
    uses = {"generate": lambda: model.generate_images(latents).numpy()}
    if isinstance(model, models.InfoGAN):
        uses["recognize"] = lambda: model.recognize(images)
    return {
        name: batch_size / (timed(use, repeats=10).median / 1e3)
        for name, use in uses.items()
    }


def run_seconds(
    spec: ModelSpec,
    *,
    dataset: str | None = "synthetic",
    data_dir: str | os.PathLike | None = None,
) -> dict[str, float]:
    """Seconds of `train` for one step, and of `evaluate` and `export` after it.

    Args:
        dataset, data_dir: the images; evaluation takes longer for more of them.
    """
    seconds = {}

    def clocked(name: str, action: Callable[[], Any]) -> None:
        start = time.perf_counter()
        action()
        seconds[name] = time.perf_counter() - start

    source = {"dataset": dataset, "data_dir": data_dir}
    with tempfile.TemporaryDirectory() as folder:
        one_step = spec.with_training(steps=1)
        clocked("train_one_step", lambda: training.train(one_step, folder, **source))
        clocked("evaluate", lambda: evaluation.evaluate(folder))
        model = training.load(folder)
        clocked("export", lambda: export(model, f"{folder}/exports"))
    return seconds


def _noise(model: GAN, count: int) -> tf.Tensor:
    """Images of the right shape, in [0, 1]."""
    return tf.random.stateless_uniform([count, *model.generator.output_shape[1:]], [0, 0])


def without_codes(spec: ModelSpec) -> ModelSpec:
    """The plain GAN on the same networks: no Q, no channels; the codes' columns stay.

    The noise is wider by the codes' columns, so that G is the same network.
    """
    noise = dataclasses.replace(spec.latents.noise, size=spec.latents.width)
    latents = dataclasses.replace(spec.latents, codes=(), noise=noise)
    return dataclasses.replace(
        spec, method="gan", latents=latents, recognition=(), channels=()
    )


def is_counted(model: GAN) -> bool:
    """Whether `step_gflop` knows the step: of a GAN or InfoGAN, each player moving once.

    Not where the slope of D has a price, which takes the gradient of a gradient, nor the
    critics that are classifiers or autoencoders.
    """
    priced = any(isinstance(one, GradientPenalty) for one in model.penalties)
    return type(model) in (GAN, models.InfoGAN) and model.critic_steps == 1 and not priced


def step_gflop(model: GAN, batch_size: int) -> dict[str, float]:
    """Counts the multiplications and additions of one step, 10^9, per network and move.

    Convolutions and dense layers only, two operations for each weight met; what is
    counted is what the step asks for, not what a kernel does. A layer costs the same
    forward, for the gradient of its weights and for that of its inputs. D's gradients
    need no gradient of the images, G's need those and no weights of the trunk.
    """
    networks = {
        "generator": model.generator.layers,
        "trunk": model.trunk.layers,
        "discriminator": [model.discriminator],
    }
    channelled = 0  # passes besides that of the images as they are
    if recognition := getattr(model, "recognition", None):
        networks["recognition"] = [*recognition.layers, model.recognition_output]
        channelled = len(routes(model.channels))
    # (forward passes, passes back for D, passes back for G) through each network
    passes = {
        "generator": (1, 0, 1),
        "trunk": (2 + channelled, 2 + channelled, 1 + channelled),
        "discriminator": (2, 2, 1),
        "recognition": (1 + channelled, 1 + channelled, 1 + channelled),
    }
    counted = {}
    for name, layers in networks.items():
        costs = [cost for layer in layers if (cost := _layer_gflop(layer, batch_size))]
        everything, beyond_first = sum(costs), sum(costs[1:])
        forward, for_d, for_g = passes[name]
        counted[f"{name} forward"] = forward * everything
        if name == "generator":
            counted[f"{name} weight gradient"] = for_g * everything
            counted[f"{name} input gradient"] = for_g * beyond_first
            continue
        back = beyond_first if name == "trunk" else everything
        counted[f"{name} weight gradient"] = for_d * everything
        counted[f"{name} input gradient for D"] = for_d * back
        counted[f"{name} input gradient for G"] = for_g * everything
    return counted


def _layer_gflop(layer: keras.Layer, batch_size: int) -> float:
    """One pass of one layer over a batch; 0 for a layer that only moves numbers."""
    inner = getattr(layer, "layer", layer)  # of one that normalises another's kernel
    if isinstance(inner, keras.layers.Conv2DTranspose):
        places = np.prod(layer.input.shape[1:3])  # a kernel laid down for each input
    elif isinstance(inner, keras.layers.Conv2D):
        places = np.prod(layer.output.shape[1:3])
    elif isinstance(inner, keras.layers.Dense):
        places = 1
    else:
        return 0.0
    return 2e-9 * batch_size * float(places) * float(np.prod(inner.kernel.shape))


def ceilings(precision: str) -> dict[str, float]:
    """What the machine reaches on its own, GFLOP/s: a large matmul and a convolution."""
    dtype = tf.dtypes.as_dtype(precision)
    draw = tf.random.stateless_normal
    square = tf.cast(draw([MATMUL_SIZE, MATMUL_SIZE], [0, 0]), dtype)
    images = tf.cast(draw([128, 14, 14, 64], [0, 0]), dtype)
    kernel = tf.cast(draw([4, 4, 64, 128], [0, 0]), dtype)

    @tf.function
    def matmul() -> tf.Tensor:
        return tf.matmul(square, square)

    @tf.function
    def convolution() -> tf.Tensor:
        return tf.nn.conv2d(images, kernel, 2, "SAME")

    work = {"matmul": 2e-9 * MATMUL_SIZE**3, "convolution": 2e-9 * 128 * 49 * 16 * 64 * 128}
    actions = {"matmul": matmul, "convolution": convolution}
    return {
        name: work[name] / (timed(action, repeats=20).median / 1e3)
        for name, action in actions.items()
    }


def benchmark(
    spec: ModelSpec,
    *,
    against_gan: bool = False,
    dataset: str | None = "synthetic",
    data_dir: str | os.PathLike | None = None,
) -> dict[str, Any]:
    """Every figure of one entry, as JSON takes it.

    Args:
        spec: what to measure, at its own batch size and precision.
        against_gan: time the same networks without codes too.
        dataset, data_dir: the images of the run that is evaluated and exported.

    Returns:
        `ms_per_step` (median) with `ms_per_step_quartiles`, `images_per_second`;
        `ceiling_gflops` (the matmul) with `ceilings`; where `is_counted`, `step_gflop`
        with `step_gflop_parts` and `utilization` (achieved GFLOP/s over that ceiling);
        `input_images_per_second` and `input_share` (of a step's time, were nothing
        prefetched); `use_images_per_second`; `run_seconds`; with `against_gan` also
        `gan_ms_per_step` and `over_gan`, measured in the same run.
    """
    batch_size = spec.training.batch_size
    model = models.build(spec)
    limits = ceilings(spec.training.precision)
    step = time_step(model, spec.training)
    rate, input_limit = 1e3 * batch_size / step.median, input_rate(spec)
    figures = {
        "model": spec.name,
        "precision": spec.training.precision,
        "batch_size": batch_size,
        "ms_per_step": step.median,
        "ms_per_step_quartiles": [step.lower, step.upper],
        "images_per_second": rate,
        "ceiling_gflops": limits["matmul"],
        "ceilings": limits,
        "input_images_per_second": input_limit,
        "input_share": rate / input_limit,
        "use_images_per_second": use_rates(model),
        "run_seconds": run_seconds(spec, dataset=dataset, data_dir=data_dir),
    }
    if is_counted(model):
        parts = step_gflop(model, batch_size)
        work = sum(parts.values())
        figures |= {
            "step_gflop": work,
            "step_gflop_parts": parts,
            "utilization": work / (step.median / 1e3) / limits["matmul"],
        }
    if against_gan:
        gan = time_step(models.build(without_codes(spec)), spec.training)
        figures |= {"gan_ms_per_step": gan.median, "over_gan": step.median / gan.median}
    return figures
