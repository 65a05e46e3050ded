"""Real data to start with: 442 patients with diabetes, ten measurements, and how the disease went on.

B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, "Least Angle Regression", Annals of Statistics 32(2), 2004. The
data ship with scikit-learn.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

TARGET = "progression"
RANGES: dict[str, tuple[float, float, str]] = {
    "age": (0, 120, "years"),
    "sex": (1, 2, "coded"),
    "bmi": (10, 60, "kg/m2"),
    "bp": (40, 180, "mmHg"),
    "s1": (50, 400, "mg/dl"),
    "s2": (20, 300, "mg/dl"),
    "s3": (10, 130, "mg/dl"),
    "s4": (1, 12, "ratio"),
    "s5": (2, 8, "log"),
    "s6": (40, 200, "mg/dl"),
    TARGET: (0, 400, "score"),
}
FEATURES = tuple(name for name in RANGES if name != TARGET)


def diabetes() -> NDArray[np.float64]:
    """442 × 11: the features in the order of FEATURES, then the target, in their own units."""
    from sklearn.datasets import load_diabetes

    data, target = load_diabetes(scaled=False, return_X_y=True)
    return np.column_stack([data, target])


def split_rows(table: NDArray[np.float64], parts: int) -> list[NDArray[np.float64]]:
    """Every `parts`-th row to one party each."""
    return [table[start::parts] for start in range(parts)]


def write_csv(path: Path, names: Sequence[str], table: NDArray[np.float64]) -> None:
    """A CSV file with a header; numbers as short as they can be without loss."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([f"{value:.15g}" for value in row] for row in table.tolist())


def columns_toml(names: Sequence[str]) -> str:
    """[columns.NAME] sections of a manifest."""
    return "\n".join(
        f'[columns.{name}]\nunit = "{RANGES[name][2]}"\nrange = [{RANGES[name][0]:g}, {RANGES[name][1]:g}]\n'
        for name in names
    )
