"""The manifest: what is accepted, and the one line that each mistake gets."""

from __future__ import annotations

import contextlib
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smpc.config import load_manifest, parse_manifest
from smpc.errors import ManifestError
from tests.smpc.manifests import GOOD, KEYS, changed

PROGRAM = GOOD[GOOD.index("[security]") :]


def parse(text, **options):
    return parse_manifest(text.encode(), "study.toml", **options)


def refusal(text, **options):
    with pytest.raises(ManifestError) as caught:
        parse(text, **options)
    line = str(caught.value)
    assert line.startswith("study.toml: ")
    assert line.isprintable()
    return line.removeprefix("study.toml: ")


def test_a_manifest(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(GOOD)
    manifest = load_manifest(path)
    assert manifest.study.model == "linear"
    assert manifest.study.features == ("age", "bmi")
    assert [party.name for party in manifest.owners] == ["north", "south"]
    assert manifest.dealer is manifest.party("helper")
    assert manifest.columns["bmi"].range == (10.0, 80.5)
    assert manifest.digest == hashlib.sha256(path.read_bytes()).digest()


def test_defaults():
    manifest = parse(GOOD)
    assert (manifest.study.confidence_level, manifest.study.penalty) == (0.95, 0.0)
    assert manifest.study.fraction_bits == 20
    assert (manifest.columns["age"].type, manifest.columns["age"].unit) == ("number", None)
    assert manifest.security.adversary == "semi-honest"
    assert manifest.release.minimum_rows == 10
    assert manifest.release.outputs == ("coefficients", "standard_errors", "fit")
    assert manifest.parties[0].role == "owner"


def test_without_a_word_there_is_no_third_party():
    helper = GOOD[GOOD.index('[[party]]\nname = "helper"') : GOOD.index('[[party]]\nname = "south"')]
    manifest = parse(GOOD.replace(helper, "").replace('preprocessing = "dealer"', ""))
    assert manifest.security.preprocessing == "ot"
    assert manifest.dealer is None


def test_a_program_needs_no_columns():
    manifest = parse(
        '[study]\nname = "mean"\nprogram = "jobs/train.py:main"\nfraction_bits = 24\nrounding = "down"\n' + PROGRAM
    )
    assert manifest.study.program == "jobs/train.py:main"
    assert manifest.study.model is None
    assert manifest.study.fraction_bits == 24
    assert manifest.study.rounding == "down"
    assert not manifest.columns


def test_ridge_has_a_penalty():
    assert parse(changed('"linear"', '"ridge"\npenalty = 1')).study.penalty == 1.0


def test_keys_are_compared_in_lower_case():
    assert parse(changed(KEYS["north"], KEYS["north"].upper())).party("north").public_key == KEYS["north"]


@pytest.mark.parametrize("spoilt", [GOOD.replace("\n", "\r\n"), "\ufeff" + GOOD, GOOD.rstrip("\n")])
def test_what_editors_do_is_accepted(spoilt):
    assert parse(spoilt).study == parse(GOOD).study


def test_columns_that_the_study_does_not_use_are_allowed():
    assert "weight" in parse(changed("[release]", "[columns.weight]\n[release]")).columns


def test_an_incomplete_manifest_is_for_local_runs_only():
    bare = "\n".join(line for line in GOOD.splitlines() if "public_key" not in line and "address" not in line)
    assert [party.public_key for party in parse(bare, allow_incomplete=True).parties] == [None] * 3
    assert refusal(bare) == '[[party]] "north" lacks the key public_key: smpc keygen north makes one'
    duplicate = changed('address = "[2001:db8::1]:7001"', 'address = "north.example:7001"')
    assert "the same address" in refusal(duplicate, allow_incomplete=True)


def test_an_unknown_party_is_answered_with_the_known_ones():
    with pytest.raises(ManifestError, match='no party "nroth"; its parties are north, helper, south'):
        parse(GOOD).party("nroth")


STUDY = 'name = "progression"'
RELEASE = 'to = ["north"]'
RANGE = "range = [10, 80.5]"
FEATURES = '["age", "bmi"]'
INTERVAL = "[columns.bmi] range must be [low, high]: two finite numbers, low below high"
ADDRESS = '[[party]] "north" address must be "host:port", an IPv6 host in [brackets]'
MODELS = '"linear", "ridge", "logistic", "poisson", "gamma", "summary", "crosstab", "compare", "survival" or "logrank"'
IDENTIFIER = "letters, digits, - and _ (at most 64, the first a letter or digit)"
INTERCEPT = '[study] "intercept" is what results call the constant term: rename that column'
KEY = '[[party]] "south" public_key must be the 64 hex digits that smpc keygen printed'
CONFIDENCE = "[study] confidence_level must be a number between 0 and 1, such as 0.95"
PROGRAM_PATH = '[study] program must be "file.py:function", the file in the folder of the manifest or below'
NO_NAME = "is no name for a column: one line of at most 200 characters, no space at its ends"
NO_OWNER = "which is no owner here; the owners are north, south"
SAME = '[[party]] "north" and "south" have the same'
OUTPUTS = '[release] outputs must be a list of some of "coefficients", "standard_errors", "fit"'
DEALT = 'preprocessing = "dealer"'
NO_DEALER = (
    'preprocessing = "ot" needs no dealer: remove the [[party]] with role = "dealer", or say '
    '[security] preprocessing = "dealer"'
)
MISTAKES = [
    # unknown and missing
    ("features", "featurs", "[study] has the unknown key featurs; did you mean features?"),
    ("unit", "unti", "[columns.bmi] has the unknown key unti; did you mean unit?"),
    ("address", "adress", '[[party]] "north" has the unknown key adress; did you mean address?'),
    ('name = "helper"', 'nmae = "helper"', "[[party]] number 2 has the unknown key nmae; did you mean name?"),
    ("[release]", "[relase]", "unknown section [relase]; did you mean release?"),
    ("[study]", "zzz = 1\n[study]", "unknown key zzz"),
    (STUDY, "", "[study] lacks the key name"),
    ('target = "progression"', "", '[study] lacks the key target, which model = "linear" needs'),
    ('split = "rows"', "", '[study] lacks the key split, which model = "linear" needs'),
    (f"features = {FEATURES}", "", '[study] lacks the key features, which model = "linear" needs'),
    (RELEASE, "", "[release] lacks the key to"),
    (f"[release]\n{RELEASE}", "", "lacks the section [release]"),
    ('name = "helper"', "", "[[party]] number 2 lacks the key name"),
    # study
    (STUDY, "name = 3", f"[study] name must be {IDENTIFIER}"),
    (STUDY, 'name = "../x"', f"[study] name must be {IDENTIFIER}"),
    ('"linear"', '"lineer"', f"[study] model must be {MODELS}"),
    ('model = "linear"', "", "[study] needs either model or program, not both"),
    ('"linear"', '"linear"\nprogram = "a.py:f"', "[study] needs either model or program, not both"),
    (
        'model = "linear"',
        'program = "/etc/a.py:f"',
        PROGRAM_PATH,
    ),
    (
        'model = "linear"',
        'program = "../a.py:f"',
        PROGRAM_PATH,
    ),
    (
        'model = "linear"',
        'program = "a.py:f"',
        "[study] features is for a study with a model, and this one has a program: remove it",
    ),
    (
        STUDY,
        STUDY + "\nfraction_bits = 20",
        "[study] fraction_bits is for a study with a program, and this one has a model: remove it",
    ),
    ('"rows"', '"row"', '[study] split must be "rows" or "columns"'),
    (FEATURES, "[]", "[study] features must be a list of names of columns, at least one"),
    (FEATURES, '"age"', "[study] features must be a list of names of columns, at least one"),
    (FEATURES, '["age", 2]', "[study] features must be a list of names of columns, at least one"),
    (FEATURES, '["age", "bmi", "age"]', '[study] features has "age" twice'),
    (FEATURES, '["age", "progression"]', '[study] "progression" is the target and also one of the features'),
    (
        FEATURES,
        '["intercept"]',
        '[study] "intercept" is what results call the constant term: rename that column',
    ),
    ('"linear"', '"ridge"', '[study] lacks the key penalty, which model = "ridge" needs'),
    ('"linear"', '"ridge"\npenalty = 0', "[study] penalty must be a number above 0"),
    ('"linear"', '"ridge"\npenalty = inf', "[study] penalty must be a number above 0"),
    ('"linear"', '"linear"\npenalty = 1', '[study] penalty is for every regression but model = "linear": remove it'),
    (
        STUDY,
        STUDY + "\nconfidence_level = 1",
        CONFIDENCE,
    ),
    (
        STUDY,
        STUDY + "\nconfidence_level = nan",
        CONFIDENCE,
    ),
    # columns
    (RANGE, "", "column 'bmi' has no declared range: add [columns.bmi] range = [low, high]"),
    (
        "[columns.bmi]",
        "[columns.bmi1]",
        "column 'bmi' has no declared range: add [columns.bmi] range = [low, high]; did you mean bmi1?",
    ),
    (RANGE, "range = [10]", INTERVAL),
    (RANGE, "range = [10, 20, 30]", INTERVAL),
    (RANGE, "range = [10, 10]", INTERVAL),
    (RANGE, "range = [80, 10]", INTERVAL),
    (RANGE, "range = [nan, 10]", INTERVAL),
    (RANGE, "range = [0, inf]", INTERVAL),
    (RANGE, "range = [-1.7e308, 1.7e308]", INTERVAL),
    (RANGE, f"range = [0, 1{'0' * 400}]", INTERVAL),
    (RANGE, 'range = ["0", "1"]', INTERVAL),
    (RANGE, "range = 7", INTERVAL),
    ('"integer"', '"int"', '[columns.progression] type must be "number", "integer" or "category"'),
    ('"kg/m2"', '"kg\\n"', '[columns.bmi] unit must be text, such as "kg/m2"'),
    (
        "[columns.bmi]",
        '[columns."b\\u001bmi"]',
        "[columns.'b\\x1bmi'] " + NO_NAME,
    ),
    # security
    (
        DEALT,
        'adversary = "malicious"',
        '[security] adversary = "malicious" is not available in this version; use "semi-honest"',
    ),
    (DEALT, 'preprocessing = "ot"', NO_DEALER),
    (DEALT, "", NO_DEALER),
    (DEALT, 'adversary = "x"', '[security] adversary must be "semi-honest"'),
    (DEALT, 'preprocessing = "x"', '[security] preprocessing must be "ot" or "dealer"'),
    # release
    (RELEASE, "to = []", "[release] to must be a list of names of parties, at least one"),
    (RELEASE, 'to = "north"', "[release] to must be a list of names of parties, at least one"),
    (RELEASE, 'to = ["north", "north"]', '[release] to has "north" twice'),
    (
        RELEASE,
        'to = ["east"]',
        f'[release] to has "east", {NO_OWNER}',
    ),
    (
        RELEASE,
        'to = ["helper"]',
        f'[release] to has "helper", {NO_OWNER}',
    ),
    (RELEASE, RELEASE + "\nminimum_rows = 0", "[release] minimum_rows must be a whole number, at least 1"),
    (RELEASE, RELEASE + "\nminimum_rows = true", "[release] minimum_rows must be a whole number, at least 1"),
    (RELEASE, RELEASE + "\noutputs = []", OUTPUTS),
    (RELEASE, RELEASE + '\noutputs = ["p"]', OUTPUTS),
    (RELEASE, RELEASE + '\noutputs = ["fit", "fit"]', '[release] outputs has "fit" twice'),
    (
        RELEASE,
        RELEASE + '\noutputs = ["fit", "standard_errors"]',
        '[release] outputs: "standard_errors" needs "coefficients" beside it',
    ),
    # parties
    ('name = "south"', 'name = "so.uth"', f'[[party]] "so.uth" name must be {IDENTIFIER}'),
    ('name = "south"', 'name = "-south"', f'[[party]] "-south" name must be {IDENTIFIER}'),
    ('name = "south"', 'name = "North"', 'two [[party]] blocks have the name "North": each needs its own'),
    (
        KEYS["south"],
        KEYS["north"].upper(),
        f"{SAME} public_key: each needs its own",
    ),
    (
        "[2001:db8::1]",
        "NORTH.example",
        f"{SAME} address: each needs its own",
    ),
    (
        KEYS["south"],
        "b2" * 31,
        KEY,
    ),
    (
        KEYS["south"],
        "b2" * 31 + "zz",
        KEY,
    ),
    ("north.example:7001", "north.example", ADDRESS),
    ("north.example:7001", "north.example:0", ADDRESS),
    ("north.example:7001", "north.example:65536", ADDRESS),
    ("north.example:7001", "2001:db8::2:7001", ADDRESS),
    ("north.example:7001", "tcp://north:7001", ADDRESS),
    ('role = "dealer"', 'role = "deeler"', '[[party]] "helper" role must be "owner" or "dealer"'),
    ('role = "dealer"', "", 'preprocessing = "dealer" needs one [[party]] with role = "dealer", not 0'),
    (
        'name = "south"',
        'name = "south"\nrole = "dealer"',
        "a study needs at least 2 parties with the role owner, and this one has 1",
    ),
    (
        'address = "north.example:7001"',
        "",
        'neither "north" nor "helper" has an address: one of them needs one',
    ),
    # TOML
    (STUDY, f"name = {'1' * 5000}", "not valid TOML: a number has too many digits"),
    (STUDY, "name = " + "[[[[[[[[[[\n" * 900, "not valid TOML: nested too deeply"),
    (STUDY, "#" * 8193, "has a line longer than 8192 bytes: break it"),
    (STUDY, "#\n" * 40000, "larger than 64 KiB"),
]


@pytest.mark.parametrize(("old", "new", "line"), MISTAKES)
def test_each_mistake_gets_its_line(old, new, line):
    assert refusal(changed(old, new)) == line


def test_a_mistake_in_toml_has_its_line():
    assert refusal(changed(STUDY, "name = progression")).startswith("line 2, column 8: not valid TOML: ")
    assert refusal(changed(STUDY, STUDY + "\n" + STUDY)).startswith("line 3, column ")
    assert refusal('[study]\nname = "\n').startswith("line 2")
    assert refusal("[study]\nname").startswith("line 2: not valid TOML: ")


def test_no_party_at_all():
    head = GOOD[: GOOD.index("[[party]]")]
    assert refusal(head) == "lacks [[party]] blocks"
    assert refusal("party = 3\n" + head) == "party must be blocks [[party]] (double brackets), one for each party"
    columns = head[head.index("[columns.age]") : head.index("[release]")]
    assert refusal("columns = 4\n" + GOOD.replace(columns, "")) == "columns must be sections [columns.NAME]"
    assert refusal("party = [3]\n" + head).startswith("[[party]] number 1 must be blocks [[party]]")


def test_bytes_that_are_no_text():
    with pytest.raises(ManifestError, match="line 2: not UTF-8 text; save the file as UTF-8"):
        parse_manifest(b"[study]\nname = '\xff'", "study.toml")


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(ManifestError, match=r"^study\.toml: no such file in /"):
        load_manifest(tmp_path / "study.toml")
    with pytest.raises(ManifestError, match=r"is a folder; name the study\.toml in it"):
        load_manifest(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ManifestError, match=r"^study\.toml: cannot be read: Not a directory"):
        load_manifest(tmp_path / "file" / "study.toml")


def test_a_manifest_does_not_change():
    manifest = parse(GOOD)
    with pytest.raises(ValueError, match="frozen"):
        manifest.release.minimum_rows = 1
    with pytest.raises(TypeError):
        manifest.columns["age"] = manifest.columns["bmi"]


@pytest.mark.parametrize("key", ["a", "study.name", "columns.a", "columns.a.range", "release.to", "party.name"])
def test_deep_nesting_is_a_manifest_error(key):
    deep = "[[party]]\n" * key.startswith("party") + key.removeprefix("party.") + ".a" * 4000 + " = 1"
    assert len(refusal(deep)) < 300


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_manifest_error(text):
    with pytest.raises(ManifestError):
        parse_manifest(text, "study.toml")


@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=3))
def test_any_damage_is_a_manifest_or_a_manifest_error(at, patch):
    damaged = GOOD.encode()[:at] + patch + GOOD.encode()[at + 1 :]
    with contextlib.suppress(ManifestError):
        parse_manifest(damaged, "study.toml")
