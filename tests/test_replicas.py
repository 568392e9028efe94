"""Two devices, or two processes, train as one does: the same losses and weights."""

import dataclasses
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import types

import numpy as np
import pytest
import tensorflow as tf
from test_training import at_every_step

from infogan_tf import replicas
from infogan_tf.channel import RandomAffine, RandomExposure, RandomMirror, WhiteNoise
from infogan_tf.errors import InfoGANError
from infogan_tf.games import Wasserstein
from infogan_tf.penalties import WeightClipping
from infogan_tf.spec import to_json
from infogan_tf.training import Interrupted, RunDirectory, load, train
from zoo import registry

ROOT = pathlib.Path(__file__).parent.parent
TRAIN = [sys.executable, str(ROOT / "tools" / "train.py"), "--model=tiny_infogan"]

TWO_DEVICES = """
import json
import sys
import tensorflow as tf
import infogan_tf
from infogan_tf.spec import from_json

one = tf.config.LogicalDeviceConfiguration()
[processor] = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(processor, [one, one])
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
infogan_tf.train(from_json(json.loads(sys.argv[1])), sys.argv[2], strategy=strategy)
"""


def assert_close_runs(one, other, *, tolerance):
    """The same log and the same weights, but for the order of additions."""
    ours, theirs = RunDirectory(one).log(), RunDirectory(other).log()
    assert [line["step"] for line in ours] == [line["step"] for line in theirs]
    for line, wanted in zip(ours, theirs, strict=True):
        for name in line.keys() - {"images_per_second"}:
            assert line[name] == pytest.approx(wanted[name], abs=tolerance), name
    pairs = zip(load(one).variables, load(other).variables, strict=True)
    for mine, wanted in pairs:
        np.testing.assert_allclose(mine, wanted, atol=tolerance, err_msg=mine.path)


def train_on_two_devices(spec, run_dir):
    script = [sys.executable, "-c", TWO_DEVICES, json.dumps(to_json(spec)), run_dir]
    subprocess.run(script, cwd=ROOT, check=True)


def test_two_devices_train_as_one_does(tiny_spec, tiny_run, tmp_path):
    train_on_two_devices(tiny_spec, tmp_path / "run")
    assert_close_runs(tmp_path / "run", tiny_run, tolerance=1e-5)


def test_channels_clipped_weights_and_an_average_are_as_on_one(tiny_spec, tmp_path):
    """What is drawn for each image, and what happens after an update."""
    spec = dataclasses.replace(
        tiny_spec,
        channels=(
            RandomExposure(("c1",)),
            WhiteNoise(("c1",)),
            RandomMirror(("c2",), odd=("c2",)),
            RandomAffine(("c2",)),
        ),
        game=Wasserstein(),
        penalties=(WeightClipping(0.1),),
        training=dataclasses.replace(tiny_spec.training, steps=10, ema_decay=0.9),
    )
    train_on_two_devices(spec, tmp_path / "two")
    train(spec, tmp_path / "one")
    assert_close_runs(tmp_path / "two", tmp_path / "one", tolerance=1e-5)


@pytest.mark.parametrize(
    ("jobs", "task", "chief"),
    [
        ({"worker": ["a:1", "b:1"]}, ("worker", 0), True),
        ({"worker": ["a:1", "b:1"]}, ("worker", 1), False),
        ({"chief": ["a:1"], "worker": ["b:1"]}, ("chief", 0), True),
        ({"chief": ["a:1"], "worker": ["b:1"]}, ("worker", 0), False),
    ],
)
def test_one_process_of_a_cluster_is_its_chief(jobs, task, chief):
    cluster = tf.train.ClusterSpec(jobs)
    kind, place = task
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        cluster, task_type=kind, task_id=place
    )
    assert replicas.is_chief(types.SimpleNamespace(cluster_resolver=resolver)) == chief


def test_a_run_goes_on_with_another_number_of_replicas(tiny_run, tiny_spec, tmp_path):
    """Stopped by SIGINT on one device, between two lines of the log; finished by two."""

    def interrupt(model, step):
        if step == 7:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted), at_every_step(interrupt):
        train(tiny_spec, tmp_path / "run")
    train_on_two_devices(tiny_spec, tmp_path / "run")
    assert_close_runs(tmp_path / "run", tiny_run, tolerance=1e-5)


# --- several workers ------------------------------------------------------------------


def start_workers(run_dir, *flags, count=2):
    """`count` processes of one training, each with its TF_CONFIG."""
    sockets = [socket.create_server(("localhost", 0)) for _ in range(count)]
    addresses = [f"localhost:{one.getsockname()[1]}" for one in sockets]
    for one in sockets:
        one.close()
    return [
        subprocess.Popen(
            [*TRAIN, "--strategy=multi_worker", f"--run_dir={run_dir}", *flags],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env={
                **os.environ,
                "TF_CONFIG": json.dumps(
                    {
                        "cluster": {"worker": addresses},
                        "task": {"type": "worker", "index": index},
                    }
                ),
            },
        )
        for index in range(count)
    ]


def test_a_killed_worker_ends_all_and_all_go_on(tmp_path):
    """Killed after step 10 of 60: the other's error; restarted: one device's result."""
    numbers = ["--steps=60", "--log_every=5", "--checkpoint_every=10"]
    run_dir = tmp_path / "workers"
    chief, other = start_workers(run_dir, *numbers)
    while not chief.stdout.readline().startswith("step 10/60"):
        assert chief.poll() is None
    other.send_signal(signal.SIGSTOP)  # the chief cannot finish without it
    other.kill()
    other.communicate()
    _, said = chief.communicate(timeout=120)
    assert chief.returncode == 1
    assert "Error: Another worker is gone (" in said.splitlines()[-1]
    assert "start all of them again with the same command" in said.splitlines()[-1]

    workers = start_workers(run_dir, *numbers)
    for said, complaints in (worker.communicate(timeout=240) for worker in workers):
        # TensorFlow's own log tells of peers that are not up yet, as errors of theirs
        lines = (said + complaints).splitlines()
        assert not [line for line in lines if line.startswith(("Error", "Traceback"))]
    assert [worker.returncode for worker in workers] == [0, 0]

    spec = registry.find("tiny_infogan")
    spec = spec.with_training(steps=60, log_every=5, checkpoint_every=10)
    train(spec, tmp_path / "alone")
    assert_close_runs(run_dir, tmp_path / "alone", tolerance=1e-3)
    assert sorted(path.name for path in run_dir.iterdir()) == sorted(
        path.name for path in (tmp_path / "alone").iterdir()
    )


def test_workers_that_found_different_steps_do_not_agree():
    assert not replicas.agree(Disagreeing(), 20)
    assert replicas.agree(Disagreeing(), 0)
    assert replicas.agree(tf.distribute.get_strategy(), 20)


def test_what_the_chief_refuses_ends_all(tmp_path):
    """It says why; the other does not wait for it."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "something").write_text("else")
    chief, other = start_workers(tmp_path / "run")
    said = [
        worker.communicate(timeout=120)[1].splitlines()[-1] for worker in (chief, other)
    ]
    assert [worker.returncode for worker in (chief, other)] == [1, 1]
    assert "is not empty and is not a run directory" in said[0]
    assert said[1] == "Error: Worker 0 cannot begin: see what it says."


class Disagreeing(tf.distribute.MultiWorkerMirroredStrategy):
    """A stand-in for two workers, the other of which is at step 0."""

    def __init__(self):
        pass

    def reduce(self, operation, value, axis):
        return value / 2


# --- what cannot be ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "config", "text"),
    [
        (
            "mirored",
            None,
            'Unknown strategy "mirored"; there are mirrored and multi_worker.',
        ),
        ("multi_worker", None, "--strategy=multi_worker, and TF_CONFIG is not set: give"),
        ("multi_worker", "{", "TF_CONFIG is {: "),
        (
            "multi_worker",
            '{"cluster": {"worker": ["here:1"]}, "task": {"type": "worker", "index": 5}}',
            'It has to be {"cluster"',
        ),
    ],
)
def test_a_strategy_that_cannot_be(name, config, text, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    if config:
        monkeypatch.setenv("TF_CONFIG", config)
    with pytest.raises(InfoGANError) as error:
        replicas.find(name)
    assert text in str(error.value)


@pytest.mark.parametrize(
    ("numbers", "text"),
    [
        ({"batch_size": 15}, "A batch of 15 cannot be cut into equal parts for 2 replicas"),
        ({"jit_compile": "true"}, "--jit_compile=true does not go with 2 replicas"),
        ({"labels": 15}, "An update takes 15 labelled images, which cannot be cut into"),
    ],
)
def test_numbers_that_do_not_go_with_replicas(tmp_path, tiny_spec, numbers, text):
    class Two:
        num_replicas_in_sync = 2

    with pytest.raises(InfoGANError, match=text):
        train(tiny_spec.with_training(**numbers), tmp_path / "run", strategy=Two())
    assert not (tmp_path / "run").exists()


def test_one_replica_draws_its_own_rows():
    drawn = replicas.own_rows(lambda count: {"rows": tf.range(count)}, 4)
    assert drawn["rows"].numpy().tolist() == [0, 1, 2, 3]
    assert replicas.count() == 1
