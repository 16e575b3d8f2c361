#!/usr/bin/env bash
# The row count that pg-cursor and postgres.js give after a cursor is that of the last batch, or 0.
#
# Both read a query through a portal, so many rows at a time, and both take the count from the tag that the server
# sends when the portal is done. PostgreSQL puts into that tag the rows of the last fetch only. 250 rows in batches of
# 100 end with a rowCount (pg-cursor's 'end' event) and a count (postgres.js) of 50; 200 rows end with 0 in pg-cursor,
# as if nothing had been read. INSERT and DELETE with RETURNING, read that way, are counted no better.
#
# Who is hurt: whoever checks "as many rows as the query returned" with the number that the driver offers for it: the
# check fails at random lengths, or, when the number goes into a report, the report is wrong and looks plausible.
# Seen in pg-cursor 2.22.1 with pg 8.23.1, and postgres 3.4.9. The documents of pg say that rowCount is the number of
# rows processed by the last command, those of postgres.js that count is the number of affected rows.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund pg@8.23.1 pg-cursor@2.22.1 postgres@3.4.9 \
  @electric-sql/pglite@0.5.14 @electric-sql/pglite-socket@0.2.17

cat >try.mjs <<'JS'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import pg from 'pg'
import Cursor from 'pg-cursor'
import postgres from 'postgres'

const db = await PGlite.create()
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0 })
const port = await new Promise((resolve) => {
  server.addEventListener('listening', (event) => resolve(event.detail.port))
  server.start()
})
const at = { host: '127.0.0.1', port, user: 'postgres', database: 'postgres' }

const client = new pg.Client(at)
await client.connect()
const withCursor = async (length) => {
  const cursor = client.query(new Cursor('select n from generate_series(1, $1::int) as n', [length]))
  const end = new Promise((resolve) => cursor.once('end', resolve))
  let read = 0
  for (let rows = await cursor.read(100); rows.length > 0; rows = await cursor.read(100)) read += rows.length
  return `${read} rows read, rowCount ${(await end).rowCount}`
}
const cursor = [await withCursor(250), await withCursor(200)]
await client.end()

const sql = postgres({ ...at, max: 1 })
let read = 0
const result = await sql`select n from generate_series(1, 250) as n`.cursor(100, (rows) => { read += rows.length })
const tagged = `${read} rows read, count ${result.count}`
await sql.end()
await server.stop()
await db.close()

console.log('pg-cursor 2.22.1 over 250 and over 200 rows, postgres 3.4.9 over 250, all in batches of 100')
console.log('expected: counts of 250, 200 and 250')
console.log(`seen: pg-cursor: ${cursor.join('; ')}; postgres: ${tagged}`)
const same = cursor.join() === '250 rows read, rowCount 50,200 rows read, rowCount 0' && tagged === '250 rows read, count 50'
console.log(same ? 'as described' : 'CHANGED')
process.exit(same ? 0 : 1)
JS
node try.mjs
