"""What an administrator says about a CalDAV server."""

from __future__ import annotations

from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class CaldavOptions(BaseModel):
    """Where the calendars are: an address, or a domain whose host tells it (RFC 6764)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = Field(
        default=None, max_length=2_000, description="address of the CalDAV server, or of one calendar"
    )
    domain: str | None = Field(
        default=None,
        min_length=1,
        max_length=253,
        pattern=r"^[^\s/@:?#\x00-\x1f]+$",
        description="instead of the address: a domain that tells where its calendars are (/.well-known/caldav)",
    )
    ca_file: Path | None = Field(default=None, description="certificates of a private authority (PEM)")

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("https", "http") or not parts.hostname or not url.isprintable() or " " in url:
            raise ValueError("must begin with https:// and a host")
        if parts.username or parts.password:
            raise ValueError("must not hold a user name or password")
        if parts.query or parts.fragment:
            raise ValueError("must not hold a query")
        return url

    @model_validator(mode="after")
    def _names_one_place(self) -> Self:
        if (self.url is None) == (self.domain is None):
            raise ValueError("give --url or --domain, one of them")
        return self

    @property
    def start(self) -> str:
        """The address that is asked first."""
        return self.url or f"https://{self.domain}/.well-known/caldav"

    @property
    def host(self) -> str:
        """The server's name: a login that is no address is one person's here alone."""
        return urlsplit(self.start).hostname or ""
