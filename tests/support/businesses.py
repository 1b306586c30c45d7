"""The two businesses of the demo, from their files."""

import atexit
from functools import cache
from pathlib import Path
from shutil import copyfile, rmtree
from tempfile import mkdtemp

from adapters.files.document import read_business_file
from adapters.memory.businesses import MemoryBusinesses
from domain.business import Business
from domain.identity import BusinessId

EXAMPLES = Path(__file__).parents[2] / "entrypoints" / "examples"


@cache
def demo_folder_without_documents() -> Path:
    """Return a folder with the demo's businesses: nothing is indexed, and nothing logged of it."""
    folder = Path(mkdtemp(prefix="businesses-"))
    atexit.register(rmtree, folder)
    for file in EXAMPLES.glob("*/business.toml"):
        copyfile(file, folder / f"{file.parent.name}.toml")
    return folder


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
