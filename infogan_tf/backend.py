"""Imported before anything else: TensorFlow is there, and Keras runs on it."""

import os
import sys

from infogan_tf.errors import InfoGANError

_chosen = os.environ.get("KERAS_BACKEND", "tensorflow")
if "keras" in sys.modules:
    _chosen = sys.modules["keras"].config.backend()
if _chosen != "tensorflow":
    raise InfoGANError(
        f'Keras runs on the backend "{_chosen}", and infogan_tf runs on "tensorflow" '
        "only: set the environment variable KERAS_BACKEND=tensorflow (or unset it)."
    )
os.environ["KERAS_BACKEND"] = "tensorflow"  # outranks ~/.keras/keras.json
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

try:
    import tensorflow  # noqa: F401
except ImportError as error:
    raise InfoGANError(
        f"TensorFlow cannot be imported ({error}): install it together with infogan_tf, "
        'for example with pip install "infogan_tf[tf-cpu]" (or [tf], or [gpu]).'
    ) from error
