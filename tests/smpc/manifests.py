"""A good manifest, and how to spoil it."""

from __future__ import annotations

KEYS = {"north": "a1" * 32, "south": "b2" * 32, "helper": "c3" * 32}
GOOD = f"""\
[study]
name = "progression"
model = "linear"
split = "rows"
target = "progression"
features = ["age", "bmi"]

[columns.age]
range = [0, 120]
[columns.bmi]
range = [10, 80.5]
unit = "kg/m2"
[columns.progression]
type = "integer"
range = [0, 400]

[security]
preprocessing = "dealer"

[release]
to = ["north"]

[[party]]
name = "north"
address = "north.example:7001"
public_key = "{KEYS["north"]}"
[[party]]
name = "helper"
role = "dealer"
public_key = "{KEYS["helper"]}"
[[party]]
name = "south"
address = "[2001:db8::1]:7001"
public_key = "{KEYS["south"]}"
"""


def changed(old, new):
    assert GOOD.count(old) >= 1
    return GOOD.replace(old, new, 1)
