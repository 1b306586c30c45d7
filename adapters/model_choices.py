"""The models that answer, in order, as the settings choose them."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, cast
from urllib.parse import urlsplit

import msgspec

from adapters.urls import shown_url
from domain.business import ModelSettings

ApiChoice = Literal["auto", "responses", "chat"]
ReasoningEffort = Literal["", "none", "minimal", "low", "medium", "high", "xhigh", "max"]
OPENAI_URL = "https://api.openai.com/v1"

# What follows the base in the addresses that providers' documents show.
_ENDPOINT = re.compile(r"/(?:chat/completions|completions|responses|messages|embeddings)/?$")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class ModelChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of MODELS."""

    model: Annotated[str, msgspec.Meta(min_length=1)]
    base_url: Annotated[str, msgspec.Meta(pattern=r"^https?://[^\s/]\S*$")] = OPENAI_URL
    key: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """The name of the variable that has the key; None: no key is sent."""
    api: ApiChoice = "auto"
    effort: ReasoningEffort = ""


def model_choices(text: str) -> tuple[ModelChoice, ...]:
    """Return the models of MODELS, a JSON array. Raises: ValueError, saying what is wrong."""
    try:
        choices = msgspec.json.decode(text, type=tuple[ModelChoice, ...])
    except msgspec.DecodeError as error:  # whose text names the place, and quotes no value
        raise ValueError(str(error)) from None
    if not choices:
        raise ValueError("there must be at least one")
    for choice in choices:
        check_base_url(choice.base_url)
    return choices


def check_base_url(url: str) -> None:
    """Refuse an address that no request can be made to, saying what to write.

    Raises: ValueError.
    """
    parts = urlsplit(url)
    _ = parts.port
    shown = shown_url(url)
    if (found := _ENDPOINT.search(parts.path)) is not None:
        base = shown_url(parts._replace(path=parts.path[: found.start()]).geturl())
        raise ValueError(f"{shown} is the address of an endpoint: write {base}")
    host = parts.hostname or ""
    if host.endswith(".azure.com") and "/openai" not in parts.path and "/models" not in parts.path:
        raise ValueError(f"{shown} lacks the path: write {parts.scheme}://{host}/openai/v1")


def model_key(choice: ModelChoice, environment: Mapping[str, str]) -> str:
    """Return the key of a model. Raises: ValueError, where its variable is not set."""
    if choice.key is None:
        return ""
    key = environment.get(choice.key, "").strip()
    if not key:
        raise ValueError(f"{choice.model} needs {choice.key}, which is not set")
    if not key.isascii() or any(not each.isprintable() or each.isspace() for each in key):
        raise ValueError(f"{choice.key} must be ASCII characters without spaces")
    return key


def own_model(
    chosen: ModelSettings, default: tuple[ModelChoice, str], environment: Mapping[str, str]
) -> tuple[ModelChoice, str]:
    """Return the model that a business has chosen, and its key; `default`: the server's.

    What it does not choose is as the server has it, as long as it is the same provider: the
    server's key goes to no other address. Raises: ValueError.
    """
    (usual, usual_key), elsewhere = default, chosen.base_url is not None
    if elsewhere and chosen.model is None:
        raise ValueError("a model at an address of its own needs its name")
    choice = ModelChoice(
        model=chosen.model or usual.model,
        base_url=chosen.base_url or usual.base_url,
        key=chosen.api_key_variable,
        api=cast(ApiChoice, chosen.api or ("auto" if elsewhere else usual.api)),
        effort=cast(
            ReasoningEffort,
            chosen.effort if chosen.effort is not None else "" if elsewhere else usual.effort,
        ),
    )
    if chosen.api_key_variable is None:
        return choice, "" if elsewhere else usual_key
    return choice, model_key(choice, environment)
