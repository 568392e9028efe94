"""Images in a NumPy archive: `images`, and `labels` or `factors` where known."""

import pathlib
import zipfile

import numpy as np

from infogan_tf.data.images import ImageData, Split, hold_out, require_names
from infogan_tf.errors import InfoGANError


def found(data_dir: pathlib.Path) -> bool:
    """Says whether the path is an .npz file, or a folder that holds exactly one."""
    return _path(data_dir) is not None


def load(data_dir: pathlib.Path) -> ImageData:
    """Reads an archive; every tenth example is held out for scoring.

    `images` is uint8 [n, height, width, channels] ([n, height, width] is taken as grey);
    `labels` whole numbers [n]; `factors` numbers [n, k], with `factor_names` [k] where
    the factors have names.

    Raises:
        InfoGANError: not an archive, no `images`, another type or shape, lengths differ,
            a name is taken.
    """
    path = _path(data_dir)
    arrays = _read(path)
    images = arrays.get("images")
    if images is None:
        raise InfoGANError(
            f'{path} has no array "images"; it has {", ".join(arrays) or "none"}: save it '
            "with np.savez(path, images=..., labels=...)."
        )
    if images.dtype != np.uint8 or images.ndim not in (3, 4):
        raise InfoGANError(
            f"{path}: images are {images.dtype} with {images.ndim} dimensions; they have "
            "to be uint8 [n, height, width, channels]."
        )
    if images.ndim == 3:
        images = images[..., np.newaxis]
    for name, dimensions in (("labels", 1), ("factors", 2)):
        found = arrays.get(name, np.zeros((len(images), 0)[:dimensions]))
        if found.ndim != dimensions or found.dtype.kind not in "biuf":
            raise InfoGANError(
                f"{path}: {name} are {found.dtype} with {found.ndim} dimensions; they have "
                f"to be numbers with {dimensions}."
            )
        if len(found) != len(images):
            raise InfoGANError(
                f"{path} has {len(found)} {name} and {len(images)} images: there has to "
                "be one for each."
            )
    columns = arrays.get("factors", np.zeros((len(images), 0))).T
    names = arrays.get("factor_names", [f"factor_{i}" for i in range(len(columns))])
    if np.ndim(names) != 1 or len(names) != len(columns):
        raise InfoGANError(
            f"{path} has {np.size(names)} factor_names and {len(columns)} factors: there "
            "has to be one for each."
        )
    names = [str(name) for name in names]
    require_names(names, path)
    split = Split(images, arrays.get("labels"), dict(zip(names, columns, strict=True)))
    return hold_out(split, f"{path.name} in {path.parent}")


def _read(path: pathlib.Path) -> dict[str, np.ndarray]:
    """Every array of the archive by name; what is pickled is refused."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".npy")]
            arrays = {}
            for name in names:
                with archive.open(name) as file:
                    arrays[name.removesuffix(".npy")] = np.lib.format.read_array(file)
            return arrays
    except Exception as error:  # NumPy runs Python's parser on what a header says
        raise InfoGANError(f"{path} cannot be read as an .npz file: {error}.") from error


def _path(data_dir: pathlib.Path) -> pathlib.Path | None:
    if data_dir.suffix == ".npz" and data_dir.is_file():
        return data_dir
    archives = sorted(data_dir.glob("[!.]*.npz"))  # hidden ones are half-written
    return archives[0] if len(archives) == 1 else None
