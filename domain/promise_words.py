"""The words by which promises of a human and claims of deeds are recognised, by language.

Written as a native speaker writes them; compared without diacritics and in lower case. `book*`: any
ending; `*tam`: any beginning; `annulé+`: the endings of the language's participles (`ENDINGS`);
`in_touch`: several words in a row. The longest entry that fits a word decides, so that an exception
(`plain`) is an entry that is longer than the rule. What the groups mean:

staff: who may come or write; also "someone". self, you: the pronouns. you_did: the pronoun of what
the customer did. i_have, have: the auxiliary of "I have booked", alone or with `self`. was, is: the
auxiliaries of "was booked", "is booked". now: what makes a state new. soon: a near time. deed: the
participle of what may be done for a customer. past: another participle. i_did: a word that says it
alone ("töröltem"). done: a word that is a claim by itself. will, you_will: the future. contact: the
verb of "a colleague will call", contacted: its participle. reply: a contact that needs no staff to
be named. put, touch: "put … in touch". transfer: "I connect", and words like it. ask: to tell or
fetch somebody. not, may, if, after, offer, looked_up, usually, said, step: what makes it no claim.
"""

COMMON = {
    "ro": "și să este nu la cu pe în vă am din pentru care sunt un o ați va si sa dacă mai fost",
    "en": "the and you to is your of for we i have has will it in on with that this are i'm i've",
    "de": "der die das und sie ist ich wir nicht ein eine für mit den ihnen zu auf wird haben",
    "fr": "le la les et vous est je nous pas un une pour avec votre de du des à sur que",
    "hu": "a az és nem egy hogy önt van is meg ön kérem fel ha be ki már csak",
    "it": "il la che e è un una per non di le con si ho sono del della suo i lo al",
    "es": "el la que y es un una por no de los se con su en le para del ha ya lo",
    "uk": "і та не на що ви ми я до для вас це з ваш у в за й вам від вона він була тут так",
}
"""Common words, by which a text shows its language."""

ENDINGS = {
    "ro": ("", "a", "e", "i"),
    "fr": ("", "e", "s", "es"),
    "it": ("o", "a", "i", "e"),
    "es": ("o", "a", "os", "as"),
    "uk": ("в", "ла", "ли", "о", "ий", "а", "е", "і"),
}

WORDS: dict[str, dict[str, str]] = {
    "ro": {
        "staff": """coleg* operator* agent agentul agentului agenți* consultant* consilier*
            coordonator* reprezentant* specialist* tehnician* inginer* echip* departament*
            serviciul* suport* asistentă asistenta asistente* medic* doctor* dr farmacist* recepți*
            curier* șofer* dispecer* manager* șef* director* responsabil* supervizor* ofițer* om
            omul uman umană persoană cineva antrenor* instructor* secretar* secretariat* ospătar*
            chelner* bucătar* meseriaș* instalator* electrician* mecanic* expert* inspector*
            evaluator* administrator* gestionar* casier* profesor* avocat* notar* ghid* depozit*
            membru* persoan* personal* vânzător* concierge* contabil* broker* livrator*
            programator* logistic* birou* facturare* domnul doamna domnișoara dl dna d-na
            domn_doctor proprietar* gazda băieții fetele ai_noștri ale_noastre patron* cineva_de
            conducere* la_el la_ea cu_el cu_ea camerist* bagajist* portarul portarului hamal*
            paznic*""",
        "plain": """persoane colegial* recepționat* agenție agenția omlet* personaliz* echipament*
            echipat* echipă_de_patru suportă* ai_echipei plan* așa* am_înțeles am_găsit am_văzut
            am_verificat am_primit am_citit am_căutat am_observat am_avut am_fost am_putut am_spus
            am_menționat am_uitat am_auzit am_crezut am_pus_la_dispoziție am_identificat
            am_consultat am_analizat am_aflat am_mai_găsit reclamații reclamația programare
            programarea programări programul programe rezervare rezervarea rezervări rezervările
            comanda comanda_dumneavoastră pot_confirma agenției agenții bucătări* agentul_imobiliar
            agent_imobiliar operatorul_de_telefonie operator_de_telefonie s_a_oprit_aici
            nu_am_reușit n_am_reușit pot_să_vă_confirm pot_să_confirm pot_confirma_că
            bucur_să_vă_anunț""",
        "you": """vă te ți vi dumneavoastră dvs ție tine dumneata îți iți ti i-a conversația
            discuția chatul chat aici""",
        "you_did": "ați ai",
        "i_have": "am",
        "have": "a au",
        "was": "fost s_a s_au",
        "is": "e este",
        "now": "acum tocmai deja imediat",
        "deed": """anulat+ rezervat+ modificat+ schimbat+ mutat+ programat+ reprogramat+ trimis+
            retrimis+ transmis+ înregistrat+ blocat+ deblocat+ suspendat+ activat+ reactivat+
            dezactivat+ adăugat+ scos+ șters+ ștearsă returnat+ rambursat+ restituit+ resetat+
            notat+ deschis+ trecut+ pus+ emis+ prelungit+ actualizat+ corectat+ mărit+ micșorat+
            crescut+ redus+ depus+ solicitat+ cerut+ comandat+ plasat+ confirmat+ completat+ creat+
            generat+ înscris+ dezabonat+ abonat+ oprit+ pornit+ eliminat+ reținut+ păstrat+ amânat+
            devansat+ închis+ escaladat+ redirecționat+ înaintat+ raportat+ semnalat+ sesizat+
            marcat+ aplicat+ acordat+ creditat+ virat+ transferat+ alocat+ atribuit+ eliberat+
            reînnoit+ reziliat+ retras+ inițiat+ declanșat+ lansat+ finalizat+ rezolvat+ aranjat+
            stabilit+ fixat+ ocupat+ făcut+ salvat+ introdus+ atașat+ expediat+ livrat+ înlocuit+
            preschimbat+ upgradat+ extins+ dublat+ scăzut+ ajustat+ recalculat+ refăcut+ validat+
            aprobat+ setat+ configurat+ logat+ achitat+ plătit+ încasat+ notificat+ chemat+ rugat+
            vorbit+ întrebat+ alertat+ scris+ invitat+ convocat+ îngropat+ înghețat+ limitat+
            consemnat+ procesat+ efectuat+ operat+ predat+ ridicat+ lăsat+ dat+ tăiat+ bifat+
            reactualizat+ conectat+ asociat+ delegat+ sincronizat+ repornit+ restartat+
            verificat_și direcționat+ stornat+ înștiințat+""",
        "past": "*at *it *ut *us *ns *ris *cis *rs *pt",
        "done": """gata s_a_făcut s_a_rezolvat totul_e_gata totul_este_gata gata_făcut
            operațiune_reușită căsuța_dumneavoastră căsuța_ta am_reușit_să reușit_să e_al_tău
            e_a_ta e_al_dumneavoastră a_plecat_spre au_plecat_spre a_ajuns_la_colegii""",
        "will": """o_să voi vom vor urmează am_să veți vei o_s_a ar_trebui_să_primiți
            ar_trebui_să_primești ar_trebui_să_fiți""",
        "you_will": "va",
        "contact": """sun sună suna sune contactează contacta contacteze caută căuta caute scrie
            scria scrie-vă telefonează telefona telefoneze răspunde răspundă prelua
            preia_conversația revine reveni revină apelează apela anunța anunță anunțe scriu
            sună_ei conectează conecta""",
        "contacted": """contactat+ sunat+ apelat+ căutat+ anunțat+ preluat+ vizitat+ informat+""",
        "reply": """primi_un_apel primi_un_telefon primi_un_răspuns primi_răspuns primiți_un_apel
            primiți_un_telefon primiți_un_răspuns primiți_răspunsul primi_răspunsul primi_un_mesaj
            primești_un_apel primești_un_telefon primești_un_răspuns primiți_un_mesaj_de_la
            primești_un_mesaj primi_vești primiți_vești aveți_vești un_răspuns un_apel un_telefon
            vești un_semn știre un_mesaj_de_la un_e_mail_de_la""",
        "put": """pun punem pune fac facem dau dăm da pună stabilesc intru intrăm iau luăm lua""",
        "touch": "legătura legătură mâna telefon direct contact",
        "transfer": """transfer transferăm transfera conectez conectăm redirecționez redirecționăm
            redirecționa direcționez transferi chem chemăm revenim revin contactăm sunăm contactez
            reconectez întoarcem telefonăm escaladez escaladăm ținem_la_curent ținem_legătura
            îndrept îndrum transferându conectându preiau_legătura preluăm dăm_de_știre
            dau_de_știre dăm_de_veste țin_la_curent scriem răspundem venim căutăm apelăm vizităm
            preluăm_noi vă_scriu_eu vă_scriu următorul_la_rând preia predau predăm pasez înaintez
            sunteți_în_așteptare ești_în_așteptare""",
        "asking": """rog rugăm anunț anunțăm întreb cer cerem trimit trimitem transmit transmitem
            solicit solicităm las lăsăm aduc aducem implic implicăm notific notificăm informez
            informăm apelez caut alertez invit spun întrebăm""",
        "ask": """ruga cere chema trimite transmite solicita aduce notifica înainta preda implica
            întreba alerta""",
        "not": "nu n niciun nicio nici nimeni imposibil neputând",
        "may": """pot poate puteți puteți_să poți putem putea puteam aș ar s-ar putea_să trebuie
            trebui ați_putea""",
        "if": """dacă în_caz_că în_cazul_în_care în_cazul cu_condiția doar_cu numai_cu cu_acordul
            oricând când_doriți la_nevoie la_cerere eventual în_caz_de după_ce_ați odată_ce
            imediat_ce_ați după_ce_veți""",
        "after": """după_ce când imediat_ce de_îndată_ce îndată_ce la_sosire la_check
            după_completarea după_trimiterea după_plata după_semnarea după_confirmarea
            în_momentul_în_care""",
        "offer": """doriți dorești vreți vrei preferați preferi ați_dori ai_dori spuneți_mi_dacă
            vă_rog_să_îmi_spuneți ar_fi_util v_ar_ajuta iată_cum""",
        "looked_up": """sistem* conform potrivit apare apar figurează văd urmărir* tracking* din_ce
            rezultă trecut_la observ arată afișat* afișează în_aplicație de_operator ianuarie_la
            de_atunci aici_scrie scrie_că scrie_aici""",
        "usually": """obicei general normal normală mereu întotdeauna zilnic* uneori adesea deseori
            non_stop de_luni luni_până niciodată program* regulă fiecare în_medie majoritatea
            orice_întrebare săptămânal lunar""",
        "said": """ați_scris ați_spus ați_menționat ați_zis ai_scris ai_spus ai_menționat ai_zis
            spuneați spuneai ziceați ziceai scriați scriai menționați_că înțeleg_că ați_precizat
            a_spus_că au_spus_că mi_ați v_a_spus vi_s_a_spus ți_s_a_spus mi_ai că_ați_fost
            că_ai_fost rău_că""",
        "step": """sunați sună_ne contactați scrieți lăsați completați trimiteți apăsați accesați
            intrați mergeți folosiți alegeți selectați adresați introduceți apelați cereți
            solicitați întrebați lasă completează apasă accesează alege blocați deschideți
            verificați bifați confirmați veniți prezentați""",
        "and": "și dar însă iar așa_că deci ci fiindcă pentru_că sau prin_urmare ori",
        "soon": """azi astăzi mâine curând îndată diseară deseară minut* minute oră ore moment
            momente momentul clipe secunde luni marți miercuri joi vineri sâmbătă duminică scurt
            câteva începând repede urgent zilei săptămân*""",
        "past_time": """ieri alaltăieri anul_trecut săptămâna_trecută luna_trecută astă_noapte
            azi_noapte azi_dimineață""",
        "come": """ajunge ajungă vine veni vină intra intră intre alătură alătura alăture ajuta
            ajută ajute vizitează vizita viziteze trece treacă deplasează deplasa întoarce întoarcă
            ocupă ocupa ocupe drum ghidează ghida asistă asista prezenta prezintă comunica comunică
            confirma confirmă informa informează lămuri clarifica explica oferi intervin
            intervine""",
        "are": "sunt",
        "that": "că",
    },
    "en": {
        "staff": """colleague* agent agents representative* rep operator* adviser* advisor*
            specialist* technician* engineer* team teams manager* supervisor* human humans person
            nurse* doctor* dr driver* courier* consultant* coordinator* reception receptionist*
            desk staff department* expert* pharmacist* dentist* clerk* officer* office crew
            plumber* electrician* mechanic* adjuster* lawyer* accountant* host hostess chef waiter*
            trainer* coach* tutor* secretary associate* concierge* housekeeping member members
            people folks counsellor* counselor* surgeon* physician* therapist* vet dispatcher*
            warehouse librarian* broker* planner* organiser* organizer* landlord* inspector*
            surveyor* guide support sales billing owner* professional* guy teammate* escalations
            handler* underwriter* banker* hygienist* midwife instructor* installer* fitter* rider*
            locksmith* porter* porters caretaker* workshop sommelier* registrar* examiner* mate
            guru boss someone* somebody* mr mrs ms guys one_of_our one_of_the one_of_my sir madam
            personnel colleague's everyone_here girls lads coordinator one_of_us real_people
            next_available whoever help_is""",
        "plain": """human_resources agency person_per per_person team_building support_page
            support_email your_colleague your_travel_agent travel_agent estate_agent tour_operator
            your_doctor supported supports your_team the_people two_people people_per i've_found
            i_understand i_checked i've_checked i_have_found i_have_checked i_looked i've_looked
            i_have_received i've_received i've_read i_noticed i_understood i've_seen i_have_seen
            i've_understood i_mentioned i've_mentioned i_said i_got need* feed* speed* indeed
            bleed* exceed* weed* hundred red bed shared_room embed* kindred naked sacred limited
            unlimited allowed interested delighted pleased afraid worried excited thrilled included
            required needed based related supposed designed located opened_in_19 best fast west
            east almost request* latest at_least last list first cost contact_form contact_us
            contact_details reply_to_this booking bookings order orders answer_your_question
            answer_any looked_at met kept_in can_confirm happy_to_confirm happy_to_say glad_to_say
            i_see_you sorry_for_that sorry_to_hear sorry_for_the can_tell may_2* in_may team_of
            more_person one_more_person the_estate_agent got_it i_got_it luggage help_you_with_your
            let_the_phone let_a_day not_managed_to wasn't_able_to can_now_confirm can_also_confirm
            can_tell_you can_let_you_know happy_to_let_you_know happy_to_tell glad_to_confirm
            pleased_to_confirm leave_it_with_me leave_that_with_me leave_this_with_me""",
        "self": "i we",
        "you": "you u it chat conversation here door",
        "you_did": "you_had you've you_have",
        "i_have": "i've we've i've_just we've_just ive weve",
        "have": "have has",
        "was": "been was were gets",
        "is": "is it's that's everything's table's card's",
        "now": """now just already hereby currently successfully officially fully minutes_ago
            minute_ago seconds_ago second_ago moments_ago moment_ago""",
        "deed": """booked reserved cancelled canceled moved rescheduled changed updated refunded
            returned sent resent e-mailed escalated logged registered noted recorded blocked frozen
            unfrozen froze locked unlocked suspended paused resumed reactivated activated
            deactivated disabled enabled switched turned reset removed deleted added applied issued
            raised lifted increased decreased lowered reduced extended renewed terminated closed
            opened reopened submitted filed lodged placed ordered reordered replaced exchanged
            swapped upgraded downgraded credited processed set corrected fixed amended adjusted
            edited modified altered confirmed completed created generated enrolled enroled signed
            unsubscribed subscribed stopped started initiated triggered launched finalised
            finalized resolved sorted arranged scheduled scheduled_in assigned allocated released
            withdrawn withdrew waived approved authorised authorized verified_and saved saved_your
            entered attached shipped dispatched delivered linked merged asked told informed alerted
            requested flagged reported briefed pinged paged left got_hold spoken spoke taken gone
            went gave given brought chased expedited split combined voided reversed reinstated
            restored revoked rerouted held rebooked pencilled penciled secured claimed marked
            tagged listed posted uploaded included_your topped cleared wiped dropped popped pushed
            bumped shifted postponed brought_forward deferred squeezed slotted printed charged
            deducted compensated granted ended discontinued enquired checked_you honoured matched
            redeemed configured synced restarted rebooted stripped crossed ticked invited cut
            halved doubled transmitted put made took taken_off scrapped disarmed waitlisted
            rescinded""",
        "past": """*ed got kept found_you won bought built paid spent written wrote drawn thrown
            shown chosen driven begun dug shut rung sought taught stuck undone redone""",
        "done": """done all_set all_sorted that's_sorted you're_in consider_it_done all_done
            it's_done it_is_done that's_done you're_booked you_are_booked you're_good_to_go
            you're_down you're_confirmed all_taken_care taken_care_of gone_through set_up locked_in
            good_to_go all_yours on_hold under_your_name in_place refund_is_on refund's_on
            money_is_on gone_ahead went_ahead on_the_list no_longer_active on_the_waiting
            in_your_inbox off_your_bill on_your_account on_your_file managed_to was_able_to
            were_able_to i_included we_included i_also_included hit_send is_down_for is_yours""",
        "will": """will shall i'll we'll they'll she'll he'll it'll someone'll somebody'll going
            gonna i'm we're lemme let's i_am we_are about being let should_get should_receive
            should_be_contacted should_expect""",
        "you_will": "you'll you're",
        "contact_or_step": """call contact phone ring email e-mail text message write reply answer
            visit join respond""",
        "contact": """phoning ringing texting emailing messaging writing replying calls rings mails
            texts writes answers typing replies contacts emails phones""",
        "contacted": """contacted called phoned emailed messaged reached visited notified connected
            transferred passed helped assisted joined put_through routed redirected handed
            forwarded""",
        "reply": """get_back gets_back getting_back got_back in_touch hear_from hear_back
            get_a_call getting_a_call get_a_text receive_a_call receive_a_phone receive_a_reply
            receive_a_response receive_an_answer get_an_answer get_a_reply get_a_response reach_out
            reaches_out reaching_out call_you_back calls_you_back calling_you_back ring_you_back
            come_back_to_you follow_up_with_you drop_you circle_back give_you_a_call
            giving_you_a_call give_you_a_ring give_you_a_bell touch_base receive_a_callback
            get_a_callback get_a_visit keep_you_posted keep_you_updated return_your_call call_you
            phone_you text_you email_you ring_you write_to_you reply_to_you a_phone_call a_callback
            back_to_you be_speaking speaking_to talking_to speaking_with talking_with news_from
            an_answer a_response a_reply word_from an_update a_call our_call our_email a_ring
            call_back phone_back ring_back email_back write_back be_with_you_shortly
            be_with_you_soon be_with_you_in be_with_you_right be_right_with_you should_hear""",
        "put": "putting puts put_you put_us",
        "touch": "through touch over",
        "transfer": """transferring connecting handing forwarding escalating escalate transfer_you
            connect_you hand_you hand_this hand_over put_you_through pass_you patch_you patching
            looping loop rerouting routing redirecting redirect_you transfer_this transfer_your
            escalate_this forward_this forward_your pass_this pass_your passing expect_a_call
            expect_an_email expect_a_message expect_a_visit raising_this raise_this bringing_in
            bring_in flagging dispatching hold_while_i hold_while_we get_you_to get_you_through
            send_you_over switching_you transfer_the_chat hand_the_chat assigning connect_us
            phone_handy phone_close phone_nearby phone_on next_in_line in_the_queue look_out_for_a
            look_out_for_our next_in_the_queue take_over takes_over taking_over expect_our
            expect_one_of get_you_over get_you_connected let_me_bring let_me_grab let_me_fetch""",
        "asking": """asking telling notifying getting fetching bringing calling sending alerting
            informing paging contacting pulling pinging finding summoning i'll_have we'll_have
            have_someone have_somebody having_someone will_have_a will_have_someone will_have_our
            will_have_my will_have_one let_my let_a let_the let_our let_one_of let_someone
            let_somebody""",
        "ask": """ask tell notify get find grab fetch bring send alert inform page pull speak
            need_to_get summon""",
        "not": """not no never can't cannot couldn't won't don't doesn't didn't isn't aren't wasn't
            weren't hasn't haven't nobody none unable wouldn't neither nor unfortunately_no n't
            hadn't before_anything""",
        "may": """can could might would should must can_also be_able ready_to to_be happy_to
            able_to may""",
        "if": """if unless should_you in_case provided only_with with_your_consent
            with_your_permission with_your_ok with_your_okay subject_to depending otherwise
            on_request upon_request once_you after_you when_you as_soon_as_you""",
        "after": """once after when whenever until as_soon_as on_arrival upon_arrival upon_receipt
            before by_pressing by_clicking following""",
        "offer": """would_you do_you_want shall_i shall_we should_i should_we want_me like_me
            you'd_like you_would_like you_like you_wish you_want you_prefer you'd_prefer
            let_me_know if_you'd you'd_rather do_you_need could_you can_you feel_free happy_to_have
            tell_me_if just_say say_the_word may_i can_i how_to""",
        "looked_up": """system systems according shows showing tracking looks i_can_see i_see
            i_found my_end_shows was_declined on_the_1* listed_as dated indicates says marked_as
            appears_as appears_to""",
        "usually": """usually normally typically generally always often rule sometimes every
            weekdays mondays tuesdays wednesdays thursdays fridays saturdays sundays hours_are
            average round_the_clock rarely regularly ordinarily daily weekly monthly tend tends
            each_day each_week airport_transfer monday_to_friday monday_through_friday
            monday_to_saturday monday_to_sunday""",
        "said": """you_wrote you_said you_mentioned you_told you_were_told you_were_promised
            you_say you_wrote_that understand_that hear_that you_quoted you_added you_write he_said
            she_said they_said he_told she_told they_told you_are_saying you're_saying you_reported
            in_your_message your_message_says you_described sorry_you sorry_that sorry_to sorry_for
            you_waited i_understand_that i_understand_you""",
        "step": """leave fill submit press click tap use go choose select enter open please_call
            please_contact please_email please_write please_fill please_send please_leave
            please_use please_reply please_go to_reach sign log please_ring please_press
            please_click please_submit please_complete complete please_ask please_visit download
            please_enter please_bring please_choose please_check add please_attach attach freeze
            print show""",
        "and": "and but so or because therefore as yet",
        "soon": """soon shortly today tomorrow tonight immediately moment minute minutes hour hours
            second seconds away afternoon morning evening monday tuesday wednesday thursday friday
            saturday sunday week asap momentarily right_away straight_away right_now directly
            safely days""",
        "past_time": """yesterday last_week last_month last_night last_monday last_tuesday
            last_wednesday last_thursday last_friday last_saturday last_sunday last_year in_january
            in_february in_march in_april in_june in_july in_august in_september in_october
            in_november in_december days_ago weeks_ago week_ago months_ago month_ago years_ago""",
        "your": "your yours",
        "come": """come arrive help assist come_over follow_up pick_up step_in drop_by joining
            coming arriving on_the_way on_their_way on_its_way on_his_way on_her_way joins
            coming_over be_there be_with with_you take_it_from_here take_this_from_here look_after
            get_to_you reach meet attend pick_this_up en_route heading swing_by pop_by stop_by
            handle ping review assisting helping helps knock dial go_over go_through walk_you
            take_it_over be_at be_over be_round be_on be_out comes brings visits takes_it
            takes_this should_be_there""",
        "are": "are they're",
        "that": "that",
        "i_did": "i've_let we've_let i_have_let",
    },
    "de": {
        "staff": """kolleg* mitarbeiter* agent agenten agentin berater* fachberater* spezialist*
            techniker* ingenieur* team teams jemand jemanden manager* supervisor vorgesetzt* mensch
            menschen menschlichen person arzthelfer* pfleger* schwester ärztin arzt doktor dr
            fahrer* kurier* zusteller* koordinator* rezeption empfang abteilung* expert* apotheker*
            zahnarzt* sachbearbeiter* büro monteur* klempner* elektriker* mechaniker* gutachter*
            anwalt* anwältin trainer* sekretariat* betreuer* kundenservice kundendienst support
            service leitung *leiter *leiterin ansprechpartner* makler* hausmeister* fachkraft
            fachfrau fachmann *abteilung *team *techniker *berater *beraterin *mitarbeiter
            *personal zentrale leitstelle filiale werkstatt lager hotline teamleit* operator*
            zimmermädchen housekeeping küchenchef* restaurantleit* verwalter* *verwaltung lehrer*
            handwerker* sommelier* concierge spedition lieferant* bote buchhaltung disposition
            *betreuerin *manager *managerin dienststelle *spezialist *experte *expertin herr frau
            herrn *kollege *kollegin *kollegen inhaber* wirt kapitän vertrieb rechtsabteilung
            juristen restaurantleitung serviceleitung lieferdienst schlosser* pförtner*""",
        "plain": """telefonservice zimmerservice serviceteam_erreichen personalausweis personen
            habe_gesehen habe_gefunden habe_verstanden termin hotelpersonal bereitschaftsdienst
            gelesen gefunden gesehen verstanden nachgeschaut nachgesehen geprüft gegeben gewesen
            geeignet geöffnet geschlossen gern gerne genau gegen gesamt gemeint gewünscht gehabt
            gekonnt gewusst gefragt gehört gemerkt interessant gefällt geht gibt gilt geschäft
            gericht getränk getränke geld gültig gut guten gestellt gemacht_haben gefallen
            garantiert gespannt kann_bestätigen kann_ihnen_bestätigen kann_ihnen_mitteilen
            konnte_nicht konnte_ich_nicht konnte_leider_nicht konnten_nicht konnte_keine
            konnte_kein kann_dir_bestätigen""",
        "self": "ich wir",
        "you": "sie ihnen dich dir du euch chat gespräch unterhaltung hier konversation",
        "you_did": "hast",
        "i_have": "habe hab hab's",
        "have": "haben hat",
        "was": "worden wurde wurden",
        "is": "ist",
        "now": "jetzt nun soeben gerade eben bereits schon erfolgreich",
        "deed": """storniert gebucht umgebucht reserviert verschoben verlegt geändert abgeändert
            gesperrt entsperrt gesendet geschickt verschickt zugeschickt abgeschickt versandt
            zugesandt weitergegeben übermittelt notiert eingetragen ausgetragen angelegt erstellt
            erfasst registriert aufgenommen gekündigt pausiert aktiviert reaktiviert deaktiviert
            freigeschaltet zurückgesetzt erstattet zurückerstattet rückerstattet zurückgebucht
            zurücküberwiesen überwiesen veranlasst beauftragt gutgeschrieben hinzugefügt
            hinzugebucht dazugebucht entfernt gelöscht vermerkt hinterlegt verlängert angepasst
            aktualisiert informiert benachrichtigt gebeten übergeben eskaliert angemeldet
            abgemeldet ausgestellt umgestellt eingestellt vorgemerkt bestellt nachbestellt
            abbestellt erledigt angestoßen ausgelöst eingereicht gemeldet getauscht umgetauscht
            ausgetauscht beantragt abgebrochen korrigiert aufgehoben gestoppt angehalten
            freigegeben blockiert eröffnet geöffnet_und geschlossen_und vereinbart festgehalten
            umgezogen erhöht gesenkt reduziert erweitert gewährt genehmigt zugewiesen zugeteilt
            gespeichert abgeschaltet ausgeschaltet eingeschaltet angefordert angefragt ausgesetzt
            bestätigt beendet eingeleitet bearbeitet abgeschlossen gebongt ersetzt widerrufen
            zurückgezogen zurückgenommen vorgezogen umgeändert umgeleitet umgemeldet abgesagt
            zugesagt ausgezahlt berichtigt ergänzt gutgebracht festgelegt gemacht gekümmert gerufen
            verständigt dokumentiert protokolliert gestrichen herausgenommen upgegradet hochgestuft
            herabgesetzt eingelöst verbucht abgebucht verrechnet erneuert zusammengelegt
            umgewandelt hochgeladen geliefert zugestellt gesichert gelegt gesetzt gestellt_auf
            übertragen erlassen angewiesen eingeplant terminiert hochgesetzt weitergereicht
            bescheid_gegeben bescheid_gesagt freigestellt eingefroren eingerichtet abgegeben
            reklamiert gestundet durchgeführt ausgeführt vollzogen eingepflegt zurückgeholt
            freigehalten eingebaut""",
        "past": """*iert *gegeben *gesetzt *gestellt *gelegt *genommen *gezogen *geholt *gebracht
            *gemacht *geschrieben *geleitet *getragen *geschickt *gesendet *geschaltet *gelassen
            *gehalten *gerufen *gesagt *geklärt *geordnet *getauscht *gesprochen *gedreht
            *geschoben *gefügt *geräumt *gewiesen *verlegt *erledigt""",
        "done": """alles_erledigt ist_erledigt schon_erledigt fertig geschafft alles_klar_gemacht
            alles_geregelt ist_passiert passt_alles ist_vollbracht ist_durch ist_raus termin_steht
            steht_fest ist_vermerkt ist_notiert alles_in_ordnung_gebracht in_ihrem_posteingang
            in_deinem_posteingang konnte konnten in_der_warteschlange""",
        "will": """werde werden wird wirst bekommst erhältst hören hörst kriegst kriegen bekommen
            erhalten sie_sollten du_solltest""",
        "contact": """ruft meldet melden schreibt kontaktieren antwortet antworten anrufen
            zurückrufen telefoniert anschreiben mailt klingelt wendet zurückschreiben meldet_sich
            anruft zurückruft anschreibt zurückmeldet""",
        "contacted": """zurückgerufen angerufen angeschrieben weiterverbunden besucht erreicht
            durchgestellt weitergeleitet_an betreut abgeholt kontaktiert verbunden weitergeleitet
            zugeschaltet informiert_werden""",
        "reply": """von_uns_hören melden_uns melde_mich kommen_auf_sie_zu kommen_auf_dich_zu
            bei_ihnen_melden bei_dir_melden hören_von_uns antwort_von_uns rückmeldung rückruf
            zurückmelden einen_anruf antwort_per nachricht_von wieder_auf rufen_sie_an
            rufen_dich_an rufen_sie_zurück rufen_dich_zurück antworten_ihnen auf_sie_zukommen
            auf_dich_zukommen bescheid meldung antwort anruf nachricht_aus bescheid_von
            melden_wir_uns rufen_wir_sie rufen_wir_dich schreiben_ihnen schreiben_dir antworten_dir
            melden_wir""",
        "put": """nehmen nimmt setze setzen setzt stelle stellen gebe geben bringe trete treten
            aufnehmen""",
        "touch": "kontakt verbindung durch weiter",
        "transfer": """verbinde verbinden_sie leite_sie leite_dich leite_ihre leite_dein leite_ihr
            leite_das leite_den leite_die leiten_sie_gleich leiten_ihre überstelle hole holen_wir
            hinzuziehen dazuholen dazu hinzu durchstellen weiterverbinden übergebe übergeben_an
            vermittle eskaliere überleite transferiere weiterleiten schalte_einen schalte_eine
            schalte_jetzt schalte_sie ziehe_einen übernimmt_den_chat übernimmt_ab übernimmt_hier
            übernimmt_das_gespräch""",
        "asking": """bitte_einen bitte_eine bitte_meine bitte_unser* informiere benachrichtige
            kontaktiere frage sage schicke sende rufe verständige alarmiere beauftrage
            schicken_ihnen schicken_dir lasse leite leiten schalte ziehe schicken""",
        "ask": "holen bitten informieren fragen lassen verständigen beauftragen",
        "not": """nicht kein keine keinen keiner keinem nie niemand niemanden niemandem weder
            noch_keine leider_nicht noch_nicht""",
        "may": """kann können könnte könnten darf dürfen dürfte muss müssen müsste möglich kannst
            könntest würde würden könntest_du""",
        "if": """wenn falls sofern vorausgesetzt bei_bedarf auf_wunsch mit_ihrer_zustimmung ob
            nachdem_sie sobald_sie wenn_sie""",
        "after": """sobald nachdem nach_der nach_dem nach_eingang nach_erhalt bei_ankunft
            bei_ihrer_ankunft""",
        "offer": """soll sollen möchten möchtest wollen willst darf_ich wünschen hätten_sie_gern
            so_können so_kannst so_geht""",
        "looked_up": """system laut sehe sendungsverfolgung tracking zufolge gemäß angezeigt
            anzeige demnach bei_mir_steht unserem_eintrag steht_im steht_hier""",
        "usually": """normalerweise gewöhnlich meist meistens üblicherweise generell immer regel
            manchmal oft häufig montags dienstags mittwochs donnerstags freitags samstags sonntags
            wochentags werktags rund_um stets grundsätzlich täglich erreichbar durchschnittlich
            wöchentlich selten jeden_tag jede_woche jeden_montag montag_bis montags_bis
            von_montag""",
        "said": """sie_schrieben sie_sagten sie_schreiben sie_sagen du_schriebst du_sagtest
            sie_erwähnten verstehe_dass sie_meinten ihrer_nachricht du_schreibst du_meintest
            geschrieben_dass sie_berichten sie_zitieren""",
        "step": """hinterlassen füllen drücken klicken nutzen gehen öffnen wählen bitte_rufen
            bitte_schreiben wenden_sie bitte_senden kontaktieren_sie bitte_füllen laden sperren_sie
            antworten_sie bitte_wenden bitte_klicken melden_sie bitte_kontaktieren bitte_nutzen
            schreib ruf klick füll hinterlass""",
        "and": "und aber oder denn daher deshalb also sodass sondern",
        "soon": """sofort gleich bald heute morgen umgehend kürze minuten minute stunde stunden
            tagen moment augenblick montag dienstag mittwoch donnerstag freitag samstag sonntag ab
            schnellstmöglich zeitnah woche""",
        "contact_or_step": "schreiben rufen schreibe",
        "past_time": "gestern vorgestern letzte letzten letzter",
        "come": """kommt kommen hilft helfen kümmert kümmern besuchen schaltet klärt bespricht
            besprechen weiterhelfen betreuen schaut erscheint fährt tritt steigt holt abholen
            eintreffen trifft vorbeikommen stößt übernimmt übernehmen unterwegs hinzukommen
            dazukommen einschalten begleitet auf_dem_weg durchgeben benachrichtigen""",
        "are": "sind",
        "your": "ihr ihre ihren ihrem ihrer dein deine deinen deiner",
        "that": "dass",
    },
    "fr": {
        "staff": """collègue* conseiller* conseillère* agent agents opérateur* opératrice*
            représentant* spécialiste* technicien* ingénieur* équipe équipes quelqu'un responsable*
            manager* superviseur* humain humaine personne infirmier* infirmière* médecin* docteur
            dr livreur* chauffeur* coursier* consultant* coordinat* réception réceptionniste*
            service services expert* pharmacien* dentiste* gestionnaire* bureau plombier*
            électricien* mécanicien* avocat* formateur* secrétariat secrétaire* support
            interlocuteur* assistante membre membres dépanneur* intervenant* vétérinaire*
            directeur* directrice* chef gérant* hôtesse* standard dispatch entrepôt atelier
            magasinier* réparateur* notaire* praticien* kiné* comptable* artisan* professeur*
            juriste* conciergerie monsieur madame mademoiselle mme préposé* patron* propriétaire*
            juristes gardien* concierge serrurier* plombière comptabilité""",
        "plain": """services_inclus petit_déjeuner service_est j'ai_vu j'ai_trouvé j'ai_compris
            j'ai_bien_compris j'ai_vérifié j'ai_lu j'ai_consulté nous_avons_trouvé d'équipe
            d'équipement personnes équipements équipement équipé équipée en_service service_compris
            personnel_d'accueil peux_confirmer peux_vous_confirmer confirme_que n'ai_pas_pu
            n'ai_pas_réussi_à peux_te_confirmer""",
        "you": "vous te toi t' conversation discussion chat ici",
        "you_did": "avez",
        "i_have": """j'ai ai avons on_a m'en_suis me_suis m'en_suis_déjà nous_sommes_occupés l'ai
            t'ai on_vous_a on_t'a on_l'a vous_ai t'avons""",
        "have": "a ont",
        "was": "été d'être",
        "is": "est c'est",
        "now": "maintenant désormais vient_d'être viennent_d'être déjà bien succès",
        "deed": """annulé+ réservé+ modifié+ changé+ déplacé+ décalé+ reporté+ avancé+ envoyé+
            renvoyé+ transmis+ enregistré+ bloqué+ débloqué+ suspendu+ activé+ réactivé+ désactivé+
            ajouté+ retiré+ supprimé+ remboursé+ réinitialisé+ noté+ ouvert+ mis mise mises émis
            émise prolongé+ actualisé+ corrigé+ augmenté+ réduit+ baissé+ déposé+ demandé+
            commandé+ passé+ confirmé+ complété+ créé+ généré+ inscrit+ désinscrit+ désabonné+
            arrêté+ stoppé+ résilié+ programmé+ planifié+ reprogrammé+ fixé+ fait faite faites
            effectué+ réalisé+ traité+ réglé+ résolu+ clôturé+ fermé+ escaladé+ signalé+ remonté+
            appliqué+ accordé+ crédité+ versé+ viré+ attribué+ libéré+ renouvelé+ lancé+ déclenché+
            finalisé+ validé+ approuvé+ sauvegardé+ expédié+ remplacé+ échangé+ étendu+ ajusté+
            paramétré+ prévenu+ informé+ averti+ alerté+ sollicité+ chargé+ occupé+ saisi+
            consigné+ basculé+ majoré+ gelé+ avisé+ adressé+ remis+ converti+ notifié+ inclus_dans
            coupé+ rectifié+ procédé+ relancé+ débité+ offert+ retenu+ bouclé+ soumis+ rétabli+
            posé+ dupliqué+ édité+ imprimé+ rattaché+ fusionné+ pris laissé+ placé+ débranché+
            positionné+ calé+ annoté+ mentionné_dans interrompu+ surclassé+ doublé+ déclaré+ acté+
            enclenché+ parti+ tenu+ gardé+ arrangé+""",
        "done": """c'est_fait c'est_réglé c'est_bon voilà_qui c'est_noté c'est_annulé c'est_réservé
            chose_faite c'est_modifié c'est_changé c'est_enregistré tout_est_réglé tout_est_prêt
            c'est_confirmé c'est_envoyé c'est_bien_noté est_faite c'est_parti est_chose
            dans_votre_boîte dans_ta_boîte pris_en_compte prise_en_compte j'ai_pu nous_avons_pu
            réussi_à""",
        "will": """va vais allons vont sera serez seras serons recevrez recevras suis en_train
            je_vais aurez aura auras recevra arrive""",
        "contact": """appelle appeler appellera contacte contacter contactera recontacte
            recontacter recontactera rappelle rappeler rappellera écrit écrire écrira répond
            répondre répondra revient revenir reviendra prendre joindre joindra téléphone
            téléphoner téléphonera contacteront appelleront répondront rappelleront recontacteront
            écriront reviendront manifestera manifester appellent contactent rappellent écrivent
            recontactent répondent""",
        "contacted": """rappelé+ recontacté+ mis_en accompagné+ contacté+ appelé+ redirigé+
            transféré+ joint+""",
        "reply": """tenons donnerons un_appel une_réponse des_nouvelles de_nos_nouvelles réponse_de
            réponse_par un_message_de retour coup_de_fil coup_de_téléphone appel réponse
            nouvelles""",
        "put": "mets mettons met mettre prends entrera entre établis mettrai",
        "touch": "relation contact relais main ligne communication",
        "transfer": """transfère transférons transférer redirige redirigeons rediriger oriente
            connecte connectons passe_un passe_une passe_le passe_la passe_mon passe_notre passe_à
            chercher escalade bascule dirige raccorde transmets_à transmets_votre transmets_ta
            remonte_votre remonte_ta fais_appel fais_intervenir fais_venir fais_suivre envoie_un
            envoie_une transférant connecter quittez_pas recontacterons recontactons rappelons
            rappellerons répondrons contacterons reviendrons revenons appellerons tiendrons
            reviens_vers recontacterai rappellerai répondrai écrirons contactons écrivons répondons
            appelons contacterai appellerai ferons_signe faisons_signe prend_le_relais
            prendra_le_relais""",
        "asking": """appelle_un appelle_une appelle_le appelle_la préviens prévenons informe
            informons demande demandons contacte_un contacte_une contacte_le contacte_notre
            sollicite alerte appelle_notre avertis transmets transmettons laisse confie confions
            envoie envoyons signale""",
        "ask": """prévenir demander informer solliciter alerter transmettre avertir confier envoyer
            trouver""",
        "not": "pas ne n'est n'a aucun aucune jamais personne_ne ni n'ai n'avons",
        "may": """peux peut pouvons peuvent pourrais pourrait pourrions pourront puis pouvez
            pourriez dois doit devez faut possible pourra pourrez""",
        "if": """si s'il s'ils en_cas_de en_cas_d'* avec_votre_accord à_condition sous_réserve
            à_votre_demande sur_demande au_cas_où avec_ton_accord après_avoir dès_que_vous
            une_fois_que lorsque_vous""",
        "after": """dès_que une_fois quand lorsque à_l'arrivée dès_votre à_votre_arrivée
            après_réception dès_réception après_votre dès_lors aussitôt_que""",
        "offer": """voulez_vous souhaitez souhaitez_vous désirez dois_je puis_je veux_tu souhaites
            préférez préférez_vous voulez voudriez veux_tu_que faut_il aimeriez_vous dites_moi_si
            puis_je_vous n'hésitez voici_comment comment_faire""",
        "looked_up": """système selon d'après suivi vois indique affiche apparaît figure
            dossier_indique visiblement constate consulté écran compte_indique""",
        "usually": """général généralement habituellement normalement toujours souvent parfois
            habitude règle quotidiennement joignable* rarement jours_ouvrés tous_les du_lundi
            en_moyenne moyenne chaque_jour chaque_semaine lundi_au""",
        "said": """vous_avez_écrit vous_avez_dit vous_disiez vous_écriviez vous_dites vous_écrivez
            tu_as_écrit tu_as_dit tu_disais vous_avez_mentionné comprends_que vous_avez_indiqué
            vous_citez vous_mentionnez vous_indiquez vous_m'avez tu_m'as""",
        "step": """appelez écrivez laissez remplissez envoyez cliquez appuyez utilisez contactez
            choisissez ouvrez allez rendez connectez répondez adressez saisissez sélectionnez
            demandez téléphonez consultez laisse_ton remplis écris clique renseignez
            veuillez_contacter veuillez_appeler veuillez_remplir veuillez_envoyer merci_de_remplir
            merci_de_contacter bloquez présentez indiquez signalez_le""",
        "and": "et mais donc car ou alors puisque",
        "soon": """tout_de_suite immédiatement bientôt aujourd'hui demain instant instants minutes
            minute heure l'heure heures ce_soir après_midi matin lundi mardi mercredi jeudi
            vendredi samedi dimanche rapidement brefs délais vite avant_ce jours dès semaine
            ce_matin""",
        "past": "*é *ée *és *ées *is *it *u *us *ait *ert",
        "past_time": "hier avant_hier dernier dernière",
        "come": """viendra vient venir passe passer passera rejoint rejoindre rejoindra arrivera
            arriver arrivent aide aider aidera intervient interviendra intervenir traiter traitera
            suivra reprend reprendra reprendre relaie occupe s'occupe occuper s'en_occuper en_route
            en_chemin rend rendra se_rendra accompagner accompagnera tiendra informera guidera
            enverra confirmera présentera prendra prend""",
        "are": "sont",
        "your": "votre vos ton ta tes",
        "that": "que",
    },
    "hu": {
        "staff": """kolléga* kollégá* kollegá* kollega* munkatárs* ügyintéző* ügynök* operátor*
            tanácsadó* szakértő* szakember* specialista technikus* mérnök* csapat* valaki valakit
            valakinek menedzser* vezető* felettes* ember* személy nővér* orvos* doktor* dr futár*
            sofőr* koordinátor* recepció* portás* osztály* gyógyszerész* fogorvos* kárszakértő*
            iroda* irodá* szerelő* villanyszerelő* ügyvéd* edző* titkárság* képviselő*
            ügyfélszolgálat* üzletvezető* pincér* séf* raktár* szerviz* támogatás* diszpécser*
            fodrász* asszisztensnő* *csapat *csapatunk *vezető *osztály *osztályt gondnok*
            ingatlanos* hitelszakértő* könyvelő* tanár* oktató* szakács* *szolgálat* *szerelő
            *szakértő *tanácsadó *ügyintéző *munkatársunk *mester* úr asszony úrnő doktornő
            tulajdonos* *kolléga *kollégám *kollégánk *munkatársam illetékes* *asszony háziorvos*
            *orvos házigazda ügyeletes* házmester* lakatos* könyvelés""",
        "plain": """munkatársaink_beszélnek emberre embernek értettem megértettem láttam találtam
            megtaláltam olvastam elolvastam kaptam megkaptam megnéztem ellenőriztem utánanéztem
            kerestem tudtam tudtunk tudtuk hallottam vettem_észre örültem voltam voltunk ezután
            csapatunk_beszél néztem szerettem mondtam említettem írtam_korábban gondoltam
            sikerült_megtalálnom láttuk kaptunk számomra miatt alatt áttekintettem megvizsgáltam
            átnéztem nem_sikerült tudom_erősíteni megerősíthetem""",
        "you": """önt önnek önhöz önnel önről öné neked veled nálad téged hozzád tőled magát önnél
            ön az_ön beszélgetés* chat* csevegés* itt ide""",
        "you_did": "azt_írta",
        "was": "lett lettek került kerültek van vannak",
        "now": "most már máris sikeresen",
        "deed": """törölve foglalva lefoglalva módosítva áthelyezve elküldve továbbítva rögzítve
            regisztrálva letiltva zárolva felfüggesztve aktiválva bekapcsolva kikapcsolva
            deaktiválva hozzáadva eltávolítva visszatérítve visszautalva visszaállítva feljegyezve
            megnyitva meghosszabbítva frissítve javítva benyújtva megrendelve létrehozva
            feliratkoztatva leiratkoztatva leállítva lemondva átírva átütemezve előjegyezve
            jóváírva kiállítva elindítva lezárva elintézve megoldva felvéve beírva átállítva
            átvezetve iktatva beállítva megszüntetve visszavonva felmondva jelezve kérve
            módosításra rögzítésre törlésre foglalásra visszatérítésre jóváírásra átfoglalva
            kiküldve feloldva megemelve csökkentve véglegesítve kicserélve szüneteltetve felülírva
            átkönyvelve átadva kiírva megerősítve elrendezve""",
        "past": "*va *ve *ásra *ésre",
        "i_did": """*ttam *ttem *ttuk *ttük *ltam *ltem *ltuk *ltük *rtam *rtem *rtuk *rtük *ntam
            *ntem *ntuk *ntük *ztam *ztem *ztuk *ztük *stam *stem *stuk *stük *dtam *dtem *dtuk
            *dtük *gtam *gtem *gtuk *gtük *ktam *ktem *ktuk *ktük *ptam *ptem *ptuk *ptük *ytam
            *ytem *ytuk *ytük *jtam *jtem *jtuk *jtük *vtam *vtem *btam *btem *mtam *mtem *ttunk
            *ltunk *rtunk *ztunk *dtunk *ntunk *gtunk *ttünk *ltünk *rtünk *ztünk *dtünk *ntünk
            *stunk *stünk *jtunk *jtünk *ktünk *ktunk *ytunk *ytünk *attalak *ettelek *ttalak
            *ttelek *ltalak *ltelek *rtalak *rtelek *ztalak *ztelek *btuk *btük *mtuk *mtük *vtuk
            *vtük""",
        "done": """kész készen_is elkészült megtörtént elintéztük megvan létrejött
            megérkezett_a_visszaigazolás rendben_van_a befejeződött lezárult teljesült sikerült
            megvolt""",
        "will": "fog fogja fogják fogom fogjuk fogunk",
        "contact": """felhívja hívják felhívják visszahívja visszahívják jelentkezik jelentkeznek
            jelentkezni keresi keresni megkeresi megkeresik ír írni írja válaszol válaszolni
            válaszolnak telefonál telefonálni felkeresi felveszi hívni felhívni visszahívni
            értesíti értesíteni felhív visszahív felkeres megkeres válaszolja visszajelez
            visszajelezni megcsörgeti csörög írnak visszaír üzen üzenni felvilágosít összehív
            egyeztet megkeressék felhívjanak keresik írjanak""",
        "contacted": "felhívva értesítve",
        "reply": """keresni_fogjuk választ_kap választ_kapsz hívást_kap hívást_kapsz visszahívást
            hívni_fogjuk válaszolni_fogunk jelentkezni_fogunk hívást visszajelzést tájékoztatjuk
            választ üzenetet_kap értesítést_kap""",
        "put": "teremtek kapcsolatba_lép",
        "touch": "kapcsolatot kapcsolatba",
        "transfer": """kapcsolom kapcsoljuk kapcsollak átkapcsolom átkapcsollak átkapcsoljuk átadom
            átadjuk átadlak átirányítom átirányítjuk átirányítalak továbbítom továbbítjuk
            összekötöm összekötjük összekapcsolom összekapcsollak bekapcsolok szólok szólunk hívok
            idehívom idehívok bevonok bevonom bevonunk továbbkapcsolom irányítom irányítalak
            csatlakoztatom csatlakoztatok eszkalálom megkérek megkérem megkérjük keresek_egy
            behívok behívom odaadom kérek_egy hívom küldök_egy küldünk_egy felveszem_a_kapcsolatot
            visszahívjuk visszahívunk felhívjuk felhívunk jelentkezünk válaszolunk visszajelzünk
            értesítjük értesítünk megkeressük megkeresünk felvesszük adom adjuk hívjuk írunk
            válaszolok jelentkezem visszahívom felhívom értesítem visszajelzek keressük átveszi
            átvette beszélhet_egy beszélhet_az""",
        "asking": "értesítek kérem_meg jelzem küldök küldünk",
        "not": """nem ne sem nincs senki senkit senkinek egyetlen sajnos_nem nincsen egyik_sem soha
            se sosem""",
        "may": """tudom tudok tudja tud tudunk tudják lehet lehetséges kell kellene tudnám tudnék
            tudná *hat *het *hatja *heti *hatják *hatom *hetem *hatjuk *hetjük *hatok *hetek
            *hatunk *hetünk""",
        "if": "ha amennyiben esetén hogyha beleegyezésével kérésére igény kívánságra",
        "after": "miután amint mihelyt amikor érkezéskor beküldése kitöltése után",
        "offer": """szeretné szeretnéd kívánja óhajtja akarja akarod kéri szeretne szeretnél
            kívánod jelezze_ha szóljon_ha elküldjem lefoglaljam töröljem módosítsam foglaljak
            kapcsoljam *jam *jem *jak így_tudja hogyan""",
        "looked_up": """rendszer* szerint látom nyomkövetés* mutatja látszik nyilvántartás* látjuk
            olvasom kiderül fiókja_szerint""",
        "usually": """általában rendszerint többnyire mindig szokott szoktak gyakran olykor néha
            hétköznap hétköznapokon naponta átlagosan ritkán jellemzően minden_nap minden_hétköznap
            minden_hétfőn elérhetők érhetők hétfőtől""",
        "said": """írta írtad mondta mondtad említette említetted azt_írja azt_írod úgy_értem
            értem_hogy idézte jelezte jelezted kérdezte""",
        "step": """írjon hagyja töltse küldje küldjön kattintson nyomja használja válassza nyissa
            lépjen keresse forduljon adja hívd hagyd töltsd küldd kattints írd írj telefonáljon
            kérjük_hívja kérjük_töltse kérjük_küldje válaszoljon jelentkezzen látogasson
            menjen""",
        "and": "és de vagy ezért így tehát viszont mert hanem azonban",
        "soon": """azonnal rögtön mindjárt hamarosan nemsokára ma holnap perc percen órán belül
            délután este délelőtt reggel hétfő* kedd* szerdán szerda* csütörtök* péntek* szombat*
            vasárnap* pillanat rövidesen hétfőn napon még napokban héten percek""",
        "contact_or_step": "hívja",
        "past_time": "tegnap tegnapelőtt múlt",
        "come": """csatlakozik csatlakozni érkezik érkeznek érkezni segít segíteni kimegy megy jön
            jönnek intézi folytatja úton kiszáll ellátogat küld tájékoztatja elmagyarázza
            foglalkozik kapcsolódik veszi belép kiszállnak intézkedik megérkezik becsatlakozik
            bekapcsolódik itt_lesz ott_lesz átvenni felvenni lép lépni""",
        "that": "hogy",
    },
    "it": {
        "staff": """collega colleghi colleghe operator* agente agenti consulente consulenti
            rappresentante* specialist* tecnico tecnici ingegner* squadra team qualcuno
            responsabile* manager supervisore* umano umana persona infermier* medico dottor*
            dottoressa dr autista corriere* fattorino* coordinat* reception receptionist reparto
            espert* farmacista* dentista* perito* ufficio idraulico* elettricista* meccanico*
            avvocat* istruttor* segreteria assistenza supporto servizio_clienti membro direttore*
            direttrice* magazzino officina veterinari* centralino portiere* cameriere* chef capo
            addett* incaricat* referente* *tecnico notaio personale contabil* gestore* titolare*
            amministrat* sala_operativa istruttrice commesso* docente* installator* liquidatore*
            artigiano* concierge signor signora signorina sig proprietari* padrone dott dott.ssa
            legali ufficio_legale custode custodi fabbro amministrazione contabilità""",
        "plain": """ho_visto ho_trovato ho_capito ho_verificato ho_controllato ho_letto ho_ricevuto
            personale_parla abbiamo_trovato abbiamo_ricevuto assistenza_clienti_è squadre persone
            trovato capito visto letto controllato verificato costo tempo posso_confermare
            posso_confermarle posso_confermarti non_sono_riuscito_a non_sono_riuscita_a se_ne""",
        "you": "la le lei ti vi te l' conversazione chat qui",
        "you_did": "lei_ha hai avete",
        "i_have": """ho abbiamo l'ho gliel'ho l'abbiamo mi_sono ci_siamo me_ne_sono
            ce_ne_siamo""",
        "have": "ha hanno",
        "was": "stato stata stati state viene_appena",
        "is": "è",
        "now": "ora adesso appena già correttamente successo",
        "deed": """annullat+ prenotat+ riservat+ modificat+ cambiat+ spostat+ posticipat+
            anticipat+ inviat+ mandat+ trasmess+ trasferit+ inoltrat+ registrat+ bloccat+ sbloccat+
            sospes+ attivat+ riattivat+ disattivat+ aggiunt+ rimoss+ eliminat+ cancellat+
            rimborsat+ reimpostat+ resettat+ annotat+ segnat+ apert+ riaperto emess+ prolungat+
            prorogat+ aggiornat+ corrett+ aumentat+ ridott+ abbassat+ depositat+ richiest+ ordinat+
            confermat+ completat+ creat+ generat+ iscritt+ disiscritt+ fermat+ interrott+ disdett+
            disdetta programmat+ pianificat+ riprogrammat+ fissat+ fatt+ effettuat+ eseguit+
            gestit+ risolt+ chius+ segnalat+ applicat+ concess+ accreditat+ versat+ assegnat+
            rinnovat+ avviat+ finalizzat+ approvat+ salvat+ allegat+ spedit+ sostituit+ scambiat+
            estes+ adeguat+ impostat+ avvisat+ informat+ avvertit+ contattat+ chiamat+ chiest+
            occupat+ inserit+ notat+ mess+ tolt+ congelat+ stornat+ pres+ passat+ consegnat+
            attribuit+ sollecitat+ recess+ evas+ notificat+ allertat+ coinvolt+ interpellat+
            protocollat+ presentat+ riprenotat+ rettificat+ sistemat+ predispost+ caricat+
            convertit+ limitat+ lasciat+ ripristinat+ ritirat+ revocat+ accettat+ verificat_e unit+
            collegat+ cessat+ pagat+ addebitat+ aggiudicat+ dat+ scritt+ parlat+ rispost+
            incaricat+_di smistat+ girat+ invalidat+ riattaccat+ raddoppiat+ portat+ comunicat+
            provvedut+ elaborat+ azzerat+ partit+ tenut+""",
        "done": """ecco_fatto tutto_fatto tutto_a_posto è_fatta tutto_sistemato è_tutto_pronto
            già_fatto tutto_pronto tutto_ok fatto_tutto ci_ho_pensato nella_sua_casella
            nella_tua_casella riuscito_a riuscita_a riusciti_a""",
        "will": """sarà sarete sarai verrà verrete verrai riceverà riceverai riceverete sta_per sto
            avrà avrai avrete darà daranno dà dovrebbe_ricevere dovrebbe_sentire""",
        "contact": """chiama chiamerà contatta contatterà contattare ricontatta ricontatterà
            richiama richiamerà scrive scriverà risponde risponderà telefona telefonerà subentrerà
            sentire chiameranno contatteranno risponderanno ricontatteranno richiameranno
            scriveranno contattano chiamano recherà scrivono chiamino contattino scrivano
            richiamino ricontattino rispondano avvisano avvisino risponda chiami_un
            ricontattano""",
        "contacted": """richiamat+ ricontattat+ contattat+_da chiamat+_da trasferit+_a raggiunt+
            messo_in""",
        "reply": """chiamata_da una_chiamata una_telefonata una_risposta nostre_notizie
            contatterò_appena terremo_aggiornat+ faccio_sapere farà_sentire farà_sapere farà_vivo
            si_farà riscontro risposta notizie colpo_di_telefono telefonata chiamata uno_squillo
            squillo""",
        "put": "metto mettiamo metterà mette mettere metterò metterla metterti",
        "touch": "contatto comunicazione linea carico",
        "transfer": """trasferisco trasferiamo passo passiamo collego colleghiamo reindirizzo
            indirizzo indirizziamo connetto inoltro inoltriamo smisto chiamo_un chiamo_una
            chiamo_il chiamo_la chiamo_subito coinvolgo coinvolgiamo faccio_intervenire trasferirò
            passerò inoltrerò collegherò affido affidiamo dirotto giro_la giro_il mando_un
            mando_una faccio_venire metterò_in trasferendo resti_in_linea resta_in_linea
            rimanga_in_linea contatto_io risponderemo ricontatteremo richiameremo contatteremo
            chiameremo faremo_sapere scriveremo aggiorneremo ci_faremo_sentire ci_faremo_vivi
            richiamiamo ricontattiamo contattiamo risponderò daremo_notizie daremo_una_risposta
            faccio_richiamare faccio_chiamare chiamiamo scriviamo rispondiamo chiamerò scriverò
            richiamerò subentra""",
        "asking": """avviso avvisiamo chiedo chiediamo chiamo informo informiamo avverto sollecito
            mando mandiamo segnalo cerco faccio contatto_un contatto_il contatto_subito allerto
            lascio""",
        "ask": """avvisare chiedere chiamare informare mandare trovare avviserò chiederò informerò
            manderò""",
        "not": "non nessun nessuno nessuna mai né purtroppo_non neanche",
        "may": """posso può possiamo possono potrei potrebbe potremmo possa puoi deve bisogna potrà
            potrete potete possibile dovrebbe occorre""",
        "if": """se qualora nel_caso con_il_suo_consenso in_caso con_il_tuo previo su_richiesta
            a_condizione salvo eventualmente dopo_aver""",
        "after": """dopo una_volta non_appena quando all'arrivo appena_avrà appena_lei
            appena_ha""",
        "offer": """vuole desidera vuoi desideri preferisce preferisci devo_annullare vorrebbe
            mi_faccia_sapere fammi_sapere mi_dica_se posso_aiutarla devo ecco_come""",
        "looked_up": """sistema secondo risulta vedo tracciamento stato_dell'ordine appare mostra
            indica emerge dall'app""",
        "usually": """solito generalmente normalmente sempre spesso talvolta regola abitualmente
            dal_lunedì tutti_i reperibil* raramente in_media solitamente a_volte ogni_giorno
            ogni_settimana ogni_mese lunedì_al""",
        "said": """ha_scritto ha_detto diceva scriveva hai_scritto hai_detto dicevi scrivevi
            ha_menzionato capisco_che dice scrivi scrive_che ha_indicato hai_menzionato
            comprendo_che mi_ha_detto è_stato_detto ci_ha_scritto accennava""",
        "step": """chiami scriva lasci compili invii prema clicchi usi contatti scelga apra vada
            acceda inserisca selezioni chiamaci scrivici lascia compila clicca scegli si_rivolga
            blocchi telefoni richieda apri vai consulti ci_chiami può_chiamare""",
        "and": "e ma quindi perciò oppure o però così perché dunque",
        "soon": """subito immediatamente presto breve oggi domani minuti minuto ore ora_in momento
            attimo pomeriggio mattina sera lunedì martedì mercoledì giovedì venerdì sabato domenica
            entro stasera giornata istante secondi poco settimana""",
        "past": """*ato *ata *ati *ate *uto *uta *uti *ute *ito *ita *iti *ite *so *sto *tto
            *rto""",
        "past_time": "ieri l'altro_ieri scorso scorsa stanotte",
        "come": """verrà_da verrà_a verrà_domani verrà_oggi arriva arriverà passerà passa aiuterà
            aiuta interviene interverrà viaggio strada unisce unirà raggiunge raggiungerà
            raggiungere fa farà occuperà occupa seguirà assisterà assiste entra entrerà invierà
            manderà continua spiegherà guiderà visita gestirà inserisce viene vengono arrivano
            scende sale prende prenderà prendere informerà aggiorna rivolge""",
        "are": "sono vengono_effettuati vengono_esaminati vengono_rimborsati vanno",
        "your": "suo sua suoi tuo tua tuoi loro",
        "that": "che",
    },
    "es": {
        "staff": """compañer* colega* agente agentes operador* asesor* representante* especialista*
            técnic* ingenier* equipo equipos alguien responsable* gerente* supervisor* humano
            humana persona enfermer* médic* doctor* dr conductor* mensajer* repartidor* consultor*
            coordinador* recepción recepcionista* departamento* expert* farmacéutic* dentista*
            perito* oficina fontaner* electricista* mecánic* abogad* monitor* secretaría soporte
            servicio_técnico miembro director* almacén taller veterinari* encargad* ejecutiv*
            gestor* brigada cuadrilla administrador* jefe jefa camarer* cocinero* personal área
            atención_al_cliente instalador* profesor* entrenador* notari* tutor* conserje*
            contable* tramitador* analista* cerrajer* comercial señor señora señorita sr sra dueñ*
            propietari* legal portero* cerrajero* chef contabilidad""",
        "plain": """equipo_incluye personal_habla equipos_de he_visto he_encontrado he_comprobado
            he_leído he_recibido he_revisado hemos_recibido hemos_encontrado entendido personas
            encontrado visto leído recibido revisado comprobado horario área_de_clientes
            puedo_confirmar puedo_confirmarle puedo_confirmarte qué café té sé esté dé bebé porqué
            así allí sí mí ahí casi recibí vi entendí leí encontré comprobé revisé que_si seré
            estaré podré le_puedo_confirmar te_puedo_confirmar""",
        "you": "le te les os usted ti lo la se_lo chat conversación aquí",
        "you_did": "usted_ha has",
        "i_have": "he hemos",
        "have": "ha han",
        "was": """sido fue fueron se_ha se_han de_ser queda quedan quedó quedaron se_te_ha se_le_ha
            se_te_han se_le_han ha_quedado han_quedado""",
        "is": "está es",
        "now": "ahora ya acaba recién correctamente éxito efectivamente",
        "deed": """cancelad+ reservad+ modificad+ cambiad+ movid+ trasladad+ aplazad+ adelantad+
            enviad+ reenviad+ mandad+ transmitid+ transferid+ derivad+ registrad+ bloquead+
            desbloquead+ suspendid+ activad+ reactivad+ desactivad+ añadid+ agregad+ quitad+
            eliminad+ borrad+ anulad+ reembolsad+ devuelt+ restablecid+ reiniciad+ anotad+ apuntad+
            abiert+ emitid+ prolongad+ prorrogad+ actualizad+ corregid+ aumentad+ ampliad+ reducid+
            bajad+ presentad+ solicitad+ pedid+ confirmad+ completad+ cread+ generad+ inscrit+
            detenid+ parad+ programad+ reprogramad+ agendad+ reagendad+ fijad+ realizad+ efectuad+
            gestionad+ tramitad+ resuelt+ cerrad+ escalad+ reportad+ notificad+ aplicad+ concedid+
            abonad+ acreditad+ asignad+ renovad+ iniciad+ finalizad+ validad+ aprobad+ guardad+
            adjuntad+ expedid+ sustituid+ reemplazad+ extendid+ ajustad+ configurad+ avisad+
            informad+ encargad+ ocupad+ introducid+ puest+ pasad+ congelad+ procesad+ elevad+
            liberad+ pausad+ dejad+ dad+ incluid+ comunicad+ rectificad+ ingresad+ cursad+ desviad+
            subid+ levantad+ ordenad+ cargad+ marcad+ alertad+ rogad+ consultad+ tomad+ cobrad+
            pagad+ bonificad+ duplicad+ revocad+ revertid+ cubiert+ encolad+ hablad+ escrit+
            reclamad+ entregad+ restituid+ convertid+ mejorad+ interrumpid+ archivad+ unid+ hecha
            hechos hechas retirado solucionada arreglada partid+ dich+""",
        "i_did": """cancelé reservé modifiqué cambié moví trasladé envié reenvié mandé transferí
            derivé registré bloqueé desbloqueé suspendí activé desactivé añadí agregué quité
            eliminé borré anulé reembolsé devolví restablecí anoté apunté abrí emití prolongué
            actualicé corregí aumenté amplié reduje presenté solicité pedí confirmé creé generé
            inscribí detuve programé reprogramé agendé reagendé fijé hice realicé gestioné tramité
            resolví cerré escalé reporté notifiqué apliqué concedí abonó asigné renové inicié
            finalicé guardé adjunté sustituí reemplacé extendí ajusté configuré avisé informé
            contacté llamé encargué ocupé puse pasé congelé procesé pausé dejé di retiré incluí
            abrimos_un cancelamos_su modificamos_su desactivamos desbloqueamos registramos anulamos
            activamos_su enviamos_su bloqueamos reprogramamos solicitamos trasladamos anotamos
            apuntamos agendamos cambiamos_su movimos aplicamos_el procedimos pusimos dimos hicimos
            devolvimos pasamos_su adelanté aplacé corrí dupliqué elevé acabo_de acabamos_de
            cambiamos_tu cancelamos_tu modificamos_tu escalamos tramitamos gestionamos_su
            gestionamos_tu reservamos_su reservamos_tu te_reservamos le_reservamos te_cancelamos
            le_cancelamos te_cambiamos le_cambiamos te_enviamos *é *í dije tomé quedé""",
        "done": """listo hecho solucionado todo_listo ya_está ya_quedó ya_quedo todo_resuelto
            todo_arreglado asunto_resuelto arreglado queda_hecho queda_resuelto ya_salió salió_ya
            ya_se_hizo en_su_bandeja en_su_correo en_tu_correo en_tu_bandeja""",
        "will": """será serás va van voy vamos recibirá recibirás estoy estamos tendrá tendrás
            tendréis dará darán debería_recibir deberías_recibir""",
        "contact": """llama llamará contacta contactará contactar escribe escribirá escribir
            responde responderá responder telefonea telefoneará comunicará retomará llamarán
            contactarán escribirán responderán pondrán comunicarán atenderán contestará contesta
            hablará avisará llamarle llamarte contactarle contactarte escribirle escribirte ponen
            escriben escriban llamen contacten llaman respondan responden atiendan contestan avisan
            avisen""",
        "contacted": "contactad+ llamad+ atendid+ visitad+",
        "reply": """devolveremos una_llamada una_respuesta noticias_nuestras mantendremos_informad+
            tendrá_noticias tendrás_noticias noticias respuesta llamada telefonazo""",
        "put": "pongo ponemos pondrá pone pondremos poner pondré ponerle ponerte",
        "touch": "contacto comunicación línea",
        "transfer": """paso_con paso_a le_paso te_paso pasamos_con le_pasamos te_pasamos transfiero
            transferimos transferiré conecto conectamos conectaré comunico derivo derivamos
            derivaré redirijo redirigimos enlazo traslado_su traslado_tu escalo traspaso llamo_a
            llamo_al busco_a traigo involucro remito canalizo conectando transfiriendo pasando
            comunicando conectarle conectarte transferirle transferirte pasarle_con pasarte_con
            comunicarle_con comunicarte_con paso_ahora turno_su incorporo llamaremos contactaremos
            escribiremos responderemos daremos_una devolveremos_la volveremos avisaremos
            le_llamamos te_llamamos le_contactamos te_contactamos nos_pondremos nos_comunicaremos
            te_escribimos le_escribimos contestaremos daremos_respuesta informaremos
            pondremos_en_contacto le_responderé te_avisamos le_avisamos llamamos_en llamaré
            escribiré contactaré responderé devolvemos_la escribimos contactamos nos_ponemos
            me_pongo_en retoma""",
        "asking": """aviso avisamos pido pedimos llamo llamamos informo informamos consulto alerto
            envío mando mandamos solicito notifico encargo""",
        "ask": "avisar pedir llamar informar mandar enviar encontrar solicitar buscar",
        "not": "no ningún ninguno ninguna nadie nunca tampoco ni jamás todavía_no",
        "may": """puedo puede podemos pueden podría podrían podríamos puedes debe debo hay_que
            podrá podrás posible debería""",
        "if": """si en_caso con_su_consentimiento con_tu_consentimiento siempre_que a_petición
            en_el_caso salvo con_su_permiso con_tu_permiso cuando_haya cuando_hayas
            después_de_que""",
        "after": "una_vez cuando en_cuanto después_de tras al_llegar tan_pronto luego_de",
        "offer": """quiere desea quieres deseas prefiere prefieres le_gustaría te_gustaría
            dígame_si dime_si avíseme_si necesita_que gusta así_puede así_puedes cómo""",
        "looked_up": """sistema según veo consta seguimiento aparece muestra indica rastreo
            registro_de pantalla""",
        "usually": """normalmente generalmente suele suelen siempre habitualmente menudo veces
            regla general de_lunes a_diario todos_los raramente localizables promedio atienden
            cada_día cada_semana lunes_a""",
        "said": """escribió escribiste usted_dijo dijiste decía decías comentó comentaste mencionó
            mencionaste entiendo_que dice_que comprendo_que indicó me_dijo le_dijeron te_dijeron
            usted_escribió""",
        "step": """llame escriba deje rellene envíe pulse haga use contacte elija abra vaya acceda
            responda introduzca seleccione llámenos escríbanos deja rellena pulsa elige complete
            completa contáctenos comuníquese diríjase póngase marque solicite bloquee consulte
            entre ingrese ponte escribe_a llama_al llama_a""",
        "and": "y pero así_que por_lo_que o entonces porque pues e sino",
        "soon": """enseguida inmediatamente inmediato pronto hoy mañana minutos minuto horas hora
            momento tarde noche lunes martes miércoles jueves viernes sábado domingo breve instante
            instantes segundos antes cuanto desde mismo días semana pasado_mañana""",
        "past": "*ado *ido *cho *sto *rto *ito *elto",
        "past_time": """ayer anteayer semana_pasada mes_pasado año_pasado lunes_pasado
            martes_pasado jueves_pasado viernes_pasado anoche""",
        "come": """irá vendrá viene pasará pasa llega llegará ayudará ayudar toma tomará camino
            visitará visita acudirá ocupará ocupar encargará encargar gestionará continuará seguirá
            revisará resolverá asistirá acompañará explicará confirmará entra entrará dirige
            desplaza desplazará asiste va_un va_una viene_un atiende atenderá atender incorpora
            incorporará une unirá informará enviará devolverá comunica comunicar""",
        "are": "están son",
        "your": "su sus tu tus",
        "that": "que",
    },
    "uk": {
        "staff": """колег* агент* оператор* консультант* представник* спеціаліст* фахівець фахівц*
            технік* інженер* команд* хтось когось комусь менеджер* керівник* супервізор* людина
            людину людиною людини живого медсестр* лікар* доктор* водій* водієм кур'єр*
            координатор* рецепці* відділ* експерт* фармацевт* аптекар* стоматолог* майстер майстра
            майстром майстр* сантехнік* електрик* механік* адвокат* юрист* тренер* секретар*
            підтримк* служб* адміністратор* бригад* диспетчер* склад складу працівник*
            співробітник* директор* шеф* ветеринар* перекладач* викладач* гід ріелтор* кухар*
            бухгалтер* деканат* сервіс* реєстратур* поліції партнер* куратор* оцінювач* бригадир*
            касир* приймальн* пан пані пана власник* господар* начальни* двірник* слюсар* комірник*
            консьєрж*""",
        "plain": """знайшла знайшов бачила зрозуміла зрозумів перевірила перевірив отримала отримав
            прочитала людей складає складається сервісний_збір службове людям готовий готові готова
            можу_підтвердити рано погано сито змінився змінилася змінились складала становила
            не_вдалося""",
        "you": "вас вам вами тебе тобі тобою чат* розмов* тут сюди",
        "you_did": "ви ти",
        "was": "було була був були",
        "now": "зараз щойно вже успішно",
        "deed": """скасован+ заброньован+ зарезервован+ перенесен+ змінен+ надіслан+ відправлен+
            передан+ переадресован+ зареєстрован+ заблокован+ розблокован+ призупинен+ зупинен+
            активован+ деактивован+ вимкнен+ увімкнен+ додан+ видален+ вилучен+ повернен+ скинут+
            записан+ відкрито закрит+ створен+ оформлен+ продовжен+ оновлен+ виправлен+ збільшен+
            зменшен+ подан+ замовлен+ підтверджен+ завершен+ сформован+ підписан+ відписан+
            виконан+ зроблен+ опрацьован+ розв'язан+ вирішен+ ескальован+ повідомлен+ застосован+
            нарахован+ зарахован+ призначен+ звільнен+ поновлен+ ініційован+ розпочат+ схвален+
            збережен+ прикріплен+ замінен+ поставлен+ внесен+ зафіксован+ відкликан+ розірван+
            відшкодован+ припинен+ обмінян+ уточнен+ налаштован+ переказан+ перенаправлен+
            спрямован+ переведен+ скорегован+ прийнят+ відновлен+ відключен+ підключен+ видан+
            викликан+ списан+ оплачен+ надан+ заморожен+ підвищен+ відкладен+ проведен+ позначен+
            встановлен+ анульован+ направлен+ доставлен+ зв'язан+ повернуто скинуто знижен+
            розширен+ оформлено знято знята відкрита відкритий перезаписано перебронован+ *ено *ано
            *ято *уто *ито""",
        "i_did": """скасува+ забронюва+ зарезервува+ зміни+ надісла+ відправи+ переда+
            переадресува+ зареєструва+ заблокува+ розблокува+ призупини+ зупини+ активува+
            деактивува+ вимкну+ увімкну+ дода+ видали+ вилучи+ поверну+ скину+ записа+ відкри+
            закри+ створи+ оформи+ продовжи+ онови+ виправи+ збільши+ зменши+ пода+ замови+
            підтверди+ заверши+ сформува+ підписа+ відписа+ викона+ зроби+ опрацюва+ розв'яза+
            виріши+ ескалюва+ повідоми+ застосува+ нарахува+ зарахува+ призначи+ звільни+ понови+
            ініціюва+ розпоча+ схвали+ прикріпи+ заміни+ постави+ зафіксува+ відклика+ розірва+
            відшкодува+ припини+ обміня+ уточни+ налаштува+ переказа+ перенаправи+ спрямува+
            скоригува+ прийня+ віднови+ відключи+ підключи+ вида+ зня+ виклика+ списа+ оплати+
            надав надала попроси+ зверну+ позва+ покли+ сказа+ поклав поклала домови+ попереди+
            поінформува+ заморози+ підвищи+ переслав+ пересла+ посла+ анулюва+ направи+ наріза+
            позначи+ встанови+ відклав відклала зв'яза+ занотува+ подбав подбала подзвонив
            подзвонила написав написала набрав запитав запитала розшири+ перебронюва+ залиши+ склав
            склала прибра+ перезапи+ організува+ узгоди+ проінформува+ виписа+ перекину+ подовжи+
            знизи+ відмовив_від вніс зніс переніс зробив перенесла перенесли внесла внесли зберіг
            зберегла зберегли перевів перевела перевели попросив попросила покликав покликала
            звернувся звернулася зв'язався зв'язалася домовився домовилася""",
        "done": """готово зроблено все_готово усе_готово вирішено влаштовано виконано вдалося
            за_вами за_тобою""",
        "will": """буде будете будеш будуть матимете матимеш отримаєте отримаєш дасть дадуть""",
        "contact": """зв'яж* зателефону* телефону* подзвон* дзвон* напиш* пиш* відповіст*
            відповідатим* перетелефону* передзвон* набер* зверн* відпис* напише подзвонили
            зателефонували написали зв'язалися передзвонили відповіли дзвонять телефонують пишуть
            напишуть""",
        "contacted": "набрано контакту*",
        "reply": """отримаєте_повідомлення_від тримаємо_в_курсі триматимемо дзвінок_від відповідь
            дзвінок дзвінка""",
        "put": "сполуча*",
        "touch": "лінію зв'язок",
        "transfer": """з'єдную з'єднаю з'єднуємо з'єднаємо переводжу переведу переводимо переведемо
            перемикаю перемкну передаю передам передаємо передамо кличу покличу кличемо запрошую
            запрошу залучаю залучу підключаю підключу переадресовую переадресую спрямовую спрямую
            викличу викликаю скеровую скерую перенаправляю перенаправлю ескалюю надсилаю_до долучаю
            долучу зв'язую зв'яжу переключаю переключу під'єдную під'єднаю приведу надішлю_до
            направлю направляю з'єднуємося зараз_з'єдн* зв'яжемося зателефонуємо передзвонимо
            напишемо відповімо дамо_відповідь дамо_вам_відповідь повернемося надамо_відповідь
            перетелефонуємо наберемо повідомимо дамо_знати зв'яжуся зв'яжемось повернуся
            вам_зателефонують передзвонять зателефонують наберуть зв'яжуться подзвонять
            перетелефонують відповідять відпишемо отримаєте_відповідь отримаєте_дзвінок
            отримаєш_відповідь чекайте_на_дзвінок очікуйте_дзвінка очікуйте_на_дзвінок
            чекайте_дзвінка приїдуть з'єднають переключать переведуть підключать допоможуть
            надішлють зателефоную напишу передзвоню відповім наберу подзвонимо""",
        "asking": """попрошу прошу_колег* повідомляю повідомлю скажу питаю запитаю попереджу зверну
            шукаю""",
        "ask": "попросити покликати запросити",
        "not": "не ні ніхто нікого нікому жоден жодного жодна немає ніколи жодної",
        "may": """можу може можемо можуть міг могла могли_б міг_би могла_б можете потрібно треба
            можна слід можеш мусите варто""",
        "if": """якщо якби коли_потрібно за_вашої_згоди за_згоди за_умови у_разі в_разі за_потреби
            на_ваше_прохання на_вимогу з_вашого_дозволу за_твоєї після_того_як щойно_ви
            коли_ви""",
        "after": """після_того як_тільки коли після_оплати після_заповнення після_надсилання
            по_приїзді після_приїзду після_підтвердження після_прибуття тільки_но""",
        "offer": """бажаєте хочете хочеш бажаєш чи бажаєте_щоб вам_зручно якби_ви скажіть_чи
            дайте_знати ось_як""",
        "looked_up": """систем* даними бачу відстежен* стан видно судячи згідно показує відображ*
            за_нашими переглянула зазначен*""",
        "usually": """зазвичай зазвичаєм завжди часто інколи іноді щодня як_правило цілодобово
            здебільшого рідко переважно з_понеділка щотижня в_середньому кожного_дня кожен_день
            понеділка_до понеділка_по""",
        "said": """ви_написали ви_казали ви_писали ви_сказали ти_написав ти_писав ти_казав
            ви_згадували ви_згадали розумію_що ви_зазначили ви_кажете ви_пишете казали_що ти_кажеш
            ви_говорили вам_сказали""",
        "step": """телефонуйте напишіть залиште заповніть надішліть натисніть оберіть відкрийте
            перейдіть зверніться зателефонуйте скористайтеся виберіть введіть залиш заповни натисни
            напиши пишіть дзвоніть зв'яжіться подзвоніть увійдіть зайдіть відповідайте попросіть
            заблокуйте завантажте""",
        "and": "і й та але тож тому або а чи_ж однак проте бо",
        "soon": """негайно незабаром скоро сьогодні завтра хвилин* годин* за_мить одразу відразу
            найближч* понеділ* вівтор* серед* четвер* п'ятниц* субот* неділ* ввечері після_обіду
            протягом секунд* мить вранці тиждень тижня""",
        "self": "я ми",
        "past": "*ив *ав *ила *ала *или *али *нув *ула *ули *ів",
        "past_time": "вчора позавчора минул* торік",
        "come": """прийд* приїд* приїх* їде їдуть завіта* допомож* візьм* перейм* перехоп* продовж*
            прибуд* вийд* виход* під'їд* розбер* займ* опрацю* підійд* виїх* виїд* заїд* нагад*
            поясн* проведе вирі* огля* підходить підійде зайде зустріне чекає проконсульт* приєдна*
            підключа* підключиться підключаться підключить долуч* в_дорозі уточн* повідом*""",
        "your": "вашу ваше ваш ваші вашого вашої твій твоє твою твоя ваша вашому",
        "that": "що",
    },
}
