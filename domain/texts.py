"""What the server itself says to a user. Each sentence is true at the moment it is stored."""

from domain.business import DEFAULT_LANGUAGE

_WORDS: dict[str, dict[str, str]] = {
    "ro": {
        "requested": "Am cerut unui coleg să preia conversația. "
        "Vă răspunde aici de îndată ce poate.",
        "unreachable": "Am cerut, dar colegii mei nu pot fi contactați în acest moment. "
        "Încerc în continuare.",
        "reached": "Cererea a ajuns acum la colegii mei.",
        "refused": "Cererea nu a putut fi transmisă colegilor mei. "
        "Puteți aștepta sau puteți continua cu asistentul.",
        "joined": "{who} s-a alăturat conversației.",
        "cancelled": "Am anulat cererea. Puteți continua conversația cu asistentul.",
        "expired": "Din păcate niciun coleg nu a putut prelua conversația. "
        "Asistentul vă stă în continuare la dispoziție.",
        "returned": "Discuția cu colegul s-a încheiat. Asistentul continuă conversația.",
        "ended": "Ați încheiat discuția cu colegul. Asistentul continuă conversația.",
        "closed": "Conversația a fost închisă. Dacă scrieți din nou, începe una nouă.",
        "apology": "Îmi pare rău, acum nu pot răspunde. "
        "Puteți încerca din nou sau puteți cere un coleg.",
        "apology_requested": "Îmi pare rău, acum nu pot răspunde. "
        "Am cerut unui coleg să preia conversația.",
        "unavailable_requested": "Asistentul nu este disponibil în acest moment. "
        "Am cerut unui coleg să preia conversația.",
        "colleague": "Un coleg",
    },
    "en": {
        "requested": "I have asked a colleague to take over. They answer here as soon as they can.",
        "unreachable": "I have asked, but my colleagues cannot be reached at the moment. "
        "I keep trying.",
        "reached": "My colleagues have the request now.",
        "refused": "The request could not be passed on to my colleagues. "
        "You can wait, or go on with the assistant.",
        "joined": "{who} has joined the conversation.",
        "cancelled": "I have cancelled the request. You can go on with the assistant.",
        "expired": "Unfortunately no colleague could take over. "
        "The assistant is still here for you.",
        "returned": "The conversation with the colleague is over. The assistant goes on.",
        "ended": "You have ended the conversation with the colleague. The assistant goes on.",
        "closed": "The conversation has been closed. If you write again, a new one begins.",
        "apology": "I am sorry, I cannot answer right now. "
        "You can try again, or ask for a colleague.",
        "apology_requested": "I am sorry, I cannot answer right now. "
        "I have asked a colleague to take over.",
        "unavailable_requested": "The assistant is not available at the moment. "
        "I have asked a colleague to take over.",
        "colleague": "A colleague",
    },
}


def words(language: str, key: str, *, who: str | None = None) -> str:
    """The sentence for `key` in `language` (Romanian if it is spoken no better)."""
    spoken = _WORDS.get(language, _WORDS[DEFAULT_LANGUAGE])
    return spoken[key].format(who=who or spoken["colleague"])
