"""What promises a human, and what only speaks of one (rule 10)."""

import pytest

from domain.promise import promises_transfer
from tests.unit.domain import promises

PROMISES = [
    "Vă transfer la un coleg.",
    "Vă transfer acum către un operator uman.",
    "Te conectez imediat cu un coleg!",
    "Vă pun în legătură cu un coordonator.",
    "Vă voi transfera unui coleg.",
    "O să vă conectez cu un agent.",
    "Urmează să vă redirecționez către un operator.",
    "Am cerut unui coleg să vă ajute.",
    "Am anunțat un consultant.",
    "Un coleg va prelua conversația în câteva minute.",
    "Un coleg vă va contacta în curând.",
    "Va transfer la un coleg.",  # as many write it
    "VĂ TRANSFER LA UN COLEG",
    "Nu pot rezolva asta, vă transfer la un coleg.",
    "Îmi pare rău. Nu știu răspunsul. Vă transfer la un coleg. O zi bună!",
    "Vă transfer acum.",
    "I'm transferring you to a human agent.",
    "I\N{RIGHT SINGLE QUOTATION MARK}m transferring you to a colleague now.",
    "I am now connecting you with a representative.",
    "I'll transfer you to an operator.",
    "I will connect you with a human colleague.",
    "I will hand you over to a person.",
    "Let me connect you with a human agent.",
    "Connecting you to an agent…",
    "I've asked a colleague to take over.",
    "I have notified the team.",
    "I've escalated this to our team.",
    "A colleague will take over shortly.",
    "An agent will be with you in a moment.",
    "I can see the problem, so I'm transferring you to a colleague.",
    "I can't answer that so I'm transferring you to a colleague.",
    "Transferring you now. Please hold.",
    '"I am transferring you to a colleague."',
]

NO_PROMISES = [
    "",
    "Bună! Cu ce vă pot ajuta?",
    # offers
    "Dacă doriți, vă transfer la un coleg.",
    "Pot să vă transfer la un coleg.",
    "Vă pot transfera la un coleg oricând.",
    "Aș putea să vă conectez cu un operator.",
    "Spuneți-mi dacă vreți să vă transfer la un coleg.",
    "If you wish, I'll transfer you to a colleague.",
    "I can transfer you to a human agent.",
    "I could connect you with a colleague.",
    "I'll transfer you to a colleague if you like.",
    # questions
    "Vă transfer la un coleg?",
    "Vreți să vă conectez cu un operator?",
    "Should I connect you with an agent?",
    "Shall I transfer you to a colleague?",
    "Would you like me to connect you with a human?",
    # negations
    "Nu vă transfer la un coleg.",
    "Nu vă pot transfera la un operator.",
    "Nu am cerut unui coleg nimic.",
    "Nu o să vă transfer la un coleg.",
    "I can't transfer you to a human.",
    "I'm not transferring you to a colleague.",
    "I am unable to connect you with an agent.",
    "I won't be transferring you to an agent.",
    "I haven't asked a colleague yet.",
    "No agent will contact you.",
    "Niciun coleg nu va prelua conversația.",
    # quotes and reported speech
    'Ați scris: "Vă transfer la un coleg".',
    "Mesajul era „vă transfer la un operator”, nu-i așa.",
    'You wrote "I am transferring you to a human" yesterday.',
    "You said I'm transferring you to an agent.",
    "Ați spus că vă transfer la un coleg.",
    # of humans, and nothing of the kind
    "Colegii noștri lucrează de luni până vineri.",
    "Un coleg v-a ajutat ieri.",
    "Am cerut agenției de turism lista.",
    "Our agents are here from 9 to 5.",
    "I have asked for one more person at your table.",
    "I'm transferring your deposit to the new booking.",
    "Vă transfer rezervarea pe mâine.",
    "I will pass this on.",
    "The operator of the boat speaks English.",
]


@pytest.mark.parametrize("text", [*PROMISES, *promises.PROMISES])
def test_a_promise_of_a_human_is_recognised(text: str) -> None:
    assert promises_transfer(text)


@pytest.mark.parametrize("text", [*NO_PROMISES, *promises.NO_PROMISES])
def test_what_only_speaks_of_humans_promises_none(text: str) -> None:
    assert not promises_transfer(text)


def test_a_long_answer_is_looked_through_quickly() -> None:
    text = "Vă transfer " * 50_000 + "colega" * 1_000

    assert not promises_transfer(text + "?")
