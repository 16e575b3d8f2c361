#!/usr/bin/env bash
# With enableLongNumeralSupport the OpenSearch client writes NaN and Infinity into the request, which is no JSON, but
# only for documents that also hold a BigInt.
#
# JSON has no NaN: JSON.stringify, and the client without the option, write null. The option, meant for integers
# beyond 2^53, hands a document to another writer when it meets a BigInt in it, and that one writes NaN, Infinity and
# -Infinity as words. So { id, score: NaN } is sent as null while the id is a number, and as a line that no JSON
# reader takes once the id is a BigInt.
#
# Who is hurt: whoever indexes rows with a bigint key and a float column (PostgreSQL's float8 has NaN): the rows were
# fine before the option was set, and are fine in every test whose ids are plain numbers.
# Seen in @opensearch-project/opensearch 3.0.0 and 3.9.0; 2.8.0 wrote null. Its guide offers the option for long
# integers, read as BigInt and written back, and does not speak of other numbers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund @opensearch-project/opensearch@3.9.0

cat >try.mjs <<'JS'
import { createServer } from 'node:http'
import { Client } from '@opensearch-project/opensearch'

let lines = []
const server = createServer((request, response) => {
  let text = ''
  request.on('data', (piece) => (text += piece)).on('end', () => {
    lines = text.trim().split('\n')
    response.setHeader('content-type', 'application/json')
    response.end('{"took":1,"errors":false,"items":[]}')
  })
}).listen(0, '127.0.0.1')
await new Promise((resolve) => server.once('listening', resolve))
const node = `http://127.0.0.1:${server.address().port}`
const client = new Client({ node, enableLongNumeralSupport: true })

const document = async (id) => {
  await client.bulk({ body: [{ index: { _index: 'i' } }, { id, score: NaN, limit: Infinity }] })
  return lines[1]
}
const isJson = (line) => {
  try {
    return Boolean(JSON.parse(line))
  } catch {
    return false
  }
}
const plain = await document(7)
const long = await document(9007199254740993n)
server.close()
server.closeAllConnections()

console.log('@opensearch-project/opensearch 3.9.0, enableLongNumeralSupport: bulk of { id, score: NaN, limit: Infinity }')
console.log('expected: null for both, whatever the id is')
console.log(`seen with id 7: ${plain} (${isJson(plain) ? 'JSON' : 'not JSON'})`)
console.log(`seen with id 9007199254740993n: ${long} (${isJson(long) ? 'JSON' : 'not JSON'})`)
const same = plain === '{"id":7,"score":null,"limit":null}' && long === '{"id":9007199254740993,"score":NaN,"limit":Infinity}'
console.log(same ? 'as described' : 'CHANGED')
process.exitCode = same ? 0 : 1
JS
node try.mjs
