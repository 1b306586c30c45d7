"""Tokens of visitors: they are no other tokens, and no other token is one of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest

from adapters.jwt.keys import BadKey, secret_key
from adapters.jwt.tokens import LEEWAY_S, JwtTokens
from adapters.jwt.visitors import VISITOR_FOR, UsersAndVisitors, VisitorTokens
from domain.identity import BusinessId, Customer, Unauthorized, is_visitor, visitor_id
from tests.support.tokens import SECRET, claims, token

NOW = datetime.now(UTC).replace(microsecond=0)
VISITOR = Customer(BusinessId("b1"), visitor_id("0123456789abcdef" * 2))
VISITORS = VisitorTokens([SECRET])
BOTH = UsersAndVisitors(JwtTokens(secret_key(SECRET)), VISITORS)
"""With the same secret for both."""
SIGNED, UNTIL = VISITORS.sign(VISITOR, NOW)


def changed(head: dict[str, Any] | None = None, **others: Any) -> str:
    """Return a visitor's token with other claims, signed with the visitors' key."""
    body = jwt.decode(SIGNED, options={"verify_signature": False}) | others
    body = {name: value for name, value in body.items() if value is not None}
    key = VISITORS._keys[0]
    return jwt.encode(body, key.material, key.algorithm, headers=head or {"typ": "visitor+jwt"})


async def test_a_visitors_token_names_the_visitor_for_thirty_days() -> None:
    for identity in (VISITORS.verify(SIGNED), await BOTH(SIGNED)):
        assert identity.is_user(VISITOR)
        assert identity.until == UNTIL + timedelta(seconds=LEEWAY_S)
    assert UNTIL == NOW + VISITOR_FOR


async def test_the_users_side_knows_none_even_with_the_same_secret() -> None:
    body, users = claims(VISITOR.user_id), JwtTokens(secret_key(SECRET))
    for given in (SIGNED, changed({"typ": "JWT"}), jwt.encode(body, VISITORS._keys[0].material)):
        with pytest.raises(Unauthorized):
            await users(given)


@pytest.mark.parametrize(
    "given",
    [
        token("u1"),
        token(VISITOR.user_id),
        jwt.encode(claims(VISITOR.user_id), SECRET, headers={"typ": "visitor+jwt"}),
        changed(aud="another"),
        changed(aud=None),
        changed(iss=None),
        changed(iss="another"),
        changed(exp=None),
        changed(sub=None),
        changed(biz=None),
        changed(biz="b:1"),
        changed(sub="u1"),
        changed(sub="v-0123"),
        changed(sub=VISITOR.user_id.upper()),
        changed(role="coordinator"),
        changed(role="admin"),
        f"{SIGNED}x",
        SIGNED.rpartition(".")[0] + ".",
        "x" * 9_000,
        "",
    ],
)
async def test_nothing_else_is_a_visitors_token(given: str) -> None:
    with pytest.raises(Unauthorized):
        VISITORS.verify(given)


@pytest.mark.parametrize("role", ["user", "coordinator"])
async def test_no_other_issuer_names_a_visitor(role: str) -> None:
    assert (await BOTH(token("ana"))).name == "ana"
    with pytest.raises(Unauthorized):
        await BOTH(token(VISITOR.user_id, role=role))


def test_an_expired_one_is_refused_as_expired() -> None:
    old, _ = VISITORS.sign(VISITOR, NOW - VISITOR_FOR - timedelta(seconds=LEEWAY_S + 1))

    with pytest.raises(Unauthorized, match="expired"):
        VISITORS.verify(old)


def test_the_first_of_several_secrets_signs_and_each_verifies() -> None:
    rotated = VisitorTokens(["n" * 32, SECRET])

    assert rotated.verify(SIGNED).is_user(VISITOR)
    assert VisitorTokens(["n" * 32]).verify(rotated.sign(VISITOR, NOW)[0]).is_user(VISITOR)
    with pytest.raises(Unauthorized):
        VisitorTokens(["n" * 32]).verify(SIGNED)


@pytest.mark.parametrize("secrets", [[], ["short"], [SECRET, "short"]])
def test_a_secret_is_long_enough(secrets: list[str]) -> None:
    with pytest.raises(BadKey):
        VisitorTokens(secrets)


@pytest.mark.parametrize(
    "name", ["v-", "v-0123", "V-" + "0" * 32, "v-" + "0" * 33, "v-" + "g" * 32]
)
def test_only_the_shape_that_the_server_gives_is_a_visitors_id(name: str) -> None:
    assert is_visitor(VISITOR.user_id)
    assert not is_visitor(name)
    assert not is_visitor(f"{VISITOR.user_id}\n")
