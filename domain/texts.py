"""The server's own texts for users. Each is true at the moment it is stored."""

from enum import StrEnum

from domain.business import DEFAULT_LANGUAGE


class Text(StrEnum):
    """The keys of the texts."""

    REQUESTED = "requested"
    UNREACHABLE = "unreachable"
    REACHED = "reached"
    REFUSED = "refused"
    NOT_RELAYED = "not_relayed"
    JOINED = "joined"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RETURNED = "returned"
    ENDED = "ended"
    CLOSED = "closed"
    IDLE = "idle"
    APOLOGY = "apology"
    APOLOGY_REQUESTED = "apology_requested"
    UNAVAILABLE_REQUESTED = "unavailable_requested"
    COLLEAGUE = "colleague"
    ANSWER_CUT = "answer_cut"
    STOPPED = "stopped"
    DECLINED = "declined"


_TEXTS: dict[str, dict[Text, str]] = {
    "ro": {
        Text.REQUESTED: "Am cerut unui coleg să preia conversația. "
        "Vă răspunde aici de îndată ce poate.",
        Text.UNREACHABLE: "Am cerut, dar colegii mei nu pot fi contactați în acest moment. "
        "Încerc în continuare.",
        Text.REACHED: "Cererea a ajuns acum la colegii mei.",
        Text.REFUSED: "Cererea nu a putut fi transmisă colegilor mei. "
        "Puteți aștepta sau puteți continua cu asistentul.",
        Text.NOT_RELAYED: "Mesajele nu ajung la colegul meu în acest moment. "
        "Le transmit de îndată ce se poate.",
        Text.JOINED: "{who} s-a alăturat conversației.",
        Text.CANCELLED: "Am anulat cererea. Puteți continua conversația cu asistentul.",
        Text.EXPIRED: "Din păcate niciun coleg nu a putut prelua conversația. "
        "Asistentul vă stă în continuare la dispoziție.",
        Text.RETURNED: "Discuția cu colegul s-a încheiat. Asistentul continuă conversația.",
        Text.ENDED: "Ați încheiat discuția cu colegul. Asistentul continuă conversația.",
        Text.CLOSED: "Conversația a fost închisă. Dacă scrieți din nou, începe una nouă.",
        Text.IDLE: "Conversația s-a închis, fiindcă nu a mai scris nimeni de mult timp. "
        "Dacă scrieți din nou, începe una nouă.",
        Text.APOLOGY: "Îmi pare rău, acum nu pot răspunde. "
        "Puteți încerca din nou sau puteți cere un coleg.",
        Text.APOLOGY_REQUESTED: "Îmi pare rău, acum nu pot răspunde. "
        "Am cerut unui coleg să preia conversația.",
        Text.UNAVAILABLE_REQUESTED: "Asistentul nu este disponibil în acest moment. "
        "Am cerut unui coleg să preia conversația.",
        Text.COLLEAGUE: "Un coleg",
        Text.ANSWER_CUT: "… (Răspunsul s-a oprit aici: era prea lung.)",
        Text.STOPPED: "Am oprit răspunsul. Puteți întreba din nou oricând.",
        Text.DECLINED: "La aceasta nu vă pot răspunde. "
        "Puteți întreba altceva sau puteți cere un coleg.",
    },
    "en": {
        Text.REQUESTED: "I have asked a colleague to take over. "
        "They answer here as soon as they can.",
        Text.UNREACHABLE: "I have asked, but my colleagues cannot be reached at the moment. "
        "I keep trying.",
        Text.REACHED: "My colleagues have the request now.",
        Text.REFUSED: "The request could not be passed on to my colleagues. "
        "You can wait, or go on with the assistant.",
        Text.NOT_RELAYED: "Messages do not reach my colleague at the moment. "
        "I pass them on as soon as I can.",
        Text.JOINED: "{who} has joined the conversation.",
        Text.CANCELLED: "I have cancelled the request. You can go on with the assistant.",
        Text.EXPIRED: "Unfortunately no colleague could take over. "
        "The assistant is still here for you.",
        Text.RETURNED: "The conversation with the colleague is over. The assistant goes on.",
        Text.ENDED: "You have ended the conversation with the colleague. The assistant goes on.",
        Text.CLOSED: "The conversation has been closed. If you write again, a new one begins.",
        Text.IDLE: "The conversation has been closed, as nobody has written for a long time. "
        "If you write again, a new one begins.",
        Text.APOLOGY: "I am sorry, I cannot answer right now. "
        "You can try again, or ask for a colleague.",
        Text.APOLOGY_REQUESTED: "I am sorry, I cannot answer right now. "
        "I have asked a colleague to take over.",
        Text.UNAVAILABLE_REQUESTED: "The assistant is not available at the moment. "
        "I have asked a colleague to take over.",
        Text.COLLEAGUE: "A colleague",
        Text.ANSWER_CUT: "… (The answer stops here: it was too long.)",
        Text.STOPPED: "I have stopped the answer. You can ask again at any time.",
        Text.DECLINED: "I cannot answer that. You can ask something else, or ask for a colleague.",
    },
}


def localized(language: str, text: Text, *, who: str | None = None) -> str:
    """Return the text in `language`, or in Romanian where there is none in that.

    `who`: the coordinator it names; None: one without a name.
    """
    texts = _TEXTS.get(language, _TEXTS[DEFAULT_LANGUAGE])
    return texts[text].format(who=who or texts[Text.COLLEAGUE])
