"""Summaries of tables: rows are grouped by columns, and each group gives one row of numbers."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal, InvalidOperation
from typing import Any, Iterable, Iterator

from quantum_sdk import Context, Failure, action, plugin

# Groups of one summary: their rows must fit into a result. Over it: `too-many-groups`.
GROUPS_MAX = 10_000
# Rows between two looks at whether the execution is being cancelled.
ROWS_BETWEEN_LOOKS = 10_000
# Integers up to here are exact in every JSON reader.
EXACT_INTEGER_MAX = 2**53


class Table:
    """Names of the columns, and rows that are read one by one."""

    def __init__(self, columns: list[str], rows: Iterable[dict[str, Any]]) -> None:
        self.columns = columns
        self.rows = rows


class Count:
    def __init__(self) -> None:
        self.count = 0

    def add(self, value: Any) -> None:
        self.count += 1

    def result(self) -> int:
        return self.count


class Sum:
    def __init__(self) -> None:
        self.sum = Decimal(0)
        self.count = 0

    def add(self, value: Decimal) -> None:
        self.sum += value
        self.count += 1

    def result(self) -> Decimal | None:
        return self.sum


class Mean(Sum):
    def result(self) -> Decimal | None:
        return self.sum / self.count if self.count else None


class Extreme:
    """The smallest or the largest."""

    def __init__(self, choose: Any) -> None:
        self._choose = choose
        self._value: Decimal | None = None

    def add(self, value: Decimal) -> None:
        self._value = value if self._value is None else self._choose(self._value, value)

    def result(self) -> Decimal | None:
        return self._value


class Median:
    def __init__(self) -> None:
        self._values: list[Decimal] = []

    def add(self, value: Decimal) -> None:
        self._values.append(value)

    def result(self) -> Decimal | None:
        if not self._values:
            return None
        values, middle = sorted(self._values), len(self._values) // 2
        return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


MAKERS = {
    "count": Count,
    "sum": Sum,
    "mean": Mean,
    "min": lambda: Extreme(min),
    "max": lambda: Extreme(max),
    "median": Median,
}


class Metric:
    """One column of the summary."""

    def __init__(self, p: dict[str, Any]) -> None:
        self.kind: str = p["metric"]
        self.column: str | None = p.get("column")
        self.name: str = p.get("name") or "_".join(part for part in (self.kind, self.column) if part)
        if self.column is None and self.kind != "count":
            raise Failure.permanent("no-column", f"{self.kind} needs a column")

    def start(self) -> Any:
        return MAKERS[self.kind]()

    def add(self, state: Any, row: dict[str, Any], number: int) -> None:
        """Empty cells say nothing, so they are left out."""
        if self.column is None:
            return state.add(None)
        value = row.get(self.column)
        if value is None or value == "":
            return
        state.add(value if self.kind == "count" else to_decimal(value, number, self.column))


@action
def summarise_csv(ctx: Context, p: dict[str, Any]) -> dict[str, Any]:
    table = open_table(ctx, p)
    by: list[str] = p.get("group_by", [])
    metrics = [Metric(metric) for metric in p["metrics"]]
    check_columns(table, by, metrics)
    groups: dict[str, tuple[list[Any], list[Any]]] = {}
    if not by:
        # A summary of nothing is one row too.
        groups["[]"] = ([], [metric.start() for metric in metrics])
    rows_read = 0
    for rows_read, row in enumerate(table.rows, start=1):
        if rows_read % ROWS_BETWEEN_LOOKS == 0:
            ctx.stop_if_cancelled()
        states = group_of(groups, [row.get(column) for column in by], metrics)
        for metric, state in zip(metrics, states):
            metric.add(state, row, rows_read)
    ctx.log.info("summarised", rows=rows_read, groups=len(groups))
    return {
        "columns": [*by, *(metric.name for metric in metrics)],
        "rows": [summary(by, metrics, *group) for group in groups.values()],
        "rows_read": rows_read,
    }


def open_table(ctx: Context, p: dict[str, Any]) -> Table:
    """The schema lets exactly one of them through."""
    delimiter = p.get("delimiter", ",")
    if "rows" in p:
        columns = dict.fromkeys(name for row in p["rows"] for name in row)
        return Table(list(columns), p["rows"])
    if "artifact" in p:
        lines = io.TextIOWrapper(ctx.artifacts.open(p["artifact"]), "utf-8-sig", newline="")
        return read_csv(lines, delimiter)
    return read_csv(io.StringIO(p["text"].removeprefix("\ufeff"), newline=""), delimiter)


def read_csv(lines: Iterable[str], delimiter: str) -> Table:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    records = checked(reader)
    columns = next(records, None)
    if columns is None:
        raise Failure.permanent("invalid-csv", "there is no line with the names of the columns")
    twice = next((name for name in columns if columns.count(name) > 1), None)
    if twice is not None:
        raise Failure.permanent("invalid-csv", f'two columns are called "{twice}"')

    def rows() -> Iterator[dict[str, Any]]:
        for record in records:
            if len(record) > len(columns):
                message = f"line {reader.line_num} has {len(record)} values, and there are {len(columns)} columns"
                raise Failure.permanent("invalid-csv", message)
            yield dict(zip(columns, record))

    return Table(columns, rows())


def checked(reader: Any) -> Iterator[list[str]]:
    """Records without empty lines; what is no CSV in UTF-8 is a failure."""
    try:
        yield from (record for record in reader if record)
    except (csv.Error, UnicodeDecodeError) as error:
        raise Failure.permanent("invalid-csv", f"after line {reader.line_num}: {error}") from None


def check_columns(table: Table, by: list[str], metrics: list[Metric]) -> None:
    for column in [*by, *(metric.column for metric in metrics)]:
        if column is not None and column not in table.columns:
            known = ", ".join(table.columns) or "none"
            raise Failure.permanent("unknown-column", f'there is no column "{column}"; there are: {known}')
    names = [*by, *(metric.name for metric in metrics)]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Failure.permanent("name-twice", f'two columns of the summary are called "{twice}"; give one a name')


def group_of(groups: dict[str, Any], values: list[Any], metrics: list[Metric]) -> list[Any]:
    key = json.dumps(values)
    if key not in groups:
        if len(groups) >= GROUPS_MAX:
            raise Failure.permanent("too-many-groups", f"there are more than {GROUPS_MAX} groups")
        groups[key] = (values, [metric.start() for metric in metrics])
    return groups[key][1]


def to_decimal(value: Any, number: int, column: str) -> Decimal:
    """Exact, so that a sum of prices is what a person adds up."""
    try:
        if isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise InvalidOperation
        decimal = Decimal(str(value).strip())
        if not decimal.is_finite():
            raise InvalidOperation
        return decimal
    except InvalidOperation:
        shown = json.dumps(value, ensure_ascii=False)[:80]
        message = f'row {number}, column "{column}": {shown} is not a number'
        raise Failure.permanent("not-a-number", message) from None


def summary(by: list[str], metrics: list[Metric], values: list[Any], states: list[Any]) -> dict[str, Any]:
    numbers = {metric.name: to_json(state.result()) for metric, state in zip(metrics, states)}
    return {**dict(zip(by, values)), **numbers}


def to_json(number: Decimal | int | None) -> int | float | None:
    if number is None or isinstance(number, int):
        return number
    whole = number == number.to_integral_value() and abs(number) <= EXACT_INTEGER_MAX
    return int(number) if whole else float(number)


Actions = plugin(summarise_csv)
