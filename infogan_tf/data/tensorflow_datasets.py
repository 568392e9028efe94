"""Any TFDS data set that has images; prepared on disk, or downloaded by TFDS."""

import contextlib
import os
import pathlib
import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from infogan_tf.data.images import ImageData, Split, hold_out
from infogan_tf.errors import InfoGANError, did_you_mean

if TYPE_CHECKING:
    import tensorflow_datasets as tfds

_HOST = "storage.googleapis.com"
_TIMEOUT = 3.0  # seconds

# What to put into --data_dir instead, where a download fails.
_FILES = {
    "celeb_a": (
        "Put img_align_celeba.zip and list_attr_celeba.txt, both from "
        "mmlab.ie.cuhk.edu.hk/projects/CelebA.html, into a folder and give it as --data_dir"
    ),
    "svhn_cropped": (
        "Put train_32x32.mat and test_32x32.mat, both from "
        "ufldl.stanford.edu/housenumbers, into a folder and give it as --data_dir"
    ),
}


def load(name: str, data_dir: pathlib.Path | None) -> ImageData:
    """Loads TFDS's `name`: its train split, and its test split where there is one.

    Args:
        name: as TFDS calls it, e.g. "mnist".
        data_dir: TFDS's data directory; its default (~/tensorflow_datasets) if None.

    Raises:
        InfoGANError: unknown, without images, or not on disk and no network.
    """
    builder = prepare(name, data_dir)
    with _errors(name, _home(data_dir)):
        splits = {
            split: _read(name, builder.as_dataset(split=split, batch_size=-1))
            for split in ("train", "test")
            if split in builder.info.splits
        }
    origin = f"TFDS {builder.info.full_name}"
    if "train" not in splits:
        raise InfoGANError(f"{origin} has no train split.")
    if "test" in splits:
        return ImageData(origin, splits["train"], splits["test"])
    return hold_out(splits["train"], origin)


def prepare(name: str, data_dir: pathlib.Path | None) -> "tfds.core.DatasetBuilder":
    """The builder of TFDS's `name`, its files on disk; see `load`."""
    import tensorflow_datasets as tfds  # 2 s: only for those who use it

    home = _home(data_dir)
    if not any((home / name).rglob("dataset_info.json")):
        _require_known(name, tfds.list_builders(with_community_datasets=False))
        _require_network(name, home)
    with _errors(name, home):
        builder = tfds.builder(name, data_dir=str(home))
        builder.download_and_prepare()
    return builder


def examples(builder: "tfds.core.DatasetBuilder", split: str) -> Iterator[dict[str, Any]]:
    """The examples of a split one by one, as NumPy, for those too many for the memory."""
    with _errors(builder.name, pathlib.Path(builder.data_dir)):
        yield from builder.as_dataset(split=split).as_numpy_iterator()


def _home(data_dir: pathlib.Path | None) -> pathlib.Path:
    return data_dir or pathlib.Path.home() / "tensorflow_datasets"


@contextlib.contextmanager
def _errors(name: str, home: os.PathLike) -> Iterator[None]:
    """Says in one line what TFDS stumbled over, which raises anything at all."""
    try:
        yield
    except InfoGANError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise InfoGANError(
            f'TFDS could not prepare "{name}" in {home}: {reason}. {_instead(name)}'
        ) from error


def _instead(name: str) -> str:
    advice = _FILES.get(name, "Give --data_dir with the files of the data set")
    return f"{advice}, or --dataset=digits, which needs no download."


def _read(name: str, examples: dict) -> Split:
    """The images and labels of one split, as arrays."""
    if not isinstance(examples, dict) or "image" not in examples:
        raise InfoGANError(f'TFDS "{name}" has no feature "image": choose another.')
    labels = examples.get("label")
    return Split(
        np.asarray(examples["image"]),
        None if labels is None else np.asarray(labels),
    )


def _require_known(name: str, known: list[str]) -> None:
    if name not in known:
        raise InfoGANError(
            f'Unknown data set "{name}": --dataset takes "digits", "synthetic", "folder" '
            f"or any of the {len(known)} names of TFDS.{did_you_mean(name, known)}"
        )


def _require_network(name: str, home: pathlib.Path) -> None:
    """Fails at once where TFDS would retry for minutes."""
    if any((home / "downloads" / "manual").glob("*")):
        return
    try:
        socket.create_connection((_HOST, 443), timeout=_TIMEOUT).close()
    except OSError as error:
        raise InfoGANError(
            f'The data set "{name}" is not in {home} and cannot be downloaded '
            f"({_HOST}: {error}). {_instead(name)}"
        ) from error
