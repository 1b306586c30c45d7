"""Operations on the adapters and the store, without a running server.

Results are text for the screen, or JSON in the shapes of the HTTP API.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext, suppress
from datetime import timedelta
from pathlib import Path
from secrets import token_hex
from time import perf_counter
from typing import Protocol

import msgspec

from adapters.elixir.payloads import body_of
from adapters.json_shapes import timestamp
from adapters.urls import without_secrets
from application.business_facts import facts_if_known
from application.ports import (
    HealthCheck,
    InboundEvent,
    Leases,
    Lifecycle,
    LiveChatGateway,
    Store,
    TopicJoined,
    TopicUnavailable,
)
from application.unanswered import UnansweredQuestion, unanswered_questions
from domain.business import Business, cut_topics, max_facts
from domain.errors import (
    BridgeUnavailable,
    ConversationError,
    Refusal,
    StorageUnavailable,
    UnknownSession,
)
from domain.identity import (
    Customer,
    SessionId,
    customer,
    identifier,
    live_chat_topic,
    stored_business,
    stored_customer,
)
from domain.message import Entry, Message
from domain.notice import DeadLetter
from domain.session import Session
from domain.status import Status
from entrypoints.server.container import Container, is_database_ready
from entrypoints.server.http_api import Export, ExportedConversation
from entrypoints.server.wire import session_json
from entrypoints.settings import Settings

MAX_LETTERS = 100_000
"""The most dead letters that one command retries."""

MAX_SESSIONS = 1_000
"""The newest conversations, whose businesses are checked."""
CLAIMS = 5
"""Claims of which the time is taken."""
MAX_SHOWN = 500
"""Characters of topics that are shown."""

NOBODY = customer("check", "check")
"""Joins the bridge in a check where the store has no conversation."""

_JOIN_PROBLEMS = {
    "connection_lost": "the connection was closed",
    "join_timeout": "no answer to the join",
    "unreachable": "no connection could be made; the log says why",
}

# A user's text must neither steer the operator's terminal nor change its writing direction.
CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class UnknownNotice(Refusal):
    """There is no such dead letter."""


class _Adapter(Lifecycle, HealthCheck, Protocol):
    """An adapter that can be opened and checked."""


class _LiveChats(Lifecycle, LiveChatGateway, Protocol):
    """Live chats that can be opened."""


async def try_adapters(settings: Settings) -> list[tuple[str, str, str | None]]:
    """Test each configured adapter; return its part, its name and its problem (None: it works)."""
    container = Container(settings=settings)
    container.on_knowledge.override(None)  # a check builds no indexes
    bridge = container.elixir_http() if container.bridge() is not None else None
    tokens = container.identify()
    results: list[tuple[str, str, str | None]] = [
        ("store", settings.store, each) for each in await _store_problems(container)
    ]
    results += [
        ("assistant", settings.assistant, await _failure_of(_check(container.assistant()))),
        *await _own_model_problems(container),
        *await _tool_problems(container),
        ("bridge", settings.bridge, await _failure_of(_check(bridge)) if bridge else None),
    ]
    if container.bridge() is not None:
        who = await _newest_customer(container.recorded())
        problem = await _failure_of(_try_joining(container.elixir_socket(), who))
        results.append(("live chat", live_chat_topic(who), problem))
    if settings.broker == "redis":
        container.hub()  # which the broker calls
        results += [
            ("broker", settings.broker, await _failure_of(_check(container.broker()))),
            ("leases", settings.broker, await _failure_of(_try_claiming(container.leases()))),
        ]
    if settings.coordinators:
        from entrypoints.access.coordinators import check_coordinators

        problem = await _failure_of(check_coordinators(settings))
        results.append(("sign-in", settings.coordinators, problem))
    container.visitor_tokens()  # raises, where the secrets are none
    if tokens is not None:
        results.append(("tokens", settings.socket_auth, await _failure_of(_check(tokens))))
    return results


async def find_warnings(settings: Settings) -> list[tuple[str, str, str]]:
    """Return what works, but is less than it seems: its part, its name and why.

    The businesses are those of the newest conversations.
    """
    if settings.assistant == "scripted":
        return []
    container = Container(settings=settings)
    most = max_facts(settings.view_tokens)
    found = list[tuple[str, str, str]]()
    for business in await _businesses(container):
        if cut := cut_topics(business, most):
            topics = CONTROLS.sub("\ufffd", ", ".join(cut).replace("\n", " "))[:MAX_SHOWN]
            reason = f"the model knows {most:,} characters of them (VIEW_TOKENS); cut: {topics}"
            found.append(("facts", business.business_id, reason))
    return found


async def look_into_files(settings: Settings) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the origins of pages that businesses' files name, and the first mistake of each file.

    Of a mistake: the business's id, and a line of text.
    """
    container = Container(settings=settings)
    container.on_knowledge.override(None)  # a check builds no indexes
    if (files := container.business_files()) is None:
        return [], []
    async with files:
        origins = [origin for business in files.all() for origin in business.website.origins]
        return origins, [(business_id, lines[0]) for business_id, lines in files.mistakes.items()]


async def table_warnings(settings: Settings) -> list[tuple[str, str]]:
    """Return what the table of STORE=dynamodb lacks, though the server works without it."""
    if settings.store != "dynamodb":
        return []
    try:
        async with Container(settings=settings).dynamodb_table() as table:
            found = await table.existing()
    except ConversationError:  # which `try_adapters` reports
        return []
    needed = found.lacks(to_serve=True)
    return [(table.name, lack) for lack in found.lacks() if lack not in needed]


async def claim_times_s(settings: Settings) -> list[float]:
    """Return how long each of some claims at BROKER=redis takes, also those that fail.

    That they fail is what `try_adapters` reports; where nobody listens they do so at once.
    """
    times_s, holder = list[float](), "doctor"
    async with Container(settings=settings).leases() as leases:
        for _ in range(1 + CLAIMS):
            began = perf_counter()
            with suppress(ConversationError):
                await leases.claim(f"doctor:{token_hex(8)}", holder, 1.0)
            times_s.append(perf_counter() - began)
    return times_s[1:]  # the first one has connected


async def _businesses(container: Container) -> list[Business]:
    """Return the businesses of the newest conversations, as far as they are known."""
    bridge = container.elixir_http() if container.bridge() is not None else None
    try:
        async with container.recorded() as store, bridge or nullcontext():
            sessions = (await store.list_sessions(limit=MAX_SESSIONS)).sessions
            ids = dict.fromkeys(session.customer.business_id for session in sessions)
            found = [await facts_if_known(container.businesses(), each) for each in ids]
    except ConversationError:  # which `try_adapters` reports
        return []
    return [business for business in found if business is not None]


async def _store_problems(container: Container) -> list[str | None]:
    """Return everything that keeps the store from working; [None] if nothing does."""
    if container.settings().store == "dynamodb":
        try:
            async with container.dynamodb_table() as table:
                found = await table.existing(with_recovery=False)
        except ConversationError as error:
            return [without_secrets(str(error))]
        if lacks := found.lacks(to_serve=True):
            return [f"table {table.name}: {lack}" for lack in lacks]
    return [await _failure_of(_try_listing(container))]


async def _try_listing(container: Container) -> None:
    """Read from the store; a file of SQLite is neither made nor migrated by it."""
    settings = container.settings()
    if settings.store == "sqlite" and not await asyncio.to_thread(is_database_ready, settings):
        return  # the first start makes it, or migrates it
    async with container.recorded() as store:
        await store.list_sessions(limit=1)


async def _newest_customer(store: Store) -> Customer:
    """Return the customer of the newest conversation, or one who is made up."""
    try:
        async with store:
            sessions = (await store.list_sessions(limit=1)).sessions
    except ConversationError:
        return NOBODY
    return sessions[0].customer if sessions else NOBODY


async def _try_joining(live_chats: _LiveChats, who: Customer) -> None:
    """Join a topic as in operation. Raises: BridgeUnavailable, saying what was answered."""
    answers: asyncio.Queue[InboundEvent] = asyncio.Queue()

    async def on_event(_: Customer, event: InboundEvent) -> None:
        answers.put_nowait(event)

    live_chats.listen(on_event, lambda _customer, _message_id: None)
    async with live_chats:
        live_chats.follow(who)
        while not isinstance(answer := await answers.get(), TopicJoined):
            if isinstance(answer, TopicUnavailable):
                raise BridgeUnavailable(_join_problem(answer.reason))


def _join_problem(reason: str) -> str:
    if reason.startswith("http_"):
        return f"HTTP {reason.removeprefix('http_')} when the socket was opened"
    return _JOIN_PROBLEMS.get(reason, f"the join was refused: {reason}")


async def _check(adapter: _Adapter) -> None:
    async with adapter:
        await adapter.check()


async def _own_model_problems(container: Container) -> list[tuple[str, str, str | None]]:
    """Return the models that businesses have chosen in their files, each with its problem."""
    files, assistant = container.business_files(), container.assistant()
    if files is None:
        return []
    async with files, assistant:
        return [
            ("model", business.business_id, await _failure_of(assistant.check_of(business)))
            for business in files.all()
            if business.model.has_own_model
        ]


async def _tool_problems(container: Container) -> list[tuple[str, str, str | None]]:
    """Return the businesses' servers of tools with what the AI gets of each, and its problem."""
    files, tools = container.business_files(), container.mcp_tools()
    if files is None or tools is None:
        return []
    found = list[tuple[str, str, str | None]]()
    async with tools, files:
        for business in files.all():
            for report in await tools.reports(business):
                name = f"{business.business_id}/{report.server} ({', '.join(report.tools) or '-'})"
                found.append(("tools", name, "; ".join(report.problems) or None))
    return [(part, name, _on_a_line(problem)) for part, name, problem in found]


def _on_a_line(problem: str | None) -> str | None:
    """Return a problem without what would steer the operator's terminal."""
    return CONTROLS.sub("\ufffd", problem.replace("\n", " ")) if problem is not None else None


async def _try_claiming(leases: Leases) -> None:
    """Claim a name that nobody else uses, and release it."""
    name, holder = f"check:{token_hex(8)}", "check"
    async with leases:
        await leases.claim(name, holder, 1.0)
        await leases.release(name, holder)


async def _failure_of(attempt: Awaitable[None]) -> str | None:
    try:
        await attempt
    except ConversationError as error:
        return without_secrets(str(error))
    return None


async def create_table(settings: Settings, report: Callable[[str], object]) -> None:
    """Create the table of STORE=dynamodb, or repair it; `report` gets a line for each step.

    Raises: ConversationError.
    """
    async with Container(settings=settings).dynamodb_table() as table:
        await table.create(report)


async def describe_table(settings: Settings) -> str:
    """Describe the table of STORE=dynamodb, and what it lacks. Raises: ConversationError."""
    async with Container(settings=settings).dynamodb_table() as table:
        found = await table.existing()
    on_or_off = {None: "not supported by this engine", True: "on", False: "off"}
    rows = {
        "table": table.name,
        "status": found.status,
        "items": f"{found.items:,}",
        "size": f"{found.size_bytes:,} bytes",
        "billing": found.billing,
        "keys": found.keys,
        **{f"index {name}": keys for name, keys in sorted(found.indexes.items())},
        **{name: on_or_off[is_on] for name, is_on in found.features.items()},
        "lacks": "; ".join(found.lacks()) or "nothing",
    }
    return "\n".join(f"{name:<24}{value}" for name, value in rows.items())


async def migrate_table(
    settings: Settings, report: Callable[[str], object], *, units_per_s: float, is_dry_run: bool
) -> str:
    """Rewrite old shapes in the table of STORE=dynamodb, and say what was done, in numbers.

    `report` gets a line now and then. Raises: ConversationError.
    """
    async with Container(settings=settings).dynamodb_migration() as migration:
        done = await migration.run(report, units_per_s=units_per_s, is_dry_run=is_dry_run)
    would_be = "to be " if is_dry_run else ""
    rows = {
        "items read": f"{done.read:,}",
        "read units used": f"{done.units:,.0f}",
        f"notices {would_be}moved": f"{done.moved:,}",
        f"notices {would_be}rewritten": f"{done.rewritten:,}",
        f"items {would_be}cleared": f"{done.cleared:,}",
        f"empty items {would_be}deleted": f"{done.deleted:,}",
        "notices left": f"{done.left:,}",
    }
    return "\n".join(f"{name:<32}{number}" for name, number in rows.items())


async def delete_table(settings: Settings, report: Callable[[str], object]) -> None:
    """Delete the table of STORE=dynamodb with all conversations; `report` gets each step.

    Raises: ConversationError.
    """
    async with Container(settings=settings).dynamodb_table() as table:
        await table.delete(report)


async def list_sessions(
    settings: Settings,
    business_id: str | None,
    status: str | None,
    user_id: str | None,
    limit: int,
    *,
    as_json: bool,
) -> str:
    """List the newest sessions, of all or of one business or user. Raises: ConversationError."""
    who = stored_customer(business_id, user_id) if user_id is not None else None
    async with _with_store(settings) as container:
        page = await container.store().list_sessions(
            business_id=stored_business(business_id) if business_id else None,
            status=Status(status) if status else None,
            customer=who,
            limit=limit,
        )
    if as_json:
        return _json([session_json(session) for session in page.sessions])
    rows = [_session_row(session) for session in page.sessions] or ["no conversations"]
    return "\n".join([*rows, "(more: --limit)"] if page.cursor else rows)


async def show_session(settings: Settings, session_id: str, *, as_json: bool) -> str:
    """Show one session with its whole log. Raises: ConversationError."""
    sought = SessionId(identifier("ID", session_id))
    async with _with_store(settings) as container:
        loaded = await container.store().load(sought)
        if loaded is None:
            raise UnknownSession(f"there is no conversation {session_id}")
        log = await container.privacy().log(sought)
    if as_json:
        return _json(_exported(container, loaded.session, log))
    return "\n".join([_session_row(loaded.session), *map(_entry_line, log)])


async def export_user(settings: Settings, business_id: str, user_id: str) -> str:
    """Return everything stored about a user, as JSON. Raises: ConversationError."""
    who = stored_customer(business_id, user_id)
    async with _with_store(settings) as container:
        logs = await container.privacy().export(who)
    at = timestamp(container.clock().now())
    conversations = [_exported(container, session, log) for session, log in logs]
    return _json(Export(who.business_id, who.user_id, at, conversations))


async def erase_user(settings: Settings, business_id: str, user_id: str) -> str:
    """Erase everything stored about a user, and count it. Raises: ConversationError."""
    who = stored_customer(business_id, user_id)
    async with _with_store(settings) as container:
        erased = await container.privacy().erase(who)
    return (
        f"erased {erased.sessions} conversations, {erased.messages} messages, "
        f"{erased.notices} notices"
    )


async def list_questions(
    settings: Settings, business_id: str | None, since_s: int, limit: int, *, as_json: bool
) -> str:
    """List the most frequent unanswered questions, of all businesses or of one.

    Raises: ConversationError.
    """
    asked_of = stored_business(business_id) if business_id else None
    async with _with_store(settings) as container:
        since = container.clock().now() - timedelta(seconds=since_s)
        store = container.store()
        found = await unanswered_questions(store, store, business_id=asked_of, since=since)
    questions = found.most_frequent()
    shown, is_more = questions[:limit], len(questions) > limit or found.left_out > 0
    if as_json:
        return _json(
            {
                "since": timestamp(since),
                "conversations": found.sessions,
                "questions": [_question_json(each) for each in shown],
                "more": is_more,
            }
        )
    rows = [_question_rows(each) for each in shown] or ["no unanswered questions"]
    rows.append(f"in {found.sessions:,} conversations since {timestamp(since)}")
    return "\n".join([*rows, "(more: --limit, or a later --since)"] if is_more else rows)


async def list_dead_letters(settings: Settings, limit: int, *, as_json: bool) -> str:
    """List the notices that the bridge has refused, and why. Raises: ConversationError."""
    async with _with_store(settings) as container:
        letters = await container.store().dead(limit)
        depth = await container.store().depth()
    if as_json:
        return _json([_letter_json(letter) for letter in letters])
    rows = [_letter_row(letter) for letter in letters] or ["no dead letters"]
    return "\n".join([*rows, f"{depth} undelivered"] if depth else rows)


async def retry_dead_letters(settings: Settings, notice_ids: Sequence[str]) -> str:
    """Queue dead letters again; without ids, all of them. Raises: ConversationError."""
    async with _with_store(settings) as container:
        store = container.store()
        ids = _checked(notice_ids) or [
            letter.notice.notice_id for letter in await store.dead(MAX_LETTERS)
        ]
        retried = [await store.retry(notice_id) for notice_id in ids]
    return f"{_found(ids, retried)} to be delivered"


async def drop_dead_letters(settings: Settings, notice_ids: Sequence[str]) -> str:
    """Delete dead letters. Raises: ConversationError."""
    async with _with_store(settings) as container:
        dropped = [await container.store().drop(each) for each in _checked(notice_ids)]
    return f"{_found(notice_ids, dropped)} dropped"


def _checked(notice_ids: Sequence[str]) -> list[str]:
    return [identifier("ID", each) for each in notice_ids]


def _found(notice_ids: Sequence[str], found: Sequence[bool]) -> str:
    """Return the number of notices. Raises: UnknownNotice, naming the first one not found."""
    for notice_id, is_there in zip(notice_ids, found, strict=True):
        if not is_there:
            raise UnknownNotice(f"there is no dead letter {notice_id}")
    return f"{len(notice_ids)} notice{'' if len(notice_ids) == 1 else 's'}"


def _question_rows(asked: UnansweredQuestion) -> str:
    where = f"{timestamp(asked.at)}  {asked.session_id}  {asked.business_id}"
    question, searched = _in_line(asked.question), _in_line("; ".join(asked.searched))
    return f"{asked.times:>5}  {where}\n       {question}\n       searched: {searched}"


def _question_json(asked: UnansweredQuestion) -> dict[str, object]:
    return {
        "businessId": asked.business_id,
        "sessionId": asked.session_id,
        "question": asked.question,
        "searched": asked.searched,
        "timestamp": timestamp(asked.at),
        "times": asked.times,
    }


def _in_line(text: str) -> str:
    return CONTROLS.sub("\ufffd", " ".join(text.split()))


def _letter_row(letter: DeadLetter) -> str:
    notice = letter.notice
    reason = CONTROLS.sub("\ufffd", letter.reason)
    at = timestamp(notice.due_at)
    return f"{notice.notice_id}  {at}  {notice.kind:<12}  {notice.session_id}  {reason}"


def _letter_json(letter: DeadLetter) -> dict[str, object]:
    notice = letter.notice
    return {
        "noticeId": notice.notice_id,
        "sessionId": notice.session_id,
        "businessId": notice.customer.business_id,
        "userId": notice.customer.user_id,
        "kind": notice.kind,
        "timestamp": timestamp(notice.due_at),
        "attempts": notice.attempts,
        "reason": letter.reason,
        "body": body_of(notice),
    }


@asynccontextmanager
async def _with_store(settings: Settings) -> AsyncIterator[Container]:
    """Open the store, beside any server that uses it. Raises: StorageUnavailable."""
    require_stored(settings)
    container = Container(settings=settings)
    async with container.store():
        yield container


def require_stored(settings: Settings) -> None:
    """Refuse a store that would only be created now. Raises: StorageUnavailable."""
    if settings.store == "memory":
        raise StorageUnavailable("STORE=memory: only the server itself sees its conversations")
    if settings.store == "sqlite" and not Path(settings.sqlite_path).exists():
        raise StorageUnavailable(f"there is no file {settings.sqlite_path}; SQLITE_PATH names it")


def _exported(container: Container, session: Session, log: Sequence[Entry]) -> ExportedConversation:
    presenter = container.presenter()
    entries = [presenter.logged_json(session.customer, entry) for entry in log]
    return ExportedConversation(session_json(session), entries)


def _json(document: object) -> str:
    return msgspec.json.format(msgspec.json.encode(document)).decode()


def _session_row(session: Session) -> str:
    who = f"{session.customer.business_id} {session.customer.user_id}"
    at = timestamp(session.updated_at)
    return f"{session.session_id}  {at}  {session.status:<7}  {session.seq:>5}  {who}"


def _entry_line(entry: Entry) -> str:
    at = f"{entry.seq:>5}  {timestamp(entry.at)}"
    if not isinstance(entry, Message):
        return f"{at}  -- {entry.status} ({entry.reason})"
    author = entry.coordinator_id or entry.author
    text = CONTROLS.sub("\ufffd", entry.text).replace("\n", "\n" + " " * 33)
    return f"{at}  {author}: {text}"
