"""InfoGAN and its family for TensorFlow and Keras 3."""

# isort: skip_file  (the first import checks TensorFlow and Keras for all the others)
__version__ = "0.1.0"

from infogan_tf import backend as _backend  # noqa: F401
from infogan_tf.channel import RandomAffine
from infogan_tf.errors import InfoGANError
from infogan_tf.evaluation import evaluate
from infogan_tf.games import Hinge, LeastSquares, Minimax, NonSaturating
from infogan_tf.latents import (
    Bernoulli,
    Categorical,
    Gaussian,
    LatentSpace,
    Noise,
    Uniform,
)
from infogan_tf.models import GAN, InfoGAN, OnlookerGAN, build
from infogan_tf.serving import export
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec
from infogan_tf.training import load, train

__all__ = [
    "GAN",
    "Bernoulli",
    "Categorical",
    "DataSpec",
    "Gaussian",
    "Hinge",
    "InfoGAN",
    "InfoGANError",
    "LatentSpace",
    "LeastSquares",
    "Minimax",
    "ModelSpec",
    "Noise",
    "NonSaturating",
    "OnlookerGAN",
    "RandomAffine",
    "TrainSpec",
    "Uniform",
    "build",
    "evaluate",
    "export",
    "load",
    "train",
]
