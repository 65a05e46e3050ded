"""What a plan says is what a run does: rounds and correlations exactly, bytes nearly."""

from __future__ import annotations

import json
from collections import Counter

import numpy as np
import pytest

from smpc import plan, sample, study
from smpc.checks import CHECKS
from smpc.config import parse_manifest
from smpc.data import read_table
from smpc.errors import ManifestError, ModelError, RangeError
from smpc.helper import serve
from smpc.identity import generate
from smpc.ledger import Ledger
from smpc.models.classifier import SGDClassifier
from smpc.party import Party
from smpc.release import Gate
from tests.smpc.network import DEALER, OWNERS, Study, free_port, run, together
from tests.smpc.network import study as program_study
from tests.smpc.studies import ridge

FEATURES = ("age", "bmi", "bp")
COLUMNS = (*FEATURES, sample.TARGET)


def test_a_plan_needs_a_manifest_and_nothing_else():
    found = plan.of_model(model(3).manifest, study.Layout(442))
    assert found.parties[0].online.rounds > 100
    assert found.kinds["Products"][0] > 10


def model(owners, *, split="rows", penalty=None, dealer=False, kind=None):
    """A study on the diabetes data with keys and ports; `kind`: of a generalized linear model, and further keys."""
    names = [*OWNERS[:owners], *([DEALER] if dealer else [])]
    keys = {name: generate(name) for name in names}
    kind = kind or ('model = "linear"\n' if penalty is None else f'model = "ridge"\npenalty = {penalty}\n')
    text = f'[study]\nname = "planned"\n{kind}split = "{split}"\ntarget = "{COLUMNS[-1]}"\n'
    text += f"features = {json.dumps(FEATURES)}\n{sample.columns_toml(COLUMNS)}\n".replace("[0, 400]", "[1, 400]")
    text += f'[security]\npreprocessing = "{"dealer" if dealer else "ot"}"\n[release]\nto = ["north"]\n'
    for name in names:
        role = 'role = "dealer"\n' if name == DEALER else ""
        text += f'[[party]]\nname = "{name}"\n{role}address = "127.0.0.1:{free_port()}"\n'
        text += f'public_key = "{keys[name].public.hex()}"\n'
    return Study(parse_manifest(text.encode(), "study.toml"), keys)


def tables(owners, split):
    whole = sample.diabetes()[:, [list(sample.RANGES).index(name) for name in COLUMNS]]
    if split == "rows":
        parts = sample.split_rows(whole, owners)
        return [dict(zip(COLUMNS, part.T, strict=True)) for part in parts]
    held = np.array_split(np.arange(len(COLUMNS)), owners)
    return [{COLUMNS[at]: whole[:, at] for at in numbers} for numbers in held]


def fit(a_study, split):
    """Every owner's session and layout after a run over encrypted links, before leave is taken."""
    manifest = a_study.manifest
    names = tuple(party.name for party in manifest.owners)
    counted = {}

    def live(name):
        with a_study.open(name) as session:
            if name == DEALER:
                serve(session)
                counted[name] = 0, session.bytes_sent
                return
            table = read_table(tables(len(names), split)[session.rank], manifest.columns, COLUMNS, require="some")
            prepared = study.prepare(manifest, table)
            gate = Gate(session, names, manifest.release.to, Ledger("planned", ""), study.PUBLIC)
            layout = study.agree(gate, manifest, prepared)
            session.prepare(plan.rehearse_model(manifest, layout, session.rank).taken)
            counted[name, "result"] = study.fit(gate, manifest, prepared, layout)
            counted[name] = session.rounds, session.bytes_sent, session.offline_rounds, session.offline_bytes
            counted[name, "taken"], counted["layout"] = session.taken, layout

    results = together(*(lambda n=name: live(n) for name in a_study.keys))
    assert results == [None] * len(results)
    return counted


@pytest.mark.parametrize("dealer", [False, True])
@pytest.mark.parametrize(
    ("owners", "split", "penalty"), [(3, "rows", None), (2, "columns", None), (3, "columns", 2.0), (2, "rows", 1.0)]
)
def test_a_run_does_what_the_plan_says(owners, split, penalty, dealer):
    a_study = model(owners, split=split, penalty=penalty, dealer=dealer)
    counted = fit(a_study, split)
    found = plan.of_model(a_study.manifest, counted["layout"])
    for party in found.parties[:owners]:
        rounds, sent, offline_rounds, offline = counted[party.name]
        assert party.online.rounds == rounds
        assert party.offline.rounds == offline_rounds
        assert counted[party.name, "taken"] == list(found.correlations)
        assert party.online.sent == pytest.approx(sent - offline, rel=0.05)
        assert party.offline.sent == pytest.approx(offline, rel=0.05)
    check_result(counted["north", "result"], penalty)
    if dealer:
        assert found.parties[-1].offline.sent + found.parties[-1].online.sent == pytest.approx(
            counted[DEALER][1], rel=0.05
        )


GAMMA = 'model = "gamma"\niterations = 4\nconvergence = "step"\n'


@pytest.mark.parametrize("dealer", [False, True])
@pytest.mark.parametrize(("owners", "split"), [(3, "rows"), (2, "columns")])
def test_a_generalized_linear_model_does_what_the_plan_says(owners, split, dealer):
    a_study = model(owners, split=split, dealer=dealer, kind=GAMMA)
    counted = fit(a_study, split)
    found = plan.of_model(a_study.manifest, counted["layout"])
    for party in found.parties[:owners]:
        rounds, sent, offline_rounds, offline = counted[party.name]
        assert (party.online.rounds, party.offline.rounds) == (rounds, offline_rounds)
        assert counted[party.name, "taken"] == list(found.correlations)
        assert party.online.sent == pytest.approx(sent - offline, rel=0.05)
        assert party.offline.sent == pytest.approx(offline, rel=0.05)
    assert counted["north", "result"].model == "gamma"


def check_result(result, penalty):
    data = sample.diabetes()[:, [list(sample.RANGES).index(name) for name in COLUMNS]]
    plain = ridge(data[:, :-1], data[:, -1], penalty or 0.0)
    assert (np.abs(result.coefficients - plain.coefficients) < 1e-3 * plain.errors).all()
    np.testing.assert_allclose(result.standard_errors, plain.errors, rtol=1e-3)


def test_rows_do_not_matter_where_rows_are_split():
    manifest = model(3).manifest
    few, many = (plan.of_model(manifest, study.Layout(rows)) for rows in (10, 10**7))
    assert few.correlations == many.correlations
    assert [party.online.rounds for party in few.parties] == [party.online.rounds for party in many.parties]


def program(party):
    x = party.share(np.ones((5, 3)) if party.rank == 0 else None, owner=0)
    y = party.share(np.ones(3) if party.rank == 1 else None, owner=1)
    return ((x @ y) * 2.5).sum().reveal()


def training(party):
    x = party.share(np.ones((20, 3)) if party.rank == 0 else None, owner=0)
    y = party.share(np.ones(20, bool) if party.rank == 1 else None, owner=1)
    models = [SGDClassifier(0.5, 8, 3).fit(x, y) for _ in range(2)]
    return models[1].score(x, y).reveal()


@pytest.mark.parametrize("program", [program, training])
@pytest.mark.parametrize("dealer", [False, True])
@pytest.mark.parametrize("owners", [2, 3])
def test_a_program_does_what_its_plan_says(owners, dealer, program):
    a_study = program_study(owners, dealer=dealer)
    found = plan.of_program(a_study.manifest, program, 0)

    def live(session):
        gate = Gate(session, session.names, a_study.manifest.release.to, Ledger("small", ""), frozenset(CHECKS))
        digest = np.zeros(4, np.uint64)
        others = [rank for rank in range(session.count) if rank != session.rank]
        session.exchange("program", {p: [digest] for p in others}, {p: [digest.shape] for p in others})
        program(Party(session, gate))
        return session

    sessions = run(a_study, live)
    for party in found.parties[:owners]:
        session = sessions[party.name]
        assert party.online.rounds == session.rounds
        assert party.offline.rounds == session.offline_rounds
        assert session.taken == list(found.correlations)
        assert party.online.sent + party.offline.sent == pytest.approx(session.bytes_sent, rel=0.05)


def test_kinds_are_counted():
    found = plan.of_program(program_study(2, dealer=False).manifest, program, 0)
    asked = Counter(type(one).__name__ for one in found.correlations)
    assert {kind: n for kind, (n, _) in found.kinds.items()} == asked


def test_a_plan_says_which_operation_is_closest_to_its_limit():
    """Of 16 and 16 at 20 fraction bits a product has 48 bits, a sum of three 50; times 2.5, unrounded, 51 of 62."""
    manifest = program_study(2, dealer=False).manifest
    closest = plan.of_program(manifest, program, 0).to_dict()["closest_to_its_limit"]
    assert closest == {"operation": "a product of shape (5,)", "bits": 62 - 51}
    nothing = plan.of_program(manifest, lambda party: party.share(1 if party.rank == 0 else None, 0).reveal(), 0)
    assert nothing.to_dict()["closest_to_its_limit"] is None


def test_a_program_that_is_out_of_range_has_no_plan():
    def too_large(party):
        x = party.share(np.ones(3) if party.rank == 0 else None, owner=0, bounds=1e7)
        return (x * x).reveal()

    with pytest.raises(RangeError, match="a product of shape"):
        plan.of_program(program_study(2, dealer=False).manifest, too_large, 0)


def test_time_grows_with_the_delay():
    found = plan.of_model(model(2).manifest, study.Layout(100))
    seconds = [found.seconds(network) for network in plan.NETWORKS]
    assert seconds == sorted(seconds)
    assert seconds[-1] > 0.04 * found.parties[0].online.rounds


# What the manifest does not say


def test_columns_are_dealt_out_if_nobody_says():
    manifest = model(2, split="columns").manifest
    assert plan.layout_of(manifest, 50, {}) == study.Layout(50, (0, 0, 1, 1))
    assert plan.layout_of(manifest, 50, {"south": ["age"]}) == study.Layout(50, (1, 0, 0, 1))


def test_columns_of_nobody_are_refused():
    manifest = model(2, split="columns").manifest
    for said in ({"west": ["age"]}, {"south": ["height"]}):
        with pytest.raises(ManifestError, match="which the study has not"):
            plan.layout_of(manifest, None, said)
    with pytest.raises(ManifestError, match='split = "columns"'):
        plan.layout_of(model(2).manifest, None, {"south": ["age"]})


def test_too_few_rows_are_refused():
    with pytest.raises(ModelError, match="too few"):
        plan.of_model(model(2).manifest, study.Layout(3))
