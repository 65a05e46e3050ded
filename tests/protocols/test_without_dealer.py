"""Every protocol without a dealer: the same results in as many rounds."""

import numpy as np
import pytest

from protocols import local
from protocols.shares import BitShare, Share, combine, combine_bits
from tests.protocols.conftest import SEED, Operands

# How far two runs may be apart where a result is rounded by coins: twice what test_functions allows for one.
RELATIVE = 2.0**-21
APART = {
    **dict.fromkeys(["truncate", "multiply_rescaled", "matmul_rescaled", "descend"], lambda x: 1),
    "scale_up": lambda x: 1 << 5,  # the factor has 5 bits
    "roots": lambda x: x * RELATIVE,
    "square_root": lambda x: x * RELATIVE,
    **dict.fromkeys(["reciprocal", "divide", "exp", "log", "log1p", "sqrt", "rsqrt", "softmax"], lambda x: 4),
    **dict.fromkeys(["sigmoid", "tanh", "erf", "power", "real_power"], lambda x: 4),
    "logistic": lambda x: (1 << 32 - 6) + (1 << 32 - 10),  # 1/64, and what is rounded
    "descend_logistic": lambda x: 1 + (4 << 8 + 32 - 6 >> 30),  # four rows of that, times 8 bits; and a coin
    "locate": lambda x: 1 << 16,  # the next segment is as right
}


def run_all_cases(cases, count, preprocessing):
    """What each protocol gives in the end, and how many rounds and elements it took."""

    def program(party):
        results = {}
        for name, case in cases.items():
            before = party.rounds, party.elements
            result = case.program(party, Operands(party))
            results[name] = result, party.rounds - before[0], party.elements - before[1]
        return results

    everybody = local.run(count, program, SEED, preprocessing)
    return {name: [opened([r[name][0] for r in everybody]), [r[name][1:] for r in everybody]] for name in cases}


def opened(results):
    """A flat list of arrays, in the clear."""
    if isinstance(results[0], Share | BitShare):
        return [(combine if isinstance(results[0], Share) else combine_bits)(results)]
    results = [result for result in results if result is not None]  # who is not told
    if results and isinstance(results[0], list | tuple):
        return [array for column in zip(*results, strict=True) for array in opened(column)]
    return results


@pytest.mark.parametrize("count", [2, 3])
def test_every_protocol_gives_the_same_without_a_dealer_in_as_many_rounds(cases, count):
    with_dealer, without = (run_all_cases(cases, count, kind) for kind in ("dealer", "ot"))
    for name in cases:
        (theirs, costs), (ours, same) = with_dealer[name], without[name]
        assert costs == same, name
        assert [array.shape for array in theirs] == [array.shape for array in ours], name
        for one, two in zip(theirs, ours, strict=True):
            off = np.minimum(one - two, two - one)
            assert (off <= APART.get(name, np.zeros_like)(one)).all(), name
