"""An exported model in this process, asked as a server is."""

import os
import pathlib
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from infogan_tf.errors import InfoGANError
from infogan_tf.serving.client import InvalidInputError, Signature, Tensor, arrays


class SavedModel:
    """Loads EXPORT_DIR/<model>/<version>/; see `client.Client` for `call`.

    Args:
        path: a version, or a model's folder, whose newest version is taken.

    Raises:
        InfoGANError: there is no exported model, or it is damaged.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        folder = pathlib.Path(path)
        if not (folder / "saved_model.pb").exists():
            written = [path.parent for path in folder.glob("*/saved_model.pb")]
            versions = [version for version in written if version.name.isdecimal()]
            if not versions:
                raise InfoGANError(
                    f"{folder} holds no exported model: give the folder that "
                    "tools/export.py printed, or the one above it."
                )
            folder = max(versions, key=lambda version: int(version.name))
        self.path = folder
        self.model = folder.parent.name
        try:
            self._loaded = tf.saved_model.load(str(folder))
            self.signatures = {
                name: Signature(
                    _tensors(function.structured_input_signature[1]),
                    _tensors(function.structured_outputs),
                )
                for name, function in sorted(self._loaded.signatures.items())
            }
        except Exception as error:  # of many kinds, as the damage is
            raise InfoGANError(
                f"The model in {folder} cannot be loaded ({error}): it is damaged, or was "
                "not written by tools/export.py; export it again."
            ) from error

    def call(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The outputs of a signature, each [rows, ...].

        Raises:
            NotFoundError: no such signature.
            InvalidInputError: inputs that the signature does not take, or what the model
                refuses, in its own sentence.
        """
        given = arrays(self, signature, inputs)
        tensors = {name: tf.constant(array) for name, array in given.items()}
        try:
            outputs = self._loaded.signatures[signature](**tensors)
        except (tf.errors.InvalidArgumentError, TypeError) as error:
            said = re.search("assertion failed: (.*)", str(error))  # what export.py checks
            raise InvalidInputError(said[1] if said else str(error)) from error
        return {name: value.numpy() for name, value in outputs.items()}


def _tensors(described: Mapping[str, Any]) -> dict[str, Tensor]:
    return {
        name: Tensor(
            tf.as_dtype(one.dtype).as_numpy_dtype,
            tuple(-1 if size is None else size for size in one.shape),
        )
        for name, one in sorted(described.items())
    }
