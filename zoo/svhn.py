"""Street view house numbers, 32 x 32 x 3 (Table 2 and Section 7.2 of arXiv 1606.03657).

The networks are in `zoo/colour.py`, shared with CelebA, whose Table 3 is the same.

Four categorical codes of ten values, four continuous ones, 124 of noise: 168 inputs, as
Appendix C has it (Section 7.2 says two continuous codes, which would make 166).

Where this is not the paper: it states no batch, no beta_1, no distribution of the noise
and no number of updates. The first three are those of the authors' MNIST code; 20,000
updates, 35 passes over the 73,257 images, are ours.

These are `svhn_infogan_paper`. In `svhn_infogan` every layer of G but the last has batch
normalisation, and the codes weigh 0.1 and come after a tenth of the training, as in
`celeba_infogan`; besides, D is spectrally normalised and both learn at 2e-4. With the rates
and the D of `celeba_infogan`, D learns the 540 images that were at hand by heart (d_loss
0.08 at update 650), and one image is left.

python tools/train.py --model=svhn_infogan --data_dir=DIR

DIR holds train_32x32.mat and test_32x32.mat (extra_32x32.mat, where it is there, is trained
on too); without --data_dir TFDS downloads svhn_cropped.
"""

import dataclasses

from infogan_tf.blocks import unnormalised
from infogan_tf.latents import Categorical, LatentSpace, Noise, Uniform
from infogan_tf.penalties import SpectralNormalization
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec
from zoo.colour import GENERATOR, NORMALISED_GENERATOR, RECOGNITION, TRUNK
from zoo.registry import register


def codes(**options: float) -> LatentSpace:
    """C1 to c4, categorical, c5 to c8, continuous, and the noise."""
    return LatentSpace(
        codes=(
            *(Categorical(f"c{number}", 10, **options) for number in range(1, 5)),
            *(Uniform(f"c{number}", **options) for number in range(5, 9)),
        ),
        noise=Noise(124),
    )


PAPER = register(
    ModelSpec(
        name="svhn_infogan_paper",
        description="InfoGAN on SVHN, the paper's settings",
        method="infogan",
        data=DataSpec("svhn_cropped", (32, 32, 3)),
        latents=codes(),
        generator=GENERATOR,
        trunk=TRUNK,
        recognition=RECOGNITION,
        training=TrainSpec(steps=20_000),
    )
)

register(
    dataclasses.replace(
        PAPER,
        name="svhn_infogan",
        description="InfoGAN on SVHN, our best: D is spectrally normalised",
        latents=codes(mi_weight=0.1, mi_start=0.1),
        generator=NORMALISED_GENERATOR,
        trunk=unnormalised(TRUNK),
        penalties=(SpectralNormalization(),),
        training=dataclasses.replace(
            PAPER.training,
            generator_learning_rate=2e-4,
            discriminator_learning_rate=2e-4,
            decay=0.2,
        ),
    )
)
