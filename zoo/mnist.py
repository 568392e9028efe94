"""Handwritten digits, 28 x 28 x 1 (Table 1 and Section 7.1 of arXiv 1606.03657).

discriminator D / recognition Q          generator G
4x4 conv 64, leaky ReLU, stride 2        FC 1024, ReLU, batch norm
4x4 conv 128, leaky ReLU, stride 2, BN   FC 7x7x128, ReLU, batch norm
FC 1024, leaky ReLU, batch norm          4x4 upconv 64, ReLU, stride 2, BN
D: FC 1;  Q: FC 128, BN, leaky ReLU, FC  4x4 upconv 1, sigmoid, stride 2

python tools/train.py --model=mnist_infogan --data_dir=DIR
"""

import dataclasses

from infogan_tf.blocks import Convolution, Dense, Reshape, UpConvolution
from infogan_tf.channel import RandomAffine
from infogan_tf.games import LeastSquares
from infogan_tf.latents import Categorical, LatentSpace, Noise, Uniform
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec
from zoo.registry import register

GENERATOR = (
    Dense(1024, activation="relu"),
    Dense(7 * 7 * 128, activation="relu"),
    Reshape(7, 7, 128),
    UpConvolution(64, activation="relu"),
    UpConvolution(1, activation="sigmoid", batch_norm=False),
)
TRUNK = (
    Convolution(64, activation="leaky_relu", batch_norm=False),
    Convolution(128, activation="leaky_relu"),
    Dense(1024, activation="leaky_relu"),
)
RECOGNITION = (Dense(128, activation="leaky_relu"),)

# What the paper does not state (batch 128, beta_1 0.5, z uniform, 5,000 updates) is the
# authors' code's; the last activation, which Table 1 does not print, is a sigmoid there.
# Q's output starts at unit scale, 128^-0.5: L_I then rises as fast as in Figure 1.
PAPER = register(
    ModelSpec(
        name="mnist_infogan_paper",
        description="InfoGAN on MNIST, the paper's settings to the letter",
        method="infogan",
        data=DataSpec("mnist", (28, 28, 1)),
        latents=LatentSpace(
            codes=(Categorical("c1", 10), Uniform("c2"), Uniform("c3")), noise=Noise(62)
        ),
        generator=GENERATOR,
        trunk=TRUNK,
        recognition=RECOGNITION,
        recognition_stddev=128**-0.5,
    )
)

# The category reaches Q through a random affine channel, so it cannot stand for slant,
# place or size, and comes to stand for the digit. The continuous codes weigh little
# (Section 6: "a smaller lambda") and Q's deviation for them is fixed, or they take pairs of
# digits for themselves: early where they weigh 0.1, late where Q's deviation is learned.
# Q's output starts small: L_I rises later, when there are strokes to tell apart.
register(
    dataclasses.replace(
        PAPER,
        name="mnist_infogan",
        description="InfoGAN on MNIST, our best: c1 goes through a noisy channel",
        latents=LatentSpace(
            codes=(
                Categorical("c1", 10),
                Uniform("c2", mi_weight=0.03, q_stddev=0.3),
                Uniform("c3", mi_weight=0.03, q_stddev=0.3),
            ),
            noise=Noise(62),
        ),
        recognition_stddev=0.02,
        training=TrainSpec(decay=0.2),
        channel=RandomAffine(codes=("c1",)),
    )
)

register(
    dataclasses.replace(
        PAPER,
        name="mnist_lsgan",
        description="LSGAN on MNIST's networks: least squares, Pearson's chi^2",
        method="gan",
        latents=LatentSpace(codes=(), noise=Noise(74)),
        recognition=(),
        game=LeastSquares(),
    )
)

# Q shares the trunk, and at weight 1 its objective drowns the game there: D stays at chance
# (d_loss 2 ln 2) and G draws noise. At 0.1 the GAN is as good as the one without a Q.
register(
    dataclasses.replace(
        PAPER,
        name="mnist_gan",
        description="a regular GAN on MNIST, watched by a Q that G never hears of",
        method="onlooker_gan",
        latents=LatentSpace(
            codes=(
                Categorical("c1", 10, mi_weight=0.1),
                Uniform("c2", mi_weight=0.1),
                Uniform("c3", mi_weight=0.1),
            ),
            noise=Noise(62),
        ),
    )
)
