#!/usr/bin/env bash
# Node's zstd decompression drops everything behind the first frame, unless the frames happen to come in one by one.
#
# A .zst file may hold several frames, one behind the other: that is what appending to it, joining parts with cat, or
# pzstd gives. zlib.zstdDecompressSync returns the first frame and no error. createZstdDecompress does so for each
# chunk that it is given: two frames in one chunk lose the second, the same bytes in two chunks are whole. So a small
# file, read in one go, is cut, and a large one loses frames where they end within a chunk. gzip, with the same calls
# and members one behind the other, is read to its end.
#
# Who is hurt: whoever reads dumps that were written in parts, or a zstd-encoded reply of a server that flushes frames:
# lines are missing from the end, each line that is there is whole, and nothing says so.
# Seen in Node 24.21.0 (zstd came with 22.15 and 23.8). The documents of node:zlib do not speak of frames; the format's
# specification, RFC 8878, has the data be one or more frames whose contents follow each other.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund node@24.21.0

cat >try.mjs <<'JS'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import * as zlib from 'node:zlib'

const parts = ['{"id":1}\n', '{"id":2}\n']
const stream = (chunks, decompress) => text(Readable.from(chunks, { objectMode: false }).pipe(decompress))
const lines = (found) => found.split('\n').length - 1

const frames = parts.map((part) => zlib.zstdCompressSync(part))
const members = parts.map((part) => zlib.gzipSync(part))
const seen = {
  sync: lines(zlib.zstdDecompressSync(Buffer.concat(frames)).toString()),
  'one chunk': lines(await stream([Buffer.concat(frames)], zlib.createZstdDecompress())),
  'a chunk per frame': lines(await stream(frames, zlib.createZstdDecompress())),
  'gzip, one chunk': lines(await stream([Buffer.concat(members)], zlib.createGunzip())),
}

console.log(`Node ${process.versions.node}: two frames of one line each`)
console.log('expected: 2 lines each time')
console.log(`seen: ${Object.entries(seen).map(([way, count]) => `${way} ${count}`).join('; ')}`)
const same = Object.values(seen).join() === '1,1,2,2'
console.log(same ? 'as described' : 'CHANGED')
process.exitCode = same ? 0 : 1
JS
node_modules/.bin/node try.mjs
