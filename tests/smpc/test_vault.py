"""What programs keep for later ones: each party its shares, of one run, under its own key."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import smpc
from smpc.errors import StoreError
from smpc.models.regression import GammaRegressor, LinearRegression, LogisticRegression
from smpc.models.saved import keep, load
from smpc.ranges import Range
from smpc.vault import Kept, Vault
from tests.smpc.scored import cancer, progression
from tests.smpc.studies import ranges_of

VALUES = np.array([[1.5, -2.0], [0.25, 3.0]])


def keeping(party):
    x = party.share(VALUES if party.rank == 0 else None, 0)
    n = party.share(np.array([3, 5]) if party.rank == 0 else None, 0, bounds=(0, 9))
    party.keep("mine", {"said": [1, "a"]}, x=x, n=n, truth=x > 0, number=x[0, 0])


def reading(party):
    public, arrays = party.kept("mine")
    return public, {name: one.reveal() for name, one in arrays.items()}, arrays["n"].bounds


@pytest.mark.parametrize("parties", [2, 3, 5])
def test_kept_and_taken_up(tmp_path, parties):
    smpc.simulate(keeping, parties, folder=tmp_path)
    for public, arrays, bounds in smpc.simulate(reading, parties, folder=tmp_path):
        assert public == {"said": [1, "a"]}
        np.testing.assert_array_equal(arrays["x"], VALUES)
        assert arrays["n"].tolist() == [3, 5]
        assert arrays["truth"].tolist() == (VALUES > 0).tolist()
        assert (arrays["number"], bounds) == (1.5, (0.0, 9.0))


def test_nothing_is_readable_and_all_is_private(tmp_path):
    smpc.simulate(keeping, 2, folder=tmp_path)
    for path in tmp_path.glob("*/mine.kept"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"said" not in path.read_bytes()


def test_shares_are_fresh(tmp_path):
    smpc.simulate(keeping, 2, folder=tmp_path)
    shares = [smpc.simulate(lambda p: p.kept("mine")[1]["x"].share.values, 2, folder=tmp_path) for _ in range(2)]
    assert not (shares[0][0] == shares[1][0]).any()


def refused(program, tmp_path):
    with pytest.raises((StoreError, ValueError, BaseExceptionGroup)) as caught:
        smpc.simulate(program, 2, folder=tmp_path)
    error = caught.value
    return str(error.exceptions[0] if isinstance(error, BaseExceptionGroup) else error)


def test_files_of_two_runs(tmp_path):
    smpc.simulate(keeping, 2, folder=tmp_path)
    shutil.copy(tmp_path / "party1" / "mine.kept", tmp_path / "old")
    smpc.simulate(keeping, 2, folder=tmp_path)
    shutil.copy(tmp_path / "old", tmp_path / "party1" / "mine.kept")
    assert "is of another run than that of" in refused(reading, tmp_path)


def test_files_that_are_not_ours(tmp_path):
    vault = Vault(tmp_path, bytes(32), [b"a", b"b"], 0)
    vault.write("x", bytes(32), None, {"a": Kept(np.zeros(2, np.uint64), (2,), 0, Range(-(2**70), 2**70), truth=False)})
    assert vault.read("x")[2]["a"].range == Range(-(2**70), 2**70)
    for other, message in (
        (Vault(tmp_path, bytes([1]) * 32, [b"a", b"b"], 0), "not kept with this key"),
        (Vault(tmp_path, bytes(32), [b"a", b"c"], 0), "other parties"),
        (Vault(tmp_path, bytes(32), [b"a", b"b"], 1), "another order"),
    ):
        with pytest.raises(StoreError, match=message):
            other.read("x")
    with pytest.raises(StoreError, match="No such file"):
        vault.read("y")
    with pytest.raises(ValueError, match="has a name of letters"):
        vault.read("../x")


def test_every_bit_counts(tmp_path):
    vault = Vault(tmp_path, bytes(32), [b"a", b"b"], 0)
    vault.write("x", bytes(32), None, {})
    good = (tmp_path / "x.kept").read_bytes()
    for at in range(len(good)):
        (tmp_path / "x.kept").write_bytes(good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :])
        with pytest.raises(StoreError):
            vault.read("x")
        (tmp_path / "x.kept").write_bytes(good[:at])
        with pytest.raises(StoreError):
            vault.read("x")


def test_a_run_without_a_folder():
    with pytest.raises(ValueError, match="nothing can be kept here"):
        smpc.simulate(keeping, 2)


@pytest.mark.parametrize(
    ("make", "data"), [(LogisticRegression, cancer), (GammaRegressor, progression), (LinearRegression, progression)]
)
def test_a_model_that_stays_secret(tmp_path, make, data):
    x, y = data()
    x, y = x[:120], y[:120]

    def shared(party):
        whole = make is LogisticRegression
        features = party.share(x if party.rank == 0 else None, 0, bounds=float(np.abs(ranges_of(x)).max()))
        bounds = (0, 1) if whole else (1, float(y.max()))
        return features, party.share((y.astype(int) if whole else y) if party.rank == 1 else None, 1, bounds=bounds)

    def fitting(party):
        features, target = shared(party)
        model = make().fit(features, target, ranges_of(x))
        keep(party, "model", model)
        return model.predict(features).reveal(), model.get_params()

    def predicting(party):
        model = load(party, "model")
        return model.predict(shared(party)[0]).reveal(), model.get_params()

    first, again = (smpc.simulate(program, 2, folder=tmp_path)[0] for program in (fitting, predicting))
    np.testing.assert_allclose(again[0], first[0], rtol=1e-4, atol=1e-3)
    assert again[1] == first[1]
