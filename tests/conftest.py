"""What tests share: the real images, where they are, and one tiny training."""

import os
import pathlib

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # before TensorFlow is imported

import hypothesis
import pytest

_VARIABLE = "INFOGAN_TF_DATA"

# The first example traces a graph, and the machine may be busy: no time limit for one.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture(scope="session")
def real_data() -> pathlib.Path:
    """The folder of real images, with mnist/ in it."""
    if not os.environ.get(_VARIABLE):
        pytest.skip(
            f"the real images are not here: set {_VARIABLE} to the folder that holds mnist/"
        )
    return pathlib.Path(os.environ[_VARIABLE])


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory):
    """Keeps the classifiers of tests out of the user's cache."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INFOGAN_TF_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def tiny_spec():
    """The zoo's tiny model: 8 x 8 shapes, every kind of code, 20 steps."""
    from zoo import registry

    return registry.find("tiny_infogan")


@pytest.fixture(scope="session")
def tiny_run(tiny_spec, tmp_path_factory) -> pathlib.Path:
    """The run directory of a tiny training that was never interrupted."""
    import infogan_tf

    path = tmp_path_factory.mktemp("tiny") / "run"
    infogan_tf.train(tiny_spec, path)
    return path


def pytest_terminal_summary(terminalreporter) -> None:
    if not os.environ.get(_VARIABLE):
        terminalreporter.write_line(
            f"REAL IMAGES WERE NOT TESTED: set {_VARIABLE} to the folder that holds mnist/",
            red=True,
            bold=True,
        )
