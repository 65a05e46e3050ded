"""What results of all kinds have in common, and what a run cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Cost:
    """What a run took at one party; `bytes_sent` to all peers together, those for correlated randomness included.

    `offline_rounds`, `offline_bytes`: what was for correlated randomness alone; its rounds are not among `rounds`.
    """

    rounds: int
    bytes_sent: int
    seconds: float
    preprocessing: str
    offline_rounds: int = 0
    offline_bytes: int = 0


@dataclass(frozen=True)
class Figure:
    """One number of the whole fit, with its name in full and in short."""

    name: str
    short: str
    value: str


class Result(Protocol):
    """What results have in common: names with the intercept first, and None for what was not released."""

    statistic: ClassVar[str]

    @property
    def study(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def target(self) -> str: ...

    @property
    def names(self) -> tuple[str, ...]: ...

    @property
    def rows(self) -> int: ...

    @property
    def confidence_level(self) -> float: ...

    @property
    def coefficients(self) -> Reals | None: ...

    @property
    def standard_errors(self) -> Reals | None: ...

    @property
    def statistics(self) -> Reals | None: ...

    @property
    def p_values(self) -> Reals | None: ...

    @property
    def confidence_intervals(self) -> Reals | None: ...

    @property
    def penalty(self) -> float | None: ...

    @property
    def whole(self) -> list[Figure]: ...

    def to_dict(self) -> dict[str, Any]: ...
