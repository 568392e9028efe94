"""What SGAN is measured against: its classifier, taught the same labels, without a game.

python benchmarks/classifier_alone.py --model=mnist_sgan --labels=100 --data_dir=DIR

The trunk and the output of the model, the same labelled images, optimizer and number of
updates; no generated images and none without a label. Prints one line of JSON.
"""

import json
import os
import sys

from absl import flags

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "tools"))
from command_line import FLAGS, chosen_spec, define_data_flags, define_model_flags, run

define_model_flags()
define_data_flags()
flags.DEFINE_integer("seeds", 3, "How many: 0 to N - 1.")


def main() -> None:
    import keras

    from infogan_tf import data, models
    from infogan_tf.data.pipeline import batches, labelled_batch, labelled_rows

    accuracies = []
    for seed in range(FLAGS.seeds):
        spec = chosen_spec().with_training(seed=seed)
        numbers = spec.training
        images = data.load(spec.data, dataset=FLAGS.dataset, data_dir=FLAGS.data_dir)
        model = models.build(spec)
        classifier = keras.Sequential([model.trunk, model.discriminator])
        classifier.compile(
            model.discriminator_optimizer,
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        rows = labelled_rows(images.train.labels, numbers.labels, seed)
        stream = batches(
            images.train.images[rows],
            labels=images.train.labels[rows],
            batch_size=labelled_batch(numbers, len(rows)),
            seed=seed,
        )
        classifier.fit(stream, steps_per_epoch=numbers.steps, shuffle=False, verbose=0)
        logits = classifier.predict(images.test.images / 255.0, verbose=0)
        read = logits[:, : model.label_count].argmax(axis=1)
        accuracies.append(round(float((read == images.test.labels).mean()), 4))
    found = {"labels": numbers.labels, "steps": numbers.steps, "accuracy": accuracies}
    print(json.dumps(found))


if __name__ == "__main__":
    run(main)
