"""The documents of businesses in memory, found by the words that they share with a query."""

from collections.abc import Mapping, Sequence

from application.ports import Knowledge
from domain.identity import BusinessId
from domain.knowledge import Finding, Passage, topic_words


class MemoryKnowledge(Knowledge):
    """Searches the passages that it is created with."""

    def __init__(self, passages: Mapping[str, Sequence[Passage]]) -> None:
        """`passages`: by the id of the business."""
        self._passages = {
            BusinessId(business_id): [
                (each, topic_words(f"{each.title} {each.text}")) for each in of
            ]
            for business_id, of in passages.items()
        }

    async def search(
        self, business_id: BusinessId, query: str, limit: int = 5
    ) -> tuple[Finding, ...]:
        asked = topic_words(query)
        scored = [
            Finding(passage=passage, score=float(len(asked & words)))
            for passage, words in self._passages.get(business_id, ())
        ]
        found = sorted(scored, key=lambda finding: -finding.score)[:limit]
        return tuple([finding for finding in found if finding.score > 0])
