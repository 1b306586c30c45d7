"""The whole mission once: a customer, the AI and a coordinator, through a server and a bridge."""

from tests.support.bridge_client import bridge_client
from tests.support.user import user


async def meet(server: str, bridge: str, *, of_ana: str, of_maria: str) -> None:
    """Let Ana chat with the AI, ask for a human, and talk with Maria.

    `server` and `bridge`: addresses such as `127.0.0.1:40123`; `of_ana` and `of_maria`: tokens of
    the user u1 and of the coordinator Maria, of the business b1.
    """
    async with user(server) as ana:
        await ana.join(token=of_ana)
        await ana.say("Bună! Ce program aveți?")
        answer = await ana.wait_for("new_message", author="ai")
        assert answer["message"]

        joining = {"businessId": "b1", "coordinatorId": "Maria", "token": of_maria}
        async with bridge_client(bridge, "coordinators:b1", joining) as maria:
            await ana.ask_for_human()
            waits = await maria.wait_for("notification", type="waiting")
            await maria.send("claim", sessionId=waits["chat"]["sessionId"])
            live = {"businessId": "b1", "userId": "u1", "coordinatorId": "Maria", "token": of_maria}
            async with bridge_client(bridge, "chat:b1:u1", live) as talk:
                await talk.send("agent_message", message="Bună, sunt Maria.", messageId="m1")
                said = await ana.wait_for("agent_message")
                await ana.say("Bună, Maria!")
                await talk.wait_for("user_message", message="Bună, Maria!")
        assert said["message"] == "Bună, sunt Maria."
