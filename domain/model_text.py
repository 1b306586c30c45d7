"""Texts for a model to read, in which what others have written is marked as data."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

from domain.business import Business, facts_within
from domain.knowledge import Passage

MAX_NAME = 200


def tagged(tag: str, text: str, **attributes: str) -> str:
    """Return a text by anybody, marked as data. The attributes are ours, and not escaped."""
    written = "".join([f' {name}="{value}"' for name, value in attributes.items()])
    return f"<{tag}{written}>\n{escaped(text)}\n</{tag}>"


def escaped(text: str) -> str:
    """Return a text that can neither end a tag nor begin one."""
    return text.replace("<", "&lt;")


def quoted(text: str) -> str:
    """Return a text by anybody that cannot end the attribute that it stands in."""
    return escaped(text).replace('"', "&quot;")


def facts(business: Business, most: int) -> str:
    """Return a business's facts as JSON, in about `most` characters at most."""
    known = {"name": business.name[:MAX_NAME], **facts_within(business, most)}
    if not business.facts.keys() <= known.keys():
        known["…"] = "more is known, but there is no room for it"
    return msgspec.json.encode(known).decode()


def passages(found: Iterable[Passage]) -> str:
    """Return passages of documents, each as data with its title and its place."""
    return "\n".join(
        [tagged("passage", f"{each.title} ({each.location})\n{each.text}") for each in found]
    )


def day_and_hour(at: datetime) -> str:
    """Return a time in its own zone, as the model reads it."""
    return f"{at:%A, %d %B %Y, %H:%M}"
