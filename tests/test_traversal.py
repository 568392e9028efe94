"""Sweeps change one code and nothing else; pictures show them pixel for pixel."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import infogan_tf
from infogan_tf.errors import InfoGANError
from infogan_tf.grid import Grid
from infogan_tf.latents import Categorical, LatentSpace, Noise, Uniform
from infogan_tf.traversal import grids, noise_grid, real_grid, sweep

VALUES = [-2 + 4 * step / 9 for step in range(10)]  # twice U(-1, 1), and 2 x N(0, 1)
CAPTIONS = ("-2", "-1.6", "-1.1", "-0.7", "-0.2", "0.2", "0.7", "1.1", "1.6", "2")


def lively(spec):
    """A model whose every input shows in every image: its weights are waves."""
    model = infogan_tf.build(spec)
    for phase, variable in enumerate(model.generator.trainable_variables):
        wave = np.sin(1.7 * np.arange(np.prod(variable.shape)) + phase)
        variable.assign(wave.reshape(variable.shape))
    return model


@pytest.fixture(scope="module")
def model(tiny_spec):
    return lively(tiny_spec)


def images_by_hand(model, rows, *, seed):
    """[rows, columns, 8, 8, 1]: what the model makes of each dict of values in turn.

    A dict says what is set in the draw of the row; "noise row" says which draw.
    """
    draw = model.latents.sample(10, tf.constant([seed, 2]))
    images = []
    for row in rows:
        for values in row:
            place = values["row"]
            latents = {name: value[place : place + 1] for name, value in draw.items()}
            for name in values.keys() - {"row"}:
                latents[name] = tf.constant([values[name]], latents[name].dtype)
            images.append(model.generate_images(latents).numpy())
    return np.reshape(images, (len(rows), len(rows[0]), 8, 8, 1))


def assert_all_differ(images):
    flat = images.reshape(len(images), -1)
    apart = np.abs(flat[:, None] - flat[None]).max(-1)
    assert apart[~np.eye(len(flat), dtype=bool)].min() > 1e-3


# --- sweeps ----------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["c2", "c3"])
def test_a_continuous_code_has_a_row_for_each_category(model, code):
    found = sweep(model, code, seed=3)
    by_hand = [
        [{"row": 0, "c1": category, code: value} for value in VALUES]
        for category in range(3)
    ]
    expected = images_by_hand(model, by_hand, seed=3)
    np.testing.assert_allclose(found.images, expected, atol=1e-5)
    assert_all_differ(found.images.reshape(30, 8, 8, 1))
    assert found.title == f"tiny_infogan, step 0: {code} changes"
    assert found.row_captions == ("c1 = 0", "c1 = 1", "c1 = 2")
    assert found.column_captions == CAPTIONS


@pytest.mark.parametrize(("code", "values"), [("c1", 3), ("c4", 2)])
def test_a_discrete_code_has_a_column_for_each_value(model, code, values):
    found = sweep(model, code, seed=3)
    by_hand = [[{"row": row, code: value} for value in range(values)] for row in range(10)]
    expected = images_by_hand(model, by_hand, seed=3)
    np.testing.assert_allclose(found.images, expected, atol=1e-5)
    assert_all_differ(found.images.reshape(10 * values, 8, 8, 1))
    assert found.row_captions == tuple(f"noise {row}" for row in range(1, 11))
    assert found.column_captions == ("0", "1", "2")[:values]


def test_without_a_discrete_code_rows_are_noises(tiny_spec):
    space = LatentSpace((Uniform("c2"),), Noise(4))
    model = lively(dataclasses.replace(tiny_spec, latents=space))
    found = sweep(model, "c2")
    by_hand = [[{"row": row, "c2": value} for value in VALUES] for row in range(10)]
    np.testing.assert_allclose(
        found.images, images_by_hand(model, by_hand, seed=0), atol=1e-5
    )
    assert found.row_captions[0] == "noise 1"


def test_a_category_may_come_after_the_swept_code(tiny_spec):
    space = LatentSpace((Uniform("angle"), Categorical("digit", 2)), Noise(4))
    found = sweep(lively(dataclasses.replace(tiny_spec, latents=space)), "angle")
    assert found.images.shape == (2, 10, 8, 8, 1)
    assert found.row_captions == ("digit = 0", "digit = 1")


def test_a_sweep_is_a_function_of_the_seed(model):
    one, again, other = (sweep(model, "c2", seed=seed).images for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert np.abs(one - other).max() > 0.01


def test_a_code_that_is_not_there(model):
    with pytest.raises(InfoGANError) as error:
        sweep(model, "c9")
    assert str(error.value) == 'There is no latent code "c9"; there are c1, c2, c3, c4.'


def test_every_code_and_the_samples_have_a_grid(model):
    found = grids(model, seed=5)
    assert list(found) == ["c1", "c2", "c3", "c4", "samples"]
    for code in ("c1", "c2", "c3", "c4"):
        expected = sweep(model, code, seed=5)
        np.testing.assert_array_equal(found[code].images, expected.images)
    samples = noise_grid(model, seed=5)
    np.testing.assert_array_equal(found["samples"].images, samples.images)
    assert samples.images.shape == (10, 10, 8, 8, 1)
    assert samples.title == "tiny_infogan, step 0: samples"
    assert_all_differ(samples.images.reshape(100, 8, 8, 1))


@pytest.mark.parametrize(("count", "rows"), [(1_215, 10), (100, 10), (25, 2), (9, 0)])
def test_the_first_real_images(count, rows):
    images = np.random.default_rng(0).integers(0, 256, (count, 4, 4, 3), np.uint8)
    grid = real_grid(images, "drawn shapes")
    assert grid.title == "real images: drawn shapes"
    assert grid.images.shape == (rows, 10, 4, 4, 3)
    assert grid.images.dtype == np.float32
    for place in range(10 * rows):
        shown = grid.images[place // 10, place % 10]
        np.testing.assert_allclose(shown * 255, images[place], atol=1e-4)
    assert grid.draw().dtype == np.uint8


# --- pictures --------------------------------------------------------------------------


def grid_of_bytes(channels, **captions):
    """2 x 3 pictures, 3 high and 5 wide, and their bytes."""
    pixels = np.random.default_rng(0).integers(0, 250, (2, 3, 3, 5, channels))
    return Grid("t", (pixels / 255).astype(np.float32), **captions), pixels


WITH = {"row_captions": ("one", "a long caption"), "column_captions": ("a", "b", "c")}


def enlargement(sheet, grid):
    """How wide a pixel is drawn; without captions a picture is 24 + cells + 6 high."""
    rows, _, height, *_ = grid.images.shape
    scale, rest = divmod((sheet.shape[0] - 24 - 6) // rows - 2, height)
    assert rest == 0
    return scale


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("captions", [{}, WITH], ids=["plain", "captions"])
def test_every_pixel_is_in_its_place(channels, captions):
    plain, pixels = grid_of_bytes(channels)
    scale = enlargement(plain.draw(), plain)
    sheet = dataclasses.replace(plain, **captions).draw()
    assert sheet.dtype == np.uint8
    assert sheet.shape[2] == 3
    # Cells of 3 x 5 pixels stand 2 apart, and 6 more are free to the right and below.
    height, width = 3 * scale, 5 * scale
    top = sheet.shape[0] - 6 - 2 * (height + 2)
    left = sheet.shape[1] - 6 - 3 * (width + 2)
    if not captions:
        assert left == 8
    background = np.ones(sheet.shape[:2], bool)
    for row in range(2):
        for column in range(3):
            y, x = top + (height + 2) * row, left + (width + 2) * column
            cell = sheet[y : y + height, x : x + width]
            expected = np.kron(pixels[row, column], np.ones((scale, scale, 1)))
            np.testing.assert_array_equal(cell, np.broadcast_to(expected, cell.shape))
            background[y : y + height, x : x + width] = False
            above, beside = sheet[22:top, x : x + width], sheet[y : y + height, :left]
            assert (above < 128).any() == (beside < 128).any() == bool(captions)
    assert (sheet[:20] < 128).any()  # the title
    background[:top], background[:, :left] = False, False
    assert (sheet[background] == 255).all()
    assert (sheet[[0, -1]] == 255).all()


def test_pixels_outside_the_range_are_cut():
    images = np.array([-0.5, 0.0, 0.5, 1.0, 1.5], np.float32).reshape(1, 5, 1, 1, 1)
    grid = Grid("t", images)
    sheet = grid.draw()
    scale = enlargement(sheet, grid)
    shown = sheet[24 + scale // 2, 8 + scale // 2 :: scale + 2, 1][:5]
    assert shown.tolist() == [0, 0, 128, 255, 255]  # 127.5 goes to the even number


def test_small_pictures_are_made_larger_and_large_ones_stay():
    scales = {}
    for side in (1, 8, 28, 32, 64, 96):
        grid = Grid("t", np.zeros((2, 1, side, side, 3), np.float32))
        scales[side] = enlargement(grid.draw(), grid)
    assert scales[64] == scales[96] == 1
    assert scales[1] > scales[8] > scales[28] >= scales[32] >= 1


def test_a_long_title_fits():
    images = np.zeros((1, 1, 8, 8, 1), np.float32)
    short, long = (Grid("t" * count, images).draw() for count in (1, 60))
    assert long.shape[1] > short.shape[1]
    assert (long[:, -4:] == 255).all()


def test_a_png_is_what_was_drawn(tmp_path):
    grid, _ = grid_of_bytes(3, **WITH)
    path = tmp_path / "new" / "folder" / "c1.png"
    assert grid.write_png(path) == path
    assert grid.write_png(str(path)) == path  # again, over the first
    np.testing.assert_array_equal(np.asarray(Image.open(path)), grid.draw())
    assert [entry.name for entry in path.parent.iterdir()] == ["c1.png"]


@pytest.mark.parametrize("place", ["file/c1.png", "file/folder/c1.png", "folder"])
def test_a_png_that_cannot_be_written_leaves_nothing(tmp_path, place):
    (tmp_path / "file").write_text("a regular file")
    (tmp_path / "folder" / "inside").mkdir(parents=True)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InfoGANError) as error:
        grid_of_bytes(1)[0].write_png(tmp_path / place)
    assert str(error.value).startswith(f"{tmp_path / place} cannot be written: ")
    assert sorted(tmp_path.rglob("*")) == before
    assert (tmp_path / "file").read_text() == "a regular file"
