"""Pictures in a business's folder, which browsers are shown: checked by name, size and content."""

import os
import re
import stat
from hashlib import sha256
from pathlib import Path

from domain.business import Picture

PICTURES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "webp": "image/webp",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
}
"""The end of a name → the media type."""
MAX_PICTURE_BYTES = 256 * 1024

# An SVG begins with its element, after a declaration, comments and a document type.
_begins_svg = re.compile(
    rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*>\s*)?(<!--(?:[^-]|-(?!->))*-->\s*|<!DOCTYPE[^>\[]*>\s*)*<svg[\s>/]"
).match


class BadPicture(ValueError):
    """A picture that cannot be shown; the text says why."""


def read_picture(folder: Path, name: str) -> Picture:
    """Read a picture of a folder, and of no other place. Raises: BadPicture.

    A link may lead to another place in the same folder, as in a mounted config map.
    """
    root = os.path.realpath(folder)
    path = os.path.realpath(os.path.join(root, name))
    if not path.startswith(os.path.join(root, "")):
        raise BadPicture("is a link that leads out of the business's folder")
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise BadPicture("is no file")
            content = file.read(MAX_PICTURE_BYTES + 1)
    except OSError as error:
        raise BadPicture(f"cannot be read: {error.strerror}") from None
    if len(content) > MAX_PICTURE_BYTES:
        raise BadPicture(f"is larger than {MAX_PICTURE_BYTES // 1024} KiB")
    media_type = PICTURES[name.rpartition(".")[2]]
    if not _is_of_type(content, media_type):
        raise BadPicture(f"is no picture of the type {media_type}, which its name says")
    return Picture(content, media_type, sha256(content).hexdigest())


def _open_at_once(path: str, flags: int) -> int:
    """Open what is no link, although one may have come meanwhile, without waiting at a pipe."""
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _is_of_type(content: bytes, media_type: str) -> bool:
    match media_type:
        case "image/png":
            return content.startswith(b"\x89PNG\r\n\x1a\n")
        case "image/jpeg":
            return content.startswith(b"\xff\xd8\xff")
        case "image/webp":
            return content[:4] == b"RIFF" and content[8:12] == b"WEBP"
        case _:
            return _begins_svg(content) is not None
