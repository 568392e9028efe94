"""The folder of one run: what was asked for, what was reached, what was learned."""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy
import tensorflow

import infogan_tf
from infogan_tf import data, files
from infogan_tf import spec as specs
from infogan_tf.data import ImageData
from infogan_tf.errors import InfoGANError


class RunDirectory:
    """Paths of a run directory, and its options.

    options.json      the resolved spec, where the images are, versions
    checkpoints/      the last few, and the step of each in its name
    train_log.jsonl   one line each logging interval
    traversals/       the sweeps as PNG
    metrics.json      written by evaluate, with the page report.html
    events/           TensorBoard
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = pathlib.Path(path)
        self.options_file = self.path / "options.json"
        self.checkpoints = self.path / "checkpoints"
        self.log_file = self.path / "train_log.jsonl"
        self.traversals = self.path / "traversals"
        self.metrics_file = self.path / "metrics.json"
        self.report_file = self.path / "report.html"
        self.events = self.path / "events"

    def create(self, options: dict[str, Any]) -> None:
        """Makes the folder, or finds the run that these options began.

        Raises:
            InfoGANError: it cannot be written, holds something else, or a run with
                other settings, whose differences are listed.
        """
        if self.options_file.exists():
            differences = _differences(self.options()["run"], options["run"])
            if differences:
                raise InfoGANError(
                    f"{self.path} was made with other settings: {'; '.join(differences)}. "
                    "Give the same settings to go on with it, or another --run_dir."
                )
            return
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            ours = (".lock", files.ASIDE)  # what a killed process may have left
            if any(not entry.name.startswith(ours) for entry in self.path.iterdir()):
                raise InfoGANError(
                    f"{self.path} is not empty and is not a run directory (it has no "
                    "options.json): give another --run_dir."
                )
            write_json(self.options_file, options)
        except OSError as error:
            raise InfoGANError(
                f"The run directory {self.path} cannot be written: {error}."
            ) from error

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Keeps a second training out while this one runs; freed when it ends or dies."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            file = (self.path / ".lock").open("w")
        except OSError as error:
            raise InfoGANError(
                f"The run directory {self.path} cannot be written: {error}."
            ) from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InfoGANError(
                    f"Another training is running in {self.path}: wait for it, or give "
                    "another --run_dir."
                ) from error
            yield

    def options(self) -> dict[str, Any]:
        """Reads options.json.

        Raises:
            InfoGANError: there is none, or it is damaged.
        """
        try:
            options = json.loads(self.options_file.read_text())
            if not isinstance(options, dict) or not {"run", "data"} <= options.keys():
                raise ValueError('it has no "run" and "data"')
            return options
        except FileNotFoundError as error:
            raise InfoGANError(
                f"{self.path} is not a run directory (it has no options.json): give the "
                "--run_dir of a training."
            ) from error
        except (OSError, ValueError) as error:
            raise InfoGANError(f"{self.options_file} cannot be read: {error}.") from error

    def spec(self) -> specs.ModelSpec:
        """The spec that options.json holds.

        Raises:
            InfoGANError: there is none, or it is damaged.
        """
        run = self.options()["run"]
        spec = specs.from_json(run.get("spec") if isinstance(run, dict) else None)
        if not isinstance(spec, specs.ModelSpec):
            raise InfoGANError(
                f"{self.options_file} declares no model: it is damaged; train again in "
                "another --run_dir."
            )
        return spec

    def images(
        self, *, dataset: str | None = None, data_dir: str | os.PathLike | None = None
    ) -> ImageData:
        """Loads images for this run's model: those of its training if none are named.

        Args:
            dataset: their name; if only a folder is named, that of the training, unless
                this one is built in.
            data_dir: their folder or file.

        Raises:
            InfoGANError: they cannot be read; or none are named, and those of the training
                have changed. What is held out goes by place: it may have been trained on.
        """
        run, where = self.options()["run"], self.options()["data"]
        spec, own = self.spec().data, run["dataset"]
        if dataset:
            return data.load(spec, dataset=dataset, data_dir=data_dir)
        if data_dir:
            own = None if own in data.BUILT_IN else own
            return data.load(spec, dataset=own, data_dir=data_dir)
        images = data.load(spec, dataset=own, data_dir=where["data_dir"])
        if not self.trained_on(images):
            now = _digest(images.train.images)
            raise InfoGANError(
                f"{images.origin}: the training images are not those of {self.path} any "
                f"more (train_images: {where.get('train_images')} -> {len(images.train)}; "
                f"images_sha256: {run['images_sha256']} -> {now}). "
                "Put those back, or use others knowingly: name their --dataset or "
                "--data_dir."
            )
        return images

    def trained_on(self, images: ImageData) -> bool:
        """Whether the run was trained on all of their training images and no others.

        If not, their test images may be ones that it was trained on.
        """
        before = self.options()["run"].get("images_sha256")
        return not before or before == _digest(images.train.images)

    def log(self) -> list[dict[str, Any]]:
        """The lines of train_log.jsonl; a last line cut off by a crash is left out."""
        lines = []
        if self.log_file.exists():
            for line in self.log_file.read_text(errors="replace").splitlines():
                with contextlib.suppress(ValueError):
                    lines.append(json.loads(line))
        return lines

    def metrics(self) -> dict[str, Any]:
        """Reads metrics.json.

        Raises:
            InfoGANError: there is none, or it is damaged.
        """
        try:
            metrics = json.loads(self.metrics_file.read_text())
            if not isinstance(metrics, dict):
                raise ValueError("it holds no scores")
            return metrics
        except FileNotFoundError as error:
            raise InfoGANError(
                f"{self.path} was not scored (it has no metrics.json): run "
                f"tools/evaluate.py --run_dir={self.path} first."
            ) from error
        except (OSError, ValueError) as error:
            raise InfoGANError(f"{self.metrics_file} cannot be read: {error}.") from error

    @contextlib.contextmanager
    def writing(self, what: str) -> Iterator[None]:
        """Turns a failure to write `what`, in the middle of a training, into one line.

        Raises:
            InfoGANError: a full disk, a folder that is gone or read-only.
        """
        try:
            yield
        except (OSError, tensorflow.errors.OpError) as error:
            raise InfoGANError(
                f"{what} cannot be written in {self.path}: {error}. Make room, and run the "
                "same command again: it goes on from the last checkpoint."
            ) from error

    def rewind_log(self, step: int) -> None:
        """Drops the lines after `step`: they will be written again."""
        kept = [json.dumps(line) for line in self.log() if line["step"] <= step]
        with files.whole(self.log_file) as aside:
            aside.write_text("".join(f"{line}\n" for line in kept))


def describe(
    spec: specs.ModelSpec,
    images: ImageData,
    *,
    dataset: str | None = None,
    data_dir: str | os.PathLike | None = None,
) -> dict[str, Any]:
    """What options.json holds.

    "run" is what a resumed run has to repeat: the spec, the data set and a digest of its
    training images. "data" says where they were, "versions" what ran.
    """
    modules = (infogan_tf, tensorflow, keras, numpy)
    return {
        "run": {
            "spec": specs.to_json(spec),
            "dataset": dataset or spec.data.name,
            "images_sha256": _digest(images.train.images),
        },
        "data": {
            "data_dir": str(pathlib.Path(data_dir).resolve()) if data_dir else None,
            "origin": images.origin,
            "preprocessing": images.preprocessing,
            "train_images": len(images.train),
            "test_images": len(images.test),
        },
        "versions": {module.__name__: module.__version__ for module in modules},
    }


def write_json(path: pathlib.Path, content: Any) -> None:
    """Writes indented JSON, whole or not at all; a ValueError where it has a NaN."""
    with files.whole(path) as aside:
        aside.write_text(json.dumps(content, indent=2, allow_nan=False) + "\n")


def _digest(images: numpy.ndarray) -> str:
    """SHA-256 of the shape and the pixels; a part at a time, for those on disk."""
    digest = hashlib.sha256(str(images.shape).encode())
    for place in range(0, len(images), 4096):
        digest.update(numpy.ascontiguousarray(images[place : place + 4096]))
    return digest.hexdigest()


def _differences(before: Any, now: Any, place: str = "") -> list[str]:
    """Names every value that differs, as "place: before -> now"."""
    if isinstance(before, dict) and isinstance(now, dict):
        return [
            line
            for key in dict.fromkeys((*before, *now))
            for line in _differences(
                before.get(key), now.get(key), f"{place}.{key}" if place else key
            )
        ]
    if isinstance(before, list) and isinstance(now, list) and len(before) == len(now):
        return [
            line
            for index, pair in enumerate(zip(before, now, strict=True))
            for line in _differences(*pair, f"{place}[{index}]")
        ]
    return [] if before == now else [f"{place}: {before} -> {now}"]
