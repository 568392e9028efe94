"""A model small enough for tests: 8 x 8 x 1 drawn shapes, every kind of latent code."""

from infogan_tf.blocks import Convolution, Dense, Reshape, UpConvolution
from infogan_tf.latents import (
    Bernoulli,
    Categorical,
    Gaussian,
    LatentSpace,
    Noise,
    Uniform,
)
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec
from zoo.registry import register

register(
    ModelSpec(
        name="tiny_infogan",
        description="every kind of code on 8 x 8 shapes, for fast tests",
        method="infogan",
        data=DataSpec("synthetic", (8, 8, 1)),
        latents=LatentSpace(
            codes=(
                Categorical("c1", 3),
                Uniform("c2"),
                Gaussian("c3", mi_weight=0.5),
                Bernoulli("c4"),
            ),
            noise=Noise(4, "normal"),
        ),
        generator=(
            Dense(2 * 2 * 8, activation="relu"),
            Reshape(2, 2, 8),
            UpConvolution(8, activation="relu"),
            UpConvolution(1, activation="sigmoid", batch_norm=False),
        ),
        trunk=(
            Convolution(8, activation="leaky_relu", batch_norm=False),
            Convolution(16, activation="leaky_relu"),
            Dense(16, activation="leaky_relu"),
        ),
        recognition=(Dense(8, activation="leaky_relu"),),
        training=TrainSpec(
            steps=20,
            batch_size=16,
            log_every=5,
            checkpoint_every=10,
            sweep_every=10,
        ),
    )
)
