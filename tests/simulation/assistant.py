"""An assistant that answers in pieces, delays, fails, starts over or requests a human by a seed."""

from collections.abc import Sequence
from random import Random
from typing import TYPE_CHECKING

from application.ports import AnswerWriter, Assistant, SummaryResult, Toolbox
from application.tools import TRANSFER
from domain.business import Business
from domain.errors import AssistantFailed
from domain.identity import Customer
from domain.message import Entry
from domain.usage import Usage
from domain.view import View
from domain.write_call import WriteStep
from tests.simulation.tools import TOOLS
from tests.simulation.write_rules import Decision, decision

if TYPE_CHECKING:
    from tests.simulation.node import Node


class Attempt:
    """One call of the model, and what it has written."""

    def __init__(self, customer: Customer, node: "Node", number: int, begun: float) -> None:
        self.customer = customer
        self.node = node
        self.number = number
        self.begun = begun
        self.text = ""
        self.written_at = begun
        self.is_running = True


class SimulatedAssistant(Assistant):
    """The model of one node."""

    def __init__(self, node: "Node") -> None:
        self._node = node

    async def answer(self, view: View, toolbox: Toolbox, writer: AnswerWriter) -> Usage | None:
        node, world = self._node, self._node.world
        random = Random(world.random.getrandbits(32))
        rules = world.rules
        attempt = rules.model_called(view.session.customer, node, view)
        run = attempt.number
        try:
            mood = random.choices(["answer", "fail", "hang", "restart", "transfer"], world.moods)[0]
            await node.clock.sleep(random.choice([0.01, 0.2, 1.0]))
            pieces = random.randint(1, world.pieces)
            calls = random.choices([None, *range(pieces)], k=2) if world.has_tools else []
            for index in range(pieces):
                for number, _ in filter(lambda each: each[1] == index, enumerate(calls)):
                    await self._call(run, number, view, toolbox, random)
                if mood in ("fail", "restart") and index == pieces // 2:
                    if mood == "fail":
                        raise AssistantFailed
                    writer.restart()
                    attempt = rules.model_restarted(attempt)
                rules.model_wrote(attempt, piece := f"a{attempt.number}.{index} ")
                writer(piece)
                if mood == "hang" and index == pieces // 2:
                    await node.clock.sleep(1000)
                await node.clock.sleep(random.choice([0.0, 0.01, 0.06, 0.3, 0.8]))
            if mood == "transfer":
                await toolbox.call(TRANSFER, {"summary": "wants a human"})
            return None
        finally:
            attempt.is_running = False

    async def _call(
        self, run: int, number: int, view: View, toolbox: Toolbox, random: Random
    ) -> None:
        """Decide to call a tool, sometimes the same as before."""
        session = view.session
        name = random.choice([tool.name for tool in TOOLS])
        made = Decision(run, number, session.session_id, session.epoch, session.settled_seq)
        self._node.world.spring("asked", self._node, session.customer)
        within = decision.set(made)
        try:
            result = await toolbox.call(
                name, {"date": "2030-01-02", "guests": random.randint(1, 3)}
            )
        finally:
            decision.reset(within)
        if isinstance(step := result.value, WriteStep):
            self._node.world.rules.writes.told_model(step)

    async def summarise(
        self,
        earlier: str | None,
        entries: Sequence[Entry],
        language: str,
        *,
        max_tokens: int,
        business: Business | None = None,
    ) -> SummaryResult:
        return SummaryResult("Rezumat.")
