"""What happens beside the updates: each concern one Keras callback, driven by the step.

A run is a single `fit`, however often it was interrupted, so that the running means of
an interval survive a resume: the callbacks read and reset them, not Keras.
"""

import json
import math
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from infogan_tf import replicas, traversal
from infogan_tf.errors import InfoGANError
from infogan_tf.grid import Grid
from infogan_tf.training.checkpoints import Checkpoints
from infogan_tf.training.run_directory import RunDirectory


class StopOnNonFinite(keras.callbacks.Callback):
    """Ends the run at the first number that is not finite, naming it and the step.

    Losses and nats are looked at in every step, the weights every `interval` steps: a
    kernel may turn a NaN into a zero and hide it from the losses.
    """

    def __init__(self, checkpoints: Checkpoints, interval: int) -> None:
        super().__init__()
        self._checkpoints, self._interval = checkpoints, interval

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        step = int(self.model.step.numpy())
        for name, value in (logs or {}).items():
            if not math.isfinite(value):
                raise InfoGANError(
                    f"{name} became {value} at step {step}: the training stopped. "
                    f"{self._checkpoints.last_good()} A smaller learning rate or "
                    "mi_weight may help."
                )
        if step % self._interval == 0:
            self._checkpoints.require_finite()


class KeepMeans(keras.callbacks.Callback):
    """Carries the running means of an interrupted interval over the start of `fit`."""

    def on_train_begin(self, logs: Any = None) -> None:
        with self.model.distribute_strategy.scope():  # of all replicas
            self._values = [variable.numpy() for variable in self._variables()]

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:  # after Keras's reset
        with self.model.distribute_strategy.scope():
            for variable, value in zip(self._variables(), self._values, strict=True):
                variable.assign(value)

    def _variables(self) -> list[keras.Variable]:
        return [v for metric in self.model.metrics for v in metric.variables]


class Every(keras.callbacks.Callback):
    """Calls `action(step)` every so many steps and at the last one, once each."""

    def __init__(self, interval: int, last: int, action: Callable[[int], None]) -> None:
        super().__init__()
        self._interval, self._last, self._action = interval, last, action

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        step = int(self.model.step.numpy())
        if step % self._interval == 0 or step == self._last:
            self._action(step)


class Journal:
    """Writes the means of an interval to train_log.jsonl, TensorBoard and the terminal."""

    def __init__(self, model: Any, run: RunDirectory, batch_size: int, last: int) -> None:
        self._model, self._run, self._last = model, run, last
        self._batch_size = batch_size
        self._writer = tf.summary.create_file_writer(str(run.events))
        self._mark = (time.perf_counter(), int(model.step.numpy()))

    def __call__(self, step: int) -> None:
        now = time.perf_counter()
        seconds, steps = now - self._mark[0], step - self._mark[1]
        self._mark = (now, step)
        speed = steps * self._batch_size / seconds if steps else 0.0
        means = {m.name: float(m.result().numpy()) for m in self._model.metrics}
        self._model.reset_metrics()
        line = {"step": step, "images_per_second": round(speed, 1), **means}
        with self._run.writing(f"The log of step {step}"):
            with open(self._run.log_file, "a") as file:
                file.write(json.dumps(line) + "\n")
            with self._writer.as_default(step):
                for name, value in {"images_per_second": speed, **means}.items():
                    tf.summary.scalar(name, value)
            self._writer.flush()
        left = (self._last - step) * seconds / steps if steps else 0.0
        print_progress(self._sentence(step, speed, left, means), done=step == self._last)

    def _sentence(
        self, step: int, speed: float, left: float, means: dict[str, float]
    ) -> str:
        nats = []
        for code in self._model.latents.codes:
            if f"mi/{code.name}" in means:
                found, most = means[f"mi/{code.name}"], code.max_information
                nats.append(f"{code.name} {found:.2f}/{most:.2f}")
        minutes, rest = divmod(round(left), 60)
        return (
            f"step {step}/{self._last}  {speed:,.0f} images/s  ETA {minutes}:{rest:02d}  "
            f"d_loss {means['d_loss']:.3f}  g_loss {means['g_loss']:.3f}"
            + (f"  nats: {', '.join(nats)}" if nats else "")
        )


class Sweeps:
    """Draws every sweep to traversals/ and TensorBoard."""

    def __init__(self, model: Any, run: RunDirectory, seed: int) -> None:
        self._model, self._run, self._seed = model, run, seed
        self._writer = tf.summary.create_file_writer(str(run.events / "sweeps"))

    def __call__(self, step: int) -> None:
        for name, grid in traversal.grids(self._model, seed=self._seed).items():
            self.show(name, grid, step)

    def show(self, name: str, grid: Grid, step: int) -> None:
        """Writes one picture."""
        with self._run.writing(f"The sweep of {name} at step {step}"):
            grid.write_png(self._run.traversals / f"{name}.png")
            with self._writer.as_default(step):
                tf.summary.image(name, grid.draw()[np.newaxis])
            self._writer.flush()


class StopOnSignal(keras.callbacks.Callback):
    """Turns Ctrl-C and SIGTERM into a clean stop at the end of the step.

    One of several workers cannot stop in step with the others: there a signal kills, as
    it always does, and the last checkpoint is what remains.
    """

    def __init__(self) -> None:
        super().__init__()
        self.received: int | None = None
        self._before: dict[int, Any] = {}

    def on_train_begin(self, logs: Any = None) -> None:
        if threading.current_thread() is not threading.main_thread():
            return  # Python hands signals to the main thread only
        if replicas.is_several_workers(self.model.distribute_strategy):
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            self._before[number] = signal.signal(number, self._receive)

    def _receive(self, number: int, frame: Any) -> None:
        self.received = number

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.received:
            self.model.stop_training = True

    def restore_handlers(self) -> None:
        """Gives the signals back to whoever had them."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


def print_progress(text: str, *, done: bool = False) -> None:
    """One line that rewrites itself in a terminal, plain lines elsewhere."""
    if sys.stdout.isatty():
        print(f"\r\x1b[K{text}", end="\n" if done else "", flush=True)
    else:
        print(text, flush=True)
