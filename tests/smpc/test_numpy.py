"""All of NumPy: a function gives what NumPy gives, or a TypeError that says where the supported ones are listed."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import smpc
from smpc import dispatch
from tests import numpy_table
from tests.smpc.numpy_cases import CASES, UNIT, data, share

VALUES = data(1)


def revealed(found):
    return [one.reveal() if isinstance(one, smpc.SecretArray) else one for one in as_list(found)]


def as_list(found):
    return list(found) if isinstance(found, list | tuple) and not isinstance(found, np.ndarray) else [found]


@pytest.mark.parametrize("function", CASES, ids=dispatch.name_of)
def test_a_function_does_what_numpy_does(function):
    cases = CASES[function]
    results = smpc.simulate(lambda p: [revealed(call(share(p, VALUES))) for call, _ in cases], 2)
    for (call, units), *everybody in zip(cases, *results, strict=True):
        expected = as_list(call(VALUES))
        for found in everybody:
            assert len(found) == len(expected)
            for ours, numpys in zip(found, expected, strict=True):
                assert np.shape(ours) == np.shape(numpys)
                assert np.asarray(ours).dtype == np.asarray(numpys).dtype
                np.testing.assert_allclose(ours, numpys, rtol=0, atol=units * UNIT)


def test_every_function_of_the_tables_has_a_case():
    assert set(CASES) == {*dispatch.UFUNCS, *dispatch.FUNCTIONS}


# What is not supported

SPECIAL = {np.einsum: ("ij->i",), np.einsum_path: ("ij->i",)}


def arguments(function, x):
    if isinstance(function, np.ufunc):
        return [x] * function.nin
    needed = [one for one in inspect.signature(function).parameters.values() if one.default is one.empty]
    return [*SPECIAL.get(function, ()), *[x] * max(1, sum(one.kind in (0, 1) for one in needed))]


@pytest.mark.parametrize("function", numpy_table.unsupported(), ids=dispatch.name_of)
def test_any_other_function_says_where_the_list_is(function):
    def program(party):
        x = party.share(np.eye(2) if party.rank == 0 else None, 0)
        with pytest.raises(TypeError, match=r"is not supported on secret arrays \(docs/numpy.md lists what is\)"):
            function(*arguments(function, x))

    smpc.simulate(program, 2)


def test_the_document_is_what_the_tables_say():
    text = numpy_table.DOCUMENT.read_text(encoding="utf-8")
    assert numpy_table.between_marks(text) == numpy_table.tables(), "python -m tests.numpy_table --write"


def test_all_supported_functions_are_public_ones():
    assert set(CASES) <= set(numpy_table.public())


# Oblivious: what is sent depends on shapes and bounds


@pytest.mark.parametrize("function", CASES, ids=dispatch.name_of)
def test_messages_do_not_depend_on_values(function):
    def sent(seed):
        def program(party):
            for call, _ in CASES[function]:
                call(share(party, data(seed)))
            return [(m.receiver, m.step, [array.shape for array in m.arrays]) for m in party.protocol.sent]

        return smpc.simulate(program, 3)

    assert sent(1) == sent(2)
