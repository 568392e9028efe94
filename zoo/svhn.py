"""Street view house numbers, 32 x 32 x 3 (Table 2 and Section 7.2 of arXiv 1606.03657).

discriminator D / recognition Q          generator G
4x4 conv 64, leaky ReLU, stride 2        FC 2x2x448, ReLU, batch norm
4x4 conv 128, leaky ReLU, stride 2, BN   4x4 upconv 256, ReLU, stride 2, BN
4x4 conv 256, leaky ReLU, stride 2, BN   4x4 upconv 128, ReLU, stride 2
D: FC 1;  Q: FC 128, BN, leaky ReLU, FC  4x4 upconv 64, ReLU, stride 2
                                         4x4 upconv 3, tanh, stride 2

Four categorical codes of ten values, four continuous ones, 124 of noise: 168 inputs, as
Appendix C has it (Section 7.2 says two continuous codes, which would make 166).

Where this is not the paper: it states no batch, no beta_1, no distribution of the noise
and no number of updates. The first three are those of the authors' MNIST code; 20,000
updates, 35 passes over the 73,257 images, are ours.

python tools/train.py --model=svhn_infogan --data_dir=DIR

DIR holds train_32x32.mat and test_32x32.mat (extra_32x32.mat, where it is there, is trained
on too); without --data_dir TFDS downloads svhn_cropped.
"""

from infogan_tf.blocks import Convolution, Dense, Flatten, Reshape, UpConvolution
from infogan_tf.latents import Categorical, LatentSpace, Noise, Uniform
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec
from zoo.registry import register

GENERATOR = (
    Dense(2 * 2 * 448, activation="relu"),
    Reshape(2, 2, 448),
    UpConvolution(256, activation="relu"),
    UpConvolution(128, activation="relu", batch_norm=False),
    UpConvolution(64, activation="relu", batch_norm=False),
    UpConvolution(3, activation="tanh", batch_norm=False),
)
TRUNK = (
    Convolution(64, activation="leaky_relu", batch_norm=False),
    Convolution(128, activation="leaky_relu"),
    Convolution(256, activation="leaky_relu"),
    Flatten(),
)
RECOGNITION = (Dense(128, activation="leaky_relu"),)

register(
    ModelSpec(
        name="svhn_infogan",
        description="InfoGAN on SVHN, the paper's settings",
        method="infogan",
        data=DataSpec("svhn_cropped", (32, 32, 3)),
        latents=LatentSpace(
            codes=(
                *(Categorical(f"c{number}", 10) for number in range(1, 5)),
                *(Uniform(f"c{number}") for number in range(5, 9)),
            ),
            noise=Noise(124),
        ),
        generator=GENERATOR,
        trunk=TRUNK,
        recognition=RECOGNITION,
        training=TrainSpec(steps=20_000),
    )
)
