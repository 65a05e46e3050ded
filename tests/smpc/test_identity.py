"""Key files: made once, for their owner's eyes, and read strictly."""

from __future__ import annotations

import contextlib
import os
import re
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl import bindings

from smpc import identity
from smpc.errors import KeyFileError
from smpc.identity import Identity

SECRET = bytes(range(32))
PUBLIC = bytes.fromhex("8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba6f3e2138285f")
FILE = f"""\
# smpc secret key: whoever has this file can be this party. Never send it to anyone.
# name: north
# public key: {PUBLIC.hex()}
# fingerprint: 53oy-qpna-vfcr-le64-bi4o
smpc-secret-key-1 {SECRET.hex()}
"""


def save(folder, text, name="north.key", mode=0o600):
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    path.chmod(mode)
    return path


def refusal(action, *arguments):
    with pytest.raises(KeyFileError) as caught:
        action(*arguments)
    assert SECRET.hex() not in str(caught.value)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_made_written_and_read_again(tmp_path):
    north = identity.generate("north")
    path = identity.write(north, tmp_path)
    assert path == tmp_path / "north.key"
    assert identity.read(path) == north


def test_the_file_is_this_and_no_other(tmp_path):
    path = identity.write(Identity("north", SECRET, PUBLIC), tmp_path)
    assert path.read_text() == FILE
    assert [entry.name for entry in tmp_path.iterdir()] == ["north.key"]


def test_keys_are_those_of_x25519():
    assert bindings.crypto_scalarmult_base(SECRET) == PUBLIC
    fresh = identity.generate("north")
    assert bindings.crypto_scalarmult_base(fresh.secret) == fresh.public


def test_every_key_is_another():
    assert len({identity.generate("north").secret for _ in range(50)}) == 50


def test_the_secret_is_in_no_repr():
    shown = repr(Identity("north", SECRET, PUBLIC)) + str(Identity("north", SECRET, PUBLIC))
    assert "secret" not in shown
    assert repr(SECRET) not in shown


def test_fingerprint():
    assert identity.fingerprint(PUBLIC) == "53oy-qpna-vfcr-le64-bi4o"
    assert re.fullmatch(r"([a-z2-7]{4}-){4}[a-z2-7]{4}", identity.fingerprint(bytes(32)))


@pytest.mark.parametrize("name", ["", "../north", "a b", "nörd", "-n", "n\n", "x" * 65])
def test_a_name_is_safe_in_a_path(name):
    assert refusal(identity.generate, name).startswith("a party's name must be letters, digits")


# Writing


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_the_file_is_for_its_owner_alone(tmp_path, umask):
    before = os.umask(umask)
    try:
        path = identity.write(identity.generate("north"), tmp_path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_never_overwritten(tmp_path):
    path = save(tmp_path, "precious")
    assert "exists and stays as it is" in refusal(identity.write, identity.generate("north"), tmp_path)
    assert path.read_text() == "precious"


def test_no_link_is_followed_to_write(tmp_path):
    (tmp_path / "north.key").symlink_to(tmp_path / "elsewhere")
    assert "exists" in refusal(identity.write, identity.generate("north"), tmp_path)
    assert not (tmp_path / "elsewhere").exists()


def test_the_folder_must_be_there(tmp_path):
    save(tmp_path, "", "file")
    for folder in (tmp_path / "absent", tmp_path / "file"):
        line = refusal(identity.write, identity.generate("north"), folder)
        assert line == f"{folder} is no folder: create it first"


def test_a_full_disk_leaves_no_partial_file(tmp_path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in refusal(identity.write, identity.generate("north"), tmp_path)
    assert not list(tmp_path.iterdir())


# Reading


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o644, 0o777])
def test_open_to_others_is_refused(tmp_path, mode):
    path = save(tmp_path, FILE, mode=mode)
    assert refusal(identity.read, path) == "north.key can be read by others: chmod 600 north.key"


def test_read_only_is_enough(tmp_path):
    assert identity.read(save(tmp_path, FILE, mode=0o400)).public == PUBLIC


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_of_another_user_is_refused(tmp_path):
    path = save(tmp_path, FILE)
    os.chown(path, 12345, -1)
    assert refusal(identity.read, path).startswith("north.key belongs to another user: ")


def test_a_link_to_a_key_is_read(tmp_path):
    (tmp_path / "link.key").symlink_to(save(tmp_path, FILE))
    assert identity.read(tmp_path / "link.key").name == "north"


def test_what_is_no_plain_file(tmp_path):
    assert refusal(identity.read, tmp_path / "absent.key").startswith("absent.key: no such key file in /")
    assert refusal(identity.read, tmp_path).endswith("is no plain file: name the .key file itself")
    os.mkfifo(tmp_path / "pipe.key", 0o600)
    assert refusal(identity.read, tmp_path / "pipe.key").startswith("pipe.key is no plain file")
    (tmp_path / "loop.key").symlink_to(tmp_path / "loop.key")
    assert refusal(identity.read, tmp_path / "loop.key").startswith("loop.key cannot be read: ")


def test_without_comments_the_file_names_the_party(tmp_path):
    line = FILE.splitlines(keepends=True)[-1]
    assert identity.read(save(tmp_path, line, "south.key")) == Identity("south", SECRET, PUBLIC)
    assert identity.read(save(tmp_path, "# by hand\n" + line, "east.key")).name == "east"


BAD_FILES = {
    "empty": "",
    "no end of line": FILE[:-1],
    "a line more": FILE + "\n",
    "junk after the key": FILE + "junk\n",
    "a second key": FILE + FILE,
    "a space after the key": FILE[:-1] + " \n",
    "carriage returns": FILE.replace("\n", "\r\n"),
    "capitals": FILE.replace(SECRET.hex(), SECRET.hex().upper()),
    "a short key": FILE[:-2] + "\n",
    "a long key": FILE[:-1] + "0\n",
    "another version": FILE.replace("key-1", "key-2"),
    "text before the key": FILE.replace("# name", "name"),
    "an empty line": FILE.replace("# name", "\n# name"),
    "a flipped bit in the secret": FILE.replace("1f\n", "0f\n"),
    "a flipped bit in the public key": FILE.replace("8f40", "9f40"),
    "an unsafe name": FILE.replace("north", "../x"),
    "not ASCII": FILE.replace("Never", "Né"),
    "a NUL": FILE.replace("Never", "\0"),
    "not text": b"\xff" + FILE.encode(),
    "too long": "#" * 5000 + "\n" + FILE,
    "a public key alone": PUBLIC.hex() + "\n",
}


@pytest.mark.parametrize("text", BAD_FILES.values(), ids=BAD_FILES.keys())
def test_any_other_text_is_refused(tmp_path, text):
    line = refusal(identity.read, save(tmp_path, text))
    assert line.startswith("north.key is no smpc key file or is damaged: ")


@given(damage=st.binary(max_size=300))
def test_any_bytes_are_a_key_file_error(tmp_path_factory, damage):
    path = save(tmp_path_factory.getbasetemp(), damage, "any.key")
    with contextlib.suppress(KeyFileError):
        identity.read(path)
