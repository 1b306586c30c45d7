"""The settings: their valid values, the errors of bad ones, and their documentation."""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec
import pytest

from entrypoints.settings import (
    BadSetting,
    Settings,
    env_file,
    load_settings,
    setting_rows,
    unknown_variables,
)

EXAMPLE = Path(__file__).parents[2] / ".env.example"


def bad_settings() -> Iterator[tuple[str, str]]:
    """Yield some bad values for every variable that can have one."""
    for field in msgspec.structs.fields(Settings):
        base, meta = get_args(field.type)
        name = field.name.upper()
        if get_origin(base) is Literal:
            yield name, "banana"
        elif base is not str:
            yield from ((name, text) for text in ("", "banana", "nan", "1e999", str(meta.le + 1)))
            yield name, str((meta.ge if meta.ge is not None else meta.gt) - 1)
        elif meta.min_length:
            yield name, ""
        elif name == "TIME_ZONE":
            names = ("", "banana", "Europe", "../UTC", "/etc/localtime", "Europe/București")
            yield from ((name, text) for text in names)
        elif meta.pattern is not None:
            texts = ("banana", "http://", "ws://", "//host/", "ws:/a b", "ă")
            yield from ((name, text) for text in texts if not re.match(meta.pattern, text))


def another(base: Any, meta: msgspec.Meta, default: Any) -> str:
    """Return a value that is not the default."""
    if get_origin(base) is Literal:
        return next(str(choice) for choice in get_args(base) if choice != default)
    if base is not str:
        return str(int(default) + 1 if meta.le is None or default < meta.le else 0)
    if meta.title is not None and meta.title.startswith("a JSON array"):
        return '[{"model": "m"}]'
    if meta.title is not None and meta.title.startswith("the IANA name"):
        return "America/Sao_Paulo"
    texts = (f"{default or 'ws://host'}/x", f"{default}x", "http://host/x", "http://host")
    return next(text for text in texts if re.match(meta.pattern or "", text))


@pytest.mark.parametrize(("name", "text"), list(bad_settings()))
def test_the_error_of_a_bad_value_has_its_name_and_the_valid_values_in_one_line(
    name: str, text: str
) -> None:
    (may_be,) = (expected for row, _, expected, _ in setting_rows() if row == name)
    shown = "(hidden)" if name.endswith(("TOKEN", "SECRET", "KEY")) else repr(text)

    with pytest.raises(BadSetting) as refused:
        load_settings({name: text})

    assert str(refused.value) == f"{name} is {shown}, but must be {may_be}"


@pytest.mark.parametrize("field", msgspec.structs.fields(Settings), ids=lambda field: field.name)
def test_every_variable_of_the_table_can_be_set(field: msgspec.structs.FieldInfo) -> None:
    base, meta = get_args(field.type)
    text = another(base, meta, field.default)

    settings = load_settings({field.name.upper(): f" {text} "})

    assert str(getattr(settings, field.name)).removesuffix(".0") == text


URLS = [row for row, *_ in setting_rows() if row.endswith("_URL")]


@pytest.mark.parametrize("name", URLS)
@pytest.mark.parametrize(
    "text",
    [
        *("ana:s3cret@host", "htp://ana:s3cret@host/?token=s3cret", "http:/ana:s3cret@host"),
        *("//host?token=s3cret", "ana:s3/cret@host", "http://ana:s3cret@host:99999/"),
        *("ws://ana:s3cret@host:x/", "http://ana:s3cret@[::1", "http://ana:s3cret@h\u2100st/"),
    ],
)
def test_the_error_of_a_bad_url_shows_neither_its_password_nor_its_query(
    name: str, text: str
) -> None:
    with pytest.raises(BadSetting) as refused:
        load_settings({name: text})

    assert str(refused.value).startswith(f"{name} is ")
    assert "cret" not in str(refused.value)


def test_a_variable_absent_from_the_environment_has_its_default() -> None:
    settings = load_settings({"PATH": "/bin", "server_port": "1"})

    assert settings == Settings()


def test_a_choice_may_be_written_in_capitals() -> None:
    settings = load_settings({"STORE": "Memory", "LOG_LEVEL": "DEBUG"})

    assert (settings.store, settings.log_level) == ("memory", "debug")


def test_no_secret_is_in_the_repr() -> None:
    settings = load_settings({"SERVICE_TOKEN": "s3cret"})

    assert "s3cret" not in repr(settings)


def test_the_example_lists_every_variable_with_its_default_and_valid_values() -> None:
    written = EXAMPLE.read_text("utf-8")

    assert written == example()


def example() -> str:
    """Return the content of `.env.example`."""
    head = (
        "# Every setting of the AI Agent Server: what it is for, what it may be, and its default.\n"
        "# All are optional. Copy this file to .env, or set them in the environment, which has\n"
        "# precedence.\n"
    )
    return head + "".join(
        "\n"
        + textwrap.indent(textwrap.fill(f"{purpose} ({may_be})", 98), "# ")
        + f"\n#{name}={default}\n"
        for name, default, may_be, purpose in setting_rows()
    )


def write() -> None:
    """Generate it again: `python -c "import tests.unit.test_settings as t; t.write()"`."""
    EXAMPLE.write_text(example(), "utf-8")


def test_the_example_without_its_comment_signs_sets_the_defaults(tmp_path: Path) -> None:
    uncommented = tmp_path / ".env"
    uncommented.write_text(re.sub(r"^#(?=\w)", "", EXAMPLE.read_text("utf-8"), flags=re.MULTILINE))

    variables = env_file(uncommented)

    assert set(variables) == {name for name, *_ in setting_rows()}
    assert load_settings(variables) == Settings()


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("TEXT=two words", "two words"),
        ("  TEXT=indented  ", "indented"),
        ("TEXT=", ""),
        ("TEXT=''", ""),
        ("TEXT=a # comment", "a"),
        ("TEXT= # comment", ""),
        ("TEXT=a#b=c", "a#b=c"),
        ('TEXT="a # b"', "a # b"),
        ("TEXT='say \"a\"'", 'say "a"'),
        ("TEXT=$HOME\\n", "$HOME\\n"),
        ("TEXT=first\nTEXT=second", "second"),
    ],
)
def test_a_line_of_the_env_file_sets_a_variable(tmp_path: Path, line: str, value: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"# a comment\n\n{line}\n")

    variables = env_file(file)

    assert variables == {"TEXT": value}


@pytest.mark.parametrize(
    "line", ["TEXT", "=value", "TEXT = value", "export TEXT=value", "1TEXT=value", "TEXT='value"]
)
def test_a_malformed_line_is_named_and_not_quoted(tmp_path: Path, line: str) -> None:
    file = tmp_path / ".env"
    file.write_text(f"# a comment\n{line}\n")

    with pytest.raises(BadSetting) as refused:
        env_file(file)

    assert str(refused.value) == f"{file}:2 must be NAME=value, a comment or empty"


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("SERVER_PROT", "SERVER_PORT"),
        ("server_port", "SERVER_PORT"),
        ("SERVICE_TOKENS", "SERVICE_TOKEN"),
        ("ALOWED_ORIGIN", "ALLOWED_ORIGINS"),
    ],
)
def test_an_unknown_variable_is_told_with_the_nearest_name(name: str, nearest: str) -> None:
    known = [row for row, *_ in setting_rows()]

    assert unknown_variables([*known, name, "AWS_REGION", "CHAT_TOKEN"]) == {name: nearest}


def test_a_folder_without_an_env_file_sets_nothing(tmp_path: Path) -> None:
    variables = env_file(tmp_path / ".env")

    assert variables == {}


def test_an_unreadable_env_file_is_a_bad_setting(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cannot be read"):
        env_file(tmp_path)


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("OPENAI_BASE_URL", "https://api.openai.com/v1/chat/completions",
         "https://api.openai.com/v1/chat/completions is the address of an endpoint: write "
         "https://api.openai.com/v1"),
        ("OPENAI_BASE_URL", "https://api.openai.com/v1/responses/",
         "https://api.openai.com/v1/responses/ is the address of an endpoint: write "
         "https://api.openai.com/v1"),
        ("OPENAI_BASE_URL",
         "https://x.openai.azure.com/openai/deployments/m/chat/completions?api-version=2024-10-21",
         "https://x.openai.azure.com/openai/deployments/m/chat/completions… is the address of an "
         "endpoint: write https://x.openai.azure.com/openai/deployments/m…"),
        ("OPENAI_BASE_URL", "https://x.openai.azure.com",
         "https://x.openai.azure.com lacks the path: write https://x.openai.azure.com/openai/v1"),
        ("MODELS", "m1", "JSON is malformed: invalid character (byte 0)"),
        ("MODELS", "[]", "there must be at least one"),
        ("MODELS", "[{}]", "Object missing required field `model` - at `$[0]`"),
        ("MODELS", '[{"model": "m", "url": "x"}]',
         "Object contains unknown field `url` - at `$[0]`"),
        ("MODELS", '[{"model": "m", "api": "grpc"}]', "Invalid enum value 'grpc' - at `$[0].api`"),
        ("MODELS", '[{"model": "m", "base_url": "https://api.groq.com/openai/v1/chat/completions"}]',
         "https://api.groq.com/openai/v1/chat/completions is the address of an endpoint: write "
         "https://api.groq.com/openai/v1"),
    ],
)  # fmt: skip
def test_a_model_that_cannot_be_asked_is_refused_with_what_to_write(
    name: str, text: str, problem: str
) -> None:
    with pytest.raises(BadSetting) as refused:
        load_settings({name: text})

    assert str(refused.value) == f"{name}: {problem}"


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ({}, "m needs M_KEY, which is not set"),
        ({"M_KEY": " "}, "m needs M_KEY, which is not set"),
        ({"M_KEY": "s3cret s3cret"}, "M_KEY must be ASCII characters without spaces"),
    ],
)
def test_the_key_of_a_model_must_be_set(key: dict[str, str], problem: str) -> None:
    chosen = {"ASSISTANT": "openai", "MODELS": '[{"model": "m", "key": "M_KEY"}]', **key}
    with pytest.raises(BadSetting) as refused:
        load_settings(chosen)

    assert str(refused.value) == f"MODELS: {problem}"
    assert load_settings({**chosen, "M_KEY": "key"}).models


def test_the_classic_address_of_azure_is_accepted() -> None:
    url = "https://x.openai.azure.com/openai/deployments/m?api-version=2024-10-21"

    assert load_settings({"OPENAI_BASE_URL": url}).openai_base_url == url
