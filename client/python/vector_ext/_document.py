"""Writes docs/python.md from the docstrings of the package.

    PYTHONPATH=client/python /usr/bin/python3 -P -m vector_ext._document > docs/python.md
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterator
from typing import Any

from . import agent_memory, build, errors, query, raw, results, upsert

HEAD = """\
# The Python package

`vector_ext` loads vectors from Python by binary COPY that numpy builds, makes indexes, searches,
and merges rows that may exist. It needs the extension in the database, Python 3.11, psycopg 3.1.7
and numpy 1.24 or later (Debian 12 and 13 have them); pandas is optional. It has types for mypy.
This page is made from its docstrings; [recipes.md](recipes.md) shows what to do with plain tables
beside it, [loading.md](loading.md) which way of loading is for what.

```sh
sudo apt-get install python3-psycopg python3-numpy
export PYTHONPATH=$PWD/client/python        # or: pip install client/python
```

| function | does |
|---|---|
| `bulk_build_index` | loads vectors into a table, which it makes if need be, and builds an index |
| `bulk_query_index` | finds the nearest rows |
| `bulk_info` | tells what an index is and holds |
| `bulk_upsert` | writes rows of which some may exist, by a stage |
| `convert_embeddings_to_raw`, `read_raw_embeddings` | write and map raw files of float32 |
| `agent_memory.create_tables`, `agent_memory.insert_...` | the memory of an agent in three tables |

**Connections.** `conn` is a psycopg connection, a connection string, or None for libpq's
environment (PGHOST, PGDATABASE, ...). On an idle connection a call is a transaction: all of it or
nothing. On one inside a transaction nothing is committed, no savepoint is set, and settings are set
back; an error leaves the transaction failed, for the caller to roll back.

**asyncio.** Every function has a twin with `async_` in front (`async_bulk_build_index`, ...) and
the same arguments; `conn` is a `psycopg.AsyncConnection`, and rows may come from an async iterator.
A task that is cancelled cancels the statement on the server too, and waits for its end.

**Memory.** Rows are taken, judged, encoded and sent `batch_size` at a time, and a batch is not
begun before the last one has gone to the server: an iterator of any length is loaded in the memory
of two batches.

**Errors** are those of psycopg, by SQLSTATE, and `BulkError` as well, with a report:

```python
try:
    bulk_build_index(embeddings, "items", ids=ids)
except psycopg.errors.UniqueViolation as error:      # also: except vector_ext.BulkError
    print(error.sqlstate, error.report.row, error.report.read)
```

Rows are judged before they are sent: `embeddings[17][3] is NaN` (22000) is row 17, dimension 3,
both counted from 0. What the caller's iterator or callback raises comes out as it is.
"""


def reference() -> str:
    return HEAD + "\n" + "\n".join(_sections()) + "\n"


def _sections() -> Iterator[str]:
    yield "## Functions\n"
    functions: list[Callable[..., Any]] = [
        build.bulk_build_index, query.bulk_query_index, query.bulk_info, upsert.bulk_upsert,
        raw.convert_embeddings_to_raw, raw.read_raw_embeddings]
    yield from map(_function, functions)
    yield _listed("Their twins", [f"async_{function.__name__}" for function in functions]) + "\n"
    yield "## `agent_memory`\n"
    yield inspect.cleandoc(agent_memory.__doc__ or "") + "\n"
    names = [name for name in agent_memory.__all__ if not name.startswith("async_")]
    for name in names:
        yield _function(getattr(agent_memory, name))
    yield _listed("Their twins", [f"async_{name}" for name in names]) + "\n"
    yield "## Results and errors\n"
    for cls in (results.BulkBuildStats, results.UpsertStats, results.IndexInfo, results.Neighbor,
                results.Reject, results.LoadReport, errors.BulkError, errors.InvalidRowError):
        yield _class(cls)


def _function(function: Callable[..., Any]) -> str:
    text = _text(function.__doc__ or "")
    return f"### `{function.__name__}`\n\n{_signature(function)}\n\n{text}\n"


def _signature(function: Callable[..., Any]) -> str:
    signature = inspect.signature(function)
    parts: list[str] = []
    for parameter in signature.parameters.values():
        if parameter.kind == parameter.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        default = "" if parameter.default is parameter.empty else f" = {parameter.default!r}"
        parts.append(f"{parameter.name}: {parameter.annotation}{default}")
    # A parameter stays on one line: its blanks are none to the wrapping.
    text = f"{function.__name__}({', '.join(part.replace(' ', chr(1)) for part in parts)})"
    lines = textwrap.wrap(f"{text} ->\1{signature.return_annotation}", 96, subsequent_indent="    ",
                          break_long_words=False, break_on_hyphens=False)
    return "```\n" + "\n".join(lines).replace("\1", " ") + "\n```"


def _text(docstring: str) -> str:
    """A docstring as Markdown: its sections in bold, parameters as a list."""
    made: list[str] = []
    for line in inspect.cleandoc(docstring).split("\n"):
        section = re.fullmatch(r"(Parameters|Returns|Raises|Returns and raises):(.*)", line)
        item = re.fullmatch(r"    (\w[\w, ]*): (.*)", line)
        if section:
            made.append(f"**{section[1]}.**{section[2]}")
            if not section[2]:
                made.append("")
        elif item:
            names = ", ".join(f"`{name}`" for name in item[1].split(", "))
            made.append(f"- {names}: {item[2]}")
        else:
            made.append(re.sub(r"^    (?:        |    )", "  ", line) if line.startswith("        ")
                        else line.strip())
    return "\n".join(made)


def _listed(what: str, names: list[str]) -> str:
    return textwrap.fill(f"{what}: {', '.join(f'`{name}`' for name in names)}.", 100)


def _class(cls: type) -> str:
    fields = getattr(cls, "__annotations__", {})
    shown = f"\n\n{_listed('Fields', list(fields))}" if fields else ""
    return f"### `{cls.__name__}`\n\n{inspect.cleandoc(cls.__doc__ or '')}{shown}\n"


if __name__ == "__main__":
    print(reference(), end="")
