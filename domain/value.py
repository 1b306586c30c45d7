"""How the domain declares its values."""

from dataclasses import dataclass
from typing import TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def value(cls: type[T]) -> type[T]:
    """A keyword-only dataclass with slots that nobody may change.

    The type checker holds everyone to that. The interpreter would too, for three times the cost of
    making one, and a turn of the AI makes a dozen.
    """
    return dataclass(slots=True, kw_only=True)(cls)
