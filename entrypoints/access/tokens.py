"""The choice of the adapter that verifies tokens: the wiring that both containers share."""

from pathlib import Path
from typing import TYPE_CHECKING

from entrypoints.settings import BadSetting, Settings

if TYPE_CHECKING:
    from adapters.jwt.keys import VerificationKey
    from adapters.jwt.published import PublishedKeys
    from adapters.jwt.tokens import JwtTokens

_KEY_VARIABLES = ("JWT_SECRET", "JWT_PUBLIC_KEY_FILE", "JWT_JWKS_URL")


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
