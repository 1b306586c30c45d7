"""Passages of a business's own documents, from which the AI may answer."""

from msgspec import Struct


class Passage(Struct, frozen=True, kw_only=True):
    """A part of a document under one heading."""

    title: str
    """The headings above it, from the document's title on: `Menu › Desserts`."""
    location: str
    """Where an operator finds it: `menu.md#desserts`, `contract.pdf, page 3`."""
    text: str


class Finding(Struct, frozen=True, kw_only=True):
    """A passage that a search found; the best comes first."""

    passage: Passage
    score: float
    """Higher is better; comparable within one search alone."""
