"""Published keys over real HTTP: lookup, rotation, outages, and the pause between fetches."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest

from adapters.jwt.keys import BadKey
from adapters.jwt.published import MAX_DOCUMENT, MAX_KEYS, PublishedKeys, read_keys
from adapters.jwt.tokens import JwtTokens
from domain.identity import IdentityUnavailable, Unauthorized
from tests.support.tokens import (
    PATIENCE_S,
    Publisher,
    answered,
    claims,
    ed25519_key,
    jwk,
    rsa_key,
    token,
)

FIRST, SECOND = rsa_key(), ed25519_key()


def signed(key: Any = FIRST, key_id: str | None = "first", **head: Any) -> str:
    algorithm = "EdDSA" if key is SECOND else "RS256"
    named = {"kid": key_id} if key_id is not None else {}
    return jwt.encode(claims(), key, algorithm, headers={**named, **head})


@asynccontextmanager
async def reading(
    publisher: Publisher, *, refresh_every_s: float = 1_000, pause_s: float = 0
) -> AsyncIterator[JwtTokens]:
    keys = PublishedKeys(publisher.url, refresh_every_s=refresh_every_s, pause_s=pause_s)
    async with JwtTokens(keys) as tokens:
        yield tokens


async def asked(publisher: Publisher, times: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while publisher.asked < times:
            publisher.has_been_asked.clear()
            await publisher.has_been_asked.wait()


async def test_a_token_is_verified_with_the_key_that_it_names() -> None:
    async with (
        Publisher(jwk(FIRST, "first"), jwk(SECOND, "second")) as publisher,
        reading(publisher) as tokens,
    ):
        first = await tokens(signed())
        second = await tokens(signed(SECOND, "second"))
        with pytest.raises(Unauthorized):
            await tokens(signed(rsa_key(number=1)))

    assert first.name == second.name == "u1"


async def test_a_token_that_names_no_key_is_verified_with_the_only_one_of_its_kind() -> None:
    async with (
        Publisher(jwk(FIRST, None), jwk(SECOND, "second")) as publisher,
        reading(publisher) as tokens,
    ):
        identity = await tokens(signed(key_id=None))

        publisher.publish(jwk(FIRST, "first"), jwk(rsa_key(number=1), "other"))
        with pytest.raises(Unauthorized):
            await tokens(signed(key_id="unknown"))
        with pytest.raises(Unauthorized):
            await tokens(signed(key_id=None))

    assert identity.name == "u1"


async def test_a_new_key_is_fetched_with_its_first_token() -> None:
    async with Publisher(jwk(SECOND, "second")) as publisher, reading(publisher) as tokens:
        await tokens(signed(SECOND, "second"))
        publisher.publish(jwk(FIRST, "first"), jwk(SECOND, "second"))

        identity = await tokens(signed())

    assert identity.name == "u1"
    assert publisher.asked == 2


async def test_unknown_keys_cause_one_fetch_in_a_while() -> None:
    async with (
        Publisher(jwk(FIRST, "first")) as publisher,
        reading(publisher, pause_s=1_000) as tokens,
    ):
        await tokens(signed())
        for number in range(50):
            with pytest.raises(IdentityUnavailable):
                await tokens(signed(key_id=f"made up {number}"))

    assert publisher.asked == 1


async def test_all_that_wait_for_a_key_share_one_request() -> None:
    async with Publisher(jwk(FIRST, "first")) as publisher, reading(publisher) as tokens:
        named = await asyncio.gather(*(tokens(signed()) for _ in range(20)))

    assert len(named) == 20
    assert publisher.asked == 1


async def test_an_id_that_a_later_fetch_did_not_have_is_unknown_to_all_who_name_it() -> None:
    async with Publisher(jwk(SECOND, "second")) as publisher, reading(publisher, pause_s=0) as keys:
        await keys(signed(SECOND, "second"))
        with pytest.raises(Unauthorized):
            await keys(signed())

        keys._key._pause_s = 1_000  # type: ignore[union-attr]
        with pytest.raises(Unauthorized):
            await keys(signed())  # the last fetch within a long while
        outcomes = await asyncio.gather(
            *(keys(signed()) for _ in range(20)), return_exceptions=True
        )

    assert {type(each) for each in outcomes} == {Unauthorized}
    assert publisher.asked == 3


async def test_a_withdrawn_key_is_unknown_without_another_fetch() -> None:
    async with (
        Publisher(jwk(FIRST, "first"), jwk(SECOND, "second")) as publisher,
        reading(publisher, pause_s=0) as tokens,
    ):
        await tokens(signed())
        publisher.publish(jwk(SECOND, "second"))
        with pytest.raises(Unauthorized):
            await tokens(signed(key_id="any"))
        tokens._key._not_before = float("inf")  # type: ignore[union-attr]

        outcomes = await asyncio.gather(
            *(tokens(signed()) for _ in range(5)), return_exceptions=True
        )

    assert {type(each) for each in outcomes} == {Unauthorized}
    assert publisher.asked == 2


async def test_an_expired_token_is_refused_whatever_its_key_and_without_a_fetch() -> None:
    expired = jwt.encode(claims(exp=1), FIRST, "RS256", headers={"kid": "withdrawn"})
    async with (
        Publisher(jwk(SECOND, "second")) as publisher,
        reading(publisher, pause_s=1_000) as tokens,
    ):
        await tokens(signed(SECOND, "second"))
        outcomes = await asyncio.gather(
            *(tokens(expired) for _ in range(20)), return_exceptions=True
        )

    assert {str(each) for each in outcomes} == {"the token has expired"}
    assert publisher.asked == 1


async def test_a_temporary_refusal_says_when_to_try_again() -> None:
    async with (
        Publisher(jwk(SECOND, "second")) as publisher,
        reading(publisher, pause_s=1_000) as tokens,
    ):
        await tokens(signed(SECOND, "second"))
        with pytest.raises(IdentityUnavailable) as refused:
            await tokens(signed())

    assert 900_000 < (refused.value.retry_after_ms or 0) <= 1_000_000


async def test_a_withdrawn_key_is_forgotten_before_long() -> None:
    async with (
        Publisher(jwk(FIRST, "first"), jwk(SECOND, "second")) as publisher,
        reading(publisher, refresh_every_s=0.01) as tokens,
    ):
        await tokens(signed())
        publisher.publish(jwk(SECOND, "second"))
        await asked(publisher, publisher.asked + 2)

        with pytest.raises(Unauthorized):
            await tokens(signed())


BAD_ANSWERS = {
    "refused": answered(b"", 500),
    "moved": answered(b"", 302, "Location: http://127.0.0.1:1/\r\n"),
    "no JSON": answered(b"<html>"),
    "no set": answered(b"[]"),
    "no list": answered(b'{"keys": {}}'),
    "empty": answered(b'{"keys": []}'),
    "none that is usable": answered(b'{"keys": [{"kty": "oct", "k": "c2VjcmV0"}, 7, null, {}]}'),
    "too long": answered(b" " * (MAX_DOCUMENT + 1)),
    "nested": answered(b"[" * 100_000),
    "no UTF-8": answered(b'{"keys": ["\xff"]}'),
    "no HTTP": b"\x00\xff nothing of the kind\r\n\r\n",
    "cut": answered(b"{}")[:-1],
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
async def test_known_keys_are_kept_through_an_outage(answer: bytes) -> None:
    async with Publisher(jwk(FIRST, "first")) as publisher, reading(publisher) as tokens:
        await tokens(signed())
        publisher.faults.append(answer)

        with pytest.raises(IdentityUnavailable):
            await tokens(signed(SECOND, "second"))
        identity = await tokens(signed())

    assert identity.name == "u1"
    assert publisher.asked == 2


async def test_a_publisher_that_hangs_does_not_delay_known_keys() -> None:
    async with Publisher(jwk(FIRST, "first")) as publisher, reading(publisher) as tokens:
        await tokens(signed())
        publisher.faults.append(b"")
        waiting = asyncio.create_task(tokens(signed(SECOND, "second")))
        await asked(publisher, 2)

        identity = await tokens(signed())
        waiting.cancel()
        await asyncio.wait({waiting})

    assert identity.name == "u1"


async def test_before_the_first_fetch_refusals_are_temporary() -> None:
    async with Publisher(jwk(FIRST, "first")) as publisher:
        publisher.faults.extend([answered(b"", 503)] * 2)
        async with reading(publisher, pause_s=1_000) as tokens:
            with pytest.raises(IdentityUnavailable):
                await tokens(signed())


async def test_a_server_that_is_not_there_is_an_outage() -> None:
    async with JwtTokens(PublishedKeys("http://127.0.0.1:1/keys.json")) as tokens:
        with pytest.raises(IdentityUnavailable):
            await tokens(signed())


@pytest.mark.parametrize("bad", ["", "a.b.c", token(), "x" * 9_000], ids=lambda bad: bad[:5])
async def test_a_token_that_no_published_key_can_have_signed_causes_no_fetch(bad: str) -> None:
    async with Publisher(jwk(FIRST, "first")) as publisher, reading(publisher) as tokens:
        await tokens(signed())

        with pytest.raises(Unauthorized):
            await tokens(bad)

    assert publisher.asked == 1


@pytest.mark.parametrize(
    "entry",
    [
        jwk(FIRST, "first", use="enc"),
        jwk(FIRST, "first", alg="PS256"),
        jwk(FIRST, "first", alg=None),
        jwk(SECOND, "first", alg=""),
        jwk(FIRST, "first", d="AQAB"),
        jwk(FIRST, "first", n="!"),
        jwk(FIRST, "first", e=None),
        jwk(SECOND, "first", crv="X25519"),
        jwk(SECOND, "first", x="AA"),
        jwk(rsa_key(1_024), "first"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "first"},
        {"kty": ["RSA"], "kid": "first"},
        {"kid": "first"},
    ],
    ids=lambda entry: str(sorted(entry.items()))[:40],
)
def test_a_key_for_something_else_is_ignored(entry: dict[str, Any]) -> None:
    with pytest.raises(BadKey):
        read_keys(json.dumps({"keys": [entry]}).encode())


@pytest.mark.parametrize(
    "entry",
    [
        7,
        None,
        {"kty": "RSA"},
        {"kty": "oct", "kid": "bad"},
        jwk(FIRST, "bad", alg="none"),
        jwk(FIRST, "bad", alg=["RS256"]),
    ],
)
def test_an_unreadable_entry_does_not_hide_the_others(entry: Any) -> None:
    (found,) = read_keys(json.dumps({"keys": [entry, jwk(FIRST, "first")]}).encode())

    assert found.key_id == "first"


def test_only_the_first_of_a_long_list_are_used() -> None:
    listed = [jwk(FIRST, str(number)) for number in range(MAX_KEYS + 20)]

    assert len(read_keys(json.dumps({"keys": listed}).encode())) == MAX_KEYS
