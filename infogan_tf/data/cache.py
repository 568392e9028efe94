"""Pictures decoded once: uint8 arrays on disk that every later run maps into memory.

An entry is a folder under $INFOGAN_TF_CACHE, or ~/.cache/infogan_tf, and can be deleted at
any time. Its name is a digest of what it was made from, so a source that changes has
another one. It is written aside, under a lock, and appears whole.
"""

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import IO

import numpy as np

from infogan_tf.data.images import ImageData, Split, is_held_out
from infogan_tf.errors import InfoGANError

VARIABLE = "INFOGAN_TF_CACHE"
VERSION = 1  # of what an entry holds
SPLITS = ("train", "test")
NAMED = 3  # skipped files that are named
PROGRESS_EVERY = 5.0  # seconds


@dataclasses.dataclass(frozen=True)
class Example:
    """One picture, decoded.

    Args:
        name: of its file, to be named where it is skipped.
        image: uint8 [height, width, channels]; None where it cannot be decoded.
        factors: one int16 for each of `Pictures.factor_names`.
        split: "train" or "test"; without one, every tenth image is held out.
    """

    name: str
    image: np.ndarray | None
    factors: Sequence[int] = ()
    split: str | None = None


@dataclasses.dataclass(frozen=True)
class Pictures:
    """What a source decodes, in order; `count` is there to show how far it is."""

    count: int
    examples: Iterable[Example]
    factor_names: Sequence[str] = ()


def home() -> pathlib.Path:
    """The folder of everything that is kept for later runs."""
    return pathlib.Path(
        os.environ.get(VARIABLE) or pathlib.Path.home() / ".cache/infogan_tf"
    )


def decode_once(
    source: str,
    origin: str,
    files: Sequence[pathlib.Path],
    image_shape: tuple[int, int, int],
    *,
    preprocessing: str,
    pictures: Callable[[], Pictures],
) -> ImageData:
    """The decoded images, from an earlier run where nothing has changed since.

    Args:
        source: the kind of it; another one knows other things of the same files.
        origin: see `ImageData`.
        files: all that the images are made from; their names, sizes and times of change
            are what an entry is found by.
        image_shape: of every decoded image.
        preprocessing: what is done to them; other words make another entry.
        pictures: called where they have to be decoded. They go to disk one by one.

    Returns:
        Splits whose images are memory-mapped and read-only.

    Raises:
        InfoGANError: a file is gone, no image is left, or the cache cannot be written.
            Nothing is left half-written.
    """
    folder = home()
    key = json.dumps(
        [VERSION, source, preprocessing, image_shape, *map(_fingerprint, files)]
    ).encode()
    entry = folder / hashlib.sha256(key).hexdigest()
    found = _read(entry)
    if not found:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / f"{entry.name}.lock").open("w") as lock:
                _wait_for(lock, origin)
                if not _read(entry):  # nobody else wrote it meanwhile
                    _write(entry, origin, image_shape, pictures())
        except OSError as error:
            raise InfoGANError(
                f"The cache of decoded images in {folder} cannot be written: {error}. Make "
                f"room there, or name another folder in the variable {VARIABLE}."
            ) from error
        found = _read(entry)
    splits, skipped = found
    if skipped:
        tried = len(skipped) + sum(map(len, splits))
        print(
            f"Skipped {len(skipped)} of {tried} files in {origin}, broken or no images: "
            f"{_listed(skipped)}."
        )
    return ImageData(origin, *splits, preprocessing)


def _fingerprint(file: pathlib.Path) -> tuple[str, int, int]:
    try:
        status = file.stat()
    except OSError as error:
        raise InfoGANError(
            f"{file} cannot be read ({error}): it is gone, or a link that leads nowhere; "
            "get it again."
        ) from error
    return str(file.absolute()), status.st_size, status.st_mtime_ns


def _wait_for(lock: IO[str], origin: str) -> None:
    """Takes the lock; the one who has it is decoding the same images."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"Waiting for another process that decodes {origin}.", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)


def _read(entry: pathlib.Path) -> tuple[list[Split], list[str]] | None:
    """The splits of an entry, and the names of what was skipped; None if not sound."""
    try:
        about = json.loads((entry / "about.json").read_text())
        splits = []
        for split in SPLITS:
            images = np.load(entry / f"{split}_images.npy", mmap_mode="r")
            factors = np.load(entry / f"{split}_factors.npy").T
            named = dict(zip(about["factor_names"], factors, strict=True))
            splits.append(Split(images, factors=named))
        return splits, about["skipped"]
    except (OSError, ValueError, EOFError):
        return None


def _write(
    entry: pathlib.Path,
    origin: str,
    image_shape: tuple[int, int, int],
    pictures: Pictures,
) -> None:
    """Makes the entry beside its place, and puts it there when it is whole."""
    aside = entry.with_suffix(".part")
    shutil.rmtree(aside, ignore_errors=True)  # of a process that was killed
    aside.mkdir()
    try:
        _fill(aside, origin, image_shape, pictures)
        shutil.rmtree(entry, ignore_errors=True)  # one that is damaged
        aside.replace(entry)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _fill(
    folder: pathlib.Path,
    origin: str,
    image_shape: tuple[int, int, int],
    pictures: Pictures,
) -> None:
    """Writes the images one by one, as they are decoded, then what is known of them."""
    factors = {split: [] for split in SPLITS}
    skipped = []
    with contextlib.ExitStack() as stack:
        files = {
            split: stack.enter_context((folder / f"{split}_images.npy").open("wb"))
            for split in SPLITS
        }
        for file in files.values():
            _write_header(file, (0, *image_shape))
        for example in _with_progress(pictures, origin):
            if example.image is None:
                skipped.append(example.name)
                continue
            place = sum(map(len, factors.values()))
            split = example.split or ("test" if is_held_out(place) else "train")
            files[split].write(example.image.tobytes())
            factors[split].append(example.factors)
        for split, file in files.items():  # now that their number is known
            file.seek(0)
            _write_header(file, (len(factors[split]), *image_shape))
    if not any(factors.values()):
        raise InfoGANError(
            f"There are no images among {origin}: Pillow was tried on {len(skipped)} "
            f"files{f': {_listed(skipped)}' if skipped else ''}."
        )
    names = list(pictures.factor_names)
    for split in SPLITS:
        table = np.array(factors[split], np.int16)
        np.save(
            folder / f"{split}_factors.npy", table.reshape(len(factors[split]), len(names))
        )
    about = {"origin": origin, "factor_names": names, "skipped": skipped}
    (folder / "about.json").write_text(json.dumps(about))


def _write_header(file: IO[bytes], shape: tuple[int, ...]) -> None:
    """Writes .npy's header, whose length is the same for any number of images."""
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)


def _with_progress(pictures: Pictures, origin: str) -> Iterator[Example]:
    """The examples; a line every few seconds says how many there were."""
    said = time.monotonic()
    for place, example in enumerate(pictures.examples):
        if time.monotonic() - said >= PROGRESS_EVERY:
            said = time.monotonic()
            print(
                f"Decoding {origin}: {place:,} of {pictures.count:,} "
                f"({place / pictures.count:.0%})",
                flush=True,
            )
        yield example


def _listed(names: Sequence[str]) -> str:
    """The first of the names; a byte that is no UTF-8 as a question mark."""
    named = [os.fsencode(name).decode(errors="replace") for name in names[:NAMED]]
    return ", ".join(named) + (", ..." if len(names) > NAMED else "")
