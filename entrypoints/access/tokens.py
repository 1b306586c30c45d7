"""Tokens, as the settings have them: the service tokens, and the adapter that verifies users'."""

from pathlib import Path
from typing import TYPE_CHECKING

from entrypoints.settings import BadSetting, Settings

if TYPE_CHECKING:
    from adapters.jwt.keys import VerificationKey
    from adapters.jwt.published import PublishedKeys
    from adapters.jwt.tokens import JwtTokens
    from adapters.jwt.visitors import VisitorTokens

_KEY_VARIABLES = ("JWT_SECRET", "JWT_PUBLIC_KEY_FILE", "JWT_JWKS_URL")


def service_tokens(text: str) -> tuple[str, ...]:
    """Return tokens, or secrets, which are separated by commas so that they can rotate."""
    return tuple(token.strip() for token in text.split(",") if token.strip())


def require_service_token(settings: Settings) -> None:
    """Refuse an API without a token where strangers are expected, unless ALLOW_INSECURE=1.

    Raises: BadSetting.
    """
    if settings.allow_insecure == "1" or service_tokens(settings.service_token):
        return
    if settings.service_token:
        raise BadSetting(
            "SERVICE_TOKEN names no token: name one, leave it empty, or set ALLOW_INSECURE=1"
        )
    expecting = [
        *(["SOCKET_AUTH=jwt"] if settings.socket_auth == "jwt" else []),
        *(["TRUSTED_PROXIES"] if settings.trusted_proxies else []),
    ]
    if expecting:
        raise BadSetting(
            f"SERVICE_TOKEN is empty, but by {' and '.join(expecting)} strangers can reach the "
            "server, and its /api would be open to them: set it, or ALLOW_INSECURE=1"
        )


def require_token_beside_passwords(settings: Settings) -> None:
    """Refuse a bridge with passwords and an open /api, unless ALLOW_INSECURE=1. Raises: BadSetting.

    There a program writes in a coordinator's name, and so would whoever has no password.
    """
    is_waived = settings.allow_insecure == "1" or service_tokens(settings.service_token)
    if settings.coordinators and not is_waived:
        raise BadSetting(
            "COORDINATORS is set, but SERVICE_TOKEN is empty: by the bridge's /api anybody could "
            "write as a coordinator, without a password: set it, or ALLOW_INSECURE=1"
        )


def visitor_tokens(settings: Settings) -> "VisitorTokens | None":
    """Return the tokens of visitors; None: there are no visitors, or they need none.

    Raises: BadSetting.
    """
    if settings.socket_auth == "none" or not settings.visitor_secret:
        return None
    from adapters.jwt.keys import BadKey
    from adapters.jwt.visitors import VisitorTokens

    try:
        return VisitorTokens(service_tokens(settings.visitor_secret))
    except BadKey as error:
        raise BadSetting(f"VISITOR_SECRET {error}") from None


def token_verifier(settings: Settings) -> "JwtTokens | None":
    """Return the verifier of SOCKET_AUTH=jwt; None: no tokens are required. Raises: BadSetting."""
    if settings.socket_auth == "none":
        return None
    from adapters.jwt.tokens import JwtTokens

    return JwtTokens(_key(settings), audience=settings.jwt_audience, issuer=settings.jwt_issuer)


def _key(settings: Settings) -> "VerificationKey | PublishedKeys":
    from adapters.jwt.keys import BadKey, file_key, secret_key

    given = [name for name in _KEY_VARIABLES if getattr(settings, name.lower())]
    if len(given) != 1:
        found = f"{' and '.join(given)} are set" if given else "none is set"
        wanted = ", ".join(_KEY_VARIABLES)
        raise BadSetting(f"SOCKET_AUTH=jwt needs exactly one of {wanted}, but {found}")
    try:
        if settings.jwt_secret:
            return secret_key(settings.jwt_secret)
        if settings.jwt_public_key_file:
            return file_key(Path(settings.jwt_public_key_file))
    except BadKey as error:
        raise BadSetting(f"{given[0]} {error}") from None
    from adapters.jwt.published import PublishedKeys

    return PublishedKeys(settings.jwt_jwks_url)
