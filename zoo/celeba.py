"""Faces, 32 x 32 x 3 (Table 3 and Section 7.2 of arXiv 1606.03657).

discriminator D / recognition Q          generator G
4x4 conv 64, leaky ReLU, stride 2        FC 2x2x448, ReLU, batch norm
4x4 conv 128, leaky ReLU, stride 2, BN   4x4 upconv 256, ReLU, stride 2, BN
4x4 conv 256, leaky ReLU, stride 2, BN   4x4 upconv 128, ReLU, stride 2
D: FC 1;  Q: FC 128, BN, leaky ReLU, FC  4x4 upconv 64, ReLU, stride 2
                                         4x4 upconv 3, tanh, stride 2

Ten categorical codes of ten values and 128 of noise: 228 inputs.

Where this is not the paper: it states no crop, batch, beta_1, distribution of the noise or
number of updates. The images are the centred 148 x 148 of the aligned 178 x 218, resized
by area; batch, beta_1 and noise are those of the authors' MNIST code; 20,000 updates, 14
passes over nine tenths of the 202,599 images, are ours.

python tools/train.py --model=celeba_infogan --data_dir=DIR

DIR holds img_align_celeba/, or img_align_celeba.zip, or .tar files of the pictures, and
list_attr_celeba.txt (or .txt.gz) where the attributes are wanted as factors; without
--data_dir TFDS downloads celeb_a.
"""

from infogan_tf.blocks import Convolution, Dense, Flatten, Reshape, UpConvolution
from infogan_tf.latents import Categorical, LatentSpace, Noise
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec
from zoo.registry import register

register(
    ModelSpec(
        name="celeba_infogan",
        description="InfoGAN on CelebA, the paper's settings",
        method="infogan",
        data=DataSpec("celeb_a", (32, 32, 3)),
        latents=LatentSpace(
            codes=tuple(Categorical(f"c{number}", 10) for number in range(1, 11)),
            noise=Noise(128),
        ),
        generator=(
            Dense(2 * 2 * 448, activation="relu"),
            Reshape(2, 2, 448),
            UpConvolution(256, activation="relu"),
            UpConvolution(128, activation="relu", batch_norm=False),
            UpConvolution(64, activation="relu", batch_norm=False),
            UpConvolution(3, activation="tanh", batch_norm=False),
        ),
        trunk=(
            Convolution(64, activation="leaky_relu", batch_norm=False),
            Convolution(128, activation="leaky_relu"),
            Convolution(256, activation="leaky_relu"),
            Flatten(),
        ),
        recognition=(Dense(128, activation="leaky_relu"),),
        training=TrainSpec(steps=20_000),
    )
)
