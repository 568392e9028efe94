"""Our training step as a worker, timed as `pytorch_reference.py` is.

python benchmarks/ours.py MODEL [float32|bfloat16]
"""

import sys

import tensorflow as tf
from worker import serve

import infogan_tf
from zoo import registry


def main() -> None:
    name, precision = sys.argv[1:3]
    spec = registry.find(name).with_training(precision=precision)
    model = infogan_tf.build(spec)
    step = tf.function(model.train_step)
    images = tf.random.uniform([spec.training.batch_size, *spec.data.image_shape])
    serve(lambda: step(images)["d_loss"].numpy())


if __name__ == "__main__":
    main()
