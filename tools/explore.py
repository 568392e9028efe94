"""A page with a slider for each code, drawn by an export or by a server.

python tools/explore.py --export_dir=exports/mnist_infogan
python tools/explore.py --server=http://localhost:8501 --model=mnist_infogan
"""

from absl import flags
from command_line import FLAGS, run

flags.DEFINE_string("export_dir", None, "Folder of one exported model.")
flags.DEFINE_string("server", None, "http://host:port, or grpc://host:port.")
flags.DEFINE_string("model", None, "Name of the model on the server.")
flags.DEFINE_integer(
    "port", 7860, "Where the page is served.", lower_bound=1, upper_bound=65535
)


def main() -> None:
    import contextlib
    import threading

    from infogan_tf.errors import InfoGANError

    if bool(FLAGS.export_dir) == bool(FLAGS.server):
        raise InfoGANError("Give one of --export_dir=DIR and --server=ADDRESS.")
    if FLAGS.server and not FLAGS.model:
        raise InfoGANError("--server needs --model=NAME, the model's name there.")
    try:
        from infogan_tf.serving import explore
    except ImportError as error:
        raise InfoGANError(
            f'The page needs Gradio ({error}): pip install "infogan_tf[explore]".'
        ) from error
    if FLAGS.server:
        from infogan_tf.serving.client import connect

        model = connect(FLAGS.server, FLAGS.model)
    else:
        from infogan_tf.serving.saved_model import SavedModel

        model = SavedModel(FLAGS.export_dir)
    page = explore.page(model)
    try:
        page.launch(server_port=FLAGS.port, quiet=True, prevent_thread_lock=True)
    except OSError as error:
        raise InfoGANError(
            f"The page cannot be served at port {FLAGS.port}, which is taken or not yours: "
            "give another --port."
        ) from error
    with contextlib.suppress(KeyboardInterrupt):
        print(f"http://127.0.0.1:{FLAGS.port}  (Ctrl-C to end)", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    run(main, tensorflow=False)
