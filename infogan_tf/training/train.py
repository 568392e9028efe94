"""Trains what a spec declares, in a run directory, resuming where it stopped."""

import contextlib
import dataclasses
import os
import signal
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from tensorboard.plugins.hparams import api as hparams

from infogan_tf import data, models, replicas, traversal
from infogan_tf.errors import InfoGANError
from infogan_tf.models.gan import GAN
from infogan_tf.spec import ModelSpec, TrainSpec
from infogan_tf.training.callbacks import (
    Every,
    Journal,
    KeepMeans,
    StopOnNonFinite,
    StopOnSignal,
    Sweeps,
)
from infogan_tf.training.checkpoints import Checkpoints
from infogan_tf.training.run_directory import RunDirectory, describe

STATISTICS_BATCHES = 400  # at most, and a tenth of the run


class Interrupted(InfoGANError):  # noqa: N818  no error: it was asked for
    """A signal stopped the run; it was saved and can go on.

    The exit code is a shell's for that signal: 143 for SIGTERM, 130 for Ctrl-C.
    """

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.exit_code = 128 + number


def train(
    spec: ModelSpec,
    run_dir: str | os.PathLike,
    *,
    dataset: str | None = None,
    data_dir: str | os.PathLike | None = None,
    strategy: tf.distribute.Strategy | None = None,
) -> GAN:
    """Trains to `spec.training.steps`, or goes on where this run directory stopped.

    Args:
        spec: what to train.
        run_dir: see `RunDirectory`.
        dataset, data_dir: where the images come from; see `infogan_tf.data.load`.
        strategy: of `infogan_tf.replicas.find`, or any that mirrors the variables; the
            batch is cut into equal parts, one for each replica. Several workers read the
            same `run_dir`, and the chief alone writes to it.

    Returns:
        The trained model.

    Raises:
        InfoGANError: bad data or settings, or a number that is not finite.
        Interrupted: SIGINT or SIGTERM; the state was saved.
    """
    strategy = strategy or tf.distribute.get_strategy()
    images = data.load(spec.data, dataset=dataset, data_dir=data_dir)
    numbers = spec.training
    data.stream(images.train, numbers)  # raises where the images do not suffice
    _require_equal_parts(numbers, images.train, strategy.num_replicas_in_sync)
    options = describe(spec, images, dataset=dataset, data_dir=data_dir)
    with replicas.together(strategy):
        with strategy.scope():
            model = models.build(spec)
        _require_known(images.train.labels, model, numbers)
        with _writing(RunDirectory(run_dir), options, strategy, model) as run:
            step = int(model.step.numpy())
            run.rewind_log(step)
            if step >= numbers.steps:
                print(f"{run.path} is trained: {step} of {numbers.steps} steps.")
                return model
            if step:
                print(f"Resuming {run.path} at step {step} of {numbers.steps}.")
            _fit(model, spec, images, run)
    return model


def load(run_dir: str | os.PathLike, *, average: bool = False) -> GAN:
    """The model of a run, with the weights of its newest intact checkpoint.

    Args:
        run_dir: of a training.
        average: the moving average of the generator in place of its last weights; the
            run has to be one with `ema_decay`.

    Raises:
        InfoGANError: not a run directory, without a checkpoint, or without an average.
    """
    run = RunDirectory(run_dir)
    spec = run.spec()
    model = models.build(spec)
    if not Checkpoints(model, run.checkpoints).restore():
        raise InfoGANError(
            f"{run.path} has no checkpoint: train it first, with "
            f"python tools/train.py --model={spec.name} --run_dir={run.path}"
        )
    if average:
        optimizer = model.generator_optimizer
        if not optimizer.use_ema:
            raise InfoGANError(
                f"{run.path} keeps no average of the generator: train with --ema_decay."
            )
        optimizer.finalize_variable_values(model.generator.trainable_variables)
        # What batch normalisation remembers is of the last weights' images.
        model.gather_generator_statistics(spec.training.batch_size, STATISTICS_BATCHES)
    return model


@contextlib.contextmanager
def _writing(
    run: RunDirectory,
    options: dict[str, Any],
    strategy: tf.distribute.Strategy,
    model: GAN,
) -> Iterator[RunDirectory]:
    """Restores `model` from `run`, and yields the directory that this process writes to.

    That is `run`, locked. A worker that is not the chief does all that the chief does,
    since many of the reads are collective, but in silence and in a folder of its own.
    """
    with contextlib.ExitStack() as held:
        refusal = None
        if replicas.is_chief(strategy):
            try:
                run.create(options)
                held.enter_context(run.lock())
            except InfoGANError as error:
                refusal = error
        agreed = replicas.agree(strategy, 1 if refusal else 0)
        if refusal:
            raise refusal
        if not agreed:
            raise InfoGANError("Worker 0 cannot begin: see what it says.")
        run.create(options)
        step = Checkpoints(model, run.checkpoints).restore()
        if not replicas.agree(strategy, step):
            raise InfoGANError(
                f"This worker found step {step} in {run.path}, and others another one: all "
                "workers need the same --run_dir, on a file system that they share."
            )
        if not replicas.is_chief(strategy):
            own = held.enter_context(tempfile.TemporaryDirectory())
            nowhere = held.enter_context(open(os.devnull, "w"))
            held.enter_context(contextlib.redirect_stdout(nowhere))
            run = RunDirectory(own)
        yield run


def _fit(model: GAN, spec: ModelSpec, images: data.ImageData, run: RunDirectory) -> None:
    numbers, first_step = spec.training, int(model.step.numpy())
    checkpoints = Checkpoints(model, run.checkpoints)
    sweeps = Sweeps(model, run, numbers.seed)
    journal = Journal(model, run, numbers.batch_size, numbers.steps)
    if first_step == 0:
        shown = images.train.sample(traversal.ROWS * traversal.STEPS).images
        sweeps.show("real", traversal.real_grid(shown, images.origin), 0)
        sweeps(0)
        _write_hparams(run, spec)

    def gather_statistics(step: int) -> None:
        if count := min(STATISTICS_BATCHES, steps // 10):
            print(f"Gathering the statistics of batch normalisation: {count} batches.")
            once = dataclasses.replace(numbers, critic_steps=1)
            batches = data.stream(images.train, once, first_step=step)
            model.gather_statistics(batches.take(count))

    by_rows = tf.data.Options()
    sharding = by_rows.experimental_distribute
    sharding.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    stop = StopOnSignal()
    steps = numbers.steps
    try:
        model.fit(
            data.stream(images.train, numbers, first_step=first_step).with_options(by_rows),
            steps_per_epoch=steps - first_step,
            epochs=1,
            verbose=0,
            shuffle=False,
            callbacks=[
                KeepMeans(),
                StopOnNonFinite(checkpoints, numbers.log_every),
                Every(numbers.log_every, steps, journal),
                Every(steps, steps, gather_statistics),
                Every(numbers.checkpoint_every, steps, lambda step: checkpoints.save()),
                Every(numbers.sweep_every, steps, sweeps),
                stop,
            ],
        )
    finally:
        stop.restore_handlers()
    if stop.received and (step := int(model.step.numpy())) < steps:
        checkpoints.save()
        raise Interrupted(
            f"Stopped by {signal.Signals(stop.received).name} at step {step} of {steps}; "
            f"saved in {run.path}. Run the same command again to go on.",
            stop.received,
        )


def _require_equal_parts(numbers: TrainSpec, train: data.Split, replica_count: int) -> None:
    if numbers.batch_size % replica_count:
        raise InfoGANError(
            f"A batch of {numbers.batch_size} cannot be cut into equal parts for "
            f"{replica_count} replicas: give a --batch_size that is a multiple of "
            f"{replica_count}."
        )
    shown = len(train) if numbers.labels == -1 else numbers.labels
    if (labelled := data.labelled_batch(numbers, shown)) % replica_count:
        raise InfoGANError(
            f"An update takes {labelled} labelled images, which cannot be cut into equal "
            f"parts for {replica_count} replicas: give --labels={shown} another value."
        )
    if replica_count > 1 and numbers.jit_compile == "true":
        raise InfoGANError(
            f"--jit_compile=true does not go with {replica_count} replicas: leave it out."
        )


def _require_known(labels: np.ndarray | None, model: GAN, numbers: TrainSpec) -> None:
    if numbers.labels and labels.max() >= model.label_count:
        raise InfoGANError(
            f"{model.name} tells {model.label_count} labels apart, and the images have "
            f"labels up to {labels.max()}: declare more of them."
        )


def _write_hparams(run: RunDirectory, spec: ModelSpec) -> None:
    """Shows the numbers of the training in TensorBoard's HPARAMS."""
    numbers = dataclasses.asdict(spec.training)
    weights = {f"mi_weight/{code.name}": code.mi_weight for code in spec.latents.codes}
    shown = {"model": spec.name, "game": type(spec.game).__name__, **numbers, **weights}
    with (
        run.writing("The numbers of the training"),
        tf.summary.create_file_writer(str(run.events)).as_default(),
    ):
        hparams.hparams({name: value for name, value in shown.items() if value is not None})
