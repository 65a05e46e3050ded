"""The product of two private matrices, one of integers, which are exact, one of reals, rounded to 2^-20.

    python examples/02_product.py
    smpc local examples/02_product.py --parties 2

Party 0 knows what each hospital needs, party 1 knows what each item costs. A product of two secrets takes a Beaver
triple: random a and b that nobody knows, and their product. The parties open x - a and y - b, which are random too.

`bounds` says what a number can be, so that the library can tell beforehand whether every result has room.
"""

import numpy as np
from numpy.typing import NDArray

import smpc


def needs() -> NDArray[np.int64]:
    """Party 0's: 3 hospitals × 4 items."""
    return np.array([[120, 30, 4, 0], [80, 45, 9, 2], [200, 10, 1, 1]])


def prices() -> NDArray[np.float64]:
    """Party 1's: 4 items × 2 suppliers."""
    return np.array([[1.25, 1.10], [14.0, 15.5], [230.0, 219.0], [1800.0, 1950.0]])


def program(party: smpc.Party) -> NDArray[np.float64]:
    """The cost for each hospital and supplier, which both may know."""
    x = party.share(needs() if party.rank == 0 else None, owner=0, bounds=(0, 300))
    y = party.share(prices() if party.rank == 1 else None, owner=1, bounds=(0, 3000))
    return (x @ y).reveal()


if __name__ == "__main__":
    print(smpc.simulate(program, parties=2)[0])
