"""A business's facts where an answer must not fail for the lack of them."""

from application.ports import Businesses
from domain.business import DEFAULT_LANGUAGE, Business
from domain.errors import Failure
from domain.identity import BusinessId
from domain.texts import NO_WORDS, Words


async def facts_if_known(businesses: Businesses, business_id: BusinessId) -> Business | None:
    """Return the business; None when it is unknown, or cannot be read at the moment."""
    try:
        return await businesses.business(business_id)
    except Failure:
        return None


async def language_of(businesses: Businesses, business_id: BusinessId) -> str:
    """Return the business's language; the default when it is unknown at the moment.

    A change of hands does not wait for the facts to be readable again.
    """
    return language_and_words(await facts_if_known(businesses, business_id))[0]


def language_and_words(business: Business | None) -> tuple[str, Words]:
    """Return a business's language, or the default, and its own wording of the server's texts."""
    return (business.language, business.words) if business else (DEFAULT_LANGUAGE, NO_WORDS)
