"""The recipient of a coordinator's message."""

import pytest

from domain.errors import InvalidPayload
from domain.identity import Customer, addressee, customer

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
