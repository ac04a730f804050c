"""Names that mail programs and providers give to folders with a role, where the server does not flag them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Role = Literal["sent", "drafts", "junk", "trash"]

_BY_ROLE: Mapping[Role, str] = {
    "sent": """
        Sent|Sent Items|Sent Mail|Sent Messages|Outgoing
        Gesendet|Gesendete Elemente|Gesendete Objekte|Gesendete Nachrichten|Gesendete E-Mails
        Verzonden|Verzonden items|Verzonden berichten|Verzonden e-mail
        Skickat|Skickade|Skickade objekt|Skickade meddelanden|Sendt|Sendt post|Sendte elementer|Sendte meldinger
        Sendte e-mails|Lähetetyt|Lähetetyt viestit|Lähetetyt kohteet
        Envoyés|Éléments envoyés|Messages envoyés|Courrier envoyé|Objets envoyés
        Enviados|Elementos enviados|Mensajes enviados|Correo enviado|Itens enviados|Mensagens enviadas|Enviadas
        E-mails enviados|Elements enviats|Posta inviata|Inviata|Inviati|Messaggi inviati
        Wysłane|Elementy wysłane|Wiadomości wysłane|Odeslaná pošta|Odeslané|Odoslaná pošta|Odoslané
        Elküldött elemek|Elküldött levelek|Elküldött|Trimise|Elemente trimise|Mesaje trimise
        Отправленные|Отправленные элементы|Надіслані|Відправлені|Изпратени|Poslano|Poslani predmeti|Poslata pošta
        Gönderilmiş Öğeler|Gönderilenler|Gönderilmiş Postalar|Gönderilen|Απεσταλμένα|Σταλμένα
        送信済み|送信済みアイテム|送信済みメール|送信済みトレイ|送信|已发送|已发送邮件|已发邮件|已傳送|寄件備份|寄件匣備份
        已傳送的郵件|보낸편지함|보낸 편지함|보낸 메일함|פריטים שנשלחו|דואר יוצא|נשלח|العناصر المرسلة|البريد المرسل|المرسلة
        Đã gửi|Thư đã gửi|Terkirim|Item Terkirim|ส่งแล้ว|รายการที่ส่ง|Saadetud|Nosūtītie|Išsiųsti
    """,
    "drafts": """
        Drafts|Draft|Entwürfe|Entwurf|Concepten|Utkast|Kladder|Luonnokset|Brouillons|Borradores|Borrador|Rascunhos
        Esborranys|Bozze|Bozza|Kopie robocze|Szkice|Wersje robocze|Koncepty|Rozepsané|Rozpísané|Piszkozatok|Ciorne
        Schițe|Черновики|Чернетки|Чернови|Osnutki|Nacrti|Taslaklar|Πρόχειρα|下書き|下書|草稿|草稿箱|草稿匣|草稿夹|임시보관함
        임시 보관함|טיוטות|مسودات|المسودات|Thư nháp|Bản nháp|Draf|ร่างจดหมาย|Mustandid|Melnraksti|Juodraščiai
    """,
    "junk": """
        Junk|Junk E-mail|Junk Email|Junk Mail|Spam|Bulk Mail|Bulk|Spamverdacht|Junk-E-Mail|Unerwünscht|Unerwünschte Werbung
        Ongewenste e-mail|Ongewenst|Skräppost|Skräp|Uønsket e-post|Søppelpost|Uønsket mail|Uønsket post|Roskaposti
        Courrier indésirable|Indésirables|Pourriel|Correo no deseado|No deseado|Lixo eletrônico|Lixo electrónico
        Correu brossa|Posta indesiderata|Indesiderata|Wiadomości-śmieci|Niechciane|Nevyžádaná pošta|Nevyžiadaná pošta
        Levélszemét|Kéretlen levelek|E-mail nedorit|Mesaje nedorite|Нежелательная почта|Спам|Небажана пошта|Нежелана поща
        Önemsiz E-posta|Önemsiz|İstenmeyen|Ανεπιθύμητη αλληλογραφία|Ανεπιθύμητα|迷惑メール|垃圾邮件|垃圾郵件|垃圾邮箱
        정크 메일|스팸메일함|스팸함|דואר זבל|البريد غير الهام|البريد العشوائي|Thư rác|อีเมลขยะ|Rämpspost
    """,
    "trash": """
        Trash|Deleted|Deleted Items|Deleted Messages|Bin|Rubbish|Papierkorb|Gelöscht|Gelöschte Elemente|Gelöschte Objekte
        Prullenbak|Verwijderde items|Verwijderd|Papperskorgen|Papperskorg|Borttagna objekt|Borttaget|Papirkurv|Papirkurven
        Slettede elementer|Slettet post|Slettede e-mails|Roskakori|Poistetut|Poistetut kohteet|Corbeille
        Éléments supprimés|Messages supprimés|Papelera|Elementos eliminados|Eliminados|Lixeira|Lixo|Itens excluídos
        Itens eliminados|Paperera|Elements suprimits|Cestino|Posta eliminata|Eliminata|Kosz|Elementy usunięte|Usunięte
        Koš|Odstraněná pošta|Odstránená pošta|Kôš|Törölt elemek|Kuka|Lomtár|Coș de gunoi|Elemente șterse|Gunoi
        Корзина|Удаленные|Удалённые|Удаленные элементы|Кошик|Видалені|Кошче|Изтрити|Smetnjak|Koš za smeće
        Çöp Kutusu|Çöp|Silinmiş Öğeler|Διαγραμμένα|Κάδος απορριμμάτων|ゴミ箱|削除済みアイテム|已删除|已删除邮件|已刪除的郵件
        垃圾桶|垃圾箱|刪除的郵件|휴지통|지운 편지함|지운편지함|אשפה|פריטים שנמחקו|العناصر المحذوفة|سلة المهملات|المهملات
        Thùng rác|Đã xóa|Sampah|Kotak Sampah|ถังขยะ|Prügikast|Atkritne|Šiukšlinė
    """,
}

NAMES: Mapping[str, Role] = {
    name.strip().casefold(): role
    for role, names in _BY_ROLE.items()
    for line in names.strip().splitlines()
    for name in line.split("|")
}
"""Case-folded last part of a folder's name to its role."""
