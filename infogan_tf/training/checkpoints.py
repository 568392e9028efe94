"""Exact state on disk, by `tf.train.Checkpoint`: checksummed, whole or not at all."""

import pathlib
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from infogan_tf.errors import InfoGANError
from infogan_tf.models.gan import GAN

KEPT = 3


class Checkpoints:
    """The last few states of a model: weights, both optimizers, running means.

    Everything else that training depends on is a function of (seed, step), so this is
    all a run needs to go on bit for bit.
    """

    def __init__(self, model: GAN, folder: pathlib.Path) -> None:
        self._model = model
        self._folder = folder
        self._good = int(model.step.numpy())  # of the state that was read or written last
        self._state = tf.train.Checkpoint(variables=[v.value for v in _variables(model)])

    def save(self) -> pathlib.Path:
        """Writes the present state as `step-<step>`, unless a number in it is not finite.

        Raises:
            InfoGANError: a variable holds a number that is not finite, or the folder
                cannot be written; the checkpoints before stay as they are.
        """
        step = int(self._model.step.numpy())
        self.require_finite()
        try:
            path = self._state.write(str(self._folder / f"step-{step}"))
            self._good = step
            for old in self._paths()[KEPT:]:
                for part in self._folder.glob(f"{pathlib.Path(old).name}.*"):
                    part.unlink()
            return pathlib.Path(path)
        except (OSError, tf.errors.OpError) as error:
            raise InfoGANError(
                f"The checkpoint of step {step} cannot be written in {self._folder}: "
                f"{_first_line(error)}. {self.last_good()}"
            ) from error

    def restore(self, say: Callable[[str], None] = print) -> int:
        """Loads the newest checkpoint that is intact; returns its step, 0 if none.

        Raises:
            InfoGANError: there are checkpoints and none can be read.
        """
        damaged = []
        for path in self._paths():
            try:
                status = self._state.read(path)
                status.assert_existing_objects_matched().expect_partial()
                self._good = int(self._model.step.numpy())
                return self._good
            except (tf.errors.OpError, AssertionError, ValueError, KeyError) as error:
                damaged.append(path)
                say(f"The checkpoint {path} is damaged ({_first_line(error)}).")
        if damaged:
            raise InfoGANError(
                f"None of the {len(damaged)} checkpoints in {self._folder} can be read: "
                "train again in another --run_dir."
            )
        return 0

    def require_finite(self) -> None:
        """Raises InfoGANError that names the first variable that is not finite."""
        for variable in _variables(self._model):
            if not np.isfinite(variable.numpy()).all():
                raise InfoGANError(
                    f"{variable.path} is not finite at step "
                    f"{int(self._model.step.numpy())}: the training stopped. "
                    f"{self.last_good()} A smaller learning rate or mi_weight may help."
                )

    def last_good(self) -> str:
        """A sentence on where the last checkpoint is that was written or read."""
        path = self._folder / f"step-{self._good}"
        return f"The last good checkpoint is {path}." if self._good else ""

    def _paths(self) -> list[str]:
        """The checkpoints on disk, newest first, whatever became of their index file."""
        found = self._folder.glob("step-*.index")
        steps = sorted((int(path.stem.split("-")[1]) for path in found), reverse=True)
        return [str(self._folder / f"step-{step}") for step in steps]


def _variables(model: GAN) -> list:
    """Everything that changes as the model trains, in a fixed order."""
    optimizers = (model.generator_optimizer, model.discriminator_optimizer)
    return [
        *model.variables,
        *(variable for optimizer in optimizers for variable in optimizer.variables),
        *(variable for metric in model.metrics for variable in metric.variables),
    ]


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
