"""A trained model again, from wherever it was left."""

import os
import pathlib

from infogan_tf import training
from infogan_tf.errors import InfoGANError
from infogan_tf.models.gan import GAN
from infogan_tf.serving.saved_model import SavedModel
from infogan_tf.training import RunDirectory


def load(path: str | os.PathLike, *, average: bool = False) -> GAN | SavedModel:
    """The Keras model of a run directory, or a SavedModel that was exported.

    Args:
        path: of a training, or of an export (a version, or the folder above versions).
        average: see `training.load`; of a run only.

    Raises:
        InfoGANError: neither, a run without a checkpoint, or an average of an export.
    """
    folder = pathlib.Path(path)
    if RunDirectory(folder).options_file.exists():
        return training.load(folder, average=average)
    if any(folder.glob("saved_model.pb")) or any(folder.glob("*/saved_model.pb")):
        if average:
            raise InfoGANError(
                f"{folder} is an export, which has one generator: export the average with "
                "tools/export.py --ema."
            )
        return SavedModel(folder)
    raise InfoGANError(
        f"{folder} is neither a run directory (it has no options.json) nor an export (no "
        "saved_model.pb): give the --run_dir of a training, or what tools/export.py "
        "printed."
    )
