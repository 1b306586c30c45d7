"""The two businesses of the demo, from their files."""

from pathlib import Path

from adapters.files.document import read_business_file
from adapters.memory.businesses import MemoryBusinesses
from domain.business import Business
from domain.identity import BusinessId

EXAMPLES = Path(__file__).parents[2] / "entrypoints" / "examples"


def example(business_id: str) -> Business:
    """Return a business of the demo, as its file has it."""
    document = (EXAMPLES / business_id / "business.toml").read_bytes()
    business, mistakes = read_business_file(BusinessId(business_id), document)
    assert business is not None, mistakes
    return business


def _bare(business: Business) -> Business:
    """Return a business with its facts alone: what else it has, a test adds."""
    return Business(
        business_id=business.business_id,
        name=business.name,
        language=business.language,
        persona=business.persona,
        facts=business.facts,
    )


_EXAMPLES = (example("b1"), example("b2"))
DEMO_BUSINESSES = (_bare(_EXAMPLES[0]), _bare(_EXAMPLES[1]))
DEMO_RESERVATIONS = {each.business_id: each.reservations for each in _EXAMPLES}


def demo_businesses() -> MemoryBusinesses:
    """Return the demo's businesses, and a reservation of each user of the first one."""
    return MemoryBusinesses(DEMO_BUSINESSES, DEMO_RESERVATIONS)
