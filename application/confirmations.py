"""A person's yes or no to a call of a tool that waits for it: the first answer counts, for ever."""

from dataclasses import dataclass

from application.business_facts import facts_if_known, language_and_words
from application.ports import Businesses, NewId, SessionStore
from application.session_log import SessionLog
from application.turns import Turns
from domain.errors import (
    ConfirmationExpired,
    ConfirmationWithdrawn,
    DuplicateMessage,
    UnknownConfirmation,
)
from domain.identity import CoordinatorId, Customer, MessageId, SessionId
from domain.message import Message
from domain.session import Draft, Session
from domain.tool import Confirmer
from domain.write_call import WriteState, WriteStep
from domain.write_decisions import answer_question

PAGE, MAX_PAGES = 100, 20
"""Entries that are read at once, and how often at most, for what has become of a question."""
_YES = WriteState.APPROVED
_WITHOUT_ANSWER = {
    WriteState.EXPIRED: ConfirmationExpired,
    WriteState.WITHDRAWN: ConfirmationWithdrawn,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmations:
    """Stores the answers to questions for a yes, and wakes the turn that acts on them."""

    session_log: SessionLog
    store: SessionStore
    businesses: Businesses
    turns: Turns
    new_id: NewId

    async def by_customer(self, customer: Customer, confirm_id: str, answer: bool) -> bool:
        """Store the customer's answer, as a message of theirs; return the one that counts.

        Raises: UnknownConfirmation, ConfirmationExpired, ConfirmationWithdrawn, StorageUnavailable.
        """
        return await self._answer(customer, confirm_id, answer, Confirmer.CUSTOMER)

    async def by_coordinator(
        self,
        session_id: SessionId,
        confirm_id: str,
        answer: bool,
        coordinator_id: CoordinatorId | None,
    ) -> bool:
        """Store a coordinator's answer, which takes nothing over; return the one that counts.

        Raises: UnknownConfirmation, ConfirmationExpired, ConfirmationWithdrawn, StorageUnavailable.
        """
        loaded = await self.store.load(session_id)
        if loaded is None or not confirm_id.startswith(f"{session_id}-"):
            raise UnknownConfirmation
        customer = loaded.session.customer
        return await self._answer(
            customer, confirm_id, answer, Confirmer.COORDINATOR, coordinator_id
        )

    async def _answer(
        self,
        customer: Customer,
        confirm_id: str,
        answer: bool,
        by: Confirmer,
        coordinator_id: CoordinatorId | None = None,
    ) -> bool:
        business = await facts_if_known(self.businesses, customer.business_id)
        language, words = language_and_words(business)
        message_id = MessageId(self.new_id())

        def decide(session: Session | None) -> Draft | None:
            context = self.session_log.decision_context(language, words)
            return answer_question(
                session, confirm_id, answer, context, message_id, by, coordinator_id
            )

        try:
            session = await self.session_log.commit(customer, decide)
        except (DuplicateMessage, ConfirmationWithdrawn):
            answer = await self._what_counts(customer, confirm_id, by)
            # The first time it may have seemed to fail, and then it has woken no turn.
            cached = await self.session_log.reload(customer)
            session = cached.session if cached is not None else None
        if session is not None and session.needs_answer:
            self.turns.wake(customer)
        return answer

    async def _what_counts(self, customer: Customer, confirm_id: str, by: Confirmer) -> bool:
        """Return the answer that was given before.

        Raises: UnknownConfirmation, ConfirmationExpired, ConfirmationWithdrawn, StorageUnavailable.
        """
        session_id, _, digits = confirm_id.rpartition("-")
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 10):
            raise UnknownConfirmation
        loaded = await self.store.load(SessionId(session_id)) if session_id else None
        if loaded is None or loaded.session.customer != customer:
            raise UnknownConfirmation
        after, is_first = int(digits) - 1, True
        for _ in range(MAX_PAGES):
            page = await self.store.page(SessionId(session_id), after=after, limit=PAGE)
            steps = [step for entry in page if (step := _step(entry, confirm_id)) is not None]
            if is_first and not (steps and steps[0].confirm is by):
                break
            is_first = False
            for step in steps:
                if step.state in _WITHOUT_ANSWER:
                    raise _WITHOUT_ANSWER[step.state]
                if step.state in (_YES, WriteState.REJECTED):
                    return step.state is _YES
            if len(page) < PAGE:
                # Its owner has changed, and nothing has told so in words.
                raise ConfirmationWithdrawn
            after = page[-1].seq
        raise UnknownConfirmation


def _step(entry: object, call_id: str) -> WriteStep | None:
    step = entry.write if isinstance(entry, Message) else None
    return step if step is not None and step.call_id == call_id else None
