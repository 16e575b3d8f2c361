#!/usr/bin/env bash
# pulumi.jsonStringify turns a Date and a URL into {}, where JSON.stringify writes their text.
#
# The function is there so that outputs can stand inside what becomes JSON. Before it calls JSON.stringify it rebuilds
# the value, to wait for the outputs in it, as plain objects of own properties. A Date, a URL, or any object that has a
# toJSON and no properties is then an empty object: nothing fails, preview and update show JSON that looks complete.
#
# Who is hurt: whoever writes JSON of a program's values into user data, a policy, or a message to workers: "expires"
# arrives as {}, and a reader that makes a date of it gets an invalid one, or takes it as not set.
# Seen in @pulumi/pulumi 3.248.0 and 3.100.0. Its documents say that the function uses JSON.stringify to serialize the
# value.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund --ignore-scripts @pulumi/pulumi@3.248.0

cat >try.mjs <<'JS'
import pulumi from '@pulumi/pulumi'

const settings = {
  name: pulumi.output('reindex'),
  expires: new Date('2030-01-02T03:04:05Z'),
  cluster: new URL('https://search.example:9200/'),
}
const text = await new Promise((resolve) => { pulumi.jsonStringify(settings).apply(resolve) })
const plain = JSON.stringify({ ...settings, name: 'reindex' })

console.log('@pulumi/pulumi 3.248.0: jsonStringify of a name (an output), a Date and a URL')
console.log(`expected: ${plain}, as by JSON.stringify`)
console.log(`seen: ${text}`)
const same = text === '{"name":"reindex","expires":{},"cluster":{}}'
console.log(same ? 'as described' : 'CHANGED')
process.exitCode = same ? 0 : 1
JS
node try.mjs
