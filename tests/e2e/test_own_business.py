"""A business of one's own: the commands for its folder, and the server that answers from it."""

from pathlib import Path

import pytest

from tests.support.process import command, server
from tests.support.user import Refused, user

AT_ONCE = {"TURN_QUIET_MS": "0", "SCRIPTED_DELAY_MS": "0"}
NAME = "Casa Mea, București"


def write(folder: Path, name: str, text: str) -> None:
    path = folder / "businesses" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_new_business_is_an_example_without_what_is_for_the_demo(tmp_path: Path) -> None:
    made = command(tmp_path, "business", "new", "resto", "--from", "dental")
    checked = command(tmp_path, "business", "check")
    listed = command(tmp_path, "business", "list")
    shown = command(tmp_path, "business", "show", "resto")

    assert (made.returncode, checked.returncode, checked.stdout) == (0, 0, "ok\n")
    assert made.stdout.startswith("businesses/resto/business.toml is yours to edit; ")
    assert listed.stdout == f"{'resto':<20} {'en':<6} Harbour Dental, with documents\n"
    assert "hours                   Monday–Friday 08:00–18:00\n" in shown.stdout
    assert "opens next on " in shown.stdout
    assert "documents               yes\n" in shown.stdout
    text = (tmp_path / "businesses/resto/business.toml").read_text()
    assert "demo" not in text
    assert "0:00-24:00" not in text


@pytest.mark.parametrize(
    ("arguments", "code", "reason"),
    [
        (("new", "a:b"), 2, "NAME must not contain a colon"),
        (("new", "../x"), 2, "NAME must be 1-128 characters of [A-Za-z0-9._:@-], but not . or .."),
        (("new", "RESTO"), 1, "businesses/resto is there already"),
        (("show", "other"), 1, "there is no business other in businesses"),
        (("check", "other"), 1, "there is no business other in businesses"),
    ],
)
def test_a_wrong_name_is_refused_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], code: int, reason: str
) -> None:
    command(tmp_path, "business", "new", "resto")

    ran = command(tmp_path, "business", *arguments)

    assert (ran.returncode, ran.stdout, ran.stderr) == (code, "", f"Error: {reason}\n")


def test_without_a_folder_the_commands_say_how_to_begin(tmp_path: Path) -> None:
    ran = command(tmp_path, "business", "list")

    assert ran.returncode == 1
    assert ran.stderr == "Error: there is no folder businesses: `business new NAME` creates one\n"


def test_check_names_every_mistake_and_exits_with_1(tmp_path: Path) -> None:
    write(tmp_path, "bad.toml", 'name = "R"\nhours = =')
    write(tmp_path, "worse.toml", 'nam = 1\n[hours]\nmon = ["8"]')
    write(tmp_path, "odd.toml", 'name = "Odd"\nlanguage = "xx"\n[model]\nkey = "ODD_KEY"')
    write(tmp_path, "odd/knowledge/.keep", "")
    write(tmp_path, "fine.toml", 'name = "Fine"\nlanguage = "pt-BR"\nfacts.phone = "1"')

    ran = command(tmp_path, "business", "check")
    one = command(tmp_path, "business", "check", "fine")

    assert ran.returncode == 1
    assert ran.stdout.splitlines() == [
        "businesses/bad.toml:2: is no TOML: Invalid value",
        "businesses/worse.toml: nam: is not known; the nearest key is name",
        "businesses/worse.toml: name: is missing: it must be a line of 1 to 200 characters",
        "businesses/worse.toml: hours.mon[0]: must be like 9:00-18:00",
        "odd: language: xx is not known",
        "odd: model.key needs ODD_KEY, which is not set",
        "odd: knowledge/ has no documents",
        "fine: Portuguese (pt-BR) has no notices: they come in English (worth knowing, no mistake)",
        "odd: xx has no notices: they come in English (worth knowing, no mistake)",
        "odd: has neither facts nor documents: the AI knows nothing but its name "
        "(worth knowing, no mistake)",
    ]
    assert (one.returncode, one.stdout.splitlines()[-1]) == (0, "ok")


def test_check_and_show_know_the_website(tmp_path: Path) -> None:
    write(
        tmp_path,
        "resto.toml",
        'name = "Resto"\nfacts.phone = "1"\n[website]\ncolour = "#fff"\n'
        'origins = ["https://resto.example"]\n[languages.en]\ngreeting = "Hi!"\n'
        '[prices]\ncurrency = "EUR"\ninput = 0.25\ncached = 0.025\noutput = 2',
    )
    write(tmp_path, "bad/business.toml", 'name = "Bad"\n[website]\nlogo = "logo.png"')

    ran = command(tmp_path, "business", "check", SOCKET_AUTH="jwt", JWT_SECRET="x" * 32)
    shown = command(tmp_path, "business", "show", "resto")

    assert ran.stdout.splitlines() == [
        "businesses/bad/business.toml: website.logo: cannot be read: No such file or directory",
        "resto: website.origins: their visitors cannot chat, as VISITOR_SECRET is empty "
        "(worth knowing, no mistake)",
    ]
    assert {
        "website": "https://resto.example",
        "  colour": "#fff",
        "languages en": "Hi!",
        "prices": "EUR 0.25 in, 0.025 cached, 2 out, of a million tokens",
    }.items() <= {line[:24].rstrip(): line[24:] for line in shown.stdout.splitlines()}.items()


def test_show_names_the_mistakes_of_a_business_that_cannot_be_read(tmp_path: Path) -> None:
    write(tmp_path, "bad.toml", 'name = "R"\nhours = =')

    ran = command(tmp_path, "business", "show", "bad")

    assert ran.returncode == 1
    assert ran.stderr == "Error: businesses/bad.toml:2: is no TOML: Invalid value\n"


async def test_dev_uses_the_folder_businesses_that_lies_there(tmp_path: Path) -> None:
    write(tmp_path, "resto.toml", f'name = "Casa"\nlanguage = "ro"\nfacts."adresă" = "{NAME}"')
    async with server(tmp_path, name="dev", BRIDGE_PORT="0", **AT_ONCE) as running:
        async with user(running.address, "resto", "ana") as ana:
            await ana.join()
            await ana.say("Unde vă găsesc? Care este adresa?")
            told = await ana.wait_for("new_message")

    assert NAME in told["message"]


async def test_an_old_index_that_cannot_be_removed_stops_no_start(tmp_path: Path) -> None:
    write(tmp_path, "resto.toml", 'name = "Casa"')
    (tmp_path / "indexes" / "gone.sqlite3").mkdir(parents=True)  # no file, so it stays
    given = {"BUSINESSES": "businesses", "KNOWLEDGE_INDEX": "indexes"}
    async with server(tmp_path, **given) as running, user(running.address, "resto", "ana") as ana:
        await ana.join()


async def test_with_businesses_only_no_other_can_be_joined(tmp_path: Path) -> None:
    write(tmp_path, "resto.toml", 'name = "Casa"')
    given = {"BUSINESSES": "businesses", "BUSINESSES_ONLY": "1"}
    async with server(tmp_path, **given) as running:
        async with user(running.address, "resto", "ana") as ana:
            await ana.join()
        async with user(running.address, "b1", "ana") as ion:
            with pytest.raises(Refused) as refused:
                await ion.join()

    assert refused.value.reason == "unknown_business"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"BUSINESSES": "gone"}, "BUSINESSES is 'gone', but there is no such folder"),
        ({"BUSINESSES_ONLY": "1"}, "BUSINESSES_ONLY is 1, but BUSINESSES names no folder"),
    ],
)
def test_a_folder_that_is_not_there_stops_the_start(
    tmp_path: Path, given: dict[str, str], reason: str
) -> None:
    ran = command(tmp_path, "serve", "--port", "0", **given)

    assert (ran.returncode, ran.stderr) == (2, f"Error: {reason}\n")
