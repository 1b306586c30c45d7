"""Hooks and fixtures of every test."""

import os
from collections.abc import Generator, Iterator

import pytest
from hypothesis import settings

from tests.support.discretion import discreet

# A busy machine is no failure: the time limit of the whole test is the only one.
settings.register_profile("unhurried", settings(), deadline=None)
settings.load_profile("unhurried")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skip into a failure where CI is set: there, nothing may be left out."""
    report = yield
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
    return report


@pytest.fixture(autouse=True)
def _logs_tell_no_secrets() -> Iterator[None]:
    """No test makes a server log what its users say, or a token."""
    with discreet():
        yield
