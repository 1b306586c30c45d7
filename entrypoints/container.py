"""The wiring: the one place where concrete adapters are named, chosen by the settings."""

from typing import Any

from dependency_injector import containers, providers

from adapters.memory.businesses import MemoryBusinesses
from adapters.memory.fanout import MemoryFanout
from adapters.memory.store import MemoryStore
from adapters.scripted import ScriptedAssistant
from adapters.system import RandomIds, SystemClock
from application.conversations import Conversations
from application.join import JoinConversation
from application.ports import Policy
from application.post_message import PostMessage
from application.privacy import Privacy
from application.sweep import Sweep
from application.transfers import Transfers
from application.turns import Turns
from entrypoints.messages_channel import MessagesServices
from entrypoints.metrics import Metrics
from entrypoints.settings import Settings
from entrypoints.wire import LiveChatAddress, Pushes


def _sqlite_store(path: str, synchronous: str) -> Any:
    from adapters.sqlite.store import SqliteStore

    return SqliteStore(path, synchronous="FULL" if synchronous == "full" else "NORMAL")


def _policy(settings: Settings) -> Policy:
    return Policy(
        turn_quiet_s=settings.turn_quiet_ms / 1000,
        turn_timeout_s=settings.turn_timeout_s,
        turn_max_tool_calls=settings.turn_max_tool_calls,
        ai_failures_before_transfer=settings.ai_failures_before_transfer,
        transfer_timeout_s=settings.transfer_timeout_s,
        session_idle_s=settings.session_idle_s,
        sweep_interval_s=settings.sweep_interval_s,
    )


class Container(containers.DeclarativeContainer):
    """Everything that the server is made of. What has `__aenter__` is opened by the lifespan."""

    settings = providers.Dependency(instance_of=Settings)
    policy = providers.Singleton(_policy, settings)

    clock = providers.Singleton(SystemClock)
    new_id = providers.Singleton(RandomIds)
    metrics = providers.Singleton(Metrics)
    fanout = providers.Singleton(MemoryFanout)
    businesses = providers.Singleton(MemoryBusinesses)
    store = providers.Selector(
        settings.provided.store,
        memory=providers.Singleton(MemoryStore),
        sqlite=providers.Singleton(
            _sqlite_store, settings.provided.sqlite_path, settings.provided.sqlite_synchronous
        ),
    )
    assistant = providers.Selector(
        settings.provided.assistant,
        scripted=providers.Singleton(
            lambda settings, clock: ScriptedAssistant(
                clock, delay_s=settings.scripted_delay_ms / 1000
            ),
            settings,
            clock,
        ),
    )
    live_chat = providers.Singleton(LiveChatAddress, None)

    conversations = providers.Singleton(
        Conversations, store=store, fanout=fanout, clock=clock, new_id=new_id, policy=policy
    )
    turns = providers.Singleton(
        Turns,
        conversations=conversations,
        assistant=assistant,
        businesses=businesses,
        observer=metrics,
        policy=policy,
    )
    join = providers.Singleton(
        JoinConversation, conversations=conversations, store=store, turns=turns
    )
    post = providers.Singleton(PostMessage, conversations=conversations, turns=turns, new_id=new_id)
    transfers = providers.Singleton(
        Transfers,
        conversations=conversations,
        store=store,
        businesses=businesses,
        turns=turns,
        new_id=new_id,
    )
    privacy = providers.Singleton(
        Privacy, archive=store, store=store, conversations=conversations, turns=turns
    )
    sweep = providers.Singleton(Sweep, store=store, transfers=transfers, turns=turns, clock=clock)
    messages = providers.Singleton(
        MessagesServices,
        join=join,
        post=post,
        transfers=transfers,
        store=store,
        fanout=fanout,
        pushes=providers.Singleton(Pushes, live_chat),
        live_chat=live_chat,
        refused=metrics.provided.refused,
    )
