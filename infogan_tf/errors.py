"""The one exception a user is meant to read."""

import math
from typing import Any


class InfoGANError(ValueError):
    """Something the user can mend.

    The message is one sentence or two: what was received, what is possible, what to
    do. The commands in `tools/` print it on one line and exit with `exit_code`.
    """

    exit_code = 1


def did_you_mean(received: str, possible: list[str]) -> str:
    """Returns ' Did you mean "x"?' for the closest name, or an empty string."""
    import difflib

    close = difflib.get_close_matches(received, possible, n=1, cutoff=0.5)
    return f' Did you mean "{close[0]}"?' if close else ""


def require_positive(declared: Any, *fields: str) -> None:
    """Raises InfoGANError where a field of what is declared is not finite and above 0."""
    for field in fields:
        if not 0 < (value := getattr(declared, field)) < math.inf:
            raise InfoGANError(
                f"{type(declared).__name__}: {field} is {value}; it has to be a finite "
                "number above 0."
            )
