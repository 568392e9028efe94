"""Trains a model of the zoo; run it again to resume.

python tools/train.py --model=mnist_infogan --data_dir=DIR
"""

from absl import flags
from command_line import FLAGS, chosen_spec, define_data_flags, define_model_flags, run

define_model_flags()
define_data_flags()
flags.DEFINE_string("run_dir", None, "Where the run is kept; runs/<model>_seed<N> if none.")
flags.DEFINE_string("strategy", None, "mirrored: all GPUs; multi_worker: by TF_CONFIG.")
flags.DEFINE_bool("dry_run", False, "Print the resolved options and stop.")


def main() -> None:
    from infogan_tf import replicas
    from infogan_tf.training import train

    spec = chosen_spec()
    if FLAGS.dry_run:
        import json

        from infogan_tf.spec import to_json

        print(json.dumps(to_json(spec), indent=2))
        return
    strategy = replicas.find(FLAGS.strategy) if FLAGS.strategy else None
    run_dir = FLAGS.run_dir or f"runs/{spec.name}_seed{spec.training.seed}"
    train(
        spec,
        run_dir,
        dataset=FLAGS.dataset,
        data_dir=FLAGS.data_dir,
        strategy=strategy,
    )
    print(f"Run:     {run_dir}\nSweeps:  {run_dir}/traversals")
    print(f"Watch:   tensorboard --logdir={run_dir} --samples_per_plugin images=100")


if __name__ == "__main__":
    run(main)
