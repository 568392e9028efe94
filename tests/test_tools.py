"""The commands as a user runs them: separate processes, flags in, one line of error out."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest

ROOT = pathlib.Path(__file__).parent.parent
NOISE = ("absl::", "port.cc", "cpu_feature_guard", "To enable the following")


def command(tool, *flags, env=None, cwd=ROOT):
    """Runs tools/<tool>.py; returns (exit code, stdout, stderr without TensorFlow's)."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / f"{tool}.py"), *flags],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", **(env or {})},
        timeout=120,
        check=False,
    )
    said = [line for line in done.stderr.splitlines() if not any(n in line for n in NOISE)]
    return done.returncode, done.stdout, "\n".join(said)


def fails(tool, *flags, env=None):
    """Runs a command that has to fail in the agreed way; returns its one line."""
    code, _, error = command(tool, *flags, env=env)
    assert code == 1, error
    assert len(error.splitlines()) == 1, error
    assert error.startswith("Error: ")
    return error


@pytest.mark.parametrize("tool", ["train", "evaluate", "traverse", "export", "list_models"])
def test_help_answers_without_tensorflow(tool):
    start = time.monotonic()
    code, out, _ = command(tool, "--help")
    assert time.monotonic() - start < 2
    assert code in (0, 1) and "--" in out  # absl's --help exits with 1


def test_a_wrong_flag_is_answered_at_once():
    start = time.monotonic()
    code, _, error = command("train", "--modle=mnist_infogan")
    assert time.monotonic() - start < 2
    assert code == 1 and "Unknown command line flag 'modle'" in error


def test_train_evaluate_traverse_export(tmp_path):
    """The way through, on the tiny model, as separate commands."""
    run, out = tmp_path / "run", tmp_path / "out"
    code, said, error = command("train", "--model=tiny_infogan", f"--run_dir={run}")
    assert (code, error) == (0, "")
    assert said.splitlines()[0].startswith("step 5/20  ")
    assert "tensorboard --logdir=" in said
    code, said, error = command("evaluate", f"--run_dir={run}")
    assert (code, error) == (0, "")
    metrics = json.loads((run / "metrics.json").read_text())
    assert metrics["model"] == "tiny_infogan" and metrics["step"] == 20
    assert f"{metrics['clustering/accuracy']:.4f}" in said
    code, said, error = command("traverse", f"--run_dir={run}", f"--output={out}")
    assert (code, error) == (0, "")
    assert sorted(path.name for path in out.iterdir()) == [
        "c1.png", "c2.png", "c3.png", "c4.png", "samples.png",
    ]  # fmt: skip
    code, said, error = command("export", f"--run_dir={run}", f"--export_dir={out}")
    assert (code, error) == (0, "")
    assert said.strip() == str(out / "tiny_infogan" / "1")
    assert (out / "tiny_infogan" / "1" / "saved_model.pb").exists()
    card = json.loads((out / "tiny_infogan" / "1" / "model_card.json").read_text())
    assert card["metrics"] == metrics and card["model"] == "tiny_infogan"
    assert card["codes"][0]["name"] == "c1"
    assert card["codes"][0]["controls"] == {
        "nats": metrics["mi/c1"],
        **{name: metrics[f"controls/c1/{name}"] for name in ("most", "most_change")},
    }
    assert str(tmp_path) not in json.dumps(card)


def test_dry_run_prints_the_resolved_options_and_writes_nothing(tmp_path):
    code, out, _ = command(
        "train", "--model=tiny_infogan", "--steps=7", "--batch_size=8", "--seed=3",
        "--game=hinge", "--penalty=r1", "--dry_run", f"--run_dir={tmp_path / 'run'}",
    )  # fmt: skip
    assert code == 0
    resolved = json.loads(out)
    numbers = {name: resolved["training"][name] for name in ("steps", "batch_size", "seed")}
    assert numbers == {"steps": 7, "batch_size": 8, "seed": 3}
    assert resolved["game"]["type"] == "Hinge"
    assert [penalty["type"] for penalty in resolved["penalties"]] == ["R1"]
    assert not (tmp_path / "run").exists()


def test_list_models_has_a_line_for_each():
    from zoo import registry

    code, out, _ = command("list_models")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(registry.models())


def test_a_users_own_module_is_reached(tmp_path):
    (tmp_path / "my_models.py").write_text(
        "import dataclasses\n"
        "from zoo import registry\n"
        "tiny = registry.find('tiny_infogan')\n"
        "registry.register(dataclasses.replace(tiny, name='mine_infogan'))\n"
    )
    code, _, error = command(
        "train", "--model=mine_infogan", "--model_module=my_models", "--steps=1",
        f"--run_dir={tmp_path / 'run'}", env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
    )  # fmt: skip
    assert code == 0, error
    assert (
        json.loads((tmp_path / "run" / "options.json").read_text())["run"]["spec"]["name"]
        == "mine_infogan"
    )


BAD = {
    "unknown model": (
        ("--model=mnist_infogen",),
        'Unknown model "mnist_infogen". Did you mean "mnist_infogan"? There are ',
    ),
    "unknown module": (
        ("--model=tiny_infogan", "--model_module=no.such"),
        '--model_module: "no.such" cannot be imported',
    ),
    "a module that is none": (
        ("--model=tiny_infogan", "--model_module=.mine"),
        '--model_module: ".mine" cannot be imported (TypeError: ',
    ),
    "a path that cannot be": (
        ("--model=tiny_infogan", "--dataset=folder", f"--data_dir={'x' * 300}"),
        "The system refused: [Errno 36] File name too long: 'xxx",
    ),
    "unknown game": (
        ("--model=tiny_infogan", "--game=hing"),
        'Unknown game "hing". Did you mean "hinge"? There are non_saturating, minimax,',
    ),
    "unknown penalty": (
        ("--model=tiny_infogan", "--penalty=wgangp"),
        'Unknown penalty "wgangp". Did you mean "wgan_gp"? There are weight_clipping,',
    ),
    "two bounds": (
        ("--model=tiny_infogan", "--penalty=weight_clipping,spectral_norm"),
        "tiny_infogan: WeightClipping and SpectralNormalization all bound the ",
    ),
    "labels for nothing": (
        ("--model=tiny_infogan", "--labels=5"),
        'tiny_infogan: the method "infogan" learns from no labels, and labels is 5: ',
    ),
    "unknown data set": (
        ("--model=tiny_infogan", "--dataset=minst"),
        'Unknown data set "minst": --dataset takes "digits", "synthetic", "folder"',
    ),
    "a folder for what is built in": (
        ("--model=tiny_infogan", "--data_dir=/tmp"),
        '"synthetic" is built in and reads no --data_dir: give --dataset=synthetic alone',
    ),
    "no such folder": (
        ("--model=tiny_infogan", "--dataset=mnist", "--data_dir=/no/such"),
        "--data_dir: /no/such does not exist.",
    ),
    "zero steps": (
        ("--model=tiny_infogan", "--steps=0"),
        "steps is 0; it has to be a whole number of at least 1.",
    ),
    "critic steps that take more than the data": (
        ("--model=tiny_infogan", "--critic_steps=5", "--batch_size=400"),
        "5 critic steps take 2000 images, a batch of 400 each, and there are 1094: use "
        "--batch_size=218 or less.",
    ),
    "batch larger than the data": (
        ("--model=tiny_infogan", "--batch_size=5000"),
        "A batch of 5000 images was asked for, and there are 1094: use "
        "--batch_size=1094 or less.",
    ),
}


@pytest.mark.parametrize(("flags", "text"), BAD.values(), ids=BAD.keys())
def test_bad_flags_are_one_clear_line(tmp_path, flags, text):
    error = fails("train", *flags, f"--run_dir={tmp_path / 'run'}")
    assert text in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("tool", ["evaluate", "traverse", "export"])
def test_commands_on_a_directory_without_a_run(tmp_path, tool):
    flags = [f"--run_dir={tmp_path}"]
    if tool == "export":
        flags.append(f"--export_dir={tmp_path / 'out'}")
    assert "is not a run directory (it has no options.json)" in fails(tool, *flags)
    assert not list(tmp_path.iterdir())


def test_another_keras_backend_is_refused():
    error = fails("list_models", env={"KERAS_BACKEND": "jax"})
    assert 'Keras runs on the backend "jax"' in error
    assert "set the environment variable KERAS_BACKEND=tensorflow" in error


def test_a_missing_tensorflow_is_said(tmp_path):
    (tmp_path / "tensorflow.py").write_text("raise ImportError('no wheel for you')")
    error = fails("list_models", env={"PYTHONPATH": f"{tmp_path}:{ROOT}"})
    assert "TensorFlow cannot be imported (no wheel for you): install it" in error


def test_an_interrupt_where_nothing_has_to_be_saved_is_one_word():
    script = (
        "import sys, signal; sys.path.insert(0, 'tools'); import command_line\n"
        # what a shell runs in the background ignores the signal
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "command_line.run(lambda: signal.raise_signal(signal.SIGINT), tensorflow=False)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted.\n")


def test_arguments_that_are_no_flags_are_refused():
    code, _, error = command("train", "--model=tiny_infogan", "mnist")
    assert code == 1
    assert "Unexpected arguments: mnist" in error


@pytest.mark.parametrize("name", ["figure.xyz", "figure"])
def test_a_figure_of_no_format_is_refused(tiny_run, tmp_path, name):
    output = tmp_path / name
    error = fails("paper_figures", f"--run_dir={tiny_run}", f"--output={output}")
    assert error.startswith(
        f'Error: Figure 1 cannot be written as "{output}": its name has to end in one of .'
    )
    assert ".png" in error and not list(tmp_path.iterdir())


def test_a_figure_is_written_whole(tiny_run, tmp_path):
    output = tmp_path / "new" / "figure.PNG"
    flags = (f"--run_dir={tiny_run}", f"--output={output}")
    code, out, error = command("paper_figures", *flags)
    assert (code, out.strip()) == (0, str(output)), error
    assert output.read_bytes().startswith(b"\x89PNG")
    assert list(output.parent.iterdir()) == [output]
    (tmp_path / "file").touch()
    below = tmp_path / "file" / "figure.png"
    error = fails("paper_figures", f"--run_dir={tiny_run}", f"--output={below}")
    assert error.startswith(f"Error: {below} cannot be written: ")


def test_runs_in_one_table(tiny_run, tmp_path):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / "metrics.json").write_text('{"model": "m", "seed": 0, "step": 5, "mi/c1": 2.25}')
    code, out, error = command("evaluate", "--compare", str(run), str(run))
    assert code == 0, error
    first, *_, last = ([c.strip() for c in row.split("|")] for row in out.splitlines())
    assert first[1:-1] == ["model", "m", "m", "mean", "least", "most"]
    assert last[1:-1] == ["mi/c1", *["2.2500"] * 5]
    (run / "metrics.json").unlink()
    assert fails("evaluate", "--compare", str(run)) == (
        f"Error: {run} was not scored (it has no metrics.json): run tools/evaluate.py "
        f"--run_dir={run} first."
    )
    assert "--compare got no run" in fails("evaluate", "--compare")
    assert "more is one run too many: give --compare" in fails(
        "evaluate", f"--run_dir={run}", "more"
    )
