"""Our training step as a worker, timed as `pytorch_reference.py` is.

python benchmarks/ours.py MODEL [float32|bfloat16]
"""

import sys
import time

import tensorflow as tf

import infogan_tf
from zoo import registry


def main() -> None:
    name, precision = sys.argv[1:3]
    spec = registry.find(name).with_training(precision=precision)
    model = infogan_tf.build(spec)
    step = tf.function(model.train_step)
    images = tf.random.uniform([spec.training.batch_size, *spec.data.image_shape])
    for line in sys.stdin:
        milliseconds = []
        for _ in range(int(line)):
            start = time.perf_counter()
            step(images)["d_loss"].numpy()
            milliseconds.append(1e3 * (time.perf_counter() - start))
        print(*(f"{ms:.2f}" for ms in milliseconds), flush=True)


if __name__ == "__main__":
    main()
