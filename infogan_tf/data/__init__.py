"""Images from wherever they are: one way in, one form out."""

import os
import pathlib

from infogan_tf.data import digits, idx, npz, synthetic, tensorflow_datasets
from infogan_tf.data.images import ImageData, Split, checked
from infogan_tf.data.pipeline import batches, require_batch
from infogan_tf.errors import InfoGANError
from infogan_tf.spec import DataSpec

BUILT_IN = {"digits": digits.load, "synthetic": synthetic.load}

__all__ = ["BUILT_IN", "ImageData", "Split", "batches", "load", "require_batch"]


def load(
    spec: DataSpec,
    *,
    dataset: str | None = None,
    data_dir: str | os.PathLike | None = None,
) -> ImageData:
    """Loads the images of `spec`, in the shape it declares.

    1. `dataset` "digits" or "synthetic": drawn from what is installed.
    2. `data_dir` with the four MNIST idx files, or one .npz file.
    3. TFDS's data set of that name, prepared in `data_dir` or TFDS's own folder.

    Args:
        spec: what the model declares.
        dataset: a name that stands in for the spec's.
        data_dir: a folder, or an .npz file.

    Raises:
        InfoGANError: nothing there, damaged, or images of another shape.
    """
    name = dataset or spec.name
    if name in BUILT_IN:
        if data_dir:
            raise InfoGANError(
                f'"{name}" is built in and reads no --data_dir: give --dataset={name} '
                "alone, or --data_dir with another --dataset."
            )
        return BUILT_IN[name](spec.image_shape)
    folder = pathlib.Path(data_dir) if data_dir else None
    if folder:
        if not folder.exists():
            raise InfoGANError(f"--data_dir: {folder} does not exist.")
        for reader in (idx, npz):
            if reader.found(folder):
                return checked(reader.load(folder), spec.image_shape)
        if not any((folder / part).exists() for part in (name, "downloads")):
            raise InfoGANError(
                f"--data_dir: {folder} holds no images that are known: it may hold the "
                f"four MNIST idx files ({idx.FILES['train'][0]}.gz, ...), one .npz file "
                f'with an array "images", or a TFDS data directory with {name}/.'
            )
    return checked(tensorflow_datasets.load(name, folder), spec.image_shape)
