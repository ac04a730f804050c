"""Addresses behind which there is not one person: machines, mailing lists, and mailboxes of a role."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from autocapture.formats.domains import registrable_domain
from autocapture.formats.machine_mail import is_machine_name

Shared = Literal["machine", "list", "role"]

_ROLES = frozenset(
    {
        "abuse", "accounting", "accounts", "achats", "acquisti", "admin", "administracion", "administration", "administrator",
        "afspraken", "all", "anfrage", "anfragen", "ausbildung", "bestellingen", "bestellung", "bestellungen", "bewerbung",
        "bewerbungen", "billing", "board", "boekhouding", "bonjour", "booking", "bookings", "buchhaltung", "buero", "bureau",
        "career", "careers", "ciao", "clientes", "clients", "comercial", "commandes", "commercial", "compliance", "compras",
        "comptabilite", "contabilidad", "contact", "contacto", "contato", "contatti", "customer", "customercare", "customers",
        "customerservice", "datenschutz", "dev", "dispatch", "dispo", "dpo", "edv", "einkauf", "ekonomi", "email", "empfang",
        "enquiries", "enquiry", "events", "everybody", "everyone", "facturacion", "facturation", "facturen", "factures",
        "faktura", "fakturor", "feedback", "finance", "finanzen", "firma", "forsaljning", "gdpr", "hallo", "hej", "hello",
        "help", "helpdesk", "hi", "hola", "hostmaster", "hr", "impressum", "info", "informacion", "information", "infos",
        "inkoop", "inkop", "inquiries", "inquiry", "investors", "invoice", "invoices", "invoicing", "it", "job", "jobs",
        "kantoor", "karriere", "klantenservice", "kontakt", "kontor", "kunden", "kundendienst", "kundenservice",
        "kundservice", "kundtjanst", "lager", "legal", "list", "logistics", "logistik", "mail", "mailbox", "marketing",
        "media", "member", "members", "moderator", "news", "newsletter", "noc", "office", "oficina", "operations", "ops",
        "order", "orders", "ordini", "partner", "partners", "payments", "payroll", "pedidos", "people", "personal", "post",
        "press", "presse", "privacy", "procurement", "purchasing", "receivables", "reception", "rechnung", "rechnungen",
        "recruiting", "recruitment", "reklamation", "reply", "reservas", "reservation", "reservations", "reservierung",
        "returns", "rezeption", "root", "sales", "salg", "sav", "secretariat", "security", "sekretariat", "service",
        "servicedesk", "services", "shipping", "shop", "soporte", "staff", "store", "subscribe", "subscriptions", "support",
        "survey", "team", "tech", "technik", "tickets", "treasury", "unsubscribe", "vendite", "ventas", "ventes", "verkauf",
        "verkoop", "versand", "vertrieb", "verwaltung", "warehouse", "web", "webinar", "webinars", "webmaster", "welcome",
        "www", "zentrale",
    }
)  # fmt: skip
_LIST_HOSTS = frozenset(
    {"freelists.org", "googlegroups.com", "groups.io", "listbox.com", "simplelists.com", "yahoogroups.com"}
)
_LIST_LABELS = frozenset(
    {"groups", "listen", "listes", "list", "listman", "lists", "listserv", "lserv", "mailman", "maillist"}
)
_LIST_NAME = re.compile(
    r".+[-_.](?:all|announce|bounces|dev|devel|discuss|group|list|liste|members|owner|request|subscribe|unsubscribe|users)"
)
_MACHINE_LABELS = frozenset(
    {
        "bounce",
        "bounces",
        "inbound",
        "mailer",
        "notifications",
        "notify",
        "parse",
        "relay",
        "replies",
        "reply",
        "tickets",
    }
)
_CALENDARS = ".calendar.google.com"
_TOKEN = re.compile(r"(?=(?:\D*\d){4})[0-9a-f]{16,}|(?=(?:\D*\d){6})[0-9a-z]{28,}")


def is_role(word: str) -> bool:
    """Whether a part of an address, in small letters, names a role (``sales``, ``buchhaltung``) and no person."""
    return word in _ROLES


@lru_cache(maxsize=16_384)
def shared_by(address: str) -> Shared | None:
    """What stands behind a canonical address, its tag aside, where it is plainly not one person.

    Told by the address alone: programs by what they call themselves or by names as nobody has them, lists by their hosts and
    what they are called, roles by the first word of the local part.
    """
    local, _, domain = address.rpartition("@")
    local = local.partition("+")[0]
    label = domain.partition(".")[0]
    if is_machine_name(local) or label in _MACHINE_LABELS or f".{domain}".endswith(_CALENDARS):
        return "machine"
    if _TOKEN.fullmatch(re.sub(r"[-_.=]", "", local)):
        return "machine"
    if label in _LIST_LABELS or _LIST_NAME.fullmatch(local) or registrable_domain(domain) in _LIST_HOSTS:
        return "list"
    first = re.split(r"[._-]", local, maxsplit=1)[0].rstrip("0123456789")
    return "role" if is_role(first) else None
