"""What a business's documents say about a question, found before the AI is asked."""

from application.ports import Clock, Knowledge, Observer
from application.time_limit import OutOfTime, within
from domain.errors import KnowledgeUnavailable
from domain.knowledge import MAX_PASSAGES, MAX_QUERY, Passage, fit_passages, topic_words
from domain.view import View

SEARCH_S = 1.0
"""The longest that an answer waits for passages."""


async def passages_for(
    view: View, knowledge: Knowledge, *, max_tokens: int, clock: Clock, observer: Observer
) -> tuple[Passage, ...]:
    """Return the passages that fit the pending messages best, in `max_tokens` at most.

    None where nothing fits, or the search fails: the answer does not depend on it.
    """
    query = view.question[-MAX_QUERY:]
    if not topic_words(query):
        return ()
    business_id = view.session.customer.business_id
    searching = knowledge.search(business_id, query, MAX_PASSAGES)
    try:
        return fit_passages(await within(SEARCH_S, searching, clock), max_tokens)
    except OutOfTime:
        observer.search_failed(KnowledgeUnavailable(f"no result after {SEARCH_S:g} s"))
    except Exception as error:  # whatever it was, an acknowledged message is answered
        observer.search_failed(error)
    return ()
