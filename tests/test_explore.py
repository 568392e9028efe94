"""The page: what it draws and reads, and a browser in which a slider is moved."""

import dataclasses
import shutil
import signal
import socket
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import infogan_tf
from infogan_tf.latents import Categorical, LatentSpace, Noise
from infogan_tf.serving.saved_model import SavedModel
from zoo import registry

explore = pytest.importorskip("infogan_tf.serving.explore", reason="Gradio is not here")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> SavedModel:
    built = infogan_tf.build(registry.find("tiny_infogan"))
    return SavedModel(infogan_tf.export(built, tmp_path_factory.mktemp("exports")))


def test_every_code_has_a_control(model):
    assert explore.controls(model) == [
        ("c1", True, 3), ("c2", False, None), ("c3", False, None), ("c4", True, 2),
    ]  # fmt: skip


def test_a_category_that_nothing_reads_has_as_many_values_as_the_model_takes(tmp_path):
    """A label of three: the page cannot know, and does not say ten."""
    spec = dataclasses.replace(
        registry.find("tiny_infogan"),
        method="conditional_gan",
        latents=LatentSpace(codes=(Categorical("label", 3),), noise=Noise(4)),
        recognition=(),
    ).with_training(labels=30)
    exported = infogan_tf.export(infogan_tf.build(spec), tmp_path)
    assert explore.controls(SavedModel(exported)) == [("label", True, None)]


def test_sixteen_noises_of_the_same_codes(model):
    codes = {"c1": 2, "c2": 0.5, "c3": -1.0, "c4": 1}
    picture = explore.draw(model, codes, seed=3)
    assert picture.dtype == np.uint8 and picture.shape[2] == 3
    scale = picture.shape[0] // 32
    rows = {name: [value] for name, value in codes.items()}
    for place in (0, 5, 15):
        row, column = divmod(place, 4)
        part = picture[8 * row * scale :: scale, 8 * column * scale :: scale][:8, :8, 0]
        one = model.call("sample", {**rows, "seed": [3 * 16 + place]})["images"][0, :, :, 0]
        np.testing.assert_allclose(part, 255 * one, atol=0.51)


def test_a_picture_is_read(model):
    picture = Image.new("RGB", (50, 30), "white")
    found = explore.read(model, picture)
    assert list(found) == ["c1", "c2", "c3", "c4"]
    assert sum(found["c1"].values()) == pytest.approx(1, abs=1e-5)
    assert found["c2"].keys() == {"mean", "stddev"}
    white = model.call("recognize", {"images": np.ones((1, 8, 8, 1))})
    clear = explore.read(model, Image.new("RGBA", (8, 8), (0, 0, 0, 0)))  # on white, too
    for read in (found, clear):
        assert read["c2"]["mean"] == pytest.approx(float(white["c2_mean"][0]), abs=1e-5)


def command(model, port):
    flags = (f"--export_dir={model.path}", f"--port={port}")
    return [sys.executable, "tools/explore.py", *flags]


@pytest.fixture
def process(model):
    """tools/explore.py, once it serves its page; with its `address`."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(command(model, port), **pipes) as process:
        line = process.stdout.readline()
        process.address = f"http://127.0.0.1:{port}"
        assert line == f"{process.address}  (Ctrl-C to end)\n"
        yield process
        process.kill()


@pytest.fixture
def listening_to_ctrl_c():
    """What a shell starts in the background ignores Ctrl-C, and so do its children."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_ends_it_quietly(listening_to_ctrl_c, process):
    process.send_signal(signal.SIGINT)
    said, error = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "") and "Traceback" not in error


def test_a_port_that_is_taken_is_said(model):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = subprocess.run(command(model, port), capture_output=True, text=True)
    assert found.returncode == 1 and "Traceback" not in found.stderr
    assert found.stderr.splitlines()[-1] == (
        f"Error: The page cannot be served at port {port}, which is taken or not yours: "
        "give another --port."
    )


def test_a_port_that_cannot_be_is_said(model):
    found = subprocess.run(command(model, 99999), capture_output=True, text=True)
    assert found.returncode == 1 and "Traceback" not in found.stderr
    said = "flag --port=99999: 99999 is not an integer in the range [1, 65535]"
    assert said in found.stderr


@pytest.mark.skipif(not shutil.which("chromium"), reason="NO BROWSER: chromium is not here")
def test_moving_a_slider_changes_the_picture(process):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not here")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(process.address)
        image = page.locator("img[src*=file]").first
        image.wait_for(timeout=60_000)
        before, pixels = image.get_attribute("src"), image.screenshot()
        slider = page.locator("input[type=range]").first
        slider.focus()
        for _ in range(30):
            slider.press("ArrowRight")
        page.wait_for_function(
            "before => document.querySelector('img[src*=file]').src != before",
            arg=before,
            timeout=60_000,
        )
        page.wait_for_timeout(1_000)
        assert image.screenshot() != pixels
        browser.close()
