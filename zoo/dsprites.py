"""dSprites, 64 x 64 x 1: InfoGAN where every factor of the images is known.

Not an experiment of the paper. The benchmark of disentanglement, with networks of the size
that is usual for it:

discriminator D / recognition Q                    generator G
4x4 conv 32, leaky ReLU, stride 2                  FC 128, ReLU, batch norm
4x4 conv 32, leaky ReLU, stride 2                  FC 4x4x64, ReLU, batch norm
4x4 conv 64, leaky ReLU, stride 2                  4x4 upconv 64, ReLU, stride 2, BN
4x4 conv 64, leaky ReLU, stride 2                  4x4 upconv 32, ReLU, stride 2, BN
FC 128, leaky ReLU                                 4x4 upconv 32, ReLU, stride 2, BN
D: FC 1;  Q: FC 128, leaky ReLU, BN, FC            4x4 upconv 1, sigmoid, stride 2

Four continuous codes, a category of three and 6 of noise: 13 inputs. The published figures
beside ours are of InfoGAN-CR's authors (Lin et al. 2020, arXiv 1906.06034). Their runs of
InfoGAN have five codes, all alike; here it is put in by hand how images of what a code
stands for behave in a mirror, and when they are turned, scaled and moved.

D stays in the game by R1 and twice the rate of G. Spectrally normalised, as theirs is, it
is at chance from update 1,500 on where both rates are 1e-3, and images are discs (FID 36,
recall .02); with 3e-4 for G it is not for four fifths of 5,000 updates (FID 32); in the
hinge game it wins outright, and G draws nothing. With neither, at the rate of G, D wins as
well (d_loss 0.02). Where D is in the game G leaves the place to the noise and writes c1 and
c2 into the outline. White noise on what Q sees prevents it: they have to change many
pixels. The tilt drowns in as much of it: read through noise of 0.7, c4 says nothing before
update 5,000, and on one of two seeds nothing by 6,000; through 0.3 it is at 0.64 nats by
2,250. The category finds the shape where it weighs 1 and comes when images have outlines
(93, 70 and 56% of the held-out images sorted right on three seeds; a third is chance); with
0.2 it finds nothing, and at update 4,500 it takes the size from c3.

python tools/train.py --model=dsprites_infogan [--data_dir=DIR]

DIR holds the published dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz; without it the same
grid of shapes is drawn (see `infogan_tf.data.dsprites`).
"""

from infogan_tf.blocks import Convolution, Dense, Reshape, UpConvolution
from infogan_tf.channel import RandomAffine, RandomMirror, WhiteNoise
from infogan_tf.latents import Categorical, LatentSpace, Noise, Uniform
from infogan_tf.penalties import R1
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec
from zoo.registry import register

# What changes its sign left for right is the place across (c1), top for bottom the height
# (c2), in either mirror the tilt (c4); what stays as it is wherever an image is moved and
# turned, the size (c3). What lasts through all of that is the shape (c5). Images are moved
# before the tilt is read, and it comes after the place: place across times height, or tilt
# times height, have the same signs.
register(
    ModelSpec(
        name="dsprites_infogan",
        description="InfoGAN on dSprites, for the disentanglement scores",
        method="infogan",
        data=DataSpec("dsprites", (64, 64, 1)),
        latents=LatentSpace(
            codes=(
                Uniform("c1", mi_weight=0.2, q_stddev=0.3),
                Uniform("c2", mi_weight=0.2, q_stddev=0.3),
                Uniform("c3", mi_weight=0.5, mi_start=0.02, q_stddev=0.3),
                Uniform("c4", mi_weight=0.5, mi_start=0.15, q_stddev=0.3),
                Categorical("c5", 3, mi_weight=1.0, mi_start=0.5),
            ),
            noise=Noise(6),
        ),
        generator=(
            Dense(128, activation="relu"),
            Dense(4 * 4 * 64, activation="relu"),
            Reshape(4, 4, 64),
            UpConvolution(64, activation="relu"),
            UpConvolution(32, activation="relu"),
            UpConvolution(32, activation="relu"),
            UpConvolution(1, activation="sigmoid", batch_norm=False),
        ),
        trunk=(
            Convolution(32, activation="leaky_relu", batch_norm=False),
            Convolution(32, activation="leaky_relu", batch_norm=False),
            Convolution(64, activation="leaky_relu", batch_norm=False),
            Convolution(64, activation="leaky_relu", batch_norm=False),
            Dense(128, activation="leaky_relu", batch_norm=False),
        ),
        recognition=(Dense(128, activation="leaky_relu"),),
        channels=(
            WhiteNoise(codes=("c1", "c2", "c3"), stddev=0.7),
            WhiteNoise(codes=("c4",), stddev=0.3),
            RandomMirror(codes=("c1", "c2", "c3", "c4"), odd=("c1", "c4")),
            RandomMirror(codes=("c1", "c2", "c4"), odd=("c2", "c4"), vertical=True),
            RandomAffine(
                codes=("c3",), rotation=180.0, scale=0.0, aspect=0.0, shear=0.0, shift=8.0
            ),
            RandomAffine(
                codes=("c4",), rotation=0.0, scale=0.0, aspect=0.0, shear=0.0, shift=8.0
            ),
            RandomAffine(
                codes=("c5",), rotation=180.0, scale=0.7, aspect=0.0, shear=0.0, shift=8.0
            ),
        ),
        penalties=(R1(0.3),),
        training=TrainSpec(
            steps=15_000,
            batch_size=64,
            generator_learning_rate=4e-4,
            discriminator_learning_rate=8e-4,
            decay=0.2,
        ),
    )
)
