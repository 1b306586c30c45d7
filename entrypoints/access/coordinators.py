"""The sign-in of coordinators by name and password, as COORDINATORS has it, and its routes."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Self, TypeVar

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from adapters.json_shapes import CamelStruct, timestamp
from adapters.phoenix.channel import ConnectInfo
from application.ports import Businesses, Clock, Lifecycle
from domain.errors import InvalidPayload
from domain.identity import (
    BusinessId,
    CoordinatorId,
    Identity,
    IdentityUnavailable,
    Unauthorized,
    coordinator_id,
)
from entrypoints.access.guards import ApiRequest, only_json
from entrypoints.access.origins import OriginNotAllowed
from entrypoints.access.rate_limits import Overloaded, RateLimiter
from entrypoints.problems import problems
from entrypoints.settings import Settings

if TYPE_CHECKING:  # they import what signs and hashes, which is mostly not needed
    from adapters.files.coordinators import Coordinator, CoordinatorList

RENEWED_FOR = timedelta(days=7)
"""The time from a sign-in for which its tokens are renewed, in place of the password."""
MAX_HASHES, MAX_WAITING = 2, 50
"""The passwords that are hashed at once, and those that wait for it."""
MAX_TOKENS = 100
"""The tokens that are renewed at once: as many as a coordinator has businesses."""
MAX_SIGN_IN_BODY = 256 * 1024
"""The largest request body, in bytes."""
REFUSED = "the name or the password is wrong, or the sign-in has ended"

T = TypeVar("T")

logger = logging.getLogger(__name__)


class BusinessToken(NamedTuple):
    """A token of a coordinator for one business."""

    business_id: BusinessId
    token: str


class CoordinatorSession(NamedTuple):
    """A coordinator who is signed in, until the tokens expire."""

    name: CoordinatorId
    until: datetime
    tokens: Sequence[BusinessToken]


class CoordinatorSignIn(Lifecycle):
    """Signs coordinators in, and verifies the tokens that it gives them.

    A token is good as long as the file in force has its coordinator with the business and the
    password: whoever is taken out of it, or gets another password, is signed out.
    """

    def __init__(self, path: Path, clock: Clock, limits: RateLimiter) -> None:
        from adapters.files.coordinators import CoordinatorsFile

        self._clock = clock
        self._limits = limits
        self._file = CoordinatorsFile(path)
        self._threads = ThreadPoolExecutor(MAX_HASHES, "sign-in")
        self._waiting = 0

    async def __aenter__(self) -> Self:
        from adapters.passwords import is_password

        await self._file.__aenter__()
        await self._hashed(is_password, "", None)  # the first to sign in would wait for longer
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def refresh(self) -> float:
        """Read the file if it has changed; return the seconds until the next time."""
        return await self._file.refresh()

    @property
    def state(self) -> Literal["ok", "degraded", "down"]:
        """Whether the file is good, or an earlier version of it is in force, or none is."""
        return self._file.state

    async def __call__(self, info: ConnectInfo, name: str, password: str) -> CoordinatorSession:
        """Sign a coordinator in; an unknown name takes as long as a wrong password.

        Raises: Unauthorized, RateLimited, IdentityUnavailable.
        """
        from adapters.passwords import is_password, needs_rehash

        known = self._file.in_force
        try:
            who = coordinator_id("name", name)
        except InvalidPayload:
            raise Unauthorized(REFUSED) from None
        self._limits.admit_sign_in(info, who)
        found = known.coordinators.get(who)
        stored = found.password if found is not None else None
        is_right = await self._hashed(is_password, password, stored)
        if found is None or not is_right:
            # The name of nobody is not logged: people type their passwords there.
            extra = {"action": "sign_in_refused", "coordinator": who if found else None}
            logger.warning("A coordinator's sign-in is refused", extra=extra)
            raise Unauthorized(REFUSED)
        self._limits.note_sign_in(info, who)
        if needs_rehash(found.password):
            known = await self._rehashed(known, who, found, password)
        extra = {"action": "coordinator_signed_in", "coordinator": who}
        logger.info("A coordinator has signed in", extra=extra)
        return self._session(known, who, found.businesses, self._clock.wall())

    def renewed(self, info: ConnectInfo, tokens: Sequence[str]) -> CoordinatorSession:
        """Return new tokens in place of those that are good, which are one coordinator's.

        Raises: Unauthorized, RateLimited, IdentityUnavailable.
        """
        from adapters.jwt.coordinators import CoordinatorTokens

        known = self._file.in_force
        reader = CoordinatorTokens(known.secret)
        good = []
        for token in tokens:
            try:
                good.append(reader.verify(token))
            except Unauthorized:
                continue
        now = self._clock.wall()
        good = [
            each
            for each in good
            if not self.is_withdrawn(each.identity) and now < each.since + RENEWED_FOR
        ]
        if len({each.identity.name for each in good}) != 1:
            self._limits.count_auth_failure(info)
            raise Unauthorized(REFUSED)
        businesses = dict.fromkeys(each.identity.business_id for each in good)
        name = CoordinatorId(good[0].identity.name)
        return self._session(known, name, businesses, min(each.since for each in good))

    async def identify(self, token: str) -> Identity:
        """Return the coordinator in a token that is good.

        Raises: Unauthorized, IdentityUnavailable.
        """
        from adapters.jwt.coordinators import CoordinatorTokens

        identity = CoordinatorTokens(self._file.in_force.secret).verify(token).identity
        if self.is_withdrawn(identity):
            raise Unauthorized("the token is withdrawn")
        return identity

    def is_own(self, token: str) -> bool:
        """Return whether a token says that it is one of these, good or not."""
        from adapters.jwt.coordinators import is_coordinators

        return is_coordinators(token)

    def is_withdrawn(self, identity: Identity) -> bool:
        """Return whether an identity by a coordinator's token is none any more."""
        if not identity.credential:  # another token's
            return False
        now = self._file.in_force.credential(identity.name, identity.business_id)
        return now != identity.credential

    def _session(
        self,
        known: "CoordinatorList",
        name: CoordinatorId,
        businesses: Iterable[BusinessId],
        since: datetime,
    ) -> CoordinatorSession:
        """Return new tokens; `known`: the list by which the coordinator has proved to be one."""
        from adapters.jwt.coordinators import CoordinatorTokens

        signer, at = CoordinatorTokens(known.secret), self._clock.wall()
        tokens, until = [], at
        for business_id in businesses:
            if credential := known.credential(name, business_id):
                token, until = signer.sign(name, business_id, credential, at=at, since=since)
                tokens.append(BusinessToken(business_id, token))
        return CoordinatorSession(name, until, tokens)

    async def _rehashed(
        self, known: "CoordinatorList", name: CoordinatorId, proven: "Coordinator", password: str
    ) -> "CoordinatorList":
        """Store a password that was proved by the parameters of today; return the list with it.

        It ends the coordinator's other sign-ins. Where the file cannot be written, all stays.
        """
        from adapters.passwords import hash_password

        stored = await self._hashed(hash_password, password)

        def changed(now: "CoordinatorList") -> "CoordinatorList":
            found = now.coordinators.get(name)
            if found is None or found.password != proven.password:
                return now
            return now.having(name, replace(found, password=stored))

        try:
            await self._file.change(changed)
        except IdentityUnavailable as error:
            extra = {"action": "password_not_rehashed", "reason": str(error)}
            logger.warning("A password keeps its old hash", extra=extra)
            return known
        return known.having(name, replace(proven, password=stored))

    async def _hashed(self, work: Callable[..., T], *given: object) -> T:
        """Return what hashing gives, in one of few threads. Raises: Overloaded."""
        if self._waiting >= MAX_WAITING:
            raise Overloaded(1.0)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work, *given)
        finally:
            self._waiting -= 1


def coordinator_sign_in(
    settings: Settings, clock: Clock, limits: RateLimiter
) -> CoordinatorSignIn | None:
    """Return the sign-in by COORDINATORS; None: it is empty."""
    path = settings.coordinators
    return CoordinatorSignIn(Path(path), clock, limits) if path else None


async def check_coordinators(settings: Settings) -> None:
    """Read the file of COORDINATORS once. Raises: IdentityUnavailable, saying what is wrong."""
    from adapters.files.coordinators import read_coordinators

    read_coordinators(Path(settings.coordinators))


class BridgeReady(CamelStruct):
    """The state of COORDINATORS; `degraded`: the file is not good, an earlier one is in force."""

    status: Literal["ok", "degraded", "down"]


class SignInWays(CamelStruct):
    """How coordinators prove who they are; neither: they need not."""

    password: bool
    token: bool


class PasswordRequest(CamelStruct):
    """A coordinator's name and password."""

    name: Annotated[str, msgspec.Meta(max_length=1_000)]
    password: Annotated[str, msgspec.Meta(max_length=1_024)]


class RenewRequest(CamelStruct):
    """Tokens of one coordinator, one for each business."""

    tokens: Annotated[list[str], msgspec.Meta(min_length=1, max_length=MAX_TOKENS)]


class SignedInBusiness(CamelStruct):
    """A business of a coordinator, and the token for it."""

    business_id: str
    name: str
    token: str


class CoordinatorSignedIn(CamelStruct):
    """The tokens of a coordinator, which expire together."""

    name: str
    expires_at: str
    businesses: list[SignedInBusiness]


def sign_in_routes(
    sign_in: CoordinatorSignIn | None,
    businesses: Businesses,
    allows_origin: Callable[[ConnectInfo], bool],
    *,
    takes_tokens: bool,
) -> list[ControllerRouterHandler]:
    """Return the routes of `/sign-in`, and of the bridge's readiness, which is theirs.

    `takes_tokens`: other tokens are good, too.
    """

    @get("/", tags=["sign-in"], sync_to_thread=False)
    def ways() -> SignInWays:
        """Return how coordinators sign in."""
        return SignInWays(password=sign_in is not None, token=takes_tokens)

    @get("/health/ready", tags=["operation"], sync_to_thread=False)
    def ready() -> Response[BridgeReady]:
        """Report whether coordinators can sign in, with 503 if none can."""
        state = sign_in.state if sign_in is not None else "ok"
        return Response(BridgeReady(state), status_code=503 if state == "down" else 200)

    routes = _password_routes(sign_in, businesses, allows_origin) if sign_in is not None else []
    entrance = Router(
        path="/sign-in",
        guards=[only_json],
        route_handlers=[ways, *routes],
        request_class=ApiRequest,
        request_max_body_size=MAX_SIGN_IN_BODY,
        response_headers={"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"},
    )
    return [ready, entrance]


def _password_routes(
    sign_in: CoordinatorSignIn,
    businesses: Businesses,
    allows_origin: Callable[[ConnectInfo], bool],
) -> list[ControllerRouterHandler]:
    refusals = problems(401, 403, 413, 415, 429, 503)

    def caller(request: Request[Any, Any, Any]) -> ConnectInfo:
        """Return who asks. Raises: OriginNotAllowed."""
        info = ConnectInfo(request.scope)
        if not allows_origin(info):
            raise OriginNotAllowed
        return info

    async def reply(session: CoordinatorSession) -> CoordinatorSignedIn:
        listed = []
        for business_id, token in session.tokens:
            known = await businesses.business(business_id)
            name = known.name if known is not None else business_id
            listed.append(SignedInBusiness(business_id, name, token))
        return CoordinatorSignedIn(session.name, timestamp(session.until), listed)

    @post("/", tags=["sign-in"], status_code=200, responses=refusals)
    async def enter(
        request: Request[Any, Any, Any], data: JSONBody[PasswordRequest]
    ) -> CoordinatorSignedIn:
        """Sign a coordinator in."""
        return await reply(await sign_in(caller(request), data.name, data.password))

    @post("/renew", tags=["sign-in"], status_code=200, responses=refusals)
    async def renew(
        request: Request[Any, Any, Any], data: JSONBody[RenewRequest]
    ) -> CoordinatorSignedIn:
        """Return new tokens in place of good ones."""
        return await reply(sign_in.renewed(caller(request), data.tokens))

    return [enter, renew]
