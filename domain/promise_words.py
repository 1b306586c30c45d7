"""The words by which promises of a human and claims of deeds are recognised, by language.

Written as a native speaker writes them; compared without diacritics and in lower case. `book*`: any
ending; `*tam`: any beginning; `annulé+`: the endings of the language's participles (`ENDINGS`);
`in_touch`, `e-mail`: several words in a row. The longest entry that fits a word decides, so that an
exception (`plain`) is an entry that is longer than the rule. What the groups mean:

staff: who may come or write; also "someone". person: "she", and names. self, you: the pronouns.
you_did: the pronoun of what the customer did. i_have, have: the auxiliary of "I have booked", alone
or with `self`. was, is: the auxiliaries of "was booked", "is booked". now: what makes a state new.
soon: a near time. deed: the participle of what may be done for a customer. past: another
participle. i_did: a word that says it alone ("töröltem"). done: a word that is a claim by itself.
will, you_will: the future. contact: the verb of "a colleague will call", contacted: its participle.
reply: a contact that needs no staff to be named. put, touch: "put … in touch". transfer: "I
connect", and words like it. ask: to tell or fetch somebody. not, may, if, after, offer, looked_up,
usually, said, step: what makes it no claim. fact, lack, please, plural, which: words of information
("costs"), of what is missing, of a request, of several people or things, and of a question; new,
towards: "another card", "to your room". These make a claim more or less likely, and no more.
"""

COMMON = {
    "ro": """și să este nu la cu pe în vă am din pentru care sunt un o ați va si sa dacă mai fost e
        se de ce sau după până între ale lui iar când doar cel cea aveți avem poate noi
        dumneavoastră îmi îți daca dupa pana intre""",
    "en": """the and you to is your of for we i have has will it in on with that this are i'm i've a
        at be by from or not can do if our was after""",
    "de": """der die das und sie ist ich wir nicht ein eine für mit den ihnen zu auf wird haben im
        am bei von oder bis es dem des zum zur sind nach""",
    "fr": """le la les et vous est je nous pas un une pour avec votre de du des à sur que en il au
        aux par dans qui ce ou ne""",
    "hu": """a az és nem egy hogy önt van is meg ön kérem fel ha be ki már csak el még vagy le de
        ezt itt önnek után szerint""",
    "it": """il la che e è un una per non di le con si ho sono del della suo i lo al da in dei alle
        nel della sul o gli""",
    "es": """el la que y es un una por no de los se con su en le para del ha ya lo las al o está
        desde si mi""",
    "uk": """і та не на що ви ми я до для вас це з ваш у в за й вам від вона він була тут так о як
        або якщо раз будь по ще про його через після ваша ваше вашу буде є""",
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
            membru* persoan* personal* vânzător* concierge* contabil* broker* livrator* programator*
            logistic* birou* facturare* domnul doamna domnișoara dl dna d-na domn_doctor proprietar*
            gazda băieții fetele ai_noștri ale_noastre patron* cineva_de conducere* la_el la_ea
            cu_el cu_ea camerist* bagajist* portarul portarului hamal* paznic* întreținere
            întreținerea mentenanț* asistent* psiholog* terapeut* kinetoterapeut* fizioterapeut*
            nutriționist* optician* oftalmolog* stomatolog* chirurg* ginecolog* pediatru* cardiolog*
            dermatolog* ortoped* logoped* veterinar* coafez* frizer* stilist* cosmetician*
            manichiurist* maseur* maseuz* educatoare* învățătoare* diriginte* dirigint* decanat*
            bibliotecar* funcționar* referent* asistență grefier* executor* trezorier* dispecerat*
            depanator* montator* zugrav* tâmplar* grădinar* lăcătuș* vulcanizator* tinichigiu*
            sudor* barman* somelier* animator* salvamar* valet* menajer* cameriste* fotograf*
            florăreas* cofetar* brutar* croitor* bijutier* traducător* recrutor* resurse_umane
            contabilitate* juridic* jurist* achiziții logistica antifraudă tura_de brigad*
            intervenți* pompier* paramedic* patrul* jandarm* căpitan* steward* însoțitor* pilot*
            rezident* moaș* sucursala sucursalei tehnicul tehnic_te coafor frizeria atelier*
            service-ul dealer* samsar* agenta amanet* analist* ofertant* designer* arhitect*
            decorator* organizator* planner* lucrător* asociatul asociata partener* garderob*
            antrenoare* instructoare* bona psihologul preot* părintele primar* primărie polițist*
            inginera ingineră șantier* maistru* maistrul meșter* electricieni băiatul băiat* fata_de
            fetele_de băieții_de cineva_care careva unul_dintre una_dintre unul_din una_din un_om
            omului oameni_care oamenii_noștri oamenii_de superior* conducerii asistenți
            rezervări_grup linia_a_doua directoare* metru maître chelneriț* pază agent_de_pază
            gardian* echipaj* laborant* registrator* stagiar* voluntar* oficiant* lichidator*
            regulator* curatori* curator* evaluatoare mediator* moderator* administratoare
            proprietara proprietarul vecinul_de_la_pază optometrist* socorist* casa_de_bilete
            casierie ghișeul ghidul ghizi vigil* salvamont* community_manager traducătoarea părinte
            îngrijit* rector* cancelari* ambasad* consul* cluj_te curatoare cofetăreas*
            agent_de_la""",
        "plain": """persoane colegial* recepționat* agenție agenția omlet* personaliz* echipament*
            echipat* echipă_de_patru suportă* ai_echipei plan* așa* am_înțeles am_găsit am_văzut
            am_verificat am_primit am_citit am_căutat am_observat am_avut am_fost am_putut am_spus
            am_menționat am_uitat am_auzit am_crezut am_pus_la_dispoziție am_identificat
            am_consultat am_analizat am_aflat am_mai_găsit reclamații reclamația programare
            programarea programări programul programe rezervare rezervarea rezervări rezervările
            comanda comanda_dumneavoastră pot_confirma agenției agenții bucătări* agentul_imobiliar
            agent_imobiliar operatorul_de_telefonie operator_de_telefonie s_a_oprit_aici
            nu_am_reușit n_am_reușit pot_să_vă_confirm pot_să_confirm pot_confirma_că
            bucur_să_vă_anunț asistentul_virtual asistent_virtual asistenta_virtuală
            asistentă_virtuală asistentul_tău_virtual doamna_director părinții părinți băiețel*
            parteneri_de intervenția_durează intervenții_la_sân rezidențial* nefolosite nefolosit
            pierdute pierdut pierdută nealcoolic* încălzit+ potrivit+ dotat+ echipată
            certificat_medical certificatul limitat_la părat recomandat+ indicat+ interzis+ permis+
            posibil+ obligatoriu""",
        "you": """vă te ți vi dumneavoastră dvs ție tine dumneata îți iți ti i-a conversația
            discuția chatul chat aici""",
        "you_did": "ați ai",
        "i_have": "am",
        "have": "a au",
        "was": "fost s_a s_au",
        "is": "e este",
        "now": """acum tocmai deja imediat chiar_acum în_acest_moment din_acest_moment
            începând_de_acum proaspăt adineauri acuma cu_succes de_azi""",
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
            reactualizat+ conectat+ asociat+ delegat+ sincronizat+ repornit+ restartat+ verificat_și
            direcționat+ stornat+ înștiințat+ repartizat+ dezghețat+ decalat+ reprogram+
            recomandat_la repus+ readus+ rectificat+ îndreptat+ eliminat_complet reîncărcat+
            încărcat+ alimentat+ suplimentat+ adus+ luat+ strâns+ împachetat+ ambalat+ pregătit+
            etichetat+ printat+ tipărit+ imprimat+ scanat+ copiat+ clonat+ restaurat+ recuperat+
            curățat+ golit+ arhivat+ mărit_deja dezactivat_și blocat_și debitat+ compensat+
            despăgubit+ exonerat+ scutit+ anunțat_deja recondiționat+ reparat+ remediat+ montat+
            instalat+ demontat+ racordat+ debranșat+ branșat+ deconectat+ citit_contorul transcris+
            redactat+ întocmit+ semnat+ ștampilat+ parafat+ legalizat+ autentificat+ apostilat+
            angajat+ contractat+ negociat+ licitat+ vândut+ cumpărat+ închiriat+ subînchiriat+
            cedat+ donat+ distribuit+ pontat+ evaluat+ verificat_din_nou consultat_cu trimise+
            comunicat+ relocat+ transportat+ cazat+ check-in-uit prins+ bulinat+ băgat+ trecută+
            schimbată+ upgradată+ rezervată+ anulate blocată+ dublu_verificat eliminată+ împărțit+
            înjumătățit+ combinat+ comasat+ separat+ alipit+ legat+ dezlegat+ alăturat+ prescris+
            recomandat_pentru vaccinat+ triat+ internat+ externat+ prioritizat+ urgentat+ accelerat+
            grăbit+ promovat+ retrogradat+ exmatriculat+ înmatriculat+ radiat+ declarat+ certificat+
            eliberat_deja contramandat+ sistat+ majorat+ diminuat+ urcat+ coborât+ întors+ restrâns+
            lărgit+ ales+ selectat+ calculat+ contestat+ deschisă_deja comutat+ trecut_pe
            transformat+ convertit+ motivat+ dezactivată""",
        "past": "*at *it *ut *us *ns *ris *cis *rs *pt",
        "done": """gata s_a_făcut s_a_rezolvat totul_e_gata totul_este_gata gata_făcut
            operațiune_reușită căsuța_dumneavoastră căsuța_ta am_reușit_să reușit_să e_al_tău e_a_ta
            e_al_dumneavoastră a_plecat_spre au_plecat_spre a_ajuns_la_colegii s-a_făcut
            s-a_rezolvat m-am_ocupat ne-am_ocupat m_am_ocupat ne_am_ocupat am_avut_grijă
            am_avut_eu_grijă avut_grijă am_eu_grijă_de_tot e_rezolvat este_rezolvat e_aranjat
            este_aranjat e_făcut este_făcut bifat rezolvat_deja am_rezolvat_eu considerați_rezolvat
            consideră_rezolvat mesă_pentru e_pe_numele este_pe_numele sunt_pe_numele e_pe_drum_spre
            a_plecat_la au_plecat_la au_plecat_către a_plecat_către pe_lista_de_așteptare e_la_dosar
            este_la_dosar în_inbox e_în_cont sunt_în_cont intrat_în_cont treaba_e_făcută
            misiune_îndeplinită vă_aparțin îți_aparține vă_aparține îți_aparțin e_activ_acum
            este_activ_acum e_activat sunt_ale_dumneavoastră sunt_ale_tale este_al_dumneavoastră
            este_a_dumneavoastră e_pe_nota dosarul_este_deschis tichetul_e_deschis
            tichetul_este_deschis cazul_este_deschis dosar_deschis tichet_deschis""",
        "will": """o_să voi vom vor urmează am_să veți vei o_s_a ar_trebui_să_primiți
            ar_trebui_să_primești ar_trebui_să_fiți urmează_să o_să_fiți o_să_fii veți_fi vei_fi
            va_fi vor_fi""",
        "you_will": "va",
        "contact": """sun sună suna sune contactează contacta contacteze caută căuta caute scrie
            scria scrie-vă telefonează telefona telefoneze răspunde răspundă prelua
            preia_conversația revine reveni revină apelează apela anunța anunță anunțe scriu sună_ei
            conectează conecta dă_un_telefon dea_un_telefon dă_telefon dea_telefon dă_un_mesaj
            dă_mesaj dea_un_mesaj dă_un_semn dea_un_semn dea_mesaj lasă_mesaj lase_un_mesaj bipăie
            bipui telefoneaza contactează_pe contactăm_noi dă_un_bip trimită_un_mesaj trimite_mesaj
            trimite_un_mesaj trimită_mesaj expedia dă_el_mesaj dă_ea_mesaj dă_el_un_telefon răspunda
            recontacta recontactează recontacteze resuna resună resune reapela reapelează
            formează_numărul te_caută vă_caută te_anunță vă_anunță vor_scrie""",
        "contacted": """contactat+ sunat+ apelat+ căutat+ anunțat+ preluat+ vizitat+ informat+
            contactați_de sunați_de asistat+ consiliat+ îndrumat+ ajutat+ vizitați preluați""",
        "reply": """primi_un_apel primi_un_telefon primi_un_răspuns primi_răspuns primiți_un_apel
            primiți_un_telefon primiți_un_răspuns primiți_răspunsul primi_răspunsul primi_un_mesaj
            primești_un_apel primești_un_telefon primești_un_răspuns primiți_un_mesaj_de_la
            primești_un_mesaj primi_vești primiți_vești aveți_vești un_răspuns un_apel un_telefon
            vești un_semn știre un_mesaj_de_la un_e_mail_de_la primi_vestea""",
        "put": "pun punem pune fac facem dau dăm pună stabilesc intru intrăm iau luăm lua da",
        "touch": "legătura legătură mâna telefon direct contact",
        "transfer": """transfer transferăm transfera conectez conectăm redirecționez redirecționăm
            redirecționa direcționez transferi chem chemăm revenim revin contactăm sunăm contactez
            reconectez întoarcem telefonăm escaladez escaladăm ținem_la_curent ținem_legătura
            îndrept îndrum transferându conectându preiau_legătura preluăm dăm_de_știre dau_de_știre
            dăm_de_veste țin_la_curent scriem răspundem venim căutăm apelăm vizităm preluăm_noi
            vă_scriu_eu vă_scriu următorul_la_rând preia predau predăm pasez înaintez
            sunteți_în_așteptare ești_în_așteptare aduc_farmacista aduc_colega te_dau_pe vă_dau_pe
            te_trec_la_un vă_trec_la_un te_las_cu vă_las_cu te_las_pe_mâna vă_las_pe_mâna
            te_trimit_la vă_trimit_la pe_fir vă_fac_legătura te_fac_legătura redirecționând
            direcționăm transferându-vă reconectăm vă_leg_cu te_leg_cu vă_cuplez cuplez bag_în
            rămâneți_pe_fir stai_pe_fir stai_pe_chat stați_pe_chat rămâi_pe_chat rămâneți_pe_chat
            rămâneți_aproape stați_aproape fiți_pe_fază fii_pe_fază vin_cu_un_răspuns vin_cu_răspuns
            vin_cu_vești pun_cu_optometristul te_pun_cu vă_pun_cu îți_aduc vă_aduc aduc_aici
            te_țin_la_curent vă_țin_la_curent ridic_problema în_coadă la_coadă_la sunteți_la_rând
            ești_la_rând te_bipuiesc vă_bipuiesc""",
        "asking": """rog rugăm anunț anunțăm întreb cer cerem trimit trimitem transmit transmitem
            solicit solicităm las lăsăm aduc aducem implic implicăm notific notificăm informez
            informăm apelez caut alertez invit spun întrebăm vorbesc_eu vorbesc_cu discut_cu
            discut_eu iau_legătura_cu semnalez sesizez pun_pe_cineva rezolv_cu îl_rog o_rog îi_rog
            îi_spun îi_zic îi_cer le_spun le_zic le_cer zic_lui zic_unui dau_de_știre_colegilor
            dau_de_veste bat_la_ușă caut_pe las_vorbă las_un_bilet las_un_mesaj las_mesaj
            trimit_vorbă dau_vorbă vb_cu am_vb am_vorbit_cu zic_băieților zic_colegilor""",
        "ask": """ruga cere chema trimite transmite solicita aduce notifica înainta preda implica
            întreba alerta""",
        "not": "nu n niciun nicio nici nimeni imposibil neputând",
        "may": """pot poate puteți puteți_să poți putem putea puteam aș ar s-ar putea_să trebuie
            trebui ați_putea""",
        "if": """dacă în_caz_că în_cazul_în_care în_cazul cu_condiția doar_cu numai_cu cu_acordul
            oricând când_doriți la_nevoie la_cerere eventual în_caz_de după_ce_ați odată_ce
            după_ce_veți cu_acordul_tău doar_dacă numai_dacă de_îndată_ce_veți""",
        "after": """după_ce când imediat_ce de_îndată_ce îndată_ce la_sosire la_check
            după_completarea după_trimiterea după_plata după_semnarea după_confirmarea
            în_momentul_în_care odată imediat_după_ce""",
        "offer": """doriți dorești vreți vrei preferați preferi ați_dori ai_dori spuneți_mi_dacă
            vă_rog_să_îmi_spuneți ar_fi_util v_ar_ajuta iată_cum""",
        "looked_up": """sistem* conform potrivit apare apar figurează văd urmărir* tracking* din_ce
            rezultă observ arată afișat* afișează în_aplicație de_operator ianuarie_la de_atunci
            aici_scrie scrie_că scrie_aici registr* evidenț* istoric* baza_de_date din_dosar reiese
            se_vede la_data_de încă_din din_data""",
        "usually": """obicei general normal normală mereu întotdeauna zilnic* uneori adesea deseori
            non_stop luni_până niciodată program* regulă fiecare în_medie majoritatea
            orice_întrebare săptămânal lunar în_mod_normal în_mod_obișnuit de_obicei tot_timpul
            la_trei_luni în_fiecare o_dată_pe o_dată_la de_două_ori tot_anul în_weekend weekend
            anual trimestrial de_luni_până de_luni_la""",
        "said": """ați_scris ați_spus ați_menționat ați_zis ai_scris ai_spus ai_menționat ai_zis
            spuneați spuneai ziceați ziceai scriați scriai menționați_că înțeleg_că ați_precizat
            a_spus_că au_spus_că mi_ați v_a_spus vi_s_a_spus ți_s_a_spus mi_ai că_ați_fost
            că_ai_fost rău_că rău_să_aud""",
        "step": """sunați sună_ne contactați scrieți lăsați completați trimiteți apăsați accesați
            intrați mergeți folosiți alegeți selectați adresați introduceți apelați cereți
            solicitați întrebați lasă completează apasă accesează alege blocați deschideți
            verificați bifați confirmați veniți prezentați dați conectați deconectați reconectați
            schimbați modificați anulați rezervați adăugați activați dezactivați actualizați notați
            păstrați plasați mutați creați resetați reporniți semnați prezentați-vă ajungeți aduceți
            luați verifici completezi apeși alegi semnezi trimiți""",
        "and": "și dar însă iar așa_că deci ci fiindcă pentru_că sau prin_urmare ori",
        "soon": """azi astăzi mâine curând îndată diseară deseară minut* minute oră ore moment
            momente momentul clipe secunde luni marți miercuri joi vineri sâmbătă duminică scurt
            câteva începând repede urgent zilei săptămân* imediat_după numaidecât pe_loc degrabă
            cât_de_curând cât_ai_clipi în_cel_mai prânz după-amiază după-amiaza dimineața seara
            seară sfert_de jumătate_de timp""",
        "past_time": """ieri alaltăieri anul_trecut săptămâna_trecută luna_trecută astă_noapte
            azi_noapte azi_dimineață""",
        "come": """ajunge ajungă vine veni vină intra intră intre alătură alătura alăture ajuta
            ajută ajute vizitează vizita viziteze trece treacă deplasează deplasa întoarce întoarcă
            ocupă ocupa ocupe drum ghidează ghida asistă asista prezenta prezintă comunica comunică
            confirma confirmă informa informează lămuri clarifica explica oferi intervin intervine
            urcă urca urce coboară coborî coboare așteaptă aștepta aștepte întâmpină întâmpina
            întâmpine ridică ridica_coletul preia_personal aducă aduc_cei explică explice
            explica_telefonic arată_și arate arăta examinează examina verifică_la verifice_la
            constată constate repară repare repara remediază remedieze remedia schimbă_yala montează
            monteze monta instalează instaleze instala apară sare_în sosește sosească sosi
            pleacă_spre plecat_spre ocupă_personal ocupe_personal livrează livreze înmâna înmânează
            consilia consiliază consilieze îndruma îndrumă îndrume stă_de_vorbă stea_de_vorbă vorbi
            vorbească discuta discute trata trateze conduce_la conducă intervină interveni primește
            primească vă_primește întâlnește întâlni întâlnească studiază studia studieze intră_pe
            sar sări urcă_la aduc_un aduc_o iese ieși iasă trece_pe ține_legătura iese_din
            pornește_acum pornesc_spre se_uită_peste coboară_acum""",
        "are": "sunt",
        "that": "că",
        "person": """el ea ei ele dânsul dânsa dumnealui dumneaei andrei andreea maria ioana ana
            elena mihai alex alexandru alina bianca radu carmen cristina cristian dan daniela diana
            gabriel gabriela george ion ionuț irina laura lavinia lucian marius mihaela mirela
            monica nicoleta oana paul raluca roxana sorin ștefan simona tudor vlad victor andreei
            alinei mariei ioanei elenei biancăi cristinei acesta aceasta aceștia acestea""",
        "fact": """costă coste cost costul costuri preț* tarif* lei leu euro ron bani_pe gratuit*
            gratis inclus inclusă incluse include includ conține conțin cuprinde durează dureaza
            dură țin rezistă are avem există se_află află situat se_servește servim servește oferim
            oferă program orar* ore_de locuri paturi camere băi etaj* metri km kilometri kg grame
            litri mp grade procente sută parcare intrare meniu* garanți* dobând* comision* taxă taxa
            taxe valabil* gratuită reducere politica regulament* termen termenul maxim maximum minim
            minimum cel_puțin cel_mult între_orele pe_zi pe_noapte pe_lună pe_an vârst* ani mărim*
            culor* material* suprafaț* capacitate înălțime greutate adres* strada stația lângă
            vizavi parter disponibil* este_de sunt_de se_face se_fac se_poate se_pot se_plătește
            se_plătesc se_iau se_ia se_acceptă acceptăm accept* vorbesc lucrează lucrăm certificare
            experiență specializat* înseamnă reprezintă constă constau potrivit_pentru alcătuit
            format_din face_parte situată ora servesc beneficiază minute_pe dobânda rata ratele fixă
            începe începând_de curs cursul muzeu* expoziți* e_deschis e_deschisă este_deschis
            este_deschisă suntem_deschiși sunt_deschise e_închis este_închis e_închisă este_închisă
            deschis_de deschis_zilnic și_e_deschisă e_inclus e_inclusă este_inclus este_inclusă
            sunt_incluse situat+ se_procesează procesează se_fac_decontări poartă se_decontează
            se_livrează se_trimit se_trimite expirat expiră vigoare zile zi ziua noapte nopți an
            prima primul copii adulți standard doar numai cam aproximativ apoi depinde""",
        "lack": """lipsește lipsesc îmi_trebuie am_nevoie aștept am_nevoie_de nevoie necesar
            necesară necesare""",
        "please": "vă_rog vă_rugăm te_rog te_rugăm rugăm_să rog_să",
        "plural": "noștri noastre toți toate unii unele mulți multe ambele ambii",
        "new": "nou noua nouă noi noul noile",
        "which": "ce care_este care_e cum câte câți cât cine",
        "towards": """spre către camera cameră adresa adresei acasă ușa ușă locuința zona zonă
            stradă""",
    },
    "en": {
        "staff": """colleague* agent agents representative* rep operator* adviser* advisor*
            specialist* technician* engineer* team teams manager* supervisor* human humans person
            nurse* doctor* dr driver* courier* consultant* coordinator* reception receptionist* desk
            staff department* expert* pharmacist* dentist* clerk* officer* office crew plumber*
            electrician* mechanic* adjuster* lawyer* accountant* host hostess chef waiter* trainer*
            coach* tutor* secretary associate* concierge* housekeeping member members people folks
            counsellor* counselor* surgeon* physician* therapist* vet dispatcher* warehouse
            librarian* broker* planner* organiser* organizer* landlord* inspector* surveyor* guide
            support sales billing owner* professional* guy teammate* escalations handler*
            underwriter* banker* hygienist* midwife instructor* installer* fitter* rider* locksmith*
            porter* porters caretaker* workshop sommelier* registrar* examiner* mate guru boss
            someone* somebody* mr mrs ms guys one_of_our one_of_the one_of_my sir madam personnel
            colleague's everyone_here girls lads coordinator one_of_us real_people next_available
            whoever help_is maintenance caseworker* assessor* nurse's midwives paramedic* ambulance
            groomer* barber* stylist* hairdresser* beautician* masseu* physio* psychologist*
            optician* optometrist* dietitian* nutritionist* paediatrician* pediatrician*
            cardiologist* dermatologist* orthodontist* practitioner* teller* cashier* loan_officer
            helpdesk service_desk second_line second-line third-line tier-2 tier_2 tier_two
            level_two level_2 sysadmin* developer* on-call duty shift_lead shift_manager foreman
            foremen builder* roofer* glazier* carpenter* joiner* painter* decorator* mover* removals
            cleaner* gardener* locksmiths bartender* barista* lifeguard* valet* bellboy* bellhop*
            photographer* florist* baker* tailor* jeweller* jeweler* translator* interpreter*
            recruiter* hr payroll legal solicitor* barrister* paralegal* notary notaries bailiff*
            councillor* councilor* social_worker social_workers ranger* tow_truck tow patrol*
            recovery_truck breakdown_truck truck pilot captain steward* cabin_crew teacher* tutor's
            dean's headteacher principal registrar's admissions bursar examiner invigilator buyer*
            purchasing dispatch logistics fraud claims collections retention complaints ombudsman
            mod moderator* admin admins administrator* team's dept department's head_of chief ceo
            founder* partner_desk concierges housekeepers lettings letting negotiator* surveyor's
            valuer* appraiser* broker's underwriters actuary chap fella bloke lady gentleman bod
            bods them_lot one_of_them colleague-in-charge higher_up higher-up higher-ups boss's gm
            duty_manager floor_manager front_office back_office back-office front-desk frontdesk
            fraudsters_desk squad unit response_unit field_engineer field_team contractor*
            subcontractor* tradesman handyman electricians plumbers headwaiter butler maître maitre
            security guard guards warden wardens police lab laboratory trainee intern volunteer*
            regulator* mediator* matron ward_sister registrars curator* usher* liaison ladies lady's
            teachers teacher's lifeguards rider's workshop's vets owner's rescue rescuers vicar
            priest rector pastor rabbi imam harbour_master harbourmaster harbor_master keeper
            keepers zookeeper* sworn superintendent embassy consulate consul ombudswoman recruiter
            marshal marshals conductor* verger pastry""",
        "plain": """human_resources agency person_per per_person team_building support_page
            support_email your_colleague your_travel_agent travel_agent estate_agent tour_operator
            your_doctor supported supports your_team the_people two_people people_per i've_found
            i_understand i_checked i've_checked i_have_found i_have_checked i_looked i've_looked
            i_have_received i've_received i've_read i_noticed i_understood i've_seen i_have_seen
            i've_understood i_mentioned i've_mentioned i_said i_got need* feed* speed* indeed bleed*
            exceed* weed* hundred red bed shared_room embed* kindred naked sacred limited unlimited
            allowed interested delighted pleased afraid worried excited thrilled included required
            needed based related supposed designed located opened_in_19 best fast west east almost
            request* latest at_least last list first cost contact_form contact_us contact_details
            reply_to_this booking bookings order orders answer_your_question answer_any looked_at
            met kept_in can_confirm happy_to_confirm happy_to_say glad_to_say i_see_you
            sorry_for_that sorry_to_hear sorry_for_the can_tell in_may team_of more_person
            one_more_person the_estate_agent got_it i_got_it luggage help_you_with_your
            let_the_phone let_a_day not_managed_to wasn't_able_to can_now_confirm can_also_confirm
            can_tell_you can_let_you_know happy_to_let_you_know happy_to_tell glad_to_confirm
            pleased_to_confirm leave_it_with_me leave_that_with_me leave_this_with_me virtual_host
            virtual_assistant claims_form legal_advice duty_free duty-free unit_price price_per_unit
            units admin_fee fraud_is dispatch_date dispatch_time truck_parking the_captain's_table
            maintenance_fee maintenance_work tier_pricing partner is_located is_included
            are_included left_of to_the_left left_or right_of_the left_over left_side signed_out
            unused lost damaged the_lawyers_here used_to made_up_of set_menu fixed_price fixed_rate
            fixed_rates fixed_amount existing_customers advanced experienced qualified heated
            covered dedicated licensed_premises shared_bathroom fried grilled baked roasted smoked
            cooked boiled steamed stuffed mixed salted dried aged varied detailed talented skilled
            registered_office""",
        "self": "i we",
        "you": "you u it chat conversation here door",
        "you_did": "you_had you've you_have",
        "i_have": "i've we've i've_just we've_just ive weve",
        "have": "have has",
        "was": "been was were gets",
        "is": "is it's that's everything's table's card's",
        "now": """now just already hereby currently successfully officially fully minutes_ago
            minute_ago seconds_ago second_ago moments_ago moment_ago from_today as_of_now
            as_of_today with_immediate_effect effective_immediately freshly from_now""",
        "deed": """booked reserved cancelled canceled moved rescheduled changed updated refunded
            returned sent resent e-mailed escalated logged registered noted recorded blocked frozen
            unfrozen froze locked unlocked suspended paused resumed reactivated activated
            deactivated disabled enabled switched turned reset removed deleted added applied issued
            raised lifted increased decreased lowered reduced extended renewed terminated closed
            opened reopened submitted filed lodged placed ordered reordered replaced exchanged
            swapped upgraded downgraded credited processed set corrected fixed amended adjusted
            edited modified altered confirmed completed created generated enrolled enroled signed
            unsubscribed subscribed stopped started initiated triggered launched finalised finalized
            resolved sorted arranged scheduled scheduled_in assigned allocated released withdrawn
            withdrew waived approved authorised authorized verified_and saved saved_your entered
            attached shipped dispatched delivered linked merged asked told informed alerted
            requested flagged reported briefed pinged paged left got_hold spoken spoke taken gone
            went gave given brought chased expedited split combined voided reversed reinstated
            restored revoked rerouted held rebooked pencilled penciled secured claimed marked tagged
            listed posted uploaded included_your topped cleared wiped dropped popped pushed bumped
            shifted postponed brought_forward deferred squeezed slotted printed charged deducted
            compensated granted ended discontinued enquired checked_you honoured matched redeemed
            configured synced restarted rebooted stripped crossed ticked invited cut halved doubled
            transmitted put made took taken_off scrapped disarmed waitlisted rescinded unsent
            re-sent resubmitted resubscribed re-booked rearranged re-issued reissued re-opened
            renamed retitled relabelled retyped rewritten reworded reprinted recharged refilled
            reallocated reassigned realigned reactivated_your recalculated recalled reclassified
            recovered renegotiated repaired repriced rescued retrieved retracted revised reworked
            rolled_back rolled shelved sealed seated served settled shared shortened snoozed sourced
            spread stamped stored streamlined struck substituted summarised summarized supplied
            tallied tidied tracked traded trimmed tweaked unblocked unlinked unpaused
            unsubscribed_you untagged verified_your waived_the wrapped written_off zeroed annulled
            archived authenticated backdated backed_up banned billed bookmarked bundled cashed
            catered certified chased_up circulated clicked coded collected combined_your
            commissioned compiled composed consolidated converted copied countersigned cross-checked
            customised customized debited decided declined delegated detached diverted documented
            donated drafted duplicated enacted endorsed engaged erased ensured established evicted
            excused exempted extracted faxed forced formatted forwarded_it fulfilled hired hooked
            imported imposed installed instructed insured integrated invoiced judged labelled
            labeled laid leased lent licensed loaded logged_you mailed mapped merged_the migrated
            mounted muted negotiated nominated noted_down notarised opted outlined overridden
            overrode packed packaged parked patched paid_out penalised pinned plugged polled pooled
            prebooked prepaid prepared prescribed priced prioritised prioritized procured promoted
            prolonged proofread protected published pulled_your purchased queued quoted_you ranked
            rated reconciled rejected relayed relisted relocated remitted rented replied reset_your
            resolved_that routed_it salvaged scanned screened sent_off sidelined signed_you_up
            singled slashed sold sponsored staffed staged started_your stocked synchronised
            synchronized teed terminated_the texted tied timed toggled translated transported
            treated triaged tripled typed updated_your validated valued vetted widened withheld
            won_you wired bagged bundled_in nabbed grabbed snagged knocked nudged thrown_in chucked
            plonked slid sneaked bunged whacked jotted keyed scribbled tapped typed_in popped_in
            fed_back passed_on passed_along went_in gone_in bumped_you disputed contested queried
            transformed landed_in set_aside ticked_the entered_in retouched switched_to""",
        "past": """*ed got kept found_you won bought built paid spent written wrote drawn thrown
            shown chosen driven begun dug shut rung sought taught stuck undone redone *wn *ought
            *aught *ept *elt *ade""",
        "done": """done all_set all_sorted that's_sorted you're_in consider_it_done all_done
            it's_done it_is_done that's_done you're_booked you_are_booked you're_good_to_go
            you're_down you're_confirmed all_taken_care taken_care_of gone_through set_up locked_in
            good_to_go all_yours on_hold under_your_name in_place refund_is_on refund's_on
            money_is_on gone_ahead went_ahead on_the_list no_longer_active on_the_waiting
            in_your_inbox off_your_bill on_your_account on_your_file managed_to was_able_to
            were_able_to i_included we_included i_also_included hit_send is_down_for is_yours
            done_and_dusted job_done that's_all_done all_booked all_fixed all_good_now
            sorted_for_you it's_sorted it's_all_sorted all_wrapped_up wrapped_up taken_care
            that's_you you're_sorted you're_set you're_all_set you_are_all_set you're_covered
            you're_on_the you_are_on_the you_are_down you_are_now_down you're_now_down you_are_in
            got_you_in got_you_down got_you_a we_got_you_in i_got_you_in put_you_down put_you_in
            is_off_to off_to_you on_the_way_to_your on_its_way_to_your is_in_the_post in_the_post
            in_the_mail in_ur in_your_mailbox is_live are_live now_live now_active now_inactive
            is_locked are_locked is_in_place are_in_place is_with_the are_with_the is_now_with
            went_through_on_our is_off gone_from_your back_on_your back_in_your under_your_surname
            in_your_name booking_no_longer is_history has_a_new_date bob's_your_uncle made_sure
            saw_to_it took_the_liberty as_you_asked as_requested as_you_wanted per_your_request
            roaming's_on it's_on_now is_on_now is_switched_on is_switched_off i_took_off
            took_off_the put_right set_right called_off are_yours_now yours_now is_yours_now
            are_yours coming_up_to_your on_order on_the_order on_the_sheet on_the_books in_the_diary
            in_the_system_now in_force order's_in the_order's_in landed_in_your no_longer_shows
            no_longer_appears gone_from_the set_aside_for is_now_a""",
        "will": """will shall i'll we'll they'll she'll he'll it'll someone'll somebody'll going
            gonna i'm we're lemme let's i_am we_are about being let should_get should_receive
            should_be_contacted should_expect""",
        "you_will": "you'll you're",
        "contact_or_step": """call contact phone ring email e-mail text message write reply answer
            visit join respond skype facetime whatsapp telephone mail""",
        "contact": """phoning ringing texting emailing messaging writing replying calls rings mails
            texts writes answers typing replies contacts emails phones dialling dialing pings
            messages messages_you drops_you drop_you_a gives_you give_you_a_shout gives_a_call
            give_a_call reaching reaches touches_base texts_you rings_you chats chat_with_you
            speak_to_you speak_with_you talk_to_you talk_with_you talk_it_through hit_you_up
            hits_you_up shoot_you shoots_you catch_up_with_you phone_ahead ring_ahead call_ahead
            phoned_back knocks get_hold_of_you gets_hold_of_you shout_you revert reverts phones_back
            catch_up dialling_your raise_you_on""",
        "contacted": """contacted called phoned emailed messaged reached visited notified connected
            transferred passed helped assisted joined put_through routed redirected handed
            forwarded""",
        "reply": """get_back gets_back getting_back got_back in_touch hear_from hear_back get_a_call
            getting_a_call get_a_text receive_a_call receive_a_phone receive_a_reply
            receive_a_response receive_an_answer get_an_answer get_a_reply get_a_response reach_out
            reaches_out reaching_out call_you_back calls_you_back calling_you_back ring_you_back
            come_back_to_you follow_up_with_you drop_you circle_back give_you_a_call
            giving_you_a_call give_you_a_ring give_you_a_bell touch_base receive_a_callback
            get_a_callback get_a_visit keep_you_posted keep_you_updated return_your_call call_you
            phone_you text_you email_you ring_you write_to_you reply_to_you a_phone_call a_callback
            back_to_you be_speaking speaking_to talking_to speaking_with talking_with news_from
            an_answer a_response a_reply word_from an_update a_call our_call our_email a_ring
            call_back phone_back ring_back email_back write_back be_with_you_shortly
            be_with_you_soon be_with_you_in be_with_you_right be_right_with_you should_hear
            be_in_contact in_contact a_callback_from an_email_from an_e-mail_from a_message_from
            a_text_from a_call_from a_visit_from a_knock a_letter_from a_line be_back_to_you
            back_in_touch come_back_with coming_back_with back_with_an_answer back_with_news news
            get_word follow_up_by follow-up_call call-back phonecall buzz""",
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
            expect_one_of get_you_over get_you_connected let_me_bring let_me_grab let_me_fetch
            passing_you pass_you_across pass_you_over hand_you_off handing_off hand_off handoff
            handover hand_you_across punt_you punting pop_you_over popping_you putting_you
            sending_you_over sending_this_over shooting_this roping_in rope_in tagging_in tag_in
            tagging jump_in jumping_in jumps_in hop_in hopping_in hops_in step_in_here stepping_in
            dive_in sit_tight hang_on hang_tight hold_on hold_the_line stay_on_the_line stay_with_me
            bear_with_me stay_in_this_chat stay_in_the_chat stay_in_chat keep_this_window
            keep_the_chat keep_this_chat keep_an_eye_on_your_phone keep_your_phone
            stay_by_your_phone stay_near_your_phone on_standby flag_this_to flag_it_to kick_this
            kicking_this bump_this_up bumping_this run_this_by bridging keep_you_in_the_loop
            keep_you_up_to_date keep_you_informed raising_it raise_it take_it_up in_line_for
            in_line_to in_the_line in_queue queue_for put_you_in_line on_standby_for""",
        "asking": """asking telling notifying getting fetching bringing calling sending alerting
            informing paging contacting pulling pinging finding summoning i'll_have we'll_have
            have_someone have_somebody having_someone will_have_a will_have_someone will_have_our
            will_have_my will_have_one let_my let_a let_the let_our let_one_of let_someone
            let_somebody nudging nudge buzzing ringing_round chasing chase getting_hold getting_one
            get_one getting_someone getting_somebody get_someone get_somebody get_hold_of
            grab_someone grab_one grabbing bring_someone bring_somebody have_one_of have_our have_my
            have_the_team have_a_colleague speak_to_the speak_to_my have_a_word having_a_word
            getting_you leave_a_note leave_alina leave_him_a_note leave_her_a_note leave_them_a_note
            let_the_lads let_the_guys let_him let_her let_them drop_him drop_her drop_them have_him
            have_her have_them get_him get_her tell_him tell_her ask_him ask_her spoke_to_dispatch
            spoke_to""",
        "ask": """ask tell notify get find grab fetch bring send alert inform page pull speak
            need_to_get summon""",
        "not": """not no never can't cannot couldn't won't don't doesn't didn't isn't aren't wasn't
            weren't hasn't haven't nobody none unable wouldn't neither nor unfortunately_no n't
            hadn't before_anything nothing no_one none_of""",
        "may": """can could might would should must can_also be_able ready_to to_be happy_to able_to
            may""",
        "if": """if unless should_you in_case provided only_with with_your_consent
            with_your_permission with_your_ok with_your_okay subject_to depending otherwise
            on_request upon_request once_you after_you when_you as_soon_as_you""",
        "after": """once after when whenever until as_soon_as on_arrival upon_arrival upon_receipt
            before by_pressing by_clicking following""",
        "offer": """would_you do_you_want shall_i shall_we should_i should_we want_me like_me
            you'd_like you_would_like you_like you_wish you_want you_prefer you'd_prefer let_me_know
            if_you'd you'd_rather do_you_need could_you can_you feel_free happy_to_have tell_me_if
            just_say say_the_word may_i can_i how_to""",
        "looked_up": """system systems according shows showing tracking looks i_can_see i_see
            i_found my_end_shows was_declined listed_as dated indicates says marked_as appears_as
            appears_to register record records_show log_shows dashboard history per_our on_file_as
            as_far_as_i your_file_shows last_recorded""",
        "usually": """usually normally typically generally always often rule sometimes every
            weekdays mondays tuesdays wednesdays thursdays fridays saturdays sundays hours_are
            average round_the_clock rarely regularly ordinarily daily weekly monthly tend tends
            each_day each_week airport_transfer monday_to_friday monday_through_friday
            monday_to_saturday monday_to_sunday most_evenings most_days in_most_cases as_a_general
            on_average as_standard by_default in_general on_weekdays at_weekends on_weekends
            year_round all_year""",
        "said": """you_wrote you_said you_mentioned you_told you_were_told you_were_promised you_say
            you_wrote_that understand_that hear_that you_quoted you_added you_write he_said she_said
            they_said he_told she_told they_told you_are_saying you're_saying you_reported
            in_your_message your_message_says you_described sorry_you sorry_that sorry_to sorry_for
            you_waited i_understand_that i_understand_you""",
        "step": """leave fill submit press click tap use go choose select enter open please_call
            please_contact please_email please_write please_fill please_send please_leave please_use
            please_reply please_go to_reach sign log please_ring please_press please_click
            please_submit please_complete complete please_ask please_visit download please_enter
            please_bring please_choose please_check add please_attach attach freeze print show
            arrive_15 arrive_early have_your bring_your""",
        "and": "and but so or because therefore as yet",
        "soon": """soon shortly today tomorrow tonight immediately moment minute minutes hour hours
            second seconds away afternoon morning evening monday tuesday wednesday thursday friday
            saturday sunday week asap momentarily right_away straight_away right_now directly safely
            days""",
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
            take_it_over be_at be_over be_round be_on be_out comes brings visits takes_it takes_this
            should_be_there incoming out_to_you over_to_you up_to_you coming_out coming_up
            coming_down coming_round come_round come_out come_up come_by comes_out comes_round
            comes_up drops_by swings_by pops_by calls_round call_round sent_out sent_up heads
            heading_over heading_up heading_out dispatched_to walking_over walks_over
            waiting_for_you waits_for_you await awaits awaiting_you greet greets meets meets_you
            show_you shows_you see_you sees_you look_into_it_and takes_a_look take_a_look
            takes_over_from picks_this_up picks_it_up picks_up sort_this_out_with handles explain
            explains knock_on bring_you brings_you collect collects fetches deliver delivers drive
            drives install installs fix fixes repair repairs inspect inspects examine examines sorts
            talks_you talk_you run_you runs_you take_you takes_you escort escorts catch_you be_up
            be_down on_it_now is_on_it are_on_it getting_on_it set_off left_for at_your_table
            turns_up turn_up show_up shows_up see_you_tomorrow sees_to waiting_on_site hop_on
            hops_on studying looks_at_it_and at_yours pick_up_your stepping_out fit_you_in
            fits_you_in be_at_yours setting_off expects_you looking_over joins_us dealing_with_her
            dealing_with_him talk_it_over on_her_way_to on_his_way_to skiing_down gets_to_you""",
        "are": "are they're",
        "that": "that",
        "i_did": "i've_let we've_let i_have_let",
        "person": """he she they him her them alina andrew anna anne ben carmen chloe chris claire
            daniel dave david ella emily emma george hannah jack james jane jess joe john josh kate
            laura linda lisa liz lucy luke mark martin mary matt megan mia mike nick nina olivia
            oliver paul peter priya rachel rob ryan sam sarah sophie steve susan tasha tim tom
            will_from""",
        "fact": """costs price prices fee fees free charge charges euro euros pounds dollars per
            percent includes include contains contain comprises consists lasts last_about
            takes_about takes_around holds seats_up seats_180 sleeps measures weighs situated opens
            closes opening closing hours_of runs_from runs_until starts_at ends_at serves_food
            we_serve we_offer offers have_a there_is there_are there's parking entrance menu
            warranty guarantee interest valid validity available policy terms deadline maximum
            minimum at_most up_to up_to_24 between_the age ages size sizes colour colours material
            capacity square metres meters kilometres miles floor storey next_to opposite nearest
            closest near behind bedrooms bathrooms accept accepts speaks work works means stands_for
            refers_to counts apply applies runs_for made_of made_from consists_of covers begins
            begin lets_you allows comes_in standing_charge tariff rate rates on_foot walk_from
            within_walking is_open are_open we're_open we_are_open open_all open_until open_from
            is_closed are_closed we're_closed we_are_closed wear wears each_time once_a_year ideally
            processed_on settled_on ran_out runs_out underground days_a nights night yes day plan
            least three two_hours per_day each standard only also children adults code early""",
        "lack": """missing need waiting_for i_need i'd_need still_need requires require
            waiting_for_your i_would_need i_need_the""",
        "please": "please kindly pls",
        "plural": "all_our these those both many several most",
        "new": "new another replacement",
        "which": "which what how who_is when_is",
        "towards": """towards toward onto into_this your_room your_door your_place your_house
            your_home your_street your_address your_flat over_to up_to_your out_to""",
    },
    "de": {
        "staff": """kolleg* mitarbeiter* agent agenten agentin berater* fachberater* spezialist*
            techniker* ingenieur* team teams jemand jemanden manager* supervisor vorgesetzt* mensch
            menschen menschlichen person arzthelfer* pfleger* schwester ärztin arzt doktor dr
            fahrer* kurier* zusteller* koordinator* rezeption empfang abteilung* expert* apotheker*
            zahnarzt* sachbearbeiter* büro monteur* klempner* elektriker* mechaniker* gutachter*
            anwalt* anwältin trainer* sekretariat* betreuer* kundenservice kundendienst support
            service leitung *leiter *leiterin ansprechpartner* makler* hausmeister* fachkraft
            fachfrau fachmann *abteilung *team *techniker *berater *beraterin *mitarbeiter *personal
            zentrale leitstelle filiale werkstatt lager hotline teamleit* operator* zimmermädchen
            housekeeping küchenchef* restaurantleit* verwalter* *verwaltung lehrer* handwerker*
            sommelier* concierge spedition lieferant* bote buchhaltung disposition *betreuerin
            *manager *managerin dienststelle *spezialist *experte *expertin herr frau herrn *kollege
            *kollegin *kollegen inhaber* wirt kapitän vertrieb rechtsabteilung juristen
            restaurantleitung serviceleitung lieferdienst schlosser* pförtner* haustechnik*
            techniker*innen wartung instandhaltung hausdame reinigung* reinigungskraft putzkraft
            kundenberater* filialleit* schichtleit* bereitschaft diensthabende* notdienst entstör*
            entstörtrupp trupp *trupp einsatztrupp pannendienst pannenhelfer* abschlepp*
            gelber_engel kanzlei rechtsanwält* notar* steuerberater* sachbearbeitung fachbereich
            fachteam *teams zweite_ebene second-level backoffice back-office hebamme* therapeut*
            physiotherapeut* psycholog* optiker* augenarzt hautarzt kinderarzt tierarzt* tierärztin
            chirurg* kieferorthopäd* sprechstundenhilfe mfa arzthelferin pflegedienst pflegekraft
            friseur* stylist* kosmetiker* masseur* barkeeper* kellner* koch köchin bäcker* konditor*
            florist* fotograf* schneider* juwelier* gärtner* maler* tischler* schreiner* dachdecker*
            glaser* installateur* umzugs* möbelpacker* spediteur* disponent* lagerist* lagerleit*
            einkauf versand* reklamationsabteilung beschwerdestelle forderungsmanagement
            betrugsabteilung schadenabteilung schadenregulierer* sachverständige* gutachterin
            prüfer* kontrolleur* beamte* beamter beamtin standesamt bürgerbüro amt schulleit*
            schulsekretariat dozent* tutor* bibliothekar* studienberat* prüfungsamt hausverwaltung
            vermieter* eigentümer* immobilienmakler* entwickler* admin* systemadministrator*
            it-abteilung it-team chef chefin boss geschäftsführ* vorgesetzte* kapitänin pilot* crew
            reiseleit* guide fremdenführer* bademeister* trainerin *meister *meisterin meister
            meisterin polier vorarbeiter* monteurin *monteur *fahrer *fahrerin *betreuer *ärztin
            *arzt *anwalt *anwältin *helferin *pfleger *schwester irgendwer einer_von_uns
            eine_von_uns einer_unserer eine_unserer einen_unserer einer_meiner eine_meiner jmd jmdn
            leute kolleginnen mitarbeiterstab tischlerei kommando mädels jungs nachtportier *portier
            hotelmanager* lieferfahrer* paketbot* postbot* bezirksleit* regionalleit* innendienst
            außendienst *dienst oberkellner* *kellner *kellnerin streife wachdienst *wache
            ordnungsamt *amt sicherheitsdienst security polizei labor praktikant* azubi* regulier*
            regulierin schadenregulierer schadensregulier* maître sommelière kundenbetreu* mediator*
            *pförtner *kraft *leitung *vertretung *zentrale *büro *stelle führer führerin
            augenoptiker* kasse ladies umzugsleiter* lehrkräfte *lehrer *lehrerin *therapeut
            *therapeutin rettungswagen tierrettung* bergwacht pfarrer* pastor* priester* personaler*
            hafenmeister* kurator* rettung* konsul* botschaft hausmeisterin wachmann""",
        "plain": """telefonservice zimmerservice serviceteam_erreichen personalausweis personen
            habe_gesehen habe_gefunden habe_verstanden termin hotelpersonal bereitschaftsdienst
            gelesen gefunden gesehen verstanden nachgeschaut nachgesehen geprüft gegeben gewesen
            geeignet geschlossen gern gerne genau gegen gesamt gemeint gewünscht gehabt gekonnt
            gewusst gefragt gehört gemerkt interessant gefällt geht gibt gilt geschäft gericht
            getränk getränke geld gültig gut guten gestellt gemacht_haben gefallen garantiert
            gespannt kann_bestätigen kann_ihnen_bestätigen kann_ihnen_mitteilen konnte_nicht
            konnte_ich_nicht konnte_leider_nicht konnten_nicht konnte_keine konnte_kein
            kann_dir_bestätigen arztbesuch amtlich amt_für hausarztmodell meisterschaft* roomservice
            reinigungsmittel chefkoch ihr_arzt ihrem_arzt ihren_arzt ihre_ärztin wartungsarbeiten
            wartungsvertrag kochen gottesdienst verdienst nachdienst lieferdienst_ist wartezeit
            notdienstgebühr leute_am versandkosten versandbestätigung versandfertig einkaufswagen
            einkaufsgutschein verstand gültig_ab außen_an klingelt_zweimal verzeichnet poststelle
            tankstelle* haltestelle* schnittstelle* baustelle* stelle_ich testzentrale wartebüro
            verlorene verlorenen nicht_verbrauchte fundbüro reisebüro kraft_treten in_kraft
            *krafttraining finanzamt finanzamts insgesamt arbeitskraft vertretung ehrenamt""",
        "self": "ich wir",
        "you": "sie ihnen dich dir du euch chat gespräch unterhaltung hier konversation",
        "you_did": "hast",
        "i_have": "habe hab hab's",
        "have": "haben hat",
        "was": "worden wurde wurden",
        "is": "ist",
        "now": """jetzt nun soeben gerade eben bereits schon erfolgreich ab_sofort ab_jetzt frisch
            vorhin umgehend_wurde mit_sofortiger ab_heute""",
        "deed": """storniert gebucht umgebucht reserviert verschoben verlegt geändert abgeändert
            gesperrt entsperrt gesendet geschickt verschickt zugeschickt abgeschickt versandt
            zugesandt weitergegeben übermittelt notiert eingetragen ausgetragen angelegt erstellt
            erfasst registriert aufgenommen gekündigt pausiert aktiviert reaktiviert deaktiviert
            freigeschaltet zurückgesetzt erstattet zurückerstattet rückerstattet zurückgebucht
            zurücküberwiesen überwiesen veranlasst beauftragt gutgeschrieben hinzugefügt
            hinzugebucht dazugebucht entfernt gelöscht vermerkt hinterlegt verlängert angepasst
            aktualisiert informiert benachrichtigt gebeten übergeben eskaliert angemeldet abgemeldet
            ausgestellt umgestellt eingestellt vorgemerkt bestellt nachbestellt abbestellt erledigt
            angestoßen ausgelöst eingereicht gemeldet getauscht umgetauscht ausgetauscht beantragt
            abgebrochen korrigiert aufgehoben gestoppt angehalten freigegeben blockiert eröffnet
            geöffnet_und geschlossen_und vereinbart festgehalten umgezogen erhöht gesenkt reduziert
            erweitert gewährt genehmigt zugewiesen zugeteilt gespeichert abgeschaltet ausgeschaltet
            eingeschaltet angefordert angefragt ausgesetzt bestätigt beendet eingeleitet bearbeitet
            abgeschlossen gebongt ersetzt widerrufen zurückgezogen zurückgenommen vorgezogen
            umgeändert umgeleitet umgemeldet abgesagt zugesagt ausgezahlt berichtigt ergänzt
            gutgebracht festgelegt gemacht gekümmert gerufen verständigt dokumentiert protokolliert
            gestrichen herausgenommen upgegradet hochgestuft herabgesetzt eingelöst verbucht
            abgebucht verrechnet erneuert zusammengelegt umgewandelt hochgeladen geliefert
            zugestellt gesichert gelegt gesetzt gestellt_auf übertragen erlassen angewiesen
            eingeplant terminiert hochgesetzt weitergereicht bescheid_gegeben bescheid_gesagt
            freigestellt eingefroren eingerichtet abgegeben reklamiert gestundet durchgeführt
            ausgeführt vollzogen eingepflegt zurückgeholt freigehalten eingebaut draufgepackt
            gemailt zugemailt draufgebucht aufgebucht hochgestellt runtergestellt heruntergesetzt
            runtergesetzt rausgenommen reingenommen reingeschrieben rausgeschickt rausgesendet
            rausgegeben reingesetzt reingestellt umgebaut umgeschrieben umbenannt umgelegt
            stillgelegt ruhend kaltgestellt lahmgelegt abgeklemmt angeklemmt angeschlossen
            zurückgelegt beiseitegelegt weggelegt zurückgestellt bereitgestellt bereitgelegt
            vorbereitet zubereitet verpackt gepackt eingepackt abgepackt etikettiert gedruckt
            ausgedruckt gescannt eingescannt kopiert dupliziert archiviert abgelegt abgeheftet
            wiederhergestellt behoben gerichtet geregelt geklärt geordnet gebündelt zusammengefasst
            zusammengeführt getrennt gesplittet aufgeteilt halbiert verdoppelt gekürzt verkürzt
            gestreckt gestaffelt verteilt zugeordnet abgezogen angerechnet verzichtet spendiert
            geschenkt beglichen bezahlt belastet abgerechnet fakturiert in_rechnung freigeräumt
            geräumt befreit entlastet exmatrikuliert immatrikuliert eingeschrieben umgeschult
            versetzt aufgefüllt aufgeladen nachgeladen nachgelegt nachgetragen nachgereicht
            nachgereicht_und gepostet veröffentlicht hochgefahren neu_gestartet neugestartet
            durchgestartet gestartet angeworfen geschlossen_wurde entkoppelt gekoppelt gepaart
            verknüpft verlinkt synchronisiert konfiguriert installiert deinstalliert aufgespielt
            eingespielt aktualisiert_und freigeschalten scharfgeschaltet stummgeschaltet abonniert
            deabonniert gekappt gecancelt gecancelled upgegraded geupgradet geupdatet downgegradet
            gebookt geblockt geblockt_und gechecked eingecheckt ausgecheckt gefixt gelockt resettet
            geresettet gelevelt eskalierte zugestimmt bewilligt abgelehnt zugelassen abgesegnet
            unterzeichnet unterschrieben gestempelt beglaubigt attestiert verschrieben verordnet
            angewendet angewandt umgerechnet umgetopft umdisponiert umgebettet getilgt ausgebucht
            eingebucht angehoben hochgezogen heraufgesetzt herabgestuft abgesenkt ausgeweitet
            eingegrenzt eingeschränkt herausgestrichen umgesetzt umgeplant zurückverlegt vorverlegt
            nachverlegt ausgewählt berechnet neu_berechnet beanstandet reklamiert_und angefochten
            widersprochen organisiert gelandet geworden entschuldigt angekreuzt vergeben gutgeheißen
            aufgestockt gewechselt entwertet retuschiert eingewechselt umgewechselt aufgewertet
            abgewertet verwertet ausgewertet""",
        "past": """*iert *gegeben *gesetzt *gestellt *gelegt *genommen *gezogen *geholt *gebracht
            *gemacht *geschrieben *geleitet *getragen *geschickt *gesendet *geschaltet *gelassen
            *gehalten *gerufen *gesagt *geklärt *geordnet *getauscht *gesprochen *gedreht *geschoben
            *gefügt *geräumt *gewiesen *verlegt *erledigt *gepackt *geführt *gebucht *gesperrt
            *getan *geworfen *gefroren *gegangen *gelöst *gebaut *gezahlt *geladen *gesteckt
            *geklemmt *gestrichen *gebunden *gestoßen *gegriffen *gewechselt *gewertet *gefasst
            *geändert *gestuft *gestimmt *gemeldet *gekündigt *geschnitten""",
        "done": """alles_erledigt ist_erledigt schon_erledigt fertig geschafft alles_klar_gemacht
            alles_geregelt ist_passiert passt_alles ist_vollbracht ist_durch ist_raus termin_steht
            steht_fest ist_vermerkt ist_notiert alles_in_ordnung_gebracht in_ihrem_posteingang
            in_deinem_posteingang konnte konnten in_der_warteschlange tisch_steht alles_steht
            steht_jetzt_auf steht_nun_auf steht_für_sie_bereit liegt_für_sie_bereit liegt_bereit
            liegt_bei_der liegt_nun liegt_jetzt läuft_jetzt_auf läuft_nun_auf ist_unterwegs_zu
            ist_auf_dem_weg_in ist_an_sie_raus an_sie_raus schon_raus gerade_raus ist_gebongt
            ist_geritzt ist_geschehen ist_umgesetzt alles_fertig alles_eingetütet
            in_trockenen_tüchern das_wärs erledigt_ist habe_mich_darum_gekümmert schon_gemacht
            auf_der_warteliste auf_ihrem_konto auf_ihrer_karte gehört_ihnen ist_ihrer
            ist_für_sie_reserviert ab_sofort_gesperrt hat_geklappt hat_funktioniert gelungen
            liegen_für liegen_bereit liegt_für steht_jetzt_mit roaming_ist_an ist_jetzt_an
            ist_jetzt_aus ist_an ist_aktiv ist_wieder_aktiv ist_wieder_frei gehören_jetzt
            gehört_jetzt sind_jetzt_ihre du_bist_jetzt sie_sind_jetzt_auf_der liegt_in_deinem
            liegt_in_ihrem ist_fest fest_gebucht termin_ist_raus ist_drin sind_drin ist_auf_beiden
            steht_drin stehst_drin""",
        "will": """werde werden wird wirst bekommst erhältst hören hörst kriegst kriegen bekommen
            erhalten sie_sollten du_solltest""",
        "contact": """ruft meldet melden schreibt kontaktieren antwortet antworten anrufen
            zurückrufen telefoniert anschreiben mailt klingelt wendet zurückschreiben meldet_sich
            anruft zurückruft anschreibt zurückmeldet klingelt_durch klingele klingeln durchklingeln
            funkt melden_sich_bei antextet textet schreibt_an simst mailt_ihnen mailt_dir ruft_an
            ruft_dich ruft_sie telefonieren telefoniert_mit kontaktiert_sie kontaktiert_dich
            nimmt_kontakt spricht_sie spricht_dich spricht_mit_ihnen beantwortet beantworten
            erreichen_sie_telefonisch rufen_zurück sich_melden spreche redet bimmelt funken anpingen
            pingt die_schreiben die_rufen die_melden""",
        "contacted": """zurückgerufen angerufen angeschrieben weiterverbunden besucht erreicht
            durchgestellt weitergeleitet_an betreut abgeholt kontaktiert verbunden weitergeleitet
            zugeschaltet informiert_werden angemailt angerufen_werden angefunkt zurückgeschrieben
            empfangen beraten unterstützt gebracht geholt""",
        "reply": """von_uns_hören melden_uns melde_mich kommen_auf_sie_zu kommen_auf_dich_zu
            bei_ihnen_melden bei_dir_melden hören_von_uns antwort_von_uns rückmeldung rückruf
            zurückmelden einen_anruf antwort_per nachricht_von wieder_auf rufen_sie_an rufen_dich_an
            rufen_sie_zurück rufen_dich_zurück antworten_ihnen auf_sie_zukommen auf_dich_zukommen
            bescheid meldung antwort anruf nachricht_aus bescheid_von melden_wir_uns rufen_wir_sie
            rufen_wir_dich schreiben_ihnen schreiben_dir antworten_dir melden_wir durchgerufen
            einen_rückruf eine_antwort eine_mail_von eine_nachricht_von eine_e-mail_von post_von
            einen_brief_von mail_von e-mail_von anruf_von besuch_von rückantwort schriftlich_antwort
            schriftliche_antwort nachricht_vom anruf_vom mail_vom gehör wieder_bei_ihnen
            wieder_bei_dir feedback update klingeln_durch melde_ich_mich ruf_ich_dich rufe_ich_sie
            rufe_ich_dich schreibe_ich_ihnen schreibe_ich_dir hört_von hören_sie_von hörst_du_von
            bei_ihnen_durch bei_dir_durch in_kontakt_mit bleibt_mit_ihnen bleibt_in_kontakt""",
        "put": """nehmen nimmt setze setzen setzt stelle stellen gebe geben bringe trete treten
            aufnehmen""",
        "touch": "kontakt verbindung durch weiter",
        "transfer": """verbinde verbinden_sie leite_sie leite_dich leite_ihre leite_dein leite_ihr
            leite_das leite_den leite_die leiten_sie_gleich leiten_ihre überstelle hole holen_wir
            hinzuziehen dazuholen dazu hinzu durchstellen weiterverbinden übergebe übergeben_an
            vermittle eskaliere überleite transferiere weiterleiten schalte_einen schalte_eine
            schalte_jetzt schalte_sie ziehe_einen übernimmt_den_chat übernimmt_ab übernimmt_hier
            übernimmt_das_gespräch verbind verbind_sie verbind_dich geb_dich geb_sie geb_euch
            gebe_dich gebe_sie_an gebe_euch reich_dich reiche_dich reiche_sie reich_sie leit_dich
            leit_sie leit_das übergeb stell_dich stell_sie stelle_sie_jetzt hol_dir hol_ihnen
            hol_mal hol_jemanden schalt_dich bleiben_sie_dran bleib_dran bleiben_sie_in_der_leitung
            bleib_in_der_leitung bleiben_sie_am_apparat leg_nicht_auf legen_sie_nicht_auf
            bitte_dranbleiben dranbleiben durchzustellen weiterzuleiten weiterreichen weitergeben_an
            abgeben_an geb_ab übergeben_sie_an überstellen weitervermittle weitervermitteln
            vermitteln schicke_ihnen_einen schicke_dir_einen schicke_einen schicke_jemanden
            schick_dir schick_ihnen halten_sie_ihr_telefon halt_dein_handy halten_sie_das_telefon
            behalten_sie_ihr_telefon behalte_dein_handy chat_offen chatfenster bleiben_sie_kurz
            bleiben_sie_bitte übernimmt_gleich übernimmt_jetzt übernimmt_sofort übernimmt_von_hier
            in_den_chat in_die_unterhaltung leite_dich_an leite_sie_an hole_mal halte_dich halte_sie
            auf_dem_laufenden gebe_es_ans gebe_es_an gebe_es_weiter gebe_das_weiter
            warteschlange_für in_die_warteschlange""",
        "asking": """bitte_einen bitte_eine bitte_meine informiere benachrichtige kontaktiere frage
            sage schicke sende rufe verständige alarmiere beauftrage schicken_ihnen schicken_dir
            lasse leite leiten schalte ziehe schicken sag_dem sag_der sag_meinem sag_meiner
            sag_unserem sag_den sag_jemandem sag_bescheid geb_bescheid gebe_bescheid ruf_den ruf_die
            ruf_jemanden rede_mit red_mit spreche_mit sprech_mit kümmere_mich_um_jemanden frag_den
            frag_die frag_mal funke_den piepse ping_den pinge trommle klopfe_bei mit_der_dispo
            mit_dem_chef gesprochen_mit hinterlasse_ihr""",
        "ask": "holen bitten informieren fragen lassen verständigen beauftragen",
        "not": """nicht kein keine keinen keiner keinem nie niemand niemanden niemandem weder
            noch_keine leider_nicht noch_nicht nichts""",
        "may": """kann können könnte könnten darf dürfen dürfte muss müssen müsste möglich kannst
            könntest würde würden könntest_du lassen_sich lässt_sich sich_lassen kannst_du könnt
            mag""",
        "if": """wenn falls sofern vorausgesetzt bei_bedarf auf_wunsch mit_ihrer_zustimmung ob
            nachdem_sie sobald_sie wenn_sie hilft_auch liegt_der haben_sie_eine hätten_sie_den
            treten_neben sollte sollten erkennen_sie""",
        "after": """sobald nachdem nach_der nach_dem nach_eingang nach_erhalt bei_ankunft
            bei_ihrer_ankunft""",
        "offer": """soll sollen möchten möchtest wollen willst darf_ich wünschen hätten_sie_gern
            so_können so_kannst so_geht""",
        "looked_up": """system laut sehe sendungsverfolgung tracking zufolge gemäß angezeigt anzeige
            demnach bei_mir_steht unserem_eintrag steht_im steht_hier register kartei akte_steht
            verlauf aufzeichnungen protokoll_zeigt""",
        "usually": """normalerweise gewöhnlich meist meistens üblicherweise generell immer regel
            manchmal oft häufig montags dienstags mittwochs donnerstags freitags samstags sonntags
            wochentags werktags rund_um stets grundsätzlich täglich erreichbar durchschnittlich
            wöchentlich selten jeden_tag jede_woche jeden_montag montag_bis montags_bis von_montag
            rund_um_die_uhr im_schnitt in_der_regel ganzjährig am_wochenende alle_zwei_jahre
            jährlich monatlich""",
        "said": """sie_schrieben sie_sagten sie_schreiben sie_sagen du_schriebst du_sagtest
            sie_erwähnten verstehe_dass sie_meinten ihrer_nachricht du_schreibst du_meintest
            geschrieben_dass sie_berichten sie_zitieren""",
        "step": """hinterlassen füllen drücken klicken nutzen gehen öffnen wählen bitte_rufen
            bitte_schreiben wenden_sie bitte_senden kontaktieren_sie bitte_füllen laden sperren_sie
            antworten_sie bitte_wenden bitte_klicken melden_sie bitte_kontaktieren bitte_nutzen
            schreib ruf klick füll hinterlass kommen_sie bringen_sie nehmen_sie füllen_sie
            klicken_sie rufen_sie_uns schreiben_sie_uns""",
        "and": "und aber oder denn daher deshalb also sodass sondern",
        "soon": """sofort gleich bald heute morgen umgehend kürze minuten minute stunde stunden
            tagen moment augenblick montag dienstag mittwoch donnerstag freitag samstag sonntag ab
            schnellstmöglich zeitnah woche nachher mittag vormittag nachmittag abend heut kurz
            bis_spätestens nächsten demnächst augenblicklich""",
        "contact_or_step": """schreiben rufen schreibe ruf_dich ruf_sie meld_mich schreib_dir
            schreib_ihnen""",
        "past_time": "gestern vorgestern letzte letzten letzter",
        "come": """kommt kommen hilft helfen kümmert kümmern besuchen schaltet klärt bespricht
            besprechen weiterhelfen betreuen schaut erscheint fährt tritt steigt holt abholen
            eintreffen trifft vorbeikommen stößt übernimmt übernehmen unterwegs hinzukommen
            dazukommen einschalten begleitet auf_dem_weg durchgeben benachrichtigen vorbei
            schaut_vorbei vorbeischauen vorbeikommt kommt_vorbei kommt_rauf kommt_hoch kommt_runter
            kommt_raus kommt_rüber kommt_zu_ihnen kommt_zu_dir kommt_dazu steht_gleich klopft
            klopfen klingelt_bei bringt bringen trägt liefert liefern repariert reparieren prüft_vor
            behebt beheben montiert montieren installiert_bei tauscht_vor wechselt begutachtet
            begutachten besichtigt besichtigen untersucht untersuchen empfängt erwartet erwarten
            begrüßt begrüßen zeigt_ihnen zeigt_dir zeigen erklärt erklären berät geht_mit_ihnen
            führt führen setzt_sich setzen_sich nimmt_sich widmet sieht_sich ansehen anschauen
            schaut_sich vor_ort rückt ausrücken rückt_aus losgefahren losgeschickt aufgebrochen
            macht_sich auf_den_weg vorstellig eilt läuft_zu springt_ein meldet_das begleiten
            übernehme_nicht trifft_sie trifft_dich steht_der_monteur vor_der_tür sucht_sie_auf ran
            nimmt_sie_dran nimmt_dich_dran kommt_gerade kommt_zum führt_das_gespräch fährt_raus
            fährt_noch erwartet_dich erwartet_sie stößt_dann fährt_jetzt losfahren klopft_gleich
            raus_und fahren_gerade schließt_ihnen""",
        "are": "sind",
        "your": "ihr ihre ihren ihrem ihrer dein deine deinen deiner",
        "that": "dass",
        "person": """er jan anna anja alina andrea andreas bernd christian claudia daniel david eva
            felix frank hans jens jonas julia kai karin katrin klaus lena lisa lukas maria marie
            markus martin max michael monika nina paul peter petra sabine sandra sarah sophie stefan
            stefanie susanne tanja thomas tim tobias tom uwe dieser""",
        "fact": """kostet kosten preis* gebühr* kostenlos kostenfrei gratis euro eur prozent enthält
            enthalten umfasst beinhaltet inklusive dauert dauern hält halten fasst reicht
            liegt_links liegt_im liegt_am liegt_in befindet befinden öffnet schließt öffnungszeiten
            uhr_bis bietet bieten wir_haben hat_einen hat_eine hat_zwei haben_eine haben_ein
            haben_einen es_gibt serviert parkplatz eingang frühstück garantie zinsen verfügbar
            bedingungen frist höchstens maximal mindestens pro je zwischen_den jahre größe farben
            quadratmeter meter kilometer stock etage neben gegenüber zimmer bäder akzeptieren
            sprechen spricht_englisch arbeitet arbeiten bedeutet gelten verfallen verfällt beträgt
            betragen läuft_bis läuft_aus bestehen besteht hat_zwei_bäder führt_zu ist_geöffnet
            haben_geöffnet ist_geschlossen sind_geschlossen sind_geöffnet werktag tragen
            einen_ausweis am_besten einmal_im abgelaufen tag nacht nummer ja auch nur man seit unter
            standard kinder erwachsene nachts""",
        "lack": "fehlt fehlen brauche benötige bräuchte warte nötig erforderlich",
        "please": "bitte",
        "plural": "unsere alle beide viele einige mehrere die_meisten",
        "new": "neue neuer neues neuen neuem andere",
        "which": "welche welcher welches was wie wann wo",
        "towards": "zu zum zur ihrem_zimmer ihrer_straße ihre_straße deinem nach_hause",
    },
    "fr": {
        "staff": """collègue* conseiller* conseillère* agent agents opérateur* opératrice*
            représentant* spécialiste* technicien* ingénieur* équipe équipes quelqu'un responsable*
            manager* superviseur* humain humaine personne infirmier* infirmière* médecin* docteur dr
            livreur* chauffeur* coursier* consultant* coordinat* réception réceptionniste* service
            services expert* pharmacien* dentiste* gestionnaire* bureau plombier* électricien*
            mécanicien* avocat* formateur* secrétariat secrétaire* support interlocuteur* assistante
            membre membres dépanneur* intervenant* vétérinaire* directeur* directrice* chef gérant*
            hôtesse* standard dispatch entrepôt atelier magasinier* réparateur* notaire* praticien*
            kiné* comptable* artisan* professeur* juriste* conciergerie monsieur madame mademoiselle
            mme préposé* patron* propriétaire* juristes gardien* concierge serrurier* plombière
            comptabilité maintenance entretien femme_de_chambre gouvernante dépannage dépanneuse
            conducteur* motard camionneur* préparateur* logistique litiges sinistres fraude
            recouvrement facturation réclamations juridique contentieux ressources_humaines rh
            informatique niveau_2 niveau_deux second_niveau astreinte garde_de permanence
            permanencier* régulateur* ambulancier* pompier* assistant_social assistante_sociale
            psychologue* orthophoniste* podologue* opticien* ophtalmo* dermato* cardiologue*
            pédiatre* chirurgien* kinésithérapeute* ostéopathe* ostéo diététicien* esthéticien*
            coiffeur* coiffeuse* barbier* masseu* maquilleu* toiletteu* barman* barmaid* serveu*
            sommelier* cuisini* pâtissi* boulanger* traiteur* fleuriste* photographe* couturi*
            bijoutier* horloger* jardinier* peintre* menuisier* couvreur* vitrier* maçon*
            chauffagiste* installateur* déménageur* poseur* carreleur* carrossier* garagiste*
            chef_d'atelier conseil_client greffier* huissier* magistrat* fonctionnaire* mairie
            guichet* élu* inspecteur* inspectrice* contrôleur* contrôleuse* examinateur* enseignant*
            prof proviseur* principal_du scolarité surveillant* bibliothécaire* doyen* tuteur*
            moniteur* monitrice* entraîneur* coach* courtier* souscripteur* estimateur* négociateur*
            agence_vous bailleur* syndic développeur* administrateur* ingénieure commandant* pilote*
            hôtesses steward* accompagnateur* guide guides régisseur* boss big_boss pro pros gars
            l'équipe l'un_de l'une_de un_de_nos une_de_nos un_de_mes une_de_mes un_des_nôtres
            une_personne du_monde maître référent* chargé_de_clientèle chargée_de_clientèle
            chargé_d'affaires télévendeur* téléconseiller* hotline standardiste* directions
            direction ma_hiérarchie hiérarchie maître_d'hôtel patrouille vigile* vigiles sécurité
            police laboratoire labo stagiaire* bénévole* régleur* confrère* consœur* consoeur*
            médiateur* modérateur* veilleur* majordome liquidateur* pharmacienne veilleuse
            billetterie maître-chien sage-femme aide-soignant maître-nageur thérapeute* cheffe*
            ambulance secouriste* curé prêtre pasteur recruteu* capitainerie maître_de_port consul*
            ambassade soigneu*""",
        "plain": """services_inclus petit_déjeuner service_est j'ai_vu j'ai_trouvé j'ai_compris
            j'ai_bien_compris j'ai_vérifié j'ai_lu j'ai_consulté nous_avons_trouvé d'équipe
            d'équipement personnes équipements équipement équipé équipée en_service service_compris
            personnel_d'accueil peux_confirmer peux_vous_confirmer confirme_que n'ai_pas_pu
            n'ai_pas_réussi_à peux_te_confirmer service_minimum conduite_accompagnée
            entretien_annuel entretien_d'embauche d'entretien maintenance_prévue profession*
            programme* prof_de_yoga_est guide_d'utilisation principal principale en_direction
            direction_de la_maintenance_est facturation_mensuelle la_facturation_se frauduleu*
            est_inclus_dans perdues perdue perdu utilisées utilisés il_y_a il_reste il_faut
            il_manque il_est s'il_vous il_vous_faut viens_de_voir viens_de_vérifier
            viens_de_regarder viens_de_consulter viens_de_recevoir viens_de_lire viens_de_trouver
            venons_de_recevoir venons_de_voir""",
        "you": "vous te toi conversation discussion chat ici",
        "you_did": "avez",
        "i_have": """j'ai ai avons on_a m'en_suis me_suis m'en_suis_déjà nous_sommes_occupés l'ai
            t'ai on_vous_a on_t'a on_l'a vous_ai t'avons""",
        "have": "a ont vient_de viennent_de viens_d'avoir",
        "was": "été d'être",
        "is": "est c'est",
        "now": """maintenant désormais vient_d'être viennent_d'être déjà bien succès dès_maintenant
            à_l'instant d'ores à_présent à_partir_d'aujourd'hui dorénavant dès_aujourd'hui""",
        "deed": """annulé+ réservé+ modifié+ changé+ déplacé+ décalé+ reporté+ avancé+ envoyé+
            renvoyé+ transmis+ enregistré+ bloqué+ débloqué+ suspendu+ activé+ réactivé+ désactivé+
            ajouté+ retiré+ supprimé+ remboursé+ réinitialisé+ noté+ ouvert+ mis mise mises émis
            émise prolongé+ actualisé+ corrigé+ augmenté+ réduit+ baissé+ déposé+ demandé+ commandé+
            passé+ confirmé+ complété+ créé+ généré+ inscrit+ désinscrit+ désabonné+ arrêté+ stoppé+
            résilié+ programmé+ planifié+ reprogrammé+ fixé+ fait faite faites effectué+ réalisé+
            traité+ réglé+ résolu+ clôturé+ fermé+ escaladé+ signalé+ remonté+ appliqué+ accordé+
            crédité+ versé+ viré+ attribué+ libéré+ renouvelé+ lancé+ déclenché+ finalisé+ validé+
            approuvé+ sauvegardé+ expédié+ remplacé+ échangé+ étendu+ ajusté+ paramétré+ prévenu+
            informé+ averti+ alerté+ sollicité+ chargé+ occupé+ saisi+ consigné+ basculé+ majoré+
            gelé+ avisé+ adressé+ remis+ converti+ notifié+ inclus_dans coupé+ rectifié+ procédé+
            relancé+ débité+ offert+ retenu+ bouclé+ soumis+ rétabli+ posé+ dupliqué+ édité+
            imprimé+ rattaché+ fusionné+ pris laissé+ placé+ débranché+ positionné+ calé+ annoté+
            mentionné_dans interrompu+ surclassé+ doublé+ déclaré+ acté+ enclenché+ parti+ tenu+
            gardé+ arrangé+ repris reprise rajouté+ réajusté+ rebasculé+ recalculé+ reclassé+
            recrédité+ redémarré+ réédité+ réexpédié+ refait+ réglementé+ réimprimé+ relié+ relogé+
            remboursée réorienté+ reparti+ répercuté+ repoussé+ repositionné+ réservée restitué+
            resynchronisé+ rétrogradé+ réuni+ revalidé+ reversé+ révoqué+ ristourné+ sauvé+ scanné+
            scindé+ sécurisé+ séparé+ signé+ stocké+ substitué+ synchronisé+ tamponné+ téléchargé+
            téléversé+ trié+ upgradé+ updaté+ urgenté+ vacciné+ vendu+ ventilé+ verrouillé+
            déverrouillé+ vidé+ glissé+ collé+ filé+ bloquée booké+ gardée gelée greffé+ homologué+
            immatriculé+ imputé+ inclus inséré+ instruit+ intégré+ inversé+ isolé+ jumelé+ lié+
            livré+ loué+ majorée mandaté+ marqué+ mensualisé+ migré+ mutualisé+ nettoyé+ neutralisé+
            octroyé+ ôté+ optimisé+ pausé+ payé+ pointé+ préparé+ prescrit+ priorisé+ promu+ purgé+
            raccourci+ raccordé+ rangé+ rapatrié+ ravitaillé+ rechargé+ acheté+ acquis acquitté+
            actionné+ adapté+ admis agrandi+ aménagé+ amélioré+ annexé+ apposé+ approvisionné+
            archivé+ attesté+ autorisé+ avalisé+ barré+ bonifié+ branché+ cédé+ certifié+ chiffré+
            classé+ coché+ commué+ communiqué+ compensé+ complétée concilié+ conclu+ configuré+
            connecté+ déconnecté+ conservé+ contresigné+ copié+ couvert+ créditée cumulé+ daté+
            décommandé+ décompté+ déduit+ dédommagé+ délivré+ démarré+ dérogé+ désactivée désigné+
            désinstallé+ détaché+ détruit+ dévié+ dispensé+ diminué+ dirigé+ distribué+ divisé+
            écarté+ éclairci+ écourté+ effacé+ élargi+ élevé+ éliminé+ emballé+ embarqué+ enlevé+
            enrichi+ entré+ établi+ étalé+ éteint+ étiqueté+ évacué+ éxécuté+ exécuté+ exclu+
            exonéré+ facturé+ figé+ formaté+ formulé+ fourni+ fractionné+ franchi+ mis_de_côté
            mise_de_côté mis_à_jour tapé+ rentré+ zappé+ bougé+ poussé+ rallongé+ avancée relevé+
            haussé+ rehaussé+ rabaissé+ choisi+ calculé+ contremandé+ supprimée contesté+ redémarrer
            justifié+ transformé+ retouché+ invalidé+""",
        "done": """c'est_fait c'est_réglé c'est_bon voilà_qui c'est_noté c'est_annulé c'est_réservé
            chose_faite c'est_modifié c'est_changé c'est_enregistré tout_est_réglé tout_est_prêt
            c'est_confirmé c'est_envoyé c'est_bien_noté est_faite c'est_parti est_chose
            dans_votre_boîte dans_ta_boîte pris_en_compte prise_en_compte j'ai_pu nous_avons_pu
            réussi_à est_à_votre_nom est_à_ton_nom c'est_dans_la_boîte c'est_validé c'est_payé
            c'est_remboursé c'est_bloqué c'est_débloqué c'est_corrigé c'est_bouclé c'est_tout_bon
            c'est_ok c'est_calé c'est_parti_pour c'est_en_place c'est_activé c'est_ajouté
            c'est_enlevé c'est_supprimé c'est_programmé c'est_déplacé c'est_reporté tout_est_bon
            tout_est_en_ordre tout_est_calé tout_roule ça_y_est et_voilà affaire_réglée
            problème_résolu part_aujourd'hui vient_de_partir viennent_de_partir est_à_vous
            est_pour_vous sur_liste_d'attente sur_la_liste_d'attente en_liste_d'attente
            m'en_suis_chargé m'en_suis_chargée m'en_suis_occupé m'en_suis_occupée ai_fait_suivre
            fait_suivre fait_le_nécessaire le_nécessaire_est le_nécessaire_a j'ai_réussi
            nous_avons_réussi est_débloqué est_en_pause au_frais comme_demandé comme_convenu
            comme_souhaité itinérance_activée sont_à_vous sont_à_toi est_à_toi c'est_effectif
            est_effectif est_effective repart_vers est_en_route_vers est_actif est_active
            est_à_nouveau est_supprimé est_supprimée sont_commandés sont_commandées est_annulé
            est_annulée est_confirmé est_confirmée est_prolongé est_prolongée est_de_côté
            mis_de_côté_pour sont_justifiées en_vigueur ne_figure_plus n'apparaît_plus
            figure_maintenant est_maintenant_sur""",
        "will": """va vais allons vont sera serez seras serons recevrez recevras suis en_train
            je_vais aurez aura auras recevra arrive""",
        "contact": """appelle appeler appellera contacte contacter contactera recontacte recontacter
            recontactera rappelle rappeler rappellera écrit écrire écrira répond répondre répondra
            revient revenir reviendra prendre joindre joindra téléphone téléphoner téléphonera
            contacteront appelleront répondront rappelleront recontacteront écriront reviendront
            manifestera manifester appellent contactent rappellent écrivent recontactent répondent
            rappelera appelera contactera_par passe_un_coup passera_un_coup passe_un_appel
            passera_un_appel donne_un_coup donnera_un_coup parle parler parlera s'adresse joint
            téléphonent téléphoneront envoie_un_message envoie_un_mail enverra_un enverra_une
            envoie_un_sms écrive appellera_depuis contacterait sonne sonnera sonner frappe frappera
            frapper texte textotera bipera recevoir_un_appel manifestent fera_signe fait_signe
            fassent_signe fasse_signe rappelle_dans te_rappeler vous_rappeler de_te_rappeler
            de_vous_rappeler qu'il_vous_rappelle qu'elle_vous_rappelle qu'on_vous_rappelle reçoit
            recevra_chez reprend_contact répondu_par renseigne vous_écris t'écris te_prévient
            vous_prévient""",
        "contacted": """rappelé+ recontacté+ mis_en accompagné+ contacté+ appelé+ redirigé+
            transféré+ joint+ visité+ accueilli+ orienté+ servi+ assisté+ dépanné+ conduit+
            guidé+""",
        "reply": """tenons donnerons un_appel une_réponse des_nouvelles de_nos_nouvelles réponse_de
            réponse_par un_message_de retour coup_de_fil coup_de_téléphone appel réponse nouvelles
            un_mail_de un_e-mail_de un_courriel_de un_sms_de un_courrier_de une_lettre_de
            la_visite_de visite_de un_retour une_visite un_signe signe_de_vie retour_de des_infos
            l'appel_de revenons_vers revient_vers reviendra_vers reviens_vers_vous
            donne_des_nouvelles un_rappel rappel_de""",
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
            prendra_le_relais mets_avec mets_en_lien vous_mets_avec te_mets_avec bascule_vers
            vous_bascule te_bascule vous_dirige te_dirige aiguille vous_aiguille vous_passe te_passe
            vous_relaie te_relaie passe_la_main passe_le_relais passe_en_ligne je_passe
            laisse_la_main laisse_la_place restez_en_ligne reste_en_ligne restez_sur_le_chat
            restez_dans_le_chat restez_là reste_là restez_près gardez_votre_téléphone
            garde_ton_téléphone gardez_la_ligne ne_coupez_pas ne_raccrochez_pas patientez patiente
            un_instant_je fais_monter fais_descendre fais_entrer fais_rappeler fais_contacter
            vous_fais_rappeler te_fais_rappeler vous_confie te_confie remets_votre réoriente
            redispatche dispatche transférons_votre basculons confier_à en_relation_avec escaladons
            remonte_le remonte_ça entre_dans_le_chat vous_écris_dès t'écris_dès vous_tiens te_tiens
            je_te_tiens je_vous_tiens fais_remonter en_file_d'attente file_d'attente_pour vous_bipe
            te_bipe fais_la_queue""",
        "asking": """appelle_un appelle_une appelle_le appelle_la préviens prévenons informe
            informons demande demandons contacte_un contacte_une contacte_le contacte_notre
            sollicite alerte appelle_notre avertis transmets transmettons laisse confie confions
            envoie envoyons signale dis_à dis_au dis_aux disons_à demande_à demande_au vois_avec
            voyons_avec parle_à parle_au en_parle avise avisons charge chargeons envoie_quelqu'un
            réclame mobilise mobilisons dépêche dépêchons missionne missionnons mandate mandatons
            relance_le relance_la relance_mon relance_notre cherche_quelqu'un trouve_quelqu'un
            fais_passer glisse_un_mot laisse_un_mot vu_avec vois_ça_avec laisse_un_mot_à""",
        "ask": """prévenir demander informer solliciter alerter transmettre avertir confier envoyer
            trouver""",
        "not": "pas ne n'est n'a aucun aucune jamais personne_ne ni n'ai n'avons rien sans plus_de",
        "may": """peux peut pouvons peuvent pourrais pourrait pourrions pourront puis pouvez
            pourriez dois doit devez faut possible pourra pourrez""",
        "if": """si s'il s'ils en_cas_de avec_votre_accord à_condition sous_réserve à_votre_demande
            sur_demande au_cas_où avec_ton_accord après_avoir dès_que_vous une_fois_que
            lorsque_vous""",
        "after": """dès_que une_fois quand lorsque à_l'arrivée dès_votre à_votre_arrivée
            après_réception dès_réception après_votre dès_lors aussitôt_que""",
        "offer": """voulez_vous souhaitez souhaitez_vous désirez dois_je puis_je veux_tu souhaites
            préférez préférez_vous voulez voudriez veux_tu_que faut_il aimeriez_vous dites_moi_si
            puis_je_vous n'hésitez voici_comment comment_faire""",
        "looked_up": """système selon d'après suivi vois indique affiche apparaît figure
            dossier_indique visiblement constate consulté écran compte_indique registre historique
            relevé_indique journal fiche_indique""",
        "usually": """général généralement habituellement normalement toujours souvent parfois
            habitude règle quotidiennement joignable* rarement jours_ouvrés tous_les du_lundi
            en_moyenne moyenne chaque_jour chaque_semaine lundi_au jour_et_nuit en_règle d'ordinaire
            toute_l'année le_week-end chaque_mois chaque_année annuel*""",
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
            minute heure l'heure heures ce_soir après_midi matin lundi mardi mercredi jeudi vendredi
            samedi dimanche rapidement brefs délais vite avant_ce jours dès semaine ce_matin
            tout_à_l'heure d'ici sous_peu incessamment midi soir soirée après-midi d'une_minute
            aussitôt seconde secondes promptement""",
        "past": "*é *ée *és *ées *is *it *u *us *ait *ert",
        "past_time": "hier avant_hier dernier dernière",
        "come": """viendra vient venir passe passer passera rejoint rejoindre rejoindra arrivera
            arriver arrivent aide aider aidera intervient interviendra intervenir traiter traitera
            suivra reprend reprendra reprendre relaie occupe s'occupe occuper s'en_occuper en_route
            en_chemin rend rendra se_rendra accompagner accompagnera tiendra informera guidera
            enverra confirmera présentera prendra prend monte monter montera descend descendra
            descendre déplace déplacer déplacera se_déplace se_déplacera arrive_chez débarque
            rend_chez attend attendra attendre attendent accueille accueillera accueillir
            reçoit_demain montre montrera montrer explique expliquera expliquer apporte apportera
            apporter livre livrera livrer répare réparera réparer dépannera dépanner installera
            installer inspecte inspectera examine examinera examiner constatera regarde_avec
            regardera regarder jette_un_œil jettera_un_œil voir_la voir_le visite visitera visiter
            conseille conseillera conseiller oriente_vers débloquera résoudra résoudre gère gérera
            gérer étudie étudiera saute embarque parti_vers partie_vers partis_vers sur_place
            à_votre_porte devant_chez retrouve retrouvera prend_la_suite prendra_la_suite étudie_les
            entre_dans arrive_à_votre arrive_à_la sonnera_avant va_passer fait_signe_dans récupérer
            sort sortent sort_à sort_de prend_la_route vous_rejoint nous_rejoint t'attend""",
        "are": "sont",
        "your": "votre vos ton ta tes",
        "that": "que",
        "person": """il elle ils elles lui marc marie sophie julie camille claire thomas nicolas
            pierre paul jean luc lucas léa emma chloé manon sarah laura anne anaïs antoine arthur
            aurélie benoît bruno caroline cédric céline christophe david élodie émilie éric fabien
            florence françois guillaume hélène hugo isabelle jérôme julien karim laurent louise
            lucie mathieu maxime michel nadia olivier pauline philippe romain sandrine sébastien
            stéphane sylvie valérie vincent celui-ci celle-ci ceux-ci""",
        "fact": """coûte coûtent coût prix tarif* gratuit* frais euro euros centimes pour_cent
            comprend comprennent inclut contient dure durent tient_une trouve_à se_trouve
            se_trouvent situé ouvre ferme horaires_d'ouverture horaires propose proposons offre
            offrons nous_avons dispose compte parking menu garantie intérêts valable valables
            disponible* conditions délai maximum minimum au_moins au_plus au_maximum entre_les ans
            taille couleurs matière mètres kilomètres étage côté face chambres salles bains
            acceptent acceptons parlent parle_anglais travaille travaillent signifie s'applique
            s'appliquent valide court_jusqu'au se_réservent se_fait se_font se_paie s'élève rémunéré
            nets s'élève_à plaide plaident est_ouvert est_ouverte sont_ouverts sont_ouvertes
            sommes_ouverts ouvert_toute ouverte_toute ouvert_tous ouvert_de est_fermé est_fermée
            sont_fermés sommes_fermés est_inclus sont_inclus est_situé est_située servi_de est_servi
            est_servie sont_servis est_préparé est_préparée l'entrée portent une_fois_par plutôt
            expiré expire partent_le numéro oui non jour nuit an moins aussi seulement km enfants
            adultes plein""",
        "lack": "manque manquent besoin j'attends attends me_faut nécessaire il_me_manque",
        "please": "merci_de veuillez s'il_vous_plaît s'il_te_plaît svp prière_de",
        "i_did": "je_viens_de j'viens_de nous_venons_de on_vient_de viens_de venons_de",
        "plural": "nos les tous toutes plusieurs beaucoup",
        "new": "nouveau nouvelle nouvel nouveaux autre",
        "which": "quel quelle quels quelles combien comment quand_est",
        "towards": "vers chez jusqu'à_votre votre_chambre votre_rue votre_porte votre_domicile",
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
            *orvos házigazda ügyeletes* házmester* lakatos* könyvelés karbantart* takarító*
            szobalány* gondnokság hibaelhárít* brigád* *brigád autómentő* mentő* vontató* tűzolt*
            rendőr* szerviztechnikus* üzemeltet* informatikus* rendszergazd* fejleszt* másodvonal*
            ügyelet* főnök* igazgató* igazgatónő igazgatóhelyettes* főorvos* szakorvos* állatorvos*
            szemész* bőrgyógyász* gyerekorvos* gyermekorvos* pszichológus* terapeuta* gyógytornász*
            dietetikus* védőnő* szülésznő* ápoló* asszisztens* masszőr* kozmetikus* fodrásznő*
            stylist* borbély* manikűrös* pultos* bármixer* barista* sommelier* szakácsnő* cukrász*
            pék* virágos* fotós* fényképész* varró* ékszerész* kertész* festő* asztalos* tetőfedő*
            üveges* burkoló* költöztető* rakodó* kézbesítő* postás* futárszolgálat* raktáros*
            raktárvezető* szállító* fuvaroz* sofőrünk gépkocsivezető* kalauz* pilóta* kapitány*
            légiutas* idegenvezető* túravezető* utaskísérő* úszómester* személyi_edző tréner*
            tanárnő* tanító* osztályfőnök* dékán* dékáni* tanulmányi* könyvtáros* vizsgáztató*
            közjegyző* végrehajtó* ügyvédnő* jogász* jogi_osztály bíró* tisztviselő* hivatalnok*
            polgármester* önkormányzat* fiók_munkatársa bankár* hitelügyintéző* bróker* alkusz*
            kárrendez* kárfelmérő* becsüs* értékbecslő* ellenőr* felügyelő* művezető* csoportvezető*
            műszakvezető* termelés* bérszámfejt* hr beszerz* értékesít* marketinges* szervező*
            rendezvény* koordinátornő* referens* titkár* titkárnő* házvezető* tulaj* bérbeadó*
            ingatlanügynök* ingatlanközvetítő* csapattag* kollégina* kolleginá* kolléganő*
            kollegina* munkatársnő* egyikünk egyik_kolléga valaki_a_csapatból valaki_tőlünk csaj*
            srác* fiúk* lányok* hölgy* bácsi néni *néni *bácsi *né doki* pszichiáter* ortopéd*
            sebész* fogász* szájsebész* mester* szaki* műszaki* technika technikai csalásmegelőz*
            ügyvédi *pincér *pincérnő járőr* biztonság* őr őrség rendőrség labor* gyakornok*
            önkéntes* mediátor* moderátor* likvidátor* komornyik főpincér* visszáru* *osztályról
            osztályról optikus* tárlatvezető* pénztár* jegypénztár* *vezetőnk *vezetőm *vezetője
            *tanár *tanára *tanárod állatmentő* felettesem hegyimentő* lelkész* pap plébános*
            toborzó* kikötőmester* konzul* nagykövetség*""",
        "plain": """munkatársaink_beszélnek emberre embernek értettem megértettem láttam találtam
            megtaláltam olvastam elolvastam kaptam megkaptam megnéztem ellenőriztem utánanéztem
            kerestem tudtam tudtunk tudtuk hallottam vettem_észre örültem voltam voltunk ezután
            csapatunk_beszél néztem szerettem mondtam említettem írtam_korábban gondoltam
            sikerült_megtalálnom láttuk kaptunk számomra miatt alatt áttekintettem megvizsgáltam
            átnéztem nem_sikerült tudom_erősíteni megerősíthetem mesterségesen emberek embernek_való
            műszaki_vizsga műszaki_adat mentőautót_hívja technikai_adat technikai_okok kávé* né
            tanulmányi_átlag futárdíj futárszolgálati_díj vezetőülés befizető* rendezvényterem
            rendezvények rendezvényünk karbantartási_díj fejlesztés* mentődoboz festés* technikailag
            értékesítési_pont szervezőiroda_címe kaptam_meg fel_nem_használt éltek életem_értem
            biztonsági laborban_készül képest keretében""",
        "you": """önt önnek önhöz önnel önről öné neked veled nálad téged hozzád tőled magát önnél
            ön az_ön beszélgetés* chat* csevegés* itt ide""",
        "you_did": "azt_írta",
        "was": "lett lettek került kerültek van vannak",
        "now": "most már máris sikeresen",
        "deed": """törölve foglalva lefoglalva módosítva áthelyezve elküldve továbbítva rögzítve
            regisztrálva letiltva zárolva felfüggesztve aktiválva bekapcsolva kikapcsolva
            deaktiválva hozzáadva eltávolítva visszatérítve visszautalva visszaállítva feljegyezve
            megnyitva meghosszabbítva frissítve javítva benyújtva megrendelve létrehozva
            feliratkoztatva leiratkoztatva leállítva lemondva átírva átütemezve előjegyezve jóváírva
            kiállítva elindítva lezárva elintézve megoldva felvéve beírva átállítva átvezetve
            iktatva beállítva megszüntetve visszavonva felmondva jelezve kérve módosításra
            rögzítésre törlésre foglalásra visszatérítésre jóváírásra átfoglalva kiküldve feloldva
            megemelve csökkentve véglegesítve kicserélve szüneteltetve felülírva átkönyvelve átadva
            kiírva megerősítve elrendezve befagyasztva felfüggesztésre félretéve feltöltve letöltve
            kinyomtatva kifizetve elengedve jóváhagyva elfogadva elutasítva engedélyezve
            visszaigazolva előkészítve összekészítve csomagolva becsomagolva kiszállítva feladva
            postázva átutalva levonva terhelve áthelyezésre átirányítva átcsoportosítva összevonva
            szétválasztva megfelezve megduplázva bővítve kibővítve szűkítve emelve felemelve
            leszállítva mérsékelve visszaszerezve újraindítva újraaktiválva újrafoglalva újraküldve
            újranyomtatva kapcsolva csatlakoztatva leválasztva telepítve eltávolításra
            törlésre_került archiválva iktatásra beszerezve megvásárolva eladva bérbe_adva kiadva
            lepecsételve aláírva hitelesítve felírva kiváltva beoltva beutalva hosszabbítva
            sztornózva visszaküldve kiválasztva kiszámolva megváltoztatva megcserélve
            megreklamálva""",
        "past": "*va *ve *ásra *ésre *zva *zve *tva *tve *lva *lve *rva *rve *gva *gve",
        "i_did": """*ttam *ttem *ttuk *ttük *ltam *ltem *ltuk *ltük *rtam *rtem *rtuk *rtük *ntam
            *ntem *ntuk *ntük *ztam *ztem *ztuk *ztük *stam *stem *stuk *stük *dtam *dtem *dtuk
            *dtük *gtam *gtem *gtuk *gtük *ktam *ktem *ktuk *ktük *ptam *ptem *ptuk *ptük *ytam
            *ytem *ytuk *ytük *jtam *jtem *jtuk *jtük *vtam *vtem *btam *btem *mtam *mtem *ttunk
            *ltunk *rtunk *ztunk *dtunk *ntunk *gtunk *ttünk *ltünk *rtünk *ztünk *dtünk *ntünk
            *stunk *stünk *jtunk *jtünk *ktünk *ktunk *ytunk *ytünk *attalak *ettelek *ttalak
            *ttelek *ltalak *ltelek *rtalak *rtelek *ztalak *ztelek *btuk *btük *mtuk *mtük *vtuk
            *vtük *gtünk *ptünk *ptunk *mtünk *mtunk *ntettem áttettem betettem feltettem
            félretettük félretettem kivettem levettem elvettem átvettem betettük kivettük levettük
            áttettük feltettük hozzátettem hozzátettük tettem tettük raktam raktuk *raktam *raktuk
            adtam *adtam adtuk *adtuk *írtam *írtuk *emeltem *emeltük feloldottam feloldottuk
            felemeltem átraktam átraktalak beraktam *raktalak beírattam *attam *ettem *attuk *ettük
            *áltam *áltuk *eltem *ettünk kitoltam kitoltuk nyitottam adtam_meg igazoltam bejelöltem
            *váltottam *váltottuk *vontam *vontuk""",
        "done": """kész készen_is elkészült megtörtént elintéztük megvan létrejött
            megérkezett_a_visszaigazolás rendben_van_a befejeződött lezárult teljesült sikerült
            megvolt megvan_a megcsináltam megcsináltuk kész_is elrendeztem elrendeztük
            rendben_elment elment_az elment_a úton_van_a kiment_az kiment_a ki_is_ment átment
            bekerült_a felkerült_a átkerült_a lekerült_a visszakerült_a az_öné a_tiéd
            az_ön_neve_alatt az_ön_nevén a_neveden várólistán várólistára letiltva_van le_van_tiltva
            le_van_foglalva fel_van_függesztve be_van_állítva be_van_jegyezve fel_van_véve
            át_van_írva el_van_intézve el_van_küldve meg_van_rendelve rendben_van_minden
            minden_rendben_van gondoskodtam intézkedtem kipipálva sikerrel sikeres_volt készen_van
            készül_az_új az_önöké az_önökké az_öné_mostantól mostantól_az a_pénz_úton pénz_úton
            ismét_aktív újra_aktív most_aktív a_tieid életbe_lépett érvénybe_lépett""",
        "will": "fog fogja fogják fogom fogjuk fogunk",
        "contact": """felhívja hívják felhívják visszahívja visszahívják jelentkezik jelentkeznek
            jelentkezni keresi keresni megkeresi megkeresik ír írni írja válaszol válaszolni
            válaszolnak telefonál telefonálni felkeresi felveszi hívni felhívni visszahívni értesíti
            értesíteni felhív visszahív felkeres megkeres válaszolja visszajelez visszajelezni
            megcsörgeti csörög írnak visszaír üzen üzenni felvilágosít összehív egyeztet megkeressék
            felhívjanak keresik írjanak rácsörög rácsörögnek csörget csörgeti rátelefonál
            odatelefonál visszatelefonál megcsörget telefonálnak üzennek ír_önnek ír_neked megírja
            megírják értesítenek felkeresik felveszik beszél_önnel beszél_veled beszélni leveleznek
            levelet_ír e-mailt_ír e-mailez sms-t_küld emailt_küld e-mailt_küld üzenetet_küld
            visszaírnak visszaszól visszaszólnak szól szólni szólnak bejelentkezik bejelentkeznek
            kopog kopogtat becsönget becsenget csönget csenget keressen hívjon_fel visszahív_téged
            visszahívja_önt felhívja_önt felhív_téged megkeres_téged kontaktál reagál választ_ad
            választ_küld elérheti_önt telefonon_keresi megbeszéli megbeszélik egyeztetni egyezteti
            egyeztetnek majd_felhív hívni_fog veszi_fel_a""",
        "contacted": "felhívva értesítve",
        "reply": """keresni_fogjuk választ_kap választ_kapsz hívást_kap hívást_kapsz visszahívást
            hívni_fogjuk válaszolni_fogunk jelentkezni_fogunk hívást visszajelzést tájékoztatjuk
            választ üzenetet_kap értesítést_kap levelet_kap egy_levelet emailt_kap e-mailt_kap
            sms-t_kap telefont_kap hívást_fog választ_fog visszajelzést_kap üzenetet_fog
            értesítést_fog tájékoztatást_kap keresni_fogják keresni_fog hívni_fogják felhívják_önt
            visszahívják_önt értesíteni_fogjuk értesíteni_fogják fel_fogják_hívni fel_fogja_hívni
            vissza_fogják_hívni vissza_fogja_hívni fel_fogjuk_hívni vissza_fogjuk_hívni
            meg_fogják_keresni meg_fogja_keresni meg_fogjuk_keresni kapcsolatba_lépnek
            kapcsolatba_fog kapcsolatba_lépünk kapcsolatba_lépek felveszi_önnel felveszik_önnel
            felvesszük_önnel felveszi_veled felvesszük_veled hamarosan_hall hallani_fog
            hall_felőlünk hallasz_felőlünk írásban_válaszol írásban_értesít választ_kapni
            választ_írásban telefonját keze_ügyében maradjon_a_vonalban maradj_a_vonalban
            maradjon_vonalban tartsa_a_vonalat ne_tegye_le maradjon_itt maradj_itt
            felveszi_önnel_a_kapcsolatot""",
        "put": "teremtek kapcsolatba_lép",
        "touch": "kapcsolatot kapcsolatba",
        "transfer": """kapcsolom kapcsoljuk kapcsollak átkapcsolom átkapcsollak átkapcsoljuk átadom
            átadjuk átadlak átirányítom átirányítjuk átirányítalak továbbítom továbbítjuk összekötöm
            összekötjük összekapcsolom összekapcsollak bekapcsolok szólok szólunk hívok idehívom
            idehívok bevonok bevonom bevonunk továbbkapcsolom irányítom irányítalak csatlakoztatom
            csatlakoztatok eszkalálom megkérek megkérem megkérjük keresek_egy behívok behívom
            odaadom kérek_egy hívom küldök_egy küldünk_egy felveszem_a_kapcsolatot visszahívjuk
            visszahívunk felhívjuk felhívunk jelentkezünk válaszolunk visszajelzünk értesítjük
            értesítünk megkeressük megkeresünk felvesszük adom adjuk hívjuk írunk válaszolok
            jelentkezem visszahívom felhívom értesítem visszajelzek keressük átveszi átvette
            beszélhet_egy beszélhet_az kapcsolok kapcsolom_önt adom_át átpasszol* átpasszolom
            átteszem_önt áttesz továbbküldöm továbbküldjük továbbadom_a továbbadjuk_a rábízom
            rábízzuk ráállítom ráállítok ideküldök odaküldök odahívok idehívjuk becsatlakoztatok
            becsatlakoztatom szólítom hívom_a hívok_egy riasztom riasztjuk küldöm_a küldjük_a
            küldök_valakit kiküldök kiküldünk kiküldjük kiküldöm kapcsolatba_hozom összehozom
            összehozlak továbbítok beszélek_vele rászólok megkérdezem_a jelzek jelzünk jelentem
            értesítem_a behívjuk bevonjuk csatlakozik_hozzánk ön_következik soron_következő vonalba
            küldök_oda küldtünk_ki átteszlek átteszem átrakom átraklak írok_ha és_írok írok_önnek
            írok_neked megírom jelzem_önnek szólok_ha tájékoztatlak jelzem_a értesítelek visszaírok
            sorba_állítottam sorba_állítom a_sorban rád_csörgök önre_csörgök csörgök rád_írok""",
        "asking": """értesítek kérem_meg jelzem küldök küldünk szólok_neki szólok_a megkérem_őt
            megbízom megbízzuk felkérem felkérjük egyeztetek_a beszélek_a""",
        "not": """nem ne sem nincs senki senkit senkinek egyetlen sajnos_nem nincsen egyik_sem soha
            se sosem semmit semmi semmilyen nélkül senki_sem""",
        "may": """tudom tudok tudja tud tudunk tudják lehet lehetséges kell kellene tudnám tudnék
            tudná *hat *het *hatja *heti *hatják *hatom *hetem *hatjuk *hetjük *hatok *hetek *hatunk
            *hetünk""",
        "if": "ha amennyiben esetén hogyha beleegyezésével kérésére igény kívánságra",
        "after": "miután amint mihelyt amikor érkezéskor beküldése kitöltése után",
        "offer": """szeretné szeretnéd kívánja óhajtja akarja akarod kéri szeretne szeretnél kívánod
            jelezze_ha szóljon_ha elküldjem lefoglaljam töröljem módosítsam foglaljak kapcsoljam
            *jam *jem *jak így_tudja hogyan""",
        "looked_up": """rendszer* szerint látom nyomkövetés* mutatja látszik nyilvántartás* látjuk
            olvasom kiderül fiókja_szerint napló* nyilvántartásban rendszerünk_szerint előzmények
            adatbázis* hibajegyet_látok""",
        "usually": """általában rendszerint többnyire mindig szokott szoktak gyakran olykor néha
            hétköznap hétköznapokon naponta átlagosan ritkán jellemzően minden_nap minden_hétköznap
            minden_hétfőn elérhetők érhetők hétfőtől éjjel-nappal évente havonta hetente egész_évben
            hétvégén rendszeresen jellemző""",
        "said": """írta írtad mondta mondtad említette említetted azt_írja azt_írod úgy_értem
            értem_hogy idézte jelezte jelezted kérdezte azt_mondta azt_írta_hogy azt_mondtad""",
        "step": """írjon hagyja töltse küldje küldjön kattintson nyomja használja válassza nyissa
            lépjen keresse forduljon adja hívd hagyd töltsd küldd kattints írd írj telefonáljon
            kérjük_hívja kérjük_töltse kérjük_küldje válaszoljon jelentkezzen látogasson menjen""",
        "and": "és de vagy ezért így tehát viszont mert hanem azonban",
        "soon": """azonnal rögtön mindjárt hamarosan nemsokára ma holnap perc percen órán belül
            délután este délelőtt reggel hétfő* kedd* szerdán szerda* csütörtök* péntek* szombat*
            vasárnap* pillanat rövidesen hétfőn napon még napokban héten percek perccel délig estig
            délben másodperc másodpercen óra óráig múlva közben egy_pillanat ma_délután hamar
            gyorsan tüstént menten""",
        "contact_or_step": "hívja",
        "past_time": "tegnap tegnapelőtt múlt",
        "come": """csatlakozik csatlakozni érkezik érkeznek érkezni segít segíteni kimegy megy jön
            jönnek intézi folytatja úton kiszáll ellátogat küld tájékoztatja elmagyarázza
            foglalkozik kapcsolódik veszi belép kiszállnak intézkedik megérkezik becsatlakozik
            bekapcsolódik itt_lesz ott_lesz átvenni felvenni lép lépni felmegy felmennek lemegy
            kimennek odamegy odamennek átmegy bemegy felszalad elindul elindult elindultak indul
            indulnak útnak érkezett megérkeznek odaér odaérnek kiér kiérnek ideér idejön idejönnek
            kijön kijönnek bejön megtekinti megnézi megnézik szemügyre felméri felmérik megvizsgálja
            megvizsgálják átveszi_a átveszik viszi_tovább továbbviszi viszik_tovább folytatják vár
            várja várják fogadja fogadják üdvözli megmutatja megmutatják körbevezeti elkíséri kíséri
            elviszi elhozza hozza hozzák hoz viszi kiviszi kiszállítja szállítja javítja megjavítja
            kijavítja elhárítja elhárítják megoldja megoldják beszereli beszerelik felszereli
            kicseréli kicserélik beállítja intéz intézik elintézi elintézik kezeli kezelik
            magyarázza elmondja elmondják megbeszéli_önnel tájékoztat tájékoztatják segítenek
            beugrik becsatlakoznak ott_lesznek itt_lesznek ott_van_önnél ajánlatot_küld küldi
            küld_önnek küldenek rendelkezésére foglalkoznak veszik_fel ránéz ránéznek megy_is jön_is
            fogad átnézi áttanulmányozza áttanulmányoz belép_ide ott_lesz_önöknél kivonul kivonulnak
            folytatja_a""",
        "that": "hogy",
        "person": """ő ők neki nekik anna andrás ági ágnes ádám balázs bence csaba dániel dávid dóri
            eszter éva ferenc gábor gergő győző ildi ildikó istván jános judit kata katalin kati
            krisztina laci lászló lili mária máté márk márta mihály mónika nóra orsi orsolya péter
            petra réka róbert sára sándor szilvi tamás tibor timea vera viktor zita zoli zoltán
            zsófi zsolt zsuzsa""",
        "fact": """kerül_a ár ára árak díj díja díjmentes* ingyenes* forint ft euró százalék
            tartalmaz tartalmazza magában_foglalja tart_a tart_körülbelül tartanak van_két található
            nyit kínálunk kínál rendelkezik szolgálnak felszolgál parkoló* bejárat* reggeli étlap
            garanci* kamat* érvényes elérhető* feltételek határidő legfeljebb legalább maximum
            minimum között naponta_egyszer éves méret színek anyag méter kilométer emelet* mellett
            szemben szoba fürdőszoba elfogad elfogadnak elfogadunk beszélnek_angolul dolgozik
            dolgoznak jelent számít vonatkozik áll_a körülbelül köbméter* órakor nyitvatartás
            vetítés legjobb érdemes megközelíthető nyitva_van nyitva_tart nyitva_tartunk zárva_van
            zárva_tartunk zárva_tart éjjel_is_nyitva is_nyitva nyitva zárva viselnek évente_egyszer
            lejárt teljesülnek nap napi fél igen nem_szükséges csak éjjel gyerek felnőtt egyszer""",
        "lack": "hiányzik szükségem várom szükséges kell_még",
        "please": "kérjük kérem",
        "plural": "mindkettő mindegyik minden összes sok több",
        "new": "új újat másik",
        "which": "melyik milyen mennyi mikor hány mi",
        "towards": "szobájába szobájához címére utcájába ajtajához lakásába házhoz önökhöz",
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
            artigiano* concierge signor signora signorina sig proprietari* padrone dott legali
            ufficio_legale custode custodi fabbro amministrazione contabilità manutenzione
            manutentor* governante cameriera portinai* facchin* autist* camionist* magazzinier*
            spedizionier* logistica carro_attrezzi soccorso pompier* vigil* carabinier* polizia
            ambulanza paramedic* antifrode sinistri recupero_crediti fatturazione reclami
            ufficio_reclami risorse_umane informatic* secondo_livello reperibile turno turnist*
            capoturno caposquadra caposala capo_officina capocantiere ostetric* psicolog*
            fisioterapist* logopedist* nutrizionist* dietist* ottic* oculist* dermatolog* cardiolog*
            pediatra pediatri chirurg* ortoped* igienist* estetist* parrucchier* barbier*
            massaggiator* truccator* tolettator* barist* barman sommelier cuoc* pasticcer*
            panettier* fiorist* fotograf* sart* gioiellier* orolog* giardinier* imbianchin*
            falegnam* murator* vetraio piastrellist* traslocator* montator* carrozzier* gommist*
            cancellier* ufficial* funzionari* impiegat* sportellist* sportello sindaco assessor*
            ispettor* ispettrice* controllor* esaminator* insegnant* maestr* professor* prof preside
            tutor* bibliotecari* allenator* allenatrice bagnino personal_trainer broker assicurator*
            sottoscrittor* valutator* agenzia_la immobiliarist* padron* locator* condomini*
            amministrazione_condominiale sviluppator* sistemist* programmator* comandante pilota
            hostess steward accompagnator* guida guide animator* boss dirigent* direzione superior*
            vertici uno_dei_nostri una_delle_nostre uno_dei_miei una_delle_mie uno_di_noi una_di_noi
            un_nostro una_nostra studio_legale dallo_studio ragazzi_del ragazzi ragazza_della
            sartoria squadra_di operai operaio geometra architett* periti bibliotecaria
            organizzator* bancari* addetta addetti maître metre pattuglia pattuglie vigilanza
            guardia guardie sicurezza_privata laboratorio tirocinant* stagist* volontari* mediator*
            moderator* liquidatrice maggiordomo capocameriere caposervizio consulent* sorvegliant*
            ottica ottico biglietteria bagnin* terapist* *logo soccorso_alpino parroco prete pastore
            selezionator* capitaneria consol* ambasciata""",
        "plain": """ho_visto ho_trovato ho_capito ho_verificato ho_controllato ho_letto ho_ricevuto
            personale_parla abbiamo_trovato abbiamo_ricevuto assistenza_clienti_è squadre persone
            trovato capito visto letto controllato verificato costo tempo posso_confermare
            posso_confermarle posso_confermarti non_sono_riuscito_a non_sono_riuscita_a se_ne
            ingegneria guida_all'uso guida_turistica_è ufficialmente antifrode_è turno_di_notte_è
            studio_in_affitto manutenzione_ordinaria manutenzione_programmata professionale sinistro
            soccorso_stradale_è polizia_di_stato guidare turnover impiegato_pubblico un_certificato
            certificato_medico certificat smarrite smarrita smarrito vengono_sostituite
            vengono_sostituiti viene_sostituita usati gli_istruttori_hanno""",
        "you": "la le lei ti vi te conversazione chat qui",
        "you_did": "lei_ha hai avete",
        "i_have": "ho abbiamo l'ho gliel'ho l'abbiamo mi_sono ci_siamo me_ne_sono ce_ne_siamo",
        "have": "ha hanno",
        "was": "stato stata stati state viene_appena",
        "is": "è",
        "now": """ora adesso appena già correttamente successo da_adesso da_ora proprio_ora poco_fa
            or_ora da_oggi immediatamente_effettivo d'ora""",
        "deed": """annullat+ prenotat+ riservat+ modificat+ cambiat+ spostat+ posticipat+ anticipat+
            inviat+ mandat+ trasmess+ trasferit+ inoltrat+ registrat+ bloccat+ sbloccat+ sospes+
            attivat+ riattivat+ disattivat+ aggiunt+ rimoss+ eliminat+ cancellat+ rimborsat+
            reimpostat+ resettat+ annotat+ segnat+ apert+ riaperto emess+ prolungat+ prorogat+
            aggiornat+ corrett+ aumentat+ ridott+ abbassat+ depositat+ richiest+ ordinat+ confermat+
            completat+ creat+ generat+ iscritt+ disiscritt+ fermat+ interrott+ disdett+ disdetta
            programmat+ pianificat+ riprogrammat+ fissat+ fatt+ effettuat+ eseguit+ gestit+ risolt+
            chius+ segnalat+ applicat+ concess+ accreditat+ versat+ assegnat+ rinnovat+ avviat+
            finalizzat+ approvat+ salvat+ allegat+ spedit+ sostituit+ scambiat+ estes+ adeguat+
            impostat+ avvisat+ informat+ avvertit+ contattat+ chiamat+ chiest+ occupat+ inserit+
            notat+ mess+ tolt+ congelat+ stornat+ pres+ passat+ consegnat+ attribuit+ sollecitat+
            recess+ evas+ notificat+ allertat+ coinvolt+ interpellat+ protocollat+ presentat+
            riprenotat+ rettificat+ sistemat+ predispost+ caricat+ convertit+ limitat+ lasciat+
            ripristinat+ ritirat+ revocat+ accettat+ verificat_e unit+ collegat+ cessat+ pagat+
            addebitat+ aggiudicat+ dat+ scritt+ parlat+ rispost+ smistat+ girat+ invalidat+
            riattaccat+ raddoppiat+ portat+ comunicat+ provvedut+ elaborat+ azzerat+ partit+ tenut+
            dirottat+ girata_al deviat+ reindirizzat+ rinviat+ rimandat+ ricalcolat+ riaccreditat+
            riconosciut+ ricostruit+ recuperat+ reinserit+ rettificata revisionat+ riassegnat+
            ristampat+ stampat+ scansionat+ copiat+ duplicat+ archiviat+ acquisit+ caricata
            scaricat+ allineat+ sincronizzat+ configurat+ installat+ disinstallat+ collegata
            scollegat+ abilitat+ disabilitat+ autorizzat+ accordat+ erogat+ elargit+ scontat+
            decurtat+ detratt+ dedott+ defalcat+ conguagliat+ compensat+ risarcit+ indennizzat+
            liquidat+ saldat+ incassat+ fatturat+ esentat+ condonat+ abbonat+ regalat+ omaggiat+
            offert+ preparat+ imballat+ confezionat+ etichettat+ impacchettat+ depennat+ cassat+
            barrat+ spuntat+ espuls+ esclus+ inclus+ integrat+ accorpat+ fus+ unificat+ separat+
            divis+ scorporat+ dimezzat+ allungat+ accorciat+ rallentat+ velocizzat+ sveltit+
            urgentat+ priorizzat+ promoss+ iscritta immatricolat+ arruolat+ ammess+ timbrat+ firmat+
            controfirmat+ vidimat+ autenticat+ certificat+ attestat+ prescritt+ vaccinat+
            somministrat+ acquistat+ comprat+ vendut+ affittat+ noleggiat+ cedut+ donat+ pubblicat+
            postat+ condivis+ nascost+ reso resa resi rese restituit+ ritoccat+ potenziat+
            migliorat+ declassat+ ampliat+ rifatt+ rist+ disposto disposta dispost+ intrapres+
            intestat+ volturat+ trascritt+ redatt+ compilato_per stilat+ formulat+ bonificat+
            addebitata piazzat+ sbrigat+ tracciat+ ridefinit+ concordat+ pattuit+ rimess+ dichiarat+
            verbalizzat+ smarcat+ alzat+ innalzat+ rialzat+ ribassat+ scelt+ calcolat+ tolta dirott+
            contestat+ riavviat+ prorogata trasformat+ diventat+ spuntata giustificat+""",
        "done": """ecco_fatto tutto_fatto tutto_a_posto è_fatta tutto_sistemato è_tutto_pronto
            già_fatto tutto_pronto tutto_ok fatto_tutto ci_ho_pensato nella_sua_casella
            nella_tua_casella riuscito_a riuscita_a riusciti_a è_suo è_sua è_tuo è_tua sono_suoi
            è_a_suo_nome a_suo_nome a_tuo_nome a_posto è_a_posto messo_a_posto è_sistemato
            sistemato_tutto ho_provveduto abbiamo_provveduto ho_sistemato ho_pensato_a_tutto
            pensato_io pensato_a_tutto ci_ho_pensato_io me_ne_sono_occupato me_ne_sono_occupata
            ecco_qui è_andata_a_buon_fine andato_a_buon_fine andata_a_buon_fine è_partito è_partita
            sono_partiti in_lista_d'attesa nella_lista_d'attesa è_in_lista da_parte
            da_questo_momento è_in_arrivo è_tornato_attivo è_di_nuovo_attivo missione_compiuta
            problema_risolto tutto_risolto come_richiesto come_chiesto come_voleva come_concordato
            sono_riuscito sono_riuscita siamo_riusciti fatto_fatto è_cosa_fatta roaming_attivo
            è_attivo è_attiva sono_vostri sono_vostre sono_tuoi sono_tue è_vostro è_vostra
            stanno_tornando sta_tornando in_vigore non_compare_più non_figura_più""",
        "will": """sarà sarete sarai verrà verrete verrai riceverà riceverai riceverete sta_per sto
            avrà avrai avrete darà daranno dà dovrebbe_ricevere dovrebbe_sentire""",
        "contact": """chiama chiamerà contatta contatterà contattare ricontatta ricontatterà
            richiama richiamerà scrive scriverà risponde risponderà telefona telefonerà subentrerà
            sentire chiameranno contatteranno risponderanno ricontatteranno richiameranno
            scriveranno contattano chiamano recherà scrivono chiamino contattino scrivano richiamino
            ricontattino rispondano avvisano avvisino risponda chiami_un ricontattano dà_un_colpo
            darà_un_colpo fa_uno_squillo farà_uno_squillo fa_una_telefonata farà_una_telefonata
            dà_notizie darà_notizie telefonano telefoneranno telefonare richiamarti richiamarla
            richiamare ricontattarla ricontattarti ricontattare chiamarti chiamarla contattarla
            contattarti scriverle scriverti scrivere rispondere risponderle risponderti parlare
            parlarle parlerà parla_con sentirla sentirti sente sentirà manda_un_messaggio
            manderà_un_messaggio manda_una_mail manderà_una_mail invia_una_mail invierà_una_mail
            suona suonerà suonare bussa busserà citofona citofonerà messaggia messaggerà si_mette
            si_metterà mettersi si_mettono si_metteranno metterà_in_contatto raggiungerà_al
            si_fa_vivo si_farà_vivo si_fa_sentire si_fa_viva si_farà_viva si_rifà replica replicherà
            riscontrerà risentirà ne_parla ne_parlerà ti_avvisa la_avvisa""",
        "contacted": """richiamat+ ricontattat+ raggiunt+ messo_in sentit+ visitat+ assistit+
            accolt+ seguit+ aiutat+ guidat+ servit+""",
        "reply": """chiamata_da una_chiamata una_telefonata una_risposta nostre_notizie
            contatterò_appena terremo_aggiornat+ faccio_sapere farà_sentire farà_sapere farà_vivo
            si_farà riscontro risposta notizie colpo_di_telefono telefonata chiamata uno_squillo
            squillo una_mail_dal una_mail_da una_mail_dalla un'e-mail_da una_email_da
            un_messaggio_da un_messaggio_dal un_sms_da una_lettera_da una_visita un_riscontro
            un_contatto la_visita notizie_da notizie_dal un_colpo_di la_chiamata la_telefonata
            richiamata una_risposta_scritta faremo_avere le_faccio_sapere ti_faccio_sapere
            ti_aggiorno la_aggiorno un_feedback""",
        "put": "metto mettiamo metterà mette mettere metterò metterla metterti",
        "touch": "contatto comunicazione linea carico",
        "transfer": """trasferisco trasferiamo passo passiamo collego colleghiamo reindirizzo
            indirizzo indirizziamo connetto inoltro inoltriamo smisto chiamo_un chiamo_una chiamo_il
            chiamo_la chiamo_subito coinvolgo coinvolgiamo faccio_intervenire trasferirò passerò
            inoltrerò collegherò affido affidiamo dirotto giro_la giro_il mando_un mando_una
            faccio_venire metterò_in trasferendo resti_in_linea resta_in_linea rimanga_in_linea
            contatto_io risponderemo ricontatteremo richiameremo contatteremo chiameremo
            faremo_sapere scriveremo aggiorneremo ci_faremo_sentire ci_faremo_vivi richiamiamo
            ricontattiamo contattiamo risponderò daremo_notizie daremo_una_risposta
            faccio_richiamare faccio_chiamare chiamiamo scriviamo rispondiamo chiamerò scriverò
            richiamerò subentra le_passo ti_passo la_passo la_metto ti_metto la_giro ti_giro
            giro_subito la_trasferisco ti_trasferisco la_collego ti_collego la_connetto la_inoltro
            la_smisto la_indirizzo ti_indirizzo la_affido ti_affido la_lascio_con ti_lascio_con
            lascio_la_parola passo_la_parola cedo_la_parola cedo_il_posto passo_la_linea
            metto_in_linea resti_in_attesa resta_in_attesa attenda_in_linea attendi_in_linea
            rimani_in_linea non_riagganci non_chiuda non_chiudere resti_in_chat resta_in_chat
            rimanga_in_chat tenga_il_telefono tieni_il_telefono tenga_a_portata aggancio convoco
            faccio_salire faccio_scendere faccio_contattare la_faccio_richiamare
            ti_faccio_richiamare la_faccio_contattare ti_faccio_contattare la_faccio_chiamare
            faccio_arrivare faccio_entrare escalo instrado dirotta deviamo gira_la_conversazione
            prende_in_carico prenderà_in_carico prende_il_mio_posto ti_rimando la_rimando
            rimando_alla rimando_al le_chiamo ti_chiamo_il le_scrivo ti_scrivo le_scrivo_appena
            ti_tengo la_tengo tengo_aggiornato tengo_aggiornata segnalo_al in_coda_per in_coda
            le_faccio_uno ti_faccio_uno""",
        "asking": """avviso avvisiamo chiedo chiediamo chiamo informo informiamo avverto sollecito
            mando mandiamo segnalo cerco faccio contatto_un contatto_il contatto_subito allerto
            lascio dico_a dico_al dico_alla dico_ai diciamo_a chiedo_a parlo_con sento_il sento_la
            sento_un sentiamo_il ne_parlo incarico_un sveglio busso spedisco_un invio_un invio_una
            inviamo_un inviamo_una mobilito metto_al_lavoro sentito_il sentita_la parlato_con
            lascio_un_biglietto lascio_detto""",
        "ask": """avvisare chiedere chiamare informare mandare trovare avviserò chiederò informerò
            manderò""",
        "not": "non nessun nessuno nessuna mai né purtroppo_non neanche niente nulla senza",
        "may": """posso può possiamo possono potrei potrebbe potremmo possa puoi deve bisogna potrà
            potrete potete possibile dovrebbe occorre si_spostano si_possono si_può potrebbero
            possano volendo""",
        "if": """se qualora nel_caso con_il_suo_consenso in_caso con_il_tuo previo su_richiesta
            a_condizione salvo eventualmente dopo_aver""",
        "after": """dopo una_volta non_appena quando all'arrivo appena_avrà appena_lei appena_ha
            scelta_la scelto_il compilato_il appena_firma appena_avete non_appena_firma""",
        "offer": """vuole desidera vuoi desideri preferisce preferisci devo_annullare vorrebbe
            mi_faccia_sapere fammi_sapere mi_dica_se posso_aiutarla devo ecco_come""",
        "looked_up": """sistema secondo risulta vedo tracciamento stato_dell'ordine appare mostra
            indica emerge dall'app registro storico archivio scheda_indica log risultano
            banca_dati""",
        "usually": """solito generalmente normalmente sempre spesso talvolta regola abitualmente
            dal_lunedì tutti_i reperibil* raramente in_media solitamente a_volte ogni_giorno
            ogni_settimana ogni_mese lunedì_al giorno_e_notte in_genere di_norma tutto_l'anno
            mensilmente annualmente nel_weekend di_solito ventiquattr'ore""",
        "said": """ha_scritto ha_detto diceva scriveva hai_scritto hai_detto dicevi scrivevi
            ha_menzionato capisco_che dice scrivi scrive_che ha_indicato hai_menzionato
            comprendo_che mi_ha_detto è_stato_detto ci_ha_scritto accennava""",
        "step": """chiami scriva lasci compili invii prema clicchi usi contatti scelga apra vada
            acceda inserisca selezioni chiamaci scrivici lascia compila clicca scegli si_rivolga
            blocchi telefoni richieda apri vai consulti ci_chiami può_chiamare""",
        "and": "e ma quindi perciò oppure o però così perché dunque",
        "soon": """subito immediatamente presto breve oggi domani minuti minuto ore ora_in momento
            attimo pomeriggio mattina sera lunedì martedì mercoledì giovedì venerdì sabato domenica
            entro stasera giornata istante secondi poco settimana mezzogiorno mezz'ora a_breve
            fra_poco tra_poco giorno pranzo cena serata prima_possibile quanto_prima immediata
            appena_possibile""",
        "past": "*ato *ata *ati *ate *uto *uta *uti *ute *ito *ita *iti *ite *so *sto *tto *rto",
        "past_time": "ieri l'altro_ieri scorso scorsa stanotte",
        "come": """verrà_da verrà_a verrà_domani verrà_oggi arriva arriverà passerà passa aiuterà
            aiuta interviene interverrà viaggio strada unisce unirà raggiunge raggiungerà
            raggiungere fa farà occuperà occupa seguirà assisterà assiste entra entrerà invierà
            manderà continua spiegherà guiderà visita gestirà inserisce viene vengono arrivano
            scende sale prende prenderà prendere informerà aggiorna rivolge sale_da sta_salendo
            salendo salirà scendendo scenderà arrivando venendo andrà andrà_da va_da verranno venire
            vada_da si_presenta presenterà si_reca recherà_da recarsi sopralluogo sopralluogh*
            partito_verso partita_verso partiti_per partita_per in_viaggio per_strada attende
            attenderà aspetta aspetterà aspettano accoglie accoglierà accompagna accompagnerà
            mostra_la mostrerà illustra illustrerà spiega_tutto spiega porta porterà portano
            consegna consegnerà ripara riparerà sistema_il sistemerà risolve risolverà monta monterà
            installa installerà ispeziona ispezionerà esamina esaminerà esaminare visiterà
            controllerà controlla_di valuterà dà_un'occhiata darà_un'occhiata guarderà vedrà_con
            parteciperà subentra_qui si_occupa si_occuperà occuparsi prosegue proseguirà segue
            segue_lei porta_avanti si_unisce si_unirà si_aggiunge si_aggiungerà salta_in arrivo
            la_incontra ti_incontra incontra incontrerà ritrova studia studierà subentrando
            subentrare sta_per_passare entra_in_chat sta_arrivando stanno_arrivando uscendo esce
            uscirà accogliere sta_uscendo parte_adesso parte_ora ci_raggiunge bussa_da esce_tra""",
        "are": "sono vengono_effettuati vengono_esaminati vengono_rimborsati vanno",
        "your": "suo sua suoi tuo tua tuoi loro",
        "that": "che",
        "person": """lui egli ella loro_stessi marco maria anna andrea alessandro alessandra alessia
            alice antonio barbara beatrice carla carlo chiara claudia claudio cristina daniela
            daniele davide elena elisa emanuele enrico federica federico filippo francesca francesco
            gabriele giacomo gianni giorgia giorgio giovanni giulia giuseppe ilaria laura lorenzo
            luca lucia luigi marta martina matteo michele monica nicola paola paolo pietro roberta
            roberto sara serena silvia simone sofia stefania stefano tommaso valentina questi costui
            quest'ultimo""",
        "fact": """costa costano costo_del prezzo prezzi tariff* gratis gratuit* euro centesimi
            percento comprende comprendono include contiene dura durano trova_a si_trova si_trovano
            situat+ apre chiude orari* offre offriamo abbiamo_due c'è ci_sono dispone servita_dalle
            servito parcheggio ingresso menù menu garanzia interessi valid+ disponibil* condizioni
            scadenza massimo minimo almeno al_massimo anni taglia colori metri chilometri piano
            accanto_a fronte camere bagni accettano accettiamo parlano lavora lavorano significa
            vale valgono si_applica richiede richiedono si_prenota si_prenotano si_paga si_pagano
            si_perdono spesa vicino parte_ogni parte_alle fra_le è_aperta è_aperto sono_aperti
            sono_aperte siamo_aperti aperta_anche aperto_anche aperta_tutta aperto_tutti è_chiuso
            è_chiusa siamo_chiusi è_incluso è_inclusa sono_inclusi resta_aperta resta_aperto
            portano_un una_volta_l'anno meglio scaduta scaduto si_fa partono di_turno giorni volta
            notte mese anche sì circa solo numero bambini adulti dalle""",
        "lack": "manca mancano serve servono bisogno aspetto mi_serve necessari*",
        "please": "per_favore per_cortesia prego la_preghiamo si_prega vi_preghiamo",
        "plural": "i gli nostri nostre tutti tutte entrambe entrambi molti alcuni",
        "new": "nuovo nuova nuovi nuove altro",
        "which": "quale quali che_cosa quanto quanti chi",
        "towards": "verso camera casa_sua sua_via sua_porta domicilio da_lei da_voi da_te",
    },
    "es": {
        "staff": """compañer* colega* agente agentes operador* asesor* representante* especialista*
            técnic* ingenier* equipo equipos alguien responsable* gerente* supervisor* humano humana
            persona enfermer* médic* doctor* dr conductor* mensajer* repartidor* consultor*
            coordinador* recepción recepcionista* departamento* expert* farmacéutic* dentista*
            perito* oficina fontaner* electricista* mecánic* abogad* monitor* secretaría soporte
            servicio_técnico miembro director* almacén taller veterinari* encargad* ejecutiv*
            gestor* brigada cuadrilla administrador* jefe jefa camarer* cocinero* personal área
            atención_al_cliente instalador* profesor* entrenador* notari* tutor* conserje* contable*
            tramitador* analista* cerrajer* comercial señor señora señorita sr sra dueñ* propietari*
            legal portero* cerrajero* chef contabilidad mantenimiento limpieza gobernanta camarista
            botones mozo chófer chofer camioner* almacener* logística grúa gruista bomber* policía
            ambulancia paramédic* fraude siniestros cobros facturación reclamaciones
            recursos_humanos rrhh informátic* segundo_nivel nivel_2 guardia turno capataz encargada
            matron* psicólog* fisioterapeut* fisio logoped* nutricionista* dietista* óptic*
            oculista* oftalmólog* dermatólog* cardiólog* pediatra* cirujan* traumatólog* higienista*
            esteticista* peluquer* barber* masajista* maquillador* barman sumiller sommelier
            pasteler* panader* florista* fotógraf* sastre* modista* joyer* relojer* jardiner*
            pintor* carpinter* albañil* cristaler* techador* mudancer* montador* chapista*
            secretari* secretario funcionari* ventanilla alcalde* inspector* controlador*
            examinador* maestr* profe profesora decanato bibliotecari* socorrista* corredor*
            asegurador* tasador* evaluador* agencia_le inmobiliari* casero casera arrendador*
            desarrollador* programador* capitán* piloto* azafat* auxiliar* guía guías animador*
            jefatura dirección superior* uno_de_nuestros una_de_nuestras uno_de_mis una_de_mis
            uno_de_nosotros alguno_de alguna_de bufete despacho gabinete chico_de chica_de chicos_de
            muchach* obrer* aparejador* arquitect* perita equipazo gente_de la_central central
            ejecutiva licenciad* doctora maestro_de mesero* mesera* mozo_de valet plomer* gasfiter*
            elevadorista* cartero* repartidora operario* operaria* empleado* empleada* comisari*
            gerencia sucursal jefe_de_sala maître maitre patrulla patrullas vigilante*
            seguridad_privada guardia_de_seguridad laboratorio becari* pasante* voluntari* mediador*
            moderador* liquidador* liquidadora mayordomo tramitadora óptica óptico taquilla
            terapeuta* profe_de rescatista* párroco cura_párroco pastor reclutador* capitanía
            cónsul* embajada cuidador*""",
        "plain": """equipo_incluye personal_habla equipos_de he_visto he_encontrado he_comprobado
            he_leído he_recibido he_revisado hemos_recibido hemos_encontrado entendido personas
            encontrado visto leído recibido revisado comprobado horario área_de_clientes
            puedo_confirmar puedo_confirmarle puedo_confirmarte qué café té sé esté dé bebé porqué
            así allí sí mí ahí casi recibí vi entendí leí encontré comprobé revisé que_si seré
            estaré podré le_puedo_confirmar te_puedo_confirmar guía_de_uso guía_de_tallas
            turno_de_noche central_térmica empleado_público agencia_de_viajes limpieza_general
            limpieza_dental mantenimiento_preventivo profesional dirección_postal dirección_de
            dirección_ip su_dirección la_dirección_es superior_a fraudulent* despachos
            secretaría_abre turno_libre abre_toda perdidas perdida perdido usados no_usados""",
        "you": "le te les os usted ti lo la se_lo chat conversación aquí",
        "you_did": "usted_ha has",
        "i_have": "he hemos",
        "have": "ha han",
        "was": """sido fue fueron se_ha se_han de_ser queda quedan quedó quedaron se_te_ha se_le_ha
            se_te_han se_le_han ha_quedado han_quedado""",
        "is": "está es",
        "now": """ahora ya acaba recién correctamente éxito efectivamente desde_ahora
            a_partir_de_ahora a_partir_de_hoy ahorita hace_un_momento desde_hoy en_este_momento
            con_efecto_inmediato""",
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
            hechos hechas retirado solucionada arreglada partid+ dich+ desviada desviado redirigid+
            redireccionad+ reprogramada recalculad+ reembolsada reintegrad+ recuperad+ reubicad+
            reasignad+ reimpres+ impres+ escanead+ copiad+ clonad+ duplicada archivada sincronizad+
            configurada instalad+ desinstalad+ conectad+ desconectad+ habilitad+ deshabilitad+
            inhabilitad+ autorizad+ otorgad+ descontad+ deducid+ rebajad+ compensad+ indemnizad+
            liquidad+ saldad+ facturad+ eximid+ condonad+ regalad+ ofrecid+ preparad+ empaquetad+
            embalad+ etiquetad+ apartad+ tachad+ excluid+ integrad+ fusionad+ unificad+ separad+
            dividid+ alargad+ acortad+ agilizad+ acelerad+ priorizad+ promovid+ matriculad+ admitid+
            sellad+ firmad+ certificad+ compulsad+ recetad+ prescrit+ vacunad+ comprad+ vendid+
            alquilad+ cedid+ donad+ publicad+ compartid+ ocultad+ retirad+ mejorada degradad+
            bloqueada reabiert+ rehech+ redactad+ rellenad+ formulad+ domiciliad+ cargada repartid+
            redistribuid+ acordad+ pactad+ remitid+ declarad+ desactivada cortad+ dispuest+ asentad+
            empadronad+ girad+ librad+ despachad+ surtid+ turnad+ canalizad+ radicad+ arreglad+
            solucionad+ aclarad+ aceptad+ recargad+ agregada metid+ corrid+ recorrid+ sacad+ puesta
            subida alzad+ rebajada elegid+ seleccionad+ calculad+ prorrogada impugnad+ eliminada
            reiniciar sumad+ transformad+ convertida justificad+ apartada""",
        "i_did": """cancelé reservé modifiqué cambié moví trasladé envié reenvié mandé transferí
            derivé registré bloqueé desbloqueé suspendí activé desactivé añadí agregué quité eliminé
            borré anulé reembolsé devolví restablecí anoté apunté abrí emití prolongué actualicé
            corregí aumenté amplié reduje presenté solicité pedí confirmé creé generé inscribí
            detuve programé reprogramé agendé reagendé fijé hice realicé gestioné tramité resolví
            cerré escalé reporté notifiqué apliqué concedí abonó asigné renové inicié finalicé
            guardé adjunté sustituí reemplacé extendí ajusté configuré avisé informé contacté llamé
            encargué ocupé puse pasé congelé procesé pausé dejé di retiré incluí abrimos_un
            cancelamos_su modificamos_su desactivamos desbloqueamos registramos anulamos
            activamos_su enviamos_su bloqueamos reprogramamos solicitamos trasladamos anotamos
            apuntamos agendamos cambiamos_su movimos aplicamos_el procedimos pusimos dimos hicimos
            devolvimos pasamos_su adelanté aplacé corrí dupliqué elevé acabo_de acabamos_de
            cambiamos_tu cancelamos_tu modificamos_tu escalamos tramitamos gestionamos_su
            gestionamos_tu reservamos_su reservamos_tu te_reservamos le_reservamos te_cancelamos
            le_cancelamos te_cambiamos le_cambiamos te_enviamos *é *í dije tomé quedé cambiamos
            cancelamos modificamos reservamos registramos_su actualizamos corregimos eliminamos
            quitamos añadimos agregamos devolvimos_el reembolsamos abonamos extendimos ampliamos
            confirmamos_su ya_cambié ya_cancelé ya_reservé ya_moví ya_envié ya_pedí ya_puse ya_hice
            le_puse le_pedí le_hice le_aparté aparté guardamos_su apartamos_su pausamos
            congelamos_su anoté_su desvié redirigí retomé_su cargué_la ya_me_encargué me_encargué
            me_ocupé nos_encargamos_de_ello hice_llegar hicimos_llegar habilité deshabilité autoricé
            guardé_las te_guardé le_guardé te_pasé le_pasé pasé_su subí bajé puse_el hice_el
            cambié_la te_cargué le_cargué se_cambiaron se_cambió se_anuló se_anularon se_canceló
            se_cancelaron se_reservó se_envió se_enviaron se_registró se_activó se_bloqueó
            se_actualizó se_modificó se_modificaron se_movió se_agendó se_programó se_reprogramó
            se_añadió se_solicitó se_abonó se_devolvió los_acabo_de las_acabo_de lo_acabo_de
            la_acabo_de se_lo_acabo te_los_acabo te_lo_acabo acaba_usted abrí_una quité_el marqué
            retoqué subí_el retiré_tu""",
        "done": """listo hecho solucionado todo_listo ya_está ya_quedó ya_quedo todo_resuelto
            todo_arreglado asunto_resuelto arreglado queda_hecho queda_resuelto ya_salió salió_ya
            ya_se_hizo en_su_bandeja en_su_correo en_tu_correo en_tu_bandeja ya_tiene ya_tienes
            ya_cuenta_con ya_está_todo ya_va_otra ya_va_en_camino va_en_camino está_en_camino
            va_de_camino queda_a_su_nombre está_a_su_nombre a_su_nombre a_tu_nombre es_suya es_suyo
            es_tuya es_tuyo es_toda_suya en_lista_de_espera en_la_lista_de_espera le_he_hecho_llegar
            he_hecho_llegar he_logrado hemos_logrado he_conseguido hemos_conseguido logré conseguí
            pude caso_cerrado problema_resuelto todo_en_orden todo_en_marcha todo_hecho todo_ok
            listo_el lista_la como_pidió como_pediste como_solicitó tal_como_pidió asunto_zanjado
            se_acaba_de acaba_de_salir ya_salió_el ya_figura ya_aparece_en_su ya_quedaron
            ya_quedó_su roaming_activado está_activo está_activa son_suyos son_suyas son_tuyos
            son_tuyas va_de_vuelta de_vuelta_a_su ya_es_de ya_están_a_su en_vigor ya_no_figura
            ya_no_aparece""",
        "will": """será serás va van voy vamos recibirá recibirás estoy estamos tendrá tendrás
            tendréis dará darán debería_recibir deberías_recibir""",
        "contact": """llama llamará contacta contactará contactar escribe escribirá escribir
            responde responderá responder telefonea telefoneará comunicará retomará llamarán
            contactarán escribirán responderán pondrán comunicarán atenderán contestará contesta
            hablará avisará llamarle llamarte contactarle contactarte escribirle escribirte ponen
            escriben escriban llamen contacten llaman respondan responden atiendan contestan avisan
            avisen da_un_toque dará_un_toque da_una_llamada dará_una_llamada pega_un_toque
            hace_una_llamada hará_una_llamada dará_un_telefonazo echa_una_llamada telefonean
            telefonearán llame_luego llame_en te_llame le_llame lo_llame la_llame te_llamen
            le_llamen que_le_llame que_te_llame que_le_escriba que_te_escriba le_escriba te_escriba
            le_conteste te_conteste le_responda te_responda hablar_con_usted hablar_contigo
            hablará_con habla_con_usted charlará marca marcará marcando mensajea mandará_un
            envía_un_mensaje enviará_un_mensaje manda_un_mensaje manda_un_correo enviará_un_correo
            toca_a tocará_a_su llama_a_su_puerta timbra timbrará comuniquen localizará
            devuelve_la_llamada devolverá_la_llamada devuelvan_la le_devuelve te_devuelve replicará
            responderle responderte contestarle contestarte avisarle avisarte avisarán avisa
            telefonee lo_habla lo_hablará te_avisa le_avisa""",
        "contacted": """contactad+ llamad+ atendid+ visitad+ acompañad+ ayudad+ guiad+ servid+
            orientad+""",
        "reply": """devolveremos una_llamada una_respuesta noticias_nuestras mantendremos_informad+
            tendrá_noticias tendrás_noticias noticias respuesta llamada telefonazo un_correo_de
            un_email_de un_mensaje_de un_e-mail_de una_carta_de la_visita la_visita_de una_visita
            la_llamada una_contestación contestación por_escrito un_aviso_de novedades
            novedades_nuestras saber_de_nosotros sabrá_de_nosotros sabrás_de_nosotros
            tendrá_una_respuesta un_toque""",
        "put": "pongo ponemos pondrá pone pondremos poner pondré ponerle ponerte",
        "touch": "contacto comunicación línea",
        "transfer": """paso_con paso_a le_paso te_paso pasamos_con le_pasamos te_pasamos transfiero
            transferimos transferiré conecto conectamos conectaré comunico derivo derivamos derivaré
            redirijo redirigimos enlazo traslado_su traslado_tu escalo traspaso llamo_a llamo_al
            busco_a traigo involucro remito canalizo conectando transfiriendo pasando comunicando
            conectarle conectarte transferirle transferirte pasarle_con pasarte_con comunicarle_con
            comunicarte_con paso_ahora turno_su incorporo llamaremos contactaremos escribiremos
            responderemos daremos_una devolveremos_la volveremos avisaremos le_llamamos te_llamamos
            le_contactamos te_contactamos nos_pondremos nos_comunicaremos te_escribimos
            le_escribimos contestaremos daremos_respuesta informaremos pondremos_en_contacto
            le_responderé te_avisamos le_avisamos llamamos_en llamaré escribiré contactaré
            responderé devolvemos_la escribimos contactamos nos_ponemos me_pongo_en retoma le_pongo
            te_pongo le_pongo_con te_pongo_con le_derivo te_derivo la_derivo lo_derivo le_transfiero
            te_transfiero lo_transfiero la_transfiero le_comunico_con te_comunico_con lo_comunico
            la_comunico le_conecto te_conecto lo_conecto la_conecto le_remito te_remito le_dirijo
            te_dirijo le_redirijo te_redirijo le_enlazo le_dejo_con te_dejo_con lo_dejo_con
            la_dejo_con paso_el_caso paso_su paso_tu paso_la_conversación cedo_la_palabra
            cedo_el_turno meto_a meto_en sumo_a añado_a_un traigo_a hago_venir hago_subir
            hago_que_le hago_que_te no_cuelgue no_cuelgues permanezca_en_línea permanece_en_línea
            quédese_en_línea quédate_en_línea siga_en_línea sigue_en_línea manténgase_en_línea
            mantente_en_línea espere_en_línea no_se_retire no_te_retires quédese_en_el quédate_en_el
            no_cierre_el_chat no_cierres_el_chat tenga_el_teléfono ten_el_teléfono teléfono_a_mano
            móvil_a_mano elevo_su elevo_el elevo_tu escalamos_el escalando desvío desviamos
            canalizo_su asigno_su asigno_tu toma_el_relevo tomará_el_relevo toma_la_conversación
            se_incorpora se_suma se_sumará te_escribo le_escribo le_escribo_en te_escribo_en
            le_aviso_en te_aviso_en te_llamo le_llamo le_llamo_en te_mantengo le_mantengo
            mantengo_al_tanto paso_al lo_paso_a lo_paso_al en_cola_para en_cola le_doy_un te_doy_un
            le_doy_una te_doy_una""",
        "asking": """aviso avisamos pido pedimos llamo llamamos informo informamos consulto alerto
            envío mando mandamos solicito notifico encargo le_digo_a digo_a digo_al decimos_a
            le_pido_a hablo_con hablo_yo hablamos_con comento_a lo_comento doy_aviso doy_parte
            doy_el_aviso encargo_a envío_a mando_a despacho_a pregunto_a consulto_a localizo_a
            hablé_con hablado_con dejo_recado dejo_una_nota""",
        "ask": "avisar pedir llamar informar mandar enviar encontrar solicitar buscar",
        "not": "no ningún ninguno ninguna nadie nunca tampoco ni jamás todavía_no nada sin",
        "may": """puedo puede podemos pueden podría podrían podríamos puedes debe debo hay_que podrá
            podrás posible debería se_pueden se_puede se_mueven pudiera pudieran""",
        "if": """si en_caso con_su_consentimiento con_tu_consentimiento siempre_que a_petición
            en_el_caso salvo con_su_permiso con_tu_permiso cuando_haya cuando_hayas
            después_de_que""",
        "after": "una_vez cuando en_cuanto después_de tras al_llegar tan_pronto luego_de",
        "offer": """quiere desea quieres deseas prefiere prefieres le_gustaría te_gustaría dígame_si
            dime_si avíseme_si necesita_que gusta así_puede así_puedes cómo""",
        "looked_up": """sistema según veo consta seguimiento aparece muestra indica rastreo
            registro_de pantalla historial expediente_indica ficha_indica en_el_registro figura
            registros bitácora base_de_datos""",
        "usually": """normalmente generalmente suele suelen siempre habitualmente menudo veces regla
            general de_lunes a_diario todos_los raramente localizables promedio atienden cada_día
            cada_semana lunes_a día_y_noche por_norma por_lo_general todo_el_año cada_mes
            mensualmente anualmente fines_de_semana""",
        "said": """escribió escribiste usted_dijo dijiste decía decías comentó comentaste mencionó
            mencionaste entiendo_que dice_que comprendo_que indicó me_dijo le_dijeron te_dijeron
            usted_escribió""",
        "step": """llame escriba deje rellene envíe pulse haga use contacte elija abra vaya acceda
            responda introduzca seleccione llámenos escríbanos deja rellena pulsa elige complete
            completa contáctenos comuníquese diríjase póngase marque solicite bloquee consulte entre
            ingrese ponte escribe_a llama_al llama_a""",
        "and": "y pero así_que por_lo_que o entonces porque pues e sino",
        "soon": """enseguida inmediatamente inmediato pronto hoy mañana minutos minuto horas hora
            momento tarde noche lunes martes miércoles jueves viernes sábado domingo breve instante
            instantes segundos antes cuanto desde mismo días semana pasado_mañana luego rato ratito
            mediodía cuanto_antes en_breve dentro_de poquito después_del sábado_por""",
        "past": "*ado *ido *cho *sto *rto *ito *elto",
        "past_time": """ayer anteayer semana_pasada mes_pasado año_pasado lunes_pasado martes_pasado
            jueves_pasado viernes_pasado anoche""",
        "come": """irá vendrá viene pasará pasa llega llegará ayudará ayudar toma tomará camino
            visitará visita acudirá ocupará ocupar encargará encargar gestionará continuará seguirá
            revisará resolverá asistirá acompañará explicará confirmará entra entrará dirige
            desplaza desplazará asiste va_un va_una viene_un atiende atenderá atender incorpora
            incorporará une unirá informará enviará devolverá comunica comunicar sube subirá
            subiendo sube_a baja bajará va_a_su va_hacia va_para van_hacia van_para va_en va_de iré
            acercará acerca se_acerca se_acercará se_acercarán presentará presenta se_presenta
            persona_en desplazan desplazarán salió_hacia salieron_hacia sale_hacia salen_hacia
            de_camino en_ruta espera_en esperará espera_mañana le_espera te_espera recibirá_en_la
            recibe_en acompaña muestra_el mostrará enseñará explica ayudan ayudarán arreglará
            arregla repara reparará reparar soluciona solucionará solucionar monta montará instala
            instalará instalar inspecciona inspeccionará examina examinará ver_el_tejado
            echa_un_vistazo echará_un_vistazo echar_un_vistazo mirará valora valorará lleva_la
            lleva_el llevará entrega_en entregará trae traerá recoge recogerá atienden_a_usted
            se_encarga se_encargará se_ocupa se_ocupará encarga coge cogerá sigue_con continúa_con
            gestiona_con trata tratará comentará comenta_con encontrará_en_la se_reúne se_reunirá
            estudia estudiará revisa va_a_pasar entra_al_chat entra_en_el_chat recogerá_a sale_ahora
            en_su_casa le_enviamos te_enviamos_a enviamos_a sale_en sale_ahora_hacia se_nos_une
            se_une toca_a_su sale_a sale_al""",
        "are": "están son",
        "your": "su sus tu tus",
        "that": "que",
        "person": """él ella ellos ellas maría ana andrea antonio beatriz carla carlos carmen clara
            cristina daniel david diego elena eva fernando francisco gabriela gloria gonzalo héctor
            inés isabel iván javier jaime jesús jorge josé juan julia julio laura lola lorena lucas
            lucía luis manuel marcos mario marta miguel mónica natalia nuria óscar pablo patricia
            paula paco pedro pilar rafael raquel ramón roberto rosa rubén sandra sara sergio silvia
            sofía susana teresa tomás vicente víctor este_último éste""",
        "fact": """cuesta cuestan coste costo precio* tarifa* gratis gratuit* euro euros céntimos
            ciento comprende incluye incluyen contiene dura duran tarda encuentra se_encuentra
            se_encuentran situad+ abre cierra horarios ofrece ofrecemos tenemos hay dispone
            cuenta_con sirve sirve_de servimos aparcamiento entrada menú garantía interés válid+
            disponible* condiciones plazo máximo mínimo al_menos como_máximo años talla colores
            metros kilómetros planta lado frente habitaciones baños aceptan aceptamos hablan
            habla_inglés trabaja trabajan significa vale valen aplica se_reserva se_reservan se_paga
            se_pierden se_sirve se_reponen tarifa_valle hasta_el_12 termina terminan turno_a
            pasan_visita está_abierto está_abierta están_abiertos están_abiertas estamos_abiertos
            está_cerrado está_cerrada están_cerrados estamos_cerrados está_incluido está_incluida
            están_incluidos llevan_una una_vez_al mejor venció vence salen_el se_pone de_guardia vez
            menos tres también km día mes solo numero número niños adultos""",
        "lack": "falta faltan necesito espero hace_falta necesario necesaria necesita",
        "please": "por_favor le_rogamos le_ruego se_ruega",
        "plural": "los las nuestros nuestras todos todas ambos ambas varios",
        "new": "nuevo nueva nuevos otra otro",
        "which": "cuál cuáles cuánto cuándo dónde",
        "towards": "hacia habitación casa calle su_puerta su_domicilio",
    },
    "uk": {
        "staff": """колег* агент* оператор* консультант* представник* спеціаліст* фахівець фахівц*
            технік* інженер* команд* хтось когось комусь менеджер* керівник* супервізор* людина
            людину людиною людини живого медсестр* лікар* доктор* водій* водієм кур'єр* координатор*
            рецепці* відділ* експерт* фармацевт* аптекар* стоматолог* майстер майстра майстром
            майстр* сантехнік* електрик* механік* адвокат* юрист* тренер* секретар* підтримк* служб*
            адміністратор* бригад* диспетчер* склад складу працівник* співробітник* директор* шеф*
            ветеринар* перекладач* викладач* гід ріелтор* кухар* бухгалтер* деканат* сервіс*
            реєстратур* поліції партнер* куратор* оцінювач* бригадир* касир* приймальн* пан пані
            пана власник* господар* начальни* двірник* слюсар* комірник* консьєрж* технічн* ремонт*
            обслуговуванн* покоївк* прибиральни* аварійн* черговий чергова чергового черговою
            чергові рятувальник* пожежник* поліцейськ* швидк* фельдшер* акушер* психолог* терапевт*
            фізіотерапевт* реабілітолог* логопед* дієтолог* оптик* окуліст* офтальмолог* дерматолог*
            кардіолог* педіатр* хірург* ортопед* гігієніст* медбрат* доглядальни* перукар* барбер*
            стиліст* косметолог* масажист* візажист* манікюрниц* грумер* бармен* бариста* сомельє
            офіціант* пекар* кондитер* флорист* фотограф* швачк* кравець кравчин* ювелір*
            годинникар* садівник* маляр* столяр* покрівельник* монтажник* вантажник* експедитор*
            логіст* комплектувальник* завідувач* вантажівк* евакуатор* листонош* поштар* касу
            банкір* кредитн* аналітик* андеррайтер* аварком* страхов_агент інспектор* ревізор*
            контролер* екзаменатор* вчител* учител* директорк* декан* деканату бібліотекар*
            нотаріус* адвокатк* суддя виконавець виконавц* чиновник* посадовець урядовець мер мера
            мерії соцпрацівни* ріелторк* орендодавець орендодавц* забудовник* розробник* програміст*
            сисадмін* адмін адміна адмінам айтішник* друга_лінія другої_лінії другу_лінію пілот*
            капітан* стюард* провідни* екскурсовод* аніматор* рятівник* інструктор* тренерк*
            викладачк* методист* бос босу шефу управит* управляюч* заступник* старший_зміни
            старша_зміни начальниця зміни бухгалтері* кадрови* юрвідділ* юридичн* рекламаційн*
            хтось_із хтось_з один_із_наших одна_з_наших один_із один_з_наших дівчат* хлопц* ребят*
            наші_люди бригадою майстриня майстрині майстриню оператори консультанти контор*
            офіс_менеджер відповідальн* куратору фахівчин* фахівчиня спеціалістк* продавець продавця
            продавчин* комірниця водійк* кур'єрк* менеджерк* перекладачк* редактор* організатор*
            метрдотел* патрул* охорон* поліці* лаборант* лаборатор* стажер* стажист* волонтер*
            медіатор* модератор* ліквідатор* дворецьк* аваркоміс* вахтер* колежанк* касу_я
            терапевтк* *рятувальник рекрутер* отець отця отцю священик* пастор* комендант* консул*
            посольств*""",
        "plain": """знайшла знайшов бачила зрозуміла зрозумів перевірила перевірив отримала отримав
            прочитала людей складає складається сервісний_збір службове людям готовий готові готова
            можу_підтвердити рано погано сито змінився змінилася змінились складала становила
            не_вдалося технічний_огляд технічні_характеристики ремонт_триває швидкість швидкий
            швидко швидкої_доставки бригада_працює кредитний_ліміт кредитна_картка кредитної_картки
            юридична_адреса директорія обслуговування_коштує офіціант_приносить складі складно
            складний складові складу_піц службов* сервісні персонально відчинена відчинено зачинено
            зачинена втрачені втрачену невикористан* включено_у включений_у міняли""",
        "you": "вас вам вами тебе тобі тобою чат* розмов* тут сюди",
        "you_did": "ви ти",
        "was": "було була був були",
        "now": """зараз щойно вже успішно від_сьогодні відсьогодні з_цієї_хвилини тільки_що
            тільки-но_що допіру віднині""",
        "deed": """скасован+ заброньован+ зарезервован+ перенесен+ змінен+ надіслан+ відправлен+
            передан+ переадресован+ зареєстрован+ заблокован+ розблокован+ призупинен+ зупинен+
            активован+ деактивован+ вимкнен+ увімкнен+ додан+ видален+ вилучен+ повернен+ скинут+
            записан+ відкрито закрит+ створен+ оформлен+ продовжен+ оновлен+ виправлен+ збільшен+
            зменшен+ подан+ замовлен+ підтверджен+ завершен+ сформован+ підписан+ відписан+ виконан+
            зроблен+ опрацьован+ розв'язан+ вирішен+ ескальован+ повідомлен+ застосован+ нарахован+
            зарахован+ призначен+ звільнен+ поновлен+ ініційован+ розпочат+ схвален+ збережен+
            прикріплен+ замінен+ поставлен+ внесен+ зафіксован+ відкликан+ розірван+ відшкодован+
            припинен+ обмінян+ уточнен+ налаштован+ переказан+ перенаправлен+ спрямован+ переведен+
            скорегован+ прийнят+ відновлен+ відключен+ підключен+ видан+ викликан+ списан+ оплачен+
            надан+ заморожен+ підвищен+ відкладен+ проведен+ позначен+ встановлен+ анульован+
            направлен+ доставлен+ зв'язан+ повернуто скинуто знижен+ розширен+ оформлено знято знята
            відкрита перезаписано перебронован+ *ено *ано *ято *уто *ито випущен+ відкладено
            завантажен+ надрукован+ роздрукован+ відремонтован+ полагоджен+ усунут+ установлен+
            під'єднан+ від'єднан+ прив'язан+ об'єднан+ розділен+ розподілен+ подвоєн+ скорочен+
            прискорен+ погоджен+ компенсован+ сплачен+ погашен+ стягнут+ вирахуван+ перерахован+
            подарован+ куплен+ продан+ запакован+ підготовлен+ приготован+ завірен+ засвідчен+
            вписан+ дописан+ переписан+ включен+ виключен+ відрахован+ опублікован+ розміщен+
            прихован+ очищен+ обнулен+ перезавантажен+ запущен+ пересунут+ посунут+ зсунут+
            відтермінован+ піднят+ опущен+ введен+ виведен+ заведен+ взят+ забран+ здан+ віддан+
            закріплен+ зарезервований піднято обран+ вибран+ поміняно обміняно оскаржен+ перетворен+
            виправдан+ відретушован+""",
        "i_did": """скасува+ забронюва+ зарезервува+ зміни+ надісла+ відправи+ переда+ переадресува+
            зареєструва+ заблокува+ розблокува+ призупини+ зупини+ активува+ деактивува+ вимкну+
            увімкну+ дода+ видали+ вилучи+ поверну+ скину+ записа+ відкри+ закри+ створи+ оформи+
            продовжи+ онови+ виправи+ збільши+ зменши+ пода+ замови+ підтверди+ заверши+ сформува+
            підписа+ відписа+ викона+ зроби+ опрацюва+ розв'яза+ виріши+ ескалюва+ повідоми+
            застосува+ нарахува+ зарахува+ призначи+ звільни+ понови+ ініціюва+ розпоча+ схвали+
            прикріпи+ заміни+ постави+ зафіксува+ відклика+ розірва+ відшкодува+ припини+ обміня+
            уточни+ налаштува+ переказа+ перенаправи+ спрямува+ скоригува+ прийня+ віднови+
            відключи+ підключи+ вида+ зня+ виклика+ списа+ оплати+ надав надала попроси+ зверну+
            позва+ покли+ сказа+ поклав поклала домови+ попереди+ поінформува+ заморози+ підвищи+
            переслав+ пересла+ посла+ анулюва+ направи+ наріза+ позначи+ встанови+ відклав відклала
            зв'яза+ занотува+ подбав подбала подзвонив подзвонила написав написала набрав запитав
            запитала розшири+ перебронюва+ залиши+ склав склала прибра+ перезапи+ організува+
            узгоди+ проінформува+ виписа+ перекину+ подовжи+ знизи+ відмовив_від вніс зніс переніс
            зробив перенесла перенесли внесла внесли зберіг зберегла зберегли перевів перевела
            перевели попросив попросила покликав покликала звернувся звернулася зв'язався зв'язалася
            домовився домовилася випусти+ відкла+ додали_вам лиши+ заванта+ вивантаж+ роздрукува+
            надрукува+ сканува+ скопіюва+ заархівува+ упорядкува+ відремонтува+ полагоди+ усуну+
            установи+ інсталюва+ деінсталюва+ від'єдна+ під'єдна+ синхронізува+ прив'яза+ відв'яза+
            об'єдна+ розділи+ розподіли+ перерозподіли+ подвої+ скороти+ прискори+ пришвидши+
            пріоритезува+ дозволи+ погоди+ відмовила_від відмови+ компенсува+ сплати+ доплати+
            погаси+ стягну+ вирахува+ перерахува+ подарува+ купи+ прода+ орендува+ запакува+
            спакува+ підготува+ приготува+ завіри+ засвідчи+ підшива+ вписа+ вписала дописа+
            переписа+ приписа+ виключи+ включи+ зарахувала відрахува+ пропуст+ переда відзначи+
            помі+ поміти+ проштампува+ опублікува+ розмісти+ прихова+ очисти+ обнули+ перезавантажи+
            перезапусти+ запусти+ зафіксувала відстави+ пересуну+ посуну+ зсуну+ перекла+
            відтермінува+ пробив пробила підняв підняла опустив опустила ввів ввела увів увела вивів
            вивела відвів завів завела довів навів звів взяв взяла взяли забрав забрала забрали узяв
            узяла здав здала оформив оформила віддав віддала віддали роздав накинув накинула
            підкинув поміня+ обмінял+ притрима+ зберіг_для підня+ знижува+ обра+ вибра+ порахува+
            зазначи+ оскаржи+ міня+ відретушува+ завантажи+""",
        "done": """готово зроблено все_готово усе_готово вирішено влаштовано виконано вдалося
            за_вами за_тобою є_столик за_вами_закріплено вже_ваш уже_ваш вже_ваша уже_ваша
            про_це_подбав про_це_подбала я_про_це_подбав подбав_про подбала_про подбали_про
            все_зроблено усе_зроблено все_зробив все_зробила все_оформлено все_владнано владнав
            владнала залагоджен* полагоджено справу_закрито питання_закрито питання_вирішено
            на_ваше_ім'я на_твоє_ім'я у_списку_очікування в_списку_очікування до_списку_очікування
            вже_їде_до вже_летить пішло_на_вашу пішов_на_вашу пішла_на_вашу полетів_на_пошту
            полетіла_на_пошту у_вашій_скриньці на_вашій_пошті як_ви_просили як_і_просили як_просили
            вже_випускаємо вийшло тепер_ваші тепер_ваше тепер_ваш тепер_ваша тепер_твій тепер_твоє
            тепер_твоя тепер_твої уже_діє вже_діє вже_йдуть_до набув_чинності набула_чинності
            вже_немає_в_рахунку""",
        "will": "буде будете будеш будуть матимете матимеш отримаєте отримаєш дасть дадуть",
        "contact": """зв'яж* зателефону* телефону* подзвон* дзвон* напиш* пиш* відповіст*
            відповідатим* перетелефону* передзвон* набер* зверн* відпис* напише подзвонили
            зателефонували написали зв'язалися передзвонили відповіли дзвонять телефонують пишуть
            напишуть набира* дзвякн* телефон* відпові* напис* листа_від листа пише_вам смс маякн*
            кинут* кине_смс звʼяж* сповіст* сповіща* повідомит* перезвон* віддзвон* поговор*
            переговор* проговор* звертат* зверта* дасть_знати дадуть_знати дасть_відповідь озв*
            озвуч* відгукн* постука* подзвонит* викличе_вас спілкуват* контактуват* озветься
            озвемося відпиш* дзвонитим* повідомить""",
        "contacted": "набрано контакту*",
        "reply": """отримаєте_повідомлення_від тримаємо_в_курсі триматимемо дзвінок_від відповідь
            дзвінок дзвінка лист_від смс_від повідомлення_від відповідь_від зворотн*
            зворотний_дзвінок звістк* на_зв'язок вийде_на_зв'язок вийдемо_на_зв'язок
            вийдуть_на_зв'язок виходить_на_зв'язок візит візиту новини_від чекайте_дзвінка_від
            очікуйте_листа очікуйте_відповіді чекайте_відповіді чекайте_на_відповідь""",
        "put": "сполуча*",
        "touch": "лінію зв'язок",
        "transfer": """з'єдную з'єднаю з'єднуємо з'єднаємо переводжу переведу переводимо переведемо
            перемикаю перемкну передаю передам передаємо передамо кличу покличу кличемо запрошую
            запрошу залучаю залучу підключаю підключу переадресовую переадресую спрямовую спрямую
            викличу викликаю скеровую скерую перенаправляю перенаправлю ескалюю надсилаю_до долучаю
            долучу зв'язую зв'яжу переключаю переключу під'єдную під'єднаю приведу надішлю_до
            направлю направляю з'єднуємося зв'яжемося зателефонуємо передзвонимо напишемо відповімо
            дамо_відповідь дамо_вам_відповідь повернемося надамо_відповідь перетелефонуємо наберемо
            повідомимо дамо_знати зв'яжуся зв'яжемось повернуся вам_зателефонують передзвонять
            зателефонують наберуть зв'яжуться подзвонять перетелефонують відповідять відпишемо
            отримаєте_відповідь отримаєте_дзвінок отримаєш_відповідь чекайте_на_дзвінок
            очікуйте_дзвінка очікуйте_на_дзвінок чекайте_дзвінка приїдуть з'єднають переключать
            переведуть підключать допоможуть надішлють зателефоную напишу передзвоню відповім наберу
            подзвонимо передзвоню_вам перекину перекидаю переспрямую переспрямовую віддаю_вас
            віддам_вас залишайтеся_на_лінії лишайтеся_на_лінії залишайся_на_лінії лишайся_на_лінії
            не_кладіть_слухавку не_вимикайтеся не_закривайте_чат не_закривай_чат залишайтеся_в_чаті
            лишайтеся_в_чаті тримайте_телефон тримай_телефон побудьте_на_лінії зачекайте_на_лінії
            приєдную приєднаю додаю_до_чату додам_до_чату кличу_на з'єднати_вас з'єднує з'єднують
            перемкну_вас підтягну підтягую покличемо викликаємо викличемо запросимо залучимо
            залучаємо надсилаю_бригаду відправляю_бригаду відправляю_до_вас надсилаю_до_вас
            відправлю_до_вас висилаю вишлю_до_вас ескалюємо переадресуємо переадресовуємо скеруємо
            скеровуємо направимо підключимо підключаємо відповість_вам_тут посилаю посилаємо пошлю
            перенаправляю_на напишу_вам повідомлю_вас відпишу дам_знати зараз_з'єднаю зараз_з'єдную
            триматиму_тебе триматиму_вас тримаю_в_курсі триматиму_в_курсі передаю_на передам_на
            у_черзі_до в_черзі_до у_черзі в_черзі маякну_вам маякну_тобі""",
        "asking": """попрошу повідомляю повідомлю скажу питаю запитаю попереджу зверну шукаю
            скажу_колезі скажемо передам_колезі прошу_майстра попросимо попрошу_майстра шепну гукну
            гукаю поговорю_з переговорю_з зв'яжуся_з уточню_в_майстра уточню_у_колеги запитаю_колегу
            нагадаю_колезі доповім повідомимо_колегу поговорив_з поговорила_з лишаю_записку
            прошу_колегу прошу_колег""",
        "ask": "попросити покликати запросити",
        "not": "не ні ніхто нікого нікому жоден жодного жодна немає ніколи жодної нічого без",
        "may": """можу може можемо можуть міг могла могли_б міг_би могла_б можете потрібно треба
            можна слід можеш мусите варто можливо дозволено доступно сила зможемо зможете зможу
            зможеш""",
        "if": """якщо якби коли_потрібно за_вашої_згоди за_згоди за_умови у_разі в_разі за_потреби
            на_ваше_прохання на_вимогу з_вашого_дозволу за_твоєї після_того_як щойно_ви коли_ви
            було_б лише_тоді тільки_тоді""",
        "after": """після_того як_тільки коли після_оплати після_заповнення після_надсилання
            по_приїзді після_приїзду після_підтвердження після_прибуття тільки_но щойно_підпишете
            щойно_заповните щойно_оплатите""",
        "offer": """бажаєте хочете хочеш бажаєш чи бажаєте_щоб вам_зручно якби_ви скажіть_чи
            дайте_знати ось_як""",
        "looked_up": """систем* даними бачу відстежен* стан видно судячи згідно показує відображ*
            за_нашими переглянула зазначен* реєстр* істор* журнал* картц записах вказано зазначено
            базою_даних""",
        "usually": """зазвичай зазвичаєм завжди часто інколи іноді щодня як_правило цілодобово
            здебільшого рідко переважно з_понеділка щотижня в_середньому кожного_дня кожен_день
            понеділка_до понеділка_по щомісяця щороку цілий_рік по_буднях у_будні на_вихідних
            як_звично""",
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
            протягом секунд* мить вранці тиждень тижня обід* до_обіду увечері зранку вдень вечора
            ранку дня годину згодом невдовзі мерщій щонайшвидше якнайшвидше""",
        "self": "я ми",
        "past": "*ив *ав *ила *ала *или *али *нув *ула *ули *ів *шувала *тував *тувала",
        "past_time": "вчора позавчора минул* торік",
        "come": """прийд* приїд* приїх* їде їдуть завіта* допомож* візьм* перейм* перехоп* продовж*
            прибуд* вийд* виход* під'їд* розбер* займ* опрацю* підійд* виїх* виїд* заїд* нагад*
            поясн* проведе вирі* огля* підходить підійде зайде зустріне чекає проконсульт* приєдна*
            підключа* підключиться підключаться підключить долуч* в_дорозі уточн* повідом* піднім*
            піднімет* спуст* спуска* прямує прямують виїха* вирушив вирушила вирушили вируша* вируш*
            їхат* приходит* прийшл* заход* зайд* навіда* навідат* завіт* чекат* чекають зустрін*
            зустріч* зустріча* прийма* провед* покаж* показати_вам розкаж* розповіст* поясню* порад*
            порадит* принес* приносит* доставит* доставл* привез* відвез* забер* забира* полагод*
            відремонт* ремонту* усун* усува* встановит* змонту* оглян* огляд* обстеж* перевірит*
            подивит* глян* зробит_все виріш* розв'яж* допомага* супровод* вестим* займет* бер*
            візьмет* підхоп* підхопл* долучит* долуча* підключ* вступ* втруч* поспіша* доїд* доїха*
            дістан* доглян* поряду* йде_до іде_до йдуть_до чекатим* вивчає вивчить виїхав зайти
            зустрінут* загляне заглянут* виходить виходять у_вас_будуть вийде обговорит* вируша
            скине чекає_онлайн""",
        "your": "вашу ваше ваш ваші вашого вашої твій твоє твою твоя ваша вашому",
        "that": "що",
        "person": """він вона вони йому їй їм андрій андрію анна ганна аліна богдан вадим валентин
            валерія василь вікторія віктор віталій володимир галина дарина дмитро євген іван інна
            ірина катерина катя ксенія лариса леся людмила максим марина марія марічка марко марку
            марта микола михайло надія наталя наталія ніна оксана олег олександр олександра олексій
            олена ольга оля павло петро роман руслан світлана сергій софія степан тарас тетяна юлія
            юрій ярослав той""",
        "fact": """коштує коштують ціна ціни вартість тариф* безкоштовн* гривень гривн* євро
            відсоток* відсотків містить входить включає триває тривають стоїть розташован*
            знаходиться працює працюємо працюють години_роботи графік пропонуємо пропонує є_дитяче
            є_дві маємо подають подаємо паркінг парковка вхід меню гарантія гарантійн* дійсний
            дійсна дійсні доступн* умови термін_дії щонайменше максимум мінімум не_більше років
            розмір* кольори метрів кілометрів поверх* ліворуч праворуч поруч_із навпроти кімнат*
            ванн* приймають приймаємо говорять розмовляють означає стосується вміщує становить
            беремо квартирі близько_двох дози навчальний починається складається_з закінчується
            відкрито_щодня ми_відкриті відкриті_з носять раз_на закінчився закінчилася виконуються
            найкраще день рік ніч дає має так лише тільки діти дорослі номер""",
        "lack": "бракує потрібен потрібна потрібні чекаю необхідно",
        "please": "будь_ласка прошу просимо",
        "plural": "наші всі усі обидва обидві багато кілька",
        "new": "новий нова нове нову нового інший",
        "which": "який яка яке які скільки",
        "towards": "вашу_вулицю ваш_номер до_вас до_тебе вашого_номера додому",
    },
}
