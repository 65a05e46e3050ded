"""Options of the whole suite."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--renew-transcripts",
        action="store_true",
        help="write tests/transcripts.json anew, for a change of messages that is intended",
    )
