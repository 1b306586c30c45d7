"""The requests to DynamoDB: signatures, clocks, credentials that change, and where they go."""

import asyncio
import gzip
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zlib import crc32

import pytest
from litestar import Litestar, get

from adapters.dynamodb import transport
from adapters.dynamodb.access import find_access
from adapters.dynamodb.client import REQUEST_ATTEMPTS, ConditionFailed, Dynamo, TransactionFailed
from adapters.dynamodb.items import Item
from adapters.system import SystemClock
from domain.errors import StorageUnavailable
from tests.support.aws import Aws, Key, Response, refusal
from tests.support.dynamodb import DYNAMODB_LOCAL, DYNOXIDE, engine
from tests.support.server import running
from tests.support.user import PATIENCE_S

SECRET, OTHER, TOKEN = "not/to+be=told", "of the second key", "token-of-a-session"
KNOWN = {"FIRST": Key(SECRET), "SECOND": Key(OTHER), "SESSION": Key(SECRET, TOKEN)}


@pytest.fixture(autouse=True)
def _first_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The environment of a process that has the first key, and nothing else of AWS."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FIRST")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)


class Hurried(SystemClock):
    """A clock on which every pause ends at once."""

    async def sleep(self, delay_s: float) -> None:
        await asyncio.sleep(0)


def dynamo_at(url: str, table: str = "any") -> Dynamo:
    return Dynamo(table, endpoint_url=url, clock=Hurried(), jitter=lambda: 0.5)


@asynccontextmanager
async def at_aws(path: Path, local: str = DYNOXIDE) -> AsyncIterator[tuple[Aws, Dynamo]]:
    """Open a table behind a door that verifies every signature."""
    behind = engine(local)
    async with (
        Aws(behind, dict(KNOWN)) as aws,
        dynamo_at(aws.url, behind.table(path)) as dynamo,
    ):
        yield aws, dynamo


def item(sk: str, **attributes: dict[str, object]) -> Item:
    return {"PK": {"S": "p"}, "SK": {"S": sk}, **attributes}


# Signed, and as DynamoDB means it.


@pytest.mark.parametrize("local", [DYNOXIDE, DYNAMODB_LOCAL])
async def test_every_kind_of_request_is_accepted_by_who_verifies_signatures(
    tmp_path: Path, local: str
) -> None:
    async with at_aws(tmp_path, local) as (aws, dynamo):
        await dynamo.put(item("ță ☃"), "attribute_not_exists(PK)")
        await dynamo.update("p", "ță ☃", "SET a = :a", "attribute_exists(PK)", a={"N": "1"})
        assert await dynamo.get("p", "ță ☃") == item("ță ☃", a={"N": "1"})
        await dynamo.transact([dynamo.put_action(item("2")), dynamo.delete_action("p", "ță ☃")])
        await dynamo.write_all([item("3"), item("4")])
        found = await dynamo.read_many([("p", "3"), ("p", "no")], "PK, SK")
        left = await dynamo.query(
            KeyConditionExpression="PK = :p", ExpressionAttributeValues={":p": {"S": "p"}}
        )
        await dynamo.delete("p", "3")
        described = await dynamo.call("describe_table", TableName=dynamo.table)

    assert list(found) == [("p", "3")]
    assert [each["SK"]["S"] for each in left] == ["2", "3", "4"]
    assert described["Table"]["TableStatus"] == "ACTIVE"
    assert {asked.partition(" ")[2] for asked in aws.asked} == {"200"}
    assert len(aws.asked) == 9


async def test_the_token_of_a_session_is_sent_and_signed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SESSION")
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    async with at_aws(tmp_path) as (aws, dynamo):
        await dynamo.put(item("1"))

    assert aws.asked == ["PutItem 200"]
    assert aws.heads[0]["x-amz-security-token"] == TOKEN


async def test_an_endpoint_may_have_a_path(tmp_path: Path) -> None:
    async with at_aws(tmp_path) as (aws, dynamo), dynamo_at(f"{aws.url}/a b", dynamo.table) as odd:
        await odd.put(item("1"))

    assert aws.asked == ["PutItem 200"]


@pytest.mark.parametrize("local", [DYNOXIDE, DYNAMODB_LOCAL])
async def test_all_types_of_attributes_come_back_as_they_were_written(
    tmp_path: Path, local: str
) -> None:
    flat: Item = {
        "s": {"S": 'ț"\\\n☃'},
        "n": {"N": "12.5"},
        "b": {"B": bytes(range(256))},
        "f": {"BOOL": False},
        "z": {"NULL": True},
        "ss": {"SS": ["a"]},
        "ns": {"NS": ["1"]},
        "bs": {"BS": [b"\xff\x00"]},
    }
    written = item("1", **flat, l={"L": [{"M": flat}, {"B": b"x"}]}, m={"M": {"deep": {"M": flat}}})
    async with at_aws(tmp_path, local) as (_, dynamo):
        await dynamo.put(written)
        read = await dynamo.get("p", "1")
        with pytest.raises(ConditionFailed) as refused:
            await dynamo.put(written, "attribute_not_exists(PK)")
        with pytest.raises(TransactionFailed) as failed:
            await dynamo.transact(
                [
                    dynamo.put_action(item("2")),
                    dynamo.put_action(written, "attribute_not_exists(PK)"),
                ]
            )

    assert read == written
    assert refused.value.item == written
    first, second = failed.value.reasons
    assert first is None
    assert second is not None
    assert second.item == written


# A clock that is wrong.


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "InvalidSignatureException"])
@pytest.mark.parametrize("ahead_s", [3_600.0, -7 * 86_400.0])
async def test_a_wrong_clock_is_corrected_by_awss_once_for_all(
    tmp_path: Path, code: str, ahead_s: float
) -> None:
    async with at_aws(tmp_path) as (aws, dynamo):
        aws.ahead_s, aws.skew_code = ahead_s, code
        await dynamo.put(item("1"))
        await dynamo.put(item("2"))
        aws.ahead_s = 0.0  # somebody has set the clock, by which it is wrong again
        await dynamo.put(item("3"))

    assert aws.asked == [
        *("PutItem 400", "PutItem 200", "PutItem 200"),
        *("PutItem 400", "PutItem 200"),
    ]


async def test_a_wrong_clock_is_corrected_for_all_calls_that_are_under_way(tmp_path: Path) -> None:
    async with at_aws(tmp_path) as (aws, dynamo):
        aws.ahead_s = 3_600.0
        await asyncio.gather(*(dynamo.put(item(str(number))) for number in range(9)))

    assert aws.asked.count("PutItem 200") == 9


@pytest.mark.parametrize("code", ["RequestTimeTooSkewed", "InvalidSignatureException"])
async def test_a_refusal_that_the_clocks_do_not_explain_is_an_error_at_once(
    tmp_path: Path, code: str
) -> None:
    async with at_aws(tmp_path) as (aws, dynamo):
        aws.next.append(refusal(code))
        with pytest.raises(StorageUnavailable, match=code):
            await dynamo.get("p", "1")

    assert aws.asked == ["GetItem 400"]


async def test_a_clock_is_corrected_once_for_one_call(tmp_path: Path) -> None:
    content = refusal("RequestTimeTooSkewed").content
    head = "Date: Thu, 01 Jan {} 00:00:00 GMT\r\nContent-Type: application/x-amz-json-1.0\r\n"
    async with at_aws(tmp_path) as (aws, dynamo):
        aws.verifies = False
        aws.next += [Response(400, content, head.format(year)) for year in (2080, 2088, 2096)]
        with pytest.raises(StorageUnavailable, match="RequestTimeTooSkewed"):
            await dynamo.get("p", "1")

    assert aws.asked == ["GetItem 400", "GetItem 400"]


# Credentials that change.


def write_key(path: Path, access: str, secret: str) -> None:
    lines = ["[default]", f"aws_access_key_id = {access}", f"aws_secret_access_key = {secret}"]
    (path / "credentials").write_text("\n".join(lines))


@pytest.mark.parametrize("is_known", [True, False], ids=["expired", "deleted"])
async def test_refused_credentials_are_looked_for_anew_once_for_all_calls(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_known: bool
) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    write_key(tmp_path, "FIRST", SECRET)
    async with at_aws(tmp_path) as (aws, dynamo):
        await dynamo.put(item("0"))
        write_key(tmp_path, "SECOND", OTHER)
        if is_known:
            aws.expired.add("FIRST")
        else:
            del aws.keys["FIRST"]
        await asyncio.gather(*(dynamo.put(item(str(number))) for number in range(9)))

    assert aws.asked.count("PutItem 200") == 10
    assert aws.asked.count("PutItem 400") <= 9


async def test_credentials_that_are_refused_for_good_are_an_error_after_one_more_look(
    tmp_path: Path,
) -> None:
    async with at_aws(tmp_path) as (aws, dynamo):
        aws.expired.add("FIRST")
        for _ in range(2):
            with pytest.raises(StorageUnavailable, match="ExpiredTokenException"):
                await dynamo.get("p", "1")

    assert aws.asked == ["GetItem 400", "GetItem 400"]


async def test_a_containers_credentials_are_renewed_before_and_after_they_expire(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[tuple[str, str, str]] = [
        ("FIRST", SECRET, "2020-01-01T00:00:00Z"),  # the SDK looks again as it is over already
        ("SECOND", OTHER, "2999-01-01T00:00:00Z"),
        ("THIRD", OTHER, "2999-01-01T00:00:00Z"),
    ]

    @get("/role")
    async def role() -> dict[str, str]:
        access, secret, until = given.pop(0)
        return {
            "AccessKeyId": access,
            "SecretAccessKey": secret,
            "Token": TOKEN,
            "Expiration": until,
        }

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    async with running(Litestar([role], openapi_config=None, logging_config=None)) as place:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://{place}/role")
        async with at_aws(tmp_path) as (aws, dynamo):
            aws.keys.update(SECOND=Key(OTHER, TOKEN), THIRD=Key(OTHER, TOKEN))
            await dynamo.put(item("1"))
            aws.expired.add("SECOND")  # sooner than it was to be
            await dynamo.put(item("2"))

    assert aws.asked == ["PutItem 200", "PutItem 400", "PutItem 200"]
    assert given == []


async def test_credentials_that_cannot_be_renewed_are_an_error_and_found_again_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_away = False

    @get("/role")
    async def role() -> dict[str, str]:
        return {
            "AccessKeyId": "SECOND",
            "SecretAccessKey": OTHER,
            "Token": TOKEN,
            "Expiration": "2020-01-01T00:00:00Z" if is_away else "2999-01-01T00:00:00Z",
        }

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    async with running(Litestar([role], openapi_config=None, logging_config=None)) as place:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://{place}/role")
        is_away = True
        async with at_aws(tmp_path) as (aws, dynamo):
            aws.keys["SECOND"] = Key(OTHER, TOKEN)
            with pytest.raises(StorageUnavailable, match="expired"):
                await dynamo.put(item("1"))
            is_away = False
            await dynamo.put(item("1"))

    assert aws.asked == ["PutItem 200"]


@pytest.mark.parametrize("source", ["token file", "program", "answer"])
async def test_a_source_of_credentials_that_is_broken_is_an_error_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    @get("/role")
    async def role() -> dict[str, str]:
        return {"AccessKeyId": "FIRST"}

    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    missing = tmp_path / "missing"
    async with running(Litestar([role], openapi_config=None, logging_config=None)) as place:
        match source:
            case "token file":
                monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(missing))
                monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/any")
            case "program":
                (tmp_path / "config").write_text(f"[default]\ncredential_process = {missing}\n")
            case _:
                monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://{place}/role")
        with pytest.raises(StorageUnavailable, match="DynamoDB: "):
            async with dynamo_at(f"http://{place}") as dynamo:
                await dynamo.get("p", "1")


async def test_credentials_that_no_header_can_hold_are_an_error_of_the_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", f"{TOKEN}\n")
    async with at_aws(tmp_path) as (aws, dynamo):
        with pytest.raises(StorageUnavailable, match="character") as failed:
            await dynamo.get("p", "1")

    assert TOKEN not in str(failed.value)
    assert aws.asked == []


# Secrets.


async def test_no_error_log_or_repr_tells_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "SESSION")
    monkeypatch.setenv("AWS_SESSION_TOKEN", TOKEN)
    caplog.set_level(logging.DEBUG, "adapters")
    async with at_aws(tmp_path) as (aws, dynamo):
        aws.keys["SESSION"] = Key("another", TOKEN)  # AWS answers with the request as it was signed
        with pytest.raises(StorageUnavailable, match="does not match") as refused:
            await dynamo.get("p", "1")
        aws.keys["SESSION"] = Key(SECRET, TOKEN)
        aws.ahead_s = 900.0
        await dynamo.get("p", "1")
        access = await find_access(aws.url)
        shown = f"{dynamo!r} {dynamo._transport!r} {access!r}"

    told = f"{refused.value} {refused.value.__cause__!r} {caplog.text} {shown}"
    assert "clock" in caplog.text
    assert SECRET not in told
    assert TOKEN not in told


# Responses that are not to be had.


@pytest.mark.parametrize(
    "response",
    [
        Response(200, b"{}", "Content-Type: application/x-amz-json-1.0\r\nx-amz-crc32: 17\r\n"),
        Response(200, b"{"),
        Response(200, b"[]"),
        Response(200, b'{"Item": {"b": {"B": "no base64!"}}}'),
        Response(200, gzip.compress(b"{}")),
        Response(200, b'{"Item": {"a": {"S": "\xff"}}}'),
        Response(200, b'{"Item": {"a": ' + b'{"L": [' * 100_000),
        Response(400, b"<html>"),
        Response(502, b"<html>", "Content-Type: text/html\r\n"),
        refusal("InternalServerError", status=500),
    ],
    ids=[
        "damaged",
        "cut",
        "a list",
        "no base64",
        "compressed",
        "no text",
        "deep",
        "no error",
        "a proxy's",
        "theirs",
    ],
)
async def test_a_response_that_cannot_be_read_is_requested_again(
    tmp_path: Path, response: Response
) -> None:
    async with at_aws(tmp_path) as (aws, dynamo):
        await dynamo.put(item("1"))
        aws.next.append(response)
        assert await dynamo.get("p", "1") == item("1")

    assert aws.asked[1:] == [f"GetItem {response.status}", "GetItem 200"]


async def test_each_attempt_is_reported_and_a_condition_that_does_not_hold_is_no_failure(
    tmp_path: Path,
) -> None:
    reported = list[tuple[str, bool]]()
    behind = engine(DYNOXIDE)
    async with (
        Aws(behind, dict(KNOWN)) as aws,
        Dynamo(
            behind.table(tmp_path),
            endpoint_url=aws.url,
            clock=Hurried(),
            jitter=lambda: 0.5,
            on_request=lambda operation, _, failed: reported.append((operation, failed)),
        ) as dynamo,
    ):
        await dynamo.put(item("1"))
        aws.next.append(refusal("ThrottlingException"))
        await dynamo.get("p", "1")
        with pytest.raises(ConditionFailed):
            await dynamo.put(item("1"), "attribute_not_exists(PK)")
        aws.next.append(refusal("ValidationException"))
        with pytest.raises(StorageUnavailable):
            await dynamo.get("p", "1")

    assert reported == [
        ("write", False),
        ("read", True),
        ("read", False),
        ("write", False),
        ("read", True),
    ]


async def test_a_checksum_that_is_right_is_no_obstacle(tmp_path: Path) -> None:
    content = json.dumps({"Item": item("1")}).encode()
    type_ = "Content-Type: application/x-amz-json-1.0\r\n"
    async with at_aws(tmp_path) as (aws, dynamo):
        aws.next.append(Response(200, content, f"{type_}x-amz-crc32: {crc32(content)}\r\n"))
        assert await dynamo.get("p", "1") == item("1")

    assert aws.asked == ["GetItem 200"]


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with its length", "in chunks"])
async def test_a_response_that_is_too_large_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_chunked: bool
) -> None:
    monkeypatch.setattr(transport, "MAX_RESPONSE_BYTES", 100)
    content, headers = b" " * 101, "Content-Type: application/x-amz-json-1.0\r\n"
    if is_chunked:
        content, headers = (
            b"65\r\n%b\r\n0\r\n\r\n" % content,
            f"{headers}Transfer-Encoding: chunked\r\n",
        )
    async with at_aws(tmp_path) as (aws, dynamo):
        aws.next += [Response(200, content, headers)] * REQUEST_ATTEMPTS
        with pytest.raises(StorageUnavailable, match="more than 100 bytes"):
            await dynamo.get("p", "1")


async def test_a_response_in_chunks_is_read(tmp_path: Path) -> None:
    headers = "Content-Type: application/x-amz-json-1.0\r\nTransfer-Encoding: chunked\r\n"
    async with at_aws(tmp_path) as (aws, dynamo):
        aws.next.append(Response(200, b"1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", headers))
        assert await dynamo.get("p", "1") is None

    assert aws.asked == ["GetItem 200"]


async def test_a_redirection_is_refused(tmp_path: Path) -> None:
    async with at_aws(tmp_path) as (aws, dynamo):
        aws.next.append(Response(307, b"", f"Location: {aws.url}/elsewhere\r\n"))
        with pytest.raises(StorageUnavailable, match="307"):
            await dynamo.get("p", "1")

    assert aws.asked == ["GetItem 307"]


async def test_calls_that_are_under_way_end_with_the_client(tmp_path: Path) -> None:
    """Also those that wait for a connection, of which there are 50."""
    async with at_aws(tmp_path) as (aws, dynamo):
        aws.next += [None] * transport.POOL_SIZE
        calls = [
            asyncio.ensure_future(dynamo.get("p", str(number)))
            for number in range(transport.POOL_SIZE + 5)
        ]
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(transport.POOL_SIZE):
                await aws.unanswered.acquire()
            await dynamo.close()
            ended = await asyncio.gather(*calls, return_exceptions=True)

    assert {str(error) for error in ended} == {"DynamoDB: the store is closed"}
    assert len(aws.asked) == transport.POOL_SIZE


# Where, by the variables that all programs of AWS know.


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({}, "https://dynamodb.eu-central-1.amazonaws.com"),
        ({"AWS_DEFAULT_REGION": "cn-north-1"}, "https://dynamodb.cn-north-1.amazonaws.com.cn"),
        (
            {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_DEFAULT_REGION": "us-east-1"},
            "https://dynamodb-fips.us-east-1.amazonaws.com",
        ),
        ({"AWS_USE_DUALSTACK_ENDPOINT": "true"}, "https://dynamodb.eu-central-1.api.aws"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1/all"}, "http://127.0.0.1:1/all"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://a:2"},
            "http://a:2",
        ),
    ],
)
async def test_awss_variables_say_where_it_is(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    access = await find_access(None)

    assert str(access.url) == url
    assert access.region == variables.get("AWS_DEFAULT_REGION", "eu-central-1")
    assert bool(access.tls) == url.startswith("https")


async def test_a_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "not.this.one")
    access = await find_access("https://dynamodb.example")
    monkeypatch.setenv("NO_PROXY", "dynamodb.example")
    direct = await find_access("https://dynamodb.example")

    assert access.proxy == "http://proxy:3128"
    assert direct.proxy is None


async def test_the_certificates_are_those_of_the_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "no.pem"))
    with pytest.raises(StorageUnavailable, match=r"certificates in .*no\.pem"):
        await dynamo_at("https://dynamodb.example").open()


@pytest.mark.parametrize(
    "url",
    ["dynamodb", "ftp://dynamodb", "http://", "http://user:hidden@a", "http://a?secret=hidden"],
)
async def test_an_endpoint_that_cannot_be_one_is_an_error_that_does_not_tell_its_secrets(
    url: str,
) -> None:
    with pytest.raises(StorageUnavailable) as refused:
        await dynamo_at(url).open()

    assert "hidden" not in str(refused.value)
