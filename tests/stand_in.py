"""A stand-in for TF Serving, for where no real one can be had.

It loads an export by tag and signature as TF Serving does, replays its warm-up requests,
and answers over gRPC and REST with TF Serving's formats and codes. It is not TF Serving:
what it shows is that the clients and the export speak the protocol as published.
"""

import base64
import concurrent.futures
import contextlib
import http.server
import json
import pathlib
import threading
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    predict_pb2,
    prediction_log_pb2,
    prediction_service_pb2_grpc,
)

HTTP = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.INTERNAL: 500,
}


class RefusalError(Exception):
    """A status code and a sentence."""

    def __init__(self, code: grpc.StatusCode, sentence: str) -> None:
        super().__init__(sentence)
        self.code, self.sentence = code, sentence


class Servable:
    """One version of one model."""

    def __init__(self, version: pathlib.Path) -> None:
        self.name = version.parent.name
        self.version = int(version.name)
        self._loaded = tf.saved_model.load(str(version), tags=["serve"])
        described = saved_model_pb2.SavedModel()
        described.ParseFromString((version / "saved_model.pb").read_bytes())
        (graph,) = described.meta_graphs
        self.definitions = graph.signature_def
        self.requests = 0
        self.unavailable = 0  # how many more requests are answered UNAVAILABLE
        self.delay = 0.0
        self.replayed = self._warm_up(version)

    def _warm_up(self, version: pathlib.Path) -> int:
        path = version / "assets.extra" / "tf_serving_warmup_requests"
        records = list(tf.data.TFRecordDataset(str(path)))
        for record in records:
            log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
            request = log.predict_log.request
            tensors = {name: tf.make_ndarray(p) for name, p in request.inputs.items()}
            self.predict(
                request.model_spec.name, request.model_spec.signature_name, tensors
            )
        return len(records)

    def predict(
        self, name: str, signature: str, inputs: dict[str, Any], *, typed: bool = True
    ) -> dict[str, Any]:
        self.requests += 1
        if self.unavailable:
            self.unavailable -= 1
            raise RefusalError(grpc.StatusCode.UNAVAILABLE, "Servable is loading.")
        threading.Event().wait(self.delay)
        if name != self.name:
            raise RefusalError(
                grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Latest({name})"
            )
        signature = signature or "serving_default"
        if signature not in self._loaded.signatures:
            raise RefusalError(
                grpc.StatusCode.INVALID_ARGUMENT,
                f'Serving signature key "{signature}" not found.',
            )
        expected = self._loaded.signatures[signature].structured_input_signature[1]
        if expected.keys() != inputs.keys():
            raise RefusalError(
                grpc.StatusCode.INVALID_ARGUMENT,
                f"input size does not match signature: expected {sorted(expected)}, "
                f"received {sorted(inputs)}",
            )
        try:
            if not typed:  # JSON's numbers become what the signature says
                inputs = {
                    key: np.asarray(value, expected[key].dtype.as_numpy_dtype)
                    for key, value in inputs.items()
                }
            tensors = {key: tf.constant(value) for key, value in inputs.items()}
            found = self._loaded.signatures[signature](**tensors)
        except (tf.errors.InvalidArgumentError, TypeError, ValueError) as error:
            raise RefusalError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error
        return {key: value.numpy() for key, value in found.items()}

    def metadata(self) -> get_model_metadata_pb2.GetModelMetadataResponse:
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        response.model_spec.name = self.name
        response.model_spec.version.value = self.version
        definitions = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in self.definitions.items():
            definitions.signature_def[name].CopyFrom(definition)
        response.metadata["signature_def"].Pack(definitions)
        return response


class _Service(prediction_service_pb2_grpc.PredictionServiceServicer):
    def __init__(self, servable: Servable) -> None:
        self._servable = servable

    def Predict(self, request: Any, context: Any) -> Any:  # noqa: N802  gRPC's name
        spec = request.model_spec
        inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
        try:
            found = self._servable.predict(spec.name, spec.signature_name, inputs)
        except RefusalError as refusal:
            context.abort(refusal.code, refusal.sentence)
        response = predict_pb2.PredictResponse(model_spec=spec)
        for name, value in found.items():
            response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
        return response

    def GetModelMetadata(self, request: Any, context: Any) -> Any:  # noqa: N802
        if request.model_spec.name != self._servable.name:
            context.abort(
                grpc.StatusCode.NOT_FOUND,
                f"Servable not found for request: Latest({request.model_spec.name})",
            )
        return self._servable.metadata()


def _handler(servable: Servable) -> type:
    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *arguments: Any) -> None:
            pass

        def do_GET(self) -> None:
            base = f"/v1/models/{servable.name}"
            if self.path == f"{base}/metadata":
                message = json_format.MessageToDict(
                    servable.metadata(), preserving_proto_field_name=True
                )
                message["metadata"]["signature_def"].pop("@type")
                return self._answer(200, message)
            if self.path == base:
                state = {"version": str(servable.version), "state": "AVAILABLE"}
                return self._answer(200, {"model_version_status": [state]})
            return self._answer(404, {"error": f"Malformed request: GET {self.path}"})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            name = self.path.removeprefix("/v1/models/").removesuffix(":predict")
            try:
                answer = self._predict(name, json.loads(body))
            except RefusalError as refusal:
                return self._answer(HTTP[refusal.code], {"error": refusal.sentence})
            except (ValueError, KeyError, TypeError) as error:
                return self._answer(400, {"error": f"JSON Parse error: {error}"})
            return self._answer(200, answer)

        def _predict(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
            rows = "instances" in body
            if rows:
                names = body["instances"][0].keys()
                inputs = {key: [row[key] for row in body["instances"]] for key in names}
            else:
                inputs = body["inputs"]
            tensors = {key: _decoded(value) for key, value in inputs.items()}
            signature = body.get("signature_name", "")
            found = servable.predict(name, signature, tensors, typed=False)
            outputs = {key: _encoded(value) for key, value in found.items()}
            if rows:
                keys = list(outputs)
                predictions = [
                    dict(zip(keys, row, strict=True))
                    for row in zip(*outputs.values(), strict=True)
                ]
                if len(keys) == 1:
                    predictions = [row[keys[0]] for row in predictions]
                return {"predictions": predictions}
            return {
                "outputs": next(iter(outputs.values())) if len(outputs) == 1 else outputs
            }

        def _answer(self, code: int, message: dict[str, Any]) -> None:
            body = json.dumps(message).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler


def _decoded(value: Any) -> Any:
    if value and isinstance(value[0], dict):
        return [base64.b64decode(file["b64"]) for file in value]
    return value


def _encoded(value: np.ndarray) -> Any:
    if value.dtype == object:
        return [{"b64": base64.b64encode(file).decode()} for file in value]
    return value.tolist()


@contextlib.contextmanager
def serving(version: pathlib.Path) -> Iterator[tuple[Servable, str, str]]:
    """Serves an exported version; yields it and its gRPC and REST addresses."""
    servable = Servable(version)
    workers = concurrent.futures.ThreadPoolExecutor(4)
    server = grpc.server(workers)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(
        _Service(servable), server
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    rest = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(servable))
    threading.Thread(target=rest.serve_forever, daemon=True).start()
    try:
        yield servable, f"127.0.0.1:{port}", f"127.0.0.1:{rest.server_port}"
    finally:
        server.stop(0).wait()
        rest.shutdown()
        rest.server_close()
