"""Parties that disagree, are not who they should be, or do not come: found before any data moves."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from smpc import wire
from smpc.errors import KeyFileError, LinkError
from smpc.hello import Hello, library_version, read
from smpc.identity import fingerprint, generate
from smpc.transport import Links
from tests.smpc.network import DEALER, free_port, run, study, together


def meet(*openings):
    """What each party's attempt to open a session (and leave it at once) ends with, as text."""

    def attempt(opening):
        with opening() as session:
            return session

    return [str(result) for result in together(*(lambda o=o: attempt(o) for o in openings))]


def test_three_meet():
    two = study()
    assert meet(*(lambda n=n: two.open(n) for n in two.keys)) == [
        "Session(north, rank=0, rounds=0)",
        "Session(south, rank=1, rounds=0)",
        "Session(helper, rank=2, rounds=0)",
    ]


@pytest.mark.parametrize("silent", [["south"], ["helper"], ["north"], ["south", "east"]])
def test_of_two_one_may_lack_an_address(silent):
    three = study(3, silent=silent if len(silent) == 1 else ["south"])
    assert len(meet(*(lambda n=n: three.open(n) for n in three.keys))) == 4


def test_another_manifest_is_named_by_its_field_at_both():
    ports = {name: free_port() for name in ("north", "south", DEALER)}
    a = study(ports=ports)
    b = study(ports=ports, keys=a.keys, minimum_rows=20)
    north, south, helper = meet(lambda: a.open("north"), lambda: b.open("south"), lambda: a.open(DEALER))
    assert "has another manifest: release.minimum_rows is 10 there and 20 here" in south
    assert "has another manifest: release.minimum_rows is " in north
    assert "has another manifest: release.minimum_rows is " in helper


def test_who_comes_a_little_late_is_told_why_the_others_stopped():
    ports = {name: free_port() for name in ("north", "south", DEALER)}
    a = study(ports=ports)
    b = study(ports=ports, keys=a.keys, minimum_rows=20)
    others_met = threading.Event()

    def north():
        assert others_met.wait(10)
        return b.open("north")

    def helper():
        return a.open(DEALER, on_frame=lambda *_: others_met.set())

    results = together(north, lambda: b.open("south"), helper)
    assert str(results[1]) == "helper has another manifest: release.minimum_rows is 10 there and 20 here"
    assert "has another manifest: release.minimum_rows is " in str(results[0])


def test_an_absent_party_is_named_at_all_others():
    three = study(3)
    results = meet(*(lambda n=n: three.open(n, wait=0.5) for n in ("north", "east", DEALER)))
    remedy = "; start all parties within that time, or give more with --wait"
    nothing = f"south is absent: nothing answered at {three.entry('south').address} in 0.5 s{remedy}"
    at_north = f"south is absent: it did not connect in 0.5 s{remedy}"
    for name, result in zip(("north", "east", DEALER), results, strict=True):
        others = {"north": at_north, "east": nothing, DEALER: nothing}
        own = others.pop(name)
        assert result in {own} | {f"{other} stopped: {error}" for other, error in others.items()}


def test_all_absent_parties_are_named():
    three = study(3)
    (north,) = meet(lambda: three.open("north", wait=0.2))
    for peer in ("south", "east", DEALER):
        assert f"{peer} is absent: it did not connect in 0.2 s" in north


def test_a_key_of_somebody_else_is_found_before_connecting():
    two = study()
    stranger = generate("north")
    with pytest.raises(KeyFileError) as caught:
        replace(two, keys={"north": stranger}).open("north")
    assert fingerprint(stranger.public) in str(caught.value)
    assert fingerprint(two.keys["north"].public) in str(caught.value)


def test_a_key_that_the_peers_manifest_does_not_have_is_refused_by_name():
    ports = {name: free_port() for name in ("north", "south", DEALER)}
    a = study(ports=ports)
    new = a.keys | {"south": generate("south")}
    b = study(ports=ports, keys=new)
    north, south = meet(lambda: a.open("north", wait=1), lambda: b.open("south", wait=1))
    assert south.startswith("north refuses our key: is the public_key of south in north's manifest that of ")
    assert "south is absent: it did not connect in 1 s" in north
    assert f"an unknown key was refused here: {fingerprint(new['south'].public)}" in north


def test_a_peer_that_lacks_the_key_that_we_expect_is_named():
    ports = {name: free_port() for name in ("north", "south", DEALER)}
    a = study(ports=ports)
    b = study(ports=ports, keys=a.keys | {"north": generate("north")})
    north, south = meet(lambda: a.open("north", wait=2), lambda: b.open("south", wait=10))
    assert south.startswith(f"the process at north's address, 127.0.0.1:{ports['north']}, does not have north's key")
    assert "a connection was refused here that did not know our public_key" in north


def test_what_both_bring_makes_streams_that_only_they_have():
    def program(session):
        return {peer: session.common(peer).ring((4,)).tolist() for peer in range(3) if peer != session.rank}

    first, second = (run(study(3), program) for _ in range(2))
    drawn = [first[name][peer] for name, peer in (("north", 1), ("north", 2), ("south", 2))]
    assert drawn == [first[name][peer] for name, peer in (("south", 0), ("east", 0), ("east", 1))]
    assert len({tuple(values) for values in [*drawn, second["north"][1]]}) == 4


# Hellos that do not agree


def hello(a_study, party, **changes):
    text, role = a_study.manifest.text, a_study.entry(party).role
    good = Hello(library_version(), wire.VERSION, text, party, role, bytes(32), bytes(32))
    return replace(good, **changes)


TWO = study()
NORTH = hello(TWO, "north")
DIFFERENT = {
    "smpc": ("9.9.9", f"south runs smpc 9.9.9, here it is {library_version()}: install the same version"),
    "protocol": (2, "south runs protocol version 2, here it is 1: install the same version"),
    "manifest": (b"", "south has another manifest: "),
    "name": ("east", "south's key is used by a party that calls itself east"),
    "role": ("dealer", "south says that it is dealer, in the manifest it is owner"),
    "nonce": (bytes(31), "south sent a hello with a field of wrong length or type"),
    "seed": (bytes(33), "south sent a hello with a field of wrong length or type"),
}


def refusal(frame):
    with pytest.raises(LinkError) as caught:
        read(frame, "south", NORTH, TWO.manifest)
    assert caught.value.peer == "south"
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_a_hello_says_what_it_says():
    south = hello(TWO, "south")
    assert read(south.frame(), "south", NORTH, TWO.manifest) == south
    assert "nonce" not in repr(south)


@pytest.mark.parametrize("field", DIFFERENT)
def test_another_value_of_a_field_is_named(field):
    value, error = DIFFERENT[field]
    assert refusal(hello(TWO, "south", **{field: value}).frame()).startswith(error)


def test_what_a_peer_calls_itself_cannot_act_on_a_terminal():
    assert "\\x1b[31m" in refusal(hello(TWO, "south", smpc="\x1b[31m").frame())


def test_the_version_is_compared_first_whatever_the_rest_is():
    later = wire.HELLO_TAG + wire.pack({"smpc": "2.0", "protocol": 7, "everything": "else"})
    assert refusal(later).startswith("south runs smpc 2.0, here it is ")


GOOD = wire.unpack(hello(TWO, "south").frame()[wire.TAG_BYTES :])
BAD = {
    "empty": b"",
    "another tag": bytes(32) + wire.pack(GOOD),
    "no message": wire.HELLO_TAG + b"\xc1",
    "a list": wire.HELLO_TAG + wire.pack([1]),
    "deep": wire.HELLO_TAG + b"\x91" * 900 + b"\xc0",
    **{
        f"{name} {what}": wire.HELLO_TAG + wire.pack(GOOD | {name: value})
        for name in GOOD
        for what, value in {"none": None, "true": True, "number": 1.5, "list": [["x"]]}.items()
    },
    **{f"no {name}": wire.HELLO_TAG + wire.pack({k: v for k, v in GOOD.items() if k != name}) for name in GOOD},
    "one more": wire.HELLO_TAG + wire.pack(GOOD | {"more": 1}),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_hello_is_refused(name):
    assert refusal(BAD[name]).startswith("south ")


# Parties that are not what they seem


def impostor(a_study, name, key, frame):
    """Come as `name` with the key of another party, or say another thing than hello; wait for the answer."""
    links = Links(a_study.keys[key], name, a_study.manifest.parties)
    try:
        for _ in links.meet(dict.fromkeys((n for n in a_study.keys if n != name), frame), 5):
            pass
        links.receive([], 5)
    finally:
        links.close()


def test_the_key_says_who_it_is_and_not_the_hello():
    two = study()
    frame = hello(two, "south").frame()
    north, came = together(lambda: two.open("north"), lambda: impostor(two, "south", DEALER, frame))
    assert str(north) == "helper's key is used by a party that calls itself south"
    assert isinstance(came, LinkError)


def test_who_does_not_begin_with_a_hello_is_refused():
    two = study()
    north, came = together(lambda: two.open("north"), lambda: impostor(two, "south", "south", bytes(40)))
    assert str(north) == "south did not begin with a hello: is it smpc that runs there?"
    assert str(came) == f"north stopped: {north}"


def test_a_party_that_shows_two_faces_is_found_before_data_moves():
    two = study()
    frames = {name: hello(two, "south", nonce=name.encode().ljust(32)).frame() for name in ("north", DEALER)}

    def south():
        links = Links(two.keys["south"], "south", two.manifest.parties)
        try:
            for _ in links.meet(frames, 5):
                pass
            links.receive([], 5)
        finally:
            links.close()

    north, helper, _ = together(lambda: two.open("north"), lambda: two.open(DEALER), south)
    assert isinstance(north, LinkError)
    assert isinstance(helper, LinkError)
    text = "met other parties than we did: is one of them running twice?"
    assert f"helper {text}" in str(north) or f"north {text}" in str(helper)
