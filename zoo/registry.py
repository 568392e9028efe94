"""The models of the zoo by name."""

import importlib
import pkgutil

from infogan_tf.errors import InfoGANError, did_you_mean
from infogan_tf.spec import ModelSpec

_MODELS: dict[str, ModelSpec] = {}


def register(spec: ModelSpec) -> ModelSpec:
    """Adds an entry and returns it.

    Raises:
        InfoGANError: another entry has that name.
    """
    if _MODELS.setdefault(spec.name, spec) != spec:
        raise InfoGANError(
            f'There is already a model called "{spec.name}": choose another name.'
        )
    return spec


def models(model_module: str | None = None) -> dict[str, ModelSpec]:
    """Every entry, in the order of the names: those of `zoo` and the user's own.

    Args:
        model_module: a module to import first, which registers entries of its own, e.g.
            "my.module".

    Raises:
        InfoGANError: that module cannot be imported, or registers a name twice.
    """
    import zoo

    for module in pkgutil.iter_modules(zoo.__path__):
        importlib.import_module(f"zoo.{module.name}")
    if model_module:
        try:
            importlib.import_module(model_module)
        except InfoGANError:
            raise
        except Exception as error:  # whatever stands in a user's module
            reason = f"{type(error).__name__}: {error}"
            raise InfoGANError(
                f'--model_module: "{model_module}" cannot be imported ({reason}): give a '
                "module on PYTHONPATH that calls zoo.registry.register."
            ) from error
    return dict(sorted(_MODELS.items()))


def find(name: str, model_module: str | None = None) -> ModelSpec:
    """The entry of that name.

    Raises:
        InfoGANError: there is none; the message names all, and the closest.
    """
    known = models(model_module)
    if name not in known:
        raise InfoGANError(
            f'Unknown model "{name}".{did_you_mean(name, list(known))} There are '
            f"{', '.join(known)}."
        )
    return known[name]
