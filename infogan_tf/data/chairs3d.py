"""3D chairs: "Seeing 3D chairs" (Aubry et al. 2014), 62 renders of each of 1,393 chairs.

The folder as it is published: one for each chair, whose renders/ holds pictures with the
angles in their names, <chair>/renders/image_012_p020_t139_r096.png: seen from p degrees
above and t degrees around. It may be given itself or in the folder above it.
"""

import dataclasses
import pathlib
import re
from collections.abc import Iterator

import numpy as np
from PIL import Image

from infogan_tf.data import cache, pictures
from infogan_tf.data.images import ImageData, Split
from infogan_tf.errors import InfoGANError

ARCHIVE = "rendered_chairs"
PICTURES = "*/renders/*.png"
NAME = re.compile(r"image_\d+_p(\d{1,3})_t(\d{1,3})_r\d+\.png")
ANGLES = ("azimuth", "elevation")
FACTORS = ("chair", *ANGLES)
ADVICE = (
    'Give --data_dir=DIR with the folders of "Seeing 3D chairs" (rendered_chairs.tar of '
    "di.ens.fr/willow/research/seeing3Dchairs, unpacked), or one .npz file."
)


def found(data_dir: pathlib.Path) -> bool:
    """Says whether the folder has pictures in that layout."""
    return any(True for _ in _root(data_dir).glob(PICTURES))


def load(data_dir: pathlib.Path, image_shape: tuple[int, int, int]) -> ImageData:
    """Decodes the renders in order of chair and view; every tenth is held out.

    The factors are the chair's place in the order of folder names, azimuth and elevation
    in degrees.

    Raises:
        InfoGANError: a name without angles, a damaged picture.
    """
    files = sorted(_root(data_dir).glob(PICTURES))
    images = cache.decode_once(
        "chairs3d",
        f"the chairs in {data_dir}",
        files,
        image_shape,
        preprocessing=pictures.described(image_shape, pictures.CENTRED),
        pictures=lambda: cache.Pictures(len(files), _decoded(files, image_shape), FACTORS),
    )
    return images.with_splits(_with_angles)


def _with_angles(split: Split) -> Split:
    """Angles as float32, for they have an order; the chair stays a kind."""
    angles = {name: split.factors[name].astype(np.float32) for name in ANGLES}
    return dataclasses.replace(split, factors={**split.factors, **angles})


def _decoded(
    files: list[pathlib.Path], image_shape: tuple[int, int, int]
) -> Iterator[cache.Example]:
    chairs = sorted({file.parent.parent.name for file in files})
    numbers = {chair: number for number, chair in enumerate(chairs)}
    for file in files:
        angles = NAME.fullmatch(file.name)
        if not angles:
            raise InfoGANError(
                f"{file} has no angles in its name: the renders are called like "
                "image_012_p020_t139_r096.png; --dataset=folder reads any pictures."
            )
        elevation, azimuth = map(int, angles.groups())
        factors = (numbers[file.parent.parent.name], azimuth, elevation)
        yield cache.Example(file.name, _image(file, image_shape), factors)


def _image(file: pathlib.Path, image_shape: tuple[int, int, int]) -> np.ndarray:
    try:
        with Image.open(file) as picture:
            return pictures.fit(picture, image_shape)
    except Exception as error:  # Pillow's decoders raise anything at all on damaged files
        raise InfoGANError(
            f"{file} cannot be decoded ({error}): it is damaged; get it again."
        ) from error


def _root(data_dir: pathlib.Path) -> pathlib.Path:
    """The folder of the chairs: what is given, or the published one in it."""
    return data_dir / ARCHIVE if (data_dir / ARCHIVE).is_dir() else data_dir
