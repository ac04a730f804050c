"""Whole mails as customers write them, with everything that programs and companies add. Every name and number is invented."""

from __future__ import annotations

from dataclasses import dataclass

from autocapture.records import Address


@dataclass(frozen=True)
class Letter:
    """A mail's readable text, who wrote it, what of it they wrote, and how the signature begins."""

    name: str
    writer: Address
    text: str
    words: str
    signature: str


LETTERS = (
    Letter(
        "en, Outlook, double-spaced from HTML",
        Address("claire.dunmore@harrowgate.example", "Dunmore, Claire"),
        """Hi Ruth,

Thanks for the revised quote. Two points before I can take it to the board:

1. Is the installation included?

2. Can we have the spares list by Friday?

Kind regards,

Claire

Claire Dunmore

Head of Procurement | Harrowgate Ltd

T: +44 20 7946 0991  M: +44 7911 123456

12 Mill Lane, Leeds LS1 4AB

Please consider the environment before printing this e-mail.

This email and any attachments are confidential and intended solely for the addressee. If you are not the
intended recipient please delete it.

From: Ruth Miller <ruth@ours.example>
Sent: 10 March 2026 15:04
To: Dunmore, Claire <claire.dunmore@harrowgate.example>
Subject: Quote 4711

Dear Claire, please find attached our quote.

Ruth
""",
        """Hi Ruth,

Thanks for the revised quote. Two points before I can take it to the board:

1. Is the installation included?

2. Can we have the spares list by Friday?""",
        "Kind regards,",
    ),
    Letter(
        "en, iPhone, top posting",
        Address("tom@ashby.example", "Tom Ashby"),
        """Works for me. Can you send an invite?

Tom

Sent from my iPhone

> On 10 Mar 2026, at 15:04, Ruth Miller <ruth@ours.example> wrote:
>
> Hi Tom, would Thursday at ten suit you?
>
> Ruth
""",
        "Works for me. Can you send an invite?",
        "Tom",
    ),
    Letter(
        "de, company's small print",
        Address("j.achterberg@nordmetall.example", "Achterberg, Jürgen"),
        """Guten Tag Frau Müller,

vielen Dank für das Angebot. Wir benötigen die Pumpe bis Ende Mai, geht das?
Den Preis besprechen wir gerne am Telefon.

Mit freundlichen Grüßen / Best regards

i.A. Jürgen Achterberg
Leiter Einkauf

Nordmetall GmbH & Co. KG
Hafenstraße 12
20457 Hamburg
Tel.: +49 40 3690-120
Fax: +49 40 3690-199
E-Mail: j.achterberg@nordmetall.example
www.nordmetall.example

Sitz der Gesellschaft: Hamburg, Amtsgericht Hamburg HRA 12345
Geschäftsführer: Petra Kern, Dr. Uwe Lenz

Diese E-Mail enthält vertrauliche und/oder rechtlich geschützte Informationen.

Von: Müller, Ruth [mailto:ruth@ours.example]
Gesendet: Dienstag, 10. März 2026 15:04
An: Achterberg, Jürgen
Betreff: Angebot 4711

Sehr geehrter Herr Achterberg,
anbei unser Angebot.
""",
        """Guten Tag Frau Müller,

vielen Dank für das Angebot. Wir benötigen die Pumpe bis Ende Mai, geht das?
Den Preis besprechen wir gerne am Telefon.""",
        "Mit freundlichen Grüßen / Best regards",
    ),
    Letter(
        "fr, Gmail",
        Address("helene.vautrin@ateliers-vautrin.example", "Hélène Vautrin"),
        """Bonjour Ruth,

Merci pour votre retour rapide. Pourriez-vous nous confirmer le délai de livraison ?
Nous devons passer commande avant vendredi.

Bien cordialement,

*Hélène Vautrin*
Responsable achats
Ateliers Vautrin SAS
14 rue des Forges, 69007 Lyon
Tél. : +33 4 72 00 11 22

Le mar. 10 mars 2026 à 15:04, Ruth Miller <ruth@ours.example> a écrit :

> Bonjour Hélène,
> voici notre offre.
""",
        """Bonjour Ruth,

Merci pour votre retour rapide. Pourriez-vous nous confirmer le délai de livraison ?
Nous devons passer commande avant vendredi.""",
        "Bien cordialement,",
    ),
    Letter(
        "es, aviso legal",
        Address("inigo@larranaga.example", "Íñigo Larrañaga"),
        """Buenos días, Ruth:

Hemos revisado la oferta y nos encaja. ¿Podéis mejorar el plazo de entrega?

Un saludo,

Íñigo Larrañaga
Director de Compras
Talleres Larrañaga, S.L.
Tel. 943 00 12 34

AVISO LEGAL: Este mensaje es confidencial y va dirigido exclusivamente a su destinatario.

El mar, 10 mar 2026 a las 15:04, Ruth Miller (<ruth@ours.example>) escribió:

> Hola Íñigo: adjunto la oferta.
""",
        """Buenos días, Ruth:

Hemos revisado la oferta y nos encaja. ¿Podéis mejorar el plazo de entrega?""",
        "Un saludo,",
    ),
    Letter(
        "nl, Outlook",
        Address("maaike@veldetechniek.example", "Maaike van der Velde"),
        """Dag Ruth,

Bedankt voor de offerte. Kun je de levertijd nog bevestigen? Dan plaats ik de bestelling morgen.

Met vriendelijke groet,

Maaike van der Velde
Hoofd inkoop

Velde Techniek B.V. | Nijverheidsweg 8 | 3534 AM Utrecht
T 030 234 5678 | M 06 12345678

Van: Ruth Miller <ruth@ours.example>
Verzonden: dinsdag 10 maart 2026 15:04
Aan: Maaike van der Velde <maaike@veldetechniek.example>
Onderwerp: Offerte 4711

Beste Maaike, hierbij de offerte.
""",
        """Dag Ruth,

Bedankt voor de offerte. Kun je de levertijd nog bevestigen? Dan plaats ik de bestelling morgen.""",
        "Met vriendelijke groet,",
    ),
    Letter(
        "sv, Outlook",
        Address("asa.lindqvist@norrverk.example", "Åsa Lindqvist"),
        """Hej Ruth!

Tack för offerten. Vi behöver en leverans före midsommar, är det möjligt?

Med vänlig hälsning

Åsa Lindqvist
Inköpschef
Norrverk AB
Box 114, 901 03 Umeå
Mobil: 070-174 06 35

Från: Ruth Miller <ruth@ours.example>
Skickat: den 10 mars 2026 15:04
Till: Åsa Lindqvist
Ämne: Offert 4711

Hej Åsa, här kommer offerten.
""",
        """Hej Ruth!

Tack för offerten. Vi behöver en leverans före midsommar, är det möjligt?""",
        "Med vänlig hälsning",
    ),
    Letter(
        "zh, Foxmail",
        Address("wangxm@huadong.example", "王晓梅"),
        """Ruth 您好：

报价已收到，请确认交货期能否提前到五月中旬。
另外请提供备件清单。

此致
敬礼

王晓梅
采购经理
华东机械有限公司
电话：021-6120 1234

发件人： Ruth Miller
发送时间： 2026-03-10 15:04
收件人： 王晓梅
主题： 报价 4711

王女士您好，附件是我们的报价。
""",
        """Ruth 您好：

报价已收到，请确认交货期能否提前到五月中旬。
另外请提供备件清单。""",
        "此致",
    ),
    Letter(
        "en, answers in place",
        Address("bo.lind@lind.example", "Bo Lind"),
        """Hi Ruth, see below.

On 10/03/2026 15:04, Ruth Miller wrote:
> Is the hall heated?

Yes, to 15 degrees.

> And who opens the gate?

Our guard does, from six o'clock.

Best,
Bo

--
Bo Lind, Lind AB, +46 8 555 123 40
""",
        """Hi Ruth, see below.


Yes, to 15 degrees.


Our guard does, from six o'clock.""",
        "Best,",
    ),
    Letter(
        "it, nothing but thanks and a name",
        Address("n.bressan@bressan-impianti.example", "Niccolò Bressan"),
        """Buongiorno Ruth,
confermo l'appuntamento di giovedì alle 10.
Grazie
Niccolò

Il giorno mar 10 mar 2026 alle ore 15:04 Ruth Miller <ruth@ours.example> ha scritto:

> Giovedì alle 10 va bene?
""",
        "Buongiorno Ruth,\nconfermo l'appuntamento di giovedì alle 10.",
        "Grazie",
    ),
    Letter(
        "pl, Outlook",
        Address("l.wrobel@wrobel.example", "Łukasz Wróbel"),
        """Dzień dobry,

dziękuję za ofertę. Proszę o informację, czy cena obejmuje transport.

Z poważaniem

Łukasz Wróbel
Kierownik Działu Zakupów
Wróbel Sp. z o.o.
tel. +48 22 555 01 23

Od: Ruth Miller <ruth@ours.example>
Wysłano: wtorek, 10 marca 2026 15:04
Do: Łukasz Wróbel
Temat: Oferta 4711

W załączeniu oferta.
""",
        """Dzień dobry,

dziękuję za ofertę. Proszę o informację, czy cena obejmuje transport.""",
        "Z poważaniem",
    ),
    Letter(
        "en, not signed",
        Address("ops@plant.example", "Plant Operations"),
        """The pump tripped twice last night. Log attached.

Line 3: 02:14
Line 4: 04:40
""",
        """The pump tripped twice last night. Log attached.

Line 3: 02:14
Line 4: 04:40""",
        "",
    ),
)
