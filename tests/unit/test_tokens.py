"""The verification of tokens, and of the keys for it."""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from adapters.jwt.keys import BadKey, VerificationKey, file_key, secret_key
from adapters.jwt.tokens import LEEWAY_S, MAX_TOKEN, JwtTokens, make_token
from domain.identity import Identity, Role, Unauthorized, customer
from tests.support.tokens import SECRET, claims, ed25519_key, jwk, public_pem, rsa_key, token

KEY = secret_key(SECRET)
TOMORROW = int(time.time()) + 86_400


def signed(head: object, body: object, secret: str = SECRET) -> str:
    """Return a token with any header and payload, and a valid HS256 signature."""
    said = b".".join(_segment(json.dumps(part).encode()) for part in (head, body))
    signature = hmac.new(secret.encode(), said, hashlib.sha256).digest()
    return (said + b"." + _segment(signature)).decode()


def _segment(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


async def test_a_token_has_a_user_of_a_business_and_an_expiry() -> None:
    identity = await JwtTokens(KEY)(token("ana", "b1", exp=TOMORROW))

    assert identity.is_user(customer("b1", "ana"))
    assert identity.until == datetime.fromtimestamp(TOMORROW + LEEWAY_S, UTC)


@pytest.mark.parametrize("who", [("b1", "dan"), ("b2", "ana"), ("B1", "ana"), ("ana", "b1")])
async def test_it_identifies_nobody_else(who: tuple[str, str]) -> None:
    identity = await JwtTokens(KEY)(token("ana", "b1"))

    assert not identity.is_user(customer(*who))
    assert not identity.is_coordinator_of("b1")


async def test_a_coordinators_token_is_not_valid_for_a_user() -> None:
    identity = await JwtTokens(KEY)(token("maria", "b1", role="coordinator"))

    assert identity.is_coordinator_of("b1")
    assert not identity.is_coordinator_of("b2")
    assert not identity.is_user(customer("b1", "maria"))


async def test_a_coordinators_token_has_a_name_as_people_write_it_and_a_users_an_id() -> None:
    identity = await JwtTokens(KEY)(token("S\u0326tefan  Pop", role="coordinator"))

    assert (identity.name, identity.role) == ("Ștefan Pop", Role.COORDINATOR)
    for name, role in (("Ștefan Pop", "user"), ("Maria\u202e", "coordinator")):
        with pytest.raises(Unauthorized, match="not valid"):
            await JwtTokens(KEY)(token(name, role=role))


@pytest.mark.parametrize(
    "others",
    [
        {"exp": None},
        {"exp": "soon"},
        {"exp": [TOMORROW]},
        {"exp": float("nan")},
        {"exp": float("inf")},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "a b"},
        {"sub": "a" * 129},
        {"biz": None},
        {"biz": 7},
        {"biz": ["b1"]},
        {"biz": "b1\n"},
        {"nbf": TOMORROW},
        {"nbf": "then"},
        {"iat": TOMORROW},
        {"role": "admin"},
        {"role": ["coordinator"]},
        {"role": {}},
    ],
    ids=lambda others: str(others).replace(str(TOMORROW), "TOMORROW"),
)
async def test_a_token_with_a_missing_or_invalid_claim_is_refused(others: dict[str, Any]) -> None:
    spoilt = token(**others) if "sub" not in others else jwt_of({**claims(), **others})

    with pytest.raises(Unauthorized, match="not valid"):
        await JwtTokens(KEY)(spoilt)


def jwt_of(said: dict[str, Any]) -> str:
    return signed({"alg": "HS256"}, {name: v for name, v in said.items() if v is not None})


@pytest.mark.parametrize("expired_s", [-60, LEEWAY_S - 5])
async def test_small_clock_differences_are_tolerated(expired_s: int) -> None:
    identity = await JwtTokens(KEY)(token(exp=int(time.time()) - expired_s))

    assert identity.name == "u1"


async def test_an_expired_token_is_refused_as_expired() -> None:
    with pytest.raises(Unauthorized, match="has expired"):
        await JwtTokens(KEY)(token(exp=int(time.time()) - LEEWAY_S - 1))


async def test_an_expiry_beyond_all_calendars_is_clamped() -> None:
    identity = await JwtTokens(KEY)(token(exp=10**30))

    assert identity.until.year >= 9999 - 1


@pytest.mark.parametrize(
    "head",
    [
        {"alg": "none"},
        {"alg": "None"},
        {"alg": "HS512"},
        {"alg": "RS256"},
        {"alg": ""},
        {"alg": None},
        {"alg": ["HS256"]},
        {"alg": {"HS256": 1}},
        {},
        [],
        "HS256",
        {"alg": "HS256", "crit": ["exp"]},
        {"alg": "HS256", "crit": ["b64"], "b64": False},
        {"alg": "HS256", "typ": "logout+jwt"},
        {"alg": "HS256", "typ": "dpop+jwt"},
        {"alg": "HS256", "typ": "JWE"},
        {"alg": "HS256", "typ": 5},
        {"alg": "HS256", "kid": 5},
    ],
    ids=json.dumps,
)
async def test_a_token_of_another_algorithm_or_purpose_is_refused(head: object) -> None:
    with pytest.raises(Unauthorized, match="not valid"):
        await JwtTokens(KEY)(signed(head, claims()))


@pytest.mark.parametrize("kind", ["JWT", "jwt", "at+jwt", "application/at+jwt"])
async def test_the_types_of_an_access_token_are_accepted(kind: str) -> None:
    identity = await JwtTokens(KEY)(signed({"alg": "HS256", "typ": kind}, claims()))

    assert identity.name == "u1"


@pytest.mark.parametrize(
    "broken",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "ă.ă.ă",
        "\ud800",
        "\0" * 10,
        "a" * MAX_TOKEN,
        "a" * (MAX_TOKEN + 1),
        "a.b.c.d.e",
        signed({"alg": "HS256"}, claims()).replace("e", "f"),
        signed({"alg": "HS256"}, claims())[:-1],
        signed({"alg": "HS256"}, claims()).rpartition(".")[0] + ".",
        signed({"alg": "HS256"}, claims(), secret="another secret of more than 32 bytes"),
        signed({"alg": "HS256"}, [claims()]),
        signed({"alg": "HS256"}, "claims"),
        signed({"alg": "HS256"}, None),
        signed({"alg": "HS256"}, {**claims(), "long": "x" * MAX_TOKEN}),
        _segment(b'{"alg":' * 800).decode() + ".e30.e30",
    ],
    ids=lambda broken: repr(broken[:20]),
)
async def test_anything_else_is_refused(broken: str) -> None:
    with pytest.raises(Unauthorized):
        await JwtTokens(KEY)(broken)


async def test_a_public_key_is_not_accepted_as_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_text(public_pem(rsa_key()))
    confused = signed({"alg": "HS256"}, claims(), secret=public_pem(rsa_key()))

    with pytest.raises(Unauthorized, match="not valid"):
        await JwtTokens(file_key(path))(confused)


@pytest.mark.parametrize("key", [rsa_key(), ed25519_key()], ids=["RS256", "EdDSA"])
async def test_a_public_key_in_a_file_verifies_what_its_private_key_signed(
    key: Any, tmp_path: Path
) -> None:
    path = tmp_path / "key.pem"
    path.write_text(public_pem(key))
    known = file_key(path)
    tokens = JwtTokens(known)

    identity = await tokens(jwt.encode(claims("ana"), key, known.algorithm))

    assert identity.name == "ana"
    for other in ("RS384", "PS256") if known.algorithm == "RS256" else ():
        with pytest.raises(Unauthorized):
            await tokens(jwt.encode(claims("ana"), key, other))


@pytest.mark.parametrize(
    ("wanted", "said", "accepted"),
    [
        ({}, {"aud": "x", "iss": "y"}, True),
        ({"audience": "chat"}, {"aud": "chat"}, True),
        ({"audience": "chat"}, {"aud": ["other", "chat"]}, True),
        ({"audience": "chat"}, {"aud": "other"}, False),
        ({"audience": "chat"}, {"aud": {"chat": 1}}, False),
        ({"audience": "chat"}, {}, False),
        ({"issuer": "https://id"}, {"iss": "https://id"}, True),
        ({"issuer": "https://id"}, {"iss": "https://id.evil"}, False),
        ({"issuer": "https://id"}, {"iss": ["https://id"]}, False),
        ({"issuer": "https://id"}, {}, False),
    ],
    ids=str,
)
async def test_audience_and_issuer_are_checked_where_they_are_set(
    wanted: dict[str, str], said: dict[str, Any], accepted: bool
) -> None:
    tokens = JwtTokens(KEY, **wanted)
    given = signed({"alg": "HS256"}, {**claims(), **said})

    try:
        await tokens(given)
        outcome = True
    except Unauthorized:
        outcome = False

    assert outcome is accepted


async def test_a_token_made_here_is_accepted() -> None:
    at = datetime.now(UTC)
    made = make_token(
        KEY, Role.COORDINATOR, "b1", "maria", at=at, ttl_s=90, audience="chat", issuer="me"
    )

    identity = await JwtTokens(KEY, audience="chat", issuer="me")(made)

    assert identity[:3] == (Role.COORDINATOR, "b1", "maria")
    assert abs((identity.until - at).total_seconds() - 90 - LEEWAY_S) <= 1


async def test_a_refusal_reveals_nothing_of_the_token() -> None:
    with pytest.raises(Unauthorized) as refused:
        await JwtTokens(KEY)(token("ana", biz="a b"))

    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__
    assert "ana" not in str(refused.value)


@pytest.mark.parametrize(
    "secret", ["", "short", "ă" * 15, public_pem(rsa_key()), json.dumps(jwk(rsa_key(), "first"))]
)
def test_the_error_of_a_bad_secret_does_not_show_it(secret: str) -> None:
    with pytest.raises(BadKey) as bad:
        secret_key(secret)

    assert not secret or secret not in str(bad.value)


def files() -> dict[str, bytes]:
    private = ed25519_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    elliptic = generate_private_key(SECP256R1()).public_key()
    return {
        "none of it": b"hello",
        "nothing": b"",
        "not even text": b"\xff\x00",
        "private": private,
        "small": public_pem(rsa_key(1_024)).encode(),
        "of another kind": elliptic.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    }


@pytest.mark.parametrize("content", files().values(), ids=files())
def test_a_file_without_a_usable_public_key_is_an_error(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(content)

    with pytest.raises(BadKey, match=r"private key|must be a PEM file"):
        file_key(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadKey, match="cannot be read"):
        file_key(tmp_path / "none.pem")


def test_no_repr_shows_a_key() -> None:
    assert SECRET not in repr(KEY)
    assert SECRET not in repr(JwtTokens(KEY))
    assert repr(VerificationKey("RS256", "hidden")) == "<VerificationKey RS256>"


def test_identities_with_different_expiries_are_the_same() -> None:
    first = Identity(Role.USER, customer("b1", "ana").business_id, "ana", datetime.now(UTC))

    assert first.is_same_as(first._replace(until=datetime.fromtimestamp(0, UTC)))
    assert not first.is_same_as(first._replace(name="dan"))
    assert not first.is_same_as(first._replace(role=Role.COORDINATOR))
