"""How a representation lays out factors that are known: the field's scores together.

The protocol is that of Locatello et al. 2019 (arXiv 1811.12359), who put the scores side
by side; where ours departs, the function says so. All scores lie in [0, 1], 1 at best, and
what they estimate with is scikit-learn's.

They are taken of one `Sample`. Where a paper generates images with one factor held fixed,
rows of the sample that share the factor's value are drawn, with replacement. Estimators see
each continuous code standardised and each discrete one as one-hot columns, so that neither
a code's scale nor the names of its categories matter. They learn from two thirds of the
rows and are scored on the others: 10,000 and 5,000, as in that paper, of a full sample.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import scipy.stats
import sklearn.ensemble
import sklearn.linear_model
import sklearn.metrics
import sklearn.preprocessing
import sklearn.svm
import sklearn.utils.parallel

from infogan_tf.errors import InfoGANError

ROWS = 15_000  # of a full sample
BINS = 20  # of equal width, for a continuous code in MIG and modularity
BATCH = 64  # images that show which factor was held fixed
VOTES = 15_000  # such batches, two thirds of them to learn from
CONSTANT = 1e-6  # the variance (standardised) up to which a code is one
MANY_VALUES = 100  # a factor with more of them is continuous, and cut into BINS
SEEDS = 3  # that tell how far a score with random parts spreads


@dataclasses.dataclass(frozen=True)
class Sample:
    """What Q says of images, and what is true of them, row by row.

    Args:
        codes: float [n, d], a column for each code: the posterior mean of a continuous
            code, the most probable value of a discrete one.
        discrete: [d], whether a column is a discrete code, whose numbers are names.
        factors: int [n, f], the index of each factor's value, from 0.
        ordered: [f], whether a factor's values have an order and even steps (a place, a
            size), or are kinds (a shape).

    Raises:
        InfoGANError: shapes that differ, fewer than 2 factors, a factor with one value, or
            fewer than `BATCH` rows of a value.
    """

    codes: np.ndarray
    discrete: tuple[bool, ...]
    factors: np.ndarray
    ordered: tuple[bool, ...]

    def __post_init__(self) -> None:
        (n, d), (rows, f) = self.codes.shape, self.factors.shape
        if n != rows or d != len(self.discrete) or f != len(self.ordered) or d == 0:
            raise InfoGANError(
                f"Codes [{n}, {d}] with {len(self.discrete)} marks and factors [{rows}, "
                f"{f}] with {len(self.ordered)} marks do not fit: give a row for each "
                "image and a mark for each column."
            )
        counts = [np.unique(column, return_counts=True)[1] for column in self.factors.T]
        if f < 2 or min(map(len, counts)) < 2:
            raise InfoGANError(
                f"The factors have {', '.join(str(len(one)) for one in counts)} values: "
                "disentanglement takes at least 2 factors with at least 2 values each."
            )
        fewest = min(min(one) for one in counts)
        if fewest < BATCH:
            wanted = -(-n * BATCH // fewest)
            raise InfoGANError(
                f"{n} images are too few for the disentanglement scores: a factor's value "
                f"has {fewest} of them and needs {BATCH}; "
                + (
                    f"give {wanted} like them."
                    if wanted <= ROWS
                    else f"no more than {ROWS:,} are drawn, so give it fewer values."
                )
            )

    @classmethod
    def of(
        cls,
        codes: np.ndarray,
        discrete: tuple[bool, ...],
        factors: Mapping[str, np.ndarray],
    ) -> "Sample":
        """A sample from factors as a data set has them, each [n].

        Whole numbers are kinds; floats are ordered, and where there are more than
        `MANY_VALUES` of them, cut into `BINS` bins of equal counts. See `counted`.
        """
        return cls(
            codes,
            discrete,
            np.stack([_indices(values) for values in factors.values()], axis=1),
            tuple(values.dtype.kind == "f" for values in factors.values()),
        )


def counted(factors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The factors that can be scored, each [n].

    Of a full sample one with a value in fewer than `BATCH` rows (which of 1,393 chairs it
    is) is left out where others remain, since more images would not help.
    """
    kept = {
        name: values
        for name, values in factors.items()
        if len(values) < ROWS or np.bincount(_indices(values)).min() >= BATCH
    }
    return kept if len(kept) > 1 else dict(factors)


def _indices(values: np.ndarray) -> np.ndarray:
    distinct, indices = np.unique(values, return_inverse=True)
    if values.dtype.kind == "f" and len(distinct) > MANY_VALUES:
        ranks = scipy.stats.rankdata(values, "min").astype(int) - 1  # ties stay together
        return np.unique(ranks * BINS // len(values), return_inverse=True)[1]
    return indices


def measure(sample: Sample, *, seed: int = 0) -> dict[str, float]:
    """Every score by name; `seed` is of the split, the estimators and the batches.

    Of those that are quick, `<name>_stddev` is the deviation over `SEEDS` seeds from this
    one on.
    """
    disentanglement, completeness, informativeness = dci(sample, seed=seed)
    lasso, forest = dci_by_regression(sample, seed=seed)
    found = {
        "mig": mig(sample),
        "dci": disentanglement,
        "dci_completeness": completeness,
        "dci_informativeness": informativeness,
        "dci_lasso": lasso,
        "dci_forest": forest,
        "modularity": modularity(sample),
    }
    for score in (sap, factor_vae, beta_vae, explicitness):
        scores = [score(sample, seed=one) for one in range(seed, seed + SEEDS)]
        found[score.__name__] = scores[0]
        found[f"{score.__name__}_stddev"] = float(np.std(scores, ddof=1))
    return found


def mig(sample: Sample) -> float:
    """Mutual information gap (Chen et al. 2018, arXiv 1802.04942).

    For each factor, the mutual information with the code that knows most of it, less that
    of the next code, as a part of the factor's entropy; averaged over the factors.
    Continuous codes are cut into `BINS` bins of equal width; all rows count.
    """
    entropies = [
        sklearn.metrics.mutual_info_score(factor, factor) for factor in sample.factors.T
    ]
    return float(np.mean(_gaps(_mutual_information(sample)) / entropies))


def modularity(sample: Sample) -> float:
    """Whether a code knows of one factor only (Ridgeway and Mozer 2018, arXiv 1802.05312).

    For each code, one less the sum of its squared mutual information with all factors but
    its best, as a part of f - 1 times the best's; averaged. A constant code has 0. One of
    noise has not: in a finite sample it knows a little of every factor, by chance, and of
    some more than of others. Mutual information as in `mig`.
    """
    squared = _mutual_information(sample) ** 2  # [d, f]
    best = squared.max(axis=1)
    others = (squared.sum(axis=1) - best) / (squared.shape[1] - 1)
    known = best > 0
    return float(np.mean(known * (1 - others / np.where(known, best, 1))))


def explicitness(sample: Sample, *, seed: int = 0) -> float:
    """Whether factors can be read off simply (Ridgeway and Mozer 2018, arXiv 1802.05312).

    2 A - 1 with A the area under the ROC curve of a logistic regression, one value against
    the rest, averaged over values and factors: 0 is chance. The regression is multinomial,
    not a binary one for each value: those cannot single out the middle values of a factor
    that a code follows perfectly.
    """
    columns, _ = _columns(sample)
    train, test = _split(len(columns), seed)
    areas = []
    for factor in sample.factors.T:
        reader = sklearn.linear_model.LogisticRegression(max_iter=1_000)
        guess = reader.fit(columns[train], factor[train]).predict_proba(columns[test])
        if guess.shape[1] == 2:
            guess = guess[:, 1]
        areas.append(sklearn.metrics.roc_auc_score(factor[test], guess, multi_class="ovr"))
    return float(max(2 * np.mean(areas) - 1, 0))


def dci(sample: Sample, *, seed: int = 0) -> tuple[float, float, float]:
    """Disentanglement, completeness, informativeness (Eastwood and Williams 2018, ICLR).

    From the importance of each code to gradient boosted trees that predict each factor
    (scikit-learn's defaults: 100 rounds of depth 3). Disentanglement: one less the entropy
    of a code's importances over the factors, in base f, averaged by the code's share of all
    importance; completeness: the same of a factor's importances over the codes, in base d,
    averaged. Informativeness: the accuracy on the test rows, chance not deducted.
    """
    columns, members = _columns(sample)
    train, test = _split(len(columns), seed)

    def learn(factor: np.ndarray) -> tuple[np.ndarray, float]:
        trees = sklearn.ensemble.GradientBoostingClassifier(random_state=seed)
        trees.fit(columns[train], factor[train])
        importances = trees.feature_importances_ @ members
        return importances, trees.score(columns[test], factor[test])

    each = map(sklearn.utils.parallel.delayed(learn), sample.factors.T)
    learned = sklearn.utils.parallel.Parallel(n_jobs=-1, prefer="threads")(each)
    importances, accuracies = zip(*learned, strict=True)
    importance = np.transpose(importances)  # [d, f]
    complete, informative = np.mean(_one_sided(importance.T)), np.mean(accuracies)
    return _disentanglement(importance), float(complete), float(informative)


def dci_by_regression(sample: Sample, *, seed: int = 0) -> tuple[float, float]:
    """The disentanglement of `dci`, from regressions on the numbers of a factor's values.

    Eastwood and Williams, and Lin et al. 2020 (InfoGAN-CR) after them, took these: a Lasso
    of weight 0.02, whose importances are the sizes of its coefficients, and a random forest
    of ten trees, here of depth 4. Kinds count as numbers too; all rows are learnt from.
    """
    columns, members = _columns(sample)
    values = sklearn.preprocessing.StandardScaler().fit_transform(sample.factors)
    forest = sklearn.ensemble.RandomForestRegressor(10, max_depth=4, random_state=seed)
    lasso = sklearn.linear_model.Lasso(alpha=0.02)
    found = []
    for reader, weights in ((lasso, "coef_"), (forest, "feature_importances_")):
        learned = [getattr(reader.fit(columns, factor), weights) for factor in values.T]
        found.append(_disentanglement((np.abs(learned) @ members).T))
    return tuple(found)


def _disentanglement(importance: np.ndarray) -> float:
    """`_one_sided` of each code, averaged by its share of all importance; [d, f]."""
    shares = importance.sum(axis=1)
    return (
        float(np.average(_one_sided(importance), weights=shares)) if shares.any() else 0.0
    )


def sap(sample: Sample, *, seed: int = 0) -> float:
    """Separated attribute predictability (Kumar et al. 2018, arXiv 1711.00848).

    How well each code alone predicts each factor; for each factor the best code's score
    less the next one's, averaged. An ordered factor's score is the R^2 of a linear
    regression; that of kinds the balanced accuracy of a linear support vector machine
    (C = 0.01, balanced classes), so chance keeps the gap at 1 - 1/values. Locatello et al.
    took every factor for kinds. No code scores less than chance, and a constant one that.
    """
    columns, members = _columns(sample)
    train, test = _split(len(columns), seed)
    chances = [
        0.0 if ordered else 1 / len(np.unique(factor))
        for factor, ordered in zip(sample.factors.T, sample.ordered, strict=True)
    ]
    scores = np.tile(chances, [members.shape[1], 1])
    for code in np.flatnonzero(_spread(columns, members) > CONSTANT):
        alone = columns[:, members[:, code] > 0]
        for place, factor in enumerate(sample.factors.T):
            if sample.ordered[place]:
                reader = sklearn.linear_model.LinearRegression()
                score = sklearn.metrics.r2_score
            else:
                reader = sklearn.svm.LinearSVC(
                    C=0.01, class_weight="balanced", random_state=seed
                )
                score = sklearn.metrics.balanced_accuracy_score
            reader.fit(alone[train], factor[train])
            found = score(factor[test], reader.predict(alone[test]))
            scores[code, place] = max(chances[place], found)
    return float(np.mean(_gaps(scores, chances)))


def factor_vae(sample: Sample, *, seed: int = 0) -> float:
    """The FactorVAE score (Kim and Mnih 2018, arXiv 1802.05983).

    The accuracy of guessing which factor was held fixed in a batch of `BATCH` images, by a
    majority vote on the code that varies least there, as a part of its variance over all
    rows; chance is 1/f. `VOTES` batches. A discrete code's variance is the chance that two
    draws differ (the paper's appendix); constant codes have no vote, and the score is 0
    where there are no others.
    """
    columns, members = _columns(sample)
    spread = _spread(columns, members)
    alive = spread > CONSTANT
    if not alive.any():
        return 0.0
    draw = np.random.default_rng([seed, 1])

    def least_varying(factor: np.ndarray, count: int) -> np.ndarray:
        one = draw.integers(len(factor), size=[count, 1])
        rows = _alike(factor, np.repeat(one, BATCH, axis=1), draw)
        within = columns[rows].var(axis=1) @ members  # [count, d]
        return np.argmin(within[:, alive] / spread[alive], axis=1)

    codes, fixed = _batches(sample, least_varying)
    train, test = _split(len(codes), seed)
    votes = np.zeros([alive.sum(), sample.factors.shape[1]])
    np.add.at(votes, (codes[train], fixed[train]), 1)
    return float(np.mean(votes.argmax(axis=1)[codes[test]] == fixed[test]))


def beta_vae(sample: Sample, *, seed: int = 0) -> float:
    """The BetaVAE score (Higgins et al. 2017, ICLR).

    The accuracy of a logistic regression that guesses which factor the two images of a
    pair share, from the absolute difference of their codes averaged over `BATCH` pairs;
    chance is 1/f. `VOTES` batches.
    """
    columns, members = _columns(sample)
    draw = np.random.default_rng([seed, 2])

    def difference(factor: np.ndarray, count: int) -> np.ndarray:
        rows = draw.integers(len(factor), size=[count, BATCH])
        partners = _alike(factor, rows, draw)
        return abs(columns[rows] - columns[partners]).mean(axis=1) @ members  # [count, d]

    differences, fixed = _batches(sample, difference)
    train, test = _split(len(fixed), seed)
    reader = sklearn.linear_model.LogisticRegression(max_iter=1_000)
    reader.fit(differences[train], fixed[train])
    return float(reader.score(differences[test], fixed[test]))


def _columns(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """What estimators see [n, m], and the code of each column, one-hot [m, d]."""
    blocks = []
    for column, discrete in zip(sample.codes.T, sample.discrete, strict=True):
        if discrete:
            blocks.append((column[:, np.newaxis] == np.unique(column)).astype(np.float64))
        else:
            scaler = sklearn.preprocessing.StandardScaler()
            blocks.append(scaler.fit_transform(column[:, np.newaxis].astype(np.float64)))
    owners = np.repeat(np.arange(len(blocks)), [block.shape[1] for block in blocks])
    return np.concatenate(blocks, axis=1), np.eye(len(blocks))[owners]


def _spread(columns: np.ndarray, members: np.ndarray) -> np.ndarray:
    """The variance of each code, [d]."""
    return columns.var(axis=0) @ members


def _split(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two thirds of the rows to learn from, and the others."""
    rows = np.random.default_rng([seed, 0]).permutation(count)
    return rows[: count * 2 // 3], rows[count * 2 // 3 :]


def _mutual_information(sample: Sample) -> np.ndarray:
    """Between every code and every factor, in nats, [d, f]."""
    codes = [
        np.unique(column, return_inverse=True)[1]
        if discrete
        else np.digitize(column, np.histogram_bin_edges(column, BINS)[1:-1])
        for column, discrete in zip(sample.codes.T, sample.discrete, strict=True)
    ]
    return np.array(
        [
            [sklearn.metrics.mutual_info_score(code, factor) for factor in sample.factors.T]
            for code in codes
        ]
    )


def _gaps(scores: np.ndarray, least: Sequence[float] | float = 0.0) -> np.ndarray:
    """For each factor, the best code's score less the next one's; [d, f] -> [f].

    Where there is one code, less what a code has that knows nothing.
    """
    best = np.sort(np.vstack([scores, np.zeros_like(scores[:1]) + least]), axis=0)
    return best[-1] - best[-2]


def _one_sided(importance: np.ndarray) -> np.ndarray:
    """One less the entropy of each row, in the base of its length; 0 for a row of zeros."""
    length = importance.shape[1]
    if length == 1:
        return (importance[:, 0] > 0).astype(float)
    shares = importance + 1e-12
    return 1 - scipy.stats.entropy(shares, base=length, axis=1)


def _alike(factor: np.ndarray, rows: np.ndarray, draw: np.random.Generator) -> np.ndarray:
    """For each of `rows` (any shape), a row drawn from those of the same value."""
    order = np.argsort(factor, kind="stable")
    counts = np.bincount(factor)
    values = factor[rows]
    places = (draw.random(rows.shape) * counts[values]).astype(int)
    return order[np.cumsum(counts)[values] - counts[values] + places]


def _batches(
    sample: Sample, observe: Callable[[np.ndarray, int], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Equally many batches for each factor: what is observed, and which was held fixed."""
    count = VOTES // sample.factors.shape[1]
    observed = [observe(factor, count) for factor in sample.factors.T]
    return np.concatenate(observed), np.repeat(np.arange(len(observed)), count)
