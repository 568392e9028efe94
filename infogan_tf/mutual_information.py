"""The variational bound on the information that codes leave in the image.

    L_I(G, Q) = E_{c ~ P(c), x ~ G(z, c)} [log Q(c|x)] + H(c)  <=  I(c; G(z, c))

(equation 5 of arXiv 1606.03657). In nats, H(c) included: a useless Q gives at most 0, a
perfect one gives H(c) for a discrete code, and independent codes add.
"""

from collections.abc import Mapping

import tensorflow as tf

from infogan_tf.latents import LatentSpace


def variational_bound(
    space: LatentSpace, latents: Mapping[str, tf.Tensor], outputs: tf.Tensor
) -> dict[str, tf.Tensor]:
    """L_I of every code, in nats per example.

    Args:
        space: the declaration of the codes.
        latents: the values that G was given, each [batch].
        outputs: what Q says of G's images, raw columns [batch, recognition_width].

    Returns:
        {code name: float32 [batch]}; the mean over the batch estimates L_I. A single
        example may exceed H(c) only for a continuous code.
    """
    log_prob = space.log_prob(latents, outputs)
    return {code.name: log_prob[code.name] + code.entropy for code in space.codes}


def weighted_sum(
    space: LatentSpace, bounds: Mapping[str, tf.Tensor], progress: tf.Tensor | float
) -> tf.Tensor:
    """Lambda L_I: the batch mean of every code's bound times its `mi_weight`; scalar.

    Args:
        space: the declaration of the codes.
        bounds: the bound of each code that counts, [batch].
        progress: the part of the training that is done, 0 to 1; before its `mi_start` a
            code counts nothing.
    """
    counted = [
        code.mi_weight
        * tf.cast(progress >= code.mi_start, tf.float32)
        * tf.reduce_mean(bounds[code.name])
        for code in space.codes
        if code.name in bounds
    ]
    return tf.add_n([tf.zeros([]), *counted])
