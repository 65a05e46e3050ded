"""The store: what was put in comes out, once, at its owner's; anything else is refused."""

from __future__ import annotations

import fcntl
import itertools
import os
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

from protocols.beaver import Masks
from protocols.binary import WordTriple
from protocols.conversion import DaBits
from protocols.descent import DescentMasks
from protocols.digits import DigitMasks
from protocols.functions import BoundedRandom
from protocols.masks import Factor
from protocols.truncation import TruncationMask
from smpc import requests, store
from smpc.errors import StoreError
from smpc.store import Binding, open_store, standard_path, write
from tests.correlations import SIGNS, element_square, element_triple, matrix_triple, rescaled

SECRET, ID, NORTH = bytes(range(32)), bytes(range(100, 132)), Binding(bytes(32), "north")
SMALL = [PAIR := element_square((2,)), element_triple((0,)), PAIR]
MATRICES = [matrix_triple(2, 3, 4), matrix_triple(2, 3, 4, owners=(0, 1)), rescaled(matrix_triple(2, 0, 3))]
WORDS = [element_triple((2, 3)), element_triple((0, 4)), element_square((4,)), WordTriple((2,), 3), DigitMasks((5,))]
BITS = [Masks(7, (2, 2)), TruncationMask((3,), 20), DaBits((3,), 7), DaBits((3,), 0), BoundedRandom((2, 2), 9)]
EVERY = [*MATRICES, *WORDS, *BITS, *SIGNS, DescentMasks(Factor(7, (2, 1, 2), 0, (2, 0, 1)), 8, 20)]


@pytest.fixture
def path(tmp_path):
    return standard_path(tmp_path / "study.toml", "north")


def portions_of(correlations, runs=1, seed=1):
    generator = np.random.default_rng(seed)

    def item(correlation):
        secrets = [*correlation.drawn(), *correlation.derived()]
        return [generator.integers(0, 2**64, secret.shape, np.uint64) for secret in secrets]

    return [[item(correlation) for correlation in correlations] for _ in range(runs)]


def made(path, correlations=SMALL, runs=1, seed=1):
    portions = portions_of(correlations, runs, seed)
    write(path, SECRET, NORTH, ID, correlations, portions, runs)
    return portions


def opened(path):
    found = open_store(path, SECRET, NORTH)
    assert found is not None
    return found


def equal(arrays, others):
    return arrays is not None and len(arrays) == len(others) and all(map(np.array_equal, arrays, others))


def use_up(path, correlations, portions):
    """Take all that is left, a run at a time; whatever comes out must be what was put in."""
    for portion in portions:
        with opened(path) as found:
            found.reserve()
            for correlation, item in zip(correlations, portion, strict=True):
                assert equal(found.pop(correlation), item)


def refusal(action, *arguments):
    with pytest.raises(StoreError, match=r"\.store") as caught:
        action(*arguments)
    assert str(caught.value).isprintable()
    return str(caught.value)


def in_another_process(path, then):
    """What a process does that opens the store as `found`."""
    text = f"""
import os, signal
from pathlib import Path
from smpc.store import Binding, StoreError, open_store
try:
    with open_store(Path({str(path)!r}), {SECRET!r}, Binding(bytes(32), "north")) as found:
        {then}
except StoreError as error:
    print(error)
"""
    command, environment = [sys.executable, "-c", text], {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_what_was_put_in_comes_out(path):
    triple, parts = element_triple((3,)), [np.arange(3, dtype=np.uint64) for _ in "abc"]
    assert open_store(path, SECRET, NORTH) is None
    write(path, SECRET, NORTH, ID, [triple], [[parts]], runs=1)
    with open_store(path, SECRET, NORTH) as found:
        found.reserve()
        assert equal(found.pop(triple), parts)
        assert found.pop(triple) is None


def test_every_kind_of_correlation_comes_back(path):
    assert {type(correlation).__name__ for correlation in EVERY} == set(requests._KNOWN)
    for correlations in (EVERY, []):
        use_up(path, correlations, made(path, correlations, runs=2))
        with opened(path) as found:
            assert (found.runs, found.position, found.left) == (2, 2, 0)


def test_an_item_of_several_chunks(path):
    count = 2**21 + 5  # in two arrays: two whole chunks of 16 MiB, and a bit
    ((item,), _) = made(path, [element_square((count,))], runs=2)
    with opened(path) as found:
        found.reserve()
        assert equal(found.pop(element_square((count,))), item)
    data, sealed = bytearray(path.read_bytes()), store.CHUNK + 16
    first = len(data) - (2 * 8 * count + 3 * 16)
    data[first : first + 2 * sealed] = data[first + sealed : first + 2 * sealed] + data[first : first + sealed]
    path.write_bytes(data)
    with opened(path) as found:
        found.reserve()
        refusal(found.pop, element_square((count,)))


# Once


def test_equal_correlations_leave_in_order_and_once(path):
    ((first, _, second),) = made(path)
    with opened(path) as found:
        assert found.pop(PAIR) is None  # nothing is reserved
        found.reserve()
        assert found.pop(element_triple((2,))) is None
        assert equal(found.pop(PAIR), first)
        assert equal(found.pop(PAIR), second)
        assert found.pop(PAIR) is None


def test_a_run_takes_one_portion_until_none_is_left(path):
    _, second = made(path, runs=2)
    with opened(path) as found:
        assert (found.id, found.state) == (ID, ID + bytes(8))
        found.reserve()
        assert "already" in refusal(found.reserve)
        assert (found.left, found.state) == (1, ID + bytes(7) + b"\1")
    use_up(path, SMALL, [second])
    with opened(path) as found:
        assert refusal(found.reserve).startswith(f"{path} is used up: make it again with smpc prepare")
        assert found.pop(PAIR) is None


def test_a_run_that_was_killed_has_had_its_portion(path):
    _, second = made(path, runs=2)
    done = in_another_process(path, "found.reserve(); os.kill(os.getpid(), signal.SIGKILL)")
    assert (done.returncode, done.stdout, done.stderr) == (-9, "", "")
    use_up(path, SMALL, [second])


def test_what_is_written_is_on_the_disk_before_it_counts(path, monkeypatch):
    synced, real = [], os.fsync

    def spy(handle):
        real(handle)
        synced.append((Path(f"/dev/fd/{handle}").is_dir(), path.read_bytes() if path.exists() else b""))

    monkeypatch.setattr(os, "fsync", spy)
    made(path)
    with opened(path) as found:
        found.reserve()
    (_, absent), (is_folder, whole), (_, marked) = synced
    assert (absent, is_folder) == (b"", True)
    assert [pair for pair in zip(whole, marked, strict=True) if pair[0] != pair[1]] == [(0x55, 0xAA)]


def broken(handle):
    raise OSError(5, "Input/output error")


def test_a_disk_that_does_not_take_the_mark_is_not_asked_again(path, monkeypatch):
    made(path, runs=2)
    with opened(path) as found:
        monkeypatch.setattr(os, "fsync", broken)
        assert refusal(found.reserve) == f"{path} cannot be marked: Input/output error"
        assert "already" in refusal(found.reserve)
        assert found.pop(PAIR) is None


def test_an_old_copy_has_the_old_state(path):
    portions, old = made(path), path.read_bytes()
    use_up(path, SMALL, portions)  # the peers are at portion 1 now
    path.write_bytes(old)
    with opened(path) as found:
        assert found.state == ID + bytes(8)


# One process at a time


def test_who_has_it_open_has_it_alone(path):
    portions = made(path)
    in_use = f"{path} is in use by another process: wait until that one has ended"
    with opened(path):
        assert refusal(opened, path) == in_use
        assert refusal(made, path, SMALL, 1, 2) == in_use
        assert in_another_process(path, "print(found.left)").stdout == f"{in_use}\n"
    assert in_another_process(path, "print(found.left)").stdout == "1\n"
    assert list(path.parent.iterdir()) == [path]
    use_up(path, SMALL, portions)


def test_while_one_is_made_nobody_uses_the_old_or_makes_another(path):
    def portions(old):
        assert "in use" in refusal(made, path)
        assert not old or "in use" in refusal(opened, path)
        yield from portions_of(SMALL, seed=2)

    for old in (False, True):
        write(path, SECRET, NORTH, ID, SMALL, portions(old), 1)
    use_up(path, SMALL, portions_of(SMALL, seed=2))


def test_a_store_that_was_replaced_before_it_was_locked(path, monkeypatch):
    made(path)
    new, real = Path(path.parent, "new"), fcntl.flock
    new.write_bytes(path.read_bytes())
    monkeypatch.setattr(fcntl, "flock", lambda *how: (new.replace(path), real(*how)))
    assert "in use" in refusal(opened, path)


# Damage and deceit

TINY = [element_square((1,)), element_square((1,))]  # two runs of them: so small that all can be tried
SEALED, MARKS = 2 * 8 + 16, -4 * (2 * 8 + 16) - 2


@pytest.fixture
def data(path):
    made(path, TINY, runs=2)
    return path.read_bytes()


def test_every_flipped_bit_is_noticed(path, data):
    for at, bit in itertools.product(range(len(data)), range(8)):
        path.write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :])
        refusal(use_up, path, TINY, portions_of(TINY, 2))


def test_every_other_length_is_refused(path, data):
    for other in [data[:length] for length in range(len(data))] + [data + b"\0", data[:13] + b"\xff" * 8 + data[21:]]:
        path.write_bytes(other)
        assert "is damaged" in refusal(opened, path)


def test_marks_have_two_values_and_one_order(path, data):
    good = {(0x55, 0x55), (0xAA, 0x55), (0xAA, 0xAA)}
    for marks in itertools.product(range(256), [0x55, 0xAA, 0x00]):
        path.write_bytes(data[:MARKS] + bytes(marks) + data[MARKS + 2 :])
        opened(path).close() if marks in good else refusal(opened, path)


def test_items_have_their_place_in_their_file(path, data):
    pieces = [data[at : at + SEALED] for at in range(len(data) - 4 * SEALED, len(data), SEALED)]
    for order in itertools.product(range(4), repeat=4):
        if order != (0, 1, 2, 3):
            path.write_bytes(data[: -4 * SEALED] + b"".join(pieces[at] for at in order))
            refusal(use_up, path, TINY, portions_of(TINY, 2))
    made(path, TINY, runs=2)  # the same id and items once more, and nothing of it is equal
    again = path.read_bytes()
    assert not any(piece in again for piece in pieces)
    path.write_bytes(data[: -4 * SEALED] + again[-4 * SEALED :])
    refusal(use_up, path, TINY, portions_of(TINY, 2))


def test_of_another_key_study_party_or_version(path, monkeypatch):
    made(path)
    for secret, binding, what in [
        (bytes(32), NORTH, "is damaged, or of another key or version of smpc"),
        (SECRET, Binding(b"\1" * 32, "north"), "was made for another study, or before this one was changed"),
        (SECRET, Binding(bytes(32), "south"), "belongs to north, not to south"),
    ]:
        line = refusal(open_store, path, secret, binding)
        assert line == f"{path} {what}: make it again with smpc prepare at every party, or delete it everywhere"
    opened(path).close()
    monkeypatch.setattr(requests, "_KNOWN", {})
    assert "or of another key or version of smpc" in refusal(opened, path)


def test_what_is_open_to_others_or_no_plain_file(path):
    made(path)
    for mode in (0o640, 0o604, 0o620, 0o601, 0o777):
        path.chmod(mode)
        assert refusal(opened, path) == f"{path} is open to others: chmod 600 {path}"
    path.unlink()
    os.mkfifo(path, 0o600)
    assert refusal(opened, path) == f"{path} is no plain file: delete it"
    path.unlink()
    path.mkdir()
    assert refusal(opened, path) == f"{path} cannot be opened: Is a directory"


# Writing


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_the_file_is_for_its_owner_alone(path, umask):
    before = os.umask(umask)
    try:
        made(path)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_word_of_it_is_in_the_file_or_shown(path):
    (items,) = made(path, EVERY)
    words = {word for item in items for array in item for word in array.reshape(-1).tolist()}
    file = path.read_bytes()
    assert len(words) > 50
    assert not [word for word in words if word.to_bytes(8, "little") in file or word.to_bytes(8, "big") in file]
    with opened(path) as found:
        assert repr(found) == str(found) == f"Store(runs=1, left=1, items={len(EVERY)})"


def test_a_new_store_takes_the_place_of_whatever_is_there(path):
    path.symlink_to(path.with_name("elsewhere"))
    path.with_name(".north.store.draft").write_bytes(b"half a store, of a process that died")
    made(path)
    assert not path.is_symlink()
    for seed, old in enumerate([path.read_bytes(), b"", b"something else"]):
        path.write_bytes(old)
        use_up(path, SMALL, made(path, seed=seed))
        assert list(path.parent.iterdir()) == [path]


SPOILT = {
    "a portion less": lambda portions: portions.pop(),
    "a portion more": lambda portions: portions.append(portions[0]),
    "an item less": lambda portions: portions[1].pop(),
    "an item more": lambda portions: portions[1].append(portions[1][0]),
    "an array less": lambda portions: portions[1][0].pop(),
    "another shape": lambda portions: portions[1][0].__setitem__(0, np.zeros(3, np.uint64)),
    "another type": lambda portions: portions[1][0].__setitem__(0, np.zeros(2, np.int64)),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_other_portions_than_said_leave_the_old_store(path, spoil):
    old, portions = made(path), portions_of(SMALL, 2)
    spoil(portions)
    with pytest.raises(ValueError, match=r"portions|items of a portion|item 0 has ring arrays of the shapes"):
        write(path, SECRET, NORTH, ID, SMALL, portions, 2)
    assert list(path.parent.iterdir()) == [path]
    use_up(path, SMALL, old)


def test_what_stops_the_making_leaves_the_old_store(path, monkeypatch):
    def portions():
        yield from portions_of(SMALL)
        raise ConnectionError(104, "the dealer is gone")  # not told as a fault of the disk

    old = made(path)
    with pytest.raises(ConnectionError):
        write(path, SECRET, NORTH, ID, SMALL, portions(), 2)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", broken)
        assert refusal(made, path) == f"{path} cannot be written: Input/output error"
    assert list(path.parent.iterdir()) == [path]
    use_up(path, SMALL, old)


def test_what_cannot_be_a_store(path):
    lengths = [(b"", NORTH, ID, 1), (SECRET, Binding(b"", "north"), ID, 1), (SECRET, NORTH, b"", 1)]
    for secret, binding, number, runs in [*lengths, (SECRET, NORTH, ID, 0), (SECRET, NORTH, ID, 2**32)]:
        with pytest.raises(ValueError, match="32 bytes each"):
            write(path, secret, binding, number, SMALL, [], runs)
    absent = path.parent / "absent"
    assert refusal(made, absent / path.name).endswith(f"create the folder {absent} first")


def test_an_item_is_gone_before_the_next_is_made(path):
    alive = []

    def items():
        for _ in range(3):
            assert not [array for array in alive if array() is not None]
            arrays = [np.zeros(2, np.uint64), np.zeros(2, np.uint64)]
            alive.extend(map(weakref.ref, arrays))
            yield arrays
            del arrays

    write(path, SECRET, NORTH, ID, [PAIR] * 3, (items() for _ in range(2)), 2)
    assert len(alive) == 12
