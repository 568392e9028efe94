"""Street View House Numbers, format 2 (ufldl.stanford.edu/housenumbers): .mat files."""

import pathlib

import numpy as np

from infogan_tf.data import matlab
from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import InfoGANError

FILES = {"train": "train_32x32.mat", "test": "test_32x32.mat"}
EXTRA = "extra_32x32.mat"


def found(data_dir: pathlib.Path) -> bool:
    """Says whether any of the files is in the folder."""
    return any((data_dir / name).exists() for name in (*FILES.values(), EXTRA))


def load(data_dir: pathlib.Path) -> ImageData:
    """Reads the two files; the extra images, where they are there, join the train split.

    Images are uint8 [n, 32, 32, 3]; labels 0 to 9 (the files write 10 for the digit 0).

    Raises:
        InfoGANError: a file is missing, empty, damaged, or its arrays are not these.
    """
    train, test = (read(data_dir / name) for name in FILES.values())
    origin = f"the SVHN .mat files in {data_dir}"
    if (data_dir / EXTRA).exists():
        extra = read(data_dir / EXTRA)
        train = Split(
            np.concatenate([train.images, extra.images]),
            np.concatenate([train.labels, extra.labels]),
        )
        origin = f"the SVHN .mat files, extra ones too, in {data_dir}"
    return ImageData(origin, train, test)


def read(path: pathlib.Path) -> Split:
    """Reads one file; see `load`."""
    if not path.exists():
        raise InfoGANError(
            f"{path} is missing: the folder has to hold {' and '.join(FILES.values())}."
        )
    if not path.stat().st_size:
        raise InfoGANError(f"{path} is empty: get it again.")
    arrays = matlab.read(path, ["X", "y"])
    for name in ("X", "y"):
        if name not in arrays:
            raise InfoGANError(
                f'{path} has no array "{name}": it has to hold the images "X" and the '
                'labels "y", as SVHN\'s format 2 does.'
            )
    images, labels = arrays["X"], np.ravel(arrays["y"])
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[:3] != (32, 32, 3):
        raise InfoGANError(
            f"{path}: X is {images.dtype} {list(images.shape)}; it has to be uint8 "
            "[32, 32, 3, n]."
        )
    if len(labels) != images.shape[3]:
        raise InfoGANError(
            f"{path} has {len(labels)} labels and {images.shape[3]} images: there has to "
            "be one for each."
        )
    if labels.dtype.kind not in "iuf" or not np.isin(labels, np.arange(1, 11)).all():
        raise InfoGANError(
            f"{path}: y holds something other than whole numbers from 1 to 10 (10 is the "
            "digit 0): get the file again."
        )
    in_order = np.ascontiguousarray(images.transpose(3, 0, 1, 2))
    return Split(in_order, labels.astype(np.int64) % 10)
