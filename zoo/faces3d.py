"""3D faces, 32 x 32 x 1 (Table 4 and Section 7.2 of arXiv 1606.03657).

discriminator D / recognition Q          generator G
4x4 conv 64, leaky ReLU, stride 2        FC 1024, ReLU, batch norm
4x4 conv 128, leaky ReLU, stride 2, BN   FC 8x8x128, ReLU, batch norm
FC 1024, leaky ReLU, batch norm          4x4 upconv 64, ReLU, stride 2, BN
D: FC 1;  Q: FC                          4x4 upconv 1, sigmoid, stride 2

Five continuous codes and 128 of noise: 133 inputs. The paper trains three times, each time
with other rates, for what it shows in Figure 3:

                           D and Q   G       lambda
faces3d_infogan_azimuth    2e-4      5e-4    0.2
faces3d_infogan_elevation  4e-4      3e-4    0.1
faces3d_infogan_lighting   8e-4      3e-4    0.1     lighting, wide or narrow

`faces3d_infogan` is one model for all of them, our best: the rates for azimuth, and c1 to
c3 reach Q through channels, so that each can stand for one factor only.

Where this is not the paper: its renders of the Basel Face Model and their ranges were
never published, so the images are ours (see `infogan_tf.data.faces3d`); batch, beta_1 and
noise are those of the authors' MNIST code; 10,000 updates, 24 passes, are ours, and 5,000
for our best.

python tools/prepare_data.py --dataset=faces3d --data_dir=DIR
python tools/train.py --model=faces3d_infogan --data_dir=DIR
"""

import dataclasses

from infogan_tf.blocks import Convolution, Dense, Reshape, UpConvolution
from infogan_tf.channel import RandomExposure, RandomMirror, WhiteNoise
from infogan_tf.latents import LatentSpace, Noise, Uniform
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec
from zoo.registry import register


def faces3d(
    name: str,
    description: str,
    *,
    discriminator_learning_rate: float,
    generator_learning_rate: float,
    mi_weight: float,
) -> ModelSpec:
    """Table 4, with the numbers that the paper sets for each of its factors."""
    return ModelSpec(
        name=name,
        description=description,
        method="infogan",
        data=DataSpec("faces3d", (32, 32, 1)),
        latents=LatentSpace(
            codes=tuple(Uniform(f"c{i}", mi_weight=mi_weight) for i in range(1, 6)),
            noise=Noise(128),
        ),
        generator=(
            Dense(1024, activation="relu"),
            Dense(8 * 8 * 128, activation="relu"),
            Reshape(8, 8, 128),
            UpConvolution(64, activation="relu"),
            UpConvolution(1, activation="sigmoid", batch_norm=False),
        ),
        trunk=(
            Convolution(64, activation="leaky_relu", batch_norm=False),
            Convolution(128, activation="leaky_relu"),
            Dense(1024, activation="leaky_relu"),
        ),
        training=TrainSpec(
            steps=10_000,
            discriminator_learning_rate=discriminator_learning_rate,
            generator_learning_rate=generator_learning_rate,
        ),
    )


AZIMUTH = register(
    faces3d(
        "faces3d_infogan_azimuth",
        "InfoGAN on 3D faces, the paper's settings for azimuth",
        discriminator_learning_rate=2e-4,
        generator_learning_rate=5e-4,
        mi_weight=0.2,
    )
)
register(
    faces3d(
        "faces3d_infogan_elevation",
        "InfoGAN on 3D faces, the paper's settings for elevation",
        discriminator_learning_rate=4e-4,
        generator_learning_rate=3e-4,
        mi_weight=0.1,
    )
)
register(
    faces3d(
        "faces3d_infogan_lighting",
        "InfoGAN on 3D faces, the paper's settings for lighting and width",
        discriminator_learning_rate=8e-4,
        generator_learning_rate=3e-4,
        mi_weight=0.1,
    )
)

# What turns a face and what moves the light shade it alike: the first principal component
# of the images is azimuth less lighting. Over-exposed, they show the azimuth (c1). What is
# odd besides, turns round in the mirror, and stands out from noise is the lighting (c2);
# what is even, the elevation (c3). The last two codes come late, for what is left. c1 has
# to be odd and to stand out as well. Over-exposed alone it follows the outline's size too:
# |rho| with the azimuth is 0.88 on seed 2 after 3,000 updates, 0.68 on seed 0 after 5,000.
register(
    dataclasses.replace(
        AZIMUTH,
        name="faces3d_infogan",
        description="InfoGAN on 3D faces, our best: every factor in one model",
        latents=LatentSpace(
            codes=(
                Uniform("c1", mi_weight=0.2, mi_start=0.02),
                Uniform("c2", mi_weight=0.2, mi_start=0.1),
                Uniform("c3", mi_weight=0.1, mi_start=0.1, q_stddev=0.3),
                Uniform("c4", mi_weight=0.05, mi_start=0.7, q_stddev=0.3),
                Uniform("c5", mi_weight=0.05, mi_start=0.7, q_stddev=0.3),
            ),
            noise=Noise(128),
        ),
        channels=(
            RandomExposure(codes=("c1",)),
            WhiteNoise(codes=("c1",), stddev=0.7),
            WhiteNoise(codes=("c2",), stddev=0.4),
            RandomMirror(codes=("c1", "c2", "c3"), odd=("c1", "c2")),
        ),
        training=dataclasses.replace(AZIMUTH.training, steps=5_000, decay=0.2),
    )
)
