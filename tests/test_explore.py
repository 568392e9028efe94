"""The page: what it draws and reads, and a browser in which a slider is moved."""

import shutil
import socket
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

import infogan_tf
from infogan_tf.serving.saved_model import SavedModel
from zoo import registry

explore = pytest.importorskip("infogan_tf.serving.explore", reason="Gradio is not here")


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> SavedModel:
    built = infogan_tf.build(registry.find("tiny_infogan"))
    return SavedModel(infogan_tf.export(built, tmp_path_factory.mktemp("exports")))


def test_every_code_has_a_control(model):
    assert explore.controls(model) == [("c1", 3), ("c2", None), ("c3", None), ("c4", 2)]


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
    assert found["c2"]["mean"] == pytest.approx(float(white["c2_mean"][0]), abs=1e-5)


@pytest.fixture
def address(model):
    """Where tools/explore.py serves its page."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    flags = (f"--export_dir={model.path}", f"--port={port}")
    command = [sys.executable, "tools/explore.py", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        line = process.stdout.readline()
        assert line.startswith(f"http://127.0.0.1:{port}"), line
        yield f"http://127.0.0.1:{port}"
        process.kill()


@pytest.mark.skipif(not shutil.which("chromium"), reason="NO BROWSER: chromium is not here")
def test_moving_a_slider_changes_the_picture(address):
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not here")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        page = browser.new_page()
        page.goto(address)
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
