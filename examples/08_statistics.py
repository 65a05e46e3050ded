"""Hospitals publish a table and two tests on all their patients together: nobody sees another one's rows.

    python examples/08_statistics.py
    smpc local examples/08_statistics.py --parties 3

Each hospital shares its columns; `np.concatenate` makes one column of them. A statistic of `smpc.stats` is secret until
`reveal`, which opens what is published and nothing beside. In the table, counts below the minimum of 5 would be hidden,
and others with them, so that no difference gives them back; here all are large enough. See docs/statistics.md.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes

import smpc
from smpc import stats

BOUNDS = {"sex": (0, 1), "bmi": (15, 45), "worse": (0, 1)}


def own_patients(rank: int) -> dict[str, NDArray[np.generic]]:
    """What a hospital would read from a file of its own: sex (0, 1), body mass index, and if the disease went on."""
    data = load_diabetes(scaled=False)
    rows = slice(rank, None, 3)
    return {
        "sex": (data.data[rows, 1] - 1).astype(int),
        "bmi": data.data[rows, 2],
        "worse": (data.target[rows] > 140).astype(int),
    }


def program(party: smpc.Party) -> NDArray[np.float64]:
    """Counts of sex × progress, the p-value of their test; difference of the index, its error, its p-value."""
    own = own_patients(party.rank)

    def everybody(name: str) -> smpc.SecretArray:
        owners = range(party.count)
        return np.concatenate([party.share(own[name] if party.rank == o else None, o, BOUNDS[name]) for o in owners])

    sex, bmi, worse = (everybody(name) for name in BOUNDS)
    table = stats.crosstab(sex, worse, (2, 2)).reveal()
    test = stats.ttest_ind(bmi, sex).reveal()
    return np.array([*table.counts.ravel(), table.test.p_value, test.difference, test.standard_error, test.p_value])


if __name__ == "__main__":
    *counts, p, difference, error, p_of_difference = smpc.simulate(program, parties=3)[0]
    print("patients, stable and worse, of the two sexes:", *(int(count) for count in counts), f"(p = {p:.4f})")
    print(f"difference of the body mass index: {difference:.4f} ± {error:.4f} (p = {p_of_difference:.4f})")
