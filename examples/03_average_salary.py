"""Employers learn the average pay of women and of men over all of them, and no employer's own figures.

    python examples/03_average_salary.py
    smpc local examples/03_average_salary.py --parties 3

Only totals are opened: pay and heads, by group, of all employers together. An average of averages would need the
heads of each. Division happens in the clear, after the opening, where it costs nothing.
"""

import numpy as np
from numpy.typing import NDArray

import smpc


def own_staff(rank: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """What an employer would read from a file of its own: monthly pay, and group (0 women, 1 men)."""
    random = np.random.default_rng(rank)
    group = random.integers(0, 2, size=40 + 15 * rank)
    pay = 3000 + 250 * group + 400 * random.standard_normal(group.size)
    return pay, group


def totals(rank: int) -> NDArray[np.float64]:
    """Pay and heads of each group: 2 × 2."""
    pay, group = own_staff(rank)
    return np.array([[pay[group == g].sum(), np.sum(group == g)] for g in (0, 1)])


def program(party: smpc.Party) -> NDArray[np.float64]:
    """The average pay of each group."""
    tables = [
        party.share(totals(party.rank) if party.rank == owner else None, owner, bounds=(0, 1e6))
        for owner in range(party.count)
    ]
    opened = sum(tables).reveal()
    return opened[:, 0] / opened[:, 1]


if __name__ == "__main__":
    women, men = smpc.simulate(program, parties=3)[0]
    print(f"average pay: women {women:.2f}, men {men:.2f}")
