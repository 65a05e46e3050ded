"""What crosses the wire: bytes that are uniform, in frames whose number and sizes do not depend on the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from smpc import sample, study
from smpc.config import parse_manifest
from smpc.data import read_table
from smpc.helper import serve
from smpc.identity import generate
from smpc.ledger import Ledger
from smpc.release import Gate
from smpc.wire import TAG_BYTES
from tests.end_to_end.sites import manifest, party
from tests.smpc.network import DEALER, Study, free_port, together

ALPHA = 1e-9
SHARES = {"exchange", "deal"}  # the kinds of frames that carry shares, masks or corrections


@dataclass(frozen=True)
class Wire:
    """A run: each party's result, and all frames by sender: receiver, kind, bytes."""

    results: dict
    frames: dict

    def bodies(self):
        """What share-carrying frames carry; once, if it goes to several peers, or it would count twice."""
        return [
            np.frombuffer(body, np.uint8)
            for frames in self.frames.values()
            for body in dict.fromkeys(frame[TAG_BYTES:] for _, kind, frame in frames if kind in SHARES)
        ]

    def sizes(self):
        """By sender and receiver, the kinds and sizes of frames in their order; hellos hold no more than names."""
        return {
            (sender, receiver): [(kind, len(frame)) for to, kind, frame in frames if to == receiver]
            for sender, frames in self.frames.items()
            for receiver in {to for to, *_ in frames}
        }


def fit(tables, columns, *, split="rows", penalty=None):
    """A linear study over encrypted links, each party a thread of its own. `tables`: by owner."""
    names = (*tables, DEALER)
    keys = {name: generate(name) for name in names}
    model = 'model = "linear"\n' if penalty is None else f'model = "ridge"\npenalty = {penalty}\n'
    head = f'{model}split = "{split}"\ntarget = "{columns[-1]}"\nfeatures = {list(columns[:-1])!r}\n'
    text = manifest([], tables, head) + "".join(
        f'[columns."{name}"]\nrange = [{low}, {high}]\n' for name, (low, high) in columns_of(columns).items()
    )
    blocks = [party(name, free_port(), keys[name].public.hex(), dealer=name == DEALER) for name in names]
    a_manifest = parse_manifest((text + "".join(blocks)).encode(), "study.toml")
    opened = Study(a_manifest, keys)
    frames = {name: [] for name in names}

    def live(name):
        if name == DEALER:
            with opened.open(name, on_frame=lambda *frame: frames[name].append(frame)) as session:
                return serve(session)
        require = "some" if split == "columns" else "all"
        table = read_table(tables[name], a_manifest.columns, list(columns), require=require)
        prepared = study.prepare(a_manifest, table)
        with opened.open(name, on_frame=lambda *frame: frames[name].append(frame)) as session:
            gate = Gate(session, session.names, a_manifest.release.to, Ledger("s", "5e55"), study.PUBLIC)
            return study.fit(gate, a_manifest, prepared, study.agree(gate, a_manifest, prepared))

    results = dict(zip(names, together(*(lambda n=name: live(n) for name in names)), strict=True))
    for result in results.values():
        assert not isinstance(result, BaseException), result
    return Wire(results, frames)


def columns_of(columns):
    return {name: sample.RANGES[name][:2] if name in sample.RANGES else (-9, 9) for name in columns}


def diabetes(parties=3):
    columns = tuple(sample.RANGES)
    parts = sample.split_rows(sample.diabetes(), parties)
    names = ("north", "south", "east")[:parties]
    return {name: dict(zip(columns, part.T, strict=True)) for name, part in zip(names, parts, strict=True)}, columns


@pytest.fixture(scope="module")
def demo():
    return fit(*diabetes())


def p_value(values, cells):
    """Of Pearson's χ² that `values` in 0..cells-1 are uniform."""
    return stats.chisquare(np.bincount(values, minlength=cells)).pvalue


def test_the_run_is_a_study(demo):
    results = [demo.results[name] for name in ("north", "south", "east")]
    assert results[0].rows == 442
    assert results[0].to_dict() == results[1].to_dict() == results[2].to_dict()


# Uniform


def test_every_frame_is_of_a_known_kind(demo):
    kinds = {kind for frames in demo.frames.values() for _, kind, _ in frames}
    assert kinds == {"hello", "ready", "exchange", "request", "deal", "bye"}


def test_all_bytes_of_shares_are_uniform(demo):
    whole = np.concatenate(demo.bodies())
    assert len(whole) > 200_000
    assert len(whole) % 8 == 0
    assert p_value(whole, 256) > ALPHA


def test_each_byte_of_the_ring_elements_is_uniform(demo):
    """A bias of the highest or lowest byte alone, as of a value that is not masked whole, would drown in the others."""
    elements = np.concatenate(demo.bodies()).reshape(-1, 8)
    for byte in range(8):
        assert p_value(elements[:, byte], 256) > ALPHA


def test_neighbours_are_independent(demo):
    """The lowest four bits of an element beside those of the next: equal masks would show."""
    low = np.concatenate(demo.bodies()).reshape(-1, 8)[:, 0] & 15
    assert p_value(low[:-1].astype(int) * 16 + low[1:], 256) > ALPHA


def test_each_link_is_uniform(demo):
    for sender, frames in demo.frames.items():
        for receiver in {to for to, kind, _ in frames if kind in SHARES}:
            bodies = [frame[TAG_BYTES:] for to, kind, frame in frames if to == receiver and kind in SHARES]
            assert p_value(np.frombuffer(b"".join(bodies), np.uint8), 256) > ALPHA, (sender, receiver)


def test_no_element_is_sent_twice(demo):
    """Of 100,000 random elements no two are equal, but that one goes to several peers."""
    for frames in demo.frames.values():
        for receiver in {to for to, *_ in frames}:
            bodies = [frame[TAG_BYTES:] for to, kind, frame in frames if to == receiver and kind in SHARES]
            elements = np.frombuffer(b"".join(bodies), np.uint64)
            assert len(np.unique(elements)) == len(elements)


@pytest.mark.parametrize("bits", [1, 8, 40, 62])
def test_what_is_not_masked_would_be_found(demo, bits):
    """The same tests with one small array of 2^`bits`-bounded values among all that is sent."""
    bad = np.random.default_rng(bits).integers(0, 1 << bits, 3000, dtype=np.uint64)
    elements = np.concatenate([*demo.bodies(), bad.view(np.uint8)]).reshape(-1, 8)
    assert min(p_value(elements[:, byte], 256) for byte in range(8)) < ALPHA


# Sizes


@pytest.mark.parametrize(("split", "penalty"), [("rows", None), ("columns", None), ("rows", 2.0)])
def test_two_runs_on_different_data_have_the_same_sequence_of_frame_sizes(split, penalty):
    rng = np.random.default_rng(1)
    columns = ("a", "b", "c", "y")
    runs = []
    for scale in (0.1, 3.0):
        x = np.clip(rng.normal(size=(60, 3)) * scale, -9, 9)
        y = np.clip(x.sum(axis=1) + rng.normal(size=60) * scale, -9, 9)
        whole = dict(zip(columns, np.column_stack([x, y]).T, strict=True))
        if split == "rows":
            tables = {"north": {k: v[:20] for k, v in whole.items()}, "south": {k: v[20:] for k, v in whole.items()}}
        else:
            tables = {"north": {k: whole[k] for k in "ac"}, "south": {k: whole[k] for k in "by"}}
        runs.append(fit(tables, columns, split=split, penalty=penalty))
    assert runs[0].sizes() == runs[1].sizes()
    assert len(runs[0].sizes()) == 2 + 2 * 2  # between the owners, and between each and the dealer


def test_a_thousand_times_the_rows_cost_no_byte():
    """100 or 100,000 rows of 20 columns at each of two parties."""
    columns = (*(f"x{number}" for number in range(19)), "y")
    runs = []
    for rows in (100, 100_000):
        tables = {}
        for seed, name in enumerate(("north", "south")):
            x = np.clip(np.random.default_rng(seed).normal(size=(rows, 20)), -9, 9)
            x[:, 19] += x[:, 0]
            tables[name] = dict(zip(columns, np.clip(x, -9, 9).T, strict=True))
        runs.append(fit(tables, columns))
    assert runs[0].sizes() == runs[1].sizes()
    few, many = (sum(len(f[2]) for frames in one.frames.values() for f in frames) for one in runs)
    assert few == many


def test_the_number_of_rows_of_a_party_is_in_no_frame_size():
    tables, columns = diabetes(2)
    uneven = {
        "north": {
            name: np.concatenate([values, tables["south"][name][:200]]) for name, values in tables["north"].items()
        },
        "south": {name: values[200:] for name, values in tables["south"].items()},
    }
    first, second = fit(tables, columns), fit(uneven, columns)
    assert first.sizes() == second.sizes()
    assert first.results["north"].rows == second.results["north"].rows == 442
