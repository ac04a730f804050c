"""Folders that hold no correspondence, by the names that mail programs give them in many languages."""

from __future__ import annotations

_DRAFTS = (
    *("drafts", "draft", "entwürfe", "brouillons", "borradores", "bozze", "rascunhos", "concepten", "utkast"),
    *("kladder", "luonnokset", "koncepty", "wersje robocze", "szkice", "piszkozatok", "ciorne", "черновики"),
    *("чернетки", "taslaklar", "下書き", "草稿", "草稿箱", "임시 보관함"),
)
_TRASH = (
    *(
        "trash",
        "deleted",
        "deleted items",
        "deleted messages",
        "bin",
        "wastebasket",
        "papierkorb",
        "gelöscht",
    ),
    *("gelöschte elemente", "gelöschte objekte", "corbeille", "éléments supprimés", "papelera", "eliminados"),
    *(
        "elementos eliminados",
        "cestino",
        "posta eliminata",
        "lixeira",
        "lixo",
        "itens excluídos",
        "prullenbak",
    ),
    *("verwijderde items", "papperskorgen", "papirkurv", "slettet post", "roskakori", "koš", "kosz"),
    *("elementy usunięte", "kuka", "törölt elemek", "coș de gunoi", "корзина", "удаленные", "кошик"),
    *("çöp kutusu", "silinmiş öğeler", "ゴミ箱", "削除済みアイテム", "已删除邮件", "垃圾箱", "휴지통"),
)
_JUNK = (
    *("junk", "spam", "junk e-mail", "junk email", "junk-e-mail", "bulk mail", "quarantine", "spamverdacht"),
    *("unerwünscht", "unerwünschte werbung", "courrier indésirable", "indésirables", "pourriel"),
    *("correo no deseado", "posta indesiderata", "lixo eletrônico", "lixo eletrónico", "ongewenste e-mail"),
    *("skräppost", "søppelpost", "uønsket mail", "roskaposti", "nevyžádaná pošta", "wiadomości-śmieci"),
    *(
        "levélszemét",
        "спам",
        "нежелательная почта",
        "istenmeyen",
        "gereksiz e-posta",
        "迷惑メール",
        "垃圾邮件",
        "스팸",
    ),
)
_OTHER = ("outbox", "postausgang", "templates", "vorlagen", "sync issues", "rss feeds")

_LEFT_OUT = frozenset((*_DRAFTS, *_TRASH, *_JUNK, *_OTHER))


def is_left_out(name: str) -> bool:
    """Whether the folder, or one that it lies in, holds drafts, deleted mail, junk or unsent mail."""
    return any(part.strip().casefold() in _LEFT_OUT for part in name.split("/"))
