"""OpenAI's Chat Completions, and Azure's two editions of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from tests.support.openai_stub import Json
from tests.support.providers.chat import KEY, Chat, calls_of, is_name
from tests.support.providers.toy_model import Reply
from tests.support.providers.wire import Received, Refused, sse

PARAMETERS = frozenset(  # https://platform.openai.com/docs/api-reference/chat/create
    (
        *("model", "messages", "stream", "stream_options", "tools", "tool_choice"),
        *("parallel_tool_calls", "max_completion_tokens", "max_tokens", "reasoning_effort"),
        *("store", "metadata", "temperature", "top_p", "n", "stop", "seed", "user", "verbosity"),
        *("response_format", "frequency_penalty", "presence_penalty", "logit_bias", "logprobs"),
        *("top_logprobs", "modalities", "audio", "prediction", "service_tier", "prompt_cache_key"),
        *("prompt_cache_retention", "safety_identifier", "web_search_options"),
        *("prompt_cache_options", "moderation", "functions", "function_call"),
    )
)
MESSAGE_FIELDS: dict[str, frozenset[str]] = {
    "system": frozenset(("role", "content", "name")),
    "developer": frozenset(("role", "content", "name")),
    "user": frozenset(("role", "content", "name")),
    "assistant": frozenset(("role", "content", "name", "refusal", "audio", "tool_calls")),
    "tool": frozenset(("role", "content", "tool_call_id")),
}
CALL_FIELDS = frozenset(("id", "type", "function"))


@dataclass(frozen=True, slots=True)
class OpenAIModel:
    """The parameters that a model accepts."""

    efforts: tuple[str, ...]
    """Of reasoning; (): none may be named."""
    default: str = "none"
    tools_on_chat: str = "always"
    """`always`; `unnamed`: where no effort but `none` is named; `none`: where `none` is named;
    `never`."""
    tells_way: bool = False
    """True if the refusal of tools names the effort `none`, whether or not that helps."""
    on_chat: bool = True
    efforts_of_responses: tuple[str, ...] = ()
    """Those that Chat does not have."""


_EFFORTS = ("none", "low", "medium", "high", "xhigh")
MODELS = {
    # BerriAI/litellm#34569: tools only 400, with low 400, with none 200. livekit/agents#7169: the
    # efforts that there are.
    "gpt-5.6-sol": OpenAIModel(_EFFORTS, "medium", "none", tells_way=True),
    # onyx-dot-app/onyx#15008
    "gpt-6-sol": OpenAIModel(_EFFORTS, "medium", "none", tells_way=True),
    # genkit-ai/genkit#6303: it advises `none`, and refuses it. BerriAI/litellm-docs#1173: `max`.
    "gpt-6-astra": OpenAIModel(
        _EFFORTS[1:], "low", "never", tells_way=True, efforts_of_responses=("max",)
    ),
    # jeffdafoe/llm-memory-api#178, charmbracelet/crush#2913; bolna-ai/bolna#1019: `none` helps
    "gpt-5.5": OpenAIModel(_EFFORTS, "medium", "none"),
    # pipecat-ai/pipecat#4043; livekit/agents#7169: "which just need it absent"
    "gpt-5.4-mini": OpenAIModel(_EFFORTS, "none", "unnamed"),
    # embabel/embabel-agent#1895: "the *-pro models were rejected outright"
    "gpt-5.5-pro": OpenAIModel(("medium", "high", "xhigh"), "high", on_chat=False),
    "gpt-4.1": OpenAIModel(()),
}


class OpenAI(Chat):
    """https://platform.openai.com/docs/api-reference/chat"""

    window: ClassVar[int] = 272_000
    message_fields: ClassVar[dict[str, frozenset[str]]] = MESSAGE_FIELDS

    @property
    def rules(self) -> OpenAIModel:
        """The rules of the model."""
        return MODELS[self.model]

    def authorize(self, request: Received) -> None:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            text = (
                "Incorrect API key provided. You can find your API key at "
                "https://platform.openai.com/account/api-keys."
            )
            raise self.refused(401, text, code="invalid_api_key")

    def check_parameters(self, body: Json) -> None:
        if not self.rules.on_chat:
            text = (
                "This is not a chat model and thus not supported in the v1/chat/completions "
                "endpoint. Did you mean to use v1/completions?"
            )
            raise self.refused(404, text, param="model")
        for name in body:
            if name not in PARAMETERS:
                raise self.unknown_parameter(name)
        if "max_tokens" in body and self.rules.efforts:  # fish2018/YPrompt#26
            raise self.unsupported(
                "max_tokens",
                "is not supported with this model. Use 'max_completion_tokens' instead.",
            )
        if "stop" in body and self.rules.efforts:  # bolna-ai/bolna#1019
            raise self.unsupported("stop", "is not supported with this model.")
        if body.get("temperature") not in (None, 1) and self.rules.efforts:
            text = (
                "Unsupported value: 'temperature' does not support "
                f"{body['temperature']} with this model. Only the default (1) value is supported."
            )
            raise self.refused(400, text, param="temperature", code="unsupported_value")
        efforts = self.rules.efforts
        self.check_effort(body.get("reasoning_effort"), "reasoning_effort", efforts)
        if body.get("stream_options") is not None and not body.get("stream"):
            text = "The 'stream_options' parameter is only allowed when 'stream' is enabled."
            raise self.refused(400, text, param="stream_options")

    def check_effort(self, effort: Any, param: str, efforts: Sequence[str]) -> None:
        """Raises: Refused, for an effort that the model does not know."""
        if effort is None:
            return
        if not self.rules.efforts:
            raise self.unsupported(param, "is not supported with this model.")
        if effort not in efforts:  # livekit/agents#7169, genkit-ai/genkit#6303
            *first, last = [f"'{each}'" for each in efforts]
            known = f"{', '.join(first)}, and {last}"
            text = (
                f"Unsupported value: '{param}' does not support '{effort}' with this model. "
                f"Supported values are: {known}."
            )
            raise self.refused(400, text, param=param, code="unsupported_value")

    def check_tools(self, body: Json) -> None:
        tools = body.get("tools")
        if tools is None:
            if "tool_choice" in body:
                text = (
                    "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' "
                    "are specified."
                )
                raise self.refused(400, text, param="tool_choice")
            return
        if not tools:
            text = (
                "Invalid 'tools': empty array. Expected an array with minimum length 1, but got an "
                "empty array instead."
            )
            raise self.refused(400, text, param="tools", code="empty_array")
        for index, tool in enumerate(tools):
            if not is_name((tool.get("function") or {}).get("name")):
                text = f"Missing required parameter: 'tools[{index}].function.name'."
                param = f"tools[{index}].function.name"
                raise self.refused(400, text, param=param, code="missing_required_parameter")
        effort = body.get("reasoning_effort")
        rule = self.rules.tools_on_chat
        refused = {
            "always": False,
            "unnamed": effort not in (None, "none"),
            "none": effort != "none",
            "never": True,
        }
        if refused[rule]:
            # GoogleChromeLabs/webmcp-tools#417; the older wording: pipecat-ai/pipecat#4043
            way = (
                "To use function tools, use /v1/responses or set reasoning_effort to 'none'."
                if self.rules.tells_way
                else "Please use /v1/responses instead."
            )
            text = (
                f"Function tools with reasoning_effort are not supported for {self.model} in "
                f"/v1/chat/completions. {way}"
            )
            raise self.refused(400, text, param="reasoning_effort")

    def check_messages(self, messages: Sequence[Json]) -> None:
        super().check_messages(messages)
        for index, message in enumerate(messages):
            for field in message.keys() - self.message_fields[message["role"]]:
                raise self.unknown_parameter(f"messages[{index}].{field}")
            for number, call in enumerate(calls_of(message)):
                where = f"messages[{index}].tool_calls[{number}]"
                for field in call.keys() - CALL_FIELDS:
                    raise self.unknown_parameter(f"{where}.{field}")
                if not is_name(call["function"].get("name")):
                    text = (
                        f"Invalid '{where}.function.name': string does not match pattern. Expected "
                        "a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
                    )
                    param = f"{where}.function.name"
                    raise self.refused(400, text, param=param, code="invalid_value")
                if len(str(call.get("id"))) > 40:
                    text = (
                        f"Invalid '{where}.id': string too long. Expected a string with maximum "
                        f"length 40, but got a string with length {len(str(call['id']))} instead."
                    )
                    param = f"{where}.id"
                    raise self.refused(400, text, param=param, code="string_above_max_length")

    def unknown_parameter(self, name: str) -> Refused:
        """Return the error for a parameter that there is not."""
        text = f"Unknown parameter: '{name}'."
        return self.refused(400, text, param=name, code="unknown_parameter")

    def unsupported(self, name: str, why: str) -> Refused:
        """Return the error for a parameter that this model or API does not have."""
        text = f"Unsupported parameter: '{name}' {why}"
        return self.refused(400, text, param=name, code="unsupported_parameter")

    def rate_limited(self) -> Refused:
        # vanderschaarlab/climb#1
        text = (
            f"Rate limit reached for {self.model} in organization org-quirky on tokens per min "
            "(TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 1s. Visit "
            "https://platform.openai.com/account/rate-limits to learn more."
        )
        return self.refused(
            429, text, kind="tokens", code="rate_limit_exceeded", headers={"retry-after": "1"}
        )

    def refusal_chunk(self, piece: str) -> bytes:
        # https://platform.openai.com/docs/guides/structured-outputs#refusals
        return self.chunk({"refusal": piece})

    def document(self, body: Json, reply: Reply, usage: Json) -> Json:
        made = super().document(body, replace(reply, refusal=""), usage)
        made["choices"][0]["message"]["refusal"] = reply.refusal or None
        return made

    def usage(self, body: Json, reply: Reply, cached: int) -> Json:
        # Hidden, and paid for: https://platform.openai.com/docs/guides/reasoning
        counts = super().usage(body, reply, cached)
        effort = body.get("reasoning_effort") or self.rules.default
        thought = 0 if effort == "none" else 64
        counts["completion_tokens"] += thought
        counts["total_tokens"] += thought
        counts["completion_tokens_details"] = {"reasoning_tokens": thought}
        return counts


class UnverifiedOpenAI(OpenAI):
    """An organization that is not verified may not stream: chatboxai/chatbox#2263."""

    def check_parameters(self, body: Json) -> None:
        super().check_parameters(body)
        if body.get("stream"):
            text = (
                "Your organization must be verified to stream this model. Please go to: "
                "https://platform.openai.com/settings/organization/general and click on Verify "
                "Organization."
            )
            raise self.refused(400, text, param="stream", code="unsupported_value")


_SAFE = {"filtered": False, "severity": "safe"}
_RESULTS = {"hate": _SAFE, "self_harm": _SAFE, "sexual": _SAFE, "violence": _SAFE}


class Azure(OpenAI):
    """https://learn.microsoft.com/azure/foundry/openai/api-version-lifecycle: the v1 API.

    The model is a deployment's name. The key is a bearer token, or the header `api-key`.
    """

    def authorize(self, request: Received) -> None:
        if KEY not in (
            request.headers.get("api-key"),
            request.headers.get("authorization", "").removeprefix("Bearer "),
        ):
            raise self.wrong_key()

    def wrong_key(self) -> Refused:
        """Return the error for a wrong key."""
        text = (  # microsoft/semantic-kernel#10337
            "Access denied due to invalid subscription key or wrong API endpoint. Make sure to "
            "provide a valid key for an active subscription and use a correct regional API "
            "endpoint for your resource."
        )
        return Refused(401, {"error": {"code": "401", "message": text}})

    def not_found(self, request: Received) -> Refused:
        return Refused(404, {"error": {"code": "404", "message": "Resource not found"}})

    def unknown_model(self, model: str) -> Refused:
        text = (  # chatboxai/chatbox#646
            "The API deployment for this resource does not exist. If you created the deployment "
            "within the last 5 minutes, please wait a moment and try again."
        )
        return Refused(404, {"error": {"code": "DeploymentNotFound", "message": text}})

    def rate_limited(self) -> Refused:
        text = (  # alex-wolf-ps/dbchatprov2#2
            "Requests to the ChatCompletions_Create Operation under Azure OpenAI API version "
            "2024-10-21 have exceeded token rate limit of your current OpenAI S0 pricing tier. "
            "Please retry after 1 seconds."
        )
        return Refused(429, {"error": {"code": "429", "message": text}}, {"retry-after": "1"})

    def filtered_prompt(self) -> Refused:
        """Return the error for a prompt that the content filter withholds."""
        text = (  # compl-ai/compl-ai#20
            "The response was filtered due to the prompt triggering Azure OpenAI's content "
            "management policy. Please modify your prompt and retry. To learn more about our "
            "content filtering policies please read our documentation: "
            "https://go.microsoft.com/fwlink/?linkid=2198766"
        )
        violence = {"filtered": True, "severity": "medium"}
        error = {
            "message": text,
            "type": None,
            "param": "prompt",
            "code": "content_filter",
            "status": 400,
            "innererror": {
                "code": "ResponsibleAIPolicyViolation",
                "content_filter_result": {**_RESULTS, "violence": violence},
            },
        }
        return Refused(400, {"error": error})

    def events(self, body: Json, reply: Reply, usage: Json) -> Iterator[bytes]:
        # AbanteAI/archive-old-cli-mentat#429: the first event has no choices
        verdict = {"prompt_index": 0, "content_filter_results": _RESULTS}
        empty = {"id": "", "object": "", "created": 0, "model": ""}
        yield sse({**empty, "choices": [], "prompt_filter_results": [verdict]})
        yield from super().events(body, reply, usage)

    def closing(self, body: Json, finish: str, usage: Json) -> Iterator[bytes]:
        # microsoft/autogen#6465: a choice without a delta
        choice = {"finish_reason": None, "index": 0, "content_filter_results": _RESULTS}
        yield sse({"id": "", "choices": [choice], "created": 0, "model": "", "object": ""})
        yield from super().closing(body, finish, usage)


class ClassicAzure(Azure):
    """https://learn.microsoft.com/azure/ai-services/openai/reference: deployments and dates.

    `/openai/deployments/{deployment}/chat/completions?api-version=…`; the model in the body is
    ignored. A key goes into `api-key`; a bearer token is one of Entra ID.
    """

    names_model: ClassVar[bool] = False

    def check(self, request: Received) -> None:
        deployment = request.path.split("/")[3] if request.path.count("/") > 3 else ""
        if not request.query.get("api-version"):
            raise self.not_found(request)
        if deployment.partition("+")[0] != self.model:
            raise self.unknown_model(deployment)
        super().check(request)

    def authorize(self, request: Received) -> None:
        # continuedev/continue#4601; a JWT begins with eyJ
        token = request.headers.get("authorization", "")
        if request.headers.get("api-key") != KEY and not token.startswith("Bearer eyJ"):
            raise self.wrong_key()
