"""CelebA, aligned and cropped (mmlab.ie.cuhk.edu.hk/projects/CelebA.html).

The files as they are published: a folder, a .zip or .tar files of pictures, and beside them
a table of forty attributes; or TFDS's copy. All pictures are cropped and resized alike.
"""

import dataclasses
import gzip
import io
import pathlib
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image

from infogan_tf.data import cache, pictures, tensorflow_datasets
from infogan_tf.data.images import ImageData, require_names
from infogan_tf.errors import InfoGANError

TFDS_NAME = "celeb_a"
IMAGES, ARCHIVE, TARS = "img_align_celeba", "img_align_celeba.zip", "*.tar"
ATTRIBUTES = ("list_attr_celeba.txt", "list_attr_celeba.txt.gz")
SUFFIXES = {".jpg", ".jpeg", ".png"}
TAR_END = 2 * tarfile.BLOCKSIZE  # bytes, all of them zero; without them it is cut
WIDTH, HEIGHT = 178, 218  # of the aligned pictures, which may also come scaled
PART = 148 / 178  # what is kept: the face, hair included, without the background
CROP = "the centred 148 x 148 of 178 x 218 (74 x 74 of 89 x 109; that part of any size)"


@dataclasses.dataclass(frozen=True)
class Member:
    """A picture somewhere; `place` is where, for people."""

    place: str
    name: str
    size: int
    read: Callable[[], bytes]


def found(data_dir: pathlib.Path) -> bool:
    """Says whether the folder holds any of the three forms."""
    return bool(_sources(data_dir))


def load(data_dir: pathlib.Path, image_shape: tuple[int, int, int]) -> ImageData:
    """Decodes the pictures in order of file name; every tenth is held out.

    `img_align_celeba/` is taken where it is there, else `img_align_celeba.zip`, else all
    .tar files together; of pictures with the same file name the one with most bytes. The
    attributes, where their table is there, become factors: 1 where it has 1, 0 where -1.

    Raises:
        InfoGANError: a damaged file or picture, an archive that names files outside of
            itself, a table that is damaged or has no line for a picture.
    """
    sources = _sources(data_dir)
    table = next((data_dir / n for n in ATTRIBUTES if (data_dir / n).exists()), None)

    def decoded() -> cache.Pictures:
        largest: dict[str, Member] = {}
        for member in (member for source in sources for member in _members(source)):
            if member.name not in largest or member.size > largest[member.name].size:
                largest[member.name] = member
        members = [largest[name] for name in sorted(largest)]
        names, rows = read_attributes(table) if table else ((), {})
        missing = [member.name for member in members if table and member.name not in rows]
        if missing:
            raise InfoGANError(
                f"{table} has no line for {len(missing)} of {len(members)} images, such as "
                f"{missing[0]}: put the table there that belongs to the images, or none."
            )
        examples = (
            cache.Example(m.name, decode(m, image_shape), rows.get(m.name, ()))
            for m in members
        )
        return cache.Pictures(len(members), examples, names)

    files = [path for source in sources for path in _files(source)]
    return cache.decode_once(
        "celeba",
        f"the CelebA files in {data_dir}",
        [*files, table] if table else files,
        image_shape,
        preprocessing=pictures.described(image_shape, CROP),
        pictures=decoded,
    )


def load_from_tfds(
    name: str, data_dir: pathlib.Path | None, image_shape: tuple[int, int, int]
) -> ImageData:
    """The train and test splits of TFDS's copy of that name, decoded as `load` does.

    Raises:
        InfoGANError: not on disk and not to be downloaded; damaged.
    """
    builder = tensorflow_datasets.prepare(name, data_dir)
    return tensorflow_datasets.decode_once(
        builder,
        image_shape,
        crop=CROP,
        part=PART,
        factors={
            name: lambda example, name=name: int(example["attributes"][name])
            for name in builder.info.features["attributes"]
        },
    )


def decode(member: Member, image_shape: tuple[int, int, int]) -> np.ndarray:
    """Decodes one picture to uint8 [height, width, channels]."""
    try:
        content = member.read()
        with Image.open(io.BytesIO(content)) as picture:
            image = pictures.fit(picture, image_shape, part=PART)
            width, height = picture.size
    except Exception as error:  # Pillow's decoders raise anything at all on damaged files
        raise InfoGANError(
            f"{member.place} cannot be decoded ({error}): it is damaged; get it again."
        ) from error
    if abs(width * HEIGHT - height * WIDTH) > HEIGHT:  # more than rounding a width
        raise InfoGANError(
            f"{member.place} is {width} x {height}; the aligned images of CelebA are "
            f"{WIDTH} x {HEIGHT}, or scaled: use those, or --dataset=folder for any others."
        )
    return image


def read_attributes(
    path: pathlib.Path,
) -> tuple[tuple[str, ...], dict[str, np.ndarray]]:
    """Reads the table: names of attributes, and for each file name int8 of 0 and 1.

    Line 1 is the number of pictures, line 2 the names, then "000001.jpg -1 1 ..." each.

    Raises:
        InfoGANError: empty, truncated, another kind of file, or a name is taken.
    """
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rb") as file:
            lines = file.read().decode("ascii").splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InfoGANError(
            f"{path} cannot be read ({error}): it is damaged or incomplete; get it again."
        ) from error
    if not lines:
        raise InfoGANError(f"{path} is empty: get it again.")
    if len(lines) < 2 or not lines[0].strip().isdigit():
        raise InfoGANError(
            f"{path} does not start with a number of images and a line of names: it is "
            "another kind of file."
        )
    names, lines, count = tuple(lines[1].split()), lines[2:], int(lines[0].strip())
    if len(lines) != count:
        raise InfoGANError(
            f"{path} promises {count} lines and has {len(lines)}: it is truncated or "
            "damaged; get it again."
        )
    require_names(names, path)
    rows = {}
    for place, line in enumerate(lines, start=3):
        name, *values = line.split() or [""]
        if len(values) != len(names) or not set(values) <= {"1", "-1"}:
            raise InfoGANError(
                f"{path}: line {place} is not a file name and {len(names)} times 1 or -1: "
                "it is damaged; get it again."
            )
        rows[name] = np.array([value == "1" for value in values], np.int8)
    return names, rows


def _sources(data_dir: pathlib.Path) -> list[pathlib.Path]:
    """The folder, or else the archive, or else the .tar files."""
    if (data_dir / IMAGES).is_dir():
        return [data_dir / IMAGES]
    if (data_dir / ARCHIVE).is_file():
        return [data_dir / ARCHIVE]
    return sorted(path for path in data_dir.glob(TARS) if path.is_file())


def _files(source: pathlib.Path) -> list[pathlib.Path]:
    """What to look at to see whether a source has changed."""
    if not source.is_dir():
        return [source]
    return sorted(path for path in source.rglob("*") if _is_picture(path.name))


def _members(source: pathlib.Path) -> list[Member]:
    """The pictures of a folder or an archive, which is never unpacked."""
    if not source.is_dir() and not source.stat().st_size:
        raise InfoGANError(f"{source} is empty: get it again.")
    try:
        if source.is_dir():
            members = list(_in_folder(source))
        elif source.suffix == ".zip":
            members = list(_in_zip(source))
        else:
            members = list(_in_tar(source))
    except InfoGANError:
        raise
    except Exception as error:  # damaged archives make both modules raise anything at all
        raise InfoGANError(
            f"{source} cannot be read ({error}): it is damaged or incomplete; get it again."
        ) from error
    if not members:
        raise InfoGANError(f"{source} holds no .jpg or .png images: get it again.")
    return members


def _in_folder(source: pathlib.Path) -> Iterator[Member]:
    for path in _files(source):
        yield Member(str(path), path.name, path.stat().st_size, path.read_bytes)


def _in_zip(source: pathlib.Path) -> Iterator[Member]:
    archive = zipfile.ZipFile(source)  # stays open as long as a member is there to read it
    for info in archive.infolist():
        name = _inside(source, info.filename)
        if _is_picture(name):
            place = f"{source}: {info.filename}"
            yield Member(place, name, info.file_size, lambda info=info: archive.read(info))


def _in_tar(source: pathlib.Path) -> Iterator[Member]:
    with source.open("rb") as file:
        file.seek(-min(TAR_END, source.stat().st_size), io.SEEK_END)
        if source.stat().st_size % tarfile.BLOCKSIZE or any(file.read()):
            raise tarfile.ReadError("it does not end with two empty blocks")

    def read(info: tarfile.TarInfo) -> bytes:
        with source.open("rb") as file:
            file.seek(info.offset_data)
            return file.read(info.size)

    with tarfile.open(source, "r:") as archive:
        for info in archive:
            name = _inside(source, info.name)
            if info.isfile() and _is_picture(name):
                place = f"{source}: {info.name}"
                yield Member(place, name, info.size, lambda info=info: read(info))


def _is_picture(name: str) -> bool:
    """By its name; what macOS adds to archives starts with a dot."""
    return pathlib.PurePath(name).suffix.lower() in SUFFIXES and not name.startswith(".")


def _inside(source: pathlib.Path, member: str) -> str:
    """The file name of a member, which has to stay inside of its archive."""
    path = pathlib.PurePosixPath(member.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts:
        raise InfoGANError(
            f'{source} names a file outside of itself, "{member}", and is not read: get '
            "the archive from where it is published."
        )
    return path.name
