"""Any TFDS data set that has images; prepared on disk, or downloaded by TFDS."""

import contextlib
import os
import pathlib
import re
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from infogan_tf.data import cache, pictures
from infogan_tf.data.images import LABELS, ImageData, Split
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


def load(
    name: str, data_dir: pathlib.Path | None, image_shape: tuple[int, int, int]
) -> ImageData:
    """Loads TFDS's `name`: its train split, and its test split where there is one.

    Without one every tenth image is held out. Each is cropped and resized as
    `pictures.fit` says: one of that size stays as it is. Labels are kept where every one
    is a whole number from 0 on.

    Args:
        name: as TFDS calls it, e.g. "mnist", "emnist/letters" or "mnist:3.0.1".
        data_dir: TFDS's data directory; its default (~/tensorflow_datasets) if None.
        image_shape: wanted, (height, width, channels).

    Raises:
        InfoGANError: unknown, without images, or not on disk and no network.
    """
    builder = prepare(name, data_dir)
    features = builder.info.features
    if "image" not in features:
        raise InfoGANError(f'TFDS "{name}" has no feature "image": choose another.')
    labelled = "label" in features and _is_number(features["label"])
    images = decode_once(
        builder,
        image_shape,
        crop=pictures.CENTRED,
        factors={"label": lambda example: _number(example["label"])} if labelled else {},
    )
    kept = labelled and all(
        (split.factors["label"] >= 0).all() for split in (images.train, images.test)
    )
    return images.with_splits(
        lambda split: Split(split.images, split.factors["label"] if kept else None)
    )


def decode_once(
    builder: "tfds.core.DatasetBuilder",
    image_shape: tuple[int, int, int],
    *,
    crop: str,
    part: float = 1.0,
    factors: Mapping[str, Callable[[dict[str, Any]], int]],
) -> ImageData:
    """The pictures of a train and a test split, from `cache.decode_once`.

    Args:
        builder: of `prepare`.
        image_shape: wanted, (height, width, channels).
        crop: what is cut out, in words; `part`: see `pictures.fit`.
        factors: each by its name, with what tells it from one of TFDS's examples.
    """
    origin = f"TFDS {builder.info.full_name}"
    splits = [split for split in cache.SPLITS if split in builder.info.splits]
    if "train" not in splits:
        raise InfoGANError(f"{origin} has no train split.")

    def examples() -> Iterator[cache.Example]:
        for split in splits:
            for example in _examples(builder, split):
                picture = _picture(example["image"], origin)
                yield cache.Example(
                    "",
                    pictures.fit(picture, image_shape, part=part),
                    [tell(example) for tell in factors.values()],
                    split if len(splits) > 1 else None,
                )

    count = sum(builder.info.splits[split].num_examples for split in splits)
    return cache.decode_once(
        "tfds",
        origin,
        sorted(pathlib.Path(builder.data_dir).iterdir()),
        image_shape,
        preprocessing=pictures.described(image_shape, crop),
        pictures=lambda: cache.Pictures(count, examples(), tuple(factors)),
    )


def prepare(name: str, data_dir: pathlib.Path | None) -> "tfds.core.DatasetBuilder":
    """The builder of TFDS's `name`, its files on disk; see `load`."""
    import tensorflow_datasets as tfds  # 2 s: only for those who use it

    home = _home(data_dir)
    if not any((home / name.replace(":", "/")).rglob("dataset_info.json")):
        _require_known(name, tfds.list_builders(with_community_datasets=False))
        _require_network(name, home)
    with _errors(name, home):
        builder = tfds.builder(name, data_dir=str(home))
        builder.download_and_prepare()
    return builder


def without_version(name: str) -> str:
    """The data set of a name that may say which config and version of it: a/b:1.0.0."""
    return re.split("[/:]", name)[0]


def _examples(builder: "tfds.core.DatasetBuilder", split: str) -> Iterator[dict[str, Any]]:
    """The examples of a split one by one, as NumPy: they may be too many for the memory."""
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


def _picture(image: np.ndarray, origin: str) -> Image.Image:
    grey = image.ndim == 3 and image.shape[2] == 1
    kinds = ("uint8", "uint16") if grey else ("uint8",)
    if image.ndim != 3 or image.shape[2] not in (1, 3, 4) or image.dtype not in kinds:
        raise InfoGANError(
            f"{origin}: an image is {image.dtype} {list(image.shape)}, and has to be uint8 "
            "[height, width, 1, 3 or 4]: choose another data set."
        )
    return Image.fromarray(image[..., 0] if grey else image)


def _is_number(feature: "tfds.features.FeatureConnector") -> bool:
    return feature.shape == () and np.issubdtype(feature.np_dtype, np.integer)


def _number(label: np.integer) -> int:
    """The label, or -1 where it is none that is counted."""
    return int(label) if 0 <= label < LABELS else -1


def _require_known(name: str, known: list[str]) -> None:
    base = without_version(name)
    if base not in known:
        raise InfoGANError(
            f'Unknown data set "{base}": --dataset takes "digits", "synthetic", "folder" '
            f"or any of the {len(known)} names of TFDS.{did_you_mean(base, known)}"
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
