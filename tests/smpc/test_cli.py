"""The command from inside: exit codes, one line for every error, and never a value in it."""

from __future__ import annotations

import errno
import json
import os
import sys

import click
import numpy as np
import pytest

from protocols.errors import ForkError, MessageError, PeerGone
from smpc import cli, errors
from smpc.outcome import plain

SECRET = "8675309"


def main(monkeypatch, capsys, *arguments):
    """Exit code, stdout and stderr of `smpc`."""
    monkeypatch.setattr(sys, "argv", ["smpc", *map(str, arguments)])
    code = 0
    try:
        cli.main()
    except SystemExit as end:
        code = end.code
    captured = capsys.readouterr()
    return code or 0, captured.out, captured.err


def test_a_command(monkeypatch, capsys, tmp_path):
    code, out, err = main(monkeypatch, capsys, "keygen", "north", "--dir", tmp_path)
    assert (code, err) == (0, "")
    assert (tmp_path / "north.key").exists()
    assert (tmp_path / "north.pub").read_text().strip() in out


@pytest.fixture
def failing(monkeypatch, capsys):
    """What `smpc fail` does when it is stopped by an error."""

    def run(error, *options):
        def fail():
            raise error

        monkeypatch.setitem(cli.cli.commands, "fail", click.Command("fail", callback=fail))
        return main(monkeypatch, capsys, "fail", *options)

    return run


OURS = [
    errors.SmpcError, errors.ManifestError, errors.KeyFileError, errors.DataError, errors.ReleaseRefused,
    errors.LedgerError, errors.ModelError,
]  # fmt: skip


@pytest.mark.parametrize("kind", OURS)
def test_errors_of_ours_are_quoted(kind, failing):
    assert failing(kind("what is wrong: what to do")) == (1, "", "smpc: what is wrong: what to do\n")


@pytest.mark.parametrize(
    "error",
    [
        errors.LinkError("south left", "south"),
        PeerGone("south left", 1),
        MessageError("south left", frozenset({1})),
        ForkError("south left"),
    ],
)
def test_a_peers_fault_has_a_code_of_its_own(error, failing):
    assert failing(error) == (3, "", "smpc: south left\n")


@pytest.mark.parametrize(
    "error",
    [ValueError(SECRET), KeyError(SECRET), RuntimeError(SECRET), OSError(5, SECRET), MemoryError(SECRET),
     ExceptionGroup(SECRET, [ValueError(SECRET)]), UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET)],
)  # fmt: skip
def test_other_errors_are_named_and_not_quoted(error, failing):
    line = f"smpc: stopped by {type(error).__name__}; run the command again with --debug to see where\n"
    assert failing(error) == (1, "", line)


def test_a_file_that_the_system_refuses_is_named(failing):
    said = f"smpc: results/a: {os.strerror(errno.ENOTDIR)}\n"
    assert failing(NotADirectoryError(errno.ENOTDIR, SECRET, "results/a")) == (1, "", said)


def test_an_error_stays_on_one_line(failing):
    code, _, err = failing(errors.DataError("a\nb\x1b[31m.csv: no such file"))
    assert (code, err) == (1, "smpc: a\\nb\\x1b[31m.csv: no such file\n")


@pytest.mark.parametrize(
    "arguments", [["init"], ["keygen", "north", "--dir"], ["demo", "--out"]], ids=lambda arguments: arguments[0]
)
def test_a_file_in_the_place_of_a_folder(arguments, monkeypatch, capsys, tmp_path):
    (tmp_path / "file").touch()
    code, out, err = main(monkeypatch, capsys, *arguments, tmp_path / "file" / "folder")
    assert (code, out) == (1, "")
    assert err == f"smpc: {tmp_path / 'file' / 'folder'}: Not a directory\n"


def test_a_traceback_for_who_asks(failing):
    code, out, err = failing(ValueError(SECRET), "--debug")
    assert (code, out) == (1, "")
    assert err.startswith("Traceback (most recent call last):")
    assert "stopped by ValueError" in err.splitlines()[-1]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.exceptions.Abort()])
def test_an_interruption(error, failing):
    code, out, err = failing(error)
    assert (code, out, err.strip()) == (130, "", "smpc: interrupted")


@pytest.mark.parametrize("arguments", [["nothing"], ["--nothing"], ["run"], ["demo", "--model", "forest"]])
def test_wrong_arguments(arguments, monkeypatch, capsys):
    code, out, err = main(monkeypatch, capsys, *arguments)
    assert (code, out) == (2, "")
    assert "Error: " in err


def test_every_command_has_a_short_help_that_fits():
    context = click.Context(cli.cli)
    for name in cli.cli.list_commands(context):
        command = cli.cli.get_command(context, name)
        assert command.help
        assert len(command.get_short_help_str(60)) < 60
        assert not command.get_short_help_str(60).endswith("...")


# What a program returned, as JSON


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        (np.float64(1.5), 1.5),
        (np.int64(3), 3),
        (np.bool(True), True),
        (np.array([[1, 2]]), [[1, 2]]),
        (np.array(2.5), 2.5),
        (np.array([1.5, np.nan, -np.inf]), [1.5, "nan", "-inf"]),
        (np.longdouble(0.5), 0.5),
        (np.array([0.5], np.float16), [0.5]),
        (float("nan"), "nan"),
        ({"a": (1, [np.float32(2)])}, {"a": [1, [2.0]]}),
        ({3: "x"}, {"3": "x"}),
        (1j, "1j"),
        (np.array([1j]), ["1j"]),
        ({1}, "{1}"),
        (2**70, 2**70),
    ],
)
def test_whatever_a_program_returns_becomes_json(value, expected):
    assert plain(value) == expected
    assert json.loads(json.dumps(plain(value), allow_nan=False)) == expected
