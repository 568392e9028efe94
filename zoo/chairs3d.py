"""3D chairs, 64 x 64 x 1 (Table 5 and Section 7.2 of arXiv 1606.03657).

discriminator D / recognition Q          generator G
4x4 conv 64, leaky ReLU, stride 2        FC 1024, ReLU, batch norm
4x4 conv 128, leaky ReLU, stride 2, BN   FC 8x8x256, ReLU, batch norm
4x4 conv 256, leaky ReLU, stride 2, BN   4x4 upconv 256, ReLU, batch norm
4x4 conv 256, leaky ReLU, batch norm     4x4 upconv 256, ReLU, batch norm
4x4 conv 256, leaky ReLU, batch norm     4x4 upconv 128, ReLU, stride 2, BN
FC 1024, leaky ReLU, batch norm          4x4 upconv 64, ReLU, stride 2, BN
D: FC 1;  Q: FC                          4x4 upconv 1, sigmoid, stride 2

Three categorical codes of twenty values, one continuous code, 128 of noise: the 189 inputs
of Appendix C (Section 7.2 says four categorical codes, which would make 209). The last
up-convolution prints no stride; from 8 to 64 takes three doublings, so it has stride 2. The
paper trains twice, with D and Q at 2e-4 and G at 1e-3:

                            lambda continuous   lambda discrete
chairs3d_infogan_rotation          10                  1
chairs3d_infogan_width              0.05               2

`chairs3d_infogan` has the paper's networks and rates, and codes that weigh less and come
late: with the weights for rotation 1,736 stand-in renders gave grey images. c4 turns the
chair after 1,200 updates with batches of 32 (|rho| 0.78 with the azimuth, docs/results);
the categories carry nothing by then.

Where this is not the paper: batch, beta_1 and noise are those of the authors' MNIST code;
10,000 updates, 16 passes over the nine tenths of the 86,366 renders that are trained on,
are ours.

python tools/train.py --model=chairs3d_infogan --data_dir=DIR

DIR holds the folders of "Seeing 3D chairs" (Aubry et al. 2014), or one .npz file.
"""

import dataclasses

from infogan_tf.blocks import Convolution, Dense, Reshape, UpConvolution
from infogan_tf.channel import RandomMirror
from infogan_tf.latents import Categorical, LatentSpace, Noise, Uniform
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec
from zoo.registry import register


def chairs3d(
    name: str, description: str, *, continuous: float, discrete: float
) -> ModelSpec:
    """Table 5, with the lambdas that the paper sets for what it shows."""
    return ModelSpec(
        name=name,
        description=description,
        method="infogan",
        data=DataSpec("chairs3d", (64, 64, 1)),
        latents=LatentSpace(
            codes=(
                *(Categorical(f"c{i}", 20, mi_weight=discrete) for i in range(1, 4)),
                Uniform("c4", mi_weight=continuous),
            ),
            noise=Noise(128),
        ),
        generator=(
            Dense(1024, activation="relu"),
            Dense(8 * 8 * 256, activation="relu"),
            Reshape(8, 8, 256),
            UpConvolution(256, stride=1, activation="relu"),
            UpConvolution(256, stride=1, activation="relu"),
            UpConvolution(128, activation="relu"),
            UpConvolution(64, activation="relu"),
            UpConvolution(1, activation="sigmoid", batch_norm=False),
        ),
        trunk=(
            Convolution(64, activation="leaky_relu", batch_norm=False),
            Convolution(128, activation="leaky_relu"),
            Convolution(256, activation="leaky_relu"),
            Convolution(256, stride=1, activation="leaky_relu"),
            Convolution(256, stride=1, activation="leaky_relu"),
            Dense(1024, activation="leaky_relu"),
        ),
        training=TrainSpec(steps=10_000),
    )


ROTATION = register(
    chairs3d(
        "chairs3d_infogan_rotation",
        "InfoGAN on 3D chairs, the paper's settings for rotation",
        continuous=10.0,
        discrete=1.0,
    )
)
register(
    chairs3d(
        "chairs3d_infogan_width",
        "InfoGAN on 3D chairs, the paper's settings for width",
        continuous=0.05,
        discrete=2.0,
    )
)

# What turns round in the mirror is the rotation (c4). The game comes first, the codes late.
register(
    dataclasses.replace(
        ROTATION,
        name="chairs3d_infogan",
        description="InfoGAN on 3D chairs, ours: c4 turns round in a mirror",
        latents=LatentSpace(
            codes=(
                *(Categorical(f"c{i}", 20, mi_weight=0.1, mi_start=0.2) for i in (1, 2, 3)),
                Uniform("c4", mi_weight=0.2, mi_start=0.1, q_stddev=0.3),
            ),
            noise=Noise(128),
        ),
        channels=(RandomMirror(codes=("c4",), odd=("c4",)),),
        training=dataclasses.replace(ROTATION.training, decay=0.2),
    )
)
