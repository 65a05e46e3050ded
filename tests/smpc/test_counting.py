"""One-hot vectors and tables at secret places: exact, whatever the shape; bounds say which places there are."""

import numpy as np
import pytest

import smpc

PLACES = np.array([[0, 3, 1], [2, 2, 4]])
TABLES = [np.arange(5) ** 3, np.linspace(-2, 2, 5), np.arange(10.0).reshape(5, 2) / 4, np.array([1, 0, 1, 1, 0], bool)]


def run(program, parties=2):
    return smpc.simulate(program, parties)[0]


def share(party, values, bounds):
    return party.share(values if party.rank == 0 else None, 0, bounds=bounds)


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_one_hot(parties):
    found = run(lambda party: smpc.one_hot(share(party, PLACES, (0, 4)), 5).reveal(), parties)
    np.testing.assert_array_equal(found, PLACES[..., None] == np.arange(5), strict=True)


@pytest.mark.parametrize("table", TABLES, ids=str)
@pytest.mark.parametrize("places", [PLACES, np.int64(3), np.zeros((0, 2), int)], ids=["many", "one", "none"])
def test_a_table_at_secret_places(table, places):
    found = run(lambda party: smpc.look_up(table, share(party, places, (0, 4))).reveal())
    np.testing.assert_array_equal(
        found, np.rint(table[places] * 2.0**20) / 2**20 if table.dtype == float else table[places]
    )


def test_a_large_table():
    table, places = np.arange(300) * 7, np.array([0, 299, 17, 256])
    assert run(lambda party: smpc.look_up(table, share(party, places, (0, 299))).reveal()).tolist() == [
        0,
        2093,
        119,
        1792,
    ]


@pytest.mark.parametrize("bounds", [(0, 5), (-1, 4)])
def test_places_that_there_may_not_be_are_refused(bounds):
    with pytest.raises(ValueError, match="one_hot with 5 places"):
        run(lambda party: smpc.look_up(TABLES[0], share(party, PLACES, bounds)))


def test_reals_are_no_places():
    with pytest.raises(TypeError, match="no array of integers"):
        run(lambda party: smpc.one_hot(share(party, [1.0], 4), 5))
