"""Images from every source come exactly as they are, or the reader says why not."""

import gzip
import importlib
import itertools
import shutil
import socket
import struct
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infogan_tf import data, files
from infogan_tf.data import idx, npz, tensorflow_datasets
from infogan_tf.errors import InfoGANError
from infogan_tf.spec import DataSpec

MNIST = DataSpec("mnist", (4, 5, 1))  # as small as the files that are written here
TRAIN, TEST = (
    (np.arange(20 * n, dtype=np.uint8).reshape(n, 4, 5), np.arange(n, dtype=np.uint8) % 10)
    for n in (12, 3)
)


def message(call, *arguments, **options):
    with pytest.raises(InfoGANError) as error:
        call(*arguments, **options)
    return str(error.value)


def outcome(call, *arguments):
    """What the call returns, or the text of its InfoGANError."""
    try:
        return call(*arguments)
    except InfoGANError as error:
        return str(error)


# --- idx -------------------------------------------------------------------------------


def idx_bytes(array):
    """0, 0, 8 (unsigned bytes), dimensions; big-endian sizes; the bytes (MNIST's page)."""
    header = struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    return header + array.tobytes()


CONTENT = {
    "train-images-idx3-ubyte": idx_bytes(TRAIN[0]),
    "train-labels-idx1-ubyte": idx_bytes(TRAIN[1]),
    "t10k-images-idx3-ubyte": idx_bytes(TEST[0]),
    "t10k-labels-idx1-ubyte": idx_bytes(TEST[1]),
}


def write_mnist(folder, *, zipped=CONTENT, **changed):
    """The four files, .gz where `zipped`; `changed` by the first part of a name."""
    for name, content in CONTENT.items():
        content = changed.get(name.replace("-", "_").split("_idx")[0], content)
        if name in zipped:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    "zipped", [(), CONTENT, list(CONTENT)[1:3]], ids=["plain", "gz", "mixed"]
)
def test_idx_files_come_back_exactly(tmp_path, zipped):
    found = data.load(MNIST, data_dir=write_mnist(tmp_path, zipped=zipped))
    for split, (images, labels) in ((found.train, TRAIN), (found.test, TEST)):
        np.testing.assert_array_equal(split.images, images[..., None])
        np.testing.assert_array_equal(split.labels, labels)
        assert split.images.dtype == np.uint8
        assert split.labels.dtype == np.int64
    assert found.origin == f"the MNIST idx files in {tmp_path}"


DAMAGE = {  # what becomes of train-images and what is said; 12 images take 256 bytes
    "empty": (b"", " is empty: get it again."),
    "cut": (
        CONTENT["train-images-idx3-ubyte"][:-1],
        " has 255 bytes, and its header promises 256: it is truncated or damaged; get "
        "it again.",
    ),
    "longer": (
        CONTENT["train-images-idx3-ubyte"] + b"\0",
        " has 257 bytes, and its header promises 256: it is truncated or damaged; get "
        "it again.",
    ),
    "labels": (
        CONTENT["train-labels-idx1-ubyte"],
        " starts with the number 2049, and an idx file of images starts with 2051: it "
        "is another kind of file.",
    ),
    "one image": (
        idx_bytes(TRAIN[0][:1]),
        "train-labels-idx1-ubyte{suffix} has 12 labels, and {path} has 1 images: the two "
        "files do not belong together.",
    ),
    "header": (CONTENT["train-images-idx3-ubyte"][:9], "it is truncated or damaged"),
    "3 bytes": (b"\0\0\x08", "it is another kind of file."),
}


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize(("content", "text"), DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_idx_file_is_named(tmp_path, content, text, suffix):
    zipped = CONTENT if suffix else ()
    write_mnist(tmp_path, zipped=zipped, train_images=content)
    path = tmp_path / f"train-images-idx3-ubyte{suffix}"
    found = message(data.load, MNIST, data_dir=tmp_path)
    assert str(path) in found
    assert text.format(suffix=suffix, path=path) in found


@pytest.mark.parametrize("name", CONTENT)
def test_a_missing_idx_file_is_named(tmp_path, name):
    (write_mnist(tmp_path) / f"{name}.gz").unlink()
    assert message(data.load, MNIST, data_dir=tmp_path) == (
        f"{tmp_path / name}.gz is missing: the folder has to hold "
        "train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, "
        "t10k-labels-idx1-ubyte, each plain or with .gz."
    )


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda content: content[:-20], "end-of-stream marker"),
        (lambda content: b"", " is empty"),
        (lambda content: b"PK" + content[2:], "Not a gzipped file"),
        (lambda content: content[:-8] + b"\0" * 8, "CRC check failed"),
        (lambda content: content[:10] + b"\xff" * 40, "Error -3 while decompressing"),
    ],
    ids=["cut", "empty", "not gz", "checksum", "stream"],
)
def test_a_damaged_gz_is_named(tmp_path, damage, reason):
    path = write_mnist(tmp_path) / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(damage(path.read_bytes()))
    found = message(data.load, MNIST, data_dir=tmp_path)
    assert found.startswith(f"{path} ")
    assert reason in found
    assert found.endswith("get it again.")


def damaged(content):
    """`content` with some of its bytes changed, and cut or lengthened."""

    def damage(changes, size):
        spoilt = bytearray(content)
        for place, byte in changes:
            spoilt[place] = byte
        return bytes((spoilt + b"\0\0")[:size])

    place = st.integers(0, len(content) - 1)
    changes = st.lists(st.tuples(place, st.integers(0, 255)), max_size=3)
    return st.builds(damage, changes, st.integers(0, len(content) + 2))


sizes = st.lists(st.sampled_from([0, 1, 2, 2**16, 2**31, 2**32 - 1]), max_size=4)
headers = st.builds(lambda size: struct.pack(f">{len(size) + 1}I", 2051, *size), sizes)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@settings(max_examples=150)
@example(struct.pack(">4I", 2051, 0, 2**32 - 1, 2**32 - 1))  # no images, 1.8e19 pixels
@given(
    content=st.binary(max_size=64)
    | headers
    | damaged(idx_bytes(TEST[0]))
    | damaged(gzip.compress(idx_bytes(TEST[0])))
)
def test_idx_reads_any_bytes_or_says_what_is_wrong(tmp_path_factory, suffix, content):
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    is_gz = content[:2] == b"\x1f\x8b"
    path.write_bytes(gzip.compress(content) if suffix and not is_gz else content)
    found = outcome(idx.read, path, idx.IMAGES_MAGIC)
    if isinstance(found, str):
        assert str(path) in found
    else:
        content = gzip.decompress(content) if suffix and is_gz else content
        assert found.shape == struct.unpack(">3I", content[4:16])
        assert found.dtype == np.uint8
        assert found.tobytes() == content[16:]


@pytest.mark.parametrize("sizes", [(2**32 - 1, 1, 1), (2**31, 28, 28)])
def test_a_header_cannot_ask_for_memory(tmp_path, sizes):
    path = tmp_path / "images"
    path.write_bytes(struct.pack(">4I", 2051, *sizes) + b"\0" * 784)
    tracemalloc.start()
    try:
        found = message(idx.read, path, idx.IMAGES_MAGIC)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert f"has 800 bytes, and its header promises {16 + np.prod(sizes)}" in found
    assert peak < 1e6


def test_mnist_itself(real_data):
    found = data.load(DataSpec("mnist", (28, 28, 1)), data_dir=real_data / "mnist")
    train, test = found.train, found.test
    assert train.images.shape == (60_000, 28, 28, 1)
    assert test.images.shape == (10_000, 28, 28, 1)
    assert np.bincount(train.labels).tolist() == [  # counted by many; sum 60,000
        *(5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)
    ]
    assert set(test.labels) == set(range(10))
    # The figures that everybody normalises with: .1307 x 255 and .3081 x 255.
    mean = train.images.mean()
    squares = np.square(train.images, dtype=np.uint16).mean()
    assert mean == pytest.approx(33.318, abs=5e-4)
    assert np.sqrt(squares - mean**2) == pytest.approx(78.567, abs=5e-4)


# --- where the images are --------------------------------------------------------------


def test_a_folder_that_is_not_there(tmp_path):
    found = message(data.load, MNIST, data_dir=tmp_path / "nowhere")
    assert found == f"--data_dir: {tmp_path / 'nowhere'} does not exist."


@pytest.mark.parametrize("files", [(), ("cat.txt",), ("a.npz", "b.npz")])
def test_a_folder_with_nothing_known(tmp_path, files):
    for name in files:
        (tmp_path / name).write_bytes(b"")
    assert message(data.load, MNIST, data_dir=tmp_path) == (
        f"--data_dir: {tmp_path} holds no images that are known: it may hold the four "
        "MNIST idx files (train-images-idx3-ubyte.gz, ...), one .npz file with an array "
        "\"images\", SVHN's train_32x32.mat and test_32x32.mat, CelebA's "
        "img_align_celeba/, img_align_celeba.zip or .tar files, rendered_chairs/, "
        "dSprites' dsprites_ndarray*.npz, or a TFDS data directory with mnist/; "
        "--dataset=folder reads any pictures."
    )


def test_images_of_another_size(tmp_path):
    spec = DataSpec("mnist", (28, 28, 1))
    assert message(data.load, spec, data_dir=write_mnist(tmp_path)) == (
        f"the MNIST idx files in {tmp_path}: the images are 4 x 5 x 1 (height x width x "
        "channels), and this model takes 28 x 28 x 1: choose a model of that size or "
        "resize the images."
    )


def test_no_images_at_all(tmp_path):
    nothing = {"t10k_images": idx_bytes(TEST[0][:0]), "t10k_labels": idx_bytes(TEST[1][:0])}
    assert message(data.load, MNIST, data_dir=write_mnist(tmp_path, **nothing)) == (
        f"the MNIST idx files in {tmp_path}: there are too few images to hold any out."
    )


# --- npz -------------------------------------------------------------------------------

IMAGES = np.arange(20 * 2 * 3 * 3, dtype=np.uint8).reshape(20, 2, 3, 3)
NUMBERS = np.arange(20)


@pytest.mark.parametrize("as_folder", [True, False])
def test_an_npz_comes_back_with_every_tenth_held_out(tmp_path, as_folder):
    path = tmp_path / "faces.npz"
    factors = np.stack([NUMBERS / 10, -NUMBERS], 1)
    arrays = {"labels": NUMBERS.astype(np.uint8), "factors": factors}
    np.savez(path, images=IMAGES, factor_names=["azimuth", "width"], **arrays)
    spec = DataSpec("faces", (2, 3, 3))
    found = data.load(spec, data_dir=tmp_path if as_folder else path)
    assert found.origin == f"faces.npz in {tmp_path}"
    for split, rows in ((found.test, [9, 19]), (found.train, np.delete(NUMBERS, [9, 19]))):
        np.testing.assert_array_equal(split.images, IMAGES[rows])
        np.testing.assert_array_equal(split.labels, NUMBERS[rows])
        assert split.labels.dtype == np.int64
        assert list(split.factors) == ["azimuth", "width"]
        np.testing.assert_array_equal(split.factors["azimuth"], NUMBERS[rows] / 10)
        np.testing.assert_array_equal(split.factors["width"], -NUMBERS[rows])


def test_grey_images_without_labels_and_factors_without_names(tmp_path):
    path = tmp_path / "grey.npz"
    np.savez_compressed(path, images=IMAGES[..., 0], factors=NUMBERS[:, None])
    found = data.load(DataSpec("grey", (2, 3, 1)), data_dir=path)
    np.testing.assert_array_equal(found.test.images, IMAGES[[9, 19], :, :, :1])
    assert found.train.labels is None
    assert found.test.labels is None
    assert list(found.test.factors) == ["factor_0"]


BAD_ARRAYS = {
    "no images": (
        {"pictures": IMAGES, "labels": NUMBERS},
        ' has no array "images"; it has pictures, labels: save it with np.savez(path, '
        "images=..., labels=...).",
    ),
    "nothing": ({}, ' has no array "images"; it has none: save it'),
    "floats": (
        {"images": IMAGES / 255},
        ": images are float64 with 4 dimensions; they have to be uint8 [n, height, "
        "width, channels].",
    ),
    "flat": ({"images": IMAGES[0, 0]}, ": images are uint8 with 2 dimensions; they have"),
    "labels": (
        {"images": IMAGES, "labels": NUMBERS[1:]},
        " has 19 labels and 20 images: there has to be one for each.",
    ),
    "factors": (
        {"images": IMAGES, "factors": np.zeros((21, 2))},
        " has 21 factors and 20 images: there has to be one for each.",
    ),
    "objects": (
        {"images": np.array([None] * 20)},
        " cannot be read as an .npz file: Object arrays cannot be loaded when "
        "allow_pickle=False.",
    ),
    "one name twice": (
        {"images": IMAGES, "factors": np.zeros((20, 2)), "factor_names": ["x", "x"]},
        ': a factor is called "x", as another one is: give each a name of its own.',
    ),
    "the name of the labels": (
        {"images": IMAGES, "factors": np.zeros((20, 1)), "factor_names": ["label"]},
        ': a factor is called "label", as the labels are: give each a name of its own.',
    ),
    # What follows is only named: the words are free.
    "a label": ({"images": IMAGES, "labels": 3}, "labels"),
    "words": ({"images": IMAGES, "labels": NUMBERS.astype(str).astype("U9") + "th"}, ""),
    "flat factors": ({"images": IMAGES, "factors": NUMBERS}, "factors"),
    "too few names": (
        {"images": IMAGES, "factors": np.zeros((20, 2)), "factor_names": ["x"]},
        "factor_names",
    ),
}


@pytest.mark.parametrize(("arrays", "text"), BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_a_bad_npz_is_named(tmp_path, arrays, text):
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    found = message(data.load, MNIST, data_dir=path)
    assert str(path) in found
    assert text in found


@pytest.mark.parametrize("place", [0, 9], ids=["trained on", "held out"])
@pytest.mark.parametrize("label", [-1, -9, 32768, 10**12, 1.7, np.nan, np.inf])
def test_a_label_that_numbers_nothing_is_named(tmp_path, label, place):
    labels = np.arange(20, dtype=np.asarray(label).dtype)
    labels[place] = label
    np.savez(tmp_path / "faces.npz", images=IMAGES, labels=labels)
    assert message(data.load, DataSpec("faces", (2, 3, 3)), data_dir=tmp_path) == (
        f"faces.npz in {tmp_path}: the label of an image is {label}, and has to be a whole "
        "number from 0 to 32767: number the labels from 0, or leave them out."
    )


def test_whole_labels_of_any_type_become_int64(tmp_path):
    for kind in (bool, np.uint8, np.float16, np.float64, np.uint64):
        labels = (NUMBERS % 2).astype(kind)
        np.savez(tmp_path / "faces.npz", images=IMAGES, labels=labels)
        found = data.load(DataSpec("faces", (2, 3, 3)), data_dir=tmp_path).test
        assert found.labels.dtype == np.int64 and found.labels.tolist() == [1, 1]


@pytest.mark.parametrize("value", [np.nan, -np.inf])
def test_a_factor_that_is_not_finite_is_named(tmp_path, value):
    factors = np.zeros((20, 2))
    factors[3, 1] = value
    names = ["azimuth", "width"]
    np.savez(tmp_path / "faces.npz", images=IMAGES, factors=factors, factor_names=names)
    assert message(data.load, DataSpec("faces", (2, 3, 3)), data_dir=tmp_path) == (
        f'faces.npz in {tmp_path}: the factor "width" of an image is {value}, and has to '
        "be a finite number: leave out that image, or the factor."
    )


def test_a_half_written_npz_is_not_looked_at(tmp_path):
    np.savez(tmp_path / "faces.npz", images=IMAGES)
    (tmp_path / f"{files.ASIDE}1-faces.npz").write_bytes(b"half")
    assert len(data.load(DataSpec("faces", (2, 3, 3)), data_dir=tmp_path).train) == 18


def npz_bytes(folder):
    np.savez_compressed(folder / "good.npz", images=np.sin(IMAGES * 1.0).astype(np.uint8))
    return bytearray((folder / "good.npz").read_bytes())


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "npy", "bytes inside"])
def test_what_is_not_an_npz_is_named(tmp_path, kind):
    path = tmp_path / "bad.npz"
    if kind == "npy":
        with path.open("wb") as file:
            np.save(file, IMAGES)
    elif kind == "bytes inside":  # a zip of files that are no arrays
        shutil.make_archive(tmp_path / "bad", "zip", write_images_file(tmp_path / "in"))
        (tmp_path / "bad.zip").rename(path)
    else:
        good = npz_bytes(tmp_path)
        content = {"empty": b"", "text": b"a cat", "cut": good[: len(good) // 2]}
        path.write_bytes(content[kind])
    found = message(npz.load, path)
    assert found.startswith(str(path))


def write_images_file(folder):
    folder.mkdir()
    (folder / "images").write_text("a cat")
    return folder


@settings(max_examples=300)
@given(changes=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255))))
@example(changes=[(0.3, 255), (0.32, 255), (0.34, 255)])  # inside the compressed stream
def test_a_spoilt_npz_is_read_or_named(tmp_path_factory, changes):
    folder = tmp_path_factory.getbasetemp()
    content = npz_bytes(folder)
    for place, byte in changes:
        content[int(place * len(content))] = byte
    path = folder / "spoilt.npz"
    path.write_bytes(content)
    found = outcome(npz.load, path)
    assert isinstance(found, data.ImageData) or str(path) in found


# --- built in --------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(28, 28, 1), (32, 32, 3)])
def test_the_digits_of_scikit_learn(shape):
    found = data.load(DataSpec("mnist", shape), dataset="digits")
    assert found.origin == "scikit-learn's handwritten digits"
    assert found.train.images.shape == (1_500, *shape)
    assert found.test.images.shape == (297, *shape)  # UCI's 1,797 in all
    for split in (found.train, found.test):
        assert split.images.dtype == np.uint8
        assert np.unique(split.labels).tolist() == list(range(10))
        assert split.labels.dtype == np.int64
        assert (split.images == split.images[..., :1]).all()  # grey in every channel
        assert split.images.max() == 255
    again = data.load(DataSpec("mnist", shape), dataset="digits")
    np.testing.assert_array_equal(found.train.images, again.train.images)


def test_a_resized_digit_is_still_the_digit():
    import sklearn.datasets

    found = data.load(DataSpec("digits", (32, 32, 1)))
    images = np.concatenate([found.train.images, found.test.images])
    small = images.reshape(-1, 8, 4, 8, 4).mean(axis=(2, 4))  # 4 x 4 pixels make one
    for ours, theirs in zip(small, sklearn.datasets.load_digits().images, strict=True):
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.97
    assert small.mean() == pytest.approx(
        sklearn.datasets.load_digits().images.mean() * 255 / 16, rel=0.05
    )


@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (32, 24, 3)])
def test_drawn_shapes(shape):
    found = data.load(DataSpec("synthetic", shape))
    assert (len(found.train), len(found.test)) == (1_094, 121)  # of 3 x 5 x 9 x 9 = 1,215
    images = np.concatenate([found.train.images, found.test.images])
    assert images.shape[1:] == shape
    assert images.dtype == np.uint8
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == 1_215
    factors = {
        name: np.concatenate([values, found.test.factors[name]])
        for name, values in found.train.factors.items()
    }
    assert {name: len(np.unique(values)) for name, values in factors.items()} == {
        **{"shape": 3, "scale": 5, "x": 9, "y": 9}
    }
    for split in (found.train, found.test):
        np.testing.assert_array_equal(split.labels, split.factors["shape"])
    again = data.load(DataSpec("synthetic", shape))
    np.testing.assert_array_equal(found.test.images, again.test.images)


def test_the_factors_of_drawn_shapes_are_in_the_pixels():
    train = data.load(DataSpec("synthetic", (28, 28, 1))).train
    weight = train.images[..., 0] / 255
    mass = weight.sum((1, 2))
    place = np.linspace(-1, 1, 28)  # of the middle of a pixel
    x, y = (weight.sum(axis) @ place / mass for axis in (1, 2))
    # An area in units of the image, whose pixels are 2/27 wide.
    area = mass * (2 / 27) ** 2
    scale = train.factors["scale"]
    # Disc, square (half-width s), triangle (base and height 2 s), and how far below the
    # middle the centroid of each lies: a triangle's is s / 3 nearer to its base.
    for shape, (size, lower) in enumerate([(np.pi, 0), (4, 0), (2, 1 / 3)]):
        rows = train.factors["shape"] == shape
        np.testing.assert_allclose(area[rows], size * scale[rows] ** 2, rtol=0.08)
        np.testing.assert_allclose(x[rows], train.factors["x"][rows], atol=0.01)
        middle = train.factors["y"][rows] + lower * scale[rows]
        np.testing.assert_allclose(y[rows], middle, atol=0.02)


def test_the_held_out_shapes_are_every_tenth():
    images = np.arange(25, dtype=np.uint8).reshape(25, 1, 1, 1)
    found = data.images.hold_out(data.Split(images), "numbers")
    assert found.test.images.ravel().tolist() == [9, 19]
    assert found.train.images.ravel().tolist() == [n for n in range(25) if n not in (9, 19)]


# --- TFDS ------------------------------------------------------------------------------


GREY = (28, 28, 1)


def toy_examples(count, *, shape=(8, 8, 1), labels=True):
    images = np.random.default_rng(count).integers(0, 256, (count, *shape), np.uint8)
    return [
        {"image": image, **({"label": place % 10} if labels else {})}
        for place, image in enumerate(images)
    ]


@pytest.fixture(scope="module")
def tfds_dir(tmp_path_factory):
    """A TFDS data directory with real, small data sets that only this test knows."""
    import tensorflow_datasets as tfds

    folder = tmp_path_factory.mktemp("tfds")
    image = {"image": tfds.features.Image(shape=(8, 8, 1))}
    labelled = {**image, "label": tfds.features.ClassLabel(num_classes=10)}
    text = {"text": tfds.features.Text()}
    captioned = {**image, "label": tfds.features.Text()}
    wide = {**labelled, "image": tfds.features.Image(shape=(None, None, 3))}
    deep = {"image": tfds.features.Tensor(shape=(8, 8), dtype=np.float32)}
    for name, features, splits in (
        (
            "toy_captions",
            captioned,
            {"train": [{**e, "label": "a"} for e in toy_examples(20)]},
        ),
        (
            "toy_unlabelled",
            labelled,
            {
                "train": toy_examples(20),
                "test": [{**each, "label": -1} for each in toy_examples(5)],
            },
        ),
        (
            "toy_wide",
            wide,
            {
                "train": [
                    {"image": np.full((8 + place, 16, 3), 10 * place, np.uint8), "label": 0}
                    for place in range(20)
                ]
            },
        ),
        ("toy_numbers", deep, {"train": [{"image": np.zeros((8, 8), np.float32)}]}),
        ("toy_digits", labelled, {"train": toy_examples(20), "test": toy_examples(5)}),
        ("toy_pictures", image, {"train": toy_examples(20, labels=False)}),
        ("toy_few", labelled, {"train": toy_examples(5)}),
        ("toy_tests", image, {"test": toy_examples(5, labels=False)}),
        ("toy_words", text, {"train": [{"text": "cat"}, {"text": "dog"}]}),
    ):
        tfds.dataset_builders.store_as_tfds_dataset(
            name=name,
            version="1.0.0",
            data_dir=folder,
            features=tfds.features.FeaturesDict(features),
            split_datasets={split: list(enumerate(e)) for split, e in splits.items()},
            disable_shuffling=True,
        )
    return folder


def test_a_tfds_data_set_on_disk_needs_no_network(tfds_dir):
    found = data.load(DataSpec("mnist", (8, 8, 1)), dataset="toy_digits", data_dir=tfds_dir)
    assert found.origin == "TFDS toy_digits/1.0.0"
    for split, count in ((found.train, 20), (found.test, 5)):
        written = toy_examples(count)
        np.testing.assert_array_equal(split.images, [each["image"] for each in written])
        np.testing.assert_array_equal(split.labels, [each["label"] for each in written])
        assert split.labels.dtype == np.int64


def test_a_tfds_data_set_without_labels_or_a_test_split(tfds_dir):
    found = data.load(DataSpec("toy_pictures", (8, 8, 1)), data_dir=tfds_dir)
    images = [each["image"] for each in toy_examples(20)]
    np.testing.assert_array_equal(found.test.images, [images[9], images[19]])
    assert len(found.train) == 18
    assert found.train.labels is None


@pytest.mark.parametrize("name", ["toy_captions", "toy_unlabelled"])
def test_labels_of_tfds_that_are_no_numbers_are_left_out(tfds_dir, name):
    found = data.load(DataSpec(name, (8, 8, 1)), data_dir=tfds_dir)
    assert found.train.labels is None and found.test.labels is None
    np.testing.assert_array_equal(found.train.images[0], toy_examples(20)[0]["image"])


def test_pictures_of_tfds_of_any_size_are_brought_to_the_model_s(tfds_dir):
    found = data.load(DataSpec("toy_wide", (4, 4, 1)), data_dir=tfds_dir)
    greys = [np.full((4, 4, 1), 10 * place) for place in range(20)]
    np.testing.assert_array_equal(found.test.images, [greys[9], greys[19]])
    assert found.preprocessing.endswith(" to 4 x 4, grey")


def test_a_version_of_tfds_can_be_asked_for(tfds_dir):
    spec, name = DataSpec("mnist", (8, 8, 1)), "toy_digits:1.0.0"
    assert (
        data.load(spec, dataset=name, data_dir=tfds_dir).origin == "TFDS toy_digits/1.0.0"
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("toy_tests", "TFDS toy_tests/1.0.0 has no train split."),
        ("toy_words", 'TFDS "toy_words" has no feature "image": choose another.'),
        ("toy_few", "TFDS toy_few/1.0.0: there are too few images to hold any out."),
        (
            "toy_numbers",
            "TFDS toy_numbers/1.0.0: an image is float32 [8, 8], and has to be uint8 "
            "[height, width, 1, 3 or 4]: choose another data set.",
        ),
    ],
)
def test_a_tfds_data_set_of_another_kind(tfds_dir, name, text):
    found = message(data.load, DataSpec(name, (28, 28, 1)), data_dir=tfds_dir)
    assert found.startswith(text)


@pytest.mark.parametrize("pattern", ["*.tfrecord*", "dataset_info.json"])
def test_a_damaged_tfds_data_set_is_named(tfds_dir, tmp_path, pattern):
    shutil.copytree(tfds_dir / "toy_digits", tmp_path / "toy_digits")
    for path in (tmp_path / "toy_digits").rglob(pattern):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    found = message(data.load, DataSpec("toy_digits", (8, 8, 1)), data_dir=tmp_path)
    assert found.startswith(f'TFDS could not prepare "toy_digits" in {tmp_path}')
    assert found.endswith("or --dataset=digits, which needs no download.")


def test_an_unknown_name(tmp_path):
    found = message(tensorflow_datasets.load, "fashion_mnits/a:1.0.0", tmp_path, GREY)
    assert found.startswith(
        'Unknown data set "fashion_mnits": --dataset takes "digits", "synthetic", '
        '"folder" or any of the '
    )
    assert found.endswith(' names of TFDS. Did you mean "fashion_mnist"?')


@pytest.fixture(scope="module")
def no_network():
    try:
        socket.create_connection(("storage.googleapis.com", 443), timeout=3).close()
    except OSError:
        return
    pytest.skip("THIS MACHINE HAS A NETWORK: what is said without one was not tested")


NO_DOWNLOAD = (
    'The data set "mnist" is not in {} and cannot be downloaded (storage.googleapis.com: '
)


def test_without_a_network_the_answer_comes_at_once(no_network, tmp_path):
    importlib.import_module("tensorflow_datasets")  # its 2 s are not counted
    start = time.monotonic()
    found = message(tensorflow_datasets.load, "mnist", tmp_path, GREY)
    assert time.monotonic() - start < 10
    assert found.startswith(NO_DOWNLOAD.format(tmp_path))
    assert found.endswith(
        "). Give --data_dir with the files of the data set, or --dataset=digits, which "
        "needs no download."
    )


def test_a_folder_that_a_download_left_behind_is_no_data_set(no_network, tmp_path):
    # In a process of its own, because TFDS goes on retrying for minutes.
    (tmp_path / "mnist").mkdir()
    load = f"""
import pathlib
from infogan_tf.data import tensorflow_datasets
try:
    tensorflow_datasets.load("mnist", pathlib.Path({str(tmp_path)!r}), {GREY})
except ValueError as error:
    print(error)
"""
    process = subprocess.run(
        [sys.executable, "-c", load], capture_output=True, text=True, timeout=90
    )
    assert process.stdout.startswith(NO_DOWNLOAD.format(tmp_path))


# --- batches ---------------------------------------------------------------------------


def stream(count, *, batch_size, steps, seed=0, first_step=0):
    """The numbers of the images that each batch holds, [steps, batch_size].

    Image i is one pixel whose four channels are the bytes of i.
    """
    images = np.arange(count, dtype=">u4").view(np.uint8).reshape(count, 1, 1, 4)
    options = {"batch_size": batch_size, "seed": seed, "first_step": first_step}
    found = list(itertools.islice(data.batches(images, **options), steps))
    assert all(batch.dtype == tf.float32 for batch in found)
    assert all(batch.shape == (batch_size, 1, 1, 4) for batch in found)
    pixels = np.rint(255 * np.array(found)).astype(np.int64)[:, :, 0, 0]
    return pixels @ [2**24, 2**16, 2**8, 1]


def order(count, *, seed=0, number=0):
    """One pass over the data, [count]."""
    (found,) = stream(count, batch_size=count, steps=1, seed=seed, first_step=number)
    return found


@settings(max_examples=12)
@given(
    count=st.integers(1, 60),
    share=st.floats(0, 1),
    first=st.integers(0, 40),
    seed=st.integers(0, 2**31 - 1),
)
def test_a_stream_is_a_function_of_seed_and_step(count, share, first, seed):
    options = {"batch_size": max(1, round(share * count)), "seed": seed}
    whole = stream(count, steps=first + 5, **options)
    np.testing.assert_array_equal(whole, stream(count, steps=first + 5, **options))
    tail = stream(count, steps=5, first_step=first, **options)
    np.testing.assert_array_equal(whole[first:], tail)


@pytest.mark.parametrize("count", [1, 2, 37, 256, 1_094, 60_000])
def test_every_pass_meets_every_image_once(count):
    batch_size = max(1, count // 3)  # passes begin inside batches
    steps = -(-3 * count // batch_size)
    found = stream(count, batch_size=batch_size, steps=steps).ravel()[: 3 * count]
    for images in found.reshape(3, count):
        np.testing.assert_array_equal(np.sort(images), np.arange(count))


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1])
@pytest.mark.parametrize("count", [100, 1_500, 60_000])
def test_passes_and_seeds_have_nothing_in_common(count, seed):
    first, second = (order(count, seed=seed, number=number) for number in (0, 1))
    other = order(count, seed=seed - 1 if seed else 7)
    # The correlation of two independent orders has a standard deviation of about
    # 1 / sqrt(n); 5 of those are met once in two million comparisons.
    limit = 5 / np.sqrt(count)
    pairs = {
        "place": (np.arange(count), first),
        "pass": (first, second),
        "seed": (first, other),
        "neighbour": (first[1:], first[:-1]),
    }
    for name, pair in pairs.items():
        assert abs(np.corrcoef(*pair)[0, 1]) < limit, name


def test_three_images_come_in_all_six_orders():
    # one order is missing from 120 fair passes with a chance of 6 (5/6)^120 = 2e-9
    passes = stream(3, batch_size=3, steps=120)
    assert len({tuple(images) for images in passes}) == 6


def test_bytes_become_numbers_from_0_to_1():
    images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    (batch,) = itertools.islice(data.batches(images, batch_size=1), 1)
    np.testing.assert_allclose(batch[0], images[0] / 255, rtol=1e-6)
    assert (float(tf.reduce_min(batch)), float(tf.reduce_max(batch))) == (0, 1)


@pytest.mark.parametrize("shape", [(8, 8, 1), (4, 4, 3)])
def test_memory_mapped_batches_are_those_from_memory(tmp_path, shape):
    images = np.random.default_rng(0).integers(0, 256, (24, *shape), np.uint8)
    np.save(tmp_path / "images.npy", images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    options = {"batch_size": 5, "seed": 3, "first_step": 2}
    streams = [data.batches(each, **options).take(12) for each in (images, mapped)]
    for ours, theirs in zip(*streams, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_batch_that_cannot_be_filled():
    images = np.zeros((9, 1, 1, 1), np.uint8)
    assert message(data.batches, images, batch_size=10) == (
        "A batch of 10 images was asked for, and there are 9: use --batch_size=9 or less."
    )
