"""Messages appended to a draft in a line."""

from datetime import datetime
from typing import Any

from domain.identity import MessageId
from domain.message import Author, Message
from domain.session import Draft


def append_message(
    draft: Draft, author: Author, message_id: MessageId, text: str, at: datetime, **details: Any
) -> None:
    """Append a message; `details`: its other fields."""
    draft.append_message(
        Message(
            seq=draft.next_seq, message_id=message_id, author=author, text=text, at=at, **details
        )
    )
