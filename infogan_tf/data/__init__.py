"""Images from wherever they are: one way in, one form out."""

import os
import pathlib

from infogan_tf.data import (
    celeba,
    chairs3d,
    digits,
    dsprites,
    faces3d,
    folder,
    idx,
    npz,
    svhn,
    synthetic,
    tensorflow_datasets,
)
from infogan_tf.data.images import ImageData, Split, checked
from infogan_tf.data.pipeline import batches, labelled_batch, require_batch, stream
from infogan_tf.errors import InfoGANError
from infogan_tf.spec import DataSpec

BUILT_IN = {"digits": digits.load, "synthetic": synthetic.load}
NOT_IN_TFDS = {"faces3d": faces3d.ADVICE, "chairs3d": chairs3d.ADVICE}

__all__ = [
    "BUILT_IN",
    "ImageData",
    "Split",
    "batches",
    "labelled_batch",
    "load",
    "require_batch",
    "stream",
]


def load(
    spec: DataSpec,
    *,
    dataset: str | None = None,
    data_dir: str | os.PathLike | None = None,
) -> ImageData:
    """Loads the images of `spec`, in the shape it declares.

    1. `dataset` "digits" or "synthetic": drawn from what is installed.
    2. `dataset` "folder": any pictures in `data_dir` and below it.
    3. `data_dir` with the four MNIST idx files, the 3D faces of tools/prepare_data.py,
       dSprites' archive, another .npz file, SVHN's .mat files, CelebA's pictures or the
       folders of 3D chairs. Without any, dSprites are drawn again.
    4. TFDS's data set of that name, prepared in `data_dir` or TFDS's own folder.

    Args:
        spec: what the model declares.
        dataset: a name that stands in for the spec's.
        data_dir: a folder, or an .npz file.

    Raises:
        InfoGANError: nothing there, damaged, or images of another shape.
    """
    name, shape = dataset or spec.name, spec.image_shape
    path = pathlib.Path(data_dir) if data_dir else None
    if name in BUILT_IN:
        if path:
            raise InfoGANError(
                f'"{name}" is built in and reads no --data_dir: give --dataset={name} '
                "alone, or --data_dir with another --dataset."
            )
        return BUILT_IN[name](shape)
    if path and not path.exists():
        raise InfoGANError(f"--data_dir: {path} does not exist.")
    return checked(_read(name, path, shape), shape)


def _read(
    name: str, path: pathlib.Path | None, image_shape: tuple[int, int, int]
) -> ImageData:
    if name == "folder":
        if not (path and path.is_dir()):
            raise InfoGANError(
                f"--dataset=folder reads the pictures in a folder, and --data_dir is "
                f"{path or 'not given'}: give --data_dir=DIR."
            )
        return folder.load(path, image_shape)
    if path:
        for reader in (idx, faces3d, dsprites, npz, svhn):
            if reader.found(path):
                return reader.load(path)
        for reader in (chairs3d, celeba):  # the chairs' .tar may lie beside them
            if reader.found(path):
                return reader.load(path, image_shape)
    if name == dsprites.NAME and not path:
        return dsprites.draw()
    if name in NOT_IN_TFDS:
        where = (
            f"{path} holds no images that are known" if path else "No --data_dir is given"
        )
        raise InfoGANError(f"{where}. {NOT_IN_TFDS[name]}")
    base = tensorflow_datasets.without_version(name)
    if path and not any((path / part).exists() for part in (base, "downloads")):
        raise InfoGANError(
            f"--data_dir: {path} holds no images that are known: it may hold the four "
            f"MNIST idx files ({idx.FILES['train'][0]}.gz, ...), one .npz file with an "
            f"array \"images\", SVHN's {' and '.join(svhn.FILES.values())}, CelebA's "
            f"{celeba.IMAGES}/, {celeba.ARCHIVE} or .tar files, {chairs3d.ARCHIVE}/, "
            f"dSprites' {dsprites.FILES}, or a TFDS data directory with {base}/; "
            "--dataset=folder reads any pictures."
        )
    if base == celeba.TFDS_NAME:
        return celeba.load_from_tfds(name, path, image_shape)
    return tensorflow_datasets.load(name, path, image_shape)
