"""What every source of images yields: uint8 arrays, and labels or factors where known."""

import dataclasses
import pathlib
from collections.abc import Callable, Iterable, Mapping

import numpy as np

from infogan_tf.errors import InfoGANError

LABELS = 2**15  # at most; scores count every pair of a label and a category


@dataclasses.dataclass(frozen=True)
class Split:
    """Images with what is known about them, in a fixed order.

    Args:
        images: uint8 [n, height, width, channels].
        labels: int64 [n], or None. Scoring reads them; training only
            where a spec asks for `labels`.
        factors: true generative factors by name, each [n]; empty where unknown.
    """

    images: np.ndarray
    labels: np.ndarray | None = None
    factors: Mapping[str, np.ndarray] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.images)

    def take(self, rows: slice | np.ndarray) -> "Split":
        """The same for some of the rows."""
        labels = None if self.labels is None else self.labels[rows]
        factors = {name: values[rows] for name, values in self.factors.items()}
        return Split(self.images[rows], labels, factors)

    def sample(self, count: int, *, seed: int = 0) -> "Split":
        """So many rows at random, in their order; all where there are no more."""
        rows = np.random.default_rng([seed, 7]).permutation(len(self))[:count]
        return self if count >= len(self) else self.take(np.sort(rows))


@dataclasses.dataclass(frozen=True)
class ImageData:
    """A data set: what is trained on, and what is held out for scoring.

    Args:
        origin: where the images came from, for people ("MNIST idx files in DIR").
        train, test: the two splits.
        preprocessing: what was done to the images, in words; options.json keeps it.
    """

    origin: str
    train: Split
    test: Split
    preprocessing: str = "none"

    def with_splits(self, change: Callable[[Split], Split]) -> "ImageData":
        """The same with both splits changed."""
        return dataclasses.replace(self, train=change(self.train), test=change(self.test))


def hold_out(split: Split, origin: str) -> ImageData:
    """Makes every tenth example the test split, where a source has no split of its own."""
    held = is_held_out(np.arange(len(split)))
    return ImageData(origin, split.take(~held), split.take(held))


def is_held_out(place: int | np.ndarray) -> bool | np.ndarray:
    """Says whether the example at that place, from 0, belongs to the test split."""
    return place % 10 == 9


def checked(data: ImageData, image_shape: tuple[int, int, int]) -> ImageData:
    """Returns `data`, its labels as int64, if a model can be trained and scored on it.

    Args:
        data: from any source; the labels of any type.
        image_shape: wanted, (height, width, channels).

    Raises:
        InfoGANError: another shape, or no images at all; labels that are no whole
            numbers from 0 on, factors that are not finite.
    """
    for split in (data.train, data.test):
        if not len(split):
            raise InfoGANError(f"{data.origin}: there are too few images to hold any out.")
        if split.images.dtype != np.uint8:
            raise InfoGANError(
                f"{data.origin}: the images are {split.images.dtype}, and have to be uint8."
            )
        if split.images.shape[1:] != tuple(image_shape):
            received, wanted = (
                " x ".join(map(str, shape))
                for shape in (split.images.shape[1:], image_shape)
            )
            raise InfoGANError(
                f"{data.origin}: the images are {received} (height x width x channels), "
                f"and this model takes {wanted}: choose a model of that size or resize "
                "the images."
            )
        for name, values in split.factors.items():
            if not (finite := np.isfinite(values)).all():
                raise InfoGANError(
                    f'{data.origin}: the factor "{name}" of an image is '
                    f"{values[~finite][0]}, and has to be a finite number: leave out that "
                    "image, or the factor."
                )
    return data.with_splits(
        lambda split: dataclasses.replace(
            split, labels=_numbered(split.labels, data.origin)
        )
    )


def require_names(names: Iterable[str], path: pathlib.Path) -> None:
    """Raises InfoGANError where a factor has the name of another, or of the labels."""
    taken = {"label"}
    for name in names:
        if name in taken:
            other = "the labels are" if name == "label" else "another one is"
            raise InfoGANError(
                f'{path}: a factor is called "{name}", as {other}: give each a name of '
                "its own."
            )
        taken.add(name)


def _numbered(labels: np.ndarray | None, origin: str) -> np.ndarray | None:
    """The labels as int64 [n]; see `checked`."""
    if labels is None:
        return None
    sound = labels.ndim == 1 and labels.dtype.kind in "biuf"
    sound = sound and (labels == np.rint(labels)) & (labels >= 0) & (labels < LABELS)
    if not np.all(sound):
        raise InfoGANError(
            f"{origin}: the label of an image is {labels[np.argmin(sound)]}, and has to be "
            f"a whole number from 0 to {LABELS - 1}: number the labels from 0, or leave "
            "them out."
        )
    return labels.astype(np.int64)
