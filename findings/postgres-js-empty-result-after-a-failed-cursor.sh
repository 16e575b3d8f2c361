#!/usr/bin/env bash
# postgres.js: after a cursor whose statement fails at its commit, the next query of that connection returns no rows.
#
# `INSERT ... RETURNING` or `DELETE ... RETURNING` read through .cursor() may return all its rows and then fail, when a
# deferred constraint is found broken at the commit. The error is thrown as it should be. But the library then asks the
# server for one synchronisation too many, and takes the answer to that for the end of whatever query comes next: that
# one ends without an error and with an empty result, whatever is in the table. The query after it is right again.
#
# Who is hurt: whoever moves rows in batches, catches the failure and goes on: the next "what is left?" or "how many?"
# finds nothing, and nothing left is how such a loop ends.
# Seen in postgres 3.4.9 against PostgreSQL 18 (PGlite, and a server of its own). The documents say nothing of it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund postgres@3.4.9 @electric-sql/pglite@0.5.14 @electric-sql/pglite-socket@0.2.17

cat >try.mjs <<'JS'
import { PGlite } from '@electric-sql/pglite'
import { PGLiteSocketServer } from '@electric-sql/pglite-socket'
import postgres from 'postgres'

const db = await PGlite.create()
const server = new PGLiteSocketServer({ db, host: '127.0.0.1', port: 0 })
const port = await new Promise((resolve) => {
  server.addEventListener('listening', (event) => resolve(event.detail.port))
  server.start()
})
const sql = postgres({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', max: 1 })

await sql`create table shelf (id int primary key)`
await sql`create table book (id int primary key, shelf int references shelf deferrable initially deferred)`
await sql`insert into shelf values (1)`
await sql`insert into book values (1, 1), (2, 1), (3, 1)`

let read = 0
let failure = 'none'
try {
  for await (const rows of sql`insert into book values (4, 1), (5, 99) returning id`.cursor(100)) read += rows.length
} catch (error) {
  failure = error.code
}
const next = await sql`select id from book`
const afterwards = await sql`select id from book`
await sql.end()
await server.stop()
await db.close()

console.log('postgres 3.4.9: insert ... returning by cursor breaks a deferred foreign key at the commit; the table holds 3 rows')
console.log('expected: the insert fails with 23503, then select finds 3 rows, and again 3')
console.log(`seen: rows read ${read}, failure ${failure}; then select finds ${next.length} rows, and again: ${afterwards.length}`)
const same = read === 2 && failure === '23503' && next.length === 0 && afterwards.length === 3
console.log(same ? 'as described' : 'CHANGED')
process.exit(same ? 0 : 1)
JS
node try.mjs
