"""Files that are written whole or not at all."""

import contextlib
import pathlib
import uuid
from collections.abc import Iterator

from infogan_tf.errors import InfoGANError

ASIDE = ".part-"  # how the names of files begin that are not whole yet


@contextlib.contextmanager
def whole(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A path to write to, which takes the place of `path` when all went well.

    It is this writer's own: of several at once, the last one's file stays.

    Raises:
        InfoGANError: it cannot be written; `path` is as it was before.
    """
    aside = path.with_name(f"{ASIDE}{uuid.uuid4().hex}-{path.name}")
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
