"""Which code follows a true factor, and how closely."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import scipy.stats

from infogan_tf.data.images import Split


@dataclasses.dataclass(frozen=True)
class Follower:
    """The continuous code that follows a factor best.

    Args:
        code: its name, chosen on training images.
        spearman: the rank correlation of what Q reads with the factor, on test images, in
            [-1, 1]; the sign says whether they run the same way.
    """

    code: str
    spearman: float


def followers(
    train_codes: Mapping[str, np.ndarray],
    train: Split,
    test_codes: Mapping[str, np.ndarray],
    test: Split,
) -> dict[str, Follower]:
    """For each factor with an order (one that is stored as floats), its best code.

    Args:
        train_codes, test_codes: what Q reads in the images, float [n] for each continuous
            code; see `read_codes`.
        train, test: the same rows.
    """
    found = {}
    for name, values in train.factors.items():
        if values.dtype.kind == "f" and train_codes:
            rates = {c: abs(spearman(v, values)) for c, v in train_codes.items()}
            best = max(rates, key=rates.__getitem__)
            rho = spearman(test_codes[best], test.factors[name])
            found[name] = Follower(best, rho)
    return found


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """The rank correlation of two rows of numbers, [n] each; 0 where either is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(scipy.stats.spearmanr(one, other).statistic)
