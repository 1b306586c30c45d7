"""The file of coordinators: what it may say, who may read it, and how it is replaced."""

import logging
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.files.coordinators import (
    BadCoordinatorsFile,
    Coordinator,
    CoordinatorsFile,
    change_coordinators,
    read_coordinators,
)
from domain.errors import InvalidPayload
from domain.identity import BusinessId, CoordinatorId, IdentityUnavailable
from tests.support.coordinators import MARIA, PASSWORD, STEFAN, allow, forbid, hashed

HEAD = f'secret = "{"s" * 32}"\n'
HASH = "$argon2id$v=19$m=65536,t=3,p=4$U2FsdHlTYWx0$" + "A" * 43
GOOD = f'{HEAD}[coordinators."Maria Ionescu"]\nbusinesses = ["b1"]\npassword = "{HASH}"\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "coordinators.toml"


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Write the file by hand."""
    path.write_text(text, "utf-8")
    path.chmod(mode)


async def looked(file: CoordinatorsFile) -> None:
    """Look at the file until a change has settled."""
    for _ in range(2):
        await file.refresh()


# Writing.


def test_the_file_is_made_for_its_owner_alone_with_a_secret_of_its_own(path: Path) -> None:
    other = path.with_name("other.toml")
    for each in (path, other):
        allow(each, MARIA, "b1", "b2")
    first, second = read_coordinators(path), read_coordinators(other)

    assert path.stat().st_mode & 0o777 == 0o600
    assert first.coordinators == {
        MARIA: Coordinator((BusinessId("b1"), BusinessId("b2")), hashed(PASSWORD))
    }
    assert first.secret != second.secret
    assert len(first.secret) >= 32


def test_nobody_is_added_whose_name_reads_as_anothers(path: Path) -> None:
    allow(path, MARIA, "b1")
    with pytest.raises(InvalidPayload, match="reads as"):
        allow(path, CoordinatorId(MARIA.upper()), "b2")
    allow(path, MARIA, "b1", "b2")

    assert [*read_coordinators(path).coordinators] == [MARIA]


def test_a_change_keeps_the_secret_the_others_and_what_the_group_may_do(path: Path) -> None:
    allow(path, MARIA, "b1")
    path.chmod(0o640)
    before = read_coordinators(path)
    allow(path, STEFAN, "b2")
    forbid(path, STEFAN)

    assert read_coordinators(path) == before
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("name", ["Ștefan", 'the "Boss"', "a\\b", "maria", "Олена", "ana.b@c:d"])
def test_a_name_is_read_as_it_was_written(path: Path, name: str) -> None:
    allow(path, CoordinatorId(name), "b1")

    assert list(read_coordinators(path).coordinators) == [name]


def test_a_link_stays_a_link(path: Path) -> None:
    real = path.with_name("real.toml")
    path.symlink_to(real)
    allow(path, MARIA, "b1")

    assert path.is_symlink()
    assert list(read_coordinators(real).coordinators) == [MARIA]


def test_no_change_is_lost_where_several_change_it_at_once(path: Path) -> None:
    names = [CoordinatorId(f"c{number}") for number in range(20)]
    hashed(PASSWORD)
    threads = [threading.Thread(target=allow, args=(path, name, "b1")) for name in names]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert set(read_coordinators(path).coordinators) == set(names)


def test_a_change_that_fails_leaves_the_file_and_nothing_beside_it(path: Path) -> None:
    allow(path, MARIA, "b1")
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        change_coordinators(path, lambda now: now.having(STEFAN, 1 / 0))  # type: ignore[arg-type]
    with pytest.raises(InvalidPayload):
        allow(path, STEFAN, *(f"b{number}" for number in range(101)))

    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_folder_that_cannot_be_written_is_named(path: Path) -> None:
    path.parent.joinpath("taken").touch()
    with pytest.raises(BadCoordinatorsFile, match="cannot be written"):
        allow(path.parent / "taken" / "coordinators.toml", MARIA, "b1")


# Reading.


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("secret = 7", "secret"),
        ("", "secret"),
        ('secret = "short"', "secret: must have at least 32 characters"),
        (f"{HEAD}colour = 1", "colour"),
        (f"{HEAD}[coordinators", ":2: is no TOML"),
        (GOOD.replace('["b1"]', "[]"), "businesses: must be 1 to 100"),
        (GOOD.replace('["b1"]', '["b:1"]'), "businesses must not contain a colon"),
        (GOOD.replace('["b1"]', '"b1"'), "Expected `array`"),
        (GOOD.replace(HASH, "hunter2"), "password: must be the hash"),
        (GOOD.replace("argon2id", "argon2i"), "password: must be the hash"),
        (GOOD.replace("Maria Ionescu", "Maria\u202e"), "must be a name"),
        (GOOD + GOOD[len(HEAD):].replace("Maria ", "Maria  "), "is there twice"),
        (GOOD + GOOD[len(HEAD):].replace("Maria ", "maria "), "is there twice"),
        (GOOD + GOOD[len(HEAD):].replace("Maria ", "\uff2daria "), "is there twice"),
        (GOOD + "boss = true", "boss"),
        (f"# {'x' * 2**20}\n{GOOD}", "is larger than 1 MiB"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_without_a_secret(path: Path, text: str, mistake: str) -> None:
    write(path, text)
    with pytest.raises(BadCoordinatorsFile) as raised:
        read_coordinators(path)

    assert str(path) in str(raised.value)
    assert mistake in str(raised.value)
    assert not any(each in str(raised.value) for each in ("hunter2", "A" * 43, "s" * 32))


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o602, 0o666])
def test_a_file_that_others_can_read_or_write_is_refused(path: Path, mode: int) -> None:
    write(path, GOOD, mode)
    with pytest.raises(BadCoordinatorsFile, match="chmod o="):
        read_coordinators(path)


def test_no_repr_has_a_secret(path: Path) -> None:
    write(path, GOOD)
    shown = repr(read_coordinators(path))

    assert "Maria" in shown
    assert "argon2" not in shown
    assert "sss" not in shown


# What is in force.


async def test_a_change_is_in_force_once_it_has_settled(path: Path) -> None:
    allow(path, MARIA, "b1")
    async with CoordinatorsFile(path) as file:
        allow(path, STEFAN, "b1")
        await file.refresh()
        at_first = set(file.in_force.coordinators)
        await file.refresh()

        assert at_first == {MARIA}
        assert set(file.in_force.coordinators) == {MARIA, STEFAN}
        assert file.state == "ok"


spoiled_by: dict[str, Callable[[Path], None]] = {
    "broken": lambda path: write(path, GOOD + "["),
    "open": lambda path: write(path, HEAD, 0o644),
    "gone": Path.unlink,
}


@pytest.mark.parametrize("spoil", spoiled_by)
async def test_the_last_good_one_stays_in_force_and_the_log_says_why_once(
    path: Path, spoil: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(path, GOOD)
    async with CoordinatorsFile(path) as file:
        spoiled_by[spoil](path)
        for _ in range(3):
            await looked(file)
        spoiled, known = file.state, set(file.in_force.coordinators)
        logged = [each.levelno for each in caplog.records]
        write(path, HEAD)
        await looked(file)

        assert (spoiled, known) == ("degraded", {MARIA})
        assert logged == [logging.WARNING]
        assert (file.state, file.in_force.coordinators) == ("ok", {})


@pytest.mark.parametrize("mode", [None, 0o644])
async def test_without_a_good_one_there_is_none_until_it_is_mended(
    path: Path, mode: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    if mode is not None:
        write(path, GOOD, mode)
    async with CoordinatorsFile(path) as file:
        with pytest.raises(IdentityUnavailable) as raised:
            _ = file.in_force
        down = file.state
        write(path, GOOD)
        await looked(file)

        assert down == "down"
        assert str(path) not in str(raised.value)
        assert [each.levelno for each in caplog.records] == [logging.ERROR]
        assert set(file.in_force.coordinators) == {MARIA}
