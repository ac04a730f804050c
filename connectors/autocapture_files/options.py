"""What an account of this connector names."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class FilesOptions(BaseModel):
    """Paths to read; any combination, at least one. Each is only read, never changed."""

    model_config = ConfigDict(extra="forbid")

    maildir: Path | None = Field(None, description="a Maildir, its Maildir++ folders included")
    mbox: Path | None = Field(None, description="an mbox file")
    eml: Path | None = Field(None, description="a folder of .eml files, sub-folders included")
    ics: Path | None = Field(None, description="an iCalendar file, or a folder of them")
    calls: Path | None = Field(None, description="a call log as CSV")
    mapping: Path | None = Field(
        None, description="how the call log's columns are read (TOML); default: Asterisk's Master.csv"
    )
