"""Spoilt files: every reader gives an answer or one line, soon and in little memory.

FUZZ_EXAMPLES=5000 pytest tests/test_fuzz.py    # as long as you like
"""

import contextlib
import functools
import json
import os
import pathlib
import time
import tracemalloc

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_faces3d import basel, dome, surrey
from test_sources import FACE_FILES, attributes, write_tar, write_zip

from infogan_tf.data import celeba, idx, morphable_model, npz, svhn
from infogan_tf.errors import InfoGANError
from infogan_tf.training import RunDirectory, train
from zoo import registry

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "100"))
SECONDS, MEGABYTES = 10, 64
OF_MAT = 4096  # SciPy reserves, and does not touch, what a 32-bit size asks for


def faces(path: pathlib.Path):
    """Every picture of an archive, decoded."""
    return [celeba.decode(member, (4, 4, 3)) for member in celeba._members(path)[:3]]


def options(path: pathlib.Path):
    return RunDirectory(path.parent).spec()


READERS = {
    "train-images-idx3-ubyte": lambda path: idx.read(path, idx.IMAGES_MAGIC),
    "images.npz": npz.load,
    "train_32x32.mat": svhn.read,
    "img_align_celeba.zip": faces,
    "img_align_celeba.tar": faces,
    "list_attr_celeba.txt": celeba.read_attributes,
    morphable_model.BASEL: morphable_model.read,
    morphable_model.SURREY: morphable_model.read,
    "options.json": options,
}


@functools.cache
def sound(folder: pathlib.Path) -> dict[str, bytes]:
    """A whole file for every reader."""
    folder.mkdir()
    pictures = dict(list(FACE_FILES.items())[:2])
    images = np.arange(20 * 3072, dtype=np.uint32).astype(np.uint8)
    images = images.reshape(32, 32, 3, 20)
    np.savez_compressed(folder / "images.npz", images=images.T, labels=np.arange(20))
    labels = np.arange(20)[:, None] % 10 + 1
    mat = {"X": images, "y": labels}
    scipy.io.savemat(folder / "train_32x32.mat", mat, do_compression=True)
    write_zip(folder / "img_align_celeba.zip", pictures)
    write_tar(folder / "img_align_celeba.tar", pictures)
    (folder / "list_attr_celeba.txt").write_bytes(attributes())
    scipy.io.savemat(folder / morphable_model.BASEL, basel(*dome()))
    (folder / morphable_model.SURREY).write_bytes(surrey(*dome()))
    header = np.array([idx.IMAGES_MAGIC, 20, 28, 28], ">u4").tobytes()
    (folder / "train-images-idx3-ubyte").write_bytes(header + bytes(20 * 784))
    train(registry.find("tiny_infogan").with_training(steps=1), folder / "run")
    (folder / "run" / "options.json").rename(folder / "options.json")
    return {name: (folder / name).read_bytes() for name in READERS}


changes = st.lists(
    st.tuples(
        st.sampled_from(["byte", "bit", "number", "cut", "insert", "repeat"]),
        st.floats(0, 1, exclude_max=True),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=4,
)
NUMBERS = (0, 1, 2**15, 2**31 - 1, 2**31, 2**32 - 1)


def spoil(content: bytes, changes) -> bytes:
    """Changes bytes, bits and sizes at places from 0 to 1, half of them near the start."""
    spoilt = bytearray(content)
    for kind, where, value in changes:
        place = int((where if value % 2 else where**4) * len(spoilt))
        if kind == "byte":
            spoilt[place : place + 1] = bytes([value])
        elif kind == "bit" and place < len(spoilt):
            spoilt[place] ^= 1 << value % 8
        elif kind == "number":
            size = NUMBERS[value % len(NUMBERS)]
            order = "little" if value % 4 < 2 else "big"
            spoilt[place : place + 4] = size.to_bytes(4, order)
        elif kind == "cut":
            del spoilt[place:]
        elif kind == "insert":
            spoilt[place:place] = bytes([value] * 3)
        else:
            spoilt[place:place] = spoilt[place : place + 64]
    return bytes(spoilt)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(changes=changes)
def test_a_spoilt_file_is_read_or_named(tmp_path_factory, name, changes):
    folder = tmp_path_factory.getbasetemp()
    whole = sound(folder / "sound")[name]
    path = folder / name
    path.write_bytes(spoil(whole, changes))
    tracemalloc.start()
    start = time.monotonic()
    with contextlib.suppress(InfoGANError):
        READERS[name](path)
    seconds, (_, most) = time.monotonic() - start, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert seconds < SECONDS
    assert most < (OF_MAT if name.endswith(".mat") else MEGABYTES) * 2**20


@pytest.mark.parametrize("name", READERS)
def test_a_whole_file_is_read(tmp_path_factory, name):
    folder = tmp_path_factory.getbasetemp()
    (folder / name).write_bytes(sound(folder / "sound")[name])
    assert READERS[name](folder / name) is not None


@settings(max_examples=EXAMPLES)
@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["type", "run", "spec", "name"]), inner)
        ),
        max_leaves=8,
    )
)
def test_options_that_are_other_json(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "options.json"
    for options in (
        content,
        {"data": {}, "run": content},
        {"data": {}, "run": {"spec": content}},
    ):
        path.write_text(json.dumps(options))
        with pytest.raises(InfoGANError):
            RunDirectory(path.parent).spec()
