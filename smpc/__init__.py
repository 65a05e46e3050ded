"""Organizations compute together on data that none of them shows to the others.

    import numpy as np
    import smpc

    def program(party: smpc.Party) -> np.ndarray:          # every party runs the same function
        ages = party.share([34, 51] if party.rank == 0 else None, owner=0)
        doses = party.share([1.5, 2.0] if party.rank == 1 else None, owner=1)
        return (ages * doses).sum().reveal()                # NumPy on what nobody sees

    print(smpc.simulate(program, parties=3))                # all parties as threads of this process

`smpc local program.py --parties 3` runs the same file as processes with encrypted links; `smpc run` runs it, or a
model that the manifest names, at each site. Errors meant for a person at a terminal are SmpcError's children.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from smpc.array import SecretArray
    from smpc.counting import look_up, one_hot
    from smpc.elementary import erf, rsqrt, sigmoid, softmax
    from smpc.errors import (
        DataError,
        KeyFileError,
        LedgerError,
        LinkError,
        ManifestError,
        ModelError,
        RangeError,
        ReleaseRefused,
        SmpcError,
    )
    from smpc.party import Party
    from smpc.simulate import simulate

    __version__: str

__all__ = [
    "DataError",
    "KeyFileError",
    "LedgerError",
    "LinkError",
    "ManifestError",
    "ModelError",
    "Party",
    "RangeError",
    "ReleaseRefused",
    "SecretArray",
    "SmpcError",
    "__version__",
    "erf",
    "look_up",
    "one_hot",
    "rsqrt",
    "sigmoid",
    "simulate",
    "softmax",
]

_HOMES = {
    "SecretArray": "smpc.array",
    "Party": "smpc.party",
    "simulate": "smpc.simulate",
    **dict.fromkeys(("look_up", "one_hot"), "smpc.counting"),
    **dict.fromkeys(("erf", "rsqrt", "sigmoid", "softmax"), "smpc.elementary"),
}


def __getattr__(name: str) -> Any:
    """Names are looked up when they are first used: a process that only starts others need not know NumPy."""
    if name == "__version__":
        found: Any = import_module("smpc.hello").library_version()
    elif name in __all__:
        found = getattr(import_module(_HOMES.get(name, "smpc.errors")), name)
    else:
        raise AttributeError(f"module 'smpc' has no attribute {name!r}")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
