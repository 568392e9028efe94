"""3D faces, drawn from a morphable model: pose, light and width are known of each.

The paper trains on renders of the Basel Face Model, which were never published and whose
ranges it does not state. Ours are rendered here, by casting rays (Embree): a shape of
the model, turned, lit from one side, white clay on black.

    python tools/prepare_data.py --dataset=faces3d --data_dir=DIR --count=60000

DIR holds the model's file; the images come to lie beside it, in faces3d.npz.
"""

import concurrent.futures
import dataclasses
import functools
import multiprocessing
import os
import pathlib
import time
from collections.abc import Callable, Iterable
from concurrent.futures.process import BrokenProcessPool

import numpy as np

from infogan_tf import files
from infogan_tf.data import morphable_model, npz
from infogan_tf.data.images import ImageData
from infogan_tf.data.morphable_model import MorphableModel
from infogan_tf.errors import InfoGANError

FILE = "faces3d.npz"
ADVICE = (
    "3D faces are published nowhere, and rendered from a morphable model: run "
    "tools/prepare_data.py --dataset=faces3d --data_dir=DIR, and give --data_dir=DIR here."
)
SIZE = 32  # pixels
SAMPLES = 2  # rays across and down a pixel, whose mean it is
MARGIN = 1.15  # the picture's height as a part of the face's
AZIMUTH, ELEVATION, LIGHTING = 60.0, 20.0, 75.0  # degrees; drawn from +- that, uniformly
LIGHT_ELEVATION = 20.0  # degrees above the viewer
AMBIENT = 0.15  # the part of the light that comes from everywhere
FACTORS = ("azimuth", "elevation", "lighting", "width")
FEWEST = 20  # images, of which two are held out
CHUNK = 250  # images that a process renders at a time
PROGRESS_EVERY = 5.0  # seconds


@dataclasses.dataclass(frozen=True)
class Face:
    """What one image shows.

    Args:
        coefficients: float32 [k], N(0, 1), of the model's directions.
        azimuth: degrees, positive where the face looks to the viewer's right.
        elevation: degrees, positive where it looks up.
        lighting: degrees, positive where the light comes from the viewer's right.
    """

    coefficients: np.ndarray
    azimuth: float
    elevation: float
    lighting: float


def found(data_dir: pathlib.Path) -> bool:
    """Says whether `write` has been at work in the folder."""
    return (data_dir / FILE).is_file()


def load(data_dir: pathlib.Path) -> ImageData:
    """Reads what `write` wrote: grey images and `FACTORS`; every tenth is held out.

    Raises:
        InfoGANError: the file is damaged.
    """
    return npz.load(data_dir / FILE)


def write(
    path: pathlib.Path, model_path: pathlib.Path, *, count: int = 60_000, seed: int = 0
) -> None:
    """Renders `count` faces into an .npz file, on all cores; face i is one of (seed, i).

    Beside `images` uint8 [n, 32, 32, 1] and `factors` float32 [n, 4] with their names it
    holds `coefficients` float32 [n, k], what each shape was drawn from.

    Args:
        path: of the file, written whole or not at all.
        model_path: of the morphable model.
        count: at least `FEWEST`.
        seed: of everything; the same images come out of any number of processes.

    Raises:
        InfoGANError: `count` or `seed` out of range, no model, Embree is not installed, or
            the file cannot be written.
    """
    if count < FEWEST:
        raise InfoGANError(f"count is {count}; it has to be at least {FEWEST}.")
    if seed < 0:
        raise InfoGANError(f"seed is {seed}; it has to be a whole number from 0 on.")
    model = morphable_model.read(model_path)
    _embree()
    chunks = [range(start, min(start + CHUNK, count)) for start in range(0, count, CHUNK)]
    work = functools.partial(render_chunk, model, seed)
    with files.whole(path) as aside, aside.open("wb") as file:
        if len(chunks) == 1:
            parts = [work(chunks[0])]
        else:
            parts = _in_processes(work, chunks, count)
        images, factors, coefficients = map(np.concatenate, zip(*parts, strict=True))
        np.savez(
            file,
            images=images,
            factors=factors,
            factor_names=np.array(FACTORS),
            coefficients=coefficients,
        )


def _in_processes(
    work: Callable[[range], tuple[np.ndarray, ...]], chunks: list[range], count: int
) -> list[tuple[np.ndarray, ...]]:
    """The chunks' parts in their order, a process for each core."""
    try:
        with concurrent.futures.ProcessPoolExecutor(
            min(os.cpu_count(), len(chunks)), multiprocessing.get_context("spawn")
        ) as pool:
            return _with_progress(pool.map(work, chunks), count)
    except BrokenProcessPool as error:
        raise InfoGANError(
            "A process that renders faces was killed, perhaps for want of memory: make "
            "room and run the same command again."
        ) from error


def render_chunk(
    model: MorphableModel, seed: int, numbers: range
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Images, factors and coefficients of the faces of those numbers; see `write`."""
    faces = [draw(model, seed, number) for number in numbers]
    images, widths = zip(*(render(model, face) for face in faces), strict=True)
    factors = [
        (face.azimuth, face.elevation, face.lighting, width)
        for face, width in zip(faces, widths, strict=True)
    ]
    return (
        np.stack(images),
        np.array(factors, np.float32),
        np.stack([face.coefficients for face in faces]),
    )


def draw(model: MorphableModel, seed: int, number: int) -> Face:
    """A face at random, a function of (seed, number)."""
    generator = np.random.default_rng([seed, number])
    coefficients = generator.standard_normal(model.coefficients, np.float32)
    reach = np.array([AZIMUTH, ELEVATION, LIGHTING])
    return Face(coefficients, *map(float, generator.uniform(-reach, reach)))


def render(model: MorphableModel, face: Face) -> tuple[np.ndarray, float]:
    """The image, uint8 [32, 32, 1], and the shape's width as a part of its height.

    All faces are as high, so that they differ in width and not in size. They turn around
    the middle of the shape, seen along parallel rays; the light does not turn with them.
    """
    vertices = model.shape(face.coefficients)
    low, high = vertices.min(axis=0), vertices.max(axis=0)
    width, height, _ = high - low
    vertices = (vertices - (low + high) / 2) / (MARGIN * height / 2)  # picture: [-1, 1]
    vertices = np.einsum("vj,ij->vi", vertices, _turned(face.azimuth, face.elevation))
    shades = _shades(vertices, model.triangles, _light(face.lighting))
    rays = shades.reshape(SIZE, SAMPLES, SIZE, SAMPLES)
    grey = np.rint(255 * rays.mean(axis=(1, 3))).astype(np.uint8)
    return grey[..., np.newaxis], float(width / height)


def _turned(azimuth: float, elevation: float) -> np.ndarray:
    """The rotation about y, then about x: float32 [3, 3]."""
    a, e = np.radians([azimuth, elevation])
    about_y = [[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]
    about_x = [[1, 0, 0], [0, np.cos(e), np.sin(e)], [0, -np.sin(e), np.cos(e)]]
    return (np.array(about_x) @ np.array(about_y)).astype(np.float32)


def _light(lighting: float) -> np.ndarray:
    """The direction towards the light, float32 [3]."""
    a, e = np.radians([lighting, LIGHT_ELEVATION])
    return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)], np.float32)


def _shades(vertices: np.ndarray, triangles: np.ndarray, light: np.ndarray) -> np.ndarray:
    """What each ray sees, from 0 to 1: Lambert's law on normals blended over a triangle.

    Rays see black where they meet nothing, or the inside of a face, which has no back.
    """
    device, scene_of, mesh_of = _embree()
    scene = scene_of(device)
    mesh_of(scene, vertices, triangles)
    origins, directions = _rays()
    hits = scene.run(origins, directions, output=True)
    hit = np.flatnonzero(hits["primID"] >= 0)
    triangle, u, v = (hits[name][hit] for name in ("primID", "u", "v"))
    corners = triangles[triangle]  # [h, 3]
    first, second, third = np.moveaxis(_normals(vertices, triangles)[corners], 1, 0)
    u, v = u[:, np.newaxis], v[:, np.newaxis]
    normals = (1 - u - v) * first + u * second + v * third
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-20)
    lit = AMBIENT + (1 - AMBIENT) * np.maximum((normals * light).sum(axis=1), 0)
    a, b, c = np.moveaxis(vertices[corners], 1, 0)
    outside = np.cross(b - a, c - a)[:, 2] > 0
    shades = np.zeros(len(origins), np.float32)
    shades[hit] = np.where(outside, lit, 0)
    return shades


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The normal at each vertex, [v, 3]: of the triangles around it, by their area."""
    a, b, c = np.moveaxis(vertices[triangles], 1, 0)
    faces = np.repeat(np.cross(b - a, c - a), 3, axis=0)  # [3 t, 3], as the corners lie
    return np.stack(
        [np.bincount(triangles.ravel(), axis, len(vertices)) for axis in faces.T], axis=1
    ).astype(np.float32)


@functools.cache
def _rays() -> tuple[np.ndarray, np.ndarray]:
    """Origins and directions, float32 [(32 x 2)^2, 3], row by row from the top left."""
    count = SIZE * SAMPLES
    middles = (np.arange(count, dtype=np.float32) + 0.5) / count * 2 - 1
    x, y = np.meshgrid(middles, -middles)
    origins = np.stack([x, y, np.full_like(x, 10)], axis=-1).reshape(-1, 3)
    return origins, np.tile(np.array([0, 0, -1], np.float32), (len(origins), 1))


@functools.cache
def _embree() -> tuple:
    """Embree's device, and what makes its scenes and meshes."""
    try:
        from embreex.mesh_construction import TriangleMesh
        from embreex.rtcore import EmbreeDevice
        from embreex.rtcore_scene import EmbreeScene
    except ImportError as error:
        raise InfoGANError(
            f"3D faces are rendered by Embree, which cannot be imported ({error}): install "
            'it with pip install "infogan_tf[faces3d]" or pip install embreex.'
        ) from error
    return EmbreeDevice(), EmbreeScene, TriangleMesh


def _with_progress(
    parts: Iterable[tuple[np.ndarray, ...]], count: int
) -> list[tuple[np.ndarray, ...]]:
    """The parts as a list; a line every few seconds says how many faces are done."""
    done, faces, said = [], 0, time.monotonic()
    for part in parts:
        done.append(part)
        faces += len(part[0])
        if time.monotonic() - said >= PROGRESS_EVERY:
            said = time.monotonic()
            print(
                f"Rendering: {faces:,} of {count:,} faces ({faces / count:.0%})", flush=True
            )
    return done
