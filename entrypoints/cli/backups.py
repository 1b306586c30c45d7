"""Backups of the SQLite databases of the server and of the reference bridge."""

from pathlib import Path

from adapters.bridge.sqlite_store import VERSION
from adapters.sqlite.backup import SERVER, DatabaseKind, RowCounts, back_up, put_back
from entrypoints.settings import BadSetting, Settings

_BRIDGE = DatabaseKind("the reference bridge", VERSION, ("chats", "words", "answers"))


def back_up_database(settings: Settings, file: Path, *, of_bridge: bool) -> str:
    """Copy a database to a new file, and say what is in it. Raises: StorageUnavailable."""
    database, kind = _database(settings, of_bridge)
    counts = back_up(database, file.absolute(), kind)
    return f"backed up {database} to {file.absolute()}: {_shown(counts)}"


def restore_database(settings: Settings, file: Path, *, of_bridge: bool) -> str:
    """Replace a database by a backup, and say where it is now. Raises: StorageUnavailable."""
    database, kind = _database(settings, of_bridge)
    restored = put_back(file.absolute(), database, kind)
    shown = f"restored {database} from {file.absolute()}: {_shown(restored.counts)}"
    return shown if restored.kept is None else f"{shown}\nthe former database is {restored.kept}"


def _database(settings: Settings, of_bridge: bool) -> tuple[Path, DatabaseKind]:
    """Return the file that is meant. Raises: BadSetting, where the store is none."""
    if of_bridge:
        if settings.bridge_store != "sqlite":
            raise BadSetting("BRIDGE_STORE=memory stores nothing that could be backed up")
        return Path(settings.bridge_sqlite_path).absolute(), _BRIDGE
    if settings.store == "dynamodb":
        raise BadSetting(
            "STORE=dynamodb has backups of its own, point-in-time recovery: see docs/dynamodb.md"
        )
    if settings.store != "sqlite":
        raise BadSetting("STORE=memory stores nothing that could be backed up")
    return Path(settings.sqlite_path).absolute(), SERVER


def _shown(counts: RowCounts) -> str:
    return ", ".join(f"{count:,} {name}" for name, count in counts.items())
