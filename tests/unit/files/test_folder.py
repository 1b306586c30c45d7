"""The folder of businesses: what is read, what is refused, and what stays in force."""

import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.files import folder as limits
from adapters.files.folder import FileBusinesses
from domain.identity import BusinessId, customer
from tests.support.businesses import DEMO_BUSINESSES, EXAMPLES
from tests.support.clock import VirtualClock

Told = list[tuple[str, Path | None]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "businesses"
    folder.mkdir()
    return folder


@pytest.fixture
def told() -> Told:
    """The folders of documents that were announced."""
    return []


@pytest.fixture
def files(root: Path, told: Told) -> FileBusinesses:
    return FileBusinesses(root, VirtualClock(), lambda *change: told.append(change))


def write(path: Path, name: str = "R", more: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'name = "{name}"\n{more}')


def move(path: Path, to: Path) -> None:
    path.rename(to)


def make(folder: Path) -> None:
    folder.mkdir()


def remove(folder: Path) -> None:
    folder.rmdir()


async def settled(files: FileBusinesses) -> None:
    """Look twice: a change is read when two looks find the same."""
    await files.refresh()
    await files.refresh()


def names(files: FileBusinesses) -> dict[str, str]:
    return {each.business_id: each.name for each in files.all()}


def mistakes(files: FileBusinesses) -> list[str]:
    return [line for lines in files.mistakes.values() for line in lines]


# What is read.


async def test_a_business_is_a_file_or_a_folder(root: Path, files: FileBusinesses) -> None:
    write(root / "resto.toml", "Resto")
    write(root / "dental" / "business.toml", "Dental")
    write(root / ".hidden.toml")
    write(root / "resto.toml~")
    (root / "notes").mkdir()

    async with files:
        assert names(files) == {"dental": "Dental", "resto": "Resto"}
        assert await files.business(BusinessId("resto")) == files.last_read(BusinessId("resto"))
        assert await files.business(BusinessId("other")) is None
        assert mistakes(files) == []


async def test_an_id_is_looked_up_as_it_is_written(root: Path, files: FileBusinesses) -> None:
    write(root / "Resto.toml")

    async with files:
        assert files.last_read(BusinessId("Resto")) is not None
        assert files.last_read(BusinessId("resto")) is None


async def test_the_examples_are_read_with_their_documents_and_reservations(told: Told) -> None:
    async with FileBusinesses(EXAMPLES, VirtualClock(), lambda *each: told.append(each)) as files:
        assert names(files) == {each.business_id: each.name for each in DEMO_BUSINESSES}
        assert all(each.has_knowledge for each in files.all())
        assert [each.guests for each in await files.reservations(customer("b1", "u"))] == [4]
        assert await files.reservations(customer("b9", "u")) == ()
    assert told == [("b1", EXAMPLES / "b1/knowledge"), ("b2", EXAMPLES / "b2/knowledge")]


async def test_documents_lie_beside_a_file_as_well(
    root: Path, files: FileBusinesses, told: Told
) -> None:
    write(root / "resto.toml")
    write(root / "resto" / "knowledge" / "deep" / "menu.md")

    async with files:
        (business,) = files.all()

    assert business.has_knowledge
    assert told == [("resto", root / "resto/knowledge")]


# What is refused, while the others are read.


@pytest.fixture
def others(root: Path) -> None:
    """Two businesses without a mistake, which nothing touches."""
    write(root / "a.toml", "A")
    write(root / "z.toml", "Z")


async def refused(root: Path, files: FileBusinesses) -> str:
    """Return the only mistake, after the folder's name; the other businesses are in force."""
    async with files:
        assert names(files) == {"a": "A", "z": "Z"}
    (mistake,) = mistakes(files)
    return mistake.removeprefix(f"{root}").lstrip("/")


@pytest.mark.usefixtures("others")
class TestRefused:
    """One file that is not read."""

    async def test_no_toml(self, root: Path, files: FileBusinesses) -> None:
        (root / "bad.toml").write_text('name = "R"\nhours = =')

        assert await refused(root, files) == "bad.toml:2: is no TOML: Invalid value"

    async def test_a_wrong_value(self, root: Path, files: FileBusinesses) -> None:
        write(root / "bad.toml", more="[hours]\nmon = ['8']")

        assert await refused(root, files) == ("bad.toml: hours.mon[0]: must be like 9:00-18:00")

    async def test_a_link_that_leads_out(self, root: Path, files: FileBusinesses) -> None:
        write(root.parent / "secret.toml")
        (root / "bad.toml").symlink_to(root.parent / "secret.toml")

        assert await refused(root, files) == "bad.toml: is a link that leads out of the folder"

    @pytest.mark.parametrize("linked", ["bad", "bad/business.toml", "bad/knowledge"])
    async def test_a_folder_with_a_link_that_leads_out(
        self, root: Path, files: FileBusinesses, linked: str
    ) -> None:
        elsewhere = root.parent / "elsewhere"
        write(elsewhere / "business.toml")
        write(elsewhere / "knowledge" / "a.md")
        if linked != "bad":
            shutil.copytree(elsewhere, root / "bad")
            path = root / linked
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()
        (root / linked).symlink_to(elsewhere / linked.removeprefix("bad").lstrip("/"))

        assert await refused(root, files) == f"{linked}: is a link that leads out of the folder"

    async def test_a_link_that_leads_nowhere(self, root: Path, files: FileBusinesses) -> None:
        (root / "bad.toml").symlink_to(root / "gone")

        assert await refused(root, files) == "bad.toml: cannot be read: No such file or directory"

    async def test_a_large_file(self, root: Path, files: FileBusinesses) -> None:
        (root / "bad.toml").write_bytes(b'name = "R"\n' + b"#" * 1024 * 1024)

        assert await refused(root, files) == "bad.toml: is larger than 1 MiB"

    async def test_a_pipe(self, root: Path, files: FileBusinesses) -> None:
        os.mkfifo(root / "bad.toml")

        assert await refused(root, files) == "bad.toml: is no file"

    async def test_a_folder_in_the_place_of_the_file(
        self, root: Path, files: FileBusinesses
    ) -> None:
        (root / "bad" / "business.toml").mkdir(parents=True)

        assert await refused(root, files) == "bad/business.toml: is no file"

    @pytest.mark.parametrize("name", ["two words", "a:b", "ă", "x" * 129])
    async def test_a_name_that_is_no_id(self, root: Path, files: FileBusinesses, name: str) -> None:
        write(root / f"{name}.toml")

        assert (await refused(root, files)).startswith(f"{name}.toml: its name must ")

    async def test_a_name_that_is_no_text(self, root: Path, files: FileBusinesses) -> None:
        write(root / os.fsdecode(b"\xff\x1b[2J.toml"))

        mistake = await refused(root, files)
        assert mistake.startswith("\ufffd[2J.toml: its name must be 1-128 characters")

    async def test_two_files_for_one_id(self, root: Path, files: FileBusinesses) -> None:
        write(root / "bad.toml")
        write(root / "bad" / "business.toml")

        assert await refused(root, files) == (
            "bad/business.toml: one too many of bad/business.toml and bad.toml"
        )

    async def test_ids_that_differ_by_case(self, root: Path, files: FileBusinesses) -> None:
        write(root / "bad" / "business.toml")
        write(root / "Bad" / "business.toml")

        async with files:
            assert names(files) == {"a": "A", "z": "Z"}
        assert f"{root}: Bad and bad differ by upper case alone" in mistakes(files)

    async def test_documents_without_a_business(self, root: Path, files: FileBusinesses) -> None:
        write(root / "bad" / "knowledge" / "a.md")

        assert await refused(root, files) == "bad: has no business.toml"

    async def test_more_businesses_than_are_read(
        self, root: Path, files: FileBusinesses, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "MAX_FILES", 2)
        write(root / "zz.toml")

        assert await refused(root, files) == (": has more than 2 businesses; the rest is not read")

    async def test_files_that_are_too_large_together(
        self, root: Path, files: FileBusinesses, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "MAX_BYTES", 1024 * 1024)
        for name in ("m.toml", "n.toml"):
            write(root / name, more=f"#{'x' * 600_000}")
        async with files:
            assert names(files) == {"a": "A", "m": "R"}
        assert mistakes(files) == [
            f"{root}/n.toml: the files are more than 1 MiB together",
            f"{root}/z.toml: the files are more than 1 MiB together",
        ]


async def test_a_link_inside_the_folder_is_followed(root: Path, files: FileBusinesses) -> None:
    # As a config map is mounted: the files are links, through one that is replaced.
    write(root / "..1" / "resto.toml", "One")
    write(root / "..2" / "resto.toml", "Two")
    (root / "..data").symlink_to("..1")
    (root / "resto.toml").symlink_to("..data/resto.toml")

    async with files:
        assert names(files) == {"resto": "One"}
        (root / "..new").symlink_to("..2")
        (root / "..new").rename(root / "..data")
        await settled(files)

    assert names(files) == {"resto": "Two"}
    assert mistakes(files) == []


async def test_documents_that_lead_out_of_the_folder_do_not_count(
    root: Path, files: FileBusinesses, told: Told
) -> None:
    write(root / "resto.toml")
    write(root.parent / "secret.md")
    (root / "resto" / "knowledge").mkdir(parents=True)
    (root / "resto" / "knowledge" / "a.md").symlink_to(root.parent / "secret.md")
    (root / "resto" / "knowledge" / "loop").symlink_to(root)

    async with files:
        (business,) = files.all()

    assert not business.has_knowledge
    assert told == []


# What changes.


async def test_a_change_is_read_when_two_looks_find_the_same(
    root: Path, files: FileBusinesses
) -> None:
    write(root / "resto.toml", "One")
    async with files:
        write(root / "resto.toml", "Two")
        await files.refresh()
        assert names(files) == {"resto": "One"}

        write(root / "resto.toml", "Three, of which a half was seen before")
        await files.refresh()
        assert names(files) == {"resto": "One"}

        await files.refresh()
        assert names(files) == {"resto": "Three, of which a half was seen before"}


async def test_an_editor_that_replaces_the_file_loses_no_business(
    root: Path, files: FileBusinesses
) -> None:
    write(root / "resto.toml", "One")
    async with files:
        (root / "resto.toml").rename(root / "resto.toml~")
        await files.refresh()  # there is no file
        write(root / "resto.toml", "Two")
        await files.refresh()
        assert names(files) == {"resto": "One"}

        await files.refresh()
        assert names(files) == {"resto": "Two"}


async def test_businesses_come_and_go(root: Path, files: FileBusinesses) -> None:
    write(root / "a.toml", "A")
    write(root / "b.toml", "B")
    async with files:
        (root / "b.toml").unlink()
        write(root / "c" / "business.toml", "C")
        await settled(files)

        assert names(files) == {"a": "A", "c": "C"}


async def test_the_last_good_version_stays_in_force_and_the_mistake_is_logged_once(
    root: Path, files: FileBusinesses, caplog: pytest.LogCaptureFixture
) -> None:
    write(root / "resto.toml", "One")
    write(root / "other.toml", "Other")
    async with files:
        for _ in range(3):
            write(root / "resto.toml", "Two", "nam = 7")
            await settled(files)
        write(root / "other.toml", "Other, changed")
        await settled(files)

        assert names(files) == {"resto": "One", "other": "Other, changed"}
        assert mistakes(files) == [f"{root}/resto.toml: nam: is not known; the nearest key is name"]
        logged = [each for each in caplog.records if each.levelno == logging.WARNING]
        assert [getattr(each, "mistake", None) for each in logged] == mistakes(files)

        write(root / "resto.toml", "Three")
        await settled(files)
        assert names(files)["resto"] == "Three"
        assert mistakes(files) == []


async def test_a_log_of_mistakes_is_bounded(
    root: Path, files: FileBusinesses, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(150):
        write(root / f"r{number}.toml", more="nam = 7")
    async with files:
        assert len(files.mistakes) == 150

    assert len(caplog.records) == 100


@pytest.mark.parametrize("how", ["it is gone", "it is empty"])
async def test_a_folder_that_is_gone_leaves_all_in_force(
    root: Path, files: FileBusinesses, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    write(root / "resto.toml", "One")
    async with files:
        move(root, root.parent / "away")
        if how == "it is empty":
            make(root)
        for _ in range(3):
            await settled(files)
        assert names(files) == {"resto": "One"}
        assert [getattr(each, "action", "") for each in caplog.records] == ["businesses_away"]

        if how == "it is empty":
            remove(root)
        move(root.parent / "away", root)
        write(root / "resto.toml", "Two")
        await settled(files)
        await settled(files)
        assert names(files) == {"resto": "Two"}


async def test_a_folder_that_is_not_there_yet_is_read_when_it_comes(
    root: Path, files: FileBusinesses
) -> None:
    remove(root)
    async with files:
        assert files.all() == ()
        write(root / "resto.toml")
        await settled(files)

        assert names(files) == {"resto": "R"}


async def test_documents_are_announced_whenever_they_have_changed(
    root: Path, files: FileBusinesses, told: Told
) -> None:
    knowledge = root / "resto" / "knowledge"
    write(root / "resto" / "business.toml")
    async with files:
        assert told == []
        write(knowledge / "a.md")
        await settled(files)
        write(knowledge / "b" / "c.md")
        await settled(files)
        write(root / "resto" / "business.toml", "Another name")  # which is no document
        await settled(files)
        assert told == [("resto", knowledge)] * 2
        assert [each.has_knowledge for each in files.all()] == [True]

        shutil.rmtree(knowledge)
        await settled(files)
        assert told[2:] == [("resto", None)]
        assert [each.has_knowledge for each in files.all()] == [False]


async def test_documents_are_announced_of_a_business_whose_file_is_broken_since(
    root: Path, files: FileBusinesses, told: Told
) -> None:
    write(root / "resto" / "business.toml", "One")
    async with files:
        write(root / "resto" / "business.toml", more="nam = 7")
        write(root / "resto" / "knowledge" / "a.md")
        await settled(files)

        assert told == [("resto", root / "resto/knowledge")]
        assert [(each.name, each.has_knowledge) for each in files.all()] == [("One", True)]


async def test_documents_of_a_business_that_goes_are_given_up(
    root: Path, files: FileBusinesses, told: Told
) -> None:
    write(root / "other.toml")
    write(root / "resto" / "business.toml")
    write(root / "resto" / "knowledge" / "a.md")
    async with files:
        shutil.rmtree(root / "resto")
        await settled(files)

    assert told == [("resto", root / "resto/knowledge"), ("resto", None)]


async def test_looks_take_a_small_part_of_the_time(root: Path) -> None:
    class SlowClock(VirtualClock):
        def monotonic(self) -> float:
            self.advance_now(0.5)
            return super().monotonic()

        def advance_now(self, seconds: float) -> None:
            self._ms += int(seconds * 1000)

    assert await FileBusinesses(root, VirtualClock()).refresh() == 1.0
    assert await FileBusinesses(root, SlowClock()).refresh() == 10.0


# The logo.

PNG = b"\x89PNG\r\n\x1a\n" + bytes(8)
SVG = b'<?xml version="1.0"?>\n<!-- a - logo -->\n<svg xmlns="http://www.w3.org/2000/svg"/>'
RESTO = BusinessId("resto")


@pytest.fixture
def resto(root: Path) -> Path:
    """Return the folder of a business whose file names a logo that is not there."""
    write(root / "resto" / "business.toml", more='[website]\nlogo = "logo.png"')
    return root / "resto"


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("logo.png", PNG, "image/png"),
        ("logo.svg", SVG, "image/svg+xml"),
        ("logo.svg", b"\xef\xbb\xbf <svg/>", "image/svg+xml"),
        ("logo.webp", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        ("logo.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("logo.jpeg", b"\xff\xd8\xff\xe1", "image/jpeg"),
    ],
)
async def test_a_logo_is_read_with_the_type_that_its_name_says(
    resto: Path, files: FileBusinesses, name: str, content: bytes, media_type: str
) -> None:
    write(resto / "business.toml", more=f'[website]\nlogo = "{name}"')
    (resto / name).write_bytes(content)

    async with files:
        logo = files.logo(RESTO)

    assert mistakes(files) == []
    assert logo is not None
    assert (logo.content, logo.media_type) == (content, media_type)


def _link_out(logo: Path) -> None:
    (logo.parent.parent / "secret.png").write_bytes(PNG)
    logo.symlink_to("../secret.png")


@pytest.mark.parametrize(
    ("make_logo", "reason"),
    [
        (lambda logo: None, "cannot be read: No such file or directory"),
        (Path.mkdir, "cannot be read: Is a directory"),
        (os.mkfifo, "is no file"),
        (_link_out, "is a link that leads out of the business's folder"),
        (lambda logo: logo.symlink_to("/etc/passwd"),
         "is a link that leads out of the business's folder"),
        (lambda logo: logo.write_bytes(PNG + bytes(256 * 1024)), "is larger than 256 KiB"),
        (lambda logo: logo.write_bytes(b"<html>"),
         "is no picture of the type image/png, which its name says"),
        (lambda logo: logo.write_bytes(SVG),
         "is no picture of the type image/png, which its name says"),
    ],
)  # fmt: skip
async def test_a_logo_that_cannot_be_shown_is_a_mistake(
    resto: Path, files: FileBusinesses, make_logo: Callable[[Path], object], reason: str
) -> None:
    make_logo(resto / "logo.png")

    async with files:
        assert mistakes(files) == [f"{resto}/business.toml: website.logo: {reason}"]
        assert files.logo(RESTO) is None


async def test_a_logo_that_is_put_there_later_is_noticed(
    resto: Path, files: FileBusinesses
) -> None:
    async with files:
        (resto / "logo.png").write_bytes(PNG)
        await settled(files)

    assert mistakes(files) == []
    assert files.logo(RESTO) is not None


async def test_a_logo_may_be_a_link_in_the_folder_as_in_a_config_map(
    resto: Path, files: FileBusinesses
) -> None:
    (resto / "..1").mkdir()
    (resto / "..1" / "logo.png").write_bytes(PNG)
    (resto / "..data").symlink_to("..1")
    (resto / "logo.png").symlink_to("..data/logo.png")

    async with files:
        assert files.logo(RESTO) is not None


async def test_a_logo_needs_a_folder_of_the_businesss_own(
    root: Path, files: FileBusinesses
) -> None:
    write(root / "resto.toml", more='[website]\nlogo = "logo.png"')

    async with files:
        assert mistakes(files) == [
            f"{root}/resto.toml: website.logo: needs a folder of the business's own: "
            "resto/business.toml"
        ]


async def test_the_origins_of_all_websites_are_known_as_the_files_change(
    root: Path, files: FileBusinesses
) -> None:
    write(root / "a.toml", more='[website]\norigins = ["https://a.example"]')
    write(root / "b.toml", more='[website]\norigins = ["https://b.example"]')

    async with files:
        assert files.names_origin("https://a.example")
        write(root / "a.toml")
        (root / "b.toml").unlink()
        await settled(files)

    assert not files.names_origin("https://a.example")
    assert not files.names_origin("https://b.example")
