"""A double of the AI agent server's HTTP API, as far as the bridge uses it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from litestar import Litestar, Request, Response, get, post, put
from litestar.params import FromPath, FromQuery, JSONBody

START = datetime(2031, 1, 1, 12, 0, tzinfo=UTC)
Body = dict[str, Any]


class AgentServerDouble:
    """A double that executes and records every command, except those in `refusals`.

    It outlives the process that serves it: `app` makes another application with the same state.
    """

    def __init__(self) -> None:
        self.accepted: list[tuple[str, Body]] = []
        """Each requested status with its session, in order."""
        self.answers: list[tuple[str, Body]] = []
        """Each posted message with its session, in order."""
        self.keys: list[str] = []
        self.refusals: dict[str, str] = {}
        """Session id → the code that every command for it is refused with."""
        self.statuses: dict[str, str] = {}
        self.log: list[Body] = []
        """The entries that `/messages` pages through, each with its `seq`."""

    def app(self) -> Litestar:
        """Return the double as an application."""

        @put("/api/conversation-status/{session_id:str}")
        async def set_status(
            session_id: FromPath[str], data: JSONBody[Body], request: Request[Any, Any, Any]
        ) -> Response[Body]:
            if session_id in self.refusals:
                problem = {"code": self.refusals[session_id], "status": 409}
                return Response(problem, status_code=409, media_type="application/problem+json")
            self.accepted.append((session_id, data))
            self.keys.append(request.headers["idempotency-key"])
            self.statuses[session_id] = data["status"]
            return Response(self._head(session_id, data.get("coordinatorId")))

        @post("/api/agent-responses")
        async def speak(data: JSONBody[Body]) -> Body:
            session_id = data["sessionId"]
            self.answers.append((session_id, data))
            self.statuses[session_id] = "live"
            return {"messageId": data["messageId"], "sessionId": session_id, "status": "live"}

        @get("/api/conversations/{session_id:str}")
        async def head(session_id: FromPath[str]) -> Body:
            spoken = [body["coordinatorId"] for name, body in self.answers if name == session_id]
            return self._head(session_id, spoken[-1] if spoken else None)

        @get("/api/conversations/{session_id:str}/messages")
        async def messages(
            session_id: FromPath[str], before: FromQuery[int], limit: FromQuery[int]
        ) -> Body:
            earlier = [entry for entry in self.log if entry["seq"] < before]
            return {"messages": earlier[-limit:], "more": len(earlier) > limit}

        return Litestar(
            [set_status, speak, head, messages], openapi_config=None, logging_config=None
        )

    def _head(self, session_id: str, coordinator_id: str | None) -> Body:
        at = START + timedelta(seconds=len(self.accepted))
        return {
            "sessionId": session_id,
            "status": self.statuses.get(session_id, "ai"),
            "updatedAt": at.isoformat(),
            "summary": None,
            "transfer": {"coordinatorId": coordinator_id},
        }
