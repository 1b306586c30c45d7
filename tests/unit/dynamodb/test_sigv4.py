"""Signatures, against AWS's published test suite and against its SDK's signer."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.dynamodb.sigv4 import Signer, amz_date, canonical_path
from tests.support.aws import signature

# The suite's credentials, for us-east-1 and a service that is called `service`.
ACCESS, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
AT = "20150830T123600Z"
HOST = {"host": "example.amazonaws.com"}
FORM = "application/x-www-form-urlencoded"
FORM_SHA256 = "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"
STS_TOKEN = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSP"
    "fIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT"
    "7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlz"
    "m8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
TOKEN = "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267"
UNRESERVED = "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


# Of the suite `aws-signing-test-suite/v4` in AWS's aws-c-auth (once `aws-sig-v4-test-suite`), the
# cases that concern the form of our requests. The others normalise paths, queries and the values of
# headers, which here are given in their canonical form.
@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body", "expected"),
    [
        pytest.param(method, path, query, headers, body, expected, id=name)
        for name, method, path, query, headers, body, expected in (
            (
                *("get-vanilla", "GET", "/", "", {}, b""),
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                *("post-vanilla", "POST", "/", "", {}, b""),
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                *("get-vanilla-with-session-token", "GET", "/", ""),
                *({"x-amz-security-token": TOKEN}, b""),
                "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8",
            ),
            (
                *("post-sts-header-before", "POST", "/", ""),
                *({"x-amz-security-token": STS_TOKEN}, b""),
                "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            ),
            (
                *("post-header-key-sort", "POST", "/", "", {"my-header1": "value1"}, b""),
                "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            ),
            (
                *("post-header-value-case", "POST", "/", "", {"my-header1": "VALUE1"}, b""),
                "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
            ),
            (
                *("post-x-www-form-urlencoded", "POST", "/", ""),
                {
                    "content-length": "13",
                    "content-type": FORM,
                    "x-amz-content-sha256": FORM_SHA256,
                },
                b"Param1=value1",
                "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
            ),
            (
                *("post-x-www-form-urlencoded-parameters", "POST", "/", ""),
                {
                    "content-length": "13",
                    "content-type": f"{FORM}; charset=utf-8",
                    "x-amz-content-sha256": FORM_SHA256,
                },
                b"Param1=value1",
                "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
            ),
            (
                *("get-utf8", "GET", "/ሴ", "", {}, b""),
                "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85",
            ),
            (
                *("get-space-normalized", "GET", "/example space/", "", {}, b""),
                "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741",
            ),
            (
                *("get-unreserved", "GET", UNRESERVED, "", {}, b""),
                "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f",
            ),
            (
                *("get-vanilla-query-order-key-case", "GET", "/"),
                *("Param1=value1&Param2=value2", {}, b""),
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
        )
    ],
)
def test_it_signs_as_awss_test_suite_demands(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes, expected: str
) -> None:
    signed = dict(sorted({**HOST, "x-amz-date": AT, **headers}.items()))

    header = Signer("us-east-1", "service").authorization(
        *(ACCESS, SECRET),
        method=method,
        path=canonical_path(path),
        query=query,
        headers=signed,
        body=body,
    )

    assert header == (
        f"AWS4-HMAC-SHA256 Credential={ACCESS}/20150830/us-east-1/service/aws4_request, "
        f"SignedHeaders={';'.join(signed)}, Signature={expected}"
    )


WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=20)
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=1, max_size=60)
TIMES = st.integers(0, 4_000_000_000)
REQUESTS = st.tuples(WORDS, SECRETS, TIMES, st.binary(max_size=300), st.none() | WORDS)


@given(
    regions=st.tuples(WORDS, WORDS),
    path=st.text("abc XYZ-_~%25é/:@+", max_size=20).map(lambda text: f"/{text}"),
    requests=st.lists(REQUESTS, min_size=1, max_size=4),
)
def test_it_signs_as_awss_sdk_does_whatever_was_signed_before(
    regions: tuple[str, str],
    path: str,
    requests: list[tuple[str, str, int, bytes, str | None]],
) -> None:
    region, service = regions  # and a path as an HTTP client sends it: without dots
    sent = re.sub("/+", "/", canonical_path(path))
    signer = Signer(region, service)
    for access, secret, at, body, token in requests:
        headers = {
            "content-type": "application/x-amz-json-1.0",
            "host": "localhost:8000",
            "x-amz-date": amz_date(at),
            **({"x-amz-security-token": token} if token else {}),
            "x-amz-target": "DynamoDB_20120810.PutItem",
        }
        ours = signer.authorization(
            access, secret, path=canonical_path(sent), headers=headers, body=body
        )

        url = f"http://localhost:8000{sent}"
        theirs = signature(access, secret, region, service, url=url, headers=headers, body=body)
        assert ours.endswith(f"Signature={theirs}")
        assert f"Credential={access}/{amz_date(at)[:8]}/{region}/{service}/" in ours


def test_a_time_is_written_as_aws_reads_it() -> None:
    assert amz_date(1_440_938_160.9) == AT


def test_a_signer_shows_no_secret() -> None:
    signer = Signer("us-east-1", "service")
    signer.authorization(ACCESS, SECRET, headers={**HOST, "x-amz-date": AT}, body=b"")

    assert SECRET not in repr(signer)
