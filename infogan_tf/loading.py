"""A trained model again, from wherever it was left."""

import os
import pathlib

import keras

from infogan_tf import training
from infogan_tf.errors import InfoGANError
from infogan_tf.models.gan import GAN
from infogan_tf.serving.saved_model import SavedModel
from infogan_tf.training import RunDirectory


def load(path: str | os.PathLike, *, average: bool = False) -> GAN | SavedModel:
    """The Keras model of a run directory or a .keras file, or an exported SavedModel.

    Args:
        path: of a training, of what `model.save` wrote, or of an export (a version, or the
            folder above versions).
        average: see `training.load`; of a run only.

    Raises:
        InfoGANError: none of them, one that cannot be read, a run without a checkpoint, or
            an average of what has none.
    """
    folder = pathlib.Path(path)
    if RunDirectory(folder).options_file.exists():
        return training.load(folder, average=average)
    if folder.is_file() and folder.suffix == ".keras":
        if average:
            raise InfoGANError(f"{folder} has one generator: leave out average.")
        try:
            return keras.saving.load_model(folder)
        except Exception as error:  # of many kinds, as of zip files, JSON and HDF5
            raise InfoGANError(
                f"{folder} cannot be read ({error}): give a file that model.save wrote."
            ) from error
    if any(folder.glob("saved_model.pb")) or any(folder.glob("*/saved_model.pb")):
        if average:
            raise InfoGANError(
                f"{folder} is an export, which has one generator: export the average with "
                "tools/export.py --ema."
            )
        return SavedModel(folder)
    raise InfoGANError(
        f"{folder} is neither a run directory (it has no options.json) nor an export (no "
        "saved_model.pb) nor a .keras file: give the --run_dir of a training, or what "
        "tools/export.py printed."
    )
