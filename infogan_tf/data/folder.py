"""Anyone's images: every picture in a folder and below it."""

import pathlib
from collections.abc import Iterator

from PIL import Image

from infogan_tf.data import cache, pictures
from infogan_tf.data.images import ImageData

RUN_FILE = "train_log.jsonl"  # of every run directory


def load(data_dir: pathlib.Path, image_shape: tuple[int, int, int]) -> ImageData:
    """Decodes what Pillow can read, in order of relative path; every tenth is held out.

    Each picture is cropped and resized as `pictures.fit` says. Whatever is broken or no
    picture is skipped, and counted and named on one line. Run directories, whose sweeps
    are pictures as well, are passed over.

    Raises:
        InfoGANError: nothing is left, or the cache cannot be written.
    """
    found = sorted(path for path in data_dir.rglob("*") if path.is_file())
    runs = {path.parent for path in found if path.name == RUN_FILE} - {data_dir}
    files = [path for path in found if runs.isdisjoint(path.parents)]

    def decoded() -> Iterator[cache.Example]:
        for path in files:
            try:
                with Image.open(path) as picture:
                    image = pictures.fit(picture, image_shape)
            except Exception:  # Pillow's decoders raise anything at all on damaged files
                image = None
            yield cache.Example(str(path.relative_to(data_dir)), image)

    return cache.decode_once(
        "folder",
        f"the pictures in {data_dir}",
        files,
        image_shape,
        preprocessing=pictures.described(image_shape, pictures.CENTRED),
        pictures=lambda: cache.Pictures(len(files), decoded()),
    )
