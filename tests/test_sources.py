"""SVHN, CelebA and anyone's folder: known pixels in, known pixels out, or a clear no."""

import gzip
import io
import os
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest
import scipy.io
from PIL import Image

from infogan_tf import data
from infogan_tf.data import cache, celeba, dsprites, pictures, tensorflow_datasets
from infogan_tf.errors import InfoGANError
from infogan_tf.spec import DataSpec
from infogan_tf.training import RunDirectory

SVHN = DataSpec("svhn_cropped", (32, 32, 3))
FACES = DataSpec("celeb_a", (4, 4, 3))
GREY = DataSpec("mine", (4, 4, 1))
CHAIRS = DataSpec("chairs3d", (4, 4, 1))
SPRITES = DataSpec("dsprites", (64, 64, 1))


@pytest.fixture(autouse=True)
def cache_dir(tmp_path_factory, monkeypatch):
    """An empty cache for each test, where nothing else is."""
    path = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv(cache.VARIABLE, str(path))
    return path


def message(call, *arguments, **options):
    with pytest.raises(InfoGANError) as error:
        call(*arguments, **options)
    return str(error.value)


def entries(cache_dir):
    return sorted(path.name for path in cache_dir.iterdir() if path.is_dir())


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def encoded(pixels, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


# --- SVHN ------------------------------------------------------------------------------


def write_mat(path, count, **changed):
    arrays = {
        "X": noise(32, 32, 3, count),
        "y": (np.arange(count, dtype=np.uint8) % 10 + 1)[:, None],
    }
    arrays = {
        name: value for name, value in (arrays | changed).items() if value is not None
    }
    scipy.io.savemat(path, arrays, do_compression=True)


def write_svhn(path, **changed):
    write_mat(path / "train_32x32.mat", 12, **changed)
    write_mat(path / "test_32x32.mat", 11)
    return path


def test_svhn_comes_back_exactly(tmp_path):
    found = data.load(SVHN, data_dir=write_svhn(tmp_path))
    for split, count in ((found.train, 12), (found.test, 11)):
        np.testing.assert_array_equal(
            split.images, np.moveaxis(noise(32, 32, 3, count), -1, 0)
        )
        # The files write 1, 2, ..., 9, 10, and 10 is the digit 0.
        labels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2][:count]
        assert split.labels.tolist() == labels
        assert split.labels.dtype == np.int64
    assert found.origin == f"the SVHN .mat files in {tmp_path}"
    assert found.preprocessing == "none"


def test_the_extra_images_are_trained_on_where_they_are(tmp_path):
    write_mat(write_svhn(tmp_path) / "extra_32x32.mat", 3)
    found = data.load(SVHN, data_dir=tmp_path)
    assert (len(found.train), len(found.test)) == (15, 11)
    assert found.train.labels[-3:].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(
        found.train.images[-3:], np.moveaxis(noise(32, 32, 3, 3), -1, 0)
    )
    assert found.origin == f"the SVHN .mat files, extra ones too, in {tmp_path}"


BAD_ARRAYS = {
    "no X": (
        {"X": None},
        ' has no array "X": it has to hold the images "X" and the labels "y", as SVHN\'s '
        "format 2 does.",
    ),
    "no y": ({"y": None}, ' has no array "y": it has to hold the images'),
    "floats": (
        {"X": noise(32, 32, 3, 12) / 255},
        ": X is float64 [32, 32, 3, 12]; it has to be uint8 [32, 32, 3, n].",
    ),
    "order": (
        {"X": noise(12, 32, 32, 3)},
        ": X is uint8 [12, 32, 32, 3]; it has to be uint8 [32, 32, 3, n].",
    ),
    "fewer labels": (
        {"y": np.ones((11, 1))},
        " has 11 labels and 12 images: there has to be one for each.",
    ),
    "label 0": (
        {"y": np.zeros((12, 1))},
        ": y holds something other than whole numbers from 1 to 10 (10 is the digit 0): "
        "get the file again.",
    ),
    "words": ({"y": np.array(["1"] * 12)}, ": y holds something other than whole"),
}


@pytest.mark.parametrize(("arrays", "text"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_bad_svhn_arrays_are_named(tmp_path, arrays, text):
    write_svhn(tmp_path, **arrays)
    found = message(data.load, SVHN, data_dir=tmp_path)
    assert found.startswith(f"{tmp_path / 'train_32x32.mat'}{text}")


@pytest.mark.parametrize("name", ["train_32x32.mat", "test_32x32.mat"])
def test_a_missing_or_empty_mat_is_named(tmp_path, name):
    path = write_svhn(tmp_path) / name
    path.write_bytes(b"")
    assert message(data.load, SVHN, data_dir=tmp_path) == f"{path} is empty: get it again."
    path.unlink()
    assert message(data.load, SVHN, data_dir=tmp_path) == (
        f"{path} is missing: the folder has to hold train_32x32.mat and test_32x32.mat."
    )


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[: len(content) // 2],
        lambda content: content[:100],
        lambda content: content[:200] + b"\xff" * 200 + content[400:],
        lambda content: b"a cat" * 100,
    ],
    ids=["cut", "header", "stream", "text"],
)
def test_a_damaged_mat_is_named(tmp_path, damage):
    path = write_svhn(tmp_path) / "test_32x32.mat"
    path.write_bytes(damage(path.read_bytes()))
    found = message(data.load, SVHN, data_dir=tmp_path)
    assert found.startswith(f"{path} cannot be read as a .mat file (")
    assert found.endswith("): it is damaged or incomplete; get it again.")


# --- CelebA ----------------------------------------------------------------------------

COUNT = 21
NAMES = [f"{number:06d}.jpg" for number in range(1, COUNT + 1)]


def face(number, height=218, width=178):
    return noise(height, width, 3, seed=number)


def cropped(picture):
    """148 x 148 from row 35 and column 15; a pixel of 4 x 4 is the mean of 37 x 37."""
    square = picture[35:183, 15:163].astype(float)
    return np.rint(square.reshape(4, 37, 4, 37, 3).mean((1, 3)))


def attributes(names=NAMES, *, count=None, end="\r\n"):
    """Eyeglasses for every second picture, Smiling for every third."""
    lines = [str(len(names) if count is None else count), "Eyeglasses Smiling "]
    for number, name in enumerate(names, start=1):
        lines.append(
            f"{name} {1 if number % 2 == 0 else -1:2} {1 - 2 * (number % 3 > 0):2}"
        )
    return (end.join(lines) + end).encode()


FACE_FILES = {name: encoded(face(n), "PNG") for n, name in enumerate(NAMES, start=1)}


def write_zip(path, files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def write_tar(path, files):
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def write_celeba(path, form="folder", files=FACE_FILES, table=attributes):
    if form == "folder":
        (path / "img_align_celeba").mkdir(exist_ok=True)
        for name, content in files.items():
            (path / "img_align_celeba" / name).write_bytes(content)
    elif form == "zip":
        inside = {f"img_align_celeba/{name}": content for name, content in files.items()}
        write_zip(path / "img_align_celeba.zip", inside)
    else:  # in any order, in two parts
        parts = [dict(list(files.items())[start::2][::-1]) for start in (0, 1)]
        for number, part in enumerate(parts):
            write_tar(path / f"part{number}.tar", part)
    if table:
        (path / "list_attr_celeba.txt").write_bytes(table())
    return path


@pytest.mark.parametrize("form", ["folder", "zip", "tar"])
def test_celeba_is_cropped_resized_and_matched_by_name(tmp_path, form):
    found = data.load(FACES, data_dir=write_celeba(tmp_path, form))
    assert found.origin == f"the CelebA files in {tmp_path}"
    assert found.preprocessing == (
        "the centred 148 x 148 of 178 x 218 (74 x 74 of 89 x 109; that part of any size), "
        "resized by area (Pillow BOX; bicubic where it grows) to 4 x 4, RGB"
    )
    numbers = np.arange(1, COUNT + 1)
    held = np.isin(numbers, [10, 20])  # every tenth
    for split, kept in ((found.train, numbers[~held]), (found.test, numbers[held])):
        assert isinstance(split.images, np.memmap) and not split.images.flags.writeable
        expected = np.array([cropped(face(number)) for number in kept])
        np.testing.assert_allclose(split.images, expected, atol=1)  # its own rounding
        assert split.factors["Eyeglasses"].tolist() == (kept % 2 == 0).astype(int).tolist()
        assert split.factors["Smiling"].tolist() == (kept % 3 == 0).astype(int).tolist()
        assert split.factors["Smiling"].dtype == np.int16
        assert split.labels is None


def test_all_forms_of_celeba_are_the_same_images(tmp_path):
    found = []
    for form in ("folder", "zip", "tar"):
        (tmp_path / form).mkdir()
        found.append(data.load(FACES, data_dir=write_celeba(tmp_path / form, form)))
    for other in found[1:]:
        np.testing.assert_array_equal(other.train.images, found[0].train.images)
        np.testing.assert_array_equal(other.test.images, found[0].test.images)


def test_half_size_faces_give_nearly_the_same(tmp_path):
    """A smooth picture: 89 x 109 halves it, and the crop halves too."""
    down, across = np.mgrid[0:218, 0:178]
    smooth = np.stack([across, down, 255 - across], -1).astype(np.uint8)
    half = smooth.reshape(109, 2, 89, 2, 3).mean((1, 3)).astype(np.uint8)
    whole, halved = (
        pictures.fit(Image.fromarray(pixels), (8, 8, 3), part=celeba.PART).astype(int)
        for pixels in (smooth, half)
    )
    assert abs(whole - halved).max() <= 2


def test_the_larger_of_two_pictures_with_one_name_is_taken(tmp_path):
    small = {name: encoded(face(99, 109, 89)) for name in NAMES}
    write_tar(tmp_path / "a_large.tar", {NAMES[0]: FACE_FILES[NAMES[0]]})
    write_tar(tmp_path / "b_small.tar", small)
    found = data.load(FACES, data_dir=tmp_path)
    assert len(found.train) + len(found.test) == COUNT
    np.testing.assert_allclose(found.train.images[0], cropped(face(1)), atol=1)


def test_celeba_without_a_table_has_no_factors(tmp_path):
    found = data.load(FACES, data_dir=write_celeba(tmp_path, table=None))
    assert found.train.factors == {}


def test_the_table_may_be_gzipped_and_longer(tmp_path):
    write_celeba(tmp_path, table=None)
    table = attributes(["000000.jpg", *NAMES], end="\n")
    (tmp_path / "list_attr_celeba.txt.gz").write_bytes(gzip.compress(table))
    found = data.load(FACES, data_dir=tmp_path)
    assert found.train.factors["Eyeglasses"][:4].tolist() == [1, 0, 1, 0]


TABLE = "{path}/list_attr_celeba.txt"
BAD_TABLES = {
    "empty": (b"", f"{TABLE} is empty: get it again."),
    "cut": (
        attributes(count=30),
        f"{TABLE} promises 30 lines and has 21: it is truncated or damaged; get it again.",
    ),
    "no header": (
        attributes().split(b"\n", 1)[1],
        f"{TABLE} does not start with a number of images and a line of names: it is "
        "another kind of file.",
    ),
    "a value": (
        attributes().replace(b"000002.jpg  1", b"000002.jpg  0"),
        f"{TABLE}: line 4 is not a file name and 2 times 1 or -1: it is damaged; get it "
        "again.",
    ),
    "others": (
        attributes(NAMES[:-2]),
        f"{TABLE} has no line for 2 of 21 images, such as 000020.jpg: put the table there "
        "that belongs to the images, or none.",
    ),
    "one name twice": (
        attributes().replace(b"Smiling", b"Eyeglasses"),
        f'{TABLE}: a factor is called "Eyeglasses", as another one is: give each a name of '
        "its own.",
    ),
    "bytes": (b"\xff\xfe\x00", f"{TABLE} cannot be read ('ascii' codec can't decode"),
}


@pytest.mark.parametrize(("table", "text"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_attributes_that_do_not_match_are_named(tmp_path, cache_dir, table, text):
    write_celeba(tmp_path, table=lambda: table)
    found = message(data.load, FACES, data_dir=tmp_path)
    assert found.startswith(text.format(path=tmp_path))
    assert entries(cache_dir) == []


def test_a_damaged_gz_table_is_named(tmp_path):
    write_celeba(tmp_path, table=None)
    path = tmp_path / "list_attr_celeba.txt.gz"
    path.write_bytes(gzip.compress(attributes())[:-10])
    found = message(data.load, FACES, data_dir=tmp_path)
    assert found.startswith(f"{path} cannot be read (")
    assert found.endswith("): it is damaged or incomplete; get it again.")


@pytest.mark.parametrize(
    "name", ["../000001.jpg", "a/../../b.jpg", "/etc/000001.jpg", "..\\b.jpg"]
)
@pytest.mark.parametrize(
    ("archive", "write"),
    [("img_align_celeba.zip", write_zip), ("faces.tar", write_tar)],
)
def test_an_archive_that_climbs_out_is_refused(tmp_path, cache_dir, archive, write, name):
    write(tmp_path / archive, {**FACE_FILES, name: FACE_FILES[NAMES[0]]})
    assert message(data.load, FACES, data_dir=tmp_path) == (
        f'{tmp_path / archive} names a file outside of itself, "{name}", and is not read: '
        "get the archive from where it is published."
    )
    assert entries(cache_dir) == []
    assert [path.name for path in tmp_path.iterdir()] == [archive]


@pytest.mark.parametrize(
    ("form", "name"), [("zip", "img_align_celeba.zip"), ("tar", "part1.tar")]
)
@pytest.mark.parametrize("share", [0, 0.5, 0.501, 1])
def test_a_damaged_archive_is_named(tmp_path, cache_dir, form, name, share):
    path = write_celeba(tmp_path, form) / name
    content = path.read_bytes()
    kept = int(share * len(content))
    path.write_bytes(content[:kept] if share < 1 else b"a cat" * 1_000)
    found = message(data.load, FACES, data_dir=tmp_path)
    assert found.startswith(str(path))
    assert found.endswith("get it again.")
    assert entries(cache_dir) == []


def test_a_tar_cut_between_two_members_is_named(tmp_path):
    path = write_celeba(tmp_path, "tar") / "part1.tar"
    with tarfile.open(path) as archive:
        place = archive.getmembers()[-1].offset
    path.write_bytes(path.read_bytes()[:place])
    assert message(data.load, FACES, data_dir=tmp_path) == (
        f"{path} cannot be read (it does not end with two empty blocks): it is damaged or "
        "incomplete; get it again."
    )


def test_a_zip_that_says_it_is_of_a_later_version_is_named(tmp_path):
    path = write_celeba(tmp_path, "zip") / "img_align_celeba.zip"
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 6] = 255  # "version needed", times ten
    path.write_bytes(content)
    assert message(data.load, FACES, data_dir=tmp_path).startswith(
        f"{path} cannot be read (zip file version 25.5"
    )


def test_an_archive_without_pictures(tmp_path):
    write_zip(tmp_path / "img_align_celeba.zip", {"readme.txt": b"", "a/._1.jpg": b""})
    assert message(data.load, FACES, data_dir=tmp_path) == (
        f"{tmp_path}/img_align_celeba.zip holds no .jpg or .png images: get it again."
    )


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_a_damaged_face_is_named(tmp_path, cache_dir, form):
    spoilt = FACE_FILES | {NAMES[4]: FACE_FILES[NAMES[4]][:2_000]}
    found = message(data.load, FACES, data_dir=write_celeba(tmp_path, form, spoilt))
    assert "000005.jpg cannot be decoded (" in found
    assert found.endswith("): it is damaged; get it again.")
    assert entries(cache_dir) == []


def broken_link(path):
    """Puts a link that leads nowhere in place of a file; returns what is said of it."""
    path.unlink()
    path.symlink_to("nowhere")
    return (
        f"{path} cannot be read ([Errno 2] No such file or directory: '{path}'): it is "
        "gone, or a link that leads nowhere; get it again."
    )


def test_a_face_that_is_a_broken_link_is_named(tmp_path):
    said = broken_link(write_celeba(tmp_path) / "img_align_celeba" / NAMES[4])
    assert message(data.load, FACES, data_dir=tmp_path) == said


def test_a_face_that_is_not_aligned_is_named(tmp_path):
    other = FACE_FILES | {NAMES[4]: encoded(face(5, 200, 200))}
    assert message(data.load, FACES, data_dir=write_celeba(tmp_path, files=other)) == (
        f"{tmp_path}/img_align_celeba/000005.jpg is 200 x 200; the aligned images of "
        "CelebA are 178 x 218, or scaled: use those, or --dataset=folder for any others."
    )


def test_celeba_itself(real_data):
    if not (real_data / "celeba").is_dir():
        pytest.skip(f"CELEBA WAS NOT TESTED: {real_data} holds no celeba/")
    path = real_data / "celeba"
    files = sorted(path.glob("*89x109*.tar"))
    members = {m.name: m for m in celeba._members(files[0])}
    assert len(members) == 10_000
    names, rows = celeba.read_attributes(path / "list_attr_celeba.txt.gz")
    assert (len(names), len(rows)) == (40, 202_599)
    # Ones in the published table: Male 84,434 (41.68%), Eyeglasses 13,193 (6.51%).
    sums = dict(zip(names, np.sum(list(rows.values()), axis=0, dtype=int), strict=True))
    assert (sums["Male"], sums["Eyeglasses"]) == (84_434, 13_193)
    image = celeba.decode(members["000001.jpg"], (32, 32, 3))
    assert image.shape == (32, 32, 3)
    assert 30 < image.std() < 100


class ToyFaces:
    """What of a TFDS builder is used: two splits of aligned pictures with attributes."""

    name = "celeb_a"

    def __init__(self, path):
        self.data_dir = path
        self.info = self
        self.full_name = "celeb_a/2.1.0"
        self.features = {"attributes": {"Eyeglasses": None, "Smiling": None}}
        self.splits = {
            split: type("Info", (), {"num_examples": 2}) for split in cache.SPLITS
        }

    def as_dataset(self, split):
        first = {"train": 1, "test": 3}[split]
        examples = [
            {
                "image": face(number),
                "attributes": {"Eyeglasses": number == 2, "Smiling": number == 3},
            }
            for number in (first, first + 1)
        ]
        return type("Examples", (), {"as_numpy_iterator": lambda self: iter(examples)})()


def test_tfds_s_celeba_is_cropped_alike(tmp_path, monkeypatch):
    builder = ToyFaces(tmp_path)
    monkeypatch.setattr(tensorflow_datasets, "prepare", lambda name, path: builder)
    found = data.load(FACES)
    for split, numbers in ((found.train, (1, 2)), (found.test, (3, 4))):
        expected = [cropped(face(number)) for number in numbers]
        np.testing.assert_allclose(split.images, expected, atol=1)
    assert found.train.factors["Eyeglasses"].tolist() == [0, 1]
    assert found.test.factors["Smiling"].tolist() == [1, 0]
    assert found.origin == "TFDS celeb_a/2.1.0"
    assert found.preprocessing.startswith("the centred 148 x 148 of 178 x 218")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        (
            "celeb_a",
            "Put img_align_celeba.zip and list_attr_celeba.txt, both from "
            "mmlab.ie.cuhk.edu.hk/projects/CelebA.html, into a folder and give it as "
            "--data_dir, or --dataset=digits, which needs no download.",
        ),
        (
            "svhn_cropped",
            "Put train_32x32.mat and test_32x32.mat, both from "
            "ufldl.stanford.edu/housenumbers, into a folder and give it as --data_dir, or "
            "--dataset=digits, which needs no download.",
        ),
    ],
)
def test_a_failed_download_says_which_file_to_put_where(
    tmp_path, monkeypatch, name, advice
):
    import tensorflow_datasets as tfds

    def fails(name, data_dir):
        raise tfds.download.DownloadError("Failed to get url https://drive.google.com/uc")

    monkeypatch.setattr(tfds, "builder", fails)
    monkeypatch.setattr(tensorflow_datasets, "_require_network", lambda name, home: None)
    (tmp_path / "downloads").mkdir()
    found = message(data.load, DataSpec(name, (32, 32, 3)), data_dir=tmp_path)
    assert found == (
        f'TFDS could not prepare "{name}" in {tmp_path}: Failed to get url '
        f"https://drive.google.com/uc. {advice}"
    )


# --- anyone's folder -------------------------------------------------------------------


def write_pictures(path, count=12):
    """Grey 4 x 4 pictures, image k all 10 k + its columns, in folders out of order."""
    for number in reversed(range(count)):
        place = path / ("b" if number >= 6 else "a")
        place.mkdir(exist_ok=True)
        plain(number)
        (place / f"{number:02d}.png").write_bytes(encoded(plain(number)))
    return path


def plain(number):
    return np.tile(np.arange(4, dtype=np.uint8), (4, 1)) + np.uint8(10 * number)


def test_a_folder_comes_in_order_of_relative_path(tmp_path):
    found = data.load(GREY, dataset="folder", data_dir=write_pictures(tmp_path))
    kept = [number for number in range(12) if number != 9]
    np.testing.assert_array_equal(
        found.train.images[..., 0], [plain(number) for number in kept]
    )
    np.testing.assert_array_equal(found.test.images[..., 0], [plain(9)])
    assert found.origin == f"the pictures in {tmp_path}"
    assert found.preprocessing == (
        "the largest centred crop of that aspect, resized by area (Pillow BOX; bicubic "
        "where it grows) to 4 x 4, grey"
    )


def fitted(pixels, shape, **options):
    return pictures.fit(Image.fromarray(pixels, **options), shape)


def test_a_wide_picture_is_cropped_and_averaged():
    pixels = np.zeros((4, 10), np.uint8)
    pixels[:, 3:7] = noise(4, 4)  # the centred 4 x 4
    expected = np.rint(pixels[:, 3:7].reshape(2, 2, 2, 2).mean((1, 3)))
    np.testing.assert_allclose(fitted(pixels, (2, 2, 1))[..., 0], expected, atol=1)
    tall = fitted(pixels.T, (2, 2, 1))[..., 0]
    np.testing.assert_allclose(tall, expected.T, atol=1)


def test_a_picture_that_grows_is_smooth():
    pixels = np.tile(np.array([0, 200], np.uint8), (2, 1))
    row = fitted(pixels, (8, 8, 1))[0, :, 0].astype(int)
    assert (np.diff(row) >= 0).all() and len(set(row)) > 4


def test_colours_become_grey_and_grey_becomes_colours():
    red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    assert set(fitted(red, (2, 2, 1)).ravel()) == {76}  # ITU-R 601: 0.299 x 255
    grey = fitted(np.full((4, 4), 7, np.uint8), (2, 2, 3))
    assert grey.shape == (2, 2, 3) and set(grey.ravel()) == {7}


def test_transparent_deep_and_turned_pictures():
    clear = np.zeros((4, 4, 4), np.uint8)  # black, and nothing of it to be seen
    assert set(fitted(clear, (2, 2, 3)).ravel()) == {255}
    deep = np.full((4, 4), 0x8000, np.uint16)
    assert set(fitted(deep, (2, 2, 1)).ravel()) == {0x80}
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise by a quarter to see it upright
    Image.fromarray(plain(0) * 50).save(file, "PNG", exif=exif)
    with Image.open(file) as picture:
        found = pictures.fit(picture, (4, 4, 1))[..., 0]
    np.testing.assert_array_equal(found, np.rot90(plain(0) * 50, -1))


def test_what_is_broken_or_no_image_is_skipped_and_named(tmp_path, capsys):
    write_pictures(tmp_path)
    (tmp_path / "a" / "02.png").write_bytes(encoded(noise(64, 64))[:1_000])
    (tmp_path / "notes.txt").write_text("a cat")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "z.gif").write_bytes(b"GIF89a")
    said = (
        f"Skipped 4 of 15 files in the pictures in {tmp_path}, broken or no images: "
        "a/02.png, empty.jpg, notes.txt, ....\n"
    )
    for _ in range(2):  # also where they come from the cache
        found = data.load(GREY, dataset="folder", data_dir=tmp_path)
        assert (len(found.train), len(found.test)) == (10, 1)
        assert capsys.readouterr().out == said


def test_a_name_that_is_no_unicode_can_be_said(tmp_path, capsys):
    write_pictures(tmp_path)
    (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_text("a cat")
    data.load(GREY, dataset="folder", data_dir=tmp_path)
    assert capsys.readouterr().out.encode().decode().endswith(": caf\ufffd.txt.\n")


def test_the_sweeps_of_a_run_are_not_trained_on(tmp_path):
    write_pictures(tmp_path)
    before = data.load(GREY, dataset="folder", data_dir=tmp_path)
    run = tmp_path / "runs" / "mine"
    (run / "traversals").mkdir(parents=True)
    RunDirectory(run).log_file.touch()
    (run / "traversals" / "c1.png").write_bytes(encoded(plain(1)))
    after = data.load(GREY, dataset="folder", data_dir=tmp_path)
    np.testing.assert_array_equal(after.train.images, before.train.images)


def test_a_folder_of_which_nothing_is_left(tmp_path, cache_dir):
    (tmp_path / "notes.txt").write_text("a cat")
    assert message(data.load, GREY, dataset="folder", data_dir=tmp_path) == (
        f"There are no images among the pictures in {tmp_path}: Pillow was tried on 1 "
        "files: notes.txt."
    )
    (tmp_path / "notes.txt").unlink()
    assert message(data.load, GREY, dataset="folder", data_dir=tmp_path) == (
        f"There are no images among the pictures in {tmp_path}: Pillow was tried on 0 "
        "files."
    )
    assert entries(cache_dir) == []


@pytest.mark.parametrize("given", [None, "file"])
def test_a_folder_has_to_be_given(tmp_path, given):
    path = tmp_path / given if given else None
    if path:
        path.write_bytes(b"")
    assert message(data.load, GREY, dataset="folder", data_dir=path) == (
        "--dataset=folder reads the pictures in a folder, and --data_dir is "
        f"{path or 'not given'}: give --data_dir=DIR."
    )


# --- the cache -------------------------------------------------------------------------


def load(path, shape=(4, 4, 1)):
    return data.load(DataSpec("mine", shape), dataset="folder", data_dir=path)


@pytest.fixture
def fits(monkeypatch):
    """A list that grows by one for each picture that is decoded."""
    done, fit = [], pictures.fit
    monkeypatch.setattr(
        pictures, "fit", lambda *a, **options: done.append(1) or fit(*a, **options)
    )
    return done


def test_pictures_are_decoded_once(tmp_path, cache_dir, fits):
    first, again = load(write_pictures(tmp_path)), load(tmp_path)
    assert len(fits) == 12
    np.testing.assert_array_equal(first.train.images, again.train.images)
    assert first.preprocessing == again.preprocessing
    load(tmp_path, (2, 2, 3))  # another shape is another entry
    assert len(fits) == 24
    assert len(entries(cache_dir)) == 2


@pytest.mark.parametrize("change", ["content", "time", "new", "gone"])
def test_a_source_that_changes_is_decoded_again(tmp_path, fits, change):
    load(write_pictures(tmp_path))
    path = tmp_path / "a" / "00.png"
    status = path.stat()
    if change == "content":
        path.write_bytes(encoded(plain(20)))
    elif change == "time":
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))
    elif change == "new":
        path.with_name("000.png").write_bytes(encoded(plain(20)))
    else:
        path.unlink()
    found = load(tmp_path)
    assert len(fits) == 12 + {"new": 13, "gone": 11}.get(change, 12)
    first = {"content": plain(20), "gone": plain(1), "new": plain(0)}
    np.testing.assert_array_equal(
        found.train.images[0, ..., 0], first.get(change, plain(0))
    )


@pytest.mark.parametrize("file", ["train_images.npy", "test_factors.npy", "about.json"])
@pytest.mark.parametrize("damage", ["cut", "gone"])
def test_a_damaged_entry_is_made_again(tmp_path, cache_dir, fits, file, damage):
    load(write_pictures(tmp_path))
    path = cache_dir / entries(cache_dir)[0] / file
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-5])
    else:
        path.unlink()
    found = load(tmp_path)
    assert len(fits) == 24
    np.testing.assert_array_equal(found.test.images[0, ..., 0], plain(9))
    assert len(load(tmp_path).train) == 11
    assert len(fits) == 24


def test_what_a_killed_process_left_is_cleared(tmp_path, cache_dir):
    load(write_pictures(tmp_path))
    entry = cache_dir / entries(cache_dir)[0]
    entry.rename(entry.with_suffix(".part"))
    (entry.with_suffix(".part") / "train_images.npy").write_bytes(b"half")
    assert len(load(tmp_path).train) == 11
    assert entries(cache_dir) == [entry.name]


def test_a_decoding_that_fails_leaves_nothing(tmp_path, cache_dir, monkeypatch):
    write_pictures(tmp_path)
    monkeypatch.setattr(cache, "is_held_out", lambda place: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        load(tmp_path)
    assert entries(cache_dir) == []


def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "file"))
    (tmp_path / "in").mkdir()
    found = message(load, write_pictures(tmp_path / "in"))
    assert found.startswith(
        f"The cache of decoded images in {tmp_path / 'file'} cannot be written: "
    )
    assert found.endswith(
        "Make room there, or name another folder in the variable INFOGAN_TF_CACHE."
    )


def test_a_long_decoding_says_how_far_it_is(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cache, "PROGRESS_EVERY", 0.0)
    load(write_pictures(tmp_path))
    said = capsys.readouterr().out.splitlines()
    assert said[6] == f"Decoding the pictures in {tmp_path}: 6 of 12 (50%)"


TOGETHER = """
import pathlib, sys, time
from infogan_tf.data import folder, pictures

path, mine, other = map(pathlib.Path, sys.argv[1:])
fit, done = pictures.fit, []

def slowly(*arguments, **options):
    time.sleep(0.1)
    done.append(1)
    return fit(*arguments, **options)

pictures.fit = slowly
mine.touch()
while not other.exists():
    time.sleep(0.01)
found = folder.load(path, (4, 4, 1))
print(len(done), found.train.images.sum(), found.test.images.sum())
"""


def test_two_processes_at_once_decode_once(tmp_path, cache_dir):
    (tmp_path / "in").mkdir()
    write_pictures(tmp_path / "in")
    marks = [tmp_path / "a", tmp_path / "b"]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", TOGETHER, tmp_path / "in", *order],
            stdout=subprocess.PIPE,
            text=True,
        )
        for order in (marks, marks[::-1])
    ]
    said = [process.communicate(timeout=120)[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    train = sum(int(plain(number).sum()) for number in range(12) if number != 9)
    sums = f"{train} {plain(9).sum()}"
    assert sorted(lines[-1] for lines in said) == [f"0 {sums}", f"12 {sums}"]
    assert len(entries(cache_dir)) == 1


# --- 3D chairs -------------------------------------------------------------------------


def write_chairs(path, chairs=3, azimuths=(11, 139, 348, 359), elevations=(20, 30)):
    """Renders of one grey each, 10 x their place in the order that is promised."""
    number = 0
    for chair in range(chairs):
        renders = path / f"{chair:04x}chair" / "renders"
        renders.mkdir(parents=True)
        for view, (p, t) in enumerate((p, t) for p in elevations for t in azimuths):
            name = f"image_{view:03d}_p{p:03d}_t{t:03d}_r096.png"
            pixels = np.full((12, 12), 10 * number, np.uint8)
            (renders / name).write_bytes(encoded(pixels))
            number += 1
    return path


@pytest.mark.parametrize(
    "above", ["", "rendered_chairs"], ids=["given", "in the folder above"]
)
def test_chairs_come_with_their_angles(tmp_path, above):
    write_chairs(tmp_path / above)
    found = data.load(CHAIRS, data_dir=tmp_path)
    np.testing.assert_array_equal(
        found.test.images, [np.full((4, 4, 1), 90), [[[190]] * 4] * 4]
    )
    kept = [number for number in range(24) if number % 10 != 9]
    np.testing.assert_array_equal(found.train.images[:, 0, 0, 0], [10 * n for n in kept])
    # eight views a chair, elevations outermost
    np.testing.assert_array_equal(found.train.factors["chair"], [n // 8 for n in kept])
    np.testing.assert_array_equal(
        found.train.factors["azimuth"], [(11, 139, 348, 359)[n % 4] for n in kept]
    )
    np.testing.assert_array_equal(
        found.train.factors["elevation"], [20 if n % 8 < 4 else 30 for n in kept]
    )
    # floats have an order, which scores look for; whole numbers are kinds
    kinds = {name: values.dtype.kind for name, values in found.test.factors.items()}
    assert kinds == {"chair": "i", "azimuth": "f", "elevation": "f"}


def test_chairs_are_found_beside_what_they_were_unpacked_from(tmp_path):
    write_chairs(tmp_path / "rendered_chairs")
    with tarfile.open(tmp_path / "rendered_chairs.tar", "w") as archive:
        archive.add(tmp_path / "rendered_chairs", "rendered_chairs")
    assert len(data.load(CHAIRS, data_dir=tmp_path).test) == 2


@pytest.mark.parametrize("order", [1, -1])
def test_two_sources_of_the_same_files_know_what_each_knows(tmp_path, order):
    write_chairs(tmp_path)
    found = {
        dataset: data.load(CHAIRS, dataset=dataset, data_dir=tmp_path)
        for dataset in ["folder", None][::order]
    }
    assert list(found["folder"].train.factors) == []
    assert list(found[None].train.factors) == ["chair", "azimuth", "elevation"]


def test_a_render_without_angles_is_named(tmp_path, cache_dir):
    renders = write_chairs(tmp_path) / "0000chair" / "renders"
    (renders / "front.png").write_bytes(encoded(noise(4, 4)))
    assert message(data.load, CHAIRS, data_dir=tmp_path) == (
        f"{renders / 'front.png'} has no angles in its name: the renders are called like "
        "image_012_p020_t139_r096.png; --dataset=folder reads any pictures."
    )
    assert not entries(cache_dir)


@pytest.mark.parametrize("content", [b"", b"no picture", encoded(noise(4, 4))[:40]])
def test_a_damaged_render_is_named(tmp_path, cache_dir, content):
    write_chairs(tmp_path)
    file = sorted(tmp_path.glob("*/renders/*.png"))[5]
    file.write_bytes(content)
    text = message(data.load, CHAIRS, data_dir=tmp_path)
    assert text.startswith(f"{file} cannot be decoded (")
    assert text.endswith("): it is damaged; get it again.")
    assert not entries(cache_dir)


def test_a_render_that_is_a_broken_link_is_named(tmp_path):
    write_chairs(tmp_path)
    said = broken_link(sorted(tmp_path.glob("*/renders/*.png"))[5])
    assert message(data.load, CHAIRS, data_dir=tmp_path) == said


def test_chairs_are_in_no_library(tmp_path):
    for given, start in (
        (None, "No --data_dir is given."),
        (tmp_path, f"{tmp_path} holds no"),
    ):
        text = message(data.load, CHAIRS, data_dir=given)
        assert text.startswith(start)
        assert 'Give --data_dir=DIR with the folders of "Seeing 3D chairs"' in text


# --- dSprites --------------------------------------------------------------------------


@pytest.fixture
def small_grid(monkeypatch):
    counts = {"shape": 3, "scale": 2, "orientation": 5, "x": 2, "y": 2}
    monkeypatch.setattr(dsprites, "COUNTS", counts)
    return counts


def everything(found):
    """All images in their order again."""
    count = len(found.train) + len(found.test)
    held = np.array(dsprites._splits(count)) == "test"
    images = np.empty((count, 64, 64, 1), np.uint8)
    images[~held], images[held] = found.train.images, found.test.images
    factors = {}
    for name, values in found.train.factors.items():
        factors[name] = np.empty(count, values.dtype)
        factors[name][~held], factors[name][held] = values, found.test.factors[name]
    return images, factors


def test_every_value_is_held_out_a_tenth_of_the_time():
    held = np.array(dsprites._splits(737_280)).reshape(*dsprites.COUNTS.values()) == "test"
    assert held.sum() == 73_728
    for axis in range(5):
        share = held.mean(axis=tuple({*range(5)} - {axis}))
        assert abs(share - 0.1).max() < 0.01


def test_sprites_are_redrawn_over_the_grid(small_grid):
    found = data.load(SPRITES)
    assert found.origin == "dSprites, redrawn (not the published pixels)"
    images, factors = everything(found)
    grid = np.indices(list(small_grid.values())).reshape(5, -1)
    assert images.shape == (120, 64, 64, 1)
    assert set(np.unique(images)) == {0, 255}
    for name, places in zip(small_grid, grid, strict=True):
        wanted = places if name == "shape" else dsprites._value(name, places)
        np.testing.assert_allclose(factors[name], wanted, rtol=1e-6, err_msg=name)
    assert factors["shape"].dtype.kind == "i" and factors["x"].dtype == np.float32
    images = images.reshape(*small_grid.values(), 64, 64)
    ink = np.count_nonzero(images, axis=(-2, -1))
    # Every place shows the same picture, one pixel on; nothing is cut off.
    assert (ink == ink[..., :1, :1]).all()
    np.testing.assert_array_equal(images[..., 1, 1, 1:, 1:], images[..., 0, 0, :-1, :-1])
    # A square of half a side 11 covers 23 x 23 pixels, at half the scale 11 x 11.
    assert ink[0, 1, 0, 0, 0] == 23**2 and ink[0, 0, 0, 0, 0] == 11**2


def test_no_sprite_touches_the_edge_and_the_full_grid_is_dspritess():
    assert np.prod(list(dsprites.COUNTS.values())) == 737_280
    for shape in range(3):
        for orientation in range(40):
            angle = dsprites._value("orientation", orientation)
            rows, columns = np.nonzero(dsprites._canvas(shape, 1.0, angle))
            assert max(abs(rows - 64).max(), abs(columns - 64).max()) <= 16


def write_sprites(path, count=20, **changed):
    classes = np.zeros((count, 6), np.int64)
    classes[:, 1], classes[:, 5] = np.arange(count) % 3, np.arange(count)
    arrays = {
        "metadata": np.array({"author": "pickled"}, dtype=object),
        "imgs": noise(count, 64, 64) % 2,
        "latents_classes": classes,
        **changed,
    }
    np.savez_compressed(path / "dsprites_ndarray.npz", **arrays)
    return path


def test_an_archive_of_ones_own_may_be_called_so(tmp_path):
    np.savez(tmp_path / "dsprites_mine.npz", images=noise(20, 64, 64))
    assert len(data.load(SPRITES, data_dir=tmp_path).train) == 18


def test_published_sprites_come_back_exactly(tmp_path):
    """What is pickled beside them is not looked at."""
    found = data.load(SPRITES, data_dir=write_sprites(tmp_path))
    images, factors = everything(found)
    np.testing.assert_array_equal(images[..., 0], noise(20, 64, 64) % 2 * 255)
    np.testing.assert_array_equal(factors["shape"], np.arange(20) % 3)
    np.testing.assert_allclose(factors["y"], np.arange(20) / 31, rtol=1e-6)


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"imgs": noise(20, 32, 32)}, "imgs is uint8 [20, 32, 32], and has to be uint8 ["),
        ({"imgs": np.zeros((20, 64, 64), np.uint16)}, "imgs is uint16 [20, 64, 64], and"),
        ({"imgs": noise(20, 64, 64) | 3}, "a pixel of imgs is 255, and has to be 0 or 1"),
        ({"latents_classes": np.zeros((20, 5), int)}, "latents_classes is int64 [20, 5]"),
        (
            {"latents_classes": np.full((20, 6), 32)},
            "shape is from 32 to 32, and has to be from 0 to 2",
        ),
    ],
    ids=str,
)
def test_another_archive_is_not_dsprites(tmp_path, changed, text):
    found = message(data.load, SPRITES, data_dir=write_sprites(tmp_path, **changed))
    assert text in found and found.endswith("it is not the archive of dSprites.")


def test_a_damaged_archive_of_sprites(tmp_path, cache_dir):
    file = write_sprites(tmp_path) / "dsprites_ndarray.npz"
    file.write_bytes(file.read_bytes()[:-3000])
    text = message(data.load, SPRITES, data_dir=tmp_path)
    assert text.endswith("it is damaged, or another file; get it again.")
    assert entries(cache_dir) == []
