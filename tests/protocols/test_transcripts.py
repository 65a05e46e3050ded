"""Golden transcripts: a change that moves one byte of a message is seen.

tests/transcripts.json has, for every protocol with 2 and 3 parties, the SHA-256 of all that is sent in a run from
a fixed seed: the corrections of the dealer and all messages. If a change of messages is intended,

    python -m pytest tests/protocols/test_transcripts.py --renew-transcripts

writes the file anew; look at which lines changed, and say in the change log that parties of different
versions cannot work together.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from protocols import ring
from protocols.local import LocalParty, Message

GOLDEN = Path(__file__).parent.parent / "transcripts.json"


def test_every_byte_is_sent_as_before(cases: dict[str, Any], request: pytest.FixtureRequest):
    now = {f"{name}, {n} parties": digest(case.run(n)) for name, case in cases.items() for n in (2, 3)}
    if request.config.getoption("--renew-transcripts"):
        GOLDEN.write_text(json.dumps(now, indent=1) + "\n")
    frozen = json.loads(GOLDEN.read_text())
    changed = sorted(name for name in now.keys() | frozen.keys() if now.get(name) != frozen.get(name))
    assert not changed, "if this is intended: --renew-transcripts"


def test_two_runs_from_one_seed_are_equal(case: Any):
    assert digest(case.run(2)) == digest(case.run(2))


def test_a_moved_byte_is_seen(cases: dict[str, Any]):
    parties = cases["multiply"].run(2)
    before = digest(parties)
    parties[1].sent[0].arrays[0][0, 0] ^= 1
    assert digest(parties) != before


def digest(parties: list[LocalParty]) -> str:
    dealt = [arrays for _, arrays in parties[0].ideal_dealer.dealt]
    messages = [Message(-1, 0, "correction", tuple(arrays)) for arrays in dealt]
    messages += [message for party in parties for message in party.sent]
    hashed = hashlib.sha256()
    for message in messages:
        shapes = [array.shape for array in message.arrays]
        hashed.update(repr((message.sender, message.receiver, message.step, shapes)).encode())
        hashed.update(b"".join(map(ring.to_bytes, message.arrays)))
    return hashed.hexdigest()
