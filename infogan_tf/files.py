"""Files that are written whole or not at all."""

import contextlib
import pathlib
from collections.abc import Iterator

from infogan_tf.errors import InfoGANError


@contextlib.contextmanager
def whole(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A path to write to, which takes the place of `path` when all went well.

    Raises:
        InfoGANError: it cannot be written; `path` is as it was before.
    """
    aside = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        aside.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        if isinstance(error, OSError):
            raise InfoGANError(f"{path} cannot be written: {error}.") from error
        raise
