"""Asks a TF Serving server: over REST, or over gRPC. Neither needs TensorFlow here.

    client = RestClient("localhost:8501", "mnist_infogan")
    client.call("sample", {"c1": [3, 4], "c2": [0, 0], "c3": [0, 0], "seed": [1, 2]})

gRPC's messages are those of the package tensorflow-serving-api, which imports TensorFlow.
"""

import abc
import base64
import contextlib
import reprlib
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import requests

from infogan_tf.errors import InfoGANError

DTYPES = {"DT_FLOAT": np.float32, "DT_INT32": np.int32, "DT_STRING": object}


class ServerError(InfoGANError):
    """The server answered with an error, or not at all."""


class InvalidInputError(ServerError):
    """INVALID_ARGUMENT: the server names what it received and what is possible."""


class NotFoundError(ServerError):
    """NOT_FOUND: no such model, version or signature."""


class UnavailableError(ServerError):
    """UNAVAILABLE: no server there, or one that is still loading; tried several times."""


class DeadlineExceededError(ServerError):
    """DEADLINE_EXCEEDED: no answer within the timeout."""


class Tensor(NamedTuple):
    """What an input or output is: its type and its shape, -1 for any number of rows."""

    dtype: Any
    shape: tuple[int, ...]


class Signature(NamedTuple):
    """The inputs and outputs of one signature, by name."""

    inputs: dict[str, Tensor]
    outputs: dict[str, Tensor]


class Served(Protocol):
    """An exported model, wherever it runs."""

    model: str

    @property
    def signatures(self) -> Mapping[str, Signature]:
        """What it answers."""

    def call(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Outputs by name, each [rows, ...], from inputs by name."""


def arrays(
    served: Served, signature: str, inputs: Mapping[str, Any]
) -> dict[str, np.ndarray]:
    """The inputs of a signature as it takes them, equally many rows of each.

    Raises:
        NotFoundError: no such signature.
        InvalidInputError: an input is missing or unknown, or would be changed.
    """
    if signature not in served.signatures:
        raise NotFoundError(
            f'{served.model} has no signature "{signature}"; it has '
            f"{', '.join(served.signatures)}."
        )
    expected = served.signatures[signature].inputs
    if expected.keys() != inputs.keys():
        raise InvalidInputError(
            f"{signature} takes {', '.join(expected)}, and was given "
            f"{', '.join(inputs) or 'nothing'}."
        )
    found = {
        name: _array(name, value, expected[name].dtype) for name, value in inputs.items()
    }
    lengths = {len(array) if array.ndim else None for array in found.values()}
    if len(lengths) != 1 or None in lengths:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in found.items())
        raise InvalidInputError(
            f"{signature} takes equally many rows of each input, and was given {shapes}."
        )
    return found


def _array(name: str, value: Any, dtype: Any) -> np.ndarray:
    with contextlib.suppress(ValueError), np.errstate(all="ignore"):  # ragged rows
        given = np.asarray(value, object if dtype is object else None)
        if _fits(given, dtype):
            return given.astype(dtype)
    takes = "files as bytes" if dtype is object else f"an array of {np.dtype(dtype)}"
    raise InvalidInputError(
        f"Input {name} takes {takes}, and was given {reprlib.repr(value)}."
    )


def _fits(given: np.ndarray, dtype: Any) -> bool:
    """Whether `dtype` loses nothing, or of fractions their last digits."""
    if dtype is object:
        return all(isinstance(file, bytes) for file in given.flat)
    if given.dtype.kind not in "biuf":
        return False
    array = given.astype(dtype)
    if array.dtype.kind == "f":
        return np.array_equal(np.isfinite(array), np.isfinite(given))
    return np.array_equal(array, given)


class Client(abc.ABC):
    """One model of one server.

    Args:
        address: host:port.
        model: its name there.
        timeout: seconds for each request.
        retries: further attempts where the server is unavailable, and only then, each
            after twice the pause of the one before, from 0.1 s on.
        batch_size: rows in one request; more are sent in several.
    """

    def __init__(
        self,
        address: str,
        model: str,
        *,
        timeout: float = 10.0,
        retries: int = 3,
        batch_size: int = 64,
    ) -> None:
        self.address = address.removeprefix("http://").rstrip("/")
        self.model = model
        self.timeout = timeout
        self.retries = retries
        self.batch_size = batch_size
        self._signatures: dict[str, Signature] | None = None

    @property
    def signatures(self) -> dict[str, Signature]:
        """What the model answers; asked for once."""
        if self._signatures is None:
            with self._understood():
                self._signatures = self._patiently(self._ask_signatures)
        return self._signatures

    def call(self, signature: str, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """Sends rows to a signature and returns its outputs, each [rows, ...].

        Args:
            signature: one of `signatures`.
            inputs: each input by name, rows first; files are bytes.

        Raises:
            InvalidInputError: of the server, or an input that is missing or unknown.
            NotFoundError, UnavailableError, DeadlineExceededError, ServerError: see there.
        """
        given = arrays(self, signature, inputs)
        count = len(next(iter(given.values())))
        answers = []
        with self._understood():
            for start in range(0, max(count, 1), self.batch_size):
                rows = slice(start, start + self.batch_size)
                part = {name: array[rows] for name, array in given.items()}
                answers.append(self._patiently(lambda: self._ask(signature, part)))  # noqa: B023
            return {
                name: np.concatenate([answer[name] for answer in answers])
                for name in answers[0]
            }

    @contextlib.contextmanager
    def _understood(self) -> Iterator[None]:
        """Turns an answer that an export of ours would not give into one line."""
        try:
            yield
        except InfoGANError:
            raise
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ServerError(
                f"{self.address} answers, but not as TF Serving does for an export of ours "
                f"({error!r}): give the address of a server, and the name of a model there "
                "that tools/export.py wrote."
            ) from error

    def _patiently(self, ask: Callable[[], Any]) -> Any:
        for attempt in range(self.retries + 1):
            try:
                return ask()
            except UnavailableError:
                if attempt == self.retries:
                    raise
                time.sleep(0.1 * 2**attempt)

    @abc.abstractmethod
    def _ask(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """One request."""

    @abc.abstractmethod
    def _ask_signatures(self) -> dict[str, Signature]:
        """One request for what the model answers."""


class RestClient(Client):
    """Over HTTP and JSON, TF Serving's port 8501."""

    def _ask(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        columns = {name: _to_json(array) for name, array in inputs.items()}
        body = {"signature_name": signature, "inputs": columns}
        answer = self._request(requests.post, ":predict", json=body)["outputs"]
        outputs = self.signatures[signature].outputs
        if len(outputs) == 1:  # then the server leaves its name out
            answer = {next(iter(outputs)): answer}
        return {
            name: _from_json(answer[name], tensor.dtype) for name, tensor in outputs.items()
        }

    def _ask_signatures(self) -> dict[str, Signature]:
        answer = self._request(requests.get, "/metadata")
        found = answer["metadata"]["signature_def"]["signature_def"]

        def tensors(described: dict[str, Any]) -> dict[str, Tensor]:
            return {
                name: Tensor(
                    DTYPES[info["dtype"]],
                    tuple(int(dim["size"]) for dim in info["tensor_shape"].get("dim", [])),
                )
                for name, info in sorted(described.items())
            }

        return {
            name: Signature(tensors(one.get("inputs", {})), tensors(one["outputs"]))
            for name, one in sorted(found.items())
            if not name.startswith("__")
        }

    def _request(self, method: Callable, path: str, **options: Any) -> dict[str, Any]:
        url = f"http://{self.address}/v1/models/{self.model}{path}"
        try:
            response = method(url, timeout=self.timeout, **options)
        except requests.ConnectionError as error:
            raise UnavailableError(
                f"No server answers at {self.address}: start one, or give another address."
            ) from error
        except requests.exceptions.InvalidJSONError as error:
            raise InvalidInputError(
                "REST sends JSON, which has finite numbers only, and was given others."
            ) from error
        except requests.Timeout as error:
            raise DeadlineExceededError(
                f"{self.address} gave no answer within {self.timeout:g} s: give it longer, "
                "or send fewer rows."
            ) from error
        except (requests.RequestException, ValueError) as error:
            raise ServerError(
                f'"{self.address}" cannot be asked ({error}): give host:port of a server.'
            ) from error
        if response.ok:
            return response.json()
        kinds = {
            400: InvalidInputError,
            404: NotFoundError,
            503: UnavailableError,
            504: DeadlineExceededError,
        }
        try:
            said = response.json()["error"]
        except (ValueError, KeyError, TypeError):
            said = response.text
        kind = kinds.get(response.status_code, ServerError)
        raise kind(f"{self.address} answered {response.status_code}: {said}")


class GrpcClient(Client):
    """Over gRPC, TF Serving's port 8500; needs tensorflow-serving-api."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        try:
            import grpc
            from tensorflow_serving.apis import prediction_service_pb2_grpc
        except ImportError as error:
            raise InfoGANError(
                f"gRPC needs packages that are not here ({error}): pip install grpcio, and "
                "pip install --no-deps tensorflow-serving-api."
            ) from error
        options = [("grpc.max_receive_message_length", -1)]
        channel = grpc.insecure_channel(self.address, options)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)

    def _ask(self, signature: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        import tensorflow as tf
        from tensorflow_serving.apis import predict_pb2

        request = predict_pb2.PredictRequest()
        request.model_spec.name = self.model
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
        answer = self._send(self._stub.Predict, request)
        return {name: tf.make_ndarray(proto) for name, proto in answer.outputs.items()}

    def _ask_signatures(self) -> dict[str, Signature]:
        from tensorflow.core.framework import types_pb2
        from tensorflow_serving.apis import get_model_metadata_pb2

        request = get_model_metadata_pb2.GetModelMetadataRequest()
        request.model_spec.name = self.model
        request.metadata_field.append("signature_def")
        answer = self._send(self._stub.GetModelMetadata, request)
        found = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(found)

        def tensors(described: Mapping[str, Any]) -> dict[str, Tensor]:
            return {
                name: Tensor(
                    DTYPES[types_pb2.DataType.Name(info.dtype)],
                    tuple(dim.size for dim in info.tensor_shape.dim),
                )
                for name, info in sorted(described.items())
            }

        return {
            name: Signature(tensors(one.inputs), tensors(one.outputs))
            for name, one in sorted(found.signature_def.items())
            if not name.startswith("__")
        }

    def _send(self, method: Callable, request: Any) -> Any:
        import grpc

        try:
            return method(request, timeout=self.timeout)
        except grpc.RpcError as error:
            kinds = {
                grpc.StatusCode.INVALID_ARGUMENT: InvalidInputError,
                grpc.StatusCode.NOT_FOUND: NotFoundError,
                grpc.StatusCode.UNAVAILABLE: UnavailableError,
                grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceededError,
            }
            kind = kinds.get(error.code(), ServerError)
            raise kind(
                f"{self.address} answered {error.code().name}: {error.details()}"
            ) from error


def connect(address: str, model: str, **options: Any) -> Client:
    """A client for "grpc://host:port", or for REST at "http://host:port"."""
    if address.startswith("grpc://"):
        return GrpcClient(address.removeprefix("grpc://"), model, **options)
    return RestClient(address, model, **options)


def _to_json(array: np.ndarray) -> Any:
    if array.dtype == object:
        return [{"b64": base64.b64encode(file).decode()} for file in array]
    return array.tolist()


def _from_json(value: Any, dtype: Any) -> np.ndarray:
    if dtype is object:
        files = [base64.b64decode(file["b64"]) for file in value]
        return np.array(files, object)
    return np.asarray(value, dtype)
