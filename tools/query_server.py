"""Draws a latent sweep with a running server; imports no TensorFlow.

python tools/query_server.py --server=http://localhost:8501 --model=mnist_infogan --code=0
"""

from absl import flags
from command_line import FLAGS, run

ROWS = 10

flags.DEFINE_string("server", "http://localhost:8501", "http:// or grpc://host:port.")
flags.DEFINE_string("model", None, "Name of the model on the server.")
flags.DEFINE_integer("code", 0, "Place of the code to sweep, from 0.")
flags.DEFINE_string("output", "sweep.png", "The picture to write.")
flags.mark_flag_as_required("model")


def main() -> None:
    import numpy as np

    from infogan_tf.grid import Grid
    from infogan_tf.serving.client import NotFoundError, connect

    client = connect(FLAGS.server, FLAGS.model)
    if "sweep" not in client.signatures:
        raise NotFoundError(f"{FLAGS.model} has no codes to sweep.")
    inputs = {name: np.zeros(ROWS) for name in client.signatures["sweep"].inputs}
    inputs |= {"seed": np.arange(ROWS), "code": np.full(ROWS, FLAGS.code)}
    images = client.call("sweep", inputs)["images"]
    noises = tuple(f"seed {row}" for row in range(ROWS))
    title = f"{FLAGS.model} at {client.address}: code {FLAGS.code} changes"
    print(Grid(title, images, noises).write_png(FLAGS.output))


if __name__ == "__main__":
    run(main, tensorflow=False)
