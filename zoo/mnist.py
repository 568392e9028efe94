"""Handwritten digits, 28 x 28 x 1 (Table 1 and Section 7.1 of arXiv 1606.03657).

discriminator D / recognition Q          generator G
4x4 conv 64, leaky ReLU, stride 2        FC 1024, ReLU, batch norm
4x4 conv 128, leaky ReLU, stride 2, BN   FC 7x7x128, ReLU, batch norm
FC 1024, leaky ReLU, batch norm          4x4 upconv 64, ReLU, stride 2, BN
D: FC 1;  Q: FC 128, BN, leaky ReLU, FC  4x4 upconv 1, sigmoid, stride 2

python tools/train.py --model=mnist_infogan --data_dir=DIR
"""

import dataclasses

from infogan_tf.blocks import Convolution, Dense, Reshape, UpConvolution, unnormalised
from infogan_tf.channel import RandomAffine
from infogan_tf.games import (
    CategoricalEntropy,
    EnergyMargin,
    Equilibrium,
    ExtraClass,
    LeastSquares,
    Wasserstein,
)
from infogan_tf.latents import Categorical, LatentSpace, Noise, Uniform
from infogan_tf.penalties import DRAGAN, WGANGP, PullingAway, WeightClipping
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
        description="InfoGAN on MNIST, the paper's settings",
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
BEST = register(
    dataclasses.replace(
        PAPER,
        name="mnist_infogan",
        description="InfoGAN on MNIST, our best: c1 goes through a noisy channel",
        latents=LatentSpace(
            codes=(
                Categorical("c1", 10),
                Uniform("c2", mi_weight=0.1, mi_start=0.2, q_stddev=0.3),
                Uniform("c3", mi_weight=0.1, mi_start=0.2, q_stddev=0.3),
            ),
            noise=Noise(62),
        ),
        recognition_stddev=0.02,
        training=TrainSpec(decay=0.2),
        channels=(RandomAffine(codes=("c1",)),),
    )
)

# Q shares the trunk, and at weight 1 its objective drowns the game there: D stays at chance
# (d_loss 2 ln 2) and G draws noise. At 0.1 it draws digits (FID 12.1 after 1,000 updates).
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

# --- the family, on the same networks ----------------------------------------------------


# A GAN without codes and Q. DCGAN's rates (2e-4 for both, Radford et al. 2016, Section 4)
# belong to its networks: with these the game is lost (FID 1,030 after 1,000 updates), so
# this and what follows from it has the rates of the networks' own paper.
DCGAN = register(
    ModelSpec(
        name="mnist_dcgan",
        description="DCGAN: a regular GAN of strided convolutions, without codes",
        method="gan",
        data=PAPER.data,
        latents=LatentSpace(codes=(), noise=Noise(100)),
        generator=GENERATOR,
        trunk=TRUNK,
    )
)

LABEL = LatentSpace(codes=(Categorical("label", 10),), noise=Noise(62))

# D is told by ten more planes of its image. By an output for each digit on top of the
# trunk, D would see at once that a generated image does not match its label, and G would
# not learn to draw one (FID 1,044 after 1,000 updates, 83 with spectral normalisation).
register(
    dataclasses.replace(
        DCGAN,
        name="mnist_cgan",
        description="CGAN: both players are told the digit",
        method="conditional_gan",
        latents=LABEL,
        training=dataclasses.replace(DCGAN.training, labels=-1, decay=0.3),
    )
)

register(
    dataclasses.replace(
        DCGAN,
        name="mnist_acgan",
        description="ACGAN: the discriminator also names the digit",
        method="supervised_infogan",
        latents=LABEL,
        recognition=RECOGNITION,
        training=dataclasses.replace(DCGAN.training, labels=-1),
    )
)

register(
    dataclasses.replace(
        BEST,
        name="mnist_infogan_semisupervised",
        description="mnist_infogan, with c1 shown the digit of 100 images",
        method="supervised_infogan",
        training=TrainSpec(decay=0.2, labels=100),
    )
)

register(
    dataclasses.replace(
        DCGAN,
        name="mnist_lsgan",
        description="LSGAN with a, b, c = -1, 1, 0: least squares, Pearson's chi^2",
        game=LeastSquares(),
    )
)

register(
    dataclasses.replace(
        DCGAN,
        name="mnist_lsgan_binary",
        description="LSGAN with a, b, c = 0, 1, 1",
        game=LeastSquares(generated=0.0, real=1.0, wanted=1.0),
    )
)

register(
    dataclasses.replace(
        DCGAN,
        name="mnist_wgan",
        description="WGAN: a critic with clipped weights, the earth mover's distance",
        game=Wasserstein(),
        penalties=(WeightClipping(0.01),),
        training=TrainSpec(
            batch_size=64,
            critic_steps=5,
            optimizer="rmsprop",
            generator_learning_rate=5e-5,
            discriminator_learning_rate=5e-5,
        ),
    )
)

register(
    dataclasses.replace(
        DCGAN,
        name="mnist_wgan_gp",
        description="WGAN-GP: a critic whose slope is held at 1",
        trunk=unnormalised(TRUNK),
        game=Wasserstein(),
        penalties=(WGANGP(10.0),),
        training=TrainSpec(
            batch_size=64,
            critic_steps=5,
            generator_learning_rate=1e-4,
            discriminator_learning_rate=1e-4,
            beta_1=0.5,
            beta_2=0.9,
        ),
    )
)

register(
    dataclasses.replace(
        DCGAN,
        name="mnist_dragan",
        description="DRAGAN: a regular GAN, its slope held at 1 around real images",
        trunk=unnormalised(TRUNK),
        penalties=(DRAGAN(10.0),),
        training=TrainSpec(generator_learning_rate=1e-3, discriminator_learning_rate=1e-3),
    )
)

# Of autoencoders that are discriminators. Batch normalisation would let them reconstruct
# digits from black, and a sigmoid's gradient vanishes there: the absolute error then stays
# at that of the median, which is black.
DECODER = unnormalised(
    (
        Dense(7 * 7 * 128, activation="relu"),
        Reshape(7, 7, 128),
        UpConvolution(64, activation="relu"),
        UpConvolution(1, activation="linear"),
    )
)

EBGAN = register(
    dataclasses.replace(
        DCGAN,
        name="mnist_ebgan",
        description="EBGAN: an autoencoder's error is the energy",
        method="ebgan",
        trunk=unnormalised(TRUNK),
        decoder=DECODER,
        game=EnergyMargin(0.1),
        training=TrainSpec(generator_learning_rate=1e-3, discriminator_learning_rate=1e-3),
    )
)

register(
    dataclasses.replace(
        EBGAN,
        name="mnist_ebgan_pt",
        description="EBGAN whose generated images' features pull away from each other",
        penalties=(PullingAway(0.1),),
    )
)

# A narrow code, as in the paper, whose gamma 0.5 and rate of k 0.001 are for longer
# trainings: k is 0.003 after 300 updates, and G answers black, cheapest to reconstruct.
register(
    dataclasses.replace(
        DCGAN,
        name="mnist_began",
        description="BEGAN: two autoencoder errors held at a ratio",
        method="began",
        latents=LatentSpace(codes=(), noise=Noise(64)),
        trunk=(*unnormalised(TRUNK), Dense(64, activation="linear", batch_norm=False)),
        decoder=DECODER,
        game=Equilibrium(gamma=0.75, rate=0.05),
        training=TrainSpec(generator_learning_rate=5e-4, discriminator_learning_rate=5e-4),
    )
)

CATGAN = register(
    dataclasses.replace(
        DCGAN,
        name="mnist_catgan",
        description="catGAN: sure classes of real images, unsure ones of generated",
        method="classifier_gan",
        game=CategoricalEntropy(10),
    )
)

# Without labels a class need not be a whole digit: ten join some (63% of the test images
# are in a class of mostly their label), twenty need not (88%; 1,000 updates, seed 0).
register(
    dataclasses.replace(
        CATGAN,
        name="mnist_catgan_20",
        description="catGAN with twenty classes for ten digits, for use without labels",
        game=CategoricalEntropy(20),
    )
)

# With batch normalisation in its dense layer too, D is sure of every digit, however faint,
# and the generator's images stay grey (FID 1,049 after 1,000 updates).
register(
    dataclasses.replace(
        DCGAN,
        name="mnist_sgan",
        description='SGAN: ten digits and "generated", shown 1,000 labels',
        method="classifier_gan",
        trunk=(*TRUNK[:2], *unnormalised(TRUNK[2:])),
        game=ExtraClass(10),
        training=dataclasses.replace(DCGAN.training, labels=1_000),
    )
)
