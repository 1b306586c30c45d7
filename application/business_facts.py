"""A business's facts where an answer must not fail for the lack of them."""

from application.ports import Businesses
from domain.business import DEFAULT_LANGUAGE, Business
from domain.errors import Failure
from domain.identity import BusinessId


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
    return _language(await facts_if_known(businesses, business_id))


def last_language_of(businesses: Businesses, business_id: BusinessId) -> str:
    """Return the business's language as it was last read, without waiting; else the default."""
    return _language(businesses.last_read(business_id))


def _language(business: Business | None) -> str:
    return business.language if business is not None else DEFAULT_LANGUAGE
