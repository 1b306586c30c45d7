"""The rules that all JSON of this program follows: camelCase keys, and UTC in milliseconds."""

from datetime import UTC, datetime

import msgspec


class CamelStruct(msgspec.Struct, rename="camel", gc=False):
    """A JSON object with camelCase keys."""


class CamelStructOmitDefaults(CamelStruct, omit_defaults=True):
    """A JSON object whose absent values are left out."""


def timestamp(at: datetime) -> str:
    """`2026-01-31T12:00:00.000Z`"""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"
