"""The folder of a replay: its candidate, and a line for each turn, written as it comes."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
from msgspec import Struct

from domain.answer_comparison import ComparedTurn
from domain.errors import InvalidPayload

MANIFEST, TURNS = "replay.json", "turns.jsonl"
TurnKey = tuple[str, int]


class Manifest(Struct, frozen=True, kw_only=True, rename="camel"):
    """What a replay compares: one that goes on must have the same."""

    business_id: str
    before: str
    """Where the first of the two answers comes from."""
    candidate: str
    """The model and the version that the turns are put to."""
    settings: str
    """A digest of what else a trial depends on."""


class TurnFile:
    """The turns of a replay, of which only the places in the file are in memory.

    Of several lines of one turn the last counts.
    """

    def __init__(self, path: Path, *, is_written: bool) -> None:
        """`is_written`: a last line without its end, which a crash has left, is cut off.

        Raises: InvalidPayload, where a line is no result.
        """
        self._path = path
        self._decode = msgspec.json.Decoder(ComparedTurn).decode
        self._encode = msgspec.json.Encoder().encode
        self._places: dict[TurnKey, int] = {}
        self._failed: set[TurnKey] = set()
        try:
            self._file = open(path, "a+b" if is_written else "rb")
        except OSError as error:
            raise InvalidPayload(f"{path}: {error.strerror}") from None
        try:
            end = self._scan()
            if is_written:
                self._file.truncate(end)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "TurnFile":
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: TurnKey) -> bool:
        """Return whether there is a result of the turn that did not fail."""
        return key in self._places and key not in self._failed

    def __iter__(self) -> Iterator[ComparedTurn]:
        for place in self._places.values():
            yield self._at(place)

    def _scan(self) -> int:
        """Find the place of each turn; return the end of the last whole line."""
        self._file.seek(0)
        place = 0
        for number, line in enumerate(self._file, 1):
            if not line.endswith(b"\n"):
                break
            try:
                self._note(self._decode(line), place)
            except (msgspec.DecodeError, RecursionError):
                raise InvalidPayload(f"{self._path}:{number} is no result of a replay") from None
            place += len(line)
        return place

    def _note(self, turn: ComparedTurn, place: int) -> None:
        key = turn.session_id, turn.seq
        self._places[key] = place
        if turn.after.failure:
            self._failed.add(key)
        else:
            self._failed.discard(key)

    def _at(self, place: int) -> ComparedTurn:
        self._file.seek(place)
        return self._decode(self._file.readline())

    def get(self, key: TurnKey) -> ComparedTurn | None:
        """Return the result of a turn; None: there is none."""
        place = self._places.get(key)
        return self._at(place) if place is not None else None

    def append(self, turn: ComparedTurn) -> None:
        """Write the result of a turn, so that the end of this process loses none."""
        place = self._file.seek(0, os.SEEK_END)
        self._file.write(self._encode(turn) + b"\n")
        self._file.flush()
        self._note(turn, place)


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write what a replay compares."""
    (folder / MANIFEST).write_bytes(msgspec.json.format(msgspec.json.encode(manifest)) + b"\n")


def read_manifest(folder: Path) -> Manifest:
    """Read what a replay compares. Raises: InvalidPayload, where the folder is none of a replay."""
    try:
        return msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        raise InvalidPayload(f"{folder} is no folder of a replay") from None
