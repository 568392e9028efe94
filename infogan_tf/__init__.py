"""InfoGAN and its family for TensorFlow and Keras 3.

Names are imported when they are used, so that the client of a server, which needs no
TensorFlow, does not import it.
"""

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "channel": ["RandomAffine", "RandomExposure", "RandomMirror", "WhiteNoise"],
    "errors": ["InfoGANError"],
    "evaluation": ["evaluate"],
    "games": ["Hinge", "LeastSquares", "Minimax", "NonSaturating", "Wasserstein"],
    "latents": [
        *("Bernoulli", "Categorical", "Gaussian", "LatentSpace", "Noise", "Uniform"),
    ],
    "loading": ["load"],
    "models": ["GAN", "InfoGAN", "OnlookerGAN", "build"],
    "serving.export": ["export"],
    "spec": ["DataSpec", "ModelSpec", "TrainSpec"],
    "training": ["train"],
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
_PARTS = ["data", "evaluation", "games", "latents", "models", "serving", "training"]

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name in _HOME:
        importlib.import_module("infogan_tf.backend")  # TensorFlow is there, under Keras
        return getattr(importlib.import_module(f"infogan_tf.{_HOME[name]}"), name)
    if name in _PARTS:
        return importlib.import_module(f"infogan_tf.{name}")
    raise AttributeError(f'infogan_tf has no "{name}"; it has {", ".join(__all__)}')


def __dir__() -> list[str]:
    return [*__all__, *_PARTS]
