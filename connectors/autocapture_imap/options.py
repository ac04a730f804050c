"""What an administrator says about an IMAP server."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Security = Literal["tls", "starttls", "none"]


class ImapOptions(BaseModel):
    """Where the mailbox is. `port` defaults to 993 for TLS, else 143; `none` is for servers on this machine only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(
        min_length=1, max_length=253, pattern=r"^[^\s/@\x00-\x1f]+$", description="name of the IMAP server"
    )
    port: int | None = Field(default=None, ge=1, le=65535, description="993 for tls, 143 otherwise")
    security: Security = Field(default="tls", description="tls, starttls, or none (loopback addresses only)")
    ca_file: Path | None = Field(default=None, description="certificates of a private authority (PEM)")

    @property
    def port_number(self) -> int:
        return self.port or (993 if self.security == "tls" else 143)
