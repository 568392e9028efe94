"""Faces as numbers: a mean shape and the directions in which shapes differ from it.

Two files are read: `01_MorphableModel.mat` of the Basel Face Model 2009 (Paysan et al., in
MATLAB's format) and `sfm_shape_3448.bin` of the Surrey Face Model (Huber et al. 2016, as
the library eos writes it). Only shapes are used; the Surrey file has no colours.
"""

import dataclasses
import pathlib

import numpy as np

from infogan_tf.data import matlab
from infogan_tf.errors import InfoGANError

BASEL, SURREY = "01_MorphableModel.mat", "sfm_shape_3448.bin"
TRIANGLES = 20_000  # of a mesh that is drawn as it is; a finer one is made coarser
LARGEST = 1e6  # millimetres
LEAST_HEIGHT, MOST_HEIGHT = 50, 1_000  # millimetres, of the mean face
CELL = 4.0  # millimetres: vertices of a finer mesh that share such a cube become one


@dataclasses.dataclass(frozen=True)
class MorphableModel:
    """A face is `mean + basis @ a`, with a ~ N(0, 1): 3 v numbers, x y z of each vertex.

    Args:
        mean: float32 [3 v], millimetres; x to the right, y up, z towards the viewer.
        basis: float32 [3 v, k], one standard deviation of each of k directions.
        triangles: int32 [t, 3], vertices counter-clockwise seen from outside.
    """

    mean: np.ndarray
    basis: np.ndarray
    triangles: np.ndarray

    @property
    def coefficients(self) -> int:
        """How many numbers a shape is drawn from."""
        return self.basis.shape[1]

    def shape(self, coefficients: np.ndarray) -> np.ndarray:
        """The vertices of one face, float32 [v, 3], in millimetres."""
        # not `@`, whose last bits depend on the number of threads
        offset = np.einsum("ij,j->i", self.basis, coefficients.astype(np.float32))
        return (self.mean + offset).reshape(-1, 3)


def find(folder: pathlib.Path) -> pathlib.Path:
    """The model's file in a folder.

    Raises:
        InfoGANError: neither is there.
    """
    for name in (BASEL, SURREY):
        if (folder / name).is_file():
            return folder / name
    raise InfoGANError(
        f"{folder} holds no 3D morphable model: put {BASEL} (Basel Face Model 2009, "
        f"faces.dmi.unibas.ch) or {SURREY} (github.com/patrikhuber/eos) there, or give "
        "--morphable_model=FILE."
    )


def read(path: pathlib.Path) -> MorphableModel:
    """Reads a model by the kind of its file: .mat (Basel) or .bin (Surrey).

    A mesh of more than `TRIANGLES` is made coarser: at 32 x 32 pixels nobody can tell.

    Raises:
        InfoGANError: missing, empty, truncated, another kind of file, or numbers that are
            no model.
    """
    readers = {".mat": _read_basel, ".bin": _read_surrey}
    if path.suffix not in readers:
        raise InfoGANError(
            f"{path} is no morphable model that is known: give {BASEL} or {SURREY}."
        )
    if not path.is_file():
        raise InfoGANError(f"{path} is missing: give the file of a morphable model.")
    if not path.stat().st_size:
        raise InfoGANError(f"{path} is empty: get it again.")
    # What is not finite is refused below.
    with np.errstate(over="ignore", invalid="ignore"):
        mean, basis, triangles = readers[path.suffix](path)
    _require(path, mean, basis, triangles)
    model = MorphableModel(mean, basis, _outwards(mean, triangles))
    return _coarser(model) if len(triangles) > TRIANGLES else model


def _read_basel(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, basis and triangles; the file counts in micrometres, and vertices from 1."""
    names = ("shapeMU", "shapePC", "shapeEV", "tl")
    arrays = matlab.read(path, names)
    for name in names:
        array = arrays.get(name)
        if not isinstance(array, np.ndarray) or array.dtype.kind not in "iuf":
            raise InfoGANError(
                f'{path} has no numbers "{name}": it is no Basel Face Model 2009, which '
                f"has {', '.join(names)}."
            )
    mean, basis, deviations = (np.asarray(arrays[name], np.float32) for name in names[:-1])
    if basis.ndim != 2 or deviations.size != basis.shape[1]:
        raise InfoGANError(
            f"{path} has {deviations.size} shapeEV for a shapePC of "
            f"{list(basis.shape)}: there has to be one for each column."
        )
    return mean.ravel() / 1_000, basis * deviations.ravel() / 1_000, arrays["tl"] - 1.0


def _read_surrey(path: pathlib.Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean, basis and triangles of eos's version 1; what follows them is colours."""
    content = path.read_bytes()
    place = 0

    def take(kind: str, count: int) -> np.ndarray:
        nonlocal place
        size = np.dtype(kind).itemsize * count
        if not 0 <= size <= len(content) - place:
            raise InfoGANError(
                f"{path} ends, or is not what it should be, at byte {place} of "
                f"{len(content)}: it is truncated, or no Surrey Face Model; get {SURREY} "
                "again."
            )
        place += size
        return np.frombuffer(content, kind, count, place - size)

    def matrix() -> np.ndarray:
        rows, columns = (max(0, int(size)) for size in take("<i4", 2))
        return take("<f4", rows * columns).reshape(columns, rows).T

    version = int(take("<u4", 1)[0])
    if version != 1:
        raise InfoGANError(
            f"{path} says that it is of version {version}, and 1 is what is read: it is no "
            f"Surrey Face Model, or a newer one; get {SURREY}."
        )
    mean, basis, variances = matrix(), matrix(), matrix()
    triangles = take("<i4", 3 * int(take("<u8", 1)[0])).reshape(-1, 3)
    if variances.size != basis.shape[1] or not (variances >= 0).all():
        raise InfoGANError(
            f"{path} has {variances.size} variances for a basis of {list(basis.shape)}: "
            "there has to be one for each column, and none below 0."
        )
    return mean.ravel(), basis * np.sqrt(variances).ravel(), triangles


def _require(
    path: pathlib.Path, mean: np.ndarray, basis: np.ndarray, triangles: np.ndarray
) -> None:
    """Raises InfoGANError where the three are not one model."""
    vertices, rest = divmod(mean.size, 3)
    if rest or not vertices or len(basis) != mean.size or not basis.shape[1]:
        raise InfoGANError(
            f"{path} has a mean of {mean.size} numbers and a basis of "
            f"{list(basis.shape)}; they have to be three for each vertex, and a row for "
            "each number."
        )
    if not all((np.abs(numbers) < LARGEST).all() for numbers in (mean, basis)):
        raise InfoGANError(
            f"{path} holds numbers that are not finite, or no face's: get it again."
        )
    if (
        triangles.ndim != 2
        or triangles.shape[1] != 3
        or not len(triangles)
        or not np.isin(triangles, np.arange(vertices)).all()
    ):
        raise InfoGANError(
            f"{path} has triangles {list(triangles.shape)} that are not three of its "
            f"{vertices} vertices each: get it again."
        )
    width, height, _ = np.ptp(mean.reshape(-1, 3), axis=0)
    if not (LEAST_HEIGHT <= height <= MOST_HEIGHT and width > 0):
        raise InfoGANError(
            f"{path} has a mean face {width:.3g} mm wide and {height:.3g} mm high, and it "
            f"has to be {LEAST_HEIGHT} to {MOST_HEIGHT} mm high: its numbers are in "
            f"another unit, or no face; {BASEL} counts in micrometres, {SURREY} in "
            "millimetres."
        )


def _outwards(mean: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The triangles counter-clockwise seen from where most of a face looks, +z."""
    triangles = triangles.astype(np.int32)
    a, b, c = mean.reshape(-1, 3)[triangles.T]
    away = np.cross(b - a, c - a)[:, 2].sum() < 0
    return np.ascontiguousarray(triangles[:, ::-1] if away else triangles)


def _coarser(model: MorphableModel) -> MorphableModel:
    """The same faces with one vertex for each cube of `CELL` millimetres of the mean."""
    cells = np.floor(model.mean.reshape(-1, 3) / CELL)
    _, kept, member = np.unique(cells, axis=0, return_index=True, return_inverse=True)
    triangles = member.ravel()[model.triangles]  # [t, 3]
    a, b, c = triangles.T
    triangles = triangles[(a != b) & (b != c) & (c != a)]
    rows = (3 * kept[:, np.newaxis] + np.arange(3)).ravel()
    return MorphableModel(
        model.mean[rows], model.basis[rows], np.ascontiguousarray(triangles, np.int32)
    )
