"""The servers of tools in the file of a business: their keys, and each mistake by its words."""

from datetime import timedelta

import pytest

from adapters.files.document import read_business_file
from application.tools import OWN_TOOLS
from domain.identity import BusinessId
from domain.tool import (
    OWN_TOOL_NAMES,
    AllowedTool,
    Binding,
    Confirmer,
    Effect,
    LookUp,
    ToolServer,
)
from tests.unit.files.test_document import RESTO, mistakes_of, read

BOOKING = 'name = "R"\n[tools.booking]\n'
SERVER = f'{BOOKING}url = "https://h/mcp"\n'
ALLOW = f"{SERVER}[tools.booking.allow.find]\n"
VARIABLE = "the NAME of the environment variable that has the token, never the token itself"


def test_every_key_of_a_server_is_read() -> None:
    business = read("""
name = "R"
[tools.booking]
url = "https://h/mcp"
token = "BOOKING_TOKEN"
timeout_s = 2.5
[tools.booking.allow.find]
effect = "read"
bind = { customer = "user", place = "location", shop = "business", chat = "session" }
[tools.booking.allow."reserve.table"]
name = "reserve"
confirm = "coordinator"
confirm_hours = 3
title = "Rezervare masă"
look_up = { tool = "made", argument = "key" }
[tools.stock]
command = ["python", "stock.py"]
variables = ["STOCK_DB"]
allow.in_stock = {}
""")

    find = AllowedTool(
        name="find",
        shown_name="find",
        effect=Effect.READ,
        bound={
            "customer": Binding.USER,
            "place": Binding.LOCATION,
            "shop": Binding.BUSINESS,
            "chat": Binding.SESSION,
        },
    )
    reserve = AllowedTool(
        name="reserve.table",
        shown_name="reserve",
        confirm=Confirmer.COORDINATOR,
        confirm_for=timedelta(hours=3),
        title="Rezervare masă",
        look_up=LookUp(tool="made", argument="key"),
    )
    assert business.tool_servers == (
        ToolServer(
            name="booking",
            url="https://h/mcp",
            token_variable="BOOKING_TOKEN",
            timeout_s=2.5,
            tools=(find, reserve),
        ),
        ToolServer(
            name="stock",
            command=("python", "stock.py"),
            variables=("STOCK_DB",),
            tools=(AllowedTool(name="in_stock", shown_name="in_stock"),),
        ),
    )
    assert business.tool_servers[1].tools[0].effect is Effect.WRITE


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ('name = "R"\ntools = 7', "tools: must be tables, such as [tools.booking]"),
        (f"{BOOKING}allow.x = {{}}", "tools.booking: must have either url or command"),
        (f'{SERVER}command = ["x"]\nallow.x = {{}}',
         "tools.booking: must have either url or command"),
        (f"{SERVER}", "tools.booking.allow: is missing: it must be tables, such as "
         "[tools.booking.allow.find]"),
        (f"{SERVER}allow = {{}}", "tools.booking.allow: names no tool"),
        (f'{BOOKING}url = "file:///etc"\nallow.x = {{}}',
         "tools.booking.url: must be an address that begins with http:// or https://"),
        (f'{BOOKING}url = "https://[x"\nallow.x = {{}}',
         "tools.booking.url: must be an address that begins with http:// or https://"),
        (f'{BOOKING}url = "https://h:x/"\nallow.x = {{}}',
         "tools.booking.url: must be an address that begins with http:// or https://"),
        (f'{BOOKING}url = "https://me:s3cret@h/"\nallow.x = {{}}',
         "tools.booking.url: must have neither user nor password: name a variable as token"),
        (f'{BOOKING}command = "python x"\nallow.x = {{}}',
         "tools.booking.command: must be a list of a program and its arguments, up to 50 texts"),
        (f"{BOOKING}command = []\nallow.x = {{}}",
         "tools.booking.command: must be a list of a program and its arguments, up to 50 texts"),
        (f'{BOOKING}command = [" "]\nallow.x = {{}}',
         "tools.booking.command: must begin with the name of a program"),
        (f'{BOOKING}command = ["x"]\ntoken = "T"\nallow.x = {{}}',
         "tools.booking.token: is for a url: name it in variables for a program"),
        (f'{SERVER}variables = ["T"]\nallow.x = {{}}',
         "tools.booking.variables: are for a command: a url gets none"),
        (f'{SERVER}token = "my token"\nallow.x = {{}}', f"tools.booking.token: must be {VARIABLE}"),
        (f'{SERVER}token = "SERVICE_TOKEN"\nallow.x = {{}}',
         "tools.booking.token: may not be SERVICE_TOKEN, a secret of the server's own"),
        (f'{BOOKING}command = ["x"]\nvariables = ["A", "AWS_SECRET_ACCESS_KEY"]\nallow.x = {{}}',
         "tools.booking.variables: may not be AWS_SECRET_ACCESS_KEY, a secret of the server's own"),
        (f'{BOOKING}command = ["x"]\nvariables = ["OPENAI_API_KEY"]\nallow.x = {{}}',
         "tools.booking.variables: may not be OPENAI_API_KEY, a secret of the server's own"),
        (f"{SERVER}timeout_s = 0\nallow.x = {{}}",
         "tools.booking.timeout_s: must be a number of seconds from 1 to 120"),
        (f"{SERVER}timeout_s = nan\nallow.x = {{}}",
         "tools.booking.timeout_s: must be a number of seconds from 1 to 120"),
        (f"{SERVER}timeout_s = true\nallow.x = {{}}",
         "tools.booking.timeout_s: must be a number of seconds from 1 to 120"),
        (f"{SERVER}alow.x = {{}}", "tools.booking.alow: is not known; the nearest key is allow"),
        (f'{ALLOW}effect = "delete"', "tools.booking.allow.find.effect: must be read or write"),
        (f'{ALLOW}bind = {{ c = "customer" }}',
         "tools.booking.allow.find.bind: must be a table of arguments, each one of business, "
         "user, location, session"),
        (f'{ALLOW}confirm = "me"',
         "tools.booking.allow.find.confirm: must be customer or coordinator"),
        (f'{ALLOW}effect = "read"\nconfirm = "customer"',
         'tools.booking.allow.find.confirm: is for tools with effect = "write"'),
        (f'{ALLOW}confirm = "customer"\nconfirm_hours = 721',
         "tools.booking.allow.find.confirm_hours: must be a whole number from 1 to 720"),
        (f"{ALLOW}confirm_hours = 3",
         "tools.booking.allow.find.confirm_hours: is for tools with confirm"),
        (f'{ALLOW}name = "a b"',
         "tools.booking.allow.find.name: must be 1 to 64 characters of [A-Za-z0-9_-]"),
        (f'{SERVER}[tools.booking.allow."a.b"]',
         'tools.booking.allow."a.b".name: is missing: it must be 1 to 64 characters of '
         "[A-Za-z0-9_-]"),
        (f'{ALLOW}name = "get_business"',
         "tools.booking.allow.find.name: must differ from that of the server's own tools"),
        (f'{ALLOW}[tools.booking.allow.other]\nname = "find"',
         "tools.booking.allow.other.name: must differ from that of tools.booking.allow.find"),
        (f'{ALLOW}[tools.b]\ncommand = ["x"]\nallow.find = {{}}',
         "tools.b.allow.find.name: must differ from that of tools.booking.allow.find"),
        (f'{ALLOW}look_up = {{ tool = "x" }}',
         "tools.booking.allow.find.look_up.argument: is missing: it must be the argument of that "
         "tool that takes the key of a call"),
        (f'{ALLOW}look_up = {{ tool = "w", argument = "k" }}\n[tools.booking.allow.w]',
         'tools.booking.allow.find.look_up.tool: must be a tool with effect = "read"'),
        (f'{ALLOW}look_up = {{ tool = "r", argument = "k" }}\n[tools.booking.allow.r]\n'
         'effect = "read"\nbind = { k = "user" }',
         "tools.booking.allow.find.look_up.argument: must be an argument that is not bound"),
        ('name = "R"\n[tools."a b"]\nurl = "https://h"\nallow.x = {}',
         'tools."a b": must be named with 1 to 64 characters of [A-Za-z0-9_-]'),
        (f"{SERVER}" + "\n".join(f"allow.t{number} = {{}}" for number in range(41)),
         "tools: has more than 40 tools together"),
        ('name = "R"\n' + "\n".join(
            f'[tools.s{number}]\nurl = "https://h"\nallow.t{number} = {{}}'
            for number in range(11)),
         "tools: has more than 10 tables"),
    ],
)  # fmt: skip
def test_a_mistake_of_a_server_names_the_key_and_what_it_may_be(text: str, mistake: str) -> None:
    found = mistakes_of(text)

    assert mistake in found


def test_the_names_of_the_servers_own_tools_are_taken() -> None:
    assert {own.tool.name for own in OWN_TOOLS} == OWN_TOOL_NAMES


def test_all_mistakes_of_a_server_are_named_at_once() -> None:
    found = mistakes_of(f'{BOOKING}url = 1\ntoken = 2\nallow.x.effect = 3\nallow.x.bind = "u"')

    assert [each.partition(": ")[0] for each in found] == [
        "tools.booking.url",
        "tools.booking.token",
        "tools.booking.allow.x.effect",
        "tools.booking.allow.x.bind",
    ]


@pytest.mark.parametrize("name", ["token", "variables"])
def test_a_token_in_the_file_is_refused_and_not_repeated(name: str) -> None:
    token = "sk_abcdefghijklmnop0123456789"
    value = f'"{token}"' if name == "token" else f'["{token}"]'
    found = mistakes_of(f"{SERVER}{name} = {value}\nallow.x = {{}}")

    assert f"tools.booking.{name}: looks like a token: write the NAME of a variable" in found
    assert all(token not in each for each in found)


@pytest.mark.parametrize("value", ["1", "true", '""', "[]", "{}", "1979-05-27", "[[1]]", "nan"])
@pytest.mark.parametrize(
    "key",
    ["tools", "tools.b", "tools.b.allow", "tools.b.allow.x", "tools.b.allow.x.look_up",
     "tools.b.url", "tools.b.command", "tools.b.variables", "tools.b.allow.x.bind"],
)  # fmt: skip
def test_a_value_of_a_wrong_kind_is_a_mistake_and_no_crash(key: str, value: str) -> None:
    read_business_file(BusinessId(RESTO), f'name = "R"\n{key} = {value}'.encode())
