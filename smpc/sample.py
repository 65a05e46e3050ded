"""Real data to start with, which ship with scikit-learn.

Diabetes: 442 patients, ten measurements, and how the disease went on. B. Efron, T. Hastie, I. Johnstone, R. Tibshirani,
"Least Angle Regression", Annals of Statistics 32(2), 2004.

Tumours: 569 patients, four measurements on cell nuclei, and whether the tumour is benign. W. Street, W. Wolberg,
O. Mangasarian, "Nuclear feature extraction for breast tumor diagnosis", IS&T/SPIE, 1993.
"""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
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

BENIGN = "benign"
TUMOURS: dict[str, tuple[float, float, str]] = {
    "radius": (5, 35, "um"),
    "texture": (5, 45, "score"),
    "smoothness": (0.04, 0.2, "score"),
    "fractal_dim": (0.04, 0.12, "score"),
    BENIGN: (0, 1, "1 if benign"),
}


def diabetes() -> NDArray[np.float64]:
    """442 × 11: the features in the order of FEATURES, then the target, in their own units."""
    from sklearn.datasets import load_diabetes

    data, target = load_diabetes(scaled=False, return_X_y=True)
    return np.column_stack([data, target])


def tumours() -> NDArray[np.float64]:
    """569 × 5, in the order of TUMOURS, in their own units."""
    from sklearn.datasets import load_breast_cancer

    data, target = load_breast_cancer(return_X_y=True)
    return np.column_stack([data[:, [0, 1, 4, 9]], target])


def split_rows(table: NDArray[np.float64], parts: int) -> list[NDArray[np.float64]]:
    """Every `parts`-th row to one party each."""
    return [table[start::parts] for start in range(parts)]


def write_csv(path: Path, names: Sequence[str], table: NDArray[np.float64]) -> None:
    """A CSV file with a header; numbers as short as they can be without loss."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows([f"{value:.15g}" for value in row] for row in table.tolist())


def columns_toml(names: Sequence[str], ranges: Mapping[str, tuple[float, float, str]] = RANGES) -> str:
    """[columns.NAME] sections of a manifest."""
    return "\n".join(
        f'[columns.{name}]\nunit = "{unit}"\nrange = [{low:g}, {high:g}]\n'
        + ('type = "integer"\n' if name == BENIGN else "")
        for name, (low, high, unit) in ((name, ranges[name]) for name in names)
    )
