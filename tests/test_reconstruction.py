"""Real images through their codes, and the figures of the paper."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import infogan_tf
from infogan_tf import figures, reconstruction
from infogan_tf.errors import InfoGANError


@pytest.fixture(scope="module")
def model(tiny_run):
    return infogan_tf.load(tiny_run)


@pytest.fixture(scope="module")
def drawn(model):
    """Four images whose codes and noise are known."""
    latents = model.latents.sample(4, tf.constant([7, 8]))
    codes = {name: value.numpy() for name, value in latents.items() if name != "noise"}
    return model.generate_images(latents).numpy(), codes


def test_the_nearest_noise_draws_the_image_again(model, drawn):
    images, codes = drawn
    noise = reconstruction.nearest_noise(model, images, codes)
    assert noise.shape == (4, 4)
    again = model.generate({**codes, "noise": noise}, count=4)
    chance = model.generate(codes, count=4, seed=1)

    def error(found):
        return np.mean((found - images) ** 2, axis=(1, 2, 3))

    # its own noise gives 0; the search comes near, and another draw does not
    assert np.all(error(again) < 0.1 * error(chance))


def test_the_search_is_a_function_of_the_seed(model, drawn):
    one, same = (reconstruction.nearest_noise(model, *drawn, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one, same)


def test_a_strip_shows_the_image_itself_again_and_changed(model, drawn):
    images = np.rint(255 * drawn[0]).astype(np.uint8)
    strips = reconstruction.strips(model, images)
    assert list(strips) == ["c1", "c2", "c3", "c4"]
    read = model.recognize(np.float32(images) / 255)["c1"]["probabilities"].argmax(1)
    for name, columns in (("c1", 3), ("c2", 10)):
        grid = strips[name]
        assert grid.images.shape == (4, 2 + columns, 8, 8, 1)
        np.testing.assert_allclose(grid.images[:, 0], np.float32(images) / 255)
        assert grid.column_captions[:2] == ("real", "again")
    assert strips["c1"].row_captions == tuple(f"c1 = {value}" for value in read)
    for row, value in enumerate(read):  # unchanged where the code is the one that was read
        pair = strips["c1"].images[row, [1, 2 + value]]
        np.testing.assert_allclose(pair[0], pair[1], atol=1e-6)


def test_a_gan_without_q_cannot_read():
    from zoo import registry

    gan = infogan_tf.build(registry.find("mnist_dcgan"))
    with pytest.raises(InfoGANError) as error:
        reconstruction.strips(gan, np.zeros((1, 28, 28, 1), np.uint8))
    assert str(error.value) == (
        "mnist_dcgan has no Q to read the codes of real images: use an InfoGAN."
    )


def test_figure_1_is_drawn_from_logs(tiny_run, tmp_path):
    """A curve in the first colour of matplotlib's cycle, two in the second as well."""
    seen = []
    for runs in ([tiny_run], [tiny_run, tiny_run]):
        path = figures.information_against_steps(runs, tmp_path / "figure_1.png")
        with Image.open(path) as drawn:
            pixels = np.asarray(drawn.convert("RGB")).reshape(-1, 3)
        blue, orange = [31, 119, 180], [255, 127, 14]
        seen.append(
            [(pixels == colour).all(axis=1).sum() > 20 for colour in (blue, orange)]
        )
    assert seen == [[True, False], [False, True]] or seen == [[True, False], [True, True]]


def test_a_run_without_a_log_has_no_figure_1(tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "train_log.jsonl").unlink()
    with pytest.raises(InfoGANError, match="has no log of its first 600 updates to draw"):
        figures.information_against_steps([run], tmp_path / "figure_1.png")


def test_what_figure_1_cannot_draw(tmp_path):
    with pytest.raises(InfoGANError, match="Figure 1 has a curve for each run: give"):
        figures.information_against_steps([], tmp_path / "figure_1.png")
    with pytest.raises(InfoGANError, match="is not a run directory"):
        figures.information_against_steps([tmp_path], tmp_path / "figure_1.png")
    assert not list(tmp_path.iterdir())


def test_figures_2_to_6_are_sweeps_side_by_side(tiny_run, tmp_path):
    panels = [f"{tiny_run}:c1", "", f"{tiny_run}:c2"]
    path = figures.sweeps_as_in_the_paper("2", panels, tmp_path / "figure_2.png")
    single = figures.sweeps_as_in_the_paper("4", panels[:1], tmp_path / "figure_4.png")
    with Image.open(path) as two, Image.open(single) as one:
        assert two.width > 1.5 * one.width and two.height >= one.height


@pytest.mark.parametrize(
    ("panels", "text"),
    [
        (
            [],
            "Figure 4 has 2 panels (rotation; width), and 0 were given: give "
            "--panel=RUN_DIR:CODE for each, in this order.",
        ),
        (
            [""],
            "Figure 4 has 2 panels (rotation; width), and 1 were given: give "
            "--panel=RUN_DIR:CODE for each, in this order.",
        ),
        (["run"], '--panel="run": it has to be RUN_DIR:CODE.'),
    ],
)
def test_a_panel_that_cannot_be_is_named(panels, text, tmp_path):
    with pytest.raises(InfoGANError) as error:
        figures.sweeps_as_in_the_paper("4", panels, tmp_path / "figure.png")
    assert str(error.value) == text
    assert not list(tmp_path.iterdir())
