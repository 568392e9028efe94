"""Which code follows a true factor, and how closely."""

import dataclasses
from collections.abc import Mapping

import numpy as np
import scipy.stats

from infogan_tf.data.images import Split
from infogan_tf.evaluation.clustering import fit_assignment


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


@dataclasses.dataclass(frozen=True)
class Sorter:
    """The category that sorts images by the kinds of a factor best.

    Args:
        code: its name, chosen on training images.
        accuracy: share of test images whose category maps to their kind, one to one, by a
            map fitted on training images; [0, 1].
    """

    code: str
    accuracy: float


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


def sorters(
    train_codes: Mapping[str, np.ndarray],
    train: Split,
    test_codes: Mapping[str, np.ndarray],
    test: Split,
    categories: Mapping[str, int],
) -> dict[str, Sorter]:
    """For each factor of kinds (stored as integers), the best code with as many values.

    Args:
        train_codes, test_codes: what Q reads in the images, int [n] for each category; see
            `read_codes`.
        train, test: the same rows.
        categories: how many values each of those codes has.
    """
    found = {}
    for name, values in train.factors.items():
        kinds = int(values.max()) + 1 if values.dtype.kind == "i" else 0
        maps = {
            code: fit_assignment(train_codes[code], values, kinds)
            for code, count in categories.items()
            if count == kinds
        }
        if maps:
            rates = {c: np.mean(kind[train_codes[c]] == values) for c, kind in maps.items()}
            best = max(rates, key=rates.__getitem__)
            right = maps[best][test_codes[best]] == test.factors[name]
            found[name] = Sorter(best, float(np.mean(right)))
    return found


def spearman(one: np.ndarray, other: np.ndarray) -> float:
    """The rank correlation of two rows of numbers, [n] each; 0 where either is constant."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(scipy.stats.spearmanr(one, other).statistic)
