"""A run: its files, its exact resume, and everything that may go wrong with it."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import infogan_tf
from infogan_tf import files
from infogan_tf.data import ImageData, Split
from infogan_tf.training import Interrupted, RunDirectory, load, train
from infogan_tf.training.checkpoints import Checkpoints
from infogan_tf.training.run_directory import describe, write_json
from zoo import registry

ROOT = pathlib.Path(__file__).parent.parent
TRAIN = [sys.executable, str(ROOT / "tools" / "train.py"), "--model=tiny_infogan"]


def without_speed(run_dir):
    lines = RunDirectory(run_dir).log()
    return [{k: v for k, v in line.items() if k != "images_per_second"} for line in lines]


def state(run_dir):
    """Every number of the newest checkpoint."""
    found = (pathlib.Path(run_dir) / "checkpoints").glob("step-*.index")
    newest = max(found, key=lambda path: int(path.stem.split("-")[1]))
    reader = tf.train.load_checkpoint(str(newest.with_suffix("")))
    names = [n for n in reader.get_variable_to_shape_map() if "save_counter" not in n]
    numbers = [n for n in names if n.startswith("variables")]
    return {name: reader.get_tensor(name) for name in numbers}


def assert_same_run(one, other):
    assert without_speed(one) == without_speed(other)
    ours, theirs = state(one), state(other)
    assert ours.keys() == theirs.keys() and len(ours) > 50
    for name, value in ours.items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


@pytest.fixture
def spec20():
    return registry.find("tiny_infogan")  # 20 steps; log 5, checkpoint 10, sweep 10


def test_a_run_leaves_the_files_it_promises(tiny_run):
    run = RunDirectory(tiny_run)
    assert run.spec() == registry.find("tiny_infogan")
    assert set(run.options()["versions"]) == {"infogan_tf", "tensorflow", "keras", "numpy"}
    assert [line["step"] for line in run.log()] == [5, 10, 15, 20]
    wanted = {"step", "images_per_second", "d_loss", "g_loss"}
    wanted |= {f"mi/c{i}" for i in (1, 2, 3, 4)}
    assert all(set(line) == wanted for line in run.log())
    pictures = {path.name for path in run.traversals.iterdir()}
    assert pictures == {f"{n}.png" for n in ("c1", "c2", "c3", "c4", "samples", "real")}
    steps = {path.name for path in run.checkpoints.glob("*.index")}
    assert steps == {"step-10.index", "step-20.index"}


def test_a_finished_run_has_statistics_gathered_over_a_tenth_of_its_steps(tiny_run):
    model = load(tiny_run)
    left = [variable.numpy() for variable in model.non_trainable_variables]
    images = infogan_tf.data.load(RunDirectory(tiny_run).spec().data).train.images
    following = infogan_tf.data.batches(images, batch_size=16, seed=0, first_step=20)
    model.gather_statistics(following.take(2))
    assert len(left) >= 8
    for before, variable in zip(left, model.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(before, variable, err_msg=variable.path)


def test_tensorboard_has_scalars_sweeps_and_hparams(tiny_run):
    everything = {"tensors": 0}
    events = EventAccumulator(str(pathlib.Path(tiny_run) / "events"), everything).Reload()
    assert {"d_loss", "g_loss", "mi/c1", "images_per_second"} <= set(
        events.Tags()["tensors"]
    )
    assert [event.step for event in events.Tensors("mi/c1")] == [5, 10, 15, 20]
    logged = tf.make_ndarray(events.Tensors("mi/c1")[-1].tensor_proto)
    assert logged == pytest.approx(RunDirectory(tiny_run).log()[-1]["mi/c1"])
    assert "_hparams_/session_start_info" in events.summary_metadata
    sweeps = pathlib.Path(tiny_run) / "events" / "sweeps"
    pictures = EventAccumulator(str(sweeps), everything).Reload()
    assert [event.step for event in pictures.Tensors("c2")] == [0, 10, 20]
    assert [event.step for event in pictures.Tensors("real")] == [0]


def test_a_finished_run_is_left_alone(tiny_run, spec20, capsys):
    before = state(tiny_run)
    train(spec20, tiny_run)
    assert f"{tiny_run} is trained: 20 of 20 steps." in capsys.readouterr().out
    after = state(tiny_run)
    assert after.keys() == before.keys()
    for name, value in before.items():
        np.testing.assert_array_equal(value, after[name], err_msg=name)


def test_load_gives_the_trained_model(tiny_run):
    model = load(tiny_run)
    assert int(model.step.numpy()) == 20
    weights = np.concatenate([v.numpy().ravel() for v in model.generator.variables])
    fresh = infogan_tf.build(registry.find("tiny_infogan"))
    untrained = np.concatenate([v.numpy().ravel() for v in fresh.generator.variables])
    assert not np.array_equal(weights, untrained)


# --- exact resume -----------------------------------------------------------------------


@pytest.mark.parametrize("moment", ["before a checkpoint", "after one", "between two"])
def test_killed_and_resumed_equals_never_interrupted(tiny_run, tmp_path, moment):
    """SIGKILL as soon as the log has 1, 2 or 3 lines (5 steps each, checkpoint at 10)."""
    lines = {"before a checkpoint": 1, "after one": 2, "between two": 3}[moment]
    run_dir = tmp_path / "run"
    process = subprocess.Popen(
        [*TRAIN, f"--run_dir={run_dir}"], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    for _ in range(lines):
        assert process.stdout.readline().startswith("step")
    process.kill()
    assert process.wait() == -signal.SIGKILL
    process.stdout.close()
    train(registry.find("tiny_infogan"), run_dir)
    assert_same_run(run_dir, tiny_run)


def test_ctrl_c_saves_and_says_how_to_go_on(tiny_run, tmp_path, spec20, capfd):
    """Interrupted in the middle of a logging interval, whose means go on as well."""
    run_dir = tmp_path / "run"

    def interrupt(model, step):
        if step == 6:  # seen at the end of the next step
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Interrupted) as stopped, at_every_step(interrupt):
        train(spec20, run_dir)
    assert str(stopped.value) == (
        f"Stopped by SIGINT at step 7 of 20; saved in {run_dir}. "
        "Run the same command again to go on."
    )
    assert [line["step"] for line in without_speed(run_dir)] == [5]
    train(spec20, run_dir)
    assert f"Resuming {run_dir} at step 7 of 20." in capfd.readouterr().out
    assert_same_run(run_dir, tiny_run)


def test_other_settings_are_refused_with_the_differences(tiny_run, spec20):
    other = spec20.with_training(seed=3, batch_size=8)
    with pytest.raises(infogan_tf.InfoGANError) as refused:
        train(other, tiny_run)
    assert str(refused.value) == (
        f"{tiny_run} was made with other settings: spec.training.batch_size: 16 -> 8; "
        "spec.training.seed: 0 -> 3. Give the same settings to go on with it, or "
        "another --run_dir."
    )


def test_other_images_are_refused(tiny_run, spec20, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (64, 8, 8, 1), np.uint8)
    np.savez(tmp_path / "images.npz", images=images)
    with pytest.raises(infogan_tf.InfoGANError, match=r"images_sha256: \w+ -> \w+"):
        train(spec20, tiny_run, dataset="mine", data_dir=tmp_path / "images.npz")


@pytest.mark.parametrize("mapped", [False, True])
def test_the_digest_is_that_of_the_shape_and_all_bytes(tmp_path, mapped):
    """9,000 images are hashed in three parts, and that makes no difference."""
    images = np.random.default_rng(0).integers(0, 256, (9_000, 2, 2, 1), np.uint8)
    expected = hashlib.sha256(b"(9000, 2, 2, 1)" + images.tobytes()).hexdigest()
    if mapped:
        np.save(tmp_path / "images.npy", images)
        images = np.load(tmp_path / "images.npy", mmap_mode="r")
    split = Split(images)
    found = describe(registry.find("tiny_infogan"), ImageData("x", split, split, "cropped"))
    assert found["run"]["images_sha256"] == expected
    assert found["data"]["preprocessing"] == "cropped"


@pytest.fixture
def run_on_a_file(tmp_path, spec20):
    """A run directory, and the .npz file with its 40 images."""
    path = tmp_path / "mine.npz"
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8, 1), np.uint8)
    np.savez(path, images=images)
    run = RunDirectory(tmp_path / "run")
    where = {"dataset": "mine", "data_dir": path}
    run.create(describe(spec20, infogan_tf.data.load(spec20.data, **where), **where))
    return run, path, images


def test_images_that_changed_since_the_training_are_not_taken_for_its_own(run_on_a_file):
    """One more in front, and all that is held out was trained on."""
    run, path, images = run_on_a_file
    assert len(run.images().test) == 4
    before = run.options()["run"]["images_sha256"]
    np.savez(path, images=np.concatenate([images[:1], images]))
    named = run.images(dataset="mine", data_dir=path)
    now = describe(run.spec(), named)["run"]["images_sha256"]
    with pytest.raises(infogan_tf.InfoGANError) as refused:
        run.images()
    assert str(refused.value) == (
        f"mine.npz in {path.parent}: the training images are not those of {run.path} any "
        f"more (train_images: 36 -> 37; images_sha256: {before} -> {now}). Put those back, "
        "or use others knowingly: name their --dataset or --data_dir."
    )
    assert len(named.train) == 37  # they were named, and so meant
    assert not run.trained_on(named)


def test_a_folder_alone_is_of_the_runs_own_dataset(run_on_a_file, tmp_path):
    """It moved; what was trained on under another name than the entry's keeps that name."""
    run, path, _ = run_on_a_file
    elsewhere = path.rename(tmp_path / "moved.npz")
    assert run.trained_on(run.images(data_dir=elsewhere))
    (tmp_path / "empty").mkdir()
    options = run.options()
    options["run"]["dataset"] = "fashion_mnist"
    write_json(run.options_file, options)
    with pytest.raises(infogan_tf.InfoGANError, match="directory with fashion_mnist/;"):
        run.images(data_dir=tmp_path / "empty")


def test_a_run_from_before_the_digest_is_still_read(run_on_a_file):
    run, path, images = run_on_a_file
    options = run.options()
    del options["run"]["images_sha256"]
    write_json(run.options_file, options)
    np.savez(path, images=images[::-1])
    assert len(run.images().train) == 36


def test_a_damaged_line_of_the_log_is_left_out(tmp_path):
    run = RunDirectory(tmp_path / "run")
    run.path.mkdir()
    run.log_file.write_bytes(b'{"step": 5}\n{"step": \xff\xfe\n{"step": 10}\n{"st')
    assert run.log() == [{"step": 5}, {"step": 10}]


def test_two_writers_at_once_leave_the_file_of_one(tmp_path):
    path = tmp_path / "metrics.json"
    with files.whole(path) as first:
        with files.whole(path) as second:
            first.write_text("the first")
            second.write_text("the second")
        assert path.read_text() == "the second"
    assert path.read_text() == "the first"
    assert [left.name for left in tmp_path.iterdir()] == ["metrics.json"]


def test_what_a_killed_writer_left_does_not_keep_a_training_out(run_on_a_file):
    run, _, _ = run_on_a_file
    options = run.options()
    run.options_file.rename(run.path / f"{files.ASIDE}1-options.json")
    run.create(options)
    assert run.options() == options


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_json_is_not_written(tmp_path, value):
    write_json(tmp_path / "metrics.json", {"accuracy": 0.5})
    with pytest.raises(ValueError, match="Out of range float values are not JSON"):
        write_json(tmp_path / "metrics.json", {"accuracy": 0.75, "kid": float(value)})
    assert json.loads((tmp_path / "metrics.json").read_text()) == {"accuracy": 0.5}
    assert len(list(tmp_path.iterdir())) == 1


def test_scores_of_several_seeds_are_those_of_the_settings_that_are_asked_for(
    tiny_run, tmp_path
):
    """benchmarks/seeds.py leaves a scored run as it is, and refuses it with others."""
    shutil.copytree(tiny_run, tmp_path / "seed0")
    write_json(tmp_path / "seed0" / "metrics.json", {"step": 20, "controls/c2/slant": -0.5})
    command = [sys.executable, str(ROOT / "benchmarks" / "seeds.py"), "--seeds=1"]
    command += ["--model=tiny_infogan", f"--runs={tmp_path}"]
    options = {"capture_output": True, "text": True, "cwd": ROOT, "check": False}
    same = subprocess.run(command, **options)
    assert same.stdout.endswith(
        "| seed | slant | width |\n| --- | --- | --- |\n| 0 | 0.5 | 0 |\n"
    )
    other = subprocess.run([*command, "--steps=30"], **options)
    assert other.returncode == 1
    assert other.stderr.endswith(
        f"Error: {tmp_path}/seed0 was made with other settings: spec.training.steps: 20 -> "
        "30. Give the same settings to go on with it, or another --run_dir.\n"
    )


# --- faults -------------------------------------------------------------------------------


def test_a_damaged_newest_checkpoint_falls_back_and_ends_the_same(
    tiny_run, tmp_path, spec20, capsys
):
    run_dir = tmp_path / "run"
    train(spec20, run_dir)
    newest = run_dir / "checkpoints" / "step-20.data-00000-of-00001"
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 0x10  # one flipped bit
    newest.write_bytes(content)
    model = infogan_tf.build(spec20)
    checkpoints = Checkpoints(model, run_dir / "checkpoints")
    assert checkpoints.last_good() == ""
    assert checkpoints.restore(lambda said: None) == 10
    good = f"The last good checkpoint is {run_dir}/checkpoints/step-10."
    for one in (checkpoints, Checkpoints(model, run_dir / "checkpoints")):
        assert one.last_good() == good

    train(spec20, run_dir)
    said = capsys.readouterr().out
    assert f"The checkpoint {run_dir}/checkpoints/step-20 is damaged" in said
    assert f"Resuming {run_dir} at step 10 of 20." in said
    assert_same_run(run_dir, tiny_run)


def test_no_intact_checkpoint_is_an_error(tmp_path, spec20):
    train(spec20, tmp_path / "run")
    for path in (tmp_path / "run" / "checkpoints").glob("*.index"):
        path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(infogan_tf.InfoGANError, match="None of the 2 checkpoints in"):
        load(tmp_path / "run")


def test_only_the_last_three_checkpoints_are_kept(tmp_path, spec20):
    train(spec20.with_training(checkpoint_every=3), tmp_path / "run")
    names = {path.stem for path in (tmp_path / "run" / "checkpoints").iterdir()}
    assert names == {"step-15", "step-18", "step-20"}


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_a_weight_that_is_not_finite_stops_the_run(tmp_path, spec20, poison):
    """Put in after step 12, found at the end of the interval of 5 steps, at 15."""
    run_dir = tmp_path / "run"

    def spoil(model, step):
        if step == 12:
            kernel = model.generator.trainable_variables[0]
            kernel.assign(np.full(kernel.shape, poison))

    with pytest.raises(infogan_tf.InfoGANError) as stopped, at_every_step(spoil):
        train(spec20, run_dir)
    message = str(stopped.value)
    assert "generator/dense_1/kernel is not finite at step 15: the training" in message
    assert f"The last good checkpoint is {run_dir}/checkpoints/step-10." in message
    assert [line["step"] for line in RunDirectory(run_dir).log()] == [5, 10]
    assert int(load(run_dir).step.numpy()) == 10


def test_a_loss_that_is_not_finite_stops_the_run_in_that_step(tmp_path, spec20):
    def spoil(model, step):
        if step == 12:
            bias = model.discriminator.trainable_variables[1]
            bias.assign(np.full(bias.shape, np.nan))

    with pytest.raises(infogan_tf.InfoGANError) as stopped, at_every_step(spoil):
        train(spec20, tmp_path / "run")
    assert "d_loss became nan at step 13: the training stopped." in str(stopped.value)


def test_weights_that_are_not_finite_are_never_saved(tmp_path, spec20):
    model = infogan_tf.build(spec20)
    model.generator.trainable_variables[0].assign_add(
        np.full(model.generator.trainable_variables[0].shape, np.nan)
    )
    checkpoints = Checkpoints(model, tmp_path)
    with pytest.raises(
        infogan_tf.InfoGANError, match=r"is not finite at step 0: the training"
    ):
        checkpoints.save()
    assert not list(tmp_path.glob("step-*"))


def test_a_directory_with_other_things_is_refused_untouched(tmp_path, spec20):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(infogan_tf.InfoGANError, match="is not empty and is not a run"):
        train(spec20, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_unwritable_run_directory_is_refused(tmp_path, spec20):
    (tmp_path / "file").write_text("")
    with pytest.raises(
        infogan_tf.InfoGANError, match=r"run directory .* cannot be written"
    ):
        train(spec20, tmp_path / "file" / "run")


def test_a_second_training_in_the_directory_is_refused(tmp_path, spec20):
    run = RunDirectory(tmp_path / "run")
    run.path.mkdir()
    second = RunDirectory(run.path)
    refused = pytest.raises(infogan_tf.InfoGANError, match="Another training is running")
    with run.lock(), refused, second.lock():
        pass


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("nowhere", "is not a run directory (it has no options.json)"),
        ("options", "has no checkpoint: train it first, with python tools/train.py"),
        ("broken", "options.json cannot be read"),
    ],
)
def test_load_without_a_training(tmp_path, tiny_run, path, text):
    folder = tmp_path / path
    if path != "nowhere":
        folder.mkdir()
        options = (pathlib.Path(tiny_run) / "options.json").read_text()
        (folder / "options.json").write_text(options if path == "options" else "{")
    with pytest.raises(infogan_tf.InfoGANError) as refused:
        load(folder)
    assert text in str(refused.value)


# --- options ------------------------------------------------------------------------------


def test_the_average_of_the_generator_is_the_average(tmp_path, spec20):
    """By hand: w_1 first, then average <- decay * average + (1 - decay) * w_t."""
    decay, kernels = 0.5, []

    def follow(model, step):
        kernels.append(model.generator.trainable_variables[0].numpy())

    with at_every_step(follow):
        train(spec20.with_training(steps=6, ema_decay=decay), tmp_path / "run")
    by_hand = kernels[0]
    for kernel in kernels[1:]:
        by_hand = decay * by_hand + (1 - decay) * kernel
    averaged = load(tmp_path / "run", average=True).generator.trainable_variables[0]
    np.testing.assert_allclose(averaged.numpy(), by_hand, rtol=1e-5, atol=1e-7)
    last = load(tmp_path / "run").generator.trainable_variables[0].numpy()
    np.testing.assert_array_equal(last, kernels[-1])


def test_without_an_average_asking_for_it_is_an_error(tiny_run):
    with pytest.raises(infogan_tf.InfoGANError, match="train with --ema_decay"):
        load(tiny_run, average=True)


def test_bfloat16_trains_and_keeps_float32_weights_and_images(tmp_path, spec20):
    model = train(spec20.with_training(steps=4, precision="bfloat16"), tmp_path / "run")
    assert {v.dtype for v in model.trainable_variables} == {"float32"}
    assert model.generate(count=2).dtype == np.float32
    assert all(
        np.isfinite(list(line.values())).all()
        for line in RunDirectory(tmp_path / "run").log()
    )


def test_information_grows_where_there_is_something_to_say(tmp_path, spec20):
    """With faster rates 400 steps suffice: c4 is one bit, 0.69 nats, c2 has no ceiling."""
    faster = spec20.with_training(
        steps=400,
        batch_size=32,
        generator_learning_rate=5e-3,
        discriminator_learning_rate=1e-3,
        log_every=100,
        checkpoint_every=400,
        sweep_every=400,
    )
    train(faster, tmp_path / "run")
    first, *_, last = RunDirectory(tmp_path / "run").log()
    assert last["mi/c2"] > max(0.5, first["mi/c2"])
    assert 0.1 < last["mi/c4"] < np.log(2)


def test_seconds_to_stop_on_a_tiny_model_are_few(tmp_path):
    """SIGTERM, as a preempted machine sends it, ends with the state saved."""
    run_dir = tmp_path / "run"
    process = subprocess.Popen(
        [*TRAIN, f"--run_dir={run_dir}", "--steps=100000", "--sweep_every=100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    process.stdout.readline()
    process.terminate()
    start = time.monotonic()
    _, error = process.communicate(timeout=60)
    assert time.monotonic() - start < 20
    assert process.returncode == 128 + signal.SIGTERM
    assert "Stopped by SIGTERM at step" in error and "Traceback" not in error
    assert int(load(run_dir).step.numpy()) > 0


class at_every_step:  # noqa: N801  reads as a phrase
    """Calls `action(model, step)` after every update of any training inside."""

    def __init__(self, action):
        self.action = action

    def __enter__(self):
        action = self.action

        class Intruder(infogan_tf.InfoGAN):
            def fit(self, *args, callbacks=(), **options):
                import keras

                def act(batch, logs):
                    action(self, int(self.step.numpy()))

                intruder = keras.callbacks.LambdaCallback(on_train_batch_end=act)
                return super().fit(*args, callbacks=[*callbacks, intruder], **options)

        from infogan_tf import models

        models.METHODS["infogan"] = Intruder

    def __exit__(self, *exception):
        from infogan_tf import models

        models.METHODS["infogan"] = infogan_tf.InfoGAN
