"""Faces, 32 x 32 x 3 (Table 3 and Section 7.2 of arXiv 1606.03657).

The networks are in `zoo/colour.py`, shared with SVHN, whose Table 2 is the same.

Ten categorical codes of ten values and 128 of noise: 228 inputs. `celeba_infogan_paper` is
that. Where it is not the paper: it states no crop, batch, beta_1, distribution of the noise
or number of updates. The images are the centred 148 x 148 of the aligned 178 x 218, resized
by area; batch, beta_1 and noise are those of the authors' MNIST code; 20,000 updates, 14
passes over nine tenths of the 202,599 images, are ours.

On 14,151 images those settings end in one picture for all codes and noises: the game is
lost by update 1,250 (d_loss 0.11), while ten codes of weight 1 write 1.8 nats each into
pixels that no eye sees. In `celeba_infogan` every layer of G but the last has batch
normalisation, the codes weigh 0.1 and come after a tenth of the training, and the rates end
at 0. Up to update 2,500 of 4,500 all faces are much alike; then they part (docs/results).
What did not help: D normalised by its spectrum and both rates 2e-4 (4,500 updates: coarse
faces, one in seven torn), the same with 1e-3 for D and 5e-4 for G, and G's rate at 2e-4
with the paper's trunk (900 updates: one face).

python tools/train.py --model=celeba_infogan --data_dir=DIR

DIR holds img_align_celeba/, or img_align_celeba.zip, or .tar files of the pictures, and
list_attr_celeba.txt (or .txt.gz) where the attributes are wanted as factors; without
--data_dir TFDS downloads celeb_a.
"""

import dataclasses

from infogan_tf.latents import Categorical, LatentSpace, Noise
from infogan_tf.spec import DataSpec, ModelSpec, TrainSpec
from zoo.colour import GENERATOR, NORMALISED_GENERATOR, RECOGNITION, TRUNK
from zoo.registry import register


def codes(**options: float) -> LatentSpace:
    """C1 to c10, and the noise."""
    return LatentSpace(
        codes=tuple(Categorical(f"c{number}", 10, **options) for number in range(1, 11)),
        noise=Noise(128),
    )


PAPER = register(
    ModelSpec(
        name="celeba_infogan_paper",
        description="InfoGAN on CelebA, the paper's settings",
        method="infogan",
        data=DataSpec("celeb_a", (32, 32, 3)),
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
        name="celeba_infogan",
        description="InfoGAN on CelebA, our best: all of G is batch normalised",
        latents=codes(mi_weight=0.1, mi_start=0.1),
        generator=NORMALISED_GENERATOR,
        training=dataclasses.replace(PAPER.training, decay=0.2),
    )
)
