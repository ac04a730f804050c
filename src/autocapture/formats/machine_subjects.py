"""Subjects as programs write them: absence notes, bounces, complaints, answers to invitations; in the languages they come in.

What a mail system itself puts before the subject that it answers, colon included, nobody types at the very beginning of a
subject, and a person's answer to such a note has a ``Re:`` before it (`is_absence_note`). All else here is a hint, which counts
together with a sign in the headers: people forward bounces and write about being out of office.
"""

from __future__ import annotations

import re

_PROGRAMS_AWAY = re.compile(
    r"\s*(?:"
    r"(?:automatic reply|out of office autoreply|automatische antwort|abwesenheitsnotiz|automatische abwesenheitsnotiz|"
    r"automatisch antwoord|afwezigheidsbericht|réponse automatique(?: d'absence du bureau)?|"
    r"respuesta automática(?: de fuera de oficina)?|risposta automatica(?: fuori sede)?|resposta autom[áà]tica|"
    r"automatiskt svar|automatisk svar|autosvar|automaattinen vastaus|odpowiedź automatyczna|automatická odpov[ěe][ďd]|"
    r"automatikus válasz|otomatik yanıt|automatski odgovor|samodejni odgovor|răspuns automat|automaatvastus|"
    r"automātiska atbilde|automatinis atsakymas|αυτόματη απάντηση|автоматический ответ|автоматична відповідь|"
    r"автоматичен отговор|автоответ|تلقائي رد|رد تلقائي|תשובה אוטומטית|自动(?:答复|回复)|自動(?:回覆|応答|返信)|자동 ?회신)"
    r"\s*[:：]"
    r"|auto:\s.*\b(?:out of the office|returning|außer haus|rückkehr|absent|retour|ausente|fuera|fuori|afwezig|terug|borte|"
    r"frånvarande|poissa|fravær)"
    r")",
    re.IGNORECASE,
)

_PERSON_AWAY = re.compile(
    r"[^,.;:!?]{2,60} (?:is out of the office|ist außer haus|est absent(?:\(e\))? du bureau)\.", re.IGNORECASE
)
"""The whole subject, as Notes wrote it without any header to tell."""

AWAY = re.compile(
    r"\W{0,3}(?:"
    r"auto(?:mated|matic)?[ -]?(?:reply|response|responder|respons\b)|auto\s*:|out of (?:the )?office|"
    r"(?:i am |i'm )?(?:currently )?(?:on|away on) (?:vacation|annual leave|holiday|leave|parental leave)|ooo\b|"
    r"away (?:from|until)|on holiday|"
    r"automatische (?:antwort|r[üu]ckantwort)|abwesen|(?:bin )?(?:im|in) urlaub|nicht im b[üu]ro|au[ßs]+er haus|"
    r"automatisch (?:antwoord|bericht)|afwezig|(?:met|op) vakantie|niet aanwezig|"
    r"r[ée]ponse automatique|absence|absent|en cong[ée]s?|message d'absence|"
    r"respuesta autom[áa]tica|fuera de (?:la )?oficina|de vacaciones|ausente|ausencia|"
    r"risposta automatica|fuori (?:sede|ufficio)|assente|in ferie|"
    r"resposta autom[áa]tica|fora do escrit[óo]rio|aus[êe]n(?:cia|te)|de f[ée]rias|"
    r"automatiskt svar|autosvar|frånvaro|på semester|automatisk svar|fravær|ikke til stede|på ferie|"
    r"automaattinen vastaus|poissa|lomalla|"
    r"odpowied[źz] automatyczna|autoodpowied|poza biurem|nieobecno|urlop|automatick[áa] odpov|mimo kancel|nep[řr][íi]tom|"
    r"automatikus v[áa]lasz|h[áa]zon k[íi]v[üu]l|szabads[áa]g|otomatik yan[ıi]t|ofis dışında|izinde|"
    r"автоответ|автоматический ответ|автоматична|в отпуске|нет на месте|отсутств|"
    r"自动(?:答复|回复)|自動(?:回覆|応答|返信)|休假|外出|不在|자동 ?(?:회신|응답)|부재중"
    r")",
    re.IGNORECASE,
)

BOUNCE = re.compile(
    r"\s*(?:\W{0,3}(?:undeliver|non[- ]?delivery|returned mail|return(?:ed)? to sender|failure notice|bounced mail|"
    r"(?:mail|message|email)?\s*delivery (?:status|failed|failure|has failed|notification|problem|report|error)|"
    r"mail (?:could not|system error|failure)|message (?:undeliverable|not delivered)|"
    r"delivery incomplete|warning: (?:could not send|message)|unzustellbar|nicht zustellbar|onbestelbaar|"
    r"non remis|échec de la remise|no se puede entregar|non recapitabile|não é possível entregar|"
    r"niedostarcz|не доставлено|недоставлен|退信|配信不能|送信不能))",
    re.IGNORECASE,
)

COMPLAINT = re.compile(r"\s*complaint about message from \d{1,3}\.", re.IGNORECASE)

CALENDAR_ANSWER = re.compile(
    r"\s*(?:accepted|declined|tentative|canceled|cancelled|new time proposed|"
    r"zugesagt|angenommen|abgelehnt|abgesagt|mit vorbehalt|vorläufig zugesagt|"
    r"geaccepteerd|geweigerd|voorlopig|geannuleerd|accepté|refusé|provisoire|annulé|"
    r"aceptado|aceptada|rechazado|provisional|cancelado|cancelada|aceito|recusado|accettato|rifiutato|provvisorio|annullato|"
    r"accepterat|avböjt|preliminärt|inställt|godkendt|accepteret|afvist|foreløbig|aflyst|hyväksytty|hylätty|peruutettu|"
    r"zaakceptowano|odrzucono|odwołano|已接受|已拒绝|暂定|已取消|承諾済み|承諾|辞退|仮承諾)\s*[:：]",
    re.IGNORECASE,
)


def is_absence_note(subject: str) -> bool:
    """Whether a mail system wrote this subject of an absence note: enough without any other sign."""
    if _PROGRAMS_AWAY.match(subject):
        return True
    return subject.endswith(".") and _PERSON_AWAY.fullmatch(subject) is not None
