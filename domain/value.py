"""How the domain declares its values, and makes the ones that it makes all the time."""

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any, ParamSpec, TypeVar, cast, dataclass_transform

P = ParamSpec("P")
T = TypeVar("T")


@dataclass_transform(frozen_default=True, kw_only_default=True)
def value(cls: type[T]) -> type[T]:
    """A keyword-only dataclass with slots that nobody may change.

    The type checker holds everyone to that. The interpreter would too, for three times the cost of
    making one, and a turn of the AI makes a dozen.
    """
    return dataclass(slots=True, kw_only=True)(cls)


def maker(cls: Callable[P, T]) -> Callable[P, T]:
    """The constructor of a value as a plain function.

    CPython before 3.13 packs the keywords of a call to a class into a dictionary, and unpacks them
    again for `__init__`: for a value of a dozen fields that is four times the work of making it.
    """
    names = [field.name for field in fields(cast(Any, cls))]
    defaults = {f.name: f.default for f in fields(cast(Any, cls)) if f.default is not MISSING}
    parameters = [f"{name}=_{name}" if name in defaults else name for name in names]
    lines = [
        f"def make(*, {', '.join(parameters)}):",
        "    self = new(cls)",
        *(f"    self.{name} = {name}" for name in names),
        "    return self",
    ]
    scope: dict[str, Any] = {"cls": cls, "new": object.__new__}
    scope |= {f"_{name}": default for name, default in defaults.items()}
    exec("\n".join(lines), scope)
    return cast("Callable[P, T]", scope["make"])


def changer(cls: type[T], *names: str) -> Callable[..., T]:
    """A plain function that copies a value but for these fields, all of which it must be given.

    `change(old, name=…)` is `dataclasses.replace(old, name=…)` at a fifth of the cost. It also
    spares naming the other fields: CPython packs more than 15 keywords into a dictionary.
    """
    kept = [field.name for field in fields(cast(Any, cls)) if field.name not in names]
    lines = [
        f"def change(old, *, {', '.join(names)}):",
        "    self = new(cls)",
        *(f"    self.{name} = {name}" for name in names),
        *(f"    self.{name} = old.{name}" for name in kept),
        "    return self",
    ]
    scope: dict[str, Any] = {"cls": cls, "new": object.__new__}
    exec("\n".join(lines), scope)
    return cast("Callable[..., T]", scope["change"])
