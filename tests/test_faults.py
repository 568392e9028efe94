"""What happens around a training while it runs: full disks, lost folders, odd clocks."""

import pathlib
import shutil
import subprocess
import time

import pytest
import tensorflow as tf
from test_training import assert_same_run, at_every_step

import infogan_tf
from infogan_tf.training import RunDirectory, callbacks, train


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own, of 2 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("NO SMALL DISK: mounting one takes root")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)  # events may be open


def fill(disk: pathlib.Path, leaving: int) -> pathlib.Path:
    """Writes a file that leaves so many bytes of room."""
    filler = disk / "filler"
    filler.write_bytes(bytes(max(shutil.disk_usage(disk).free - leaving, 0)))
    return filler


def test_a_full_disk_costs_what_came_after_the_last_checkpoint(
    small_disk, tiny_run, tiny_spec
):
    run_dir = small_disk / "run"

    def act(model, step):
        if step == 12:
            fill(small_disk, leaving=50_000)

    with pytest.raises(infogan_tf.InfoGANError) as error, at_every_step(act):
        train(tiny_spec, run_dir)
    said = str(error.value)
    assert said.startswith("The checkpoint of step 20 cannot be written in ")
    assert said.endswith(f"The last good checkpoint is {run_dir}/checkpoints/step-10.")
    (small_disk / "filler").unlink()
    train(tiny_spec, run_dir)
    assert_same_run(run_dir, tiny_run)


def test_a_log_that_cannot_be_written_stops_the_run(tiny_run, tiny_spec, tmp_path):
    log, kept = tmp_path / "run" / "train_log.jsonl", tmp_path / "kept"

    def act(model, step):
        if step == 12:
            log.rename(kept)
            log.symlink_to("/dev/full")

    with pytest.raises(infogan_tf.InfoGANError) as error, at_every_step(act):
        train(tiny_spec, tmp_path / "run")
    assert str(error.value) == (
        f"The log of step 15 cannot be written in {tmp_path}/run: [Errno 28] No space left "
        "on device. Make room, and run the same command again: it goes on from the last "
        "checkpoint."
    )
    log.unlink()
    kept.rename(log)
    train(tiny_spec, tmp_path / "run")
    assert_same_run(tmp_path / "run", tiny_run)


def test_a_folder_that_became_read_only_stops_the_run(tiny_run, tiny_spec, tmp_path):
    folder = tmp_path / "run" / "checkpoints"

    def mount(*options):
        try:
            subprocess.run(["mount", *options, folder], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("NO READ-ONLY FOLDER: mounting one takes root")

    def act(model, step):
        if step == 12:
            mount("--bind", folder)
            mount("-o", "remount,bind,ro")

    try:
        with pytest.raises(infogan_tf.InfoGANError) as error, at_every_step(act):
            train(tiny_spec, tmp_path / "run")
    finally:
        subprocess.run(["umount", folder], check=True)
    assert str(error.value).startswith("The checkpoint of step 20 cannot be written in ")
    assert "Read-only file system" in str(error.value)
    train(tiny_spec, tmp_path / "run")
    assert_same_run(tmp_path / "run", tiny_run)


def test_a_full_disk_leaves_no_half_picture(small_disk, tiny_run, tiny_spec):
    """The sweep of step 20 finds no room; that of step 10 is still there, and whole."""
    run_dir = small_disk / "run"
    train(tiny_spec.with_training(steps=10), run_dir)
    run = RunDirectory(run_dir)
    before = {path.name: path.read_bytes() for path in run.traversals.iterdir()}
    sweeps = callbacks.Sweeps(infogan_tf.load(run_dir), run, 0)
    fill(small_disk, 0)
    with pytest.raises(infogan_tf.InfoGANError, match=r"\.png cannot be written: .*space"):
        sweeps(20)
    assert before == {path.name: path.read_bytes() for path in run.traversals.iterdir()}


def test_a_full_disk_publishes_no_version(small_disk, tiny_run):
    model = infogan_tf.load(tiny_run)
    fill(small_disk, 30_000)
    with pytest.raises(infogan_tf.InfoGANError, match="cannot be written"):
        infogan_tf.export(model, small_disk / "exports")
    left = [path for path in (small_disk / "exports").rglob("*") if path.is_file()]
    assert left == []


def test_a_lost_tensorboard_folder_costs_its_curves_alone(tiny_run, tiny_spec, tmp_path):
    run_dir = tmp_path / "run"

    def act(model, step):
        if step == 7:
            shutil.rmtree(run_dir / "events")

    with at_every_step(act):
        train(tiny_spec, run_dir)
    assert_same_run(run_dir, tiny_run)


def test_a_clock_that_jumps_changes_nothing(tiny_run, tiny_spec, tmp_path, monkeypatch):
    now, jumps = time.time, iter(range(10**6))
    monkeypatch.setattr(time, "time", lambda: now() - 3600 * (next(jumps) % 7))
    train(tiny_spec, tmp_path / "run")
    monkeypatch.undo()
    assert_same_run(tmp_path / "run", tiny_run)
    assert all(
        line["images_per_second"] > 0 for line in RunDirectory(tmp_path / "run").log()
    )


def test_a_gradient_that_is_not_finite_is_named(tiny_spec, tmp_path, monkeypatch):
    """Injected on its way to the optimizer of G, found by the check of the next log."""
    apply = infogan_tf.optimizers.Adam.apply

    def poisoned(self, gradients, variables=None):
        if variables[0].path.startswith("generator"):
            spoilt = tf.where(tf.equal(self.iterations, 11), float("nan"), 0.0)
            gradients = [gradients[0] + spoilt, *gradients[1:]]
        return apply(self, gradients, variables)

    monkeypatch.setattr(infogan_tf.optimizers.Adam, "apply", poisoned)
    with pytest.raises(infogan_tf.InfoGANError) as error:
        train(tiny_spec, tmp_path / "run")
    assert str(error.value).startswith(
        "generator/dense_1/kernel is not finite at step 15: the training stopped."
    )
    assert str(tmp_path / "run" / "checkpoints" / "step-10") in str(error.value)
