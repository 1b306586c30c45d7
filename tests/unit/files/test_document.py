"""The file of a business: its keys, and each mistake by its words."""

import re
from pathlib import Path

import pytest

from adapters.files.document import MAX_KEY_PARTS, key_rows, read_business_file
from domain.business import (
    Business,
    Location,
    ModelSettings,
    Reservation,
    Website,
    Welcome,
)
from domain.handoff import HandoffRules
from domain.hours import OpeningHours, Shift
from domain.identity import BusinessId

RESTO = BusinessId("resto")
DOCS = Path(__file__).parents[3] / "docs" / "your-business.md"


def read(text: str) -> Business:
    business, mistakes = read_business_file(RESTO, text.encode())
    assert mistakes == ()
    assert business is not None
    return business


def mistakes_of(document: str | bytes) -> list[str]:
    document = document.encode() if isinstance(document, str) else document
    business, mistakes = read_business_file(RESTO, document)
    assert (business is None) == bool(mistakes)
    return [f"{line}: {text}" if line else text for line, text in mistakes]


def test_a_name_is_enough() -> None:
    assert read('name = "Resto"') == Business(business_id=RESTO, name="Resto")


def test_every_key_is_read() -> None:
    business = read("""
name = "Resto"
language = "de-AT"
time_zone = "Europe/Vienna"
persona = "a waiter"
instructions = "Be brief."
greeting = "Servus!"
suggestions = ["Open?", "Where?"]
reservations = [{ id = "r1", date = "2030-05-14", time = "19:30", guests = 4 }]

[hours]
mon = ["10:00-14:00", "18:00-23:00"]
"12-25" = "closed"

[facts]
phone = "021"

[locations.centre]
name = "Centre"
facts = { parking = "none" }
hours = { sat = "10-23" }

[model]
name = "m"
base_url = "https://host/v1"
key = "RESTO_KEY"
api = "chat"
effort = "low"
view_tokens = 900
budget_soft_tokens = 1
budget_hard_tokens = 2

[languages.en-GB]
greeting = "Hello!"
suggestions = ["When?"]

[website]
origins = ["HTTPS://Resto.example/", "http://localhost:5173", "https://resto.example:443"]
colour = "#0A7D55"
logo = "logo.svg"

[words]
joined = "{who} ist da."
[words.en]
colleague = "A waiter"

[replies]
hello = "Hello {customer}, {coordinator} of {business} here."
"Our menu" = "Here it is:\\n- soup"

[handoff]
hours = { sun = "9-10" }
always = ["allergy"]
never = ["menu"]
ask_first = "Your table?"
""")

    assert business == Business(
        business_id=RESTO,
        name="Resto",
        language="de-AT",
        time_zone="Europe/Vienna",
        persona="a waiter",
        instructions="Be brief.",
        greeting="Servus!",
        suggestions=("Open?", "Where?"),
        welcomes={"en-gb": Welcome(greeting="Hello!", suggestions=("When?",))},
        website=Website(
            origins=("https://resto.example", "http://localhost:5173"),
            colour="#0a7d55",
            logo="logo.svg",
        ),
        reservations=(Reservation(reservation_id="r1", date="2030-05-14", time="19:30", guests=4),),
        hours=OpeningHours(
            week=((Shift(600, 840), Shift(1080, 1380)), *((),) * 6), dates={"12-25": ()}
        ),
        facts={"phone": "021"},
        locations={
            "centre": Location(
                name="Centre",
                facts={"parking": "none"},
                hours=OpeningHours(week=((), (), (), (), (), (Shift(600, 1380),), ())),
            )
        },
        model=ModelSettings(
            model="m",
            base_url="https://host/v1",
            api_key_variable="RESTO_KEY",
            api="chat",
            effort="low",
            view_tokens=900,
            budget_soft_tokens=1,
            budget_hard_tokens=2,
        ),
        words={"de-at": {"joined": "{who} ist da."}, "en": {"colleague": "A waiter"}},
        replies={
            "hello": "Hello {customer}, {coordinator} of {business} here.",
            "Our menu": "Here it is:\n- soup",
        },
        handoff=HandoffRules(
            hours=OpeningHours(week=(*((),) * 6, (Shift(540, 600),))),
            always=("allergy",),
            never=("menu",),
            ask_first="Your table?",
        ),
    )


def test_handoff_may_be_turned_off_in_one_word() -> None:
    assert read('name = "R"\nhandoff = false').handoff == HandoffRules(enabled=False)
    assert read('name = "R"\nhandoff = true').handoff == HandoffRules()


def test_facts_may_be_tables_lists_numbers_and_dates() -> None:
    facts = read("""
name = "R"
[facts]
tables = 12
terrace = true
since = 2001-05-01
dishes = ["soup", "fish"]
wifi = { name = "guest", password = "fish" }
empty = ""
[facts.prices]
soup = 4.5
""").facts

    assert facts == {
        "tables": "12",
        "terrace": "true",
        "since": "2001-05-01",
        "dishes": "soup, fish",
        "wifi": "name: guest; password: fish",
        "prices": "soup: 4.5",
    }


def test_texts_have_no_control_characters_and_keep_their_markup() -> None:
    business = read('name = "R\\u0000\\u001b[1m"\ngreeting = "<b>Hi</b>\\u0007\\nyou"')

    assert business.name == "R[1m"
    assert business.greeting == "<b>Hi</b>\nyou"


def test_a_byte_order_mark_and_windows_line_ends_are_no_mistake() -> None:
    business, _ = read_business_file(RESTO, b'\xef\xbb\xbfname = "R"\r\n[facts]\r\nphone = "1"\r\n')

    assert business is not None
    assert business.facts == {"phone": "1"}


NAMED = 'name = "R"\n'
MODEL = f"{NAMED}[model]\n"
LINE = "a line of 1 to 200 characters"
VARIABLE = "the NAME of the environment variable that has the key, never the key itself"


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("", f"name: is missing: it must be {LINE}"),
        ("name = 7", f"name: must be {LINE}"),
        ('name = " "', f"name: must be {LINE}"),
        ('name = "a\\nb"', f"name: must be {LINE}"),
        ('nam = "R"\nname = "R"', "nam: is not known; the nearest key is name"),
        (f'{NAMED}timezone = "UTC"', "timezone: is not known; the nearest key is time_zone"),
        (f'{NAMED}"a b" = 1', None),
        (f'{NAMED}language = "Romanian!"',
         "language: must be the tag of a language, such as ro or de-AT"),
        (f'{NAMED}time_zone = "Europe"',
         "time_zone: must be the IANA name of a time zone, such as Europe/Bucharest"),
        (f'{NAMED}time_zone = "../../etc/passwd"',
         "time_zone: must be the IANA name of a time zone, such as Europe/Bucharest"),
        (f'{NAMED}languages.de = 7', "languages: must be tables, such as [languages.en]"),
        (f'{NAMED}languages.de.greeting = 7',
         "languages.de.greeting: must be text of up to 1,000 characters"),
        (f'{NAMED}languages."e n".greeting = "x"',
         'languages."e n": is no language: it must be like languages.de'),
        (f'{NAMED}languages.ro.greeting = "x"',
         "languages.ro: is the business's own: its texts stand above all tables"),
        (f'{NAMED}website.origin = "x"',
         "website.origin: is not known; the nearest key is origins"),
        *((f'{NAMED}website.origins = ["https://a.example", "{origin}"]',
           "website.origins[1]: must be a list of up to 20 origins, such as "
           "https://bistro.example")
          for origin in ("bistro.example", "https://a.example/menu", "*", "https://*.a.example",
                         "null", "file:///x", "https://a:b@c.example", "https://măr.example")),
        (f'{NAMED}website.origins = ["https://a.example:70000"]',
         "website.origins[0]: is no origin: Port out of range 0-65535"),
        (f'{NAMED}website.colour = "green"', "website.colour: must be a colour such as #0a7d55"),
        (f'{NAMED}website.colour = "#0a7d55;}}"',
         "website.colour: must be a colour such as #0a7d55"),
        *((f'{NAMED}website.logo = "{logo}"',
           "website.logo: must be the name of a picture in the business's folder, such as "
           "logo.svg")
          for logo in ("../logo.svg", "/etc/passwd", "a/b.svg", ".svg", "logo.gif", "logo")),
        (f'{NAMED}suggestions = ["ok", 7]',
         "suggestions[1]: must be a list of up to 10 lines of 1 to 200 characters"),
        (f'{NAMED}suggestions = "x"',
         "suggestions: must be a list of up to 10 lines of 1 to 200 characters"),
        (f"{NAMED}facts = 7", "facts: must be a table of facts"),
        (f"{NAMED}hours = 7", 'hours: must be a table of days, such as "mon-fri" = "9:00-18:00"'),
        (f'{NAMED}[hours]\nmon-fri = ["8"]', "hours.mon-fri[0]: must be like 9:00-18:00"),
        (f"{NAMED}handoff = 7", "handoff: must be a table, or false"),
        (f'{NAMED}[handoff]\nhours.mon = "x"',
         'handoff.hours.mon: must be like 9:00-18:00, a list of such, or "closed"'),
        (f"{NAMED}[handoff]\nallways = []",
         "handoff.allways: is not known; the nearest key is always"),
        (f'{NAMED}locations = "x"', "locations: must be tables, such as [locations.centre]"),
        (f"{NAMED}[locations.centre]",
         f"locations.centre.name: is missing: it must be {LINE}"),
        (f'{NAMED}[locations."a b"]\nname = "A"',
         'locations."a b": must be named with 1-128 characters of [A-Za-z0-9._:@-]'),
        (f'{NAMED}[locations.c]\nname = "C"\nhours.x = "9-17"',
         "locations.c.hours.x: is no day: it must be like mon, mon-fri, 12-25 or 2026-12-24"),
        (f"{MODEL}view_tokens = 10",
         "model.view_tokens: must be a whole number from 500 to 1,000,000"),
        (f'{MODEL}api = "rest"', "model.api: must be one of auto, responses, chat"),
        (f'{MODEL}effort = "huge"',
         "model.effort: must be one of none, minimal, low, medium, high, xhigh, max"),
        (f'{MODEL}name = "m"\nbase_url = "host"',
         "model.base_url: must be an address that begins with http:// or https://"),
        (f'{MODEL}name = "m"\nbase_url = "https://h/v1/chat/completions"',
         "model.base_url: https://h/v1/chat/completions is the address of an endpoint: "
         "write https://h/v1"),
        (f'{MODEL}base_url = "https://h/v1"',
         "model.name: is missing: a model at an address of its own needs its name"),
        (f'{MODEL}key = "my key"', f"model.key: must be {VARIABLE}"),
        (f'{MODEL}api_key = "x"', "model.api_key: is not known; the nearest key is key"),
        (f'{NAMED}[words]\njoind = "x"', "words.joind: is not known; the nearest key is joined"),
        (f'{NAMED}[words]\njoined = "{{whom}} is here"',
         "words.joined: has the placeholder {whom}; there may be {who} alone"),
        (f'{NAMED}[words]\njoined = "{{who.__class__}}"',
         "words.joined: has the placeholder {who.__class__}; there may be {who} alone"),
        (f'{NAMED}[words]\njoined = "{{who!r:>9}}"',
         "words.joined: has the placeholder {who}; there may be {who} alone"),
        (f'{NAMED}[words]\nclosed = "a {{ b"',
         "words.closed: has a brace without its other; write {{ for one, and of placeholders none"),
        (f"{NAMED}[words]\nclosed = 7", "words.closed: must be text of 1 to 1,000 characters"),
        (f'{NAMED}[words.clossed]\nx = "y"',
         "words.clossed: is no language: it must be like words.de"),
        (f'{NAMED}[replies]\nhello = "Hi {{custmer}}"',
         "replies.hello: has the variable {custmer}; "
         "there may be {customer}, {coordinator}, {business}"),
        (f'{NAMED}[replies]\n"call us" = "021 {{"',
         'replies."call us": has a brace alone; '
         "there may be {customer}, {coordinator}, {business}"),
        (f"{NAMED}[replies]\nhello = 7", "replies.hello: must be text of 1 to 2,000 characters"),
        (f"{NAMED}[replies]\nhello = ' '", "replies.hello: must be text of 1 to 2,000 characters"),
        (f"{NAMED}[replies]\nhello = '{'x' * 2001}'",
         "replies.hello: must be text of 1 to 2,000 characters"),
        (f"{NAMED}[replies]\n{'x' * 61} = 'Hi'",
         f"replies.{'x' * 61}: must be named with a line of 1 to 60 characters"),
        (NAMED + "[replies]\n" + "\n".join(f"r{i} = 'x'" for i in range(201)),
         "replies: must be a table of up to 200 texts"),
        (f'{NAMED}reservations = [{{ id = "r" }}]', None),
    ],
)  # fmt: skip
def test_a_mistake_names_the_key_and_what_it_may_be(text: str, mistake: str | None) -> None:
    found = mistakes_of(text)

    assert mistake is None or mistake in found
    assert found


@pytest.mark.parametrize(
    "key",
    [
        "sk-proj-abcdefghijklmnop0123456789",
        "gsk_abcdefghijklmnop0123456789",
        "AIzaSyA1234567890abcdefghijk",
        "a1b2c3d4e5f6a7b8c9d0a1b2c3d4",
        "hf_abcdefghijklmnopqrstuvwx",
    ],
)
def test_a_key_in_the_file_is_refused_and_not_repeated(key: str) -> None:
    for name in ("key", "api_key", "name_of_key"):
        (found,) = mistakes_of(f'{MODEL}{name} = "{key}"')

        assert found.startswith(f"model.{name}: ")
        assert key not in found


def test_a_usual_name_of_a_variable_is_no_key() -> None:
    for name in ("OPENAI_API_KEY", "RESTO_2_KEY", "MY_VERY_LONG_VARIABLE_NAME_OF_2026", "sk"):
        assert read(f'{MODEL}key = "{name}"').model.api_key_variable == name


@pytest.mark.parametrize(
    ("document", "mistake"),
    [
        (b'name = "R\n', "1: is no TOML: Illegal character '\\n'"),
        (b'\n\nname == "R"', "3: is no TOML: Invalid value"),
        (b'name = "R"\nname = "S"', "2: is no TOML: Cannot overwrite a value"),
        ('name = "R"\n[facts]\nadresă = "x"'.encode(),
         "3: is no TOML: Expected '=' after a key in a key/value pair; a key with spaces, or "
         "letters beyond a-z, must be in quotes"),
        (b'name = "R"\nhours = [', "2: is no TOML: Invalid value"),
        (b'name = "R"\n\xff = 1', "2: is not UTF-8: save it with that encoding"),
        ('name = "Ș"'.encode("utf-16"), "1: is not UTF-8: save it with that encoding"),
        (b'name = "R"\0', "1: is no TOML: Expected newline or end of document after a statement"),
        (b"a = " + b"[" * 100_000, "is nested too deeply"),
        (b"\n" + b".".join([b"a"] * 500_000) + b" = 1",
         f"2: a key has more than {MAX_KEY_PARTS} parts"),
        (b"a = " + b"9" * 10_000, None),
    ],
)  # fmt: skip
def test_what_is_no_toml_is_refused_with_its_line(document: bytes, mistake: str | None) -> None:
    (found,) = mistakes_of(document)

    assert mistake is None or found == mistake
    assert "\n" not in found
    assert len(found) < 300


@pytest.mark.parametrize("piece", ["x", "a.", '"', "'", '"" . ', "-- ", "# ", "\n"])
def test_a_megabyte_of_anything_is_read_or_refused_in_a_second(piece: str) -> None:
    text = f'name = "R"\n#{piece * (1_000_000 // len(piece))}'

    read_business_file(RESTO, text.encode())
    read_business_file(RESTO, text.replace("#", "", 1).encode())


def test_all_mistakes_are_named_and_not_the_first_alone() -> None:
    found = mistakes_of('language = 7\n[model]\napi = "x"\n[hours]\nmon = 1\n[words]\nx = "y"')

    assert [each.partition(": ")[0] for each in found] == [
        "language", "name", "hours.mon", "words.x", "model.api",
    ]  # fmt: skip


def test_mistakes_are_bounded() -> None:
    found = mistakes_of("\n".join(f"key{number} = 1" for number in range(1_000)))

    assert len(found) == 50


def test_every_key_is_in_the_docs_with_what_it_may_be() -> None:
    table = re.findall(r"^\| `([^`]+)` \| (.+?) \| .*\|$", DOCS.read_text(), re.MULTILINE)

    assert table == [(key, may_be) for key, may_be in key_rows()]
