"""The models, each a `keras.Model` with its own `train_step`, by the spec's `method`."""

from infogan_tf.errors import InfoGANError, did_you_mean
from infogan_tf.models.autoencoder import BEGAN, EBGAN
from infogan_tf.models.classifier import ClassifierGAN
from infogan_tf.models.conditional import ConditionalGAN
from infogan_tf.models.gan import GAN
from infogan_tf.models.infogan import InfoGAN, OnlookerGAN
from infogan_tf.models.supervised import SupervisedInfoGAN
from infogan_tf.spec import ModelSpec

METHODS: dict[str, type[GAN]] = {
    "gan": GAN,
    "infogan": InfoGAN,
    "onlooker_gan": OnlookerGAN,
    "supervised_infogan": SupervisedInfoGAN,
    "conditional_gan": ConditionalGAN,
    "classifier_gan": ClassifierGAN,
    "ebgan": EBGAN,
    "began": BEGAN,
}


def build(spec: ModelSpec) -> GAN:
    """Builds and compiles the model that `spec` declares."""
    if spec.method not in METHODS:
        raise InfoGANError(
            f'{spec.name}: unknown method "{spec.method}"; there are {", ".join(METHODS)}.'
            f"{did_you_mean(spec.method, list(METHODS))}"
        )
    return METHODS[spec.method].from_spec(spec)
