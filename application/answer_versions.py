"""What answers are made with, as the versions that are stored with them."""

from dataclasses import dataclass, field

from msgspec.structs import replace

from application.ports import Assistant, Knowledge
from application.tools import OWN_TOOLS
from domain.business import Business, ModelSettings, Website
from domain.digest import digest_of
from domain.identity import BusinessId
from domain.message import AnswerVersion

_OWN_TOOLS = digest_of([each.tool for each in OWN_TOOLS])
MAX_REMEMBERED = 10_000
"""Businesses whose digests are remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerVersions:
    """Returns the version of the answers that are made for a business now.

    A business's digests are made once for each reading of its file, and those for all of which
    nothing is known once for what the assistant is told.
    """

    assistant: Assistant
    knowledge: Knowledge | None
    _digests: dict[BusinessId, tuple[Business, str, str]] = field(default_factory=dict)
    _of_unknown: dict[str, AnswerVersion] = field(default_factory=dict)
    """By the assistant's version: the newest alone."""

    async def __call__(self, business: Business | None) -> AnswerVersion:
        """`business`: None, where nothing is known of it."""
        if business is None:
            return self._version_of_unknown()
        _, prompt, tools = self._digests_of(business)
        documents = ""
        if self.knowledge is not None and business.has_knowledge:
            documents = await self.knowledge.version(business.business_id)
        return AnswerVersion(prompt=prompt, knowledge=documents, tools=tools)

    def _version_of_unknown(self) -> AnswerVersion:
        told = self.assistant.version
        if (known := self._of_unknown.get(told)) is None:
            self._of_unknown.clear()
            prompt, tools = digest_of((told, None)), digest_of((_OWN_TOOLS, ()))
            known = self._of_unknown[told] = AnswerVersion(prompt=prompt, tools=tools)
        return known

    def _digests_of(self, business: Business) -> tuple[Business, str, str]:
        known = self._digests.get(business.business_id)
        if known is None or known[0] is not business:
            told = digest_of((self.assistant.version, _told(business)))
            tools = digest_of((_OWN_TOOLS, business.tool_servers))
            known = business, told, tools
            if len(self._digests) >= MAX_REMEMBERED:
                self._digests.clear()
            self._digests[business.business_id] = known
        return known


def _told(business: Business) -> Business:
    """Return a business with what its answers depend on, but model, documents and tools."""
    return replace(
        business,
        greeting="",
        suggestions=(),
        welcomes={},
        website=Website(),
        model=ModelSettings(),
        has_knowledge=False,
        tool_servers=(),
        reservations=(),
    )
