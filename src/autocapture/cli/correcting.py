"""`correct` and `review`: what people say of activities, and what is asked of them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from autocapture.cli.application import open_application, organization_zone
from autocapture.cli.output import Format, FormatOption, emit

if TYPE_CHECKING:
    from autocapture.application import Application
    from autocapture.model.corrections import Said
    from autocapture.workflows.correct import Corrected
    from autocapture.workflows.review import Question


class HowFar(StrEnum):
    ITEM = "item"
    THREAD = "thread"
    PERSON = "person"
    DOMAIN = "domain"


ActivityArgument = Annotated[
    int,
    typer.Argument(metavar="ACTIVITY", min=0, max=2**63 - 1, help="Its number, as `activities` lists it."),
]
AsOption = Annotated[str, typer.Option("--as", metavar="EMAIL", help="Who says so.")]
ScopeOption = Annotated[
    HowFar,
    typer.Option(
        "--scope",
        help="How far it holds: for this item, its thread or series, the person, or their domain. Of the last two a deal holds "
        "from this item on, until it closes.",
    ),
]
WithOption = Annotated[
    str,
    typer.Option(
        "--with", metavar="ADDRESS", help="Whom the scope means. Default: who wrote, or the only one outside."
    ),
]


def register(app: typer.Typer) -> None:
    correct = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help="Say what an activity is about, or who somebody is.",
    )
    correct.command("deal")(correct_deal)
    correct.command("no-deal")(correct_no_deal)
    correct.command("person")(correct_person)
    correct.command("not-business")(correct_not_business)
    correct.command("undo")(correct_undo)
    correct.command("list")(correct_list)
    app.add_typer(correct, name="correct")
    review = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help="List what stayed undecided, and answer it."
    )
    review.command("list")(review_list)
    review.command("answer")(review_answer)
    review.command("checks")(review_checks)
    app.add_typer(review, name="review")


def correct_deal(
    activity: ActivityArgument,
    deal: Annotated[str, typer.Argument(metavar="DEAL", help="Its key or name in the CRM.")],
    speaker: AsOption,
    scope: ScopeOption = HowFar.ITEM,
    person: WithOption = "",
) -> None:
    """Say which deal an activity is about."""
    _say(activity, speaker, "deal", scope, deal=deal, handle=person)


def correct_no_deal(
    activity: ActivityArgument, speaker: AsOption, scope: ScopeOption = HowFar.ITEM, person: WithOption = ""
) -> None:
    """Say that an activity is about no deal."""
    _say(activity, speaker, "no_deal", scope, handle=person)


def correct_person(
    activity: ActivityArgument,
    address: Annotated[str, typer.Argument(metavar="ADDRESS", help="The address or number, as it is there.")],
    contact: Annotated[
        str,
        typer.Argument(metavar="CONTACT", help="Their key, address or name in the CRM; `nobody` for none."),
    ],
    speaker: AsOption,
    scope: ScopeOption = HowFar.ITEM,
) -> None:
    """Say who somebody in an activity is."""
    _say(
        activity,
        speaker,
        "person",
        scope,
        handle=address,
        contact=None if contact == "nobody" else contact,
    )


def correct_not_business(
    activity: ActivityArgument, speaker: AsOption, scope: ScopeOption = HowFar.ITEM, person: WithOption = ""
) -> None:
    """Say that an activity is not business.

    It counts nothing then, and is shown to nobody but those who took part. The ledger keeps its row.
    """
    _say(activity, speaker, "not_business", scope, handle=person)


def correct_undo(
    correction: Annotated[
        int,
        typer.Argument(
            metavar="CORRECTION", min=0, max=2**31 - 1, help="Its number, as `correct list` tells it."
        ),
    ],
    speaker: AsOption,
) -> None:
    """Take a correction back. It stays in the log."""
    from autocapture.workflows.correct import undo
    from autocapture.workflows.people_access import user_id_of
    from autocapture.workflows.rollups import refresh_rollups

    app = open_application()
    undone = undo(app, user_id_of(app, speaker), correction)
    refresh_rollups(app)
    typer.echo(f"correction {correction} is taken back; {_moved(undone.changed)}")


def correct_list(
    speaker: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="EMAIL", help="Theirs, and of those whom they lead. Default: everybody's."
        ),
    ] = None,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """List what was said, newest first.

    What was taken back is listed too."""
    from autocapture.cli.values import moment
    from autocapture.workflows.corrections_told import listed
    from autocapture.workflows.people_access import user_id_of

    app = open_application()
    zone = organization_zone(app)
    found = listed(app, None if speaker is None else user_id_of(app, speaker))
    emit(
        (
            {
                "correction": one.correction_id,
                "at": moment(one.at, zone) if fmt is Format.TABLE else one.at,
                "by": one.by,
                "said": one.whole,
                "activity": str(one.activity_id),
                "of": ", ".join(one.for_users),
                "undone_by": one.undone_by,
            }
            for one in found
        ),
        fmt,
    )


def review_list(
    speaker: Annotated[str, typer.Option("--as", metavar="EMAIL", help="Whose.")],
    team: Annotated[bool, typer.Option("--team", help="Also of those whom they lead.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="So many questions.")] = 20,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """List what stayed undecided, with the deals to choose from."""
    from autocapture.workflows.people_access import user_id_of
    from autocapture.workflows.review import queue

    app = open_application()
    found = queue(app, user_id_of(app, speaker), team=team, most=most)
    if fmt is Format.TABLE:
        for number, question in enumerate(found.questions):
            typer.echo(("\n" if number else "") + "\n".join(_asked(app, question)))
        if not found.questions:
            typer.echo("nothing is undecided")
        elif found.total > len(found.questions):
            typer.echo(f"\nand {found.total - len(found.questions)} more", err=True)
        return
    emit((_row(question) for question in found.questions), fmt)


def review_answer(
    activity: ActivityArgument,
    choice: Annotated[
        str,
        typer.Argument(
            metavar="ANSWER",
            help="1, 2 or 3 of the deals that `review list` tells, `none`, `not-business`, `yes` to a spot check, or a "
            "deal's key or name.",
        ),
    ],
    speaker: AsOption,
    scope: ScopeOption = HowFar.THREAD,
) -> None:
    """Answer what stayed undecided.

    It holds for the whole thread, or as far as you say."""
    from autocapture.workflows.people_access import user_id_of
    from autocapture.workflows.review import answer

    app = open_application()
    _tell(app, answer(app, user_id_of(app, speaker), activity, choice, scope.value))


def review_checks(
    speaker: Annotated[str, typer.Option("--as", metavar="EMAIL", help="Whose.")],
    team: Annotated[bool, typer.Option("--team", help="Also of those whom they lead.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, max=200, help="So many.")] = 20,
    fmt: FormatOption = Format.TABLE,
) -> None:
    """List the spot checks: asked is whether the deal is the right one.

    One thread in ten is asked about. Answer with `review answer ACTIVITY yes`, or with what is right.
    """
    from autocapture.cli.values import moment
    from autocapture.workflows.people_access import user_id_of
    from autocapture.workflows.spot_checks import spot_checks

    app = open_application()
    zone = organization_zone(app)
    found = spot_checks(app, user_id_of(app, speaker), team=team, most=most)
    emit(
        (
            {
                "activity": str(one.activity_id),
                "at": moment(one.at, zone) if fmt is Format.TABLE else one.at,
                "kind": one.kind,
                "subject": one.subject,
                "with": ", ".join(one.outside),
                "deal": one.deal,
                "key": one.key,
            }
            for one in found
        ),
        fmt,
    )


def _say(
    activity: int,
    speaker: str,
    said: Said,
    scope: HowFar,
    *,
    deal: str = "",
    handle: str = "",
    contact: str | None = None,
) -> None:
    from autocapture.workflows.correct import Saying, correct
    from autocapture.workflows.people_access import user_id_of

    app = open_application()
    saying = Saying(said, scope.value, deal, handle, contact)
    _tell(app, correct(app, user_id_of(app, speaker), activity, saying))


def _tell(app: Application, made: Corrected) -> None:
    from autocapture.store.engine import reading
    from autocapture.workflows.corrections_told import one
    from autocapture.workflows.rollups import refresh_rollups

    refresh_rollups(app)
    with reading(app.engine) as session:
        told = one(session, made.correction_id)
    sentence = "" if told is None else told.whole
    typer.echo(f"{sentence} (correction {made.correction_id}; {_moved(made.changed)})")


def _moved(changed: int) -> str:
    if changed == 0:
        return "nothing is matched differently now"
    return f"{changed} {'activity is' if changed == 1 else 'activities are'} matched differently now"


def _asked(app: Application, question: Question) -> list[str]:
    from autocapture.cli.explaining import choices, headline

    zone = organization_zone(app)
    alike = f", and {question.alike - 1} more of its thread" if question.alike > 1 else ""
    return [
        f"{question.activity_id}  {headline(question.kind, question.at, question.subject, zone)}{alike}",
        f"  {', '.join(question.ours)} with {', '.join(question.outside)}: {question.why}",
        *choices(question.alternatives, most=3),
    ]


def _row(question: Question) -> dict[str, object]:
    return {
        "activity": str(question.activity_id),
        "kind": question.kind,
        "occurred_at": question.at,
        "direction": question.direction,
        "subject": question.subject,
        "with": list(question.outside),
        "ours": list(question.ours),
        "review": question.why,
        "undecided_in_thread": question.alike,
        "candidates": [
            {"deal": each.key, "name": each.name, "p": each.p, "reasons": list(each.reasons)}
            for each in question.alternatives.deals[:3]
        ],
    }
