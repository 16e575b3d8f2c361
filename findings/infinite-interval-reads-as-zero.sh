#!/usr/bin/env bash
# An infinite interval of PostgreSQL reads as no time at all, in Python's psycopg and in Node's pg, without an error.
#
# PostgreSQL 17 gave intervals the values infinity and -infinity ("kept for ever", or 'infinity'::timestamptz minus
# any date). psycopg's text loader picks numbers with units out of the value, finds none, and returns
# timedelta(0) for both. pg's parser does likewise: an interval without a field, the same object as '0 seconds' gives,
# which pg writes back as 0. psycopg's binary loader does refuse the value, and so do its text loaders for infinite
# dates and timestamps; pg returns the number Infinity for those.
#
# Who is hurt: whoever copies rows with such a column into documents or other tables: "never expires" becomes "expired
# at once", and sorts first instead of last.
# Seen in psycopg 3.3.9 and pg 8.23.1, since PostgreSQL 17 there are such values. The documents of psycopg treat
# infinite dates, which raise an error, and not intervals; those of pg treat neither.
set -euo pipefail
work=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund pg@8.23.1 @electric-sql/pglite@0.5.14 @electric-sql/pglite-socket@0.2.17
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check 'psycopg[binary]==3.3.9'

cat >server.mjs <<'JS'
import { writeFileSync } from 'node:fs'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'

const server = new PGLiteSocketServer({ db: await PGlite.create(), host: '127.0.0.1', port: 0 })
server.addEventListener('listening', (event) => writeFileSync('port', String(event.detail.port)))
await server.start()
JS
cat >try.mjs <<'JS'
import pg from 'pg'
const client = new pg.Client({ host: '127.0.0.1', port: Number(process.argv[2]), user: 'postgres', database: 'postgres' })
await client.connect()
const { rows: [row] } = await client.query(`select 'infinity'::interval as p, '-infinity'::interval as m, '0 s'::interval as z`)
await client.end()
console.log(`${JSON.stringify(row.p)} "${row.p.toPostgres()}"; ${JSON.stringify(row.m)}; zero is ${JSON.stringify(row.z)}`)
JS
cat >try.py <<'PY'
import sys, psycopg
with psycopg.connect(host="127.0.0.1", port=sys.argv[1], user="postgres", dbname="postgres", sslmode="disable") as connection:
    row = connection.execute("select 'infinity'::interval, '-infinity'::interval, '0 s'::interval").fetchone()
    print("; ".join(str(value) for value in row[:2]) + "; zero is " + str(row[2]))
PY

node server.mjs & server=$!
for _ in $(seq 500); do [ -s port ] && break; sleep 0.2; done
python=$(python/bin/python try.py "$(cat port)")
node=$(node try.mjs "$(cat port)")

echo "psycopg 3.3.9 and pg 8.23.1: 'infinity'::interval and '-infinity'::interval"
echo 'expected: an error, or values that differ from each other and from zero'
echo "seen: psycopg: $python"
echo "seen: pg: $node"
if [ "$python" = '0:00:00; 0:00:00; zero is 0:00:00' ] && [ "$node" = '{} "0"; {}; zero is {}' ]; then
  echo 'as described'
else
  echo 'CHANGED'
  exit 1
fi
