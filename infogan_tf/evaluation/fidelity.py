"""How close generated images are to real ones, in a feature space that the caller names.

Every score compares two sets of feature vectors [n, d]. A score means nothing without its
feature space: FID is usually quoted in Inception's, and numbers of two spaces do not
compare.
"""

import numpy as np
import scipy.linalg
import sklearn.metrics
import sklearn.neighbors

from infogan_tf.errors import InfoGANError

SUBSETS, SUBSET_SIZE = 100, 1_000  # of KID
NEIGHBOURS = 3  # of precision and recall


def frechet_distance(one: np.ndarray, other: np.ndarray) -> float:
    """FID (Heusel et al. 2017, arXiv 1706.08500): the distance between two normals.

    |m - n|^2 + tr(S + T - 2 (S T)^(1/2)) for means m, n and covariances S, T of the two
    sets. It is biased upwards in small ones: compare equal numbers of images.

    Args:
        one, other: features [n, d] and [m, d].

    Raises:
        InfoGANError: d images or fewer, which leave the covariance singular.
    """
    _require("the Fréchet distance", one, other, at_least=one.shape[1] + 1)
    means = [np.mean(features, axis=0, dtype=np.float64) for features in (one, other)]
    s, t = (np.cov(features, rowvar=False, dtype=np.float64) for features in (one, other))
    s, t = np.atleast_2d(s, t)
    # S T has the eigenvalues of S^(1/2) T S^(1/2), which is symmetric and not negative.
    values, vectors = scipy.linalg.eigh(s)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    shared = np.sqrt(np.maximum(scipy.linalg.eigvalsh(root @ t @ root), 0)).sum()
    distance = np.sum((means[0] - means[1]) ** 2) + np.trace(s) + np.trace(t) - 2 * shared
    return float(max(distance, 0.0))  # rounding


def kernel_distance(
    one: np.ndarray, other: np.ndarray, *, seed: int = 0
) -> tuple[float, float]:
    """KID (Binkowski et al. 2018, arXiv 1801.01401) and its deviation over subsets.

    The unbiased estimate of the squared maximum mean discrepancy under the kernel
    (x y / d + 1)^3, averaged over `SUBSETS` pairs of subsets drawn without replacement,
    of `SUBSET_SIZE` images, or of half of the smaller set where that is less.

    Args:
        one, other: features [n, d] and [m, d].
        seed: of the subsets.

    Raises:
        InfoGANError: fewer than 4 images.
    """
    _require("KID", one, other, at_least=4)
    draw = np.random.default_rng(seed)
    size = min(SUBSET_SIZE, len(one) // 2, len(other) // 2)
    distances = [
        _squared_discrepancy(
            *(
                features[draw.choice(len(features), size, replace=False)].astype(np.float64)
                for features in (one, other)
            )
        )
        for _ in range(SUBSETS)
    ]
    return float(np.mean(distances)), float(np.std(distances, ddof=1))


def _squared_discrepancy(one: np.ndarray, other: np.ndarray) -> float:
    size, dimensions = one.shape

    def kernel(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return (x @ y.T / dimensions + 1) ** 3

    within = sum(
        (similar.sum() - np.trace(similar)) / (size * (size - 1))
        for similar in (kernel(one, one), kernel(other, other))
    )
    return within - 2 * kernel(one, other).mean()


def precision_and_recall(real: np.ndarray, generated: np.ndarray) -> tuple[float, float]:
    """Improved precision and recall (Kynkäänniemi et al. 2019, arXiv 1904.06991).

    A set's manifold is the union of balls around its points, each reaching to the point's
    third nearest neighbour. Precision: the share of generated images on the real manifold;
    recall: the share of real images on the generated one.

    Args:
        real, generated: features [n, d] and [m, d].

    Raises:
        InfoGANError: fewer than 4 images.
    """
    _require("precision and recall", real, generated, at_least=NEIGHBOURS + 1)
    return _covered(generated, by=real), _covered(real, by=generated)


def _covered(points: np.ndarray, *, by: np.ndarray) -> float:
    """The share of `points` on the manifold of `by`."""
    neighbours = sklearn.neighbors.NearestNeighbors(
        n_neighbors=NEIGHBOURS, algorithm="brute"
    ).fit(by)
    radii = neighbours.kneighbors()[0][:, -1]  # without a point itself
    inside = sklearn.metrics.pairwise_distances_chunked(
        points, by, reduce_func=lambda distances, start: (distances <= radii).any(axis=1)
    )
    return float(np.concatenate(list(inside)).mean())


def spread(features: np.ndarray, groups: np.ndarray) -> tuple[float, float]:
    """Mean Euclidean distance of two images: of the same group, and of any.

    Images that vary within a code keep the first close to that of real images of one
    label; a generator that draws one picture for each category has 0.

    Args:
        features: [n, d].
        groups: [n], e.g. the category that each image was generated from. A group counts
            by its size, and one of a single image not at all.

    Raises:
        InfoGANError: fewer than 2 images, or no two in one group.
    """
    sizes = np.bincount(np.unique(groups, return_inverse=True)[1])
    if max(sizes, default=0) < 2:
        raise InfoGANError(
            f"The spread within a group was asked of {len(features)} images, no two of "
            "them in one group: give at least 2 of a group."
        )
    members = [features[groups == group] for group in np.unique(groups)[sizes > 1]]
    within = np.average([_mean_distance(one) for one in members], weights=sizes[sizes > 1])
    return float(within), _mean_distance(features)


def _mean_distance(points: np.ndarray) -> float:
    """Over all pairs of two different points."""
    sums = sklearn.metrics.pairwise_distances_chunked(
        points, reduce_func=lambda distances, start: distances.sum(axis=1, dtype=np.float64)
    )
    return float(sum(part.sum() for part in sums) / (len(points) * (len(points) - 1)))


def _require(score: str, *sets: np.ndarray, at_least: int) -> None:
    fewest = min(map(len, sets))
    if fewest < at_least:
        raise InfoGANError(
            f"{fewest} images are too few for {score}: it needs at least {at_least} real "
            f"and {at_least} generated ones."
        )
