"""What a DynamoDB store renews while it runs: credentials, the time, the endpoint's address."""

import asyncio
import json
import socket
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.errors import StorageUnavailable
from tests.contract.stores import NOON, conversation, new_session, stored, user_says, with_notices
from tests.integration.test_dynamodb_faults import WITHIN_S, faulty
from tests.support.dynamodb import DYNOXIDE, dynamo_store, engine
from tests.support.dynamodb_proxy import Asked, Fault, FaultProxy, always, nothing
from tests.support.dynamodb_writer import customer
from tests.support.faults import Hold

SECRET = "not-to-be-told-to-anyone"
HOUR_S = 3600.0
SKEWS = [(Fault.SKEWED, HOUR_S), (Fault.SIGNED_EARLY, HOUR_S), (Fault.SIGNED_LATE, -HOUR_S)]


class Issuer:
    """A process that issues credentials, as a profile names one; and what it issues."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._file = folder / "credentials.json"
        config = folder / "config"
        config.write_text(
            f"[default]\nregion = eu-central-1\ncredential_process = cat {self._file}\n"
        )
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(folder / "none"))
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.delenv(name, raising=False)
        self.issue("FIRST")

    def issue(self, key: str) -> None:
        """Issue a key from now on, which is said to last for another hour."""
        until = datetime.now(UTC) + timedelta(hours=1)
        issued = {
            "Version": 1,
            "AccessKeyId": key,
            "SecretAccessKey": SECRET,
            "SessionToken": f"token-of-{key}",
            "Expiration": until.isoformat(),
        }
        self._file.write_text(json.dumps(issued))


@pytest.fixture
def issuer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    return Issuer(tmp_path, monkeypatch)


def expired(key: str) -> Any:
    """Return a plan that refuses whatever is signed with this key."""
    return lambda asked: Fault.EXPIRED if asked.key == key else None


async def test_a_turn_goes_on_with_renewed_credentials_when_its_own_expire(
    issuer: Issuer, tmp_path: Path
) -> None:
    async with faulty(tmp_path) as (store, proxy):
        session = await stored(store, with_notices(user_says(new_session(), key="k")))
        before = {asked.key for asked in proxy.asked}
        issuer.issue("SECOND")
        proxy.forget()
        proxy.plan = expired("FIRST")
        session = await stored(store, with_notices(user_says(session)))
        await stored(store, user_says(session))
        keys = [asked.key for asked in proxy.asked]
        log = await store.page(session.session_id, limit=10)

    assert before == {"FIRST"}
    assert keys == ["FIRST", "SECOND", "SECOND"]
    assert [entry.seq for entry in log] == [1, 2, 3]


async def test_calls_that_meet_expired_credentials_together_all_succeed_once(
    issuer: Issuer, tmp_path: Path
) -> None:
    opened = [new_session(f"p{number}", customer(number)) for number in range(20)]
    async with faulty(tmp_path) as (store, proxy):
        issuer.issue("SECOND")
        proxy.plan = expired("FIRST")
        await asyncio.gather(*(store.append(user_says(each), NOON) for each in opened))
        logs = [await store.page(each.session_id, limit=10) for each in opened]

    assert [len(log) for log in logs] == [1] * 20


@pytest.mark.usefixtures("issuer")
async def test_credentials_that_stay_expired_fail_a_call_in_time_and_are_not_told(
    tmp_path: Path,
) -> None:
    async with faulty(tmp_path) as (store, proxy):
        session = await conversation(store, 1)
        proxy.plan = expired("FIRST")
        began = time.monotonic()
        with pytest.raises(StorageUnavailable, match="ExpiredToken") as failed:
            await store.load(session.session_id)
        seconds = time.monotonic() - began

    assert seconds < WITHIN_S
    assert SECRET not in str(failed.value)
    assert "token-of" not in str(failed.value)


@pytest.mark.parametrize(("fault", "ahead_s"), SKEWS, ids=str)
async def test_a_clock_that_is_wrong_is_corrected_once_and_that_is_remembered(
    tmp_path: Path, fault: Fault, ahead_s: float
) -> None:
    refused: list[Asked] = []
    async with faulty(tmp_path) as (store, proxy):
        proxy.ahead_s = ahead_s
        refuses = proxy.too_far(fault)

        def plan(asked: Asked) -> Fault | Hold | None:
            if fate := refuses(asked):
                refused.append(asked)
            return fate

        proxy.plan = plan
        session = await conversation(store, 3)
        log = await store.page(session.session_id, limit=10)

    assert len(refused) == 1
    assert [entry.seq for entry in log] == [1, 2, 3]


@pytest.mark.parametrize("fault", [fault for fault, _ in SKEWS], ids=str)
async def test_a_refusal_by_the_time_that_persists_fails_the_call_and_is_not_repeated_for_ever(
    tmp_path: Path, fault: Fault
) -> None:
    async with faulty(tmp_path) as (store, proxy):
        session = await conversation(store, 1)
        proxy.ahead_s = HOUR_S
        proxy.plan = always(fault)
        proxy.forget()
        with pytest.raises(StorageUnavailable):
            await store.load(session.session_id)
        tries = len(proxy.asked)
        proxy.ahead_s, proxy.plan = 0.0, nothing
        loaded = await store.load(session.session_id)

    assert tries == 2
    assert loaded is not None


async def test_new_connections_go_where_the_name_of_the_endpoint_leads_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, resolve = engine(DYNOXIDE), socket.getaddrinfo
    where = "127.0.0.1"

    def moved(host: Any, *arguments: Any, **named: Any) -> Any:
        return resolve(where if host == "dynamodb.test" else host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", moved)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "KEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    table = running.table(tmp_path)
    async with (
        FaultProxy(running.url) as old,
        FaultProxy(running.url, host="127.0.0.2", port=old.port) as new,
        dynamo_store(f"http://dynamodb.test:{old.port}", table, NOON) as store,
    ):
        session = await conversation(store, 1)
        where = new.host
        await old.stop()
        session = await stored(store, user_says(session))
        log = await store.page(session.session_id, limit=10)

    assert [entry.seq for entry in log] == [1, 2]
    assert len(new.asked) >= 2
