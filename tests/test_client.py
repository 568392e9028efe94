"""The clients against a stand-in, and against a real server where there is one."""

import contextlib
import http.server
import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import numpy as np
import pytest
from PIL import Image

import infogan_tf
from infogan_tf.errors import InfoGANError
from infogan_tf.serving import client as clients
from infogan_tf.serving.client import (
    DeadlineExceededError,
    GrpcClient,
    InvalidInputError,
    NotFoundError,
    RestClient,
    ServerError,
    UnavailableError,
)
from infogan_tf.serving.saved_model import SavedModel
from zoo import registry

stand_in = pytest.importorskip("stand_in", reason="tensorflow-serving-api is not here")
CODES = {"c1": [0, 2, 1], "c2": [0.5, -1.0, 0.0], "c3": [0, 1, 0], "c4": [1, 0, 1]}
ROWS = {**CODES, "seed": [1, 2, 3]}


@pytest.fixture(scope="module")
def version(tmp_path_factory) -> pathlib.Path:
    model = infogan_tf.build(registry.find("tiny_infogan"))
    return infogan_tf.export(model, tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def local(version) -> SavedModel:
    return SavedModel(version.parent)


def real_server() -> str | None:
    """The command of a TF Serving that is installed here."""
    return os.environ.get("TENSORFLOW_MODEL_SERVER") or shutil.which(
        "tensorflow_model_server"
    )


@contextlib.contextmanager
def real(version):
    """Serves the model by TF Serving itself; yields the gRPC and REST addresses."""
    ports = []
    for _ in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            ports.append(free.getsockname()[1])
    command = [
        real_server(),
        f"--port={ports[0]}",
        f"--rest_api_port={ports[1]}",
        f"--model_name={version.parent.name}",
        f"--model_base_path={version.parent}",
    ]
    with subprocess.Popen(command) as process:
        try:
            url = f"http://127.0.0.1:{ports[1]}/v1/models/{version.parent.name}"
            for _ in range(100):
                with contextlib.suppress(OSError):
                    if "AVAILABLE" in urllib.request.urlopen(url).read().decode():
                        break
                time.sleep(0.2)
            yield f"127.0.0.1:{ports[0]}", f"127.0.0.1:{ports[1]}"
        finally:
            process.kill()


@pytest.fixture(scope="module", params=["stand-in", "TF Serving"])
def addresses(request, version):
    if request.param == "stand-in":
        with stand_in.serving(version) as (_, *both):
            yield both
        return
    if not real_server():
        pytest.skip(
            "NO TF SERVING HERE: set TENSORFLOW_MODEL_SERVER to the path of a "
            "tensorflow_model_server to test against the real one"
        )
    with real(version) as both:
        yield both


@pytest.fixture(params=[GrpcClient, RestClient])
def client(request, addresses):
    address = addresses[request.param is RestClient]
    return request.param(address, "tiny_infogan")


@pytest.fixture
def served(version):
    """A stand-in of its own, to break; with its two clients."""
    with stand_in.serving(version) as (servable, *both):
        pair = [
            kind(address, "tiny_infogan", timeout=5)
            for kind, address in zip((GrpcClient, RestClient), both, strict=True)
        ]
        yield servable, pair


def test_signatures_are_those_of_the_export(client, local):
    assert client.signatures == local.signatures
    assert client.signatures["sample"].inputs["c1"] == (np.int32, (-1,))
    assert client.signatures["recognize"].outputs["c1_probabilities"].shape == (-1, 3)


def test_every_signature_answers_as_the_export_does(client, local):
    image = local.call("sample", ROWS)["images"]
    inputs = {
        "generate": {**CODES, "noise": np.full((3, 4), 0.25)},
        "serving_default": {**CODES, "noise": np.full((3, 4), 0.25)},
        "sample": ROWS,
        "sample_png": ROWS,
        "sweep": {**ROWS, "code": [0, 1, 3]},
        "recognize": {"images": image},
        "recognize_png": local.call("sample_png", ROWS),
        "discriminate": {"images": image},
    }
    assert inputs.keys() == client.signatures.keys()
    for signature, given in inputs.items():
        found, expected = client.call(signature, given), local.call(signature, given)
        assert found.keys() == expected.keys()
        for name, value in expected.items():
            if value.dtype == object:
                assert found[name].tolist() == value.tolist()
            else:
                np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)


def test_many_rows_go_in_several_requests(served, local):
    servable, pair = served
    rows = {name: np.resize(values, 10) for name, values in ROWS.items()}
    for client in pair:
        client.batch_size = 4
        client.call("sample", ROWS)  # asks for the signatures
        before = servable.requests
        found = client.call("sample", rows)["images"]
        assert servable.requests - before == 3
        np.testing.assert_allclose(found, local.call("sample", rows)["images"], atol=1e-5)


def test_what_the_model_refuses_is_said_in_its_words(client):
    with pytest.raises(InvalidInputError, match=r"c1 takes whole numbers between 0 and 2"):
        client.call("sample", {**ROWS, "c1": [0, 7, 1]})


def test_a_loaded_model_says_nothing_of_its_graph(local):
    with pytest.raises(InvalidInputError) as error:
        local.call("sample", {**ROWS, "c1": [0, 7, 1]})
    assert str(error.value) == (
        "[Input c1 takes whole numbers between 0 and 2, and received] [7]"
    )


@pytest.mark.parametrize(
    ("signature", "inputs", "kind", "text"),
    [
        (
            "draw",
            ROWS,
            NotFoundError,
            'tiny_infogan has no signature "draw"; it has discriminate, generate, '
            "recognize, recognize_png, sample, sample_png, serving_default, sweep.",
        ),
        (
            "sample",
            CODES,
            InvalidInputError,
            "sample takes c1, c2, c3, c4, seed, and was given c1, c2, c3, c4.",
        ),
        (
            "sample",
            {**ROWS, "seed": [1]},
            InvalidInputError,
            "sample takes equally many rows of each input, and was given c1 (3,), c2 (3,), "
            "c3 (3,), c4 (3,), seed (1,).",
        ),
        (
            "discriminate",
            {"images": 0.5},
            InvalidInputError,
            "discriminate takes equally many rows of each input, and was given images ().",
        ),
    ],
)
def test_what_cannot_be_asked_is_not_sent(client, local, signature, inputs, kind, text):
    for model in (client, local):
        with pytest.raises(kind) as error:
            model.call(signature, inputs)
        assert str(error.value) == text


@pytest.mark.parametrize(
    ("signature", "name", "value", "text"),
    [
        (
            "sample",
            "c1",
            [0, 3.7, 1],
            "c1 takes an array of int32, and was given [0, 3.7, 1]",
        ),
        (
            "sample",
            "c1",
            [2**31] * 3,
            f"c1 takes an array of int32, and was given {[2**31] * 3}",
        ),
        ("sample", "c1", [2**70], f"c1 takes an array of int32, and was given [{2**70}]"),
        ("sample", "c1", ["x"], "c1 takes an array of int32, and was given ['x']"),
        ("sample", "c1", ["1"], "c1 takes an array of int32, and was given ['1']"),
        ("sample", "c1", [float("nan")], "c1 takes an array of int32, and was given [nan]"),
        (
            "sample",
            "c1",
            [[0], [1, 2]],
            "c1 takes an array of int32, and was given [[0], [1, 2]]",
        ),
        ("sample", "c2", [1e300], "c2 takes an array of float32, and was given [1e+300]"),
        ("sample", "c2", [None], "c2 takes an array of float32, and was given [None]"),
        (
            "recognize_png",
            "image_bytes",
            ["a.png"],
            "image_bytes takes files as bytes, and was given ['a.png']",
        ),
    ],
)
def test_no_input_is_changed_on_its_way(client, local, signature, name, value, text):
    given = {**ROWS, name: value} if signature == "sample" else {name: value}
    for model in (client, local):
        with pytest.raises(InvalidInputError) as error:
            model.call(signature, given)
        assert str(error.value) == f"Input {text}."


def test_the_same_number_of_another_type_is_taken(client, local):
    """Whole floats, wide integers, booleans, and fractions that float32 rounds."""
    same = {
        "c1": np.float64(ROWS["c1"]),
        "c2": np.float64([0.1, -1 / 3, 1e-50]),
        "c3": [False, True, False],
        "c4": np.uint64(ROWS["c4"]),
        "seed": np.int64(ROWS["seed"]),
    }
    expected = local.call("sample", {**ROWS, "c2": np.float32(same["c2"])})["images"]
    for model in (client, local):
        found = model.call("sample", same)["images"]
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_an_unknown_model_is_not_found(addresses):
    for kind, address in zip((GrpcClient, RestClient), addresses, strict=True):
        with pytest.raises(NotFoundError):
            kind(address, "no_infogan").call("sample", ROWS)


def test_only_an_unavailable_server_is_asked_again(served):
    servable, pair = served
    for client in pair:
        client.call("sample", ROWS)
        before, servable.unavailable = servable.requests, 2
        client.call("sample", ROWS)
        assert servable.requests - before == 3
        before, servable.unavailable = servable.requests, 9
        with pytest.raises(UnavailableError, match="Servable is loading"):
            client.call("sample", ROWS)
        assert servable.requests - before == 1 + client.retries
        before, servable.unavailable = servable.requests, 0
        with pytest.raises(InvalidInputError):
            client.call("sample", {**ROWS, "c1": [0, 7, 1]})
        assert servable.requests - before == 1


def test_rest_has_no_infinite_numbers(addresses):
    with pytest.raises(InvalidInputError) as error:
        RestClient(addresses[1], "tiny_infogan").call(
            "sample", {**ROWS, "c2": [0, float("inf"), 0]}
        )
    assert str(error.value) == (
        "REST sends JSON, which has finite numbers only, and was given others."
    )


def test_a_slow_server_is_not_waited_for(served):
    servable, pair = served
    for client in pair:
        client.call("sample", ROWS)
        client.timeout, servable.delay = 0.2, 1.0
        with pytest.raises(DeadlineExceededError):
            client.call("sample", ROWS)
        servable.delay = 0.0


def test_no_server_is_said():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with pytest.raises(UnavailableError) as error:
        RestClient(address, "tiny_infogan", retries=1).call("sample", ROWS)
    assert str(error.value) == (
        f"No server answers at {address}: start one, or give another address."
    )
    with pytest.raises(UnavailableError):
        GrpcClient(address, "tiny_infogan", retries=0).call("sample", ROWS)


@pytest.mark.parametrize("address", ["", "localhost:99999", "localhost:abc", "x" * 70])
def test_an_address_that_cannot_be_is_said(address):
    with pytest.raises(ServerError) as error:
        clients.connect(f"http://{address}", "tiny_infogan").call("sample", ROWS)
    assert str(error.value).startswith(f'"{address}" cannot be asked (')
    assert str(error.value).endswith("): give host:port of a server.")


@contextlib.contextmanager
def answering(body):
    """Answers everything with 200 and `body`; yields the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body.encode())

        do_POST = do_GET  # noqa: N815  the standard library's name

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def described(dtype):
    """The metadata of a model whose one signature takes and returns `dtype`."""
    tensor = {"dtype": dtype, "tensor_shape": {"dim": [{"size": "-1"}]}}
    one = {"inputs": {"images": tensor}, "outputs": {"logits": tensor}}
    return json.dumps({"metadata": {"signature_def": {"signature_def": {"d": one}}}})


NOT_OURS = (
    "{} answers, but not as TF Serving does for an export of ours ({}): give the address "
    "of a server, and the name of a model there that tools/export.py wrote."
)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (
            "<html></html>",
            "JSONDecodeError('Expecting value: line 1 column 1 (char 0)')",
        ),
        ("{}", "KeyError('metadata')"),
        ("[]", "TypeError('list indices must be integers or slices, not str')"),
        (described("DT_DOUBLE"), "KeyError('DT_DOUBLE')"),
    ],
)
def test_what_is_no_model_of_ours_is_said(body, reason):
    with answering(body) as address, pytest.raises(ServerError) as error:
        RestClient(address, "tiny_infogan").call("discriminate", {"images": [0.5]})
    assert str(error.value) == NOT_OURS.format(address, reason)


@pytest.mark.parametrize(
    ("outputs", "reason"),
    [
        ({}, "KeyError('outputs')"),
        ({"outputs": 1}, "ValueError('zero-dimensional arrays cannot be concatenated')"),
        ({"outputs": ["x"]}, "ValueError(\"could not convert string to float: 'x'\")"),
    ],
)
def test_outputs_that_are_none_are_said(outputs, reason):
    with answering(described("DT_FLOAT")) as address:
        client = RestClient(address, "tiny_infogan")
        assert list(client.signatures) == ["d"]
    with (
        answering(json.dumps(outputs)) as client.address,
        pytest.raises(ServerError) as error,
    ):
        client.call("d", {"images": [0.5]})
    assert str(error.value) == NOT_OURS.format(client.address, reason)


def test_the_address_says_which_protocol():
    rest, grpc = (clients.connect(f"{kind}://h:1", "m") for kind in ("http", "grpc"))
    assert (type(rest), rest.address) == (RestClient, "h:1")
    assert (type(grpc), grpc.address) == (GrpcClient, "h:1")


def test_the_stand_in_replays_the_warm_up_and_answers_rows(version):
    with stand_in.serving(version) as (servable, _, rest):
        assert (
            servable.replayed == len(servable.definitions) - 2
        )  # the init op, the default
        # the README's curl line, by row
        rows = [{name: values[row] for name, values in ROWS.items()} for row in range(2)]
        body = json.dumps({"signature_name": "sample", "instances": rows}).encode()
        url = f"http://{rest}/v1/models/tiny_infogan:predict"
        answer = json.load(urllib.request.urlopen(urllib.request.Request(url, body)))
        assert np.shape(answer["predictions"]) == (2, 8, 8, 1)


def tool(name, *flags):
    command = [sys.executable, f"tools/{name}.py", *flags]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def test_query_server_draws_a_sweep_without_tensorflow(served, tmp_path):
    _, (_, rest) = served
    script = (
        "import runpy, sys; sys.modules['tensorflow'] = sys.modules['keras'] = None; "
        "sys.path.insert(0, 'tools'); sys.argv = ['query_server.py', *sys.argv[1:]]; "
        "runpy.run_path('tools/query_server.py', run_name='__main__')"
    )
    picture = tmp_path / "sweep.png"
    flags = (f"--server=http://{rest.address}", "--model=tiny_infogan", "--code=1")
    command = [sys.executable, "-c", script, *flags, f"--output={picture}"]
    subprocess.run(command, check=True, timeout=120)
    with Image.open(picture) as found:
        assert found.width > 10 * 56 and found.height > 10 * 56


def test_query_server_says_that_there_is_no_address():
    found = tool("query_server", "--server=", "--model=m")
    assert (found.returncode, found.stdout) == (1, "")
    assert found.stderr == (
        "Error: \"\" cannot be asked (Invalid URL 'http:///v1/models/m/metadata': No host "
        "supplied): give host:port of a server.\n"
    )


def test_query_server_says_what_is_wrong(tmp_path):
    found = tool("query_server", "--server=http://127.0.0.1:9", "--model=m")
    assert found.returncode == 1
    assert found.stderr == (
        "Error: No server answers at 127.0.0.1:9: start one, or give another address.\n"
    )


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        ((), "Give one of --export_dir=DIR and --server=ADDRESS."),
        (("--server=http://h:1",), "--server needs --model=NAME, the model's name there."),
    ],
)
def test_explore_says_what_is_missing(flags, text):
    found = tool("explore", *flags)
    assert (found.returncode, found.stderr) == (1, f"Error: {text}\n")


def test_no_export_is_said(tmp_path):
    with pytest.raises(InfoGANError) as error:
        SavedModel(tmp_path)
    assert str(error.value) == (
        f"{tmp_path} holds no exported model: give the folder that tools/export.py "
        "printed, or the one above it."
    )
