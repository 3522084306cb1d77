"""Event records as files: CSV for spreadsheets, JSON Lines with everything, Parquet for data frames.

CSV and Parquet have the same columns, see `columns`. Several fillers of a role are joined by ``; `` in CSV; in Parquet
they are lists, of which ``DataFrame.explode`` makes a row each.
"""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import shown
from ..files import whole
from .articles import Article
from .formats.common.lines import escape_surrogates, to_json
from .problems import DataError, Problem, ProblemLog
from .records import EventRecord, Filler, is_date_role, is_place_role, publication_day

if TYPE_CHECKING:
    import pyarrow as pa

ROW_GROUP = 10_000
"""Records that are held in memory until Parquet writes them."""

_BYTE_ORDER_MARK = "\ufeff"
_Cell = Callable[[EventRecord], Any]
_Column = tuple[str, _Cell]
"""The kind of the values, one of `_KINDS`, and how a record gives one."""
_KINDS = ("text", "offset", "score", "texts", "offsets", "scores")


# ---- columns ---------------------------------------------------------------------------------------------------------


def columns(roles: Iterable[str]) -> list[str]:
    """The columns of the tables: first those that a person reads, then labels, offsets and scores.

    Args:
        roles: of the scheme. A role has the columns ``actor``, ``actor_label``, ``actor_start``, ``actor_end`` and
            ``actor_score``, one of dates also ``date_value``, ``date_granularity`` and ``date_rule``, one of dates or
            places ``date_inherited``.

    >>> columns(["Actor"])[8:11]
    ['actor', 'sentence', 'dateline']
    """
    return list(_columns(tuple(roles)))


_EVENT: dict[str, _Column] = {
    "article_id": ("text", lambda record: record.article_id),
    "title": ("text", lambda record: record.title),
    "source": ("text", lambda record: record.source),
    "published": ("text", lambda record: record.published),
    "event_id": ("text", lambda record: record.event_id),
    "type": ("text", lambda record: record.type),
    "score": ("score", lambda record: record.score),
    "trigger": ("text", lambda record: record.trigger.text),
}
_CONTEXT: dict[str, _Column] = {
    "sentence": ("text", lambda record: record.sentence.text),
    "dateline": ("text", lambda record: record.dateline.text if record.dateline else ""),
}
_OFFSETS: dict[str, _Column] = {
    "trigger_start": ("offset", lambda record: record.trigger.start),
    "trigger_end": ("offset", lambda record: record.trigger.end),
    "sentence_start": ("offset", lambda record: record.sentence.start),
    "sentence_end": ("offset", lambda record: record.sentence.end),
    "dateline_start": ("offset", lambda record: record.dateline.start if record.dateline else None),
    "dateline_end": ("offset", lambda record: record.dateline.end if record.dateline else None),
}


def _columns(roles: Sequence[str]) -> dict[str, _Column]:
    read, exact = dict(_EVENT), dict(_OFFSETS)
    for role in roles:
        texts, details = _role_columns(role)
        stem = "".join(sign if sign.isalnum() else "_" for sign in role.lower())
        taken = read.keys() | exact.keys() | _CONTEXT.keys()
        while any(stem + name in taken for name in (*texts, *details)):
            stem += "_"  # a role may be named like a column
        read |= {stem + name: column for name, column in texts.items()}
        exact |= {stem + name: column for name, column in details.items()}
    return read | _CONTEXT | exact


def _role_columns(role: str) -> tuple[dict[str, _Column], dict[str, _Column]]:
    """Columns of a role that a person reads, and the others; their names lack the name of the role before them."""

    def each(kind: str, value: Callable[[Filler], Any]) -> _Column:
        return kind, lambda record: [value(filler) for filler in record.fillers.get(role, ())]

    texts = {"": each("texts", lambda filler: filler.text)}
    details = {
        "_label": each("texts", lambda filler: filler.label),
        "_start": each("offsets", lambda filler: filler.start),
        "_end": each("offsets", lambda filler: filler.end),
        "_score": each("scores", lambda filler: filler.score),
    }
    if is_date_role(role):
        texts["_value"] = each("texts", lambda filler: filler.date.value if filler.date else "")
        details["_granularity"] = each("texts", lambda filler: filler.date.granularity if filler.date else "")
        details["_rule"] = each("texts", lambda filler: filler.date.rule if filler.date else "")
    if is_date_role(role) or is_place_role(role):
        texts["_inherited"] = each("texts", lambda filler: filler.inherited)
    return texts, details


# ---- files -----------------------------------------------------------------------------------------------------------


def write_events(
    articles: Iterable[Article],
    path: str | Path,
    log: ProblemLog | None = None,
    *,
    format: str | None = None,
    roles: Iterable[str] = (),
) -> ProblemLog:
    """Write the events of articles; the file is replaced when it is complete.

    Args:
        articles: may be a stream; at most `ROW_GROUP` records are held in memory.
        path: the file.
        log: takes the number of articles, and what was lost; None makes one.
        format: ``csv``, ``jsonl`` or ``parquet``; None goes by the suffix.
        roles: roles that have columns, such as ``scheme.roles``. Fillers of other roles are in JSON Lines alone; what
            CSV and Parquet lose is logged.

    Returns:
        The log.

    Raises:
        DataError: the suffix is that of no format.
    """
    path = Path(path)
    write = _WRITERS[format or record_format(path)]
    log = ProblemLog(source=str(path)) if log is None else log
    with whole(path) as part:
        write(articles, part, log, roles=tuple(roles))
    return log


def record_format(path: str | Path) -> str:
    """The format of a file of event records, by its suffix.

    >>> record_format("events.parquet")
    'parquet'

    Raises:
        DataError: the suffix is that of no format.
    """
    suffix = Path(path).suffix.lower().removeprefix(".")
    if suffix not in _WRITERS:
        known = ", ".join(f".{format}" for format in _WRITERS)
        message = f"event records are written by the suffix of the file: {known}"
        raise DataError([Problem(source=str(path), cause="unknown format", message=message)])
    return suffix


def csv_lines(articles: Iterable[Article], log: ProblemLog, *, roles: Iterable[str] = ()) -> Iterator[str]:
    """The lines of a CSV file, without a byte order mark. Texts are on one line, and guarded against formulas."""
    roles = tuple(roles)
    table = _columns(roles)
    yield _row(table)
    for record in _records(articles, log, roles):
        _log_other_roles(record, roles, log)
        yield _row(_cell(kind, value(record)) for kind, value in table.values())


def json_lines(articles: Iterable[Article], log: ProblemLog, *, roles: Iterable[str] = ()) -> Iterator[str]:
    """The lines of a JSON Lines file: an object for each record, with the fields of `EventRecord`."""
    for record in _records(articles, log, tuple(roles)):
        yield escape_surrogates(to_json(_plain(record))) + "\n"


def _write_lines(
    lines: Callable[..., Iterator[str]],
    articles: Iterable[Article],
    path: Path,
    log: ProblemLog,
    *,
    roles: Sequence[str],
    start: str = "",
) -> None:
    with path.open("w", encoding="utf-8", newline="", errors="backslashreplace") as file:
        file.write(start)
        file.writelines(lines(articles, log, roles=roles))


def _write_parquet(articles: Iterable[Article], path: Path, log: ProblemLog, *, roles: Sequence[str]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = _columns(roles)
    types = _arrow_types()
    schema = pa.schema([(name, types[kind]) for name, (kind, _) in table.items()])
    records = _records(articles, log, roles)
    with pq.ParquetWriter(path, schema) as writer:
        while group := list(islice(records, ROW_GROUP)):
            for record in group:
                _log_other_roles(record, roles, log)
            arrays = [
                pa.array([_encodable(value(record)) for record in group], type=types[kind])
                for kind, value in table.values()
            ]
            writer.write_table(pa.Table.from_arrays(arrays, schema=schema))


_WRITERS: Mapping[str, Callable[..., None]] = {
    # Excel reads a CSV file as UTF-8 if it begins with a byte order mark.
    "csv": partial(_write_lines, csv_lines, start=_BYTE_ORDER_MARK),
    "jsonl": partial(_write_lines, json_lines),
    "parquet": _write_parquet,
}


def _arrow_types() -> "dict[str, pa.DataType]":
    import pyarrow as pa

    single = {"text": pa.string(), "offset": pa.int32(), "score": pa.float32()}
    return single | {f"{kind}s": pa.list_(type) for kind, type in single.items()}


# ---- records and cells -----------------------------------------------------------------------------------------------


def _records(articles: Iterable[Article], log: ProblemLog, roles: Sequence[str]) -> Iterator[EventRecord]:
    """The records of articles. Each has all roles, in their order; other roles follow."""
    empty = dict.fromkeys(roles, ())
    for article in articles:
        log.articles += 1
        if article.date and publication_day(article.date) is None:
            message = f"the date {shown(article.date)} is not recognized; write it as 2019-05-12"
            log.drop("dates that depend on an unknown date of the article", message, article=article.id)
        for record in article.records:
            yield replace(record, fillers={**empty, **record.fillers})


def _log_other_roles(record: EventRecord, roles: Sequence[str], log: ProblemLog) -> None:
    for role, fillers in record.fillers.items():
        if fillers and role not in roles:
            message = f"{shown(fillers[0].text)} is {role}, a role that the scheme lacks; .jsonl has it"
            log.drop("arguments of roles that the scheme lacks", message, article=record.article_id)


def _plain(value: Any) -> Any:
    """Dataclasses as dictionaries."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value


def _row(cells: Iterable[object]) -> str:
    line = io.StringIO(newline="")
    csv.writer(line, lineterminator="\n").writerow(map(_guarded, cells))
    return line.getvalue()


def _cell(kind: str, value: Any) -> object:
    """A value as a cell: texts on one line, scores with three digits, several values joined."""
    if kind.endswith("s"):
        cells = [str(_cell(kind[:-1], item)) for item in value]
        return "; ".join(cells) if any(cells) else ""
    if value is None:
        return ""
    return " ".join(value.split()) if kind == "text" else f"{value:.3f}" if kind == "score" else value


def _guarded(cell: object) -> object:
    """A cell that a spreadsheet does not run as a formula: a text that begins like one gets an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell


def _encodable(value: Any) -> Any:
    """A value without lone surrogates, which UTF-8 cannot encode."""
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
