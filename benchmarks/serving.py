"""How fast an exported model answers, beside the same model in Keras.

python benchmarks/serving.py --export_dir=exports/MODEL --run_dir=runs/mnist --json=FILE

For each batch the ways take turns, so that a drift of the machine meets all of them. The
first answer is timed in a process of its own.
"""

import json
import random
import subprocess
import sys
import time

import numpy as np
import tensorflow as tf
from absl import app, flags

import infogan_tf
from infogan_tf.serving.saved_model import SavedModel

flags.DEFINE_string("export_dir", None, "Folder of one exported model.", required=True)
flags.DEFINE_string("run_dir", None, "The run that was exported.", required=True)
flags.DEFINE_string("json", None, "File to write the figures to.")
flags.DEFINE_integer("seconds", 4, "For each batch size, signature and way.")
BATCHES = (1, 8, 64, 256)

FIRST = """
import sys, time
import tensorflow as tf
start = time.perf_counter()
signatures = tf.saved_model.load(sys.argv[1]).signatures
loaded = time.perf_counter()
if sys.argv[2] == "warm":
    from tensorflow_serving.apis import prediction_log_pb2
    path = sys.argv[1] + "/assets.extra/tf_serving_warmup_requests"
    for record in tf.data.TFRecordDataset(path):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        inputs = {name: tf.make_ndarray(p) for name, p in request.inputs.items()}
        signatures[request.model_spec.signature_name](
            **{name: tf.constant(value) for name, value in inputs.items()}
        )
warmed = time.perf_counter()
inputs = signatures["generate"].structured_input_signature[1]
signatures["generate"](
    **{n: tf.zeros([1, *spec.shape[1:]], spec.dtype) for n, spec in inputs.items()}
)
print(loaded - start, warmed - loaded, time.perf_counter() - warmed)
"""


def main(_: list[str]) -> None:
    export, model = SavedModel(flags.FLAGS.export_dir), infogan_tf.load(flags.FLAGS.run_dir)
    loaded = tf.saved_model.load(str(export.path)).signatures
    figures = {"first_answer_seconds": first_answers(str(export.path))}
    print(figures)
    for signature in ("generate", "recognize"):
        for batch in BATCHES:
            ways = ways_of(signature, model, loaded, batch)
            for way, seconds in latencies(ways).items():
                p50, p99 = np.quantile(seconds, [0.5, 0.99])
                figures[f"{signature}/{batch}/{way}"] = {
                    "p50_ms": round(1e3 * p50, 3),
                    "p99_ms": round(1e3 * p99, 3),
                    "rows_per_second": round(batch * len(seconds) / sum(seconds)),
                    "calls": len(seconds),
                }
                print(signature, batch, way, figures[f"{signature}/{batch}/{way}"])
    if flags.FLAGS.json:
        with open(flags.FLAGS.json, "w") as file:
            json.dump(figures, file, indent=1)
            file.write("\n")


def ways_of(signature: str, model: infogan_tf.InfoGAN, loaded: dict, batch: int) -> dict:
    """Calls without arguments that each do the same work, by name."""
    latents = model.latents.sample(batch, tf.constant([0, 0]))
    images = model.generate_images(latents)
    served = loaded[signature]
    if signature == "generate":
        encoded = model.latents.encode(latents)
        return {
            "export": lambda: served(**latents)["images"].numpy(),
            "function": lambda: model.generate_images(latents).numpy(),
            "predict": lambda: model.generator.predict(encoded, batch, verbose=0),
        }
    name = next(iter(served.structured_outputs))
    code, _, parameter = name.rpartition("_")
    trunk = model.trunk
    return {
        "export": lambda: served(images=images)[name].numpy(),
        "function": lambda: model.recognize_images(images)[code][parameter].numpy(),
        "predict": lambda: trunk.predict(images, batch, verbose=0),
    }


def latencies(ways: dict) -> dict[str, list[float]]:
    """Seconds of each call, the ways in turns, in another order each time.

    Whoever comes after Keras's `predict` finds the processor's caches full of other things.
    """
    order, draw = list(ways.items()), random.Random(0)
    found: dict[str, list[float]] = {way: [] for way in ways}
    for call in ways.values():
        for _ in range(3):
            call()
    end = time.perf_counter() + flags.FLAGS.seconds * len(ways)
    while time.perf_counter() < end:
        draw.shuffle(order)
        for way, call in order:
            start = time.perf_counter()
            call()
            found[way].append(time.perf_counter() - start)
    return found


def first_answers(path: str) -> dict[str, dict[str, float]]:
    """Seconds to load, to replay the warm-up requests, and to the first answer then."""
    found = {}
    for kind in ("cold", "warm"):
        command = [sys.executable, "-c", FIRST, path, kind]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        load, warm_up, answer = map(float, done.stdout.split()[-3:])
        found[kind] = {"load": load, "warm_up": warm_up, "first_answer": answer}
    return found


if __name__ == "__main__":
    app.run(main)
