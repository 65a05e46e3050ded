"""Small studies on this machine: real ports, real keys, a thread for each party."""

from __future__ import annotations

import itertools
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from smpc.config import parse_manifest
from smpc.helper import serve
from smpc.identity import generate
from smpc.session import open_session

OWNERS = ("north", "south", "east", "west", "mid")
DEALER = "helper"

# Below the ports that the system gives to connections, above those of `smpc local`. Each of pytest's workers has a
# stretch of its own, for a port is free until the party that will open it has started; another run of the suite begins
# elsewhere in the stretch.
_STRETCH = 2_800
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 4
_FIRST = 21_500 + _STRETCH * _WORKER
_PORTS = itertools.cycle(range(_FIRST, _FIRST + _STRETCH))
for _ in range(os.getpid() * 40 % _STRETCH):
    next(_PORTS)


def free_port():
    for port in _PORTS:
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError


@dataclass(frozen=True)
class Study:
    manifest: object
    keys: dict

    def open(self, name, **options):
        return open_session(self.manifest, self.keys[name], name, **({"wait": 10} | options))

    def entry(self, name):
        return self.manifest.party(name)


def study(owners=2, *, silent=(), minimum_rows=10, keys=None, ports=None, dealer=True):
    """A study, with a dealer or without. `silent`: parties without address. `keys`, `ports`: as in another study."""
    names = [*OWNERS[:owners], *([DEALER] if dealer else [])]
    keys = keys or {name: generate(name) for name in names}
    ports = ports or {name: free_port() for name in names}
    text = f'[study]\nname = "small"\nprogram = "small.py:main"\n[release]\nto = ["north"]\n{minimum_rows = }\n'
    text += f'[security]\npreprocessing = "{"dealer" if dealer else "ot"}"\n'
    for name in names:
        text += f'[[party]]\nname = "{name}"\npublic_key = "{keys[name].public.hex()}"\n'
        text += 'role = "dealer"\n' if name == DEALER else ""
        text += "" if name in silent else f'address = "127.0.0.1:{ports[name]}"\n'
    return Study(parse_manifest(text.encode(), "study.toml"), keys)


def together(*calls):
    """The results of all calls, each made in a thread of its own; an exception in the place of a result."""
    with ThreadPoolExecutor(len(calls)) as pool:
        futures = [pool.submit(call) for call in calls]
    return [future.exception() or future.result() for future in futures]


def run(a_study, program, programs=None, **options):
    """Every party's result (or exception) by name: owners run `program`, or their own of `programs`."""

    def live(name):
        with a_study.open(name, **options) as session:
            return (programs or {}).get(name, serve if name == DEALER else program)(session)

    names = list(a_study.keys)
    return dict(zip(names, together(*(lambda n=name: live(n) for name in names)), strict=True))
