"""Any TFDS data set that has images; prepared on disk, or downloaded by TFDS."""

import pathlib
import socket

import numpy as np
import tensorflow as tf
from google.protobuf import json_format

from infogan_tf.data.images import ImageData, Split, hold_out
from infogan_tf.errors import InfoGANError, did_you_mean

_HOST = "storage.googleapis.com"
_TIMEOUT = 3.0  # seconds


def load(name: str, data_dir: pathlib.Path | None) -> ImageData:
    """Loads TFDS's `name`: its train split, and its test split where there is one.

    Args:
        name: as TFDS calls it, e.g. "mnist".
        data_dir: TFDS's data directory; its default (~/tensorflow_datasets) if None.

    Raises:
        InfoGANError: unknown, without images, or not on disk and no network.
    """
    import tensorflow_datasets as tfds  # 2 s: only for those who use it

    home = pathlib.Path(data_dir or pathlib.Path.home() / "tensorflow_datasets")
    if not any((home / name).rglob("dataset_info.json")):
        _require_known(name, tfds.list_builders(with_community_datasets=False))
        _require_network(name, home)
    try:
        builder = tfds.builder(name, data_dir=str(home))
        builder.download_and_prepare()
        splits = {
            split: _read(name, builder.as_dataset(split=split, batch_size=-1))
            for split in ("train", "test")
            if split in builder.info.splits
        }
    except InfoGANError:
        raise
    except (
        *(OSError, ValueError, tf.errors.OpError),
        *(tfds.core.DatasetNotFoundError, json_format.Error),
    ) as error:
        reason = " ".join(str(error).split())[:300]
        raise InfoGANError(
            f'TFDS could not prepare "{name}" in {home}: {reason}. Give --data_dir with '
            "the files of the data set, or --dataset=digits, which needs no download."
        ) from error
    origin = f"TFDS {builder.info.full_name}"
    if "train" not in splits:
        raise InfoGANError(f"{origin} has no train split.")
    if "test" in splits:
        return ImageData(origin, splits["train"], splits["test"])
    return hold_out(splits["train"], origin)


def _read(name: str, examples: dict) -> Split:
    """The images and labels of one split, as arrays."""
    if not isinstance(examples, dict) or "image" not in examples:
        raise InfoGANError(f'TFDS "{name}" has no feature "image": choose another.')
    labels = examples.get("label")
    return Split(
        np.asarray(examples["image"]),
        None if labels is None else np.asarray(labels).astype(np.int64),
    )


def _require_known(name: str, known: list[str]) -> None:
    if name not in known:
        raise InfoGANError(
            f'Unknown data set "{name}": --dataset takes "digits", "synthetic" or any of '
            f"the {len(known)} names of TFDS.{did_you_mean(name, known)}"
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
            f"({_HOST}: {error}): give --data_dir with the files of the data set, or "
            "--dataset=digits, which needs no download."
        ) from error
