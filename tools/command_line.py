"""What every command shares: its flags, and how it ends.

Nothing heavy is imported before the flags are parsed, so that `--help` answers at once.
"""

import sys
from collections.abc import Callable
from typing import Any

from absl import app, flags, logging

FLAGS = flags.FLAGS


def define_model_flags() -> None:
    """--model, --model_module and what overrides the entry's own game and numbers."""
    flags.DEFINE_string("model", None, "Entry of the zoo; see tools/list_models.py.")
    flags.DEFINE_string("model_module", None, "Your module with entries of its own.")
    flags.DEFINE_string("game", None, "least_squares, hinge, ...: what G and D play.")
    flags.DEFINE_string("penalty", None, "wgan_gp, r1, ... (several: a,b), or none.")
    flags.DEFINE_integer("critic_steps", None, "Updates of D for one of the generator.")
    flags.DEFINE_integer("labels", None, "Images whose label is shown; -1: all.")
    flags.DEFINE_integer("steps", None, "Updates of the generator.")
    flags.DEFINE_integer("batch_size", None, "Real images a step.")
    flags.DEFINE_integer("seed", None, "Everything random is a function of it.")
    flags.DEFINE_enum(
        "precision",
        None,
        ["float32", "bfloat16"],
        "Of the computation, not the weights.",
    )
    flags.DEFINE_enum(
        "jit_compile", None, ["auto", "true", "false"], "Whether XLA compiles the step."
    )
    flags.DEFINE_float("ema_decay", None, "Keep an average of the generator, e.g. 0.999.")
    flags.DEFINE_integer("log_every", None, "Steps between lines of the log.")
    flags.DEFINE_integer("checkpoint_every", None, "Steps between checkpoints.")
    flags.DEFINE_integer("sweep_every", None, "Steps between latent sweeps.")
    flags.mark_flag_as_required("model")


def define_data_flags() -> None:
    """--dataset and --data_dir."""
    flags.DEFINE_string("dataset", None, "digits, synthetic, folder, or a TFDS name.")
    flags.DEFINE_string("data_dir", None, "Folder with the files of the data set, or .npz.")


def define_run_dir_flag() -> None:
    """--run_dir of an earlier training."""
    flags.DEFINE_string("run_dir", None, "Run directory of a training.")
    flags.mark_flag_as_required("run_dir")


def chosen_spec() -> Any:
    """The ModelSpec of --model, with the flags that were given in place of its numbers."""
    from infogan_tf import games, penalties
    from zoo import registry

    spec = registry.find(FLAGS.model, FLAGS.model_module)
    if FLAGS.game or FLAGS.penalty:
        spec = spec.playing(
            games.find(FLAGS.game) if FLAGS.game else spec.game,
            penalties.find(FLAGS.penalty) if FLAGS.penalty else spec.penalties,
        )
    names = [field for field in vars(spec.training) if field in FLAGS]
    given = {name: FLAGS[name].value for name in names if FLAGS[name].value is not None}
    return spec.with_training(**given)


def run(
    main: Callable[..., None], *, more_arguments: bool = False, tensorflow: bool = True
) -> None:
    """Runs a command: a user's mistake is one line on stderr and exit code 1.

    What a signal stopped exits with a code of its own, 128 and the signal.

    Args:
        main: called with the words that are no flags, where there may be any.
        more_arguments: whether there may.
        tensorflow: whether the command needs it.
    """
    logging.set_verbosity(logging.WARNING)

    def with_errors(argv: list[str]) -> None:
        if len(argv) > 1 and not more_arguments:
            raise app.UsageError(f"Unexpected arguments: {' '.join(argv[1:])}")
        from infogan_tf.errors import InfoGANError

        try:
            if tensorflow:
                from infogan_tf import backend  # noqa: F401  it is there, under Keras
            main(*argv[1:])
        except InfoGANError as error:
            _fail(error)
        except KeyboardInterrupt:  # where nothing is under way that has to be saved
            print("Interrupted.", file=sys.stderr)
            sys.exit(130)
        except OSError as error:
            advice = "Look at the path, at who may read and write it, and at the room left."
            _fail(InfoGANError(f"The system refused: {error}. {advice}"))

    app.run(with_errors)


def _fail(error: Any) -> None:
    print(f"Error: {' '.join(str(error).split())}", file=sys.stderr)
    sys.exit(error.exit_code)
