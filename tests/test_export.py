"""The SavedModel contract, on a tiny model with one code of each kind."""

import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tensorflow.core.protobuf import saved_model_pb2

import infogan_tf
from infogan_tf.blocks import Convolution, Dense, Reshape, UpConvolution
from infogan_tf.errors import InfoGANError
from infogan_tf.latents import Bernoulli, Categorical, LatentSpace, Noise, Uniform
from infogan_tf.models import build
from infogan_tf.serving.export import SWEEP_STEPS, export
from infogan_tf.serving.model_card import model_card
from infogan_tf.spec import DataSpec, ModelSpec

CODES = (Categorical("digit", 5), Uniform("slant"), Bernoulli("bold"))
KEPT = {  # one row for each code, to be swept in turn
    "digit": np.array([3, 0, 4], np.int32),
    "slant": np.array([-0.5, 2.5, 0.0], np.float32),
    "bold": np.array([1, 0, 1], np.int32),
}
SEEDS = np.array([7, -2, 2**31 - 1], np.int32)
PLACES = np.array([0, 1, 2], np.int32)
NOISE = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
IMAGES = 0.5 + 0.5 * np.sin(np.arange(192, dtype=np.float32) ** 2).reshape(3, 8, 8, 1)
FILES = np.array([tf.io.encode_png(np.uint8(np.rint(255 * x))).numpy() for x in IMAGES])
INPUTS = {
    "serving_default": KEPT | {"noise": NOISE},
    "generate": KEPT | {"noise": NOISE},
    "sample": KEPT | {"seed": SEEDS},
    "sweep": KEPT | {"seed": SEEDS, "code": PLACES},
    "recognize": {"images": IMAGES},
    "discriminate": {"images": IMAGES},
    "sample_png": KEPT | {"seed": SEEDS},
    "recognize_png": {"image_bytes": FILES},
}
STRANGER = """
import pathlib, sys
sys.modules["keras"] = sys.modules["tf_keras"] = sys.modules["infogan_tf"] = None
import numpy as np
import tensorflow as tf

model, inputs, outputs = sys.argv[1:]
signatures = tf.saved_model.load(model).signatures
results = {}
for name, array in np.load(inputs).items():
    results.setdefault(name.split("/")[0], {})[name.split("/")[1]] = tf.constant(array)
np.savez(outputs, **{
    f"{signature}/{name}": tensor
    for signature, tensors in results.items()
    for name, tensor in signatures[signature](**tensors).items()
})
"""


def tiny_model(method="infogan", codes=CODES):
    """8 x 8 x 1 images; weights are waves, so that every input tells in the outputs."""
    spec = ModelSpec(
        name=f"tiny_{method}",
        description="for tests",
        method=method,
        data=DataSpec("synthetic", (8, 8, 1)),
        latents=LatentSpace(codes, Noise(4)),
        generator=(
            Dense(2 * 2 * 64, activation="relu"),
            Reshape(2, 2, 64),
            UpConvolution(32, activation="relu"),
            UpConvolution(1, activation="tanh", batch_norm=False),
        ),
        trunk=(
            Convolution(32, activation="leaky_relu", batch_norm=False),
            Convolution(64, activation="leaky_relu"),
            Dense(512, activation="leaky_relu"),
        ),
        recognition=(Dense(64, activation="leaky_relu"),),
    )
    model = build(spec)
    for phase, variable in enumerate(inference_variables(model)):
        size = np.prod(variable.shape)
        wave = np.sin(np.arange(size) * 1.7 + phase).reshape(variable.shape)
        one_channel = variable.name in ("gamma", "moving_variance")
        fan_in = np.prod(variable.shape[:-1]) if len(variable.shape) > 1 else 4
        variable.assign(1.5 + wave if one_channel else wave * np.sqrt(2 / fan_in))
    return model


def inference_variables(model):
    parts = ("generator", "trunk", "discriminator", "recognition", "recognition_output")
    return [
        v for part in parts for v in getattr(getattr(model, part, None), "variables", [])
    ]


@pytest.fixture(scope="module")
def model():
    return tiny_model()


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory) -> pathlib.Path:
    return export(model, tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def call(exported):
    signatures = tf.saved_model.load(exported).signatures

    def call_signature(signature, inputs):
        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        outputs = signatures[signature](**tensors)
        return {name: value.numpy() for name, value in outputs.items()}

    return call_signature


def expected_outputs(model):
    """What the Keras model itself says to INPUTS, the sweep one image at a time."""
    noise = np.concatenate([model.latents.noise.sample(1, [seed, 0]) for seed in SEEDS])
    generated = model.generate_images(KEPT | {"noise": NOISE})
    sweeps = []
    for row, swept in enumerate(CODES):
        latents = {name: np.repeat(values[row], 10) for name, values in KEPT.items()}
        values = list(swept.sweep_values(10))
        latents[swept.name] = np.array(values + values[-1:] * (10 - len(values)))
        latents["noise"] = np.repeat(noise[row : row + 1], 10, axis=0)
        sweeps.append(model.generate_images(latents))
    posterior = model.recognize_images(IMAGES)
    return {
        "serving_default/images": generated,
        "generate/images": generated,
        "sample/images": model.generate_images(KEPT | {"noise": noise}),
        "sweep/images": np.stack(sweeps),
        "recognize/digit_probabilities": posterior["digit"]["probabilities"],
        "recognize/slant_mean": posterior["slant"]["mean"],
        "recognize/slant_stddev": posterior["slant"]["stddev"],
        "recognize/bold_probabilities": posterior["bold"]["probabilities"],
        "discriminate/logits": model.discriminate(IMAGES),
    }


def test_a_process_without_keras_and_this_project_answers_the_same(
    model, exported, tmp_path
):
    flat = {
        f"{signature}/{name}": value
        for signature, inputs in INPUTS.items()
        if not signature.endswith("_png")
        for name, value in inputs.items()
    }
    np.savez(tmp_path / "inputs.npz", **flat)
    subprocess.run(
        [sys.executable, "-I", "-c", STRANGER, exported, "inputs.npz", "outputs.npz"],
        cwd=tmp_path,
        check=True,
        timeout=120,
    )
    outputs, expected = np.load(tmp_path / "outputs.npz"), expected_outputs(model)
    assert set(outputs) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(outputs[name], value, atol=1e-5, err_msg=name)
        assert np.ptp(value, axis=0).max() > 1e-2, f"{name} hardly varies between rows"


@pytest.fixture(scope="module")
def c_program(tmp_path_factory) -> pathlib.Path:
    """tests/load.c, built against the TensorFlow that is installed."""
    if not shutil.which("gcc"):
        pytest.skip("NO C COMPILER: gcc is not here")
    program = tmp_path_factory.mktemp("c") / "load"
    package = pathlib.Path(tf.__file__).parent
    libraries = [f"-l:{name.name}" for name in package.glob("libtensorflow*.so.2")]
    subprocess.run(
        [
            *("gcc", "-O1", "-Wall", "-Werror", "tests/load.c", "-o", program),
            *(f"-I{package}/include", f"-L{package}", f"-Wl,-rpath,{package}"),
            *libraries,
        ],
        check=True,
    )
    return program


def run_in_c(program, exported, signature, output, inputs, folder):
    """One output's float32 numbers, or the CompletedProcess where it failed."""
    described = saved_model_pb2.SavedModel()
    described.ParseFromString((exported / "saved_model.pb").read_bytes())
    definition = described.meta_graphs[0].signature_def[signature]
    words = []
    for name, value in inputs.items():
        array = np.asarray(value)
        kind = "int32" if array.dtype.kind == "i" else "float"
        array = array.astype(np.int32 if kind == "int32" else np.float32)
        (folder / name).write_bytes(array.tobytes())
        dims = "x".join(map(str, array.shape))
        words += [definition.inputs[name].name, kind, dims, folder / name]
    command = [program, exported, definition.outputs[output].name, *words]
    done = subprocess.run(command, capture_output=True, timeout=120)
    return done if done.returncode else np.frombuffer(done.stdout, np.float32)


def test_a_c_program_loads_it_as_tf_serving_does(model, exported, c_program, tmp_path):
    expected = expected_outputs(model)
    for path in ("generate/images", "sample/images", "recognize/slant_mean"):
        signature, output = path.split("/")
        inputs = INPUTS[signature]
        found = run_in_c(c_program, exported, signature, output, inputs, tmp_path)
        np.testing.assert_allclose(found, np.ravel(expected[path]), atol=1e-5, err_msg=path)


def test_the_c_program_is_refused_by_name(exported, c_program, tmp_path):
    inputs = {**INPUTS["generate"], "digit": np.full_like(INPUTS["generate"]["digit"], 99)}
    done = run_in_c(c_program, exported, "generate", "images", inputs, tmp_path)
    assert done.returncode == 1
    said = done.stderr.decode()
    assert re.search(r"^3: ", said, re.MULTILINE)  # INVALID_ARGUMENT
    assert "Input digit takes whole numbers between 0 and" in said


OPENVINO = """
import sys
sys.modules["tensorflow"] = sys.modules["keras"] = None
import numpy as np
import openvino
inputs = np.load(sys.argv[2])
precise = {"INFERENCE_PRECISION_HINT": "f32"}  # not the bfloat16 of CPUs that have it
model = openvino.Core().compile_model(sys.argv[1], "CPU", precise)
found = model({name: inputs[name] for name in inputs.files})
np.save(sys.argv[3], next(iter(found.values())))
"""


def test_openvino_generates_the_same_without_tensorflow(model, exported, tmp_path):
    pytest.importorskip("openvino", reason="OpenVINO is not here")
    np.savez(tmp_path / "inputs.npz", **INPUTS["serving_default"])
    subprocess.run(
        [sys.executable, "-c", OPENVINO, exported, "inputs.npz", "images.npy"],
        cwd=tmp_path,
        check=True,
        timeout=120,
    )
    found = np.load(tmp_path / "images.npy")
    np.testing.assert_allclose(
        found, expected_outputs(model)["serving_default/images"], atol=1e-5
    )


def test_images_are_float32_between_0_and_1(call):
    images = call("sweep", INPUTS["sweep"])["images"]
    assert images.dtype == np.float32
    assert images.shape == (3, SWEEP_STEPS, 8, 8, 1)
    assert 0 <= images.min() < 0.4
    assert 0.6 < images.max() <= 1


def test_seeds_draw_and_sweeps_start_from_what_sample_shows(call):
    same_codes = {name: np.repeat(value[:1], 3) for name, value in KEPT.items()}
    images = call("sample", same_codes | {"seed": SEEDS})["images"]
    assert np.ptp(images, axis=0).max() > 1e-2
    sample = call("sample", INPUTS["sample"])["images"]
    sweep = call("sweep", INPUTS["sweep"])["images"]
    np.testing.assert_allclose(sweep[0, KEPT["digit"][0]], sample[0], atol=1e-6)
    np.testing.assert_allclose(sweep[2, KEPT["bold"][2]], sample[2], atol=1e-6)


@pytest.mark.parametrize("signature", INPUTS)
def test_a_row_does_not_depend_on_its_batch_mates(call, signature):
    inputs = INPUTS[signature]
    together = call(signature, inputs)
    for row in range(3):
        alone = call(signature, {name: v[row : row + 1] for name, v in inputs.items()})
        for name, value in alone.items():
            if name == "image_bytes":
                assert value[0] == together[name][row]
            else:
                np.testing.assert_allclose(value[0], together[name][row], 1e-5, 1e-6)


@pytest.mark.parametrize("signature", INPUTS)
def test_an_empty_batch_gives_an_empty_answer(call, signature):
    inputs = INPUTS[signature]
    full, empty = (call(signature, {k: v[:n] for k, v in inputs.items()}) for n in (2, 0))
    assert {name: (0, *value.shape[1:]) for name, value in full.items()} == {
        name: value.shape for name, value in empty.items()
    }


def test_png_files_are_the_images(call):
    files = call("sample_png", INPUTS["sample_png"])["image_bytes"]
    images = call("sample", INPUTS["sample"])["images"]
    for file, image in zip(files, images, strict=True):
        pixels = np.asarray(Image.open(io.BytesIO(file)))
        np.testing.assert_array_equal(pixels, np.rint(255 * image[..., 0]))
    rounded = np.float32(np.rint(255 * IMAGES) / 255)
    expected = call("recognize", {"images": rounded})
    for name, value in call("recognize_png", INPUTS["recognize_png"]).items():
        np.testing.assert_allclose(value, expected[name], atol=1e-5)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        (b"GIF89a", "whole PNG files of 8 x 8 pixels, and received none, of bytes] [6]"),
        (b"", "and received none, of bytes] [0]"),
        (FILES[0][:40], "and received none, of bytes] [40]"),
        (FILES[0][:40] + FILES[0][-8:], "DecodePng"),
        (tf.io.encode_png(np.zeros([9, 8, 1], np.uint8)).numpy(), "received one of] [8 9]"),
    ],
)
def test_what_is_no_fitting_png_file_is_refused(call, file, sentence):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call("recognize_png", {"image_bytes": np.array([FILES[0], file], object)})
    assert sentence in str(caught.value)


def spoiled(inputs, name, value):
    """`inputs`, with `value` as the first number of the second row of one."""
    array = inputs[name].copy()
    array[1:2].flat[0] = value
    return {**inputs, name: array}


@pytest.mark.parametrize(
    ("signature", "name", "value", "possible"),
    [
        ("generate", "digit", 5, "whole numbers between 0 and 4"),
        ("serving_default", "digit", -1, "whole numbers between 0 and 4"),
        ("sample", "bold", 2, "whole numbers between 0 and 1"),
        ("sample", "slant", np.nan, "finite numbers"),
        ("sweep", "slant", -np.inf, "finite numbers"),
        ("generate", "noise", np.nan, "finite numbers"),
        ("sweep", "code", 3, "whole numbers between 0 and 2"),
        ("sweep", "code", -1, "whole numbers between 0 and 2"),
        ("recognize", "images", 1.5, "finite numbers between 0 and 1"),
        ("discriminate", "images", -0.5, "finite numbers between 0 and 1"),
        ("discriminate", "images", np.nan, "finite numbers between 0 and 1"),
    ],
)
def test_what_is_not_possible_is_refused_by_name(call, signature, name, value, possible):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call(signature, spoiled(INPUTS[signature], name, value))
    sentence = f"Input {name} takes {possible}, and received"
    assert f"[{sentence}] [{value}]" in str(caught.value)


@st.composite
def malformed(draw):
    """A signature and inputs that it has to refuse."""
    signature = draw(st.sampled_from(sorted(INPUTS)))
    inputs = dict(INPUTS[signature])
    name = draw(st.sampled_from(sorted(inputs)))
    array = inputs[name]
    kind = draw(
        st.sampled_from(["missing", "renamed", "type", "rank", "width", "rows", "value"])
    )
    if kind == "missing":
        del inputs[name]
    elif kind == "renamed":
        inputs[draw(st.text("abc_", min_size=9, max_size=12))] = inputs.pop(name)
    elif kind == "type":
        other = [np.float64, np.int64, np.bool_, "S"]
        inputs[name] = np.zeros(array.shape, draw(st.sampled_from(other)))
    elif kind == "rank":
        axis = draw(st.integers(0, array.ndim))
        inputs[name] = np.expand_dims(array, axis) if array.ndim > 1 else array[:, None]
    elif kind == "width" and array.ndim > 1:
        inputs[name] = np.repeat(array, draw(st.integers(2, 4)), axis=-1)
    elif kind == "rows" and len(inputs) > 1:
        inputs[name] = np.repeat(array, draw(st.integers(2, 3)), axis=0)
    elif array.dtype == object or array.dtype.kind == "S":
        broken = draw(st.binary(max_size=60) | st.builds(FILES[0].__getitem__, cuts()))
        inputs[name] = np.array([FILES[0], broken, FILES[2]], object)
    elif name == "seed":  # every number is a seed
        del inputs[name]
    else:
        bad = [-9, 99] if array.dtype.kind == "i" else [np.nan, np.inf, -np.inf]
        inputs = spoiled(inputs, name, draw(st.sampled_from(bad)))
    return signature, inputs


def cuts():
    """Slices that leave a part of a file."""
    return st.builds(slice, st.integers(0, len(FILES[0]) - 1))


@hypothesis.settings(max_examples=int(os.environ.get("MALFORMED_REQUESTS", "150")))
@given(request=malformed())
def test_a_malformed_request_is_refused_and_the_next_is_answered(call, expected, request):
    with pytest.raises((tf.errors.InvalidArgumentError, TypeError, ValueError)):
        call(*request)
    np.testing.assert_array_equal(
        call("generate", INPUTS["generate"])["images"], expected["images"]
    )


@pytest.fixture(scope="module")
def ask(exported):
    """Sends a signature and inputs to a stand-in for TF Serving, over gRPC."""
    stand_in = pytest.importorskip("stand_in", reason="no tensorflow-serving-api")
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    def asked(signature, inputs):
        request = predict_pb2.PredictRequest()
        request.model_spec.name = exported.parent.name
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        outputs = stub.Predict(request, timeout=60).outputs
        return {name: tf.make_ndarray(value) for name, value in outputs.items()}

    with (
        stand_in.serving(exported) as (_, address, _),
        stand_in.grpc.insecure_channel(address) as channel,
    ):
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        yield asked


@hypothesis.settings(max_examples=int(os.environ.get("MALFORMED_REQUESTS", "100")))
@given(request=malformed())
def test_a_stand_in_answers_a_malformed_request_with_an_error(ask, expected, request):
    grpc = pytest.importorskip("grpc")
    with pytest.raises(grpc.RpcError) as error:
        ask(*request)
    assert error.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    np.testing.assert_array_equal(
        ask("generate", INPUTS["generate"])["images"], expected["images"]
    )


@pytest.fixture(scope="module")
def expected(call):
    return call("generate", INPUTS["generate"])


def test_inputs_of_different_lengths_are_refused(call):
    with pytest.raises(tf.errors.InvalidArgumentError) as caught:
        call("sweep", INPUTS["sweep"] | {"slant": KEPT["slant"][:1]})
    names = "digit, slant, bold, seed, code"
    sentence = f"Inputs {names} take equally many rows, and received"
    assert f"[{sentence}] [3 1 3 3 3]" in str(caught.value)


def test_versions_grow(model, tmp_path):
    folder = tmp_path / "digits"
    assert export(model, tmp_path, name="digits") == folder / "1"
    (folder / "9").mkdir()
    assert export(model, str(tmp_path), name="digits") == folder / "10"
    assert sorted(os.listdir(folder)) == ["1", "10", "9"]
    assert export(model, tmp_path) == tmp_path / "tiny_infogan" / "1"


def test_a_version_appears_whole_and_never_over_another(model, tmp_path, monkeypatch):
    folder, rename = tmp_path / "tiny_infogan", os.rename

    def rename_late(source, target):
        (aside,) = set(os.listdir(folder)) - {"1"}
        assert aside.startswith(".export-")
        assert {"saved_model.pb", "variables"} <= set(os.listdir(source))
        if target.name == "1":  # somebody else has just finished
            target.mkdir()
            (target / "theirs").touch()
        rename(source, target)

    monkeypatch.setattr(os, "rename", rename_late)
    assert export(model, tmp_path) == folder / "2"
    assert sorted(os.listdir(folder)) == ["1", "2"]
    assert os.listdir(folder / "1") == ["theirs"]


@pytest.mark.parametrize(
    ("raised", "seen"),
    [
        (OSError(28, "No space left on device"), InfoGANError),
        (tf.errors.ResourceExhaustedError(None, None, "No space left"), InfoGANError),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_a_failed_export_leaves_nothing(model, tmp_path, monkeypatch, raised, seen):
    def fail(*_):
        raise raised

    monkeypatch.setattr(os, "rename", fail)
    with pytest.raises(seen) as caught:
        export(model, tmp_path / "new" / "folder")
    assert list(tmp_path.iterdir()) == []
    assert seen is KeyboardInterrupt or "No space left" in str(caught.value)


def test_a_directory_that_cannot_be_written_is_named(model, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InfoGANError) as caught:
        export(model, tmp_path / "file" / "exports")
    assert str(caught.value) == (
        f"The model cannot be written to {tmp_path}/file/exports/tiny_infogan (Not a "
        "directory): choose an export directory that you may write to and that has "
        "space left."
    )
    assert (tmp_path / "file").read_text() == "mine"


def test_every_variable_is_stored_once(model, exported):
    numbers = sum(np.prod(variable.shape) for variable in inference_variables(model))
    stored = (exported / "variables" / "variables.data-00000-of-00001").stat().st_size
    assert 4 * numbers <= stored <= 1.03 * 4 * numbers


def operations(graph_def):
    """The kinds of operation of a graph and of all functions that came with it."""
    nodes = [graph_def.node, *(f.node_def for f in graph_def.library.function)]
    return {node.op for part in nodes for node in part}


def test_only_standard_operations_and_no_random_ones_by_default(exported):
    signatures = tf.saved_model.load(exported).signatures
    used = {name: operations(f.graph.as_graph_def()) for name, f in signatures.items()}
    every = set().union(*used.values())
    assert all(hasattr(tf.raw_ops, operation) for operation in every)
    assert not [operation for operation in every if "PyFunc" in operation]
    random = {name: any("Random" in op for op in ops) for name, ops in used.items()}
    drawing = {name for name, drawn in random.items() if drawn}
    assert drawing == {"sample", "sample_png", "sweep"}
    assert any("Conv2D" in operation for operation in used["serving_default"])


def test_a_server_warms_up_with_a_request_for_each_signature(exported, call):
    logs = pytest.importorskip("tensorflow_serving.apis.prediction_log_pb2")
    file = exported / "assets.extra" / "tf_serving_warmup_requests"
    requests = [
        logs.PredictionLog.FromString(record.numpy()).predict_log.request
        for record in tf.data.TFRecordDataset(str(file))
    ]
    served = [request.model_spec.signature_name for request in requests]
    assert sorted(served) == sorted(set(INPUTS) - {"serving_default"})
    assert {request.model_spec.name for request in requests} == {"tiny_infogan"}
    for request in requests:
        inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
        for value in call(request.model_spec.signature_name, inputs).values():
            assert len(value) == 1


def test_without_the_servers_package_there_is_no_warm_up(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_serving", None)
    monkeypatch.setitem(sys.modules, "tensorflow_serving.apis", None)
    version = export(model, tmp_path)
    assert not (version / "assets.extra").exists()
    assert (version / "saved_model.pb").exists()


def test_the_card_says_what_codes_control(tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "metrics.json").unlink(missing_ok=True)
    card = model_card(run, step=20)
    assert card["metrics"] == {} and card["data"]["origin"] == "drawn shapes"
    assert card["data"]["licence"] == "none: drawn by infogan_tf"
    assert [code["controls"] for code in card["codes"]] == [{}] * 4
    scores = {"mi/c2": 1.5, "controls/c2/slant": -0.9, "controls/c3/width": 0.5}
    (run / "metrics.json").write_text(json.dumps({"step": 20} | scores))
    card = model_card(run, step=20)
    codes = {code["name"]: code["controls"] for code in card["codes"]}
    assert codes["c2"] == {"slant": -0.9, "nats": 1.5}
    assert codes["c3"] == {"width": 0.5}
    assert (card["step"], card["average"]) == (20, False)
    for other in ({"step": 40}, {"step": 20, "average": True}):  # nobody scored these
        card = model_card(run, **other)
        assert card["metrics"] == {}
        assert [code["controls"] for code in card["codes"]] == [{}] * 4


@pytest.mark.parametrize(
    ("origin", "licence"),
    [
        ("TFDS mnist/3.0.1", "CC BY-SA 3.0 (LeCun, Cortes)"),
        ("TFDS fashion_mnist/3.0.1", "not known"),
        (
            "the MNIST idx files in /home/me/fashion",
            "CC BY-SA 3.0 (LeCun, Cortes), where the files are MNIST's own",
        ),
        ("mine.npz in /home/me/pictures", "not known"),
        ("the pictures in /home/me/pictures", "not known"),
        (
            "faces3d.npz in /home/me/faces",
            "that of the morphable model it was rendered from",
        ),
        ("dSprites in /home/me/sprites", "zlib/libpng (Matthey et al. 2017)"),
        ("dSprites, redrawn (not the published pixels)", "none: drawn by infogan_tf"),
    ],
)
def test_the_card_has_the_licence_of_what_was_read(tiny_run, tmp_path, origin, licence):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    options = json.loads((run / "options.json").read_text())
    options["data"]["origin"] = origin
    (run / "options.json").write_text(json.dumps(options))
    card = model_card(run, step=20)
    assert card["data"]["licence"] == licence
    assert "/home" not in json.dumps(card)


def test_a_gan_without_codes_has_noise_and_a_seed(tmp_path):
    gan = tiny_model("gan", codes=())
    signatures = tf.saved_model.load(export(gan, tmp_path)).signatures
    named = {"serving_default", "generate", "sample", "sample_png", "discriminate"}
    assert set(signatures) == named
    images = signatures["serving_default"](noise=tf.constant(NOISE))["images"]
    expected = gan.generate_images({"noise": NOISE})
    np.testing.assert_allclose(images, expected, atol=1e-5)
    sampled = signatures["sample"](seed=tf.constant(SEEDS))["images"]
    assert sampled.shape == (3, 8, 8, 1)
    assert np.ptp(sampled, axis=0).max() > 1e-2


def test_a_code_of_many_values_shows_them_all(tmp_path):
    model = tiny_model(codes=(Categorical("kind", 12),))
    signatures = tf.saved_model.load(export(model, tmp_path)).signatures
    one = {"seed": tf.constant([1]), "kind": tf.constant([11])}
    sweep = signatures["sweep"](code=tf.constant([0]), **one)["images"]
    kinds = {"seed": tf.ones([12], tf.int32), "kind": tf.range(12)}
    samples = signatures["sample"](**kinds)["images"]
    np.testing.assert_allclose(sweep[0], samples, atol=1e-6)


def test_nobody_who_loads_it_is_warned(model, exported):
    """As of gradients that are not saved: a layer's own are for training alone."""
    code = "import sys, tensorflow as tf; tf.saved_model.load(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-c", code, exported],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"},
    )
    assert "gradient" not in done.stderr


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("saved_model.pb", b"", "there are 0 MetaGraphs in the SavedModel"),
        ("saved_model.pb", b"no model", "Cannot parse file"),
        ("variables/variables.index", b"", "file is too short to be an sstable"),
        ("variables/variables.data-00000-of-00001", b"", "Read less bytes than requested"),
    ],
)
def test_a_damaged_export_is_named(exported, tmp_path, file, content, reason):
    version = shutil.copytree(exported, tmp_path / "digits" / "1")
    (version / file).write_bytes(content)
    with pytest.raises(InfoGANError) as error:
        infogan_tf.load(version.parent)
    said = str(error.value)
    assert said.startswith(f"The model in {version} cannot be loaded (") and reason in said
    assert said.endswith(
        "): it is damaged, or was not written by tools/export.py; export it again."
    )


def test_load_takes_what_model_save_wrote(tiny_run, tmp_path):
    """In a process that has imported nothing else of ours: Keras alone knows no InfoGAN."""
    model = infogan_tf.load(tiny_run)
    file = tmp_path / "model.keras"
    model.save(file)
    script = (
        "import sys, infogan_tf\n"
        "model = infogan_tf.load(sys.argv[1])\n"
        "print(model.generate({'c1': 1}, count=2, seed=3).sum())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, file], capture_output=True, text=True, check=True
    )
    expected = model.generate({"c1": 1}, count=2, seed=3).sum()
    assert float(done.stdout) == pytest.approx(float(expected), rel=1e-5)
    with pytest.raises(infogan_tf.InfoGANError, match="has one generator: leave out"):
        infogan_tf.load(file, average=True)
    file.write_bytes(b"no archive")
    with pytest.raises(infogan_tf.InfoGANError, match="give a file that model"):
        infogan_tf.load(file)


def test_load_takes_a_run_or_an_export(tiny_run, tmp_path):
    """The same images from both; an empty folder is neither."""
    model = infogan_tf.load(tiny_run)
    version = infogan_tf.export(model, tmp_path)
    asked = {"c1": [1], "c2": [0.5], "c3": [0.0], "c4": [1], "seed": [7]}
    images = [
        infogan_tf.load(path).call("sample", asked)["images"]
        for path in (version, version.parent)
    ]
    np.testing.assert_array_equal(*images)
    codes = {"c1": 1, "c2": 0.5, "c3": 0.0, "c4": 1, "noise": np.zeros([1, 4])}
    row = {name: np.reshape(value, (1, -1)) for name, value in codes.items()}
    row |= {name: value[0] for name, value in row.items() if name != "noise"}
    served = infogan_tf.load(version).call("generate", row)["images"]
    np.testing.assert_allclose(served, model.generate(codes, count=1), atol=1e-5)
    with pytest.raises(infogan_tf.InfoGANError, match="is an export, which has one gener"):
        infogan_tf.load(version, average=True)
    (tmp_path / "empty").mkdir()
    with pytest.raises(infogan_tf.InfoGANError, match="is neither a run directory"):
        infogan_tf.load(tmp_path / "empty")
