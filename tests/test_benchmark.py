"""The arithmetic of a step, counted by hand; times are never asserted."""

import dataclasses
import json
import math
import pathlib
import subprocess
import sys

import pytest

import infogan_tf
from infogan_tf.benchmark import benchmark, is_counted, step_gflop, time_step, without_codes
from zoo import registry

TOOLS = pathlib.Path(__file__).parent.parent / "tools"

# Multiply-adds of one image through MNIST's networks (Table 1), layer by layer.
GENERATOR = [74 * 1024, 1024 * 6272, 49 * 16 * 128 * 64, 196 * 16 * 64 * 1]
TRUNK = [196 * 16 * 1 * 64, 49 * 16 * 64 * 128, 6272 * 1024]
RECOGNITION = [1024 * 128, 128 * 14]
FIXED = [1024 * 128, 128 * 12]  # the continuous codes' means, without deviations
PAIR = 2e-9 * 128  # a multiplication and an addition, for a batch of 128, in GFLOP


def test_the_papers_step_is_33_gflop():
    model = infogan_tf.build(registry.find("mnist_infogan_paper"))
    counted = step_gflop(model, 128)
    expected = {
        "generator forward": sum(GENERATOR),
        "generator weight gradient": sum(GENERATOR),
        "generator input gradient": sum(GENERATOR[1:]),  # none of the latents
        "trunk forward": 2 * sum(TRUNK),  # real, fake
        "trunk weight gradient": 2 * sum(TRUNK),
        "trunk input gradient for D": 2 * sum(TRUNK[1:]),  # none of the images
        "trunk input gradient for G": sum(TRUNK),
        "discriminator forward": 2 * 1024,
        "discriminator weight gradient": 2 * 1024,
        "discriminator input gradient for D": 2 * 1024,
        "discriminator input gradient for G": 1024,
        "recognition forward": sum(RECOGNITION),
        "recognition weight gradient": sum(RECOGNITION),
        "recognition input gradient for D": sum(RECOGNITION),
        "recognition input gradient for G": sum(RECOGNITION),
    }
    assert counted == pytest.approx({name: PAIR * n for name, n in expected.items()})
    assert 33 < sum(counted.values()) < 34


def test_the_channel_is_one_more_pass_of_the_trunk():
    paper = step_gflop(infogan_tf.build(registry.find("mnist_infogan_paper")), 128)
    ours = step_gflop(infogan_tf.build(registry.find("mnist_infogan")), 128)
    trunk = 3 * sum(TRUNK) + sum(TRUNK[1:])  # forward, weights, for D, for G
    more = sum(ours.values()) - sum(paper.values())
    heads = 8 * sum(FIXED) - 4 * sum(RECOGNITION)
    assert more == pytest.approx(PAIR * (trunk + heads))


def test_a_normalised_kernel_is_counted_like_another():
    """Both are Table 2's networks; D of the one is spectrally normalised."""
    paper = step_gflop(infogan_tf.build(registry.find("svhn_infogan_paper")), 128)
    ours = step_gflop(infogan_tf.build(registry.find("svhn_infogan")), 128)
    for network in ("generator", "trunk", "discriminator"):
        assert ours[f"{network} forward"] == paper[f"{network} forward"] > 0


@pytest.mark.parametrize(
    ("method", "changed"),
    [("infogan", {"critic_steps": 5}), ("supervised_infogan", {"labels": 30})],
)
def test_steps_that_take_more_than_a_batch_of_images_are_timed(tiny_spec, method, changed):
    spec = dataclasses.replace(tiny_spec, method=method).with_training(**changed)
    model = infogan_tf.build(spec)
    assert time_step(model, spec.training, repeats=2).median > 0
    assert not is_counted(model)


def test_what_is_not_counted_is_left_out(tiny_spec):
    """And nothing is timed against that was not asked for."""
    spec = tiny_spec.with_training(critic_steps=2)
    figures = benchmark(spec)
    assert figures["images_per_second"] == pytest.approx(16e3 / figures["ms_per_step"])
    assert figures["ceiling_gflops"] > 0
    assert {"step_gflop", "utilization", "over_gan"}.isdisjoint(figures)


def test_without_codes_the_generator_is_the_same_network():
    spec = registry.find("mnist_infogan_paper")
    plain = infogan_tf.build(without_codes(spec))
    assert type(plain) is infogan_tf.GAN
    assert plain.generator.count_params() == (
        infogan_tf.build(spec).generator.count_params()
    )


def test_the_figures_hang_together(tmp_path):
    path = tmp_path / "figures.json"
    command = [sys.executable, TOOLS / "benchmark.py", "--model=tiny_infogan"]
    subprocess.run(
        [*command, "--against=gan", f"--json={path}"], check=True, capture_output=True
    )
    figures = json.loads(path.read_text())
    lower, upper = figures["ms_per_step_quartiles"]
    assert 0 < lower <= figures["ms_per_step"] <= upper
    assert figures["images_per_second"] == pytest.approx(16e3 / figures["ms_per_step"])
    assert figures["step_gflop"] == pytest.approx(sum(figures["step_gflop_parts"].values()))
    speed = figures["step_gflop"] / (figures["ms_per_step"] / 1e3)
    assert figures["utilization"] == pytest.approx(speed / figures["ceiling_gflops"])
    assert figures["over_gan"] == pytest.approx(
        figures["ms_per_step"] / figures["gan_ms_per_step"]
    )
    assert all(math.isfinite(v) for v in figures["ceilings"].values())
    share = figures["images_per_second"] / figures["input_images_per_second"]
    assert 0 < figures["input_share"] == pytest.approx(share)
    assert set(figures["use_images_per_second"]) == {"generate", "recognize"}
    assert set(figures["run_seconds"]) == {"train_one_step", "evaluate", "export"}
    assert all(seconds > 0 for seconds in figures["run_seconds"].values())
    seconds = figures["start_up_seconds"]
    assert 0 < seconds["help"] < seconds["import"] < seconds["first_step"]


@pytest.mark.parametrize("path", ["", "missing/figures.json"])
def test_where_figures_cannot_be_written_nothing_is_timed(tmp_path, path):
    figures = tmp_path / path
    command = [sys.executable, TOOLS / "benchmark.py", "--model=not_even_read"]
    done = subprocess.run([*command, f"--json={figures}"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        f"Error: --json={figures} cannot be written: name a file in a folder that is there "
        "and that you may write to."
    )


def test_a_step_that_was_not_reached_is_not_timed():
    script = (
        "import sys; sys.path.insert(0, 'tools'); import benchmark; "
        "sys.argv = ['benchmark.py', '--model=no_such']; "
        "benchmark.run(benchmark.start_up, tensorflow=False)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "Error: first_step cannot be timed, since its command fails: Unknown model "
        '"no_such". There are '
    )
    assert len(done.stderr.splitlines()) == 1
