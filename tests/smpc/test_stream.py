"""Files in pieces: the same rows and the same results as at once, in memory that does not grow with them."""

from __future__ import annotations

import gzip
import tracemalloc

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet
import pytest

from protocols import local
from smpc import lines, sources, study
from smpc.data import read_table, stream_table
from smpc.errors import DataError, ReleaseRefused
from smpc.ledger import Ledger
from smpc.release import Gate
from tests.smpc.studies import NAMES, SEED, fit, manifest
from tests.smpc.tables import CANARY, COLUMNS, TEXT, WANTED, save

FEATURES = ["a", "b"]
STUDY = manifest(FEATURES, [(-5.0, 5.0), (-6.0, 5.0), (-20.0, 20.0)], 2)
KINDS = ["csv", "csv.gz", "parquet", "arrow", "feather"]


def stream(path, columns=COLUMNS, wanted=WANTED):
    return stream_table(path, columns, wanted, require="all")


def test_a_file_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "PIECE", 8)
    found = stream(save(tmp_path, "age,bmi\n1,2\n3,4\n5,6\n7,8\n"))
    assert found.name == "north.csv"
    assert [piece.columns["age"].tolist() for piece in found.pieces] == [[1, 3], [5, 7]]


# The same as at once


def data(rows, seed=0):
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(2, rows)).clip(-5, 5)
    return {"a": a, "b": b, "y": a - 2 * b + rng.normal(size=rows).clip(-4, 4)}


def write(folder, table, kind, name="north"):
    path, arrow = folder / f"{name}.{kind}", pa.table({"other": ["x"] * len(table["a"]), **table})
    if kind == "parquet":
        pa.parquet.write_table(arrow, path, row_group_size=70)
    elif kind == "feather":
        pa.feather.write_feather(arrow, str(path), chunksize=90)
    elif kind == "arrow":
        with pa.ipc.new_stream(str(path), arrow.schema) as file:
            file.write_table(arrow, max_chunksize=80)
    else:
        rows = ["other,a,b,y", *(f"x,{a!r},{b!r},{y!r}" for a, b, y in zip(*columns(table), strict=True))]
        text = "\n".join(rows).encode()
        path.write_bytes(gzip.compress(text) if kind == "csv.gz" else text)
    return path


def columns(table):
    return [table[name].tolist() for name in ("a", "b", "y")]


def prepared(source):
    return study.prepare(STUDY, stream(source, STUDY.columns, ["a", "b", "y"]))


def cut(monkeypatch, size):
    """Pieces of about `size` rows of any kind of file."""
    monkeypatch.setattr(lines, "PIECE", 60 * size)
    monkeypatch.setattr(sources, "ROWS", size)


@pytest.mark.parametrize("size", [1, 7, 64, 1000])
@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_of_file_in_any_pieces_has_the_same_rows(tmp_path, monkeypatch, kind, size):
    table = data(200)
    cut(monkeypatch, size)
    path = write(tmp_path, table, kind)
    whole = read_table(path, STUDY.columns, ["y", "a"], require="all")
    assert whole.rows == 200
    for name in ("y", "a"):
        np.testing.assert_array_equal(whole.columns[name], table[name], strict=True)
        assert not whole.columns[name].flags.writeable
    rows = [piece.rows for piece in stream(path, STUDY.columns, ["y", "a"]).pieces]
    assert sum(rows) == 200
    assert size == 1000 or max(rows) <= 2 * size + 1
    expected, found = study.prepare(STUDY, read_table(table, STUDY.columns, list(table), require="all")), prepared(path)
    assert found.rows == expected.rows
    assert found.sums.first.tolist() == expected.sums.first.tolist()
    assert found.sums.second.tolist() == expected.sums.second.tolist()


@pytest.mark.parametrize("size", [1, 50])
def test_the_result_is_the_same_to_the_last_bit(tmp_path, monkeypatch, size):
    tables = [data(120, seed) for seed in (1, 2)]
    expected = fit(STUDY, tables).results[0]
    cut(monkeypatch, size)
    mine = [prepared(write(tmp_path, table, "csv", name)) for table, name in zip(tables, NAMES, strict=False)]

    def program(party):
        gate = Gate(party, NAMES[:2], STUDY.release.to, Ledger("small", "5e55"), study.PUBLIC)
        own = mine[party.rank]
        return study.fit(gate, STUDY, own, study.agree(gate, STUDY, own))

    found = local.run_all(local.parties(2, SEED), program)[0]
    assert found.to_dict() == expected.to_dict()


# Memory


@pytest.mark.parametrize("kind", KINDS)
def test_memory_does_not_grow_with_the_rows(tmp_path, monkeypatch, kind):
    """Of Python and NumPy, at the most; of Arrow, beside each piece."""
    cut(monkeypatch, 64)
    peaks = []
    for rows in (1_000, 1_000, 10_000):  # the first warms up
        path = write(tmp_path, data(rows), kind)
        peaks.append((peak_of_python(path), peak_of_arrow(path)))
    _, (python, arrow), (more_python, more_arrow) = peaks
    assert more_python < 1.1 * python + 2_000
    assert more_arrow < 1.1 * arrow + 10_000  # where the batches are is read beforehand


def peak_of_python(path):
    tracemalloc.start()
    prepared(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return peak


def peak_of_arrow(path):
    before = pa.total_allocated_bytes()
    return max(pa.total_allocated_bytes() - before for _ in stream(path, STUDY.columns, ["a", "b", "y"]).pieces)


def test_a_piece_is_read_when_its_turn_comes(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "PIECE", 8)
    found = stream(save(tmp_path, "age,bmi\n1,2\n3,4\n5,6\n7,x\n"))
    assert next(found.pieces).rows == 2
    with pytest.raises(DataError, match=f'line 5, column "bmi": {TEXT}'):
        next(found.pieces)


# Errors


def test_names_are_seen_to_at_once(tmp_path):
    with pytest.raises(DataError, match='no column "bmi"'):
        stream(save(tmp_path, "age\n1\n"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_cell_has_its_row_in_any_piece(tmp_path, monkeypatch, kind):
    cut(monkeypatch, 16)
    table = data(100)
    table["b"][87] = float(CANARY)
    with pytest.raises(DataError) as caught:
        prepared(write(tmp_path, table, kind))
    place = "line 89" if kind.startswith("csv") else "row 88"
    assert str(caught.value) == f'north.{kind}: {place}, column "b": outside the declared range [-6, 5]'


@pytest.mark.parametrize("kind", ["csv.gz", "parquet", "feather", "arrow"])
def test_a_file_that_is_damaged_far_from_its_start(tmp_path, monkeypatch, kind):
    cut(monkeypatch, 16)
    path = write(tmp_path, data(5_000), kind)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = content[len(content) // 2 : -100]
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"north.{kind}: (is|cannot be read)"):
        prepared(path)


def test_a_file_that_goes_away_while_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(lines, "PIECE", 8)
    path = save(tmp_path, "age,bmi\n1,2\n3,4\n")
    found = stream(path)
    path.unlink()
    with pytest.raises(DataError, match=r"^north\.csv: cannot be read: No such file"):
        next(found.pieces)


def test_too_few_rows(tmp_path):
    with pytest.raises(ReleaseRefused, match=r"^north\.csv has fewer rows than the study's minimum_rows, which is 2$"):
        prepared(write(tmp_path, data(1), "csv"))


def test_columns_that_are_split_need_all_rows(tmp_path):
    split = manifest(FEATURES, [(-5.0, 5.0), (-6.0, 5.0), (-20.0, 20.0)], 2, split="columns")
    path = write(tmp_path, data(10), "csv")
    with pytest.raises(ValueError, match="needs its table as a whole"):
        study.prepare(split, stream(path, split.columns, ["a", "b", "y"]))
    with pytest.raises(ValueError, match="only sums of the rows are left"):
        prepared(path).u  # noqa: B018
