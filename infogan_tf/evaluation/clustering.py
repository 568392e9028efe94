"""How well a category that was learned without labels agrees with the labels.

The protocol: every image is given the category that Q finds most probable. A one-to-one
map from categories to labels is fitted on the training images (the assignment with the
most matches, Kuhn 1955) and scored on the test images, which it never saw. Labels are
read here, and before by models alone whose entry asks for some.
"""

import dataclasses

import numpy as np
import scipy.optimize
import sklearn.metrics

UNMATCHED = -1  # a category that was left without a label


@dataclasses.dataclass(frozen=True)
class Clustering:
    """The agreement of categories with labels.

    Args:
        accuracy: share of test images whose category maps to their label, in [0, 1].
        majority_accuracy: the same where each category takes the label that most of its
            training images have, so that several may take the same.
        nmi: normalised mutual information on the test images (arithmetic mean), [0, 1].
        ari: adjusted Rand index on the test images, about 0 for chance, 1 at best.
        code_to_label: the label of each category, `UNMATCHED` where there is none.
        confusion: test images, a row for each label, a column for each category.
    """

    accuracy: float
    majority_accuracy: float
    nmi: float
    ari: float
    code_to_label: tuple[int, ...]
    confusion: tuple[tuple[int, ...], ...]


def fit_assignment(
    categories: np.ndarray, labels: np.ndarray, category_count: int
) -> np.ndarray:
    """The one-to-one map with the most matches, int64 [category_count].

    Args:
        categories: [n], from 0 to category_count - 1.
        labels: [n], from 0.
        category_count: K; where it exceeds the labels, K - labels stay `UNMATCHED`.
    """
    matches = _count(categories, labels, category_count)
    rows, columns = scipy.optimize.linear_sum_assignment(matches, maximize=True)
    code_to_label = np.full(category_count, UNMATCHED)
    code_to_label[rows] = columns
    return code_to_label


def score(
    train_categories: np.ndarray,
    train_labels: np.ndarray,
    test_categories: np.ndarray,
    test_labels: np.ndarray,
    *,
    category_count: int,
) -> Clustering:
    """Fits the map on the training images and scores the test images; all arrays [n]."""
    code_to_label = fit_assignment(train_categories, train_labels, category_count)
    majority = _count(train_categories, train_labels, category_count).argmax(axis=1)
    return Clustering(
        accuracy=float(np.mean(code_to_label[test_categories] == test_labels)),
        majority_accuracy=float(np.mean(majority[test_categories] == test_labels)),
        nmi=float(
            sklearn.metrics.normalized_mutual_info_score(test_labels, test_categories)
        ),
        ari=float(sklearn.metrics.adjusted_rand_score(test_labels, test_categories)),
        code_to_label=tuple(code_to_label.tolist()),
        confusion=tuple(
            map(tuple, _count(test_categories, test_labels, category_count).T.tolist())
        ),
    )


def _count(categories: np.ndarray, labels: np.ndarray, category_count: int) -> np.ndarray:
    """How many images have each category and label, [category_count, labels]."""
    counts = np.zeros((category_count, int(labels.max()) + 1), np.int64)
    np.add.at(counts, (categories, labels), 1)
    return counts
