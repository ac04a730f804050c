"""How the CRM of a world is imported: its files already have the words of the mirror."""

from autocapture.evaluate.sheets import COMPANIES, CONTACTS, DEAL_CONTACTS, DEALS, STAGE_CHANGES

PRODUCTS = "products.csv"
"""Made beside the others: a world tells products by name, where deals name them."""

_FIELDS = {
    "companies": (COMPANIES.file, ("key", "name", "domains", "partner")),
    "products": (PRODUCTS, ("name",)),
    "contacts": (CONTACTS.file, ("key", "name", "emails", "phones", "company", "created_at")),
    "deals": (
        DEALS.file,
        (
            "key", "name", "company", "owner", "pipeline", "created_at", "closed_at", "outcome", "amount", "currency",
            "products", "references",
        ),
    ),
    "deal_contacts": (DEAL_CONTACTS.file, ("deal", "contact", "role", "since", "source")),
    "stage_changes": (STAGE_CHANGES.file, ("deal", "stage", "at")),
}  # fmt: skip

MAPPING = '[source]\ncurrency = "EUR"\n' + "".join(
    f'[{section}]\nfile = "{file}"\n[{section}.columns]\n' + "".join(f'{name} = "{name}"\n' for name in names)
    for section, (file, names) in _FIELDS.items()
)
