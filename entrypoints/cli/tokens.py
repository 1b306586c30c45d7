"""Tokens for trying SOCKET_AUTH=jwt out."""

from datetime import UTC, datetime

from adapters.jwt.keys import BadKey, secret_key
from adapters.jwt.tokens import make_token
from domain.identity import Role, business_identifier, identity_name
from entrypoints.settings import BadSetting, Settings


def sign_token(settings: Settings, role: Role, business_id: str, name: str, ttl_s: int) -> str:
    """Return a token signed with JWT_SECRET. Raises: BadSetting, InvalidPayload."""
    if not settings.jwt_secret:
        raise BadSetting(
            "JWT_SECRET is empty, but tokens are signed with it here (HS256); tokens for a public "
            "key are signed elsewhere, with its private key"
        )
    try:
        key = secret_key(settings.jwt_secret)
    except BadKey as error:
        raise BadSetting(f"JWT_SECRET {error}") from None
    return make_token(
        key,
        role,
        business_identifier("business", business_id),
        identity_name(role, role, name),
        at=datetime.now(UTC),
        ttl_s=ttl_s,
        audience=settings.jwt_audience,
        issuer=settings.jwt_issuer,
    )
