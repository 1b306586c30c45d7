"""The recipient of a coordinator's message."""

import pytest

from domain.errors import InvalidPayload
from domain.identity import (
    BusinessId,
    Customer,
    UserId,
    addressee,
    customer,
    live_chat_topic,
    stored_customer,
)

ANA = customer("b1", "ana")


@pytest.mark.parametrize(
    ("owner", "named", "recipient"),
    [
        (None, ("b1", "ana"), ANA),
        (ANA, (None, None), ANA),
        (ANA, ("b1", None), ANA),
        (ANA, (None, "ana"), ANA),
        (ANA, ("b1", "ana"), ANA),
        (None, (None, None), None),
        (None, ("b1", None), None),
        (None, (None, "ana"), None),
        (ANA, ("b2", None), None),
        (ANA, ("b1", "dan"), None),
    ],
)
def test_a_coordinators_message_goes_to_the_owner_of_its_session_or_to_the_user_named(
    owner: Customer | None, named: tuple[str | None, str | None], recipient: Customer | None
) -> None:
    if recipient is not None:
        assert addressee(owner, *named) == recipient
    else:
        with pytest.raises(InvalidPayload):
            addressee(owner, *named)


def test_a_business_id_has_no_colon_so_that_a_topic_names_one_customer() -> None:
    with pytest.raises(InvalidPayload, match="businessId must not contain a colon"):
        customer("a:b", "c")

    assert live_chat_topic(customer("a", "b:c")) == "chat:a:b:c"


def test_a_customer_stored_under_an_id_that_is_refused_today_shares_no_topic() -> None:
    stored = stored_customer("a:b", "c")

    assert stored == Customer(BusinessId("a:b"), UserId("c"))
    assert live_chat_topic(stored) != live_chat_topic(customer("a", "b:c"))


@pytest.mark.parametrize("bad", ["", "a b", "a/b", "ă", None])
def test_what_was_never_an_id_is_none_of_a_stored_customer_either(bad: object) -> None:
    with pytest.raises(InvalidPayload):
        stored_customer("b1", bad)
