"""The networks of Tables 2 and 3 of arXiv 1606.03657, which are the same, 32 x 32 x 3.

discriminator D / recognition Q          generator G
4x4 conv 64, leaky ReLU, stride 2        FC 2x2x448, ReLU, batch norm
4x4 conv 128, leaky ReLU, stride 2, BN   4x4 upconv 256, ReLU, stride 2, BN
4x4 conv 256, leaky ReLU, stride 2, BN   4x4 upconv 128, ReLU, stride 2
D: FC 1;  Q: FC 128, BN, leaky ReLU, FC  4x4 upconv 64, ReLU, stride 2
                                         4x4 upconv 3, tanh, stride 2

Of the entries in `zoo/svhn.py` and `zoo/celeba.py`.
"""

from infogan_tf.blocks import Convolution, Dense, Flatten, Reshape, UpConvolution

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

# With the paper's, D wins on SVHN and CelebA, and one image is left. Batch normalisation in
# every layer of G but the last keeps the game even on CelebA; SVHN bounds D besides.
NORMALISED_GENERATOR = (
    *GENERATOR[:3],
    UpConvolution(128, activation="relu"),
    UpConvolution(64, activation="relu"),
    GENERATOR[-1],
)
