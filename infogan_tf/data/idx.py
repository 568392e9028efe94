"""MNIST's own file format, idx, plain or gzipped (yann.lecun.com/exdb/mnist)."""

import gzip
import math
import pathlib
import zlib

import numpy as np

from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import InfoGANError

FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}
IMAGES_MAGIC, LABELS_MAGIC = 2051, 2049  # 0x08 unsigned byte; 3 and 1 dimensions


def found(data_dir: pathlib.Path) -> bool:
    """Says whether any of the four files is in the folder."""
    return any(_path(data_dir, name).exists() for names in FILES.values() for name in names)


def load(data_dir: pathlib.Path) -> ImageData:
    """Reads the four files: images uint8 [n, rows, columns, 1] and labels.

    Raises:
        InfoGANError: a file is missing, empty, truncated, too long, of another kind, or
            there are not as many labels as images.
    """
    splits = {}
    for split, (images_name, labels_name) in FILES.items():
        images_path = _path(data_dir, images_name)
        images = read(images_path, IMAGES_MAGIC)[..., np.newaxis]
        labels_path = _path(data_dir, labels_name)
        labels = read(labels_path, LABELS_MAGIC).astype(np.int64)
        if len(labels) != len(images):
            raise InfoGANError(
                f"{labels_path} has {len(labels)} labels, and {images_path} has "
                f"{len(images)} images: the two files do not belong together."
            )
        splits[split] = Split(images, labels)
    return ImageData(f"the MNIST idx files in {data_dir}", **splits)


def read(path: pathlib.Path, magic: int) -> np.ndarray:
    """Reads one idx file of bytes; see `load` for the errors."""
    if not path.exists():
        raise InfoGANError(
            f"{path} is missing: the folder has to hold "
            f"{', '.join(name for names in FILES.values() for name in names)}, "
            "each plain or with .gz."
        )
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            content = file.read()
    except (OSError, EOFError, zlib.error) as error:
        raise InfoGANError(
            f"{path} cannot be read ({error}): it is damaged or incomplete; get it again."
        ) from error
    if not content:
        raise InfoGANError(f"{path} is empty: get it again.")
    header = np.frombuffer(content[: 4 * (len(content) // 4)][:16], ">u4")
    if header.size == 0 or header[0] != magic:
        first = int(header[0]) if header.size else content
        raise InfoGANError(
            f"{path} starts with the number {first}, and an idx file of "
            f"{'images' if magic == IMAGES_MAGIC else 'labels'} starts with {magic}: it is "
            "another kind of file."
        )
    dimensions = magic % 256
    shape = tuple(int(size) for size in header[1 : 1 + dimensions])
    wanted = 4 * (1 + dimensions) + math.prod(shape)
    sound = len(shape) == dimensions and max(shape) <= len(content)
    if not sound or len(content) != wanted:
        raise InfoGANError(
            f"{path} has {len(content)} bytes, and its header promises {wanted}: it is "
            "truncated or damaged; get it again."
        )
    return np.frombuffer(content, np.uint8, offset=4 * (1 + dimensions)).reshape(shape)


def _path(data_dir: pathlib.Path, name: str) -> pathlib.Path:
    plain, zipped = data_dir / name, data_dir / f"{name}.gz"
    return plain if plain.exists() and not zipped.exists() else zipped
