"""The two businesses of the demo, as their files have them."""

from pathlib import Path

from adapters.files.document import read_document
from adapters.memory.businesses import MemoryBusinesses
from domain.business import Business
from domain.identity import BusinessId

EXAMPLES = Path(__file__).parents[2] / "entrypoints" / "examples"


def demo_business(business_id: str) -> Business:
    """Return a business of the demo."""
    document = (EXAMPLES / business_id / "business.toml").read_bytes()
    business, mistakes = read_document(BusinessId(business_id), document)
    assert business is not None, mistakes
    return business


DEMO_BUSINESSES = (demo_business("b1"), demo_business("b2"))
DEMO_RESERVATIONS = {each.business_id: each.reservations for each in DEMO_BUSINESSES}


def demo_businesses() -> MemoryBusinesses:
    """Return the demo's businesses, and a reservation of each user of the first one."""
    return MemoryBusinesses(DEMO_BUSINESSES, DEMO_RESERVATIONS)
