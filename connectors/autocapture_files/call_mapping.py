"""How the columns of a call log are read: a TOML file, or the one for Asterisk that ships beside this module."""

from __future__ import annotations

import codecs
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from autocapture.errors import SetupError, wrong_value
from autocapture.records import CallOutcome

ASTERISK = Path(__file__).with_name("asterisk.toml")

Direction = Literal["inbound", "outbound", "internal", "unknown"]
Target = Literal[
    "call_id",
    "caller",
    "callee",
    "started_at",
    "talked_for",
    "outcome",
    "outcome_override",
    "direction",
    "group",
    "owner",
]


class Values(BaseModel):
    """Words of the log to ours; one that is not listed is `unknown` (and, for `outcome_override`, overrides nothing)."""

    model_config = ConfigDict(extra="forbid")

    outcome: dict[str, CallOutcome] = Field(default_factory=dict)
    outcome_override: dict[str, CallOutcome] = Field(default_factory=dict)
    direction: dict[str, Direction] = Field(default_factory=dict)


class CallMapping(BaseModel):
    """One layout of a call log. `columns` name the header's words, or positions from 1 where `header` is false."""

    model_config = ConfigDict(extra="forbid")

    delimiter: str = Field(",", min_length=1, max_length=1)
    encoding: str = "utf-8-sig"
    header: bool = True
    date_format: str | list[str] = "%Y-%m-%d %H:%M:%S"
    time_zone: str | None = None
    duration_unit: Literal["seconds", "minutes", "milliseconds"] = "seconds"
    columns: dict[Target, str | int]
    constants: dict[Target, str] = Field(default_factory=dict)
    values: Values = Field(default_factory=Values)

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str | None) -> str | None:
        if name is not None:
            try:
                ZoneInfo(name)
            except (OSError, LookupError) as error:
                raise ValueError(f"no such time zone: {name}") from error
        return name

    @field_validator("encoding")
    @classmethod
    def _is_an_encoding(cls, name: str) -> str:
        try:
            codecs.lookup(name)
        except LookupError as error:
            raise ValueError(f"no such encoding: {name}") from error
        return name

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        missing = {"caller", "callee", "started_at"} - self.columns.keys() - self.constants.keys()
        if missing:
            raise ValueError(f"no column or constant for {', '.join(sorted(missing))}")
        wanted = str if self.header else int
        if not all(isinstance(column, wanted) for column in self.columns.values()):
            raise ValueError("columns are names under a header, positions (from 1) without one")
        if any(isinstance(column, int) and column < 1 for column in self.columns.values()):
            raise ValueError("positions of columns begin at 1")
        return self

    @property
    def date_formats(self) -> list[str]:
        return [self.date_format] if isinstance(self.date_format, str) else self.date_format

    def words(self, target: Literal["outcome", "outcome_override", "direction"]) -> Mapping[str, str]:
        """The value map of one column, keys compared without case."""
        return {word.strip().casefold(): meaning for word, meaning in getattr(self.values, target).items()}


def load_mapping(path: Path | None) -> CallMapping:
    """The mapping in `path`, Asterisk's when None. Raises SetupError, naming the place, for a bad one."""
    path = path or ASTERISK
    try:
        return CallMapping.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise SetupError(f"{path} is not TOML: it is not text in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise SetupError(f"{path} is not TOML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "mapping"
        raise SetupError(f"{path}: {place}: {wrong_value(first)}") from None
