"""Identity resolution against a plain scan-and-write of the same links, at three sizes.

Persons are a fortieth of the interactions and have about three links each: an account,
a login, an e-mail hash and a cookie; some share a device. Each run is a process of its
own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from memory import peak_megabytes

SIZES = (100_000, 1_000_000, 10_000_000)
_LINKS = """
    select 'crm' as left_type, printf('%012d', i) as left_value, 'login' as right_type,
        printf('%012d', i) as right_value, timestamp '2024-01-01' + to_seconds(i) as linked_at
    from range({persons}) as t(i)
    union all select 'login', printf('%012d', i), 'email_hash', md5(cast(i // 10 * 10 as varchar)
        || cast(greatest(i % 10, 1) as varchar)), timestamp '2024-02-01' + to_seconds(i)
    from range({persons}) as t(i)
    union all select 'cookie', md5(cast(i as varchar)), 'login', printf('%012d', i),
        timestamp '2024-03-01' + to_seconds(i) from range({persons}) as t(i)
    union all select 'device', md5(cast(i // 4 as varchar)), 'login', printf('%012d', i),
        timestamp '2024-03-01' + to_seconds(i) from range({persons} // 20) as t(i)
"""
_WRITE = "copy (select * from read_parquet('{links}')) to '{out}' (format parquet)"


def bench_identity(sizes: tuple[int, ...] = SIZES, *, runs: int = 3) -> None:
    """Print seconds, memory and the ratio to scan-and-write at each size."""
    for interactions in sizes:
        with tempfile.TemporaryDirectory() as folder:
            links = Path(folder) / "links.parquet"
            _make(links, interactions // 40)
            found = [(_measured("resolve", links), _measured("write", links)) for _ in range(runs)]
        ours, theirs = (
            statistics.median(pair[side]["seconds"] for pair in found) for side in (0, 1)
        )
        memory = max(pair[0]["megabytes"] for pair in found)
        print(
            f"identity, {interactions:>10,} interactions ({found[0][0]['links']:,} links): "
            f"{ours:.2f} s, {memory:,.0f} MB, {ours / theirs:.1f} times scan-and-write (< 3)"
        )


def _make(links: Path, persons: int) -> None:
    import duckdb

    duckdb.connect().execute(
        f"copy ({_LINKS.format(persons=persons)}) to '{links}' (format parquet)"
    )


def _measured(what: str, links: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, what, str(links)], capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout))


def _once(what: str, links: str) -> None:
    """Do one of the two in this process, and print what it took."""
    import duckdb

    connection = duckdb.connect(config={"threads": 2, "memory_limit": "2GB"})
    start = time.perf_counter()
    out = f"{links}.out"
    if what == "write":
        connection.execute(_WRITE.format(links=links, out=out))
    else:
        from cxlab.data.identity import IdentitySettings, resolve

        connection.execute(
            "create temp table k as select file_row_number as row, left_type, right_type, "
            "left_type || ':' || left_value as left_id, "
            "right_type || ':' || right_value as right_id, linked_at, '' as reason "
            f"from read_parquet('{links}', file_row_number = true)"
        )
        resolve(connection.execute, "k", IdentitySettings())
        connection.execute(f"copy (select id, person from cx_member) to '{out}' (format parquet)")
    seconds = time.perf_counter() - start
    (count,) = connection.execute(f"select count(*) from read_parquet('{links}')").fetchone()
    peak = peak_megabytes()
    print(json.dumps({"seconds": seconds, "megabytes": peak, "links": count}))


if __name__ == "__main__":
    if len(sys.argv) == 3:
        _once(*sys.argv[1:])
    else:
        bench_identity()
