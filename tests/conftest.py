"""Options of the whole suite."""

import pytest

# In modules that tests share, too, an assertion that fails shows its values.
pytest.register_assert_rewrite("tests.end_to_end", "tests.protocols", "tests.smpc")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--renew-transcripts",
        action="store_true",
        help="write tests/transcripts.json anew, for a change of messages that is intended",
    )
