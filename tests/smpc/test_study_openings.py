"""What a linear study opens, to whom, and what it sends: all of it is in the ledger, none of it depends on data."""

from __future__ import annotations

import numpy as np
import pytest

from smpc import study
from smpc.ledger import Ledger
from tests.smpc.studies import NAMES, correlated, divided, fit, fit_data, manifest

SPLITS = [("rows", 2), ("rows", 3), ("columns", 2), ("columns", 3)]
TO = ("north", "south")
CHECKS = [study.VARY, study.SOUND]


def data(rows=60, features=3, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, features))
    return x, x.sum(axis=1) + rng.normal(size=rows)


def small(**options):
    x, y = data()
    return fit_data(x, y, ranges=[(-9.0, 9.0)] * 4, **options)


def entries(run, rank=0):
    return [(entry.what, entry.shape, entry.to) for entry in run.ledgers[rank].entries]


def everything_disclosed(run):
    """Of each party, what it received when results were opened: shapes, by the sender's rank."""
    return {
        (message.sender, message.receiver): [
            array.shape
            for other in run.parties[message.sender].sent
            if (other.step, other.receiver) == ("disclose", message.receiver)
            for array in other.arrays
        ]
        for party in run.parties
        for message in party.sent
        if message.step == "disclose"
    }


def test_what_a_study_opens():
    everyone = NAMES[:3]
    assert entries(small(to=TO)) == [
        ("rows", (1,), everyone),
        ("check: every column varies", (4,), everyone),
        ("check: the fit can be trusted", (4,), everyone),
        ("coefficients", (4,), TO),
        ("standard_errors", (4,), TO),
        ("fit", (2,), TO),
    ]


@pytest.mark.parametrize(
    ("outputs", "released"),
    [
        (["coefficients"], {"coefficients": 4}),
        (["fit"], {"fit": 2}),
        (["coefficients", "fit"], {"coefficients": 4, "fit": 2}),
        (["coefficients", "standard_errors"], {"coefficients": 4, "standard_errors": 4}),
        (["coefficients", "standard_errors", "fit"], {"coefficients": 4, "standard_errors": 4, "fit": 2}),
    ],
)
@pytest.mark.parametrize("penalty", [None, 2.0])
@pytest.mark.parametrize(("split", "parties"), SPLITS)
def test_only_what_the_manifest_names(outputs, released, penalty, split, parties):
    run = small(outputs=outputs, penalty=penalty, split=split, parties=parties, to=TO)
    if penalty is not None and outputs != ["coefficients"]:
        released = released | {study.FREEDOM: 1}  # without it the others could not be read
    everyone = NAMES[:parties]
    counted = [("rows", (1,), everyone)] if split == "rows" else []
    checks = [(check, (4,), everyone) for check in CHECKS]
    for rank in range(parties):
        assert entries(run, rank) == counted + checks + [(what, (size,), TO) for what, size in released.items()]
    result = run.results[0]
    assert (result.coefficients is not None) == ("coefficients" in outputs)
    assert (result.standard_errors is not None) == ("standard_errors" in outputs)
    assert (result.r_squared is not None) == (result.residual_standard_error is not None) == ("fit" in outputs)
    assert (result.degrees_of_freedom is None) == (outputs == ["coefficients"])


@pytest.mark.parametrize(("split", "parties"), [*SPLITS, ("rows", 5)])
@pytest.mark.parametrize("to", [("north",), ("south",), ("north", "south")])
def test_every_opening_is_in_the_ledger_and_no_other(split, parties, to):
    """The results that parties send each other, counted on the wire, are those that each ledger lists."""
    run = small(split=split, parties=parties, to=to, penalty=1.0)
    received = everything_disclosed(run)
    for rank, name in enumerate(NAMES[:parties]):
        listed = [entry.shape for entry in run.ledgers[rank].entries if name in entry.to]
        assert listed
        assert all(received[sender, rank] == listed for sender in range(parties) if sender != rank)
    assert [entries(run, rank) for rank in range(parties)] == [entries(run)] * parties


@pytest.mark.parametrize("split", ["rows", "columns"])
def test_all_else_that_is_sent_is_masked(split):
    run = small(split=split)
    public = {"columns"} if split == "columns" else set()  # how many rows, and which columns an owner has
    steps = {message.step for party in run.parties for message in party.sent}
    assert steps - public <= {"open", "private product", "disclose"}


def test_receivers_read_the_same_and_others_nothing():
    run = small(parties=3, to=("south", "east"))
    assert run.results[0] is None
    assert run.results[1].to_dict() == run.results[2].to_dict()


@pytest.mark.parametrize("refused", ["constant", "singular"])
def test_a_refused_run_opens_its_checks_and_no_result(refused):
    x, y = data()
    x[:, 1] = x[:, 0] if refused == "singular" else 0.5
    names = ["x0", "x1", "x2"]
    a_manifest = manifest(names, [(-9.0, 9.0)] * 4, 3, to=TO)
    ledgers = [Ledger("small", "5e55") for _ in range(3)]
    with pytest.raises(ExceptionGroup):
        fit(a_manifest, divided(np.column_stack([x, y]), [*names, "y"], 3), ledgers)
    expected = ["rows", *CHECKS[: 1 if refused == "constant" else 2]]
    assert [[entry.what for entry in ledger.entries] for ledger in ledgers] == [expected] * 3


# What is sent does not depend on the data


def sizes(run):
    """Step and shapes of all messages, of each party in order."""
    return [
        [(m.receiver, m.step, tuple(array.shape for array in m.arrays)) for m in party.sent] for party in run.parties
    ]


@pytest.mark.parametrize(("split", "parties"), SPLITS)
@pytest.mark.parametrize("penalty", [None, 3.0])
def test_other_data_of_the_same_shape_send_the_same_messages(split, parties, penalty):
    options = {"split": split, "parties": parties, "penalty": penalty, "ranges": [(-99.0, 99.0)] * 4}
    x, y = data(seed=1)
    easy = fit_data(x, y, **options)
    hard = fit_data(correlated(60, 3, 1e4), 40 + 3 * y, **options)
    assert sizes(easy) == sizes(hard)
    assert [party.taken for party in easy.parties] == [party.taken for party in hard.parties]


def test_all_shares_that_are_sent_are_uniform():
    """Two runs on the same data send nothing twice."""
    first, second = (
        {m.arrays[0].tobytes() for m in small(seed=None).parties[0].sent if m.arrays[0].size > 1} for _ in range(2)
    )
    assert not first & second


@pytest.mark.parametrize("parties", [2, 3])
def test_the_number_of_rows_costs_nothing_where_rows_are_split(parties):
    """100 or 100,000 rows of 20 columns at each party: the same rounds, the same elements, message by message."""
    runs = []
    for rows in (100, 100_000):
        x, y = data(rows * parties, 19, seed=2)
        runs.append(fit_data(x, y, parties=parties, ranges=[(-9.0, 9.0)] * 19 + [(-50.0, 50.0)]))
    few, many = runs
    assert sizes(few) == sizes(many)
    assert [party.elements for party in few.parties] == [party.elements for party in many.parties]
    assert [party.rounds for party in few.parties] == [party.rounds for party in many.parties]
    assert len({party.rounds for party in few.parties}) == 1


def test_rounds_do_not_depend_on_the_number_of_columns_of_one_halving():
    rounds = {fit_data(*data(100, features)).parties[0].rounds for features in (5, 8)}
    assert len(rounds) == 1


def test_the_row_count_of_a_party_is_not_opened():
    """Only the total: the same messages whoever has how many rows."""
    x, y = data()
    a_manifest = manifest(["x0", "x1", "x2"], [(-9.0, 9.0)] * 4, 2)
    table = np.column_stack([x, y])
    uneven = [dict(zip(["x0", "x1", "x2", "y"], part.T, strict=True)) for part in (table[:5], table[5:])]
    even = divided(table, ["x0", "x1", "x2", "y"], 2)
    first, second = fit(a_manifest, uneven), fit(a_manifest, even)
    assert sizes(first) == sizes(second)
    assert first.results[0].rows == second.results[0].rows == 60
