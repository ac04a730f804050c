"""The fields of a form from the options of a connector, which are a third party's too."""

from __future__ import annotations

import re
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

LONGEST = 2_000
_LABELS = {"url": "Address"}


@dataclass(frozen=True, slots=True)
class OptionField:
    """One input. `choices` are those of a list, empty for text and numbers."""

    name: str
    label: str
    hint: str
    kind: Literal["text", "number", "choice"]
    choices: tuple[str, ...]
    required: bool
    value: str


def option_fields(options: type[BaseModel], given: Mapping[str, str]) -> tuple[OptionField, ...]:
    """What can be asked in a browser: files are on the server, so their options are the command line's. `given` is what was
    typed already."""
    found = []
    for name, field in options.model_fields.items():
        kind = _plain(field.annotation)
        choices = tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()
        if not choices and kind not in (str, int):
            continue
        default = "" if field.is_required() or field.get_default() is None else str(field.get_default())
        found.append(
            OptionField(
                name=name,
                label=_label(name),
                hint=_hint(field, choices),
                kind="choice" if choices else "number" if kind is int else "text",
                choices=choices,
                required=field.is_required(),
                value=given.get(name, default),
            )
        )
    return tuple(found)


def typed_in(options: type[BaseModel], form: Mapping[str, Any]) -> dict[str, str]:
    """The options that a form holds; what was left empty is as if it were not there."""
    names = [field.name for field in option_fields(options, {})]
    texts = {name: form.get(name) for name in names}
    return {
        name: text.strip()[:LONGEST] for name, text in texts.items() if isinstance(text, str) and text.strip()
    }


def in_form(text: str) -> str:
    """What is told at the command line of its flags, in the words of the form."""
    told = re.sub(r"^connect \S+: ", "", text)
    return re.sub(r"--([a-z][a-z-]*)", lambda flag: f"“{_label(flag[1].replace('-', '_'))}”", told)


def _label(name: str) -> str:
    return _LABELS.get(name, name.replace("_", " ").capitalize())


def _plain(annotation: Any) -> Any:
    """`int` of `int | None`."""
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [each for each in get_args(annotation) if each is not type(None)]
        return kinds[0] if len(kinds) == 1 else Path
    return annotation


def _hint(field: FieldInfo, choices: tuple[str, ...]) -> str:
    text = field.description or ""
    return text if text.startswith(choices) and choices else f"{text[:1].upper()}{text[1:]}"
