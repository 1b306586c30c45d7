"""The server's own texts for users. Each is true at the moment it is stored."""

import re
from collections.abc import Mapping
from enum import StrEnum
from string import Formatter

from domain.language import FALLBACK_LANGUAGE, lookup
from domain.plain_text import is_blank, plain_text

Words = Mapping[str, Mapping[str, str]]
"""A business's own wording of texts: language, a tag in lower case → key of `Text` → wording."""
NO_WORDS: Words = {}
MAX_WORDING = 1_000
"""Characters of a text in a business's own wording."""
_is_language = re.compile(r"[a-z]{2,8}(?:-[a-z0-9]{1,8})*").fullmatch


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
    REQUEUED = "requeued"
    COORDINATOR_AWAY = "coordinator_away"
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
    NOT_DONE = "not_done"
    NOBODY = "nobody"
    BACK_AT = "back_at"
    LEAVE_MESSAGE = "leave_message"
    MESSAGE_KEPT = "message_kept"
    NOT_OFFERED = "not_offered"
    TURN_TO = "turn_to"
    NOT_ASKED = "not_asked"
    SORRY = "sorry"
    TRY_LATER = "try_later"
    UNAVAILABLE = "unavailable"
    DECLINED_ALONE = "declined_alone"
    NOT_DONE_ALONE = "not_done_alone"
    CONFIRM = "confirm"
    CONFIRM_COLLEAGUE = "confirm_colleague"
    CONFIRM_EXPIRED = "confirm_expired"
    CONFIRM_WITHDRAWN = "confirm_withdrawn"
    WRITE_DONE = "write_done"
    WRITE_FAILED = "write_failed"
    WRITE_UNKNOWN = "write_unknown"
    YES = "yes"
    NO = "no"


PLACEHOLDERS = {
    Text.JOINED: "who",
    Text.REQUEUED: "who",
    Text.COORDINATOR_AWAY: "who",
    Text.BACK_AT: "until",
    Text.TURN_TO: "contact",
    Text.CONFIRM: "what",
    Text.CONFIRM_COLLEAGUE: "what",
    Text.CONFIRM_EXPIRED: "what",
    Text.CONFIRM_WITHDRAWN: "what",
    Text.WRITE_DONE: "what",
    Text.WRITE_FAILED: "what",
    Text.WRITE_UNKNOWN: "what",
}
"""What a text may name: a coordinator, a time, an address, what a tool is to do."""

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
        Text.REQUEUED: "{who} a predat conversația. Am cerut un alt coleg.",
        Text.COORDINATOR_AWAY: "{who} nu mai poate răspunde acum. Am cerut un alt coleg.",
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
        Text.NOT_DONE: "Corectură: de fapt nu am făcut nimic din toate acestea. "
        "Un coleg poate face asta, la cerere.",
        Text.NOBODY: "În acest moment nu este niciun coleg aici.",
        Text.BACK_AT: "Colegii mei sunt din nou aici {until}.",
        Text.LEAVE_MESSAGE: "Puteți lăsa aici un mesaj pentru colegii mei, cel mai bine cu un "
        "număr de telefon sau o adresă de e-mail.",
        Text.MESSAGE_KEPT: "Mulțumesc. Am păstrat mesajul pentru colegii mei.",
        Text.NOT_OFFERED: "În acest chat nu pot chema un coleg.",
        Text.TURN_TO: "Ne puteți contacta așa: {contact}.",
        Text.NOT_ASKED: "Corectură: de fapt nu am chemat niciun coleg.",
        Text.SORRY: "Îmi pare rău, acum nu pot răspunde.",
        Text.TRY_LATER: "Puteți încerca din nou mai târziu.",
        Text.UNAVAILABLE: "Asistentul nu este disponibil în acest moment.",
        Text.DECLINED_ALONE: "La aceasta nu vă pot răspunde. Puteți întreba altceva.",
        Text.NOT_DONE_ALONE: "Corectură: de fapt nu am făcut nimic din toate acestea.",
        Text.CONFIRM: "{what}\n\nSă fac aceasta? Răspundeți cu „da” sau „nu”.",
        Text.CONFIRM_COLLEAGUE: "{what}\n\n"
        "Pentru aceasta este nevoie de acordul echipei noastre. Vă scriu aici când îl am.",
        Text.CONFIRM_EXPIRED: "Întrebarea a expirat fără răspuns, așa că nu am făcut aceasta: "
        "{what}",
        Text.CONFIRM_WITHDRAWN: "Întrebarea nu mai este valabilă și nu am făcut aceasta: {what}",
        Text.WRITE_DONE: "S-a făcut: {what}",
        Text.WRITE_FAILED: "Nu s-a făcut: {what}",
        Text.WRITE_UNKNOWN: "Nu am putut afla dacă aceasta s-a făcut sau nu: {what}\n"
        "Nu încerc din nou, ca să nu se facă de două ori.",
        Text.YES: "Da",
        Text.NO: "Nu",
    },
    "en": {
        Text.REQUESTED: "I have asked a colleague to take over. "
        "They will reply here as soon as they can.",
        Text.UNREACHABLE: "I have asked, but my colleagues cannot be reached at the moment. "
        "I will keep trying.",
        Text.REACHED: "My colleagues have received your request now.",
        Text.REFUSED: "Your request could not be passed on to my colleagues. "
        "You can wait, or continue with the assistant.",
        Text.NOT_RELAYED: "Your messages are not reaching my colleague at the moment. "
        "I will pass them on as soon as I can.",
        Text.JOINED: "{who} has joined the conversation.",
        Text.CANCELLED: "I have cancelled the request. You can continue with the assistant.",
        Text.EXPIRED: "Unfortunately no colleague could take over. "
        "The assistant is still here for you.",
        Text.REQUEUED: "{who} has passed the conversation on. I have asked for another colleague.",
        Text.COORDINATOR_AWAY: "{who} is not available any more. "
        "I have asked for another colleague.",
        Text.RETURNED: "The conversation with my colleague is over. "
        "The assistant is here for you again.",
        Text.ENDED: "You have ended the conversation with my colleague. "
        "The assistant is here for you again.",
        Text.CLOSED: "The conversation has been closed. If you write again, a new one will begin.",
        Text.IDLE: "The conversation has been closed, as nobody has written for a long time. "
        "If you write again, a new one will begin.",
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
        Text.NOT_DONE: "Correction: I have not actually done any of this. "
        "A colleague can do it on request.",
        Text.NOBODY: "None of my colleagues is here at the moment.",
        Text.BACK_AT: "My colleagues are back on {until}.",
        Text.LEAVE_MESSAGE: "You can leave a message for my colleagues here, best with a phone "
        "number or an e-mail address.",
        Text.MESSAGE_KEPT: "Thank you. I have kept your message for my colleagues.",
        Text.NOT_OFFERED: "I cannot call a colleague into this chat.",
        Text.TURN_TO: "You can reach us this way: {contact}.",
        Text.NOT_ASKED: "Correction: I have not actually asked a colleague.",
        Text.SORRY: "I am sorry, I cannot answer right now.",
        Text.TRY_LATER: "You can try again later.",
        Text.UNAVAILABLE: "The assistant is not available at the moment.",
        Text.DECLINED_ALONE: "I cannot answer that. You can ask something else.",
        Text.NOT_DONE_ALONE: "Correction: I have not actually done any of this.",
        Text.CONFIRM: "{what}\n\nShall I do this? Please answer “yes” or “no”.",
        Text.CONFIRM_COLLEAGUE: "{what}\n\n"
        "This needs the approval of our team. I will write to you here once I have it.",
        Text.CONFIRM_EXPIRED: "The question has expired without an answer, so I have not done "
        "this: {what}",
        Text.CONFIRM_WITHDRAWN: "The question no longer stands, and I have not done this: {what}",
        Text.WRITE_DONE: "Done: {what}",
        Text.WRITE_FAILED: "Not done: {what}",
        Text.WRITE_UNKNOWN: "I could not find out whether this was done or not: {what}\n"
        "I am not trying again, so that it is not done twice.",
        Text.YES: "Yes",
        Text.NO: "No",
    },
    "de": {
        Text.REQUESTED: "Ich habe unser Team gebeten, den Chat zu übernehmen. "
        "Sobald jemand frei ist, erhalten Sie hier eine Antwort.",
        Text.UNREACHABLE: "Ich habe nachgefragt, aber unser Team ist im Moment nicht erreichbar. "
        "Ich versuche es weiter.",
        Text.REACHED: "Ihre Anfrage ist jetzt bei unserem Team angekommen.",
        Text.REFUSED: "Ihre Anfrage konnte nicht an unser Team weitergeleitet werden. "
        "Sie können warten oder den Chat mit dem Assistenten fortsetzen.",
        Text.NOT_RELAYED: "Ihre Nachrichten erreichen unser Team im Moment nicht. "
        "Ich leite sie weiter, sobald es wieder möglich ist.",
        Text.JOINED: "{who} ist jetzt im Chat.",
        Text.CANCELLED: "Ich habe die Anfrage zurückgezogen. "
        "Sie können den Chat mit dem Assistenten fortsetzen.",
        Text.EXPIRED: "Leider konnte niemand aus unserem Team den Chat übernehmen. "
        "Der Assistent ist weiterhin für Sie da.",
        Text.REQUEUED: "{who} hat den Chat weitergegeben. "
        "Ich habe jemand anderen aus unserem Team gebeten.",
        Text.COORDINATOR_AWAY: "{who} ist nicht mehr erreichbar. "
        "Ich habe jemand anderen aus unserem Team gebeten.",
        Text.RETURNED: "Das Gespräch mit unserem Team ist beendet. "
        "Der Assistent ist jetzt wieder für Sie da.",
        Text.ENDED: "Sie haben das Gespräch mit unserem Team beendet. "
        "Der Assistent ist jetzt wieder für Sie da.",
        Text.CLOSED: "Dieser Chat wurde geschlossen. Wenn Sie wieder schreiben, beginnt ein neuer.",
        Text.IDLE: "Dieser Chat wurde geschlossen, weil längere Zeit niemand geschrieben hat. "
        "Wenn Sie wieder schreiben, beginnt ein neuer.",
        Text.APOLOGY: "Es tut mir leid, ich kann gerade nicht antworten. "
        "Sie können es noch einmal versuchen oder um ein Gespräch mit unserem Team bitten.",
        Text.APOLOGY_REQUESTED: "Es tut mir leid, ich kann gerade nicht antworten. "
        "Ich habe unser Team gebeten, den Chat zu übernehmen.",
        Text.UNAVAILABLE_REQUESTED: "Der Assistent ist im Moment nicht verfügbar. "
        "Ich habe unser Team gebeten, den Chat zu übernehmen.",
        Text.COLLEAGUE: "Jemand aus unserem Team",
        Text.ANSWER_CUT: "… (Die Antwort endet hier: Sie war zu lang.)",
        Text.STOPPED: "Ich habe die Antwort abgebrochen. Sie können jederzeit erneut fragen.",
        Text.DECLINED: "Darauf kann ich nicht antworten. "
        "Sie können etwas anderes fragen oder um einen Kollegen bitten.",
        Text.NOT_DONE: "Berichtigung: Tatsächlich habe ich nichts davon getan. "
        "Auf Wunsch kann das ein Kollege tun.",
        Text.NOBODY: "Im Moment ist niemand aus unserem Team da.",
        Text.BACK_AT: "Unser Team ist wieder da: {until}.",
        Text.LEAVE_MESSAGE: "Sie können hier eine Nachricht für unser Team hinterlassen, am "
        "besten mit Telefonnummer oder E-Mail-Adresse.",
        Text.MESSAGE_KEPT: "Vielen Dank. Ihre Nachricht ist für unser Team hinterlegt.",
        Text.NOT_OFFERED: "In diesen Chat kann ich niemanden aus unserem Team holen.",
        Text.TURN_TO: "So erreichen Sie uns: {contact}.",
        Text.NOT_ASKED: "Berichtigung: "
        "Tatsächlich habe ich niemanden aus unserem Team verständigt.",
        Text.SORRY: "Es tut mir leid, ich kann gerade nicht antworten.",
        Text.TRY_LATER: "Sie können es später noch einmal versuchen.",
        Text.UNAVAILABLE: "Der Assistent ist im Moment nicht verfügbar.",
        Text.DECLINED_ALONE: "Darauf kann ich nicht antworten. Sie können etwas anderes fragen.",
        Text.NOT_DONE_ALONE: "Berichtigung: Tatsächlich habe ich nichts davon getan.",
        Text.CONFIRM: "{what}\n\nSoll ich das tun? Bitte antworten Sie mit „ja“ oder „nein“.",
        Text.CONFIRM_COLLEAGUE: "{what}\n\nDafür brauche ich die Zustimmung aus unserem Team. "
        "Ich habe darum gebeten und melde mich hier.",
        Text.CONFIRM_EXPIRED: "Die Frage ist ohne Antwort abgelaufen, daher habe ich das nicht "
        "getan: {what}",
        Text.CONFIRM_WITHDRAWN: "Die Frage gilt nicht mehr, und ich habe das nicht getan: {what}",
        Text.WRITE_DONE: "Erledigt: {what}",
        Text.WRITE_FAILED: "Nicht erledigt: {what}",
        Text.WRITE_UNKNOWN: "Ich konnte nicht feststellen, ob das erledigt wurde oder nicht: "
        "{what}\nIch versuche es nicht noch einmal, damit es nicht doppelt geschieht.",
        Text.YES: "Ja",
        Text.NO: "Nein",
    },
    "fr": {
        Text.REQUESTED: "J’ai demandé à un collègue de prendre le relais. "
        "Il vous répondra ici dès que possible.",
        Text.UNREACHABLE: "J’ai fait la demande, mais mes collègues sont injoignables pour le "
        "moment. "
        "Je continue d’essayer.",
        Text.REACHED: "Votre demande est maintenant parvenue à mes collègues.",
        Text.REFUSED: "Votre demande n’a pas pu être transmise à mes collègues. "
        "Vous pouvez patienter ou poursuivre avec l’assistant.",
        Text.NOT_RELAYED: "Vos messages ne parviennent pas à mon collègue pour le moment. "
        "Je les lui transmettrai dès que possible.",
        Text.JOINED: "{who} a rejoint la conversation.",
        Text.CANCELLED: "J’ai annulé la demande. "
        "Vous pouvez poursuivre la conversation avec l’assistant.",
        Text.EXPIRED: "Malheureusement, aucun collègue n’a pu prendre le relais. "
        "L’assistant reste à votre disposition.",
        Text.REQUEUED: "{who} a transmis la conversation. J’ai demandé un autre collègue.",
        Text.COORDINATOR_AWAY: "{who} n’est plus disponible. J’ai demandé un autre collègue.",
        Text.RETURNED: "L’échange avec mon collègue est terminé. "
        "L’assistant reprend la conversation.",
        Text.ENDED: "Vous avez mis fin à l’échange avec mon collègue. "
        "L’assistant reprend la conversation.",
        Text.CLOSED: "Cette conversation a été fermée. "
        "Si vous écrivez de nouveau, une autre commencera.",
        Text.IDLE: "Cette conversation a été fermée, car personne n’a écrit depuis longtemps. "
        "Si vous écrivez de nouveau, une autre commencera.",
        Text.APOLOGY: "Je vous prie de m’excuser, je ne peux pas répondre pour le moment. "
        "Vous pouvez réessayer ou demander à parler à un collègue.",
        Text.APOLOGY_REQUESTED: "Je vous prie de m’excuser, je ne peux pas répondre pour le "
        "moment. "
        "J’ai demandé à un collègue de prendre le relais.",
        Text.UNAVAILABLE_REQUESTED: "L’assistant n’est pas disponible pour le moment. "
        "J’ai demandé à un collègue de prendre le relais.",
        Text.COLLEAGUE: "Un collègue",
        Text.ANSWER_CUT: "… (La réponse s’arrête ici : elle était trop longue.)",
        Text.STOPPED: "J’ai interrompu la réponse. "
        "Vous pouvez reposer votre question à tout moment.",
        Text.DECLINED: "Je ne peux pas répondre à cela. "
        "Vous pouvez poser une autre question ou demander un collègue.",
        Text.NOT_DONE: "Rectification : en réalité, je n’ai rien fait de tout cela. "
        "Un collègue peut le faire sur demande.",
        Text.NOBODY: "Aucun de mes collègues n’est là pour le moment.",
        Text.BACK_AT: "Mes collègues seront de retour le {until}.",
        Text.LEAVE_MESSAGE: "Vous pouvez laisser ici un message pour mes collègues, de "
        "préférence avec un numéro de téléphone ou une adresse e-mail.",
        Text.MESSAGE_KEPT: "Merci. J’ai gardé votre message pour mes collègues.",
        Text.NOT_OFFERED: "Je ne peux pas appeler de collègue dans ce chat.",
        Text.TURN_TO: "Vous pouvez nous joindre ainsi : {contact}.",
        Text.NOT_ASKED: "Rectification : en réalité, je n’ai prévenu aucun collègue.",
        Text.SORRY: "Je vous prie de m’excuser, je ne peux pas répondre pour le moment.",
        Text.TRY_LATER: "Vous pouvez réessayer plus tard.",
        Text.UNAVAILABLE: "L’assistant n’est pas disponible pour le moment.",
        Text.DECLINED_ALONE: "Je ne peux pas répondre à cela. "
        "Vous pouvez poser une autre question.",
        Text.NOT_DONE_ALONE: "Rectification : en réalité, je n’ai rien fait de tout cela.",
        Text.CONFIRM: "{what}\n\nDois-je le faire ? Répondez par « oui » ou « non ».",
        Text.CONFIRM_COLLEAGUE: "{what}\n\nPour cela, il me faut l’accord d’un collègue. Je l’ai "
        "demandé et je vous écrirai ici.",
        Text.CONFIRM_EXPIRED: "La question a expiré sans réponse, je ne l’ai donc pas fait : "
        "{what}",
        Text.CONFIRM_WITHDRAWN: "La question n’est plus valable et je ne l’ai pas fait : {what}",
        Text.WRITE_DONE: "C’est fait : {what}",
        Text.WRITE_FAILED: "Ce n’est pas fait : {what}",
        Text.WRITE_UNKNOWN: "Je n’ai pas pu savoir si cela a été fait ou non : {what}\n"
        "Je ne réessaie pas, afin que ce ne soit pas fait deux fois.",
        Text.YES: "Oui",
        Text.NO: "Non",
    },
    "hu": {
        Text.REQUESTED: "Megkértem egy munkatársunkat, hogy vegye át a beszélgetést. "
        "Amint tud, itt válaszol Önnek.",
        Text.UNREACHABLE: "Jeleztem a kérést, de a munkatársaink jelenleg nem érhetők el. "
        "Tovább próbálkozom.",
        Text.REACHED: "A kérése megérkezett a munkatársainkhoz.",
        Text.REFUSED: "A kérését nem sikerült továbbítani a munkatársainknak. "
        "Várhat, vagy folytathatja a beszélgetést az asszisztenssel.",
        Text.NOT_RELAYED: "Az üzenetei jelenleg nem jutnak el a munkatársunkhoz. "
        "Amint lehet, továbbítom őket.",
        Text.JOINED: "{who} csatlakozott a beszélgetéshez.",
        Text.CANCELLED: "Visszavontam a kérést. Folytathatja a beszélgetést az asszisztenssel.",
        Text.EXPIRED: "Sajnos egyik munkatársunk sem tudta átvenni a beszélgetést. "
        "Az asszisztens továbbra is az Ön rendelkezésére áll.",
        Text.REQUEUED: "{who} továbbadta a beszélgetést. Kértem egy másik munkatársat.",
        Text.COORDINATOR_AWAY: "{who} már nem érhető el. Kértem egy másik munkatársat.",
        Text.RETURNED: "A munkatársunkkal folytatott beszélgetés véget ért. "
        "Innen az asszisztens segít tovább.",
        Text.ENDED: "Ön befejezte a beszélgetést a munkatársunkkal. "
        "Innen az asszisztens segít tovább.",
        Text.CLOSED: "A beszélgetést lezártuk. Ha újra ír, új beszélgetés kezdődik.",
        Text.IDLE: "A beszélgetést lezártuk, mert hosszú ideje nem írt senki. "
        "Ha újra ír, új beszélgetés kezdődik.",
        Text.APOLOGY: "Elnézést kérek, most nem tudok válaszolni. "
        "Megpróbálhatja újra, vagy kérheti egy munkatársunk segítségét.",
        Text.APOLOGY_REQUESTED: "Elnézést kérek, most nem tudok válaszolni. "
        "Megkértem egy munkatársunkat, hogy vegye át a beszélgetést.",
        Text.UNAVAILABLE_REQUESTED: "Az asszisztens jelenleg nem érhető el. "
        "Megkértem egy munkatársunkat, hogy vegye át a beszélgetést.",
        Text.COLLEAGUE: "Egy munkatársunk",
        Text.ANSWER_CUT: "… (A válasz itt véget ér: túl hosszú volt.)",
        Text.STOPPED: "Leállítottam a választ. Bármikor kérdezhet újra.",
        Text.DECLINED: "Erre nem tudok válaszolni. Kérdezhet mást, vagy kérhet egy kollégát.",
        Text.NOT_DONE: "Helyesbítés: valójában semmi ilyet nem tettem. "
        "Kérésre egy munkatársunk megteheti.",
        Text.NOBODY: "Jelenleg egyik munkatársunk sincs itt.",
        Text.BACK_AT: "Munkatársaink ekkor lesznek itt újra: {until}.",
        Text.LEAVE_MESSAGE: "Itt hagyhat üzenetet a munkatársainknak, lehetőleg telefonszámmal "
        "vagy e-mail-címmel.",
        Text.MESSAGE_KEPT: "Köszönöm. Az üzenetét megőriztem a munkatársaink számára.",
        Text.NOT_OFFERED: "Ebbe a beszélgetésbe nem tudok munkatársat hívni.",
        Text.TURN_TO: "Így érhet el minket: {contact}.",
        Text.NOT_ASKED: "Helyesbítés: valójában nem szóltam egyetlen munkatársunknak sem.",
        Text.SORRY: "Elnézést kérek, most nem tudok válaszolni.",
        Text.TRY_LATER: "Később megpróbálhatja újra.",
        Text.UNAVAILABLE: "Az asszisztens jelenleg nem érhető el.",
        Text.DECLINED_ALONE: "Erre nem tudok válaszolni. Kérdezhet mást.",
        Text.NOT_DONE_ALONE: "Helyesbítés: valójában semmi ilyet nem tettem.",
        Text.CONFIRM: "{what}\n\nMegtegyem? Kérem, válaszoljon „igen”-nel vagy „nem”-mel.",
        Text.CONFIRM_COLLEAGUE: "{what}\n\nEhhez egy munkatársunk jóváhagyása kell. Kértem, és "
        "itt fogok írni Önnek.",
        Text.CONFIRM_EXPIRED: "A kérdés válasz nélkül lejárt, ezért ezt nem tettem meg: {what}",
        Text.CONFIRM_WITHDRAWN: "A kérdés már nem érvényes, és ezt nem tettem meg: {what}",
        Text.WRITE_DONE: "Kész: {what}",
        Text.WRITE_FAILED: "Nem történt meg: {what}",
        Text.WRITE_UNKNOWN: "Nem sikerült megtudnom, hogy ez megtörtént-e vagy sem: {what}\n"
        "Nem próbálom újra, hogy ne történjen meg kétszer.",
        Text.YES: "Igen",
        Text.NO: "Nem",
    },
    "it": {
        Text.REQUESTED: "Ho chiesto a un collega di proseguire la conversazione. "
        "Le risponderà qui appena possibile.",
        Text.UNREACHABLE: "Ho fatto la richiesta, ma al momento i miei colleghi non sono "
        "raggiungibili. "
        "Continuo a provare.",
        Text.REACHED: "Ora la richiesta è arrivata ai miei colleghi.",
        Text.REFUSED: "Non è stato possibile inoltrare la richiesta ai miei colleghi. "
        "Può attendere o continuare con l’assistente.",
        Text.NOT_RELAYED: "Al momento i Suoi messaggi non raggiungono il mio collega. "
        "Li inoltrerò appena possibile.",
        Text.JOINED: "{who} partecipa ora alla conversazione.",
        Text.CANCELLED: "Ho annullato la richiesta. "
        "Può continuare la conversazione con l’assistente.",
        Text.EXPIRED: "Purtroppo nessun collega ha potuto prendere in carico la conversazione. "
        "L’assistente resta a Sua disposizione.",
        Text.REQUEUED: "{who} ha passato la conversazione. Ho chiesto un altro collega.",
        Text.COORDINATOR_AWAY: "{who} non è più disponibile. Ho chiesto un altro collega.",
        Text.RETURNED: "La conversazione con il collega è terminata. "
        "L’assistente è di nuovo a Sua disposizione.",
        Text.ENDED: "Lei ha terminato la conversazione con il collega. "
        "L’assistente è di nuovo a Sua disposizione.",
        Text.CLOSED: "La conversazione è stata chiusa. Se scrive di nuovo, ne inizia un’altra.",
        Text.IDLE: "La conversazione è stata chiusa perché da molto tempo non scrive nessuno. "
        "Se scrive di nuovo, ne inizia un’altra.",
        Text.APOLOGY: "Mi dispiace, in questo momento non posso rispondere. "
        "Può riprovare o chiedere di parlare con un collega.",
        Text.APOLOGY_REQUESTED: "Mi dispiace, in questo momento non posso rispondere. "
        "Ho chiesto a un collega di proseguire la conversazione.",
        Text.UNAVAILABLE_REQUESTED: "L’assistente non è disponibile al momento. "
        "Ho chiesto a un collega di proseguire la conversazione.",
        Text.COLLEAGUE: "Un collega",
        Text.ANSWER_CUT: "… (La risposta si ferma qui: era troppo lunga.)",
        Text.STOPPED: "Ho interrotto la risposta. Può chiedere di nuovo in qualsiasi momento.",
        Text.DECLINED: "A questo non posso rispondere. Può chiedere altro oppure un collega.",
        Text.NOT_DONE: "Rettifica: in realtà non ho fatto nulla di tutto ciò. "
        "Un collega può farlo su richiesta.",
        Text.NOBODY: "Al momento non c’è nessuno dei miei colleghi.",
        Text.BACK_AT: "I miei colleghi tornano {until}.",
        Text.LEAVE_MESSAGE: "Può lasciare qui un messaggio per i miei colleghi, meglio con un "
        "numero di telefono o un indirizzo email.",
        Text.MESSAGE_KEPT: "Grazie. Ho conservato il Suo messaggio per i miei colleghi.",
        Text.NOT_OFFERED: "In questa chat non posso chiamare un collega.",
        Text.TURN_TO: "Può contattarci così: {contact}.",
        Text.NOT_ASKED: "Rettifica: in realtà non ho avvisato nessun collega.",
        Text.SORRY: "Mi dispiace, in questo momento non posso rispondere.",
        Text.TRY_LATER: "Può riprovare più tardi.",
        Text.UNAVAILABLE: "L’assistente non è disponibile al momento.",
        Text.DECLINED_ALONE: "A questo non posso rispondere. Può chiedere altro.",
        Text.NOT_DONE_ALONE: "Rettifica: in realtà non ho fatto nulla di tutto ciò.",
        Text.CONFIRM: "{what}\n\nDevo procedere? Risponda con «sì» o «no».",
        Text.CONFIRM_COLLEAGUE: "{what}\n\nPer questo mi serve il consenso di un collega. L’ho "
        "chiesto e Le scriverò qui.",
        Text.CONFIRM_EXPIRED: "La domanda è scaduta senza risposta, quindi non ho fatto questo: "
        "{what}",
        Text.CONFIRM_WITHDRAWN: "La domanda non è più valida e non ho fatto questo: {what}",
        Text.WRITE_DONE: "Fatto: {what}",
        Text.WRITE_FAILED: "Non è stato fatto: {what}",
        Text.WRITE_UNKNOWN: "Non ho potuto sapere se questo è stato fatto o no: {what}\n"
        "Non riprovo, perché non venga fatto due volte.",
        Text.YES: "Sì",
        Text.NO: "No",
    },
    "es": {
        Text.REQUESTED: "He pedido a un compañero que continúe la conversación. "
        "Le responderá aquí en cuanto pueda.",
        Text.UNREACHABLE: "Lo he pedido, pero en este momento no es posible contactar con mis "
        "compañeros. "
        "Sigo intentándolo.",
        Text.REACHED: "Mis compañeros ya han recibido la solicitud.",
        Text.REFUSED: "No se ha podido transmitir la solicitud a mis compañeros. "
        "Puede esperar o continuar con el asistente.",
        Text.NOT_RELAYED: "En este momento sus mensajes no llegan a mi compañero. "
        "Se los haré llegar en cuanto sea posible.",
        Text.JOINED: "{who} se ha unido a la conversación.",
        Text.CANCELLED: "He cancelado la solicitud. "
        "Puede continuar la conversación con el asistente.",
        Text.EXPIRED: "Lamentablemente, ningún compañero ha podido atender la conversación. "
        "El asistente sigue a su disposición.",
        Text.REQUEUED: "{who} ha traspasado la conversación. He pedido otro compañero.",
        Text.COORDINATOR_AWAY: "{who} ya no está disponible. He pedido otro compañero.",
        Text.RETURNED: "La conversación con mi compañero ha terminado. "
        "El asistente vuelve a estar a su disposición.",
        Text.ENDED: "Usted ha finalizado la conversación con mi compañero. "
        "El asistente vuelve a estar a su disposición.",
        Text.CLOSED: "La conversación se ha cerrado. Si vuelve a escribir, comenzará una nueva.",
        Text.IDLE: "La conversación se ha cerrado porque nadie ha escrito desde hace mucho "
        "tiempo. "
        "Si vuelve a escribir, comenzará una nueva.",
        Text.APOLOGY: "Lo siento, ahora mismo no puedo responder. "
        "Puede intentarlo de nuevo o pedir hablar con un compañero.",
        Text.APOLOGY_REQUESTED: "Lo siento, ahora mismo no puedo responder. "
        "He pedido a un compañero que continúe la conversación.",
        Text.UNAVAILABLE_REQUESTED: "El asistente no está disponible en este momento. "
        "He pedido a un compañero que continúe la conversación.",
        Text.COLLEAGUE: "Un compañero",
        Text.ANSWER_CUT: "… (La respuesta termina aquí: era demasiado larga.)",
        Text.STOPPED: "He detenido la respuesta. Puede volver a preguntar cuando quiera.",
        Text.DECLINED: "No puedo responder a eso. "
        "Puede preguntar otra cosa o pedir que le atienda un compañero.",
        Text.NOT_DONE: "Rectificación: en realidad no he hecho nada de esto. "
        "Un compañero puede hacerlo si lo pide.",
        Text.NOBODY: "En este momento no está ninguno de mis compañeros.",
        Text.BACK_AT: "Mis compañeros vuelven el {until}.",
        Text.LEAVE_MESSAGE: "Puede dejar aquí un mensaje para mis compañeros, mejor con un "
        "número de teléfono o un correo electrónico.",
        Text.MESSAGE_KEPT: "Gracias. He guardado su mensaje para mis compañeros.",
        Text.NOT_OFFERED: "En este chat no puedo llamar a un compañero.",
        Text.TURN_TO: "Puede contactarnos así: {contact}.",
        Text.NOT_ASKED: "Rectificación: en realidad no he avisado a ningún compañero.",
        Text.SORRY: "Lo siento, ahora mismo no puedo responder.",
        Text.TRY_LATER: "Puede intentarlo de nuevo más tarde.",
        Text.UNAVAILABLE: "El asistente no está disponible en este momento.",
        Text.DECLINED_ALONE: "No puedo responder a eso. Puede preguntar otra cosa.",
        Text.NOT_DONE_ALONE: "Rectificación: en realidad no he hecho nada de esto.",
        Text.CONFIRM: "{what}\n\n¿Lo hago? Responda «sí» o «no».",
        Text.CONFIRM_COLLEAGUE: "{what}\n\nPara esto necesito la aprobación de un compañero. La "
        "he pedido y le escribiré aquí.",
        Text.CONFIRM_EXPIRED: "La pregunta ha caducado sin respuesta, así que no he hecho esto: "
        "{what}",
        Text.CONFIRM_WITHDRAWN: "La pregunta ya no es válida y no he hecho esto: {what}",
        Text.WRITE_DONE: "Hecho: {what}",
        Text.WRITE_FAILED: "No se ha hecho: {what}",
        Text.WRITE_UNKNOWN: "No he podido averiguar si esto se hizo o no: {what}\n"
        "No lo intento de nuevo, para que no se haga dos veces.",
        Text.YES: "Sí",
        Text.NO: "No",
    },
    "uk": {
        Text.REQUESTED: "Ми попросили нашого співробітника продовжити розмову. "
        "Він відповість вам тут, щойно зможе.",
        Text.UNREACHABLE: "Ми звернулися до наших співробітників, але зараз з ними немає зв’язку. "
        "Ми продовжуємо спроби.",
        Text.REACHED: "Наші співробітники отримали ваш запит.",
        Text.REFUSED: "Не вдалося передати запит нашим співробітникам. "
        "Ви можете зачекати або продовжити розмову з асистентом.",
        Text.NOT_RELAYED: "Зараз ваші повідомлення не доходять до нашого співробітника. "
        "Ми передамо їх, щойно це стане можливим.",
        Text.JOINED: "До розмови приєднується {who}.",
        Text.CANCELLED: "Запит скасовано. Ви можете продовжити розмову з асистентом.",
        Text.EXPIRED: "На жаль, ніхто з наших співробітників не зміг приєднатися до розмови. "
        "Асистент і надалі до ваших послуг.",
        Text.REQUEUED: "Розмову передає далі {who}. Ми попросили іншого співробітника.",
        Text.COORDINATOR_AWAY: "Зараз не може відповісти {who}. Ми попросили іншого співробітника.",
        Text.RETURNED: "Розмову з нашим співробітником завершено. Асистент знову до ваших послуг.",
        Text.ENDED: "Ви завершили розмову з нашим співробітником. Асистент знову до ваших послуг.",
        Text.CLOSED: "Розмову закрито. Якщо ви напишете знову, почнеться нова.",
        Text.IDLE: "Розмову закрито, бо тривалий час ніхто не писав. "
        "Якщо ви напишете знову, почнеться нова.",
        Text.APOLOGY: "Перепрошую, зараз я не можу відповісти. "
        "Спробуйте ще раз або попросіть з’єднати вас із нашим співробітником.",
        Text.APOLOGY_REQUESTED: "Перепрошую, зараз я не можу відповісти. "
        "Ми попросили нашого співробітника продовжити розмову.",
        Text.UNAVAILABLE_REQUESTED: "Асистент зараз недоступний. "
        "Ми попросили нашого співробітника продовжити розмову.",
        Text.COLLEAGUE: "наш співробітник",
        Text.ANSWER_CUT: "… (Відповідь обривається тут: вона була надто довгою.)",
        Text.STOPPED: "Відповідь зупинено. Ви можете запитати знову будь-коли.",
        Text.DECLINED: "На це я не можу відповісти. "
        "Ви можете запитати щось інше або попросити колегу.",
        Text.NOT_DONE: "Уточнення: насправді нічого з цього не зроблено. "
        "За потреби це може зробити наш співробітник.",
        Text.NOBODY: "Наразі нікого з наших співробітників немає на місці.",
        Text.BACK_AT: "Наші співробітники знову будуть на місці: {until}.",
        Text.LEAVE_MESSAGE: "Ви можете залишити тут повідомлення для наших співробітників, "
        "найкраще з номером телефону або електронною адресою.",
        Text.MESSAGE_KEPT: "Дякую. Ваше повідомлення збережено для наших співробітників.",
        Text.NOT_OFFERED: "До цього чату я не можу запросити співробітника.",
        Text.TURN_TO: "З нами можна зв’язатися так: {contact}.",
        Text.NOT_ASKED: "Уточнення: насправді нікого зі співробітників не запрошено.",
        Text.SORRY: "Перепрошую, зараз я не можу відповісти.",
        Text.TRY_LATER: "Ви можете спробувати ще раз пізніше.",
        Text.UNAVAILABLE: "Асистент зараз недоступний.",
        Text.DECLINED_ALONE: "На це я не можу відповісти. Ви можете запитати щось інше.",
        Text.NOT_DONE_ALONE: "Уточнення: насправді нічого з цього не зроблено.",
        Text.CONFIRM: "{what}\n\nЗробити це? Відповідайте «так» або «ні».",
        Text.CONFIRM_COLLEAGUE: "{what}\n\nДля цього потрібна згода нашого співробітника. Ми "
        "попросили про неї й напишемо вам тут.",
        Text.CONFIRM_EXPIRED: "Час на відповідь минув, тому цього не зроблено: {what}",
        Text.CONFIRM_WITHDRAWN: "Запитання більше не чинне, і цього не зроблено: {what}",
        Text.WRITE_DONE: "Зроблено: {what}",
        Text.WRITE_FAILED: "Не зроблено: {what}",
        Text.WRITE_UNKNOWN: "Не вдалося з’ясувати, чи це зроблено: {what}\n"
        "Ми не пробуємо ще раз, щоб цього не сталося двічі.",
        Text.YES: "Так",
        Text.NO: "Ні",
    },
}


def localized(
    language: str,
    text: Text,
    words: Words = NO_WORDS,
    *,
    who: str | None = None,
    until: str = "",
    contact: str = "",
    what: str = "",
) -> str:
    """Return the text in the language of a tag, or in English where there is none in that.

    `words`: the business's own wording, which comes first. `who`: the coordinator it names; None:
    one without a name. `until`: the time, `contact`: the address, `what`: the act that it names.
    """
    own = words.get(lookup(language, words) or "", {})
    texts = _TEXTS[lookup(language, _TEXTS) or FALLBACK_LANGUAGE]
    colleague = own.get(Text.COLLEAGUE) or texts[Text.COLLEAGUE]
    wording = own.get(text) or texts[text]
    return wording.format(who=who or colleague, until=until, contact=contact, what=what)


def wording_problems(words: Words) -> list[str]:
    """Return what is wrong with a business's own wording, each with its key: `de.joined: …`."""
    problems = []
    for language, texts in words.items():
        if _is_language(language) is None:
            problems.append(f"{language}: must be a language in lower case, such as de or pt-br")
        for key, wording in texts.items():
            if (problem := _problem(key, wording)) is not None:
                problems.append(f"{language}.{key}: {problem}")
    return problems


def _problem(key: str, wording: str) -> str | None:
    if key not in Text.__members__.values():
        return f"is no text of the server: use one of {', '.join(Text)}"
    if is_blank(wording) or plain_text(wording) != wording or len(wording) > MAX_WORDING:
        return f"must be 1-{MAX_WORDING} characters of plain text"
    allowed = PLACEHOLDERS.get(Text(key), "")
    may_be = f"{{{allowed}}} alone" if allowed else "none"
    try:
        parts = [*Formatter().parse(wording)]
    except ValueError:
        return f"has a brace without its other; write {{{{ for one, and of placeholders {may_be}"
    if allowed == "what" and all(name != allowed for _, name, *_ in parts):
        return "must have {what}: who reads it must see what a tool does"
    for _, name, layout, conversion in parts:
        if name is not None and (name != allowed or not name or layout or conversion):
            return f"has the placeholder {{{name}}}; there may be {may_be}"
    return None
