"""How fast training is, beside what the arithmetic needs and what the machine can do."""

import dataclasses
import statistics
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from infogan_tf import models
from infogan_tf.models import GAN
from infogan_tf.spec import ModelSpec

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


def time_step(spec: ModelSpec, *, repeats: int = 30) -> Timing:
    """Times the training step of `spec` on a batch of noise that stays in memory."""
    model = models.build(spec)
    step = tf.function(model.train_step)
    shape = (spec.training.batch_size, *spec.data.image_shape)
    images = tf.random.stateless_uniform(shape, [0, 0])
    return timed(lambda: step(images)["d_loss"].numpy(), repeats=repeats)


def without_codes(spec: ModelSpec) -> ModelSpec:
    """The plain GAN on the same networks: no Q, no channel; the codes' columns stay.

    The noise is wider by the codes' columns, so that G is the same network.
    """
    noise = dataclasses.replace(spec.latents.noise, size=spec.latents.width)
    latents = dataclasses.replace(spec.latents, codes=(), noise=noise)
    return dataclasses.replace(
        spec, method="gan", latents=latents, recognition=(), channel=None
    )


def step_gflop(model: GAN, batch_size: int) -> dict[str, float]:
    """Counts the multiplications and additions of one step, 10^9, per network and move.

    Convolutions and dense layers only, two operations for each weight met; what is
    counted is what the step asks for, not what a kernel does. A layer costs the same
    forward, for the gradient of its weights and for that of its inputs. D's gradients
    need no gradient of the images, G's need those and no weights of the trunk.
    """
    heads = {"discriminator": [model.discriminator]}
    networks = {"generator": model.generator.layers, "trunk": model.trunk.layers, **heads}
    if recognition := getattr(model, "recognition", None):
        networks["recognition"] = [*recognition.layers, model.recognition_output]
    channelled = int(getattr(model, "channel", None) is not None)
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
    if isinstance(layer, keras.layers.Conv2DTranspose):
        places = np.prod(layer.input.shape[1:3])  # a kernel laid down for each input
    elif isinstance(layer, keras.layers.Conv2D):
        places = np.prod(layer.output.shape[1:3])
    elif isinstance(layer, keras.layers.Dense):
        places = 1
    else:
        return 0.0
    return 2e-9 * batch_size * float(places) * float(np.prod(layer.kernel.shape))


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


def benchmark(spec: ModelSpec, *, against_gan: bool = False) -> dict[str, Any]:
    """Every figure of one entry, as JSON takes it.

    Returns:
        `ms_per_step` (median) with `ms_per_step_quartiles`, `images_per_second`,
        `step_gflop` with `step_gflop_parts`, `ceiling_gflops` (the matmul) with
        `ceilings`, `utilization` (achieved GFLOP/s over that ceiling); with
        `against_gan` also `gan_ms_per_step` and `over_gan`, measured in the same run.
    """
    batch_size = spec.training.batch_size
    parts = step_gflop(models.build(spec), batch_size)
    limits = ceilings(spec.training.precision)
    step = time_step(spec)
    work = sum(parts.values())
    figures = {
        "model": spec.name,
        "precision": spec.training.precision,
        "batch_size": batch_size,
        "ms_per_step": step.median,
        "ms_per_step_quartiles": [step.lower, step.upper],
        "images_per_second": 1e3 * batch_size / step.median,
        "step_gflop": work,
        "step_gflop_parts": parts,
        "ceiling_gflops": limits["matmul"],
        "ceilings": limits,
        "utilization": work / (step.median / 1e3) / limits["matmul"],
    }
    if against_gan:
        gan = time_step(without_codes(spec))
        figures |= {"gan_ms_per_step": gan.median, "over_gan": step.median / gan.median}
    return figures
