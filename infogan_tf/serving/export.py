"""SavedModels that any TensorFlow runs, TF Serving too, without Keras or infogan_tf.

    signature      inputs                           outputs
    generate       every code, noise [batch, size]  images
    sample         every code, seed                 images
    sample_png     every code, seed                 image_bytes
    sweep          every code, seed, code           images [batch, 10, height, ...]
    recognize      images                           <name>_probabilities [batch, K]
                                                    or <name>_mean, <name>_stddev
    recognize_png  image_bytes                      the same
    discriminate   images                           logits
    classify       images                           probabilities [batch, labels], label

`serving_default` is `generate`. Other shapes are [batch], and [batch, height, width,
channels] for images, float32 in [0, 1] both ways. `image_bytes` are PNG files, string
[batch], for REST. A code is an input by its own name, int32 from 0 to K - 1 or any finite
float32; `seed` is any int32; `code` is the place, int32 from 0, of the code to sweep. A
model without codes has no `sweep`, one without Q no `recognize` and no `recognize_png`,
and one that knows no labels no `classify`.

Every row is computed by itself, and a batch may be empty. An input that is not possible
is answered by INVALID_ARGUMENT and a sentence that names it.
"""

import contextlib
import functools
import itertools
import json
import math
import os
import pathlib
from collections.abc import Callable, Iterator, Mapping
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from infogan_tf.errors import InfoGANError
from infogan_tf.models.gan import GAN

SWEEP_STEPS = 10  # of a continuous code; more where a category has more values
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"

Tensors = dict[str, tf.Tensor]


def export(
    model: GAN,
    export_dir: str | os.PathLike,
    *,
    name: str | None = None,
    card: Mapping[str, Any] | None = None,
) -> pathlib.Path:
    """Writes `model` for serving, under the next free version number.

    The version appears whole or not at all: a server may poll the directory meanwhile.
    Where tensorflow-serving-api is installed, TF Serving finds one request for each
    signature beside it, and sends them before it answers anybody.

    Args:
        model: what to write, with the weights that it has now.
        export_dir: holds one folder for each model; made where it is missing.
        name: of the model's folder, `model.name` where not given.
        card: what is written beside it as model_card.json; see `model_card`.

    Returns:
        export_dir/<name>/<version>, version being 1 or one above the largest there.

    Raises:
        InfoGANError: the directory cannot be written to.
    """
    folder = pathlib.Path(export_dir) / (name or model.name)
    archive = keras.export.ExportArchive()
    endpoints = _endpoints(model)
    for signature, endpoint in endpoints.items():
        specs = {key: expected.spec(key) for key, expected in endpoint.inputs.items()}
        archive.add_endpoint(signature, endpoint.function, [specs])
    try:
        with _made(folder), TemporaryDirectory(prefix=".export-", dir=folder) as aside:
            written = os.path.join(aside, "model")
            archive.write_out(written, verbose=False)
            _write_warm_up(written, folder.name, model, endpoints)
            if card is not None:
                text = json.dumps(card, indent=2, allow_nan=False) + "\n"
                pathlib.Path(written, "model_card.json").write_text(text)
            return _publish(written, folder)
    except (OSError, tf.errors.ResourceExhaustedError) as error:
        reason = getattr(error, "strerror", "No space left")
        raise InfoGANError(
            f"The model cannot be written to {folder} ({reason}): choose an export "
            "directory that you may write to and that has space left."
        ) from error


def _write_warm_up(
    written: str, name: str, model: GAN, endpoints: dict[str, "_Endpoint"]
) -> None:
    """Writes one request of one row for each signature of the model called `name`."""
    try:
        from tensorflow_serving.apis import predict_pb2, prediction_log_pb2
    except ImportError:  # an optional package
        return
    latents = model.latents.sample(1, tf.constant([0, 0]))
    image = model.generate_images(latents)
    pixels = tf.cast(tf.round(255 * image[0]), tf.uint8)
    tensors = latents | {
        "seed": tf.constant([0]),
        "code": tf.constant([0]),
        "images": image,
        "image_bytes": tf.io.encode_png(pixels)[tf.newaxis],
    }
    folder = pathlib.Path(written, "assets.extra")
    folder.mkdir()
    with tf.io.TFRecordWriter(str(folder / "tf_serving_warmup_requests")) as file:
        for signature, endpoint in endpoints.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            for key in endpoint.inputs:
                request.inputs[key].CopyFrom(tf.make_tensor_proto(tensors[key]))
            record = prediction_log_pb2.PredictLog(request=request)
            log = prediction_log_pb2.PredictionLog(predict_log=record)
            file.write(log.SerializeToString())


@contextlib.contextmanager
def _made(folder: pathlib.Path) -> Iterator[None]:
    """Makes `folder`, and unmakes what it made if the block fails."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise


def _publish(written: str, folder: pathlib.Path) -> pathlib.Path:
    """Renames `written` to the next free number in `folder`."""
    versions = [int(path.name) for path in folder.iterdir() if path.name.isdecimal()]
    for version in itertools.count(max(versions, default=0) + 1):
        target = folder / str(version)
        try:
            os.rename(written, target)
            return target
        except OSError:
            if not target.exists():  # otherwise another export was faster
                raise


# --- what is served ------------------------------------------------------------------


class _Input(NamedTuple):
    """One input of a signature: its type, a row's shape, the numbers it may hold."""

    dtype: tf.DType
    shape: tuple[int, ...] = ()
    domain: tuple[float, float] = (-math.inf, math.inf)

    def spec(self, name: str) -> tf.TensorSpec:
        return tf.TensorSpec([None, *self.shape], self.dtype, name)


class _Endpoint(NamedTuple):
    """A signature: from checked tensors by name to tensors by name, and its inputs."""

    function: Callable[[Tensors], Tensors]
    inputs: dict[str, _Input]


def _endpoints(model: GAN) -> dict[str, _Endpoint]:
    """Every signature; `generate` first, as the default."""
    latents = model.latents
    codes = {
        code.name: _Input(tf.as_dtype(code.sweep_values(1).dtype), (), code.domain())
        for code in latents.codes
    }
    noise = {"noise": _Input(tf.float32, (latents.noise.size,))}
    seed = {"seed": _Input(tf.int32)}
    code = {"code": _Input(tf.int32, (), (0, len(codes) - 1))}
    images = {"images": _Input(tf.float32, model.generator.output_shape[1:], (0, 1))}
    signatures = {
        "generate": (_generate, codes | noise),
        "sample": (_sample, codes | seed),
        "discriminate": (_discriminate, images),
    }
    if codes:
        signatures["sweep"] = (_sweep, codes | seed | code)
    if hasattr(model, "recognize_images"):
        signatures["recognize"] = (_recognize, images)
    if hasattr(model, "classify"):
        signatures["classify"] = (_classify, images)
    endpoints = {
        name: _Endpoint(_checked(functools.partial(function, model), inputs), inputs)
        for name, (function, inputs) in signatures.items()
    }
    for name in ("sample", "recognize"):
        if name in endpoints:
            endpoints[f"{name}_png"] = _png(endpoints[name])
    return endpoints


def _generate(model: GAN, tensors: Tensors) -> Tensors:
    return {"images": model.generate_images(tensors)}


def _sample(model: GAN, tensors: Tensors) -> Tensors:
    noise = _draw_noise(model, tensors["seed"])
    return _generate(model, {**tensors, "noise": noise})


def _sweep(model: GAN, tensors: Tensors) -> Tensors:
    noise = _draw_noise(model, tensors["seed"])
    shown = {code.name: code.sweep_values(SWEEP_STEPS) for code in model.latents.codes}
    steps = max(SWEEP_STEPS, *map(len, shown.values()))
    latents = {"noise": tf.repeat(noise, steps, axis=0)}  # [batch * steps, size]
    for place, code in enumerate(model.latents.codes):
        swept = tensors["code"][:, tf.newaxis] == place  # [batch, 1]
        kept = tensors[code.name][:, tf.newaxis]  # [batch, 1]
        values = shown[code.name]  # of fewer than the steps the last one stays
        values = values[np.minimum(np.arange(steps), len(values) - 1)]
        values = tf.where(swept, values, kept)  # [batch, steps]
        latents[code.name] = tf.reshape(values, [-1])
    images = model.generate_images(latents)
    return {"images": tf.reshape(images, [-1, steps, *images.shape[1:]])}


def _recognize(model: GAN, tensors: Tensors) -> Tensors:
    return {
        f"{name}_{parameter}": value
        for name, posterior in model.recognize_images(tensors["images"]).items()
        for parameter, value in posterior.items()
    }


def _classify(model: GAN, tensors: Tensors) -> Tensors:
    probabilities = model.classify(tensors["images"])
    label = tf.argmax(probabilities, axis=1, output_type=tf.int32)
    return {"probabilities": probabilities, "label": label}


def _discriminate(model: GAN, tensors: Tensors) -> Tensors:
    return {"logits": model.discriminate(tensors["images"])}


def _png(endpoint: _Endpoint) -> _Endpoint:
    """The same endpoint, with PNG files for the images that go in or come out."""
    inputs = dict(endpoint.inputs)
    shape = inputs.pop("images").shape if "images" in inputs else None

    def function(tensors: Tensors) -> Tensors:
        if shape:
            files = tensors["image_bytes"]
            tensors = {"images": tf.cast(_decoded(files, shape), tf.float32) / 255}
        outputs = endpoint.function(tensors)
        if "images" in outputs:
            pixels = tf.cast(tf.round(255 * outputs.pop("images")), tf.uint8)
            outputs["image_bytes"] = tf.map_fn(
                tf.io.encode_png, pixels, fn_output_signature=tf.string
            )
        return outputs

    files = {"image_bytes": _Input(tf.string)} if shape else {}
    return _Endpoint(function, inputs | files)


def _decoded(files: tf.Tensor, shape: tuple[int, ...]) -> tf.Tensor:
    """The pixels of PNG files [batch], uint8 [batch, *shape]; no other size is taken."""
    height, width, channels = shape
    expected = f"Input image_bytes takes whole PNG files of {width} x {height} pixels"

    def decode(file: tf.Tensor) -> tf.Tensor:
        start = tf.strings.substr(file, 0, 8)
        end = tf.strings.substr(PNG_START + file, -8, 8)
        whole = tf.equal(start, PNG_START) & tf.equal(end, PNG_END)
        said = [f"{expected}, and received none, of bytes", tf.strings.length(file)]
        with tf.control_dependencies([tf.debugging.Assert(whole, said)]):
            pixels = tf.io.decode_png(tf.identity(file), channels)
        size = tf.shape(pixels)[1::-1]
        said = [f"{expected}, and received one of", size]
        fits = tf.reduce_all(tf.equal(size, [width, height]))
        with tf.control_dependencies([tf.debugging.Assert(fits, said)]):
            return tf.ensure_shape(tf.identity(pixels), shape)

    return tf.map_fn(decode, files, fn_output_signature=tf.TensorSpec(shape, tf.uint8))


def _draw_noise(model: GAN, seeds: tf.Tensor) -> tf.Tensor:
    """Noise [batch, size], each row a function of its own seed."""
    noise = model.latents.noise
    return tf.map_fn(
        lambda seed: noise.sample(1, tf.stack([seed, 0]))[0],
        seeds,
        fn_output_signature=tf.TensorSpec([noise.size], tf.float32),
    )


# --- what is refused -----------------------------------------------------------------


def _checked(function: Callable, inputs: dict[str, _Input]) -> Callable:
    """`function`, run only once its inputs are found possible."""

    def check_and_run(tensors: Tensors) -> Tensors:
        rows = [tf.shape(tensors[name])[0] for name in inputs]
        checks = [_equal(rows, f"Inputs {', '.join(inputs)} take equally many rows")]
        checks += [_in_domain(name, tensors[name], inputs[name]) for name in inputs]
        with tf.control_dependencies(checks):
            outputs = function({name: _filled(tensors[name]) for name in inputs})
        return {name: output[: rows[0]] for name, output in outputs.items()}

    return check_and_run


def _equal(numbers: list[tf.Tensor], sentence: str) -> tf.Operation:
    equal = tf.reduce_all(tf.equal(numbers, numbers[0]))
    data = [f"{sentence}, and received", numbers]
    return tf.debugging.Assert(equal, data, summarize=len(numbers))


def _in_domain(name: str, tensor: tf.Tensor, expected: _Input) -> tf.Operation:
    """Fails where `tensor` holds a number outside of what is expected."""
    low, high = expected.domain
    numbers = tf.cast(tensor, tf.float32)
    possible = tf.math.is_finite(numbers) & (low <= numbers) & (numbers <= high)
    limits = f" between {low} and {high}" if math.isfinite(high - low) else ""
    kind = "whole" if expected.dtype.is_integer else "finite"
    message = f"Input {name} takes {kind} numbers{limits}, and received"
    refused = tf.boolean_mask(tensor, ~possible)
    return tf.debugging.Assert(tf.reduce_all(possible), [message, refused])


def _filled(tensor: tf.Tensor) -> tf.Tensor:
    """A row of zeros in place of none: oneDNN's convolutions fail on empty batches."""
    missing = tf.maximum(1 - tf.shape(tensor)[0], 0)
    zeros = tf.zeros([missing, *tensor.shape[1:]], tensor.dtype)
    return tf.concat([tensor, zeros], axis=0)
