"""What a person who runs `smpc` can meet, each as one line with its remedy in it.

* SmpcError
  x ManifestError     study.toml: unreadable, a field missing, unknown or out of place
  x KeyFileError      a key file: missing, readable by others, not ours, damaged, already there
  x DataError         a party's table: file, row and column are named, a value never
  x LinkError         a peer: absent, unknown key, other manifest or version, gone; `peer` names it
  x ReleaseRefused    the policy in [release] forbids an opening
  x StoreError        the store of correlated randomness cannot be used, or does not fit
  x LedgerError       the ledger cannot be written, or its chain is broken
  x ModelError        no trustworthy result: ill-conditioned, constant column, too few rows
  x RangeError        a result could be too large for the ring, or data are not within their bounds; a ValueError, too

A programmer's mistake in using the library (shapes, types) is a ValueError or a TypeError.
"""

from __future__ import annotations


class SmpcError(Exception):
    """Base of every error whose text is meant for the person at the terminal: one line, nothing secret."""


class ManifestError(SmpcError):
    """The manifest cannot be read or contradicts itself."""


class KeyFileError(SmpcError):
    """A key file cannot be used or made."""


class DataError(SmpcError):
    """A table is not what the manifest declares. Names file, row and column, never a value."""


class LinkError(SmpcError):
    """A link to a peer could not be made or broke; `peer` is its name, where one peer is to blame."""

    def __init__(self, message: str, peer: str | None = None) -> None:
        super().__init__(message)
        self.peer = peer


class ReleaseRefused(SmpcError):
    """The release policy forbids the opening that was asked for."""


class StoreError(SmpcError):
    """The store of correlated randomness cannot be used, or does not fit."""


class LedgerError(SmpcError):
    """The ledger cannot be written, or its chain is broken; nothing is released without it."""


class ModelError(SmpcError):
    """The model has no result that could be trusted on this data."""


class RangeError(SmpcError, ValueError):
    """A result could be too large for the ring, or data are not within their bounds. Names bounds, never a value."""
