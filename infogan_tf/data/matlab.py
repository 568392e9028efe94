"""Arrays from MATLAB's files, version 5, in which SVHN and the Basel Face Model come."""

import pathlib
from collections.abc import Sequence

import numpy as np
import scipy.io

from infogan_tf.errors import InfoGANError

HEADER = b"MATLAB 5.0 MAT-file"  # other versions' headers can ask for any memory


def read(path: pathlib.Path, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Those of the arrays that the file has.

    Raises:
        InfoGANError: another kind of file, or damaged.
    """
    try:
        with path.open("rb") as file:
            start = file.read(len(HEADER))
        if start != HEADER:
            raise ValueError(f"it starts with {start!r} instead of {HEADER!r}")
        return scipy.io.loadmat(path, variable_names=list(names))
    except Exception as error:  # a damaged file makes SciPy raise anything at all
        raise InfoGANError(
            f"{path} cannot be read as a .mat file ({error}): it is damaged or incomplete; "
            "get it again."
        ) from error
