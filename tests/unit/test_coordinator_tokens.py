"""Tokens of coordinators who signed in: they are no other tokens, and no other is one of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from adapters.jwt.coordinators import VALID_FOR, CoordinatorTokens, is_coordinators
from adapters.jwt.keys import secret_key
from adapters.jwt.tokens import LEEWAY_S, JwtTokens
from adapters.jwt.visitors import UsersAndVisitors, VisitorTokens
from adapters.passwords import (
    MIN_PASSWORD,
    generated_password,
    hash_password,
    is_password,
    needs_rehash,
)
from domain.identity import BusinessId, Customer, Role, Unauthorized, visitor_id
from tests.support.coordinators import MARIA, PASSWORD, hashed
from tests.support.tokens import SECRET, claims, token

NOW = datetime.now(UTC).replace(microsecond=0)
BEFORE = NOW - timedelta(hours=3)
TOKENS = CoordinatorTokens(SECRET)
SIGNED, UNTIL = TOKENS.sign(MARIA, BusinessId("b1"), "mark", at=NOW, since=BEFORE)
VISITORS = VisitorTokens([SECRET])


def changed(head: dict[str, Any] | None = None, **others: Any) -> str:
    """Return a coordinator's token with other claims, signed with the coordinators' key."""
    body = jwt.decode(SIGNED, options={"verify_signature": False}) | others
    body = {name: value for name, value in body.items() if value is not None}
    key = TOKENS._keys[0]
    return jwt.encode(body, key.material, key.algorithm, headers=head or {"typ": "coordinator+jwt"})


def test_a_token_names_the_coordinator_of_one_business_for_twelve_hours() -> None:
    identity, since = TOKENS.verify(SIGNED)

    assert identity.is_coordinator_of("b1")
    assert not identity.is_coordinator_of("b2")
    assert (identity.name, identity.credential, since) == (MARIA, "mark", BEFORE)
    assert identity.until == UNTIL + timedelta(seconds=LEEWAY_S)
    assert UNTIL == NOW + VALID_FOR == NOW + timedelta(hours=12)


@pytest.mark.parametrize(
    "given",
    [
        token(MARIA, role="coordinator"),
        jwt.encode(claims(MARIA, role="coordinator"), SECRET, headers={"typ": "coordinator+jwt"}),
        VISITORS.sign(Customer(BusinessId("b1"), visitor_id("0" * 32)), NOW)[0],
        changed(role="user"),
        changed(role=None),
        changed(mark=None),
        changed(mark=""),
        changed(auth_time=None),
        changed(aud="ai-agent-server/visitors"),
        changed(iss=None),
        changed(biz="b:1"),
        changed(sub="."),
        changed(exp=int(NOW.timestamp()) - LEEWAY_S - 1),
        CoordinatorTokens("another" * 6).sign(
            MARIA, BusinessId("b1"), "mark", at=NOW, since=NOW
        )[0],
        SIGNED[:-4] + "AAAA",
        "",
        "x" * 9_000,
    ],
)  # fmt: skip
def test_nothing_else_is_one(given: str) -> None:
    with pytest.raises(Unauthorized):
        TOKENS.verify(given)


async def test_it_is_no_token_of_the_servers_even_with_the_same_secret() -> None:
    users = JwtTokens(secret_key(SECRET))
    for given in (SIGNED, changed({"typ": "JWT"}), changed({"typ": "visitor+jwt"})):
        for side in (users, UsersAndVisitors(users, VISITORS)):
            with pytest.raises(Unauthorized):
                await side(given)
        with pytest.raises(Unauthorized):
            VISITORS.verify(given)


def test_a_coordinators_token_is_known_by_its_type() -> None:
    assert is_coordinators(SIGNED)
    assert not any(map(is_coordinators, ["", "x", token(role=Role.COORDINATOR), "x" * 9_000]))


# Passwords.


def test_a_password_is_known_by_its_hash_however_its_letters_are_made() -> None:
    composed, decomposed = "pa\u0219te-n oale veselă", "pas\u0326te-n oale vesela\u0306"
    stored = hash_password(composed)

    assert stored.startswith("$argon2id$")
    assert is_password(composed, stored)
    assert is_password(decomposed, stored)
    assert not is_password(composed + " ", stored)
    assert not is_password(composed, None)
    assert not is_password(composed, "no hash")


@pytest.mark.parametrize(
    ("others", "is_weaker"),
    [("m=65536,t=3", False), ("m=32768,t=3", True), ("m=65536,t=2", True), ("m=131072,t=3", False),
     ("m=32768,t=8", False)],
)  # fmt: skip
def test_a_hash_of_weaker_parameters_is_made_anew_and_a_stronger_one_stays(
    others: str, is_weaker: bool
) -> None:
    assert needs_rehash(hashed(PASSWORD).replace("m=65536,t=3", others)) == is_weaker


def test_a_generated_password_is_long_enough_and_no_other() -> None:
    made = {generated_password() for _ in range(100)}

    assert len(made) == 100
    assert min(map(len, made)) >= MIN_PASSWORD
