"""Three organizations learn the sum of their numbers, and nothing else about each other's.

    python examples/01_sum.py                    all parties as threads of this process
    smpc local examples/01_sum.py --parties 3    processes with encrypted links

With two parties this would hide nothing: the sum less one's own number is the other's. That is in the result, not in
the way it was computed.
"""

import smpc


def own_number(rank: int) -> int:
    """What a party would read from a file of its own: cases of a disease this year."""
    return (412, 385, 1207, 96, 230)[rank % 5]


def program(party: smpc.Party) -> int:
    """Every party runs this; each shares its own number."""
    numbers = [
        party.share(own_number(party.rank) if party.rank == owner else None, owner) for owner in range(party.count)
    ]
    return int(sum(numbers).reveal())


if __name__ == "__main__":
    print("each party learnt:", *smpc.simulate(program, parties=3))
