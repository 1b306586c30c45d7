"""Administration of the table, and the credentials with which the SDK accesses it."""

import asyncio
import hashlib
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from litestar import Litestar, Request, Response, get, post

from adapters.dynamodb.client import Dynamo
from adapters.dynamodb.table import PROTECTION, RECOVERY, TTL, DynamoTable, TableDiffers, definition
from adapters.system import SystemClock
from domain.errors import StorageUnavailable
from tests.support.dynamodb import DYNAMODB_LOCAL, DYNOXIDE, Engine, engine
from tests.support.process import command
from tests.support.server import running

SECRET = "not-to-be-told-to-anyone"
WITHIN_S = 15.0
"""The time within which a command reports an error, including the start of its process."""


class Hurried(SystemClock):
    """A clock on which every pause ends at once."""

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(0)


class Cloud:
    """A proxy that adds the features of AWS to a local engine, and records the credentials."""

    def __init__(self, behind: Engine) -> None:
        self._engine = behind
        self.is_recoverable = False
        self.refusals = 0
        """The number of times that recovery cannot be turned on yet."""
        self.knows_protection = True
        self.asked: list[str] = []
        self.askers: set[str] = set()
        """The access keys with which requests were signed, and their regions."""

    def app(self) -> Litestar:
        """The proxy as an ASGI application."""

        @post("/", status_code=200)
        async def serve(request: Request[Any, Any, Any]) -> Response[bytes]:
            key, _, region, *_ = request.headers["authorization"].partition("=")[2].split("/")
            self.askers.add(f"{key} {region}")
            operation = request.headers["x-amz-target"].partition(".")[2]
            self.asked.append(operation)
            body = json.loads(await request.body())
            try:
                answer = await asyncio.to_thread(self._answer, operation, body)
            except _Refused as refused:
                return Response(refused.args[0], status_code=400, media_type=_TYPE)
            return Response(json.dumps(answer).encode(), media_type=_TYPE)

        return Litestar([serve], openapi_config=None, logging_config=None)

    def _answer(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        if operation == "DescribeContinuousBackups":
            return self._backups()
        if operation == "UpdateContinuousBackups":
            self.refusals -= 1
            if self.refusals >= 0:
                raise _Refused(_problem("ContinuousBackupsUnavailableException"))
            self.is_recoverable = True
            return self._backups()
        try:
            answer: dict[str, Any] = self._engine.call(operation, **body)
        except RuntimeError as error:
            raise _Refused(str(error).partition(": ")[2].encode()) from error
        if not self.knows_protection:
            answer.get("Table", {}).pop("DeletionProtectionEnabled", None)
        return answer

    def _backups(self) -> dict[str, Any]:
        status = {"PointInTimeRecoveryStatus": "ENABLED" if self.is_recoverable else "DISABLED"}
        described = {"ContinuousBackupsStatus": "ENABLED", "PointInTimeRecoveryDescription": status}
        return {"ContinuousBackupsDescription": described}


_TYPE = "application/x-amz-json-1.0"


class _Refused(Exception):
    """The response is an error."""


def _problem(code: str) -> bytes:
    return json.dumps({"__type": f"com.amazonaws.dynamodb.v20120810#{code}"}).encode()


@asynccontextmanager
async def cloud() -> AsyncIterator[tuple[Cloud, str]]:
    """Run a cloud, and return its address."""
    it = Cloud(engine(DYNOXIDE))
    async with running(it.app()) as address:
        yield it, f"http://{address}"


@pytest.fixture
def name(tmp_path: Path) -> str:
    """Return an unused name of a table."""
    return f"operated-{hashlib.sha256(bytes(tmp_path)).hexdigest()[:24]}"


def table(name: str, endpoint_url: str) -> DynamoTable:
    """Return the table with its administration."""
    clock = Hurried()
    dynamo = Dynamo(name, endpoint_url=endpoint_url, clock=clock, jitter=lambda: 0.5)
    return DynamoTable(dynamo, clock)


# create.


async def test_a_new_table_is_as_defined_and_has_all_features_on(name: str) -> None:
    said: list[str] = []
    async with cloud() as (_, url), table(name, url) as made:
        await made.create(said.append)
        found = await made.existing()

    assert found.lacks() == []
    assert (found.status, found.billing) == ("ACTIVE", "PAY_PER_REQUEST")
    assert found.features == {TTL: True, RECOVERY: True, PROTECTION: True}
    assert said == [
        f"table {name}: creating",
        f"table {name}: created",
        "TTL: turned on",
        "point-in-time recovery: turned on",
        "deletion protection: turned on",
    ]


@pytest.mark.parametrize("local", [DYNOXIDE, DYNAMODB_LOCAL])
async def test_a_feature_that_a_local_engine_lacks_is_reported_and_prevents_no_table(
    name: str, local: str
) -> None:
    said: list[str] = []
    async with table(name, engine(local).url) as made:
        await made.create(said.append)
        found = await made.existing()

    assert found.lacks() == []
    assert found.features == {TTL: True, RECOVERY: None, PROTECTION: True}
    assert "point-in-time recovery: not supported by this engine" in said


async def test_an_engine_without_protection_is_not_asked_for_it(name: str) -> None:
    said: list[str] = []
    async with cloud() as (local, url), table(name, url) as made:
        local.knows_protection = False
        await made.create(said.append)

    assert said[-1] == "deletion protection: not supported by this engine"
    assert "UpdateTable" not in local.asked


async def test_recovery_is_turned_on_as_soon_as_a_new_table_allows_it(name: str) -> None:
    async with cloud() as (aws, url), table(name, url) as made:
        aws.refusals = 3
        await made.create(lambda line: None)
        found = await made.existing()

    assert found.features[RECOVERY]
    assert aws.asked.count("UpdateContinuousBackups") == 4


async def test_recovery_that_cannot_be_turned_on_in_time_is_reported_and_a_repeat_continues(
    name: str,
) -> None:
    async with cloud() as (aws, url), table(name, url) as made:
        aws.refusals = 60
        with pytest.raises(StorageUnavailable, match="run this again later"):
            await made.create(lambda line: None)
        await made.create(lambda line: None)
        found = await made.existing()

    assert found.lacks() == []


@pytest.mark.parametrize("off", [TTL, RECOVERY, PROTECTION])
async def test_a_repeat_turns_on_what_is_off_and_reports_it(name: str, off: str) -> None:
    said: list[str] = []
    async with cloud() as (aws, url), table(name, url) as made:
        await made.create(lambda line: None)
        _turn_off(off, aws, name)
        before = await made.existing()
        await made.create(said.append)
        after = await made.existing()

    assert before.lacks() == [f"its {off} is off"]
    assert after.lacks() == []
    outcomes = [
        f"{each}: {'turned on' if each == off else 'already on'}" for each in after.features
    ]
    assert said == [f"table {name}: exists already", *outcomes]


def _turn_off(feature: str, aws: Cloud, name: str) -> None:
    if feature == TTL:
        wanted = {"Enabled": False, "AttributeName": "exp"}
        engine(DYNOXIDE).call("UpdateTimeToLive", TableName=name, TimeToLiveSpecification=wanted)
    elif feature == PROTECTION:
        engine(DYNOXIDE).call("UpdateTable", TableName=name, DeletionProtectionEnabled=False)
    else:
        aws.is_recoverable = False


def _without_an_index(request: dict[str, Any]) -> None:
    request["GlobalSecondaryIndexes"] = [
        index for index in request["GlobalSecondaryIndexes"] if index["IndexName"] != "due"
    ]
    request["AttributeDefinitions"] = [
        each
        for each in request["AttributeDefinitions"]
        if each["AttributeName"] not in ("wP", "wS")
    ]


def _with_another_projection(request: dict[str, Any]) -> None:
    for index in request["GlobalSecondaryIndexes"]:
        if index["IndexName"] == "due":
            index["Projection"] = {"ProjectionType": "ALL"}


def _with_another_key(request: dict[str, Any]) -> None:
    request["KeySchema"] = request["KeySchema"][:1]
    del request["AttributeDefinitions"][1]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (_without_an_index, "it has no index due"),
        (
            _with_another_projection,
            "its index due is wP (S), wS (S), ALL, not wP (S), wS (S), KEYS",
        ),
        (_with_another_key, "its keys are PK (S), not PK (S), SK (S)"),
    ],
)
async def test_a_table_that_differs_is_refused_and_left_as_it_is(
    name: str, change: Any, complaint: str
) -> None:
    request = definition(name)
    change(request)
    engine(DYNOXIDE).call("CreateTable", **request)
    async with cloud() as (_, url), table(name, url) as other:
        with pytest.raises(TableDiffers) as refused:
            await other.create(lambda line: None)
        found = await other.existing()

    assert f"table {name} exists, but {complaint}" in str(refused.value)
    assert found.features == {TTL: False, RECOVERY: False, PROTECTION: False}


async def test_a_ttl_on_another_attribute_is_refused_and_left_as_it_is(name: str) -> None:
    engine(DYNOXIDE).call("CreateTable", **definition(name))
    theirs = {"Enabled": True, "AttributeName": "expires"}
    engine(DYNOXIDE).call("UpdateTimeToLive", TableName=name, TimeToLiveSpecification=theirs)
    async with cloud() as (_, url), table(name, url) as other:
        with pytest.raises(TableDiffers, match="its TTL is on expires, not on exp"):
            await other.create(lambda line: None)
        found = await other.existing()

    assert found.ttl_attribute == "expires"


async def test_two_operators_may_create_it_at_the_same_time(name: str) -> None:
    async with cloud() as (_, url), table(name, url) as one, table(name, url) as other:
        await asyncio.gather(one.create(lambda line: None), other.create(lambda line: None))
        found = await one.existing()

    assert found.lacks() == []


# delete.


async def test_a_deleted_table_is_gone_although_it_was_protected(name: str) -> None:
    said: list[str] = []
    async with cloud() as (_, url), table(name, url) as made:
        await made.create(lambda line: None)
        await made.delete(said.append)
        left = await made.describe()

    assert left is None
    assert said == ["deletion protection: turned off", f"table {name}: deleted"]


async def test_a_missing_table_is_reported_with_the_command_that_creates_it(name: str) -> None:
    async with cloud() as (_, url), table(name, url) as absent:
        with pytest.raises(StorageUnavailable) as missing:
            await absent.delete(lambda line: None)

    assert str(missing.value) == (
        f"there is no table {name}: `ai-agent-server table create` creates it"
    )


# As whom AWS is asked: what its users expect of every program.


async def asked(folder: Path, url: str, name: str, **environment: str) -> tuple[int, str]:
    """Run `table describe` in a process that has only these credentials."""
    variables = {
        "HOME": str(folder),
        "DYNAMODB_ENDPOINT_URL": url,
        "DYNAMODB_TABLE": name,
        "AWS_EC2_METADATA_DISABLED": "true",
        **environment,
    }
    ended = await asyncio.to_thread(command, folder, "table", "describe", **variables)
    return ended.returncode, ended.stderr


def profile(folder: Path, *lines: str) -> None:
    """Write `~/.aws/credentials` and `~/.aws/config`."""
    (folder / ".aws").mkdir()
    (folder / ".aws" / "credentials").write_text(
        "\n".join(
            ["[shop]", "aws_access_key_id = FROMPROFILE", f"aws_secret_access_key = {SECRET}"]
        )
    )
    (folder / ".aws" / "config").write_text("\n".join(["[profile shop]", *lines]))


async def test_a_profile_provides_credentials_and_region(tmp_path: Path, name: str) -> None:
    profile(tmp_path, "region = eu-central-1")
    async with cloud() as (aws, url), table(name, url) as made:
        await made.create(lambda line: None)
        aws.askers.clear()
        ended = await asked(tmp_path, url, name, AWS_PROFILE="shop")

    assert ended == (0, "")
    assert aws.askers == {"FROMPROFILE eu-central-1"}


async def test_the_environment_provides_credentials_and_region(tmp_path: Path, name: str) -> None:
    keys = {"AWS_ACCESS_KEY_ID": "FROMENVIRONMENT", "AWS_SECRET_ACCESS_KEY": SECRET}
    async with cloud() as (aws, url), table(name, url) as made:
        await made.create(lambda line: None)
        aws.askers.clear()
        ended = await asked(tmp_path, url, name, AWS_REGION="eu-west-3", **keys)

    assert ended == (0, "")
    assert aws.askers == {"FROMENVIRONMENT eu-west-3"}


async def test_a_containers_role_provides_credentials(tmp_path: Path, name: str) -> None:
    async with cloud() as (aws, url), table(name, url) as made, running(_role()) as role:
        await made.create(lambda line: None)
        aws.askers.clear()
        ended = await asked(
            tmp_path,
            url,
            name,
            AWS_CONTAINER_CREDENTIALS_FULL_URI=f"http://{role}/role",
            AWS_DEFAULT_REGION="eu-central-1",
        )

    assert ended == (0, "")
    assert aws.askers == {"FROMROLE eu-central-1"}


def _role() -> Litestar:
    """The endpoint from which a container gets its credentials."""

    @get("/role")
    async def credentials() -> dict[str, str]:
        return {
            "AccessKeyId": "FROMROLE",
            "SecretAccessKey": SECRET,
            "Token": "of-a-session",
            "Expiration": "2999-01-01T00:00:00Z",
        }

    return Litestar([credentials], openapi_config=None, logging_config=None)


async def test_a_local_engine_needs_no_credentials(tmp_path: Path, name: str) -> None:
    async with cloud() as (aws, url), table(name, url) as made:
        await made.create(lambda line: None)
        aws.askers.clear()
        ended = await asked(tmp_path, url, name)

    assert ended == (0, "")
    assert len(aws.askers) == 1


@pytest.fixture
def silent() -> Iterator[str]:
    """Listen where connections are accepted, and never answered."""
    with socket.create_server(("127.0.0.1", 0), backlog=16) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.parametrize("arguments", [["table", "describe"], ["check"], ["serve", "--port", "0"]])
def test_missing_credentials_are_reported_in_one_line_within_seconds(
    tmp_path: Path, silent: str, arguments: list[str]
) -> None:
    began = time.monotonic()
    # No endpoint offers a role, as on a laptop.
    refused = command(
        tmp_path,
        *arguments,
        HOME=str(tmp_path),
        STORE="dynamodb",
        AWS_DEFAULT_REGION="eu-central-1",
        AWS_EC2_METADATA_SERVICE_ENDPOINT=silent,
    )

    told = (refused.stdout + refused.stderr).splitlines()
    assert refused.returncode == 1
    assert [line for line in told if "no AWS credentials" in line] == told[:1]
    assert time.monotonic() - began < WITHIN_S


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({}, "region"),
        ({"AWS_PROFILE": "nobody", "AWS_DEFAULT_REGION": "eu-central-1"}, "nobody"),
        (
            {"AWS_ACCESS_KEY_ID": "HALF", "AWS_DEFAULT_REGION": "eu-central-1"},
            "AWS_SECRET_ACCESS_KEY",
        ),
    ],
    ids=["no region", "a profile that is none", "half a key"],
)
def test_wrong_credentials_are_reported_in_one_line(
    tmp_path: Path, environment: dict[str, str], complaint: str
) -> None:
    refused = command(
        tmp_path,
        "table",
        "describe",
        HOME=str(tmp_path),
        AWS_EC2_METADATA_DISABLED="true",
        **(
            {"AWS_ACCESS_KEY_ID": "KEY", "AWS_SECRET_ACCESS_KEY": SECRET} if not environment else {}
        ),
        **environment,
    )

    (told,) = refused.stderr.splitlines()
    assert refused.returncode == 1
    assert told.startswith("Error: DynamoDB")
    assert complaint in told


def test_an_endpoint_that_does_not_answer_is_reported_within_seconds(
    tmp_path: Path, silent: str
) -> None:
    began = time.monotonic()
    refused = command(
        tmp_path, "table", "describe", HOME=str(tmp_path), DYNAMODB_ENDPOINT_URL=silent
    )

    (told,) = refused.stderr.splitlines()
    assert refused.returncode == 1
    assert told.startswith("Error: DynamoDB")
    assert time.monotonic() - began < WITHIN_S
