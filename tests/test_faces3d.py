"""3D faces: a toy model in both file formats, known pictures of it, and every bad file."""

import concurrent.futures
import dataclasses
import struct
from concurrent.futures.process import BrokenProcessPool

import numpy as np
import pytest
import scipy.io
from hypothesis import given, settings
from hypothesis import strategies as st

from infogan_tf import data
from infogan_tf.data import faces3d, morphable_model
from infogan_tf.errors import InfoGANError
from infogan_tf.spec import DataSpec

pytest.importorskip("embreex")
SPEC = DataSpec("faces3d", (32, 32, 1))


def message(call, *arguments, **options):
    with pytest.raises(InfoGANError) as error:
        call(*arguments, **options)
    return str(error.value)


def dome(steps=12):
    """Half an ellipsoid, 60 mm wide either side, 100 up and down, 50 towards the viewer.

    Its one direction adds 10 mm at the widest to either side.
    """
    y, x = (axis.ravel() for axis in np.mgrid[-1 : 1 : steps * 1j, -1 : 1 : steps * 1j])
    x = x * np.sqrt(1 - y**2)
    z = np.sqrt(np.maximum(0, 1 - x**2 - y**2))
    mean = np.stack([60 * x, 100 * y, 50 * z], axis=1).astype(np.float32).ravel()
    basis = np.stack([10 * x, 0 * y, 0 * z], axis=1).astype(np.float32).reshape(-1, 1)
    corner = (np.arange(steps - 1)[:, None] * steps + np.arange(steps - 1)).ravel()
    lower = np.stack([corner, corner + 1, corner + steps], axis=1)
    upper = np.stack([corner + 1, corner + steps + 1, corner + steps], axis=1)
    return mean, basis, np.concatenate([lower, upper]).astype(np.int32)


def matrix(values):
    values = np.atleast_2d(values.astype("<f4"))
    return struct.pack("<2i", *values.shape) + values.tobytes(order="F")


def surrey(mean, basis, triangles, *, variances=None, version=1, count=None):
    """The bytes of an eos file whose basis is split into directions and variances."""
    variances = np.full(basis.shape[1], 4.0) if variances is None else variances
    return b"".join(
        [
            struct.pack("<I", version),
            matrix(mean[:, None]),
            matrix(basis / 2),
            matrix(np.asarray(variances)[:, None]),
            struct.pack("<Q", len(triangles) if count is None else count),
            triangles.astype("<i4").tobytes(),
            bytes(40),  # no colours
        ]
    )


def basel(mean, basis, triangles):
    """The arrays of a Basel file: micrometres, deviations, vertices from 1."""
    return {
        "shapeMU": 1_000 * mean[:, None],
        "shapePC": 1_000 * basis / 2,
        "shapeEV": np.full((basis.shape[1], 1), 2, np.float32),
        "tl": triangles + 1.0,
    }


@pytest.fixture
def model_path(tmp_path):
    path = tmp_path / morphable_model.SURREY
    path.write_bytes(surrey(*dome()))
    return path


def test_both_formats_are_the_same_model(tmp_path, model_path):
    mean, basis, triangles = dome()
    path = tmp_path / morphable_model.BASEL
    scipy.io.savemat(path, basel(mean, basis, triangles[:, ::-1]))  # inside out
    for one in (morphable_model.read(model_path), morphable_model.read(path)):
        np.testing.assert_allclose(one.mean, mean, atol=1e-4)
        np.testing.assert_allclose(one.basis, basis, atol=1e-4)
        np.testing.assert_array_equal(one.triangles, triangles)
        wider = one.shape(np.array([2.0]))  # 60 + 2 * 10 mm either side, at y near 0
        assert wider[:, 0].max() == pytest.approx(one.mean[::3].max() * 80 / 60, rel=1e-5)
    assert morphable_model.find(tmp_path) == path  # the paper's own, where both are


def test_a_fine_mesh_is_made_coarser_and_looks_alike(tmp_path):
    coarse, fine = tmp_path / "coarse.bin", tmp_path / "fine.bin"
    coarse.write_bytes(surrey(*dome(60)))
    fine.write_bytes(surrey(*dome(150)))  # 2 * 149^2 = 44,402 triangles
    first, second = morphable_model.read(coarse), morphable_model.read(fine)
    assert len(first.triangles) == 2 * 59**2  # as it is
    assert len(second.triangles) < morphable_model.TRIANGLES
    face = faces3d.Face(np.zeros(1, np.float32), 20.0, 10.0, 30.0)
    images = [faces3d.render(one, face)[0].astype(int) for one in (first, second)]
    assert abs(images[0] - images[1]).mean() < 4  # of 255


def test_a_dome_is_seen_as_large_as_it_is(model_path):
    """The dome is 1 / 1.15 of the picture high, and 0.6 of that wide: 16.7 pixels."""
    model = morphable_model.read(model_path)
    face = faces3d.Face(np.zeros(1, np.float32), 0.0, 0.0, 0.0)
    image, width = faces3d.render(model, face)
    assert image.shape == (32, 32, 1) and image.dtype == np.uint8
    low, high = np.ptp(model.mean.reshape(-1, 3), axis=0)[:2]
    assert width == pytest.approx(low / high, rel=1e-5)
    seen = image[..., 0] > 0
    assert seen.any(axis=1).sum() == pytest.approx(32 / 1.15, abs=2)
    assert seen.sum(axis=1).max() == pytest.approx(32 / 1.15 * width, abs=2)
    mirrored = abs(image.astype(int) - image[:, ::-1])
    assert mirrored.mean() < 1  # lit from the front; the diagonals are not symmetric
    wider, more = faces3d.render(model, dataclasses.replace(face, coefficients=np.ones(1)))
    assert more / width == pytest.approx(70 / 60, rel=1e-4)
    assert (wider > 0).sum() > (image > 0).sum()


def test_the_light_comes_from_the_side_that_is_recorded(model_path):
    model = morphable_model.read(model_path)
    for lighting, side in ((60.0, slice(16, None)), (-60.0, slice(16))):
        face = faces3d.Face(np.zeros(1, np.float32), 0.0, 0.0, lighting)
        image = faces3d.render(model, face)[0].astype(float)
        lit = image[:, side].sum()
        assert lit > 2 * (image.sum() - lit)


def test_a_face_turns_to_the_side_that_is_recorded():
    """Turned by +azimuth the nose, at +z, goes to +x; by +elevation it goes up."""
    nose = np.array([0, 0, 1], np.float32)
    right, up = faces3d._turned(30.0, 0.0) @ nose, faces3d._turned(0.0, 30.0) @ nose
    np.testing.assert_allclose(right, [0.5, 0, 0.75**0.5], atol=1e-6)
    np.testing.assert_allclose(up, [0, 0.5, 0.75**0.5], atol=1e-6)


def test_the_same_seed_is_the_same_bit_for_bit_in_any_number_of_processes(
    tmp_path, model_path, monkeypatch, capsys
):
    monkeypatch.setattr(faces3d, "PROGRESS_EVERY", 0.0)
    found = []
    for chunk in (15, 30):  # two processes, and none
        monkeypatch.setattr(faces3d, "CHUNK", chunk)
        faces3d.write(tmp_path / str(chunk) / faces3d.FILE, model_path, count=30, seed=3)
        with np.load(tmp_path / str(chunk) / faces3d.FILE) as arrays:
            found.append({name: arrays[name] for name in arrays})
    for name, values in found[0].items():
        np.testing.assert_array_equal(values, found[1][name], err_msg=name)
    assert "Rendering: 15 of 30 faces (50%)" in capsys.readouterr().out
    other = faces3d.render_chunk(morphable_model.read(model_path), 4, range(30))
    assert not np.array_equal(other[0], found[0]["images"])


def test_what_is_written_is_loaded_with_its_factors(tmp_path, model_path):
    faces3d.write(tmp_path / faces3d.FILE, model_path, count=40)
    found = data.load(SPEC, data_dir=tmp_path)
    assert (len(found.train), len(found.test)) == (36, 4)
    assert tuple(found.train.factors) == faces3d.FACTORS
    limits = (faces3d.AZIMUTH, faces3d.ELEVATION, faces3d.LIGHTING)
    for name, limit in zip(faces3d.FACTORS, limits, strict=False):
        values = found.train.factors[name]
        assert values.dtype == np.float32
        assert 0.5 * limit < abs(values).max() <= limit
    model = morphable_model.read(model_path)
    image, width = faces3d.render(model, faces3d.draw(model, 0, 9))
    np.testing.assert_array_equal(found.test.images[0], image)  # every tenth
    assert found.test.factors["width"][0] == np.float32(width)


def test_a_failure_leaves_nothing(tmp_path, model_path, monkeypatch):
    monkeypatch.setattr(faces3d, "render_chunk", lambda *arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        faces3d.write(tmp_path / "new" / faces3d.FILE, model_path, count=30)
    assert list((tmp_path / "new").iterdir()) == []


def test_numbers_that_cannot_be(tmp_path, model_path):
    path = tmp_path / faces3d.FILE
    assert message(faces3d.write, path, model_path, count=19) == (
        "count is 19; it has to be at least 20."
    )
    assert message(faces3d.write, path, model_path, seed=-1) == (
        "seed is -1; it has to be a whole number from 0 on."
    )
    assert not path.exists()


def test_without_images_it_is_said_how_to_make_them(tmp_path):
    assert message(data.load, SPEC) == f"No --data_dir is given. {faces3d.ADVICE}"
    assert message(data.load, SPEC, data_dir=tmp_path) == (
        f"{tmp_path} holds no images that are known. {faces3d.ADVICE}"
    )
    assert message(morphable_model.find, tmp_path).startswith(
        f"{tmp_path} holds no 3D morphable model: put 01_MorphableModel.mat (Basel"
    )


def test_a_missing_embree_is_said(monkeypatch):
    faces3d._embree.cache_clear()
    monkeypatch.setitem(__import__("sys").modules, "embreex.rtcore", None)
    found = message(faces3d._embree)
    assert found.startswith("3D faces are rendered by Embree, which cannot be imported (")
    assert found.endswith('pip install "infogan_tf[faces3d]" or pip install embreex.')


MEAN, BASIS, TRIANGLES = dome()
BAD = {
    "empty": (b"", " is empty: get it again."),
    "text": (b"a cat" * 100, " says that it is of version 1633886305, and 1 is what"),
    "newer": (surrey(*dome(), version=3), " says that it is of version 3, and 1 is what"),
    "cut": (surrey(*dome())[:2_000], " ends, or is not what it should be, at byte "),
    "many triangles": (surrey(*dome(), count=2**60), " ends, or is not what it should be,"),
    "half a vertex": (
        surrey(MEAN[:-1], BASIS[:-1], TRIANGLES),
        " has a mean of 431 numbers and a basis of [431, 1]; they have to be three",
    ),
    "another basis": (
        surrey(MEAN, BASIS[:-3], TRIANGLES),
        " has a mean of 432 numbers and a basis of [429, 1]; they have to be three",
    ),
    "variances": (surrey(*dome(), variances=[1, 2]), " has 2 variances for a basis of"),
    "below 0": (surrey(*dome(), variances=[-1]), " has 1 variances for a basis of"),
    "not finite": (
        surrey(MEAN * np.nan, BASIS, TRIANGLES),
        " holds numbers that are not finite, or no face's: get it again.",
    ),
    "a vertex too many": (
        surrey(MEAN, BASIS, TRIANGLES + 1),
        " has triangles [242, 3] that are not three of its 144 vertices each: get it",
    ),
    "a point": (
        surrey(MEAN * 0, BASIS, TRIANGLES),
        " has a mean face 0 mm wide and 0 mm high, and it has to be 50 to 1000 mm high: "
        "its numbers are in another unit, or no face; 01_MorphableModel.mat counts in "
        "micrometres, sfm_shape_3448.bin in millimetres.",
    ),
    "metres": (
        surrey(MEAN / 1_000, BASIS / 1_000, TRIANGLES),
        " has a mean face 0.12 mm wide and 0.2 mm high, and it has to be 50 to 1000 mm",
    ),
}


@pytest.mark.parametrize(("content", "text"), BAD.values(), ids=BAD)
def test_a_bin_that_is_no_model_is_named(tmp_path, content, text):
    path = tmp_path / morphable_model.SURREY
    path.write_bytes(content)
    assert message(morphable_model.read, path).startswith(f"{path}{text}")


def test_a_mat_that_is_no_model_is_named(tmp_path):
    path = tmp_path / morphable_model.BASEL
    arrays = basel(*dome())
    path.write_bytes(b"a cat" * 100)
    assert message(morphable_model.read, path).startswith(
        f"{path} cannot be read as a .mat file ("
    )
    scipy.io.savemat(path, {"X": np.zeros(3)})
    assert message(morphable_model.read, path) == (
        f'{path} has no numbers "shapeMU": it is no Basel Face Model 2009, which has '
        "shapeMU, shapePC, shapeEV, tl."
    )
    scipy.io.savemat(path, arrays | {"shapeEV": np.ones((3, 1))})
    assert message(morphable_model.read, path) == (
        f"{path} has 3 shapeEV for a shapePC of [432, 1]: there has to be one for each "
        "column."
    )
    scipy.io.savemat(path, arrays | {"tl": scipy.sparse.csc_array(arrays["tl"])})
    assert message(morphable_model.read, path).startswith(f'{path} has no numbers "tl": ')
    scipy.io.savemat(path, arrays | {"tl": arrays["tl"] - 1})
    assert "that are not three of its 144 vertices each" in message(
        morphable_model.read, path
    )
    scipy.io.savemat(path, arrays)
    path.write_bytes(path.read_bytes()[:-100])
    assert message(morphable_model.read, path).startswith(f"{path} c")


def test_a_file_that_is_missing_or_of_another_kind(tmp_path):
    path = tmp_path / "faces.bin"
    assert message(morphable_model.read, path) == (
        f"{path} is missing: give the file of a morphable model."
    )
    assert message(morphable_model.read, tmp_path / "faces.obj") == (
        f"{tmp_path}/faces.obj is no morphable model that is known: give "
        "01_MorphableModel.mat or sfm_shape_3448.bin."
    )


@settings(max_examples=150)
@given(st.integers(0, 2_000), st.binary(max_size=12))
def test_any_damage_is_read_or_refused(tmp_path_factory, place, junk):
    path = tmp_path_factory.mktemp("damaged") / "model.bin"
    content = surrey(*dome(5))
    place %= len(content)
    path.write_bytes(content[:place] + junk + content[place + len(junk) + 1 :])
    found = str(path)
    try:
        morphable_model.read(path)
    except InfoGANError as error:
        found = str(error)
    assert found.startswith(str(path)) and "\n" not in found


def test_the_surrey_model_itself(real_data):
    path = real_data / "faces3d" / morphable_model.SURREY
    if not path.exists():
        pytest.skip(f"THE SURREY MODEL WAS NOT TESTED: {path} is not there")
    model = morphable_model.read(path)
    # Its published form: 3,448 vertices, 63 directions, the first with variance 56,502.
    assert (model.mean.size, model.coefficients) == (3 * 3448, 63)
    assert model.triangles.shape == (6736, 3)
    assert np.square(model.basis[:, 0]).sum() == pytest.approx(56502.4, rel=1e-4)
    image, _ = faces3d.render(model, faces3d.draw(model, 0, 0))
    assert 0.2 < (image > 0).mean() < 0.8


def test_a_renderer_that_is_killed_is_said(tmp_path, model_path, monkeypatch):
    def broken(*arguments):
        raise BrokenProcessPool("a process died")

    monkeypatch.setattr(concurrent.futures.ProcessPoolExecutor, "map", broken)
    found = message(faces3d.write, tmp_path / "faces3d.npz", model_path, count=600)
    assert found == (
        "A process that renders faces was killed, perhaps for want of memory: make room "
        "and run the same command again."
    )
    assert list(tmp_path.iterdir()) == [model_path]
