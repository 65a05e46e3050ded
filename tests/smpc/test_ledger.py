"""The ledger: what it holds, and that it shows when it was altered or cannot be written."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from smpc.errors import LedgerError
from smpc.ledger import START, Ledger, verify


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.jsonl"


def written(path, *whats, session="5e55"):
    ledger = Ledger("progression", session, path)
    for what in whats:
        ledger.record(what, (3, 2), ("north", "south"))
    return ledger


def test_a_ledger(path):
    ledger = Ledger("progression", "5e55", path)
    ledger.record("coefficients", (4,), ["north"])
    assert verify(path) == ledger.entries


def test_what_an_entry_holds(path):
    first, second = written(path, "rows", "fit").entries
    assert (first.number, first.what, first.shape, first.to) == (0, "rows", (3, 2), ("north", "south"))
    assert (first.study, first.session, first.previous) == ("progression", "5e55", START)
    assert (second.number, second.previous) == (1, first.digest)
    fields = json.loads(path.read_text().splitlines()[0])
    assert set(fields) == {"number", "time", "study", "session", "what", "shape", "to", "previous"}


def test_without_a_path_it_is_in_memory(path):
    assert [entry.what for entry in written(None, "rows", "fit").entries] == ["rows", "fit"]
    assert not path.exists()


def test_only_its_owner_can_read_it(path):
    written(path, "rows")
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_is_continued(path):
    first = written(path, "rows", "fit")
    second = written(path, "rows", session="0ff")
    assert verify(path) == [*first.entries, *second.entries]
    assert [entry.number for entry in verify(path)] == [0, 1, 2]
    assert second.entries[0].previous == first.entries[-1].digest


def test_an_entry_is_on_the_disk_when_record_returns(path):
    ledger = Ledger("progression", "5e55", path)
    for number, what in enumerate(["rows", "fit", "coefficients"], start=1):
        ledger.record(what, (), ("north",))
        assert len(verify(path)) == number


def test_text_of_all_kinds(path):
    for what in ('a "quoted" name', "größe", "line\nbreak", "\x85\u2028\x1c", "{}", ""):
        Ledger("progression", "5e55", path).record(what, (), ())
    assert [entry.what for entry in verify(path)][:3] == ['a "quoted" name', "größe", "line\nbreak"]


# Altered


@pytest.fixture
def good(path):
    written(path, "rows", "check: every column varies", "fit")
    return path.read_bytes()


@pytest.mark.parametrize("change", [0x01, 0x02, 0x04, 0x20, 0x80])
def test_a_changed_byte_shows(path, good, change):
    """In the chain, or, in the last line, by another digest than that of the other parties."""
    head, last = verify(path)[-1].digest, good.rindex(b"\n", 0, -1)
    for position in range(len(good)):
        path.write_bytes(good[:position] + bytes([good[position] ^ change]) + good[position + 1 :])
        try:
            entries = verify(path)
        except LedgerError:
            continue
        assert position > last
        assert entries[-1].digest != head


def test_a_cut_end_shows(path, good):
    ends = [end for end, byte in enumerate(good, start=1) if byte == ord("\n")]
    for length in range(1, len(good)):
        path.write_bytes(good[:length])
        if length in ends:
            assert len(verify(path)) == ends.index(length) + 1  # a lost tail shows when parties compare
            continue
        with pytest.raises(LedgerError, match=r"line [123] is cut off, so nothing came of it: remove that line"):
            verify(path)


@pytest.mark.parametrize("order", [(1,), (1, 2), (0, 2), (1, 0, 2), (0, 0, 1, 2), (0, 1, 1, 2), (2, 1, 0)])
def test_lines_removed_repeated_or_swapped_show(path, good, order):
    lines = good.splitlines(keepends=True)
    path.write_bytes(b"".join(lines[number] for number in order))
    with pytest.raises(LedgerError, match=r"line \d does not continue the chain: the ledger was altered"):
        verify(path)


OTHER = [
    b"\n", b"null\n", b"[]\n", b"{}\n", b'"x"\n', b"\xff\n", b"\0\n", b"[" * 100_000 + b"\n", b'{"number": 0}\n',
]  # fmt: skip


@pytest.mark.parametrize("line", OTHER)
def test_what_is_no_entry_shows(path, good, line):
    first = good.splitlines(keepends=True)[0]
    for content in (line, first + line, first.replace(b"\n", b" \n"), first.replace(b"\n", b"\r\n")):
        path.write_bytes(content)
        with pytest.raises(LedgerError, match=r"^ledger\.jsonl: "):
            verify(path)


def test_an_altered_ledger_is_not_continued(path, good):
    path.write_bytes(good.replace(b"every", b"never"))
    with pytest.raises(LedgerError, match="line 3 does not continue the chain"):
        Ledger("progression", "5e55", path)
    assert path.read_bytes() == good.replace(b"every", b"never")


# Not to be written


def assert_unwritable(path):
    with pytest.raises(LedgerError, match=r"ledger\.jsonl: cannot be (read|written)"):
        Ledger("progression", "5e55", path).record("coefficients", (3,), ("north",))


def test_a_folder_that_is_not_there(tmp_path):
    assert_unwritable(tmp_path / "missing" / "ledger.jsonl")


def test_a_folder_in_its_place(path):
    path.mkdir()
    assert_unwritable(path)


def test_a_file_in_the_place_of_the_folder(tmp_path):
    (tmp_path / "out").write_text("")
    assert_unwritable(tmp_path / "out" / "ledger.jsonl")


def test_a_link_is_not_followed(path, tmp_path):
    path.symlink_to(tmp_path / "elsewhere")
    assert_unwritable(path)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_is_read_only(path):
    path.parent.chmod(0o500)
    assert_unwritable(path)


def test_a_ledger_in_memory_holds_nothing_that_the_disk_has_not(path):
    ledger = written(path, "rows")
    path.unlink()
    path.mkdir()
    with pytest.raises(LedgerError, match="cannot be written, so nothing is released: Is a directory"):
        ledger.record("coefficients", (3,), ("north",))
    assert [entry.what for entry in ledger.entries] == ["rows"]


FULL = """
import resource, sys, pathlib
from smpc.errors import LedgerError
from smpc.ledger import Ledger, verify
path = pathlib.Path(sys.argv[1])
ledger = Ledger("progression", "5e55", path)
ledger.record("rows", (), ("north",))
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    ledger.record("coefficients", (3,), ("north",))
except LedgerError as error:
    print(error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
ledger.record("fit", (2,), ("north",))
print(*[entry.what for entry in verify(path)])
"""


@pytest.mark.parametrize("room", [0, 1, 100])
def test_a_disk_that_is_full_leaves_no_part_of_a_line(path, room):
    done = subprocess.run(
        [sys.executable, "-c", FULL, path, str(room)], capture_output=True, text=True, check=True, timeout=60
    )
    refused, kept = done.stdout.splitlines()
    assert refused == "ledger.jsonl: cannot be written, so nothing is released: File too large"
    assert kept == "rows fit"
