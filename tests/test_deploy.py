"""The files that TF Serving is started with, read by its own definitions."""

import pathlib
import re

import pytest
from google.protobuf import text_format

from zoo import registry

DEPLOY = pathlib.Path(__file__).parent.parent / "deploy"


def test_models_are_named_and_placed_as_export_places_them():
    server = pytest.importorskip("tensorflow_serving.config.model_server_config_pb2")
    config = text_format.Parse(
        (DEPLOY / "models.config").read_text(), server.ModelServerConfig()
    )
    models = config.model_config_list.config
    assert models
    for model in models:
        assert model.name in registry.models()
        assert model.base_path == f"/models/{model.name}"
        assert model.model_platform == "tensorflow"


def test_batching_waits_no_longer_than_it_says():
    # The definition itself is in no Python package: key { value: whole number } a line.
    lines = (DEPLOY / "batching.config").read_text().splitlines()
    found = dict(
        re.fullmatch(r"(\w+) { value: (\d+) }", line).groups()
        for line in lines
        if not line.startswith("#")
    )
    assert found.keys() == {
        *("max_batch_size", "batch_timeout_micros"),
        *("max_enqueued_batches", "num_batch_threads"),
    }
    assert int(found["batch_timeout_micros"]) <= 5_000


def test_compose_mounts_what_it_names():
    text = (DEPLOY / "docker-compose.yml").read_text()
    for name in re.findall(r"/config/(\S+)", text):
        assert (DEPLOY / name).exists(), name
    assert ":/models:ro" in text and ".:/config:ro" in text
