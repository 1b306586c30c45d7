"""The commands for the folder of businesses, without a running server."""

import asyncio
import logging
import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from click import ClickException
from msgspec.structs import asdict, replace

from adapters.model_choices import ModelChoice, model_key
from adapters.urls import shown_url
from domain.business import Business
from domain.hours import OpeningHours
from domain.hours_text import dates_text, week_text
from domain.identity import BusinessId, business_identifier
from domain.language import NOTICE_LANGUAGES, language_name, lookup
from domain.tool import AllowedTool
from entrypoints.cli.operations import CONTROLS
from entrypoints.programs import EXAMPLES, OWN_FOLDER
from entrypoints.server.container import Container
from entrypoints.settings import Settings

TEMPLATES = {"bistro": "b1", "dental": "b2"}
_DOCUMENTS = "knowledge"
"""The folder of a business's documents."""
_DEMO = "  # demo"
"""The end of a line that is for the demo alone."""


def folder_of_businesses(settings: Settings) -> Path:
    """Return the folder that the commands are for."""
    return Path(settings.businesses or OWN_FOLDER)


def new_business(settings: Settings, name: str, template: str) -> str:
    """Create a business from an example; return what to do next. Raises: ConversationError."""
    business_id = business_identifier("NAME", name)
    folder = folder_of_businesses(settings)
    taken = [each.name for each in folder.iterdir()] if folder.is_dir() else []
    for each in taken:
        if each.removesuffix(".toml").casefold() == business_id.casefold():
            raise ClickException(f"{folder / each} is there already")
    try:
        shutil.copytree(EXAMPLES / TEMPLATES[template], folder / business_id)
        file = folder / business_id / "business.toml"
        lines = file.read_text("utf-8").splitlines(keepends=True)
        own = [line for line in lines if not line.rstrip().endswith(_DEMO)]
        file.write_text("".join(own), "utf-8")
    except OSError as error:
        raise ClickException(f"{folder / business_id}: {error.strerror}") from error
    return (
        f"{file} is yours to edit; {file.parent / 'knowledge'}{os.sep} is for documents.\n"
        f"Then: ai-agent-server business check {business_id}"
    )


def list_businesses(settings: Settings) -> str:
    """List the businesses of the folder, and those with mistakes."""
    known, mistakes = _read(settings)
    rows = {
        each.business_id: f"{each.language:<6} {each.name}"
        f"{', with documents' if each.has_knowledge else ''}"
        for each in known
    }
    rows |= {BusinessId(name): f"{len(found)} mistakes" for name, found in mistakes.items()}
    return "\n".join(f"{name:<20} {rows[name]}" for name in sorted(rows)) or "no businesses"


def find_mistakes(settings: Settings, name: str | None) -> tuple[list[str], list[str]]:
    """Return the mistakes of the businesses, or of one, and what is right but worth knowing."""
    known, found = _read(settings)
    folder = folder_of_businesses(settings)
    if name is not None:
        known = [each for each in known if each.business_id == name]
        found = {key: lines for key, lines in found.items() if key == name}
        if not known and not found:
            raise ClickException(f"there is no business {name} in {folder}")
    mistakes = [line for lines in found.values() for line in lines]
    notes = list[str]()
    for business in known:
        mistakes += [f"{business.business_id}: {line}" for line in _problems(business, folder)]
        mistakes += _unread_documents(business, folder)
        notes += [f"{business.business_id}: {line}" for line in _notes(business, settings)]
    for where, problems, tools in _tool_problems(known, folder):
        mistakes += [f"{where}: {CONTROLS.sub('', problem)}" for problem in problems]
        if tools:
            notes.append(f"{where}: the assistant gets {', '.join(tools)}")
    return mistakes, notes


def show_business(settings: Settings, name: str) -> str:
    """Return what is in force for a business. Raises: ClickException."""
    known, mistakes = _read(settings)
    for business in known:
        if business.business_id == name:
            return "\n".join(_shown(business, settings))
    if name in mistakes:
        raise ClickException("\n".join(mistakes[name]))
    raise ClickException(f"there is no business {name} in {folder_of_businesses(settings)}")


def _read(settings: Settings) -> tuple[list[Business], dict[str, tuple[str, ...]]]:
    """Return the businesses of the folder, and the mistakes of the others."""
    folder = folder_of_businesses(settings)
    if not folder.is_dir():
        raise ClickException(f"there is no folder {folder}: `business new NAME` creates one")
    container = Container(settings=replace(settings, businesses=str(folder)))
    container.on_knowledge.override(None)  # a command builds no indexes
    files = container.business_files()
    assert files is not None
    logging.getLogger("adapters").setLevel(logging.ERROR)  # mistakes are printed
    asyncio.run(files.refresh())
    return list(files.all()), dict(files.mistakes)


def _problems(business: Business, folder: Path) -> Iterator[str]:
    """Yield what the file alone does not show to be wrong."""
    if language_name(business.language) == business.language:
        yield f"language: {business.language} is not known"
    variable = business.model.api_key_variable
    if variable is not None:
        try:
            model_key(ModelChoice(model="model.key", key=variable), os.environ)
        except ValueError as error:
            yield str(error)
    if (folder / business.business_id / _DOCUMENTS).is_dir() and not business.has_knowledge:
        yield "knowledge/ has no documents"


def _unread_documents(business: Business, folder: Path) -> list[str]:
    """Return the documents that cannot be read, and why."""
    if not business.has_knowledge:
        return []
    documents = folder / business.business_id / _DOCUMENTS
    with TemporaryDirectory() as index:
        settings = Settings(businesses=str(folder), knowledge_index=index)
        knowledge = Container(settings=settings).knowledge_index()
        assert knowledge is not None
        report = asyncio.run(knowledge.update(business.business_id, documents))
    return [f"{documents / name}: {reason}" for name, reason in sorted(report.problems.items())]


def _tool_problems(
    businesses: list[Business], folder: Path
) -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Yield each server of tools with the problems of what is allowed, and what the AI gets."""

    async def tried() -> list[tuple[str, tuple[str, ...], tuple[str, ...]]]:
        tools = Container(settings=Settings(businesses=str(folder))).mcp_tools()
        assert tools is not None
        async with tools:
            return [
                (f"{business.business_id}: tools.{report.server}", report.problems, report.tools)
                for business in businesses
                for report in await tools.reports(business)
            ]

    yield from asyncio.run(tried()) if any(each.tool_servers for each in businesses) else ()


def _notes(business: Business, settings: Settings) -> Iterator[str]:
    """Yield what is right, but may not be meant."""
    languages = {*NOTICE_LANGUAGES, *business.words}
    if lookup(business.language, languages) is None:
        yield f"{language_name(business.language)} has no notices: they come in English"
    if not business.facts and not business.has_knowledge:
        yield "has neither facts nor documents: the AI knows nothing but its name"
    needs_secret = settings.socket_auth == "jwt" and not settings.visitor_secret
    if business.website.origins and needs_secret:
        yield "website.origins: their visitors cannot chat, as VISITOR_SECRET is empty"


def _shown(business: Business, settings: Settings) -> Iterator[str]:
    """Yield the lines about a business."""
    zone = ZoneInfo(business.time_zone or settings.time_zone)
    rows = {
        "name": business.name,
        "language": language_name(business.language),
        "time zone": zone.key,
        "persona": business.persona,
        "instructions": business.instructions,
        "greeting": business.greeting,
        "suggestions": " | ".join(business.suggestions),
    }
    yield from _rows(rows)
    for tag, welcome in business.welcomes.items():
        yield from _rows({f"languages {tag}": welcome.greeting})
        yield from _rows({"  suggestions": " | ".join(welcome.suggestions)})
    website = business.website
    rows = {"website": ", ".join(website.origins), "  colour": website.colour}
    yield from _rows({**rows, "  logo": website.logo})
    yield from _hours("hours", business.hours, zone)
    yield from _rows({f"fact {topic}": fact for topic, fact in business.facts.items()})
    for location_id, location in business.locations.items():
        yield from _rows({f"location {location_id}": location.name})
        yield from _rows({f"  fact {topic}": fact for topic, fact in location.facts.items()})
        yield from _hours("  hours", location.hours, zone)
    yield from _rows({f"words {name}": ", ".join(own) for name, own in business.words.items()})
    yield from _rows({f"reply {name}": text for name, text in business.replies.items()})
    handoff = business.handoff
    rows = {
        "handoff": "yes" if handoff.enabled else "never",
        "  always": ", ".join(handoff.always),
        "  never": ", ".join(handoff.never),
        "  ask first": handoff.ask_first,
    }
    yield from _rows(rows)
    yield from _hours("  hours", handoff.hours, zone)
    model = {key: str(each) for key, each in asdict(business.model).items() if each is not None}
    yield from _rows({f"model {key.replace('_', ' ')}": each for key, each in model.items()})
    yield from _rows({"documents": "yes" if business.has_knowledge else "none"})
    for server in business.tool_servers:
        yield from _rows({f"tools {server.name}": shown_url(server.url) or server.command[0]})
        yield from _rows({f"  {tool.shown_name}": _terms(tool) for tool in server.tools})


def _terms(tool: AllowedTool) -> str:
    """Return on which terms a tool may be called."""
    terms = [tool.effect.value]
    if tool.shown_name != tool.name:
        terms.append(f"the server's {tool.name}")
    if tool.confirm is not None:
        hours = tool.confirm_for.total_seconds() / 3_600
        terms.append(f"after a yes of the {tool.confirm.value} within {hours:g} hours")
    terms += [f"{argument} is the {binding.value}" for argument, binding in tool.bound.items()]
    if tool.look_up is not None:
        terms.append(f"looked up by {tool.look_up.tool}")
    return ", ".join(terms)


def _rows(rows: dict[str, str]) -> Iterator[str]:
    for name, value in rows.items():
        if value:
            shown = CONTROLS.sub("\ufffd", value.strip()).replace("\n", "\n" + " " * 24)
            yield f"{CONTROLS.sub('', name):<24}{shown}"


def _hours(name: str, hours: OpeningHours | None, zone: ZoneInfo) -> Iterator[str]:
    """Yield the hours in words, whether it is open now, and the next opening."""
    if hours is None:
        return
    now = datetime.now(UTC)
    opening = hours.next_opening(now, zone)
    state = "open now" if hours.is_open(now, zone) else "closed now"
    if opening is not None:
        state += f"; opens next on {opening.astimezone(zone):%A, %d %B %Y, %H:%M}"
    lines = [*week_text(hours, "en").split("; "), *dates_text(hours, "en").split("; "), state]
    yield from _rows({name: "\n".join(filter(None, lines))})
